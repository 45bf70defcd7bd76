//! Walks over a line and lets the first matching rule say what is there.
//!
//! Everything that speech engines read differently (money, dates, times, ranges, telephone numbers,
//! ordinals, units, codes) is written out in words, and so is every other number: what is decided
//! here sounds the same with every engine. A rule gets the line and a position, and returns the
//! words and how many bytes they replace.

use super::language::Language;
use super::{
    codes, contacts, counting, dates, decades, durations, formulas, lengths, links, quantities,
    romans, symbols, times, versions, weekdays, whole,
};

/// Points at a place in a line where something may begin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot<'a> {
    pub(super) line: &'a str,
    pub(super) at: usize,
    pub(super) language: &'static Language,
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

    /// Returns the word that tells what begins here, in lower case: marks after it do not matter, a
    /// stop does.
    pub(super) fn cue_before(&self) -> String {
        let marks = |c: char| c.is_whitespace() || ":([\"'’“«„=–-".contains(c);
        let before = self.line[..self.at].trim_end_matches(marks);
        before.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_lowercase()
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

/// Tells what a rule said in place of what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Change {
    pub written: String,
    pub said: String,
    pub rule: &'static str,
}

/// Says what begins at a spot, if the rule applies to it.
type Rule = fn(&Spot) -> Option<Said>;

/// Lists the rules by name, in order: the longer or rarer form comes before one it could be taken
/// for.
const RULES: [(&str, Rule); 32] = [
    ("link", links::said),
    ("e-mail address", contacts::email),
    ("mention", contacts::mention),
    ("weekday", weekdays::said),
    ("abbreviation", symbols::replacement),
    ("timestamp", durations::stamp),
    ("date", dates::numeric),
    ("bank or card number", codes::shaped),
    ("code", codes::cued),
    ("code announced", codes::announced),
    ("day and month", dates::named),
    ("duration", durations::said),
    ("time", times::said),
    ("opening hours", times::opening_hours),
    ("telephone number", contacts::phone),
    ("feet and inches", lengths::said),
    ("decade", decades::said),
    ("formula", formulas::said),
    ("quantity", quantities::said),
    ("Roman number", romans::said),
    ("fraction", counting::fraction),
    ("ordinal", counting::ordinal),
    ("ordinal with a full stop", counting::dotted_ordinal),
    ("number sign", counting::numbered),
    ("letters and digits", counting::code),
    ("version", versions::said),
    ("list of numbers", counting::list),
    ("number", counting::plain),
    ("digits", whole::spelled),
    ("comparison", symbols::comparison),
    ("sign", symbols::sign),
    ("currency", symbols::coin),
];

/// Says a line without markup, and adds what was changed to `changes`. Terminates: every step
/// consumes at least one character.
///
/// A rule counts only if what it says ends where a number may end ([`whole::ends_at`]): half of a
/// number is never said by one rule and the rest by another.
pub(super) fn apply(line: &str, language: &'static Language, changes: &mut Vec<Change>) -> String {
    let mut out = String::with_capacity(line.len() * 2);
    let mut at = 0;
    while let Some(c) = line[at..].chars().next() {
        let spot = Spot { line, at, language };
        if let Some((rule, Said { length, words })) = first_said(&spot, c) {
            if !out.ends_with(|c: char| c.is_whitespace() || "([{¿¡\"'«“‘„".contains(c)) {
                out.push(' ');
            }
            out.push_str(&words);
            let written = &line[at..at + length];
            if written != words {
                changes.push(Change { written: written.to_owned(), said: words, rule });
            }
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

/// Asks the rules in order what is at a spot, which begins with `c`.
fn first_said(spot: &Spot, c: char) -> Option<(&'static str, Said)> {
    if c.is_whitespace() || c.is_alphanumeric() && spot.before().is_some_and(char::is_alphanumeric)
    {
        return None;
    }
    RULES.iter().find_map(|(name, rule)| {
        let said = rule(spot)?;
        let whole = said.length > 0 && whole::ends_at(spot.line, spot.at, spot.at + said.length);
        whole.then_some((*name, said))
    })
}

/// Returns whether a word cannot continue with `rest`.
pub(super) fn ends_word(rest: &str) -> bool {
    !rest.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '\'' | '’' | '_' | '²' | '³'))
}
