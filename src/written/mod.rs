//! Tells the language of written words, or that it is not known.
//!
//! Between a message and the languages of an agent. Pure. Most letters tell their language. Those
//! that share letters are told apart by their telling words: a message has three words, too little
//! for what counts letters. Invariant: without evidence nothing is told; no text is forced into a
//! language.

mod redact;
mod script;
mod tokens;
mod words;

use icu_normalizer::ComposingNormalizerBorrowed as ComposingNormalizer;

pub use redact::{Redacted, Redaction};
use script::Script;
pub use words::without_accents;
use words::{WORDS, is_telling};

/// Holds what written words tell about their language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// Nothing: there are no words, or only such as "ok", which everybody writes.
    Nothing,
    /// That it is none of those that are known here.
    Unknown,
    /// That it is one of these (ISO 639-1), the likeliest first. Never empty.
    OneOf(Vec<&'static str>),
}

/// Sets how many words there may be for one that tells.
const WORDS_A_TELLING: usize = 3;

/// Sets what words must tell together: as much as one that six languages have.
const ENOUGH: f64 = 1.4;

/// Sets how far the likeliest language must be ahead to be the only one.
const AHEAD: f64 = 0.9;

/// Sets what a letter tells for those that have it, beside its word.
const LETTER: f64 = 0.5;

/// Sets what a letter tells against those that lack it; less if names bring it everywhere (q, w, x).
const FOREIGN: f64 = 2.0;
const FOREIGN_LATIN: f64 = 0.7;

/// Stands for the number of languages, so that a word tells as much in every script.
const LANGUAGES: f64 = 30.0;

/// Finds the language of `text` among those that `may_be` accepts.
pub fn language(text: &str, may_be: impl Fn(&str) -> bool) -> Written {
    // Some keyboards send accents apart from their letters.
    let text = ComposingNormalizer::new_nfc().normalize(text);
    match script::of(&text) {
        None => Written::Nothing,
        Some(Script::Of(languages)) => {
            let languages: Vec<_> = languages.iter().copied().filter(|code| may_be(code)).collect();
            if languages.is_empty() { Written::Unknown } else { Written::OneOf(languages) }
        }
        Some(script) => by_words(&text, script, may_be),
    }
}

impl Written {
    /// Returns the language if the words tell one alone, or one that far more people write than
    /// the others.
    pub fn told(&self) -> Option<&'static str> {
        let Self::OneOf(languages) = self else { return None };
        let (first, others) = languages.split_first()?;
        others.iter().all(|other| WORDS.ranks_below(other, first)).then_some(first)
    }
}

/// Holds a language on trial.
struct Candidate {
    /// Its place in [`WORDS`].
    language: usize,
    told: f64,
    telling_words: usize,
}

fn by_words(text: &str, script: Script, may_be: impl Fn(&str) -> bool) -> Written {
    let words = tokens::of(text);
    if words.is_empty() {
        return Written::Nothing;
    }
    let mut candidates: Vec<Candidate> = (WORDS.languages.iter().enumerate())
        .filter(|(_, known)| known.script == script && may_be(known.code))
        .map(|(language, _)| Candidate { language, told: 0.0, telling_words: 0 })
        .collect();
    for word in &words {
        weigh(word, &mut candidates);
    }
    let code = |candidate: &Candidate| WORDS.languages[candidate.language].code;
    // What is not written in Latin letters is hardly a name.
    if let [only] = &candidates[..]
        && script != Script::Latin
    {
        return Written::OneOf(vec![code(only)]);
    }
    candidates.retain(|candidate| {
        candidate.told >= ENOUGH && candidate.telling_words * WORDS_A_TELLING >= words.len()
    });
    candidates.sort_by(|one, other| other.told.total_cmp(&one.told));
    let Some(most) = candidates.first().map(|candidate| candidate.told) else {
        return Written::Unknown;
    };
    candidates.retain(|candidate| most - candidate.told < AHEAD);
    let mut codes: Vec<_> = candidates.iter().map(code).collect();
    let leads = |one: &&str| codes.iter().any(|other| WORDS.ranks_below(other, one));
    if let Some(at) = codes.iter().position(leads) {
        codes[..=at].rotate_right(1);
    }
    Written::OneOf(codes)
}

/// Adds what one word and its letters tell.
fn weigh(word: &str, candidates: &mut [Candidate]) {
    let holds = |holders: &[usize], candidate: &Candidate| holders.contains(&candidate.language);
    let rarity = |holders: &[usize], candidates: &[Candidate]| {
        let count = candidates.iter().filter(|candidate| holds(holders, candidate)).count();
        #[expect(clippy::cast_precision_loss, reason = "a count of languages")]
        let rarity = (LANGUAGES / (count as f64 + 0.5)).ln();
        rarity.max(0.0)
    };
    let holders = WORDS.with_word(word);
    let weight = rarity(holders, candidates);
    for candidate in candidates.iter_mut().filter(|candidate| holds(holders, candidate)) {
        candidate.told += weight;
        candidate.telling_words += 1;
    }
    let mut letters: Vec<char> = word.chars().filter(|letter| is_telling(*letter)).collect();
    letters.sort_unstable();
    letters.dedup();
    for letter in letters {
        let holders = WORDS.with_letter(letter);
        let (gain, loss) = match letter {
            'q' | 'w' | 'x' => (0.0, FOREIGN_LATIN),
            _ => (rarity(holders, candidates) * LETTER, FOREIGN),
        };
        for candidate in &mut *candidates {
            candidate.told += if holds(holders, candidate) { gain } else { -loss };
        }
    }
}

#[cfg(test)]
mod tests;
