//! Walks over a line and lets the first matching rule say what is there.
//!
//! Everything that speech engines read differently (money, dates, times, ranges, telephone numbers,
//! ordinals, units, codes) is written out in words, and so is every other number: what is decided
//! here sounds the same with every engine. A rule gets the line and a position, and returns the
//! words and how many bytes they replace.

use super::language::Language;
use super::{contacts, counting, dates, links, quantities, symbols, times};

/// Points at a place in a line where something may begin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot<'a> {
    pub(super) line: &'a str,
    pub(super) at: usize,
    pub(super) language: &'a Language,
}

impl<'a> Spot<'a> {
    /// Returns the text that begins here.
    pub(super) fn rest(&self) -> &'a str {
        &self.line[self.at..]
    }

    /// Returns the character before this place.
    pub(super) fn before(&self) -> Option<char> {
        self.line[..self.at].chars().next_back()
    }

    /// Returns whether only a space or an opening mark comes before this place.
    pub(super) fn is_fresh(&self) -> bool {
        self.before().is_none_or(|c| c.is_whitespace() || "([{¿¡\"'«“‘„:/–—".contains(c))
    }

    /// Returns the word before this place, in lower case; empty if there is none.
    pub(super) fn word_before(&self) -> String {
        let before = self.line[..self.at].trim_end();
        let from = before.rfind(|c: char| !c.is_alphanumeric());
        let from = from.map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
        before[from..].to_lowercase()
    }

    /// Returns the word that an ordinal is inflected for: "am" for both of "am 3. und 4. Mai".
    pub(super) fn word_that_inflects(&self) -> String {
        let before = self.word_before();
        if self.language.dotted_ordinals.is_none() || before != self.language.words.and {
            return before;
        }
        let mut words = self.line[..self.at].split_whitespace().rev().skip(2);
        words.next().unwrap_or_default().to_lowercase()
    }
}

/// Holds what is said in place of the first `length` bytes of the rest of a line.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) length: usize,
    pub(super) words: String,
}

impl Said {
    #[expect(clippy::unnecessary_wraps, reason = "every caller is a rule, which may find nothing")]
    pub(super) fn new(length: usize, words: impl Into<String>) -> Option<Self> {
        Some(Self { length, words: words.into() })
    }
}

/// Says what begins at a spot, if the rule applies to it.
type Rule = fn(&Spot) -> Option<Said>;

/// Lists the rules in order: the longer or rarer form comes before one it could be taken for.
const RULES: [Rule; 18] = [
    links::said,
    contacts::email,
    contacts::mention,
    symbols::replacement,
    dates::numeric,
    dates::named,
    dates::weekdays,
    times::said,
    contacts::phone,
    quantities::said,
    counting::fraction,
    counting::ordinal,
    counting::dotted_ordinal,
    counting::numbered,
    counting::code,
    counting::version,
    counting::plain,
    symbols::sign,
];

/// Says a line without markup. Terminates: every step consumes at least one character.
pub(super) fn apply(line: &str, language: &Language) -> String {
    let mut out = String::with_capacity(line.len() * 2);
    let mut at = 0;
    while let Some(c) = line[at..].chars().next() {
        let spot = Spot { line, at, language };
        let inside_word = c.is_alphanumeric() && spot.before().is_some_and(char::is_alphanumeric);
        let said = if inside_word { None } else { RULES.iter().find_map(|rule| rule(&spot)) };
        if let Some(Said { length, words }) = said.filter(|said| said.length > 0) {
            if !out.ends_with(|c: char| c.is_whitespace() || "([{¿¡\"'«“‘„".contains(c)) {
                out.push(' ');
            }
            out.push_str(&words);
            at += length;
            if line[at..].starts_with(char::is_alphanumeric) {
                out.push(' ');
            }
            continue;
        }
        let length = if c.is_alphanumeric() {
            line[at..].find(|c: char| !c.is_alphanumeric()).unwrap_or(line.len() - at)
        } else {
            c.len_utf8()
        };
        out.push_str(&line[at..at + length]);
        at += length;
    }
    out
}

/// Returns whether a word cannot continue with `rest`.
pub(super) fn ends_word(rest: &str) -> bool {
    !rest.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '\'' | '’' | '_' | '²' | '³'))
}
