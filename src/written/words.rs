//! The telling words of languages that share their letters, and how much each tells.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use icu_normalizer::DecomposingNormalizerBorrowed as DecomposingNormalizer;

use super::script::{self, Script};

/// Holds the words of all languages.
pub(super) static WORDS: LazyLock<WordTable> =
    LazyLock::new(|| WordTable::read(include_str!("words.txt")));

/// Finds languages by a word or a letter; a language is its place in `languages`.
pub(super) struct WordTable {
    pub(super) languages: Vec<Described>,
    by_word: HashMap<String, Vec<usize>>,
    /// Without their accents, which many people do not type.
    by_bare_word: HashMap<String, Vec<usize>>,
    by_letter: HashMap<char, Vec<usize>>,
    everywhere: HashSet<String>,
}

/// Describes a language that its words tell.
pub(super) struct Described {
    pub(super) code: &'static str,
    /// Languages with far more speakers, which share many words.
    after: Vec<&'static str>,
    pub(super) script: Script,
}

impl WordTable {
    fn read(table: &'static str) -> Self {
        let mut words = Self {
            languages: Vec::new(),
            by_word: HashMap::new(),
            by_bare_word: HashMap::new(),
            by_letter: HashMap::new(),
            everywhere: HashSet::new(),
        };
        let mut everywhere = false;
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            let (head, rest) = match line.split_once(": ") {
                Some((head, rest)) if !line.starts_with(' ') => (Some(head), rest),
                _ => (None, line),
            };
            if let Some(head) = head {
                everywhere = head == "-";
                let (code, after) = head.split_once(" after ").unwrap_or((head, ""));
                let after = after.split_whitespace().collect();
                if !everywhere {
                    let script = script::of(rest).expect("a test reads the table");
                    words.languages.push(Described { code, after, script });
                }
            }
            for word in rest.split_whitespace() {
                if everywhere {
                    words.everywhere.insert(word.to_owned());
                } else {
                    words.add(word);
                }
            }
        }
        words
    }

    /// Adds a word of the last language.
    fn add(&mut self, word: &str) {
        let language = self.languages.len() - 1;
        let note = |holders: &mut Vec<usize>| {
            if holders.last() != Some(&language) {
                holders.push(language);
            }
        };
        note(self.by_word.entry(word.to_owned()).or_default());
        note(self.by_bare_word.entry(without_accents(word)).or_default());
        for letter in word.chars().filter(|letter| is_telling(*letter)) {
            note(self.by_letter.entry(letter).or_default());
        }
    }

    /// Returns whether people of all languages write `word`.
    pub(super) fn is_everywhere(&self, word: &str) -> bool {
        self.everywhere.contains(word)
    }

    /// Returns the languages that have `word`, which is in lower case.
    pub(super) fn with_word(&self, word: &str) -> &[usize] {
        let words = if word.is_ascii() { &self.by_bare_word } else { &self.by_word };
        words.get(word).map_or(&[], Vec::as_slice)
    }

    /// Returns whether far more people write `first` than `code`, of two that share many words or
    /// have a script of their own.
    pub(super) fn ranks_below(&self, code: &str, first: &str) -> bool {
        match self.languages.iter().find(|known| known.code == code) {
            Some(known) => known.after.contains(&first),
            None => true,
        }
    }

    /// Returns the languages that write `letter`.
    pub(super) fn with_letter(&self, letter: char) -> &[usize] {
        self.by_letter.get(&letter).map_or(&[], Vec::as_slice)
    }
}

/// Returns whether some languages lack a letter that others of the same script have.
pub(super) fn is_telling(letter: char) -> bool {
    matches!(letter, 'q' | 'w' | 'x') || (!letter.is_ascii() && letter.is_alphabetic())
}

/// Returns words without the accents of Latin letters, which many people do not type.
pub fn without_accents(word: &str) -> String {
    let letters = DecomposingNormalizer::new_nfd().normalize(word);
    let without_marks = letters.chars().filter(|c| !('\u{300}'..='\u{36f}').contains(c));
    without_marks.map(|c| if c == 'ı' { 'i' } else { c }).collect()
}
