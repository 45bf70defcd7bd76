//! Writes out what the lexicons cannot read: times, dates, units, abbreviations, signs.
//!
//! Rule after rule goes over the whole text, as what one writes may be what the next looks for. They
//! are those of the published package, whose words are data. What hark says has been through
//! `speech_text`, which writes most of this out; here is what it leaves.

mod dates;
mod measures;
mod names;
mod ranges;

use std::collections::BTreeMap;

use icu_normalizer::ComposingNormalizerBorrowed as ComposingNormalizer;
use serde::Deserialize;

use super::files::bad;
use super::letters::{digits, first, is_wordy, last};
use crate::tts::neural::graph::BadVoice;

/// Points at a place in a text where something may begin.
#[derive(Clone, Copy)]
struct Here<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Here<'a> {
    fn rest(self) -> &'a str {
        &self.text[self.at..]
    }

    fn before(self) -> Option<char> {
        last(&self.text[..self.at])
    }

    /// Returns the digits that begin here; none if they go on from before, or from one of these.
    fn figures(self, but: &str) -> Option<&'a str> {
        let counts = self.rest().starts_with(|c: char| c.is_ascii_digit());
        (counts && self.is_fresh(but)).then(|| digits(self.rest()))
    }

    /// Returns whether a word may begin here, after anything but these.
    fn is_fresh(self, but: &str) -> bool {
        self.before().is_none_or(|c| !is_wordy(c) && !but.contains(c))
    }
}

/// Holds what is written in place of the first `length` bytes.
struct Instead {
    length: usize,
    words: String,
}

type WritingRule = fn(&Expander, Here) -> Option<Instead>;

/// Lists the rules in their order.
const RULES: [WritingRule; 19] = [
    dates::time,
    dates::iso_date,
    dates::american_date,
    measures::large_amount,
    measures::cents,
    measures::other_currency,
    measures::degrees,
    measures::unit,
    dates::month_and_day,
    dates::day_and_month,
    names::title,
    names::abbreviation,
    names::number_sign,
    names::chapter,
    names::monarch,
    ranges::telephone,
    ranges::fraction,
    ranges::range,
    ranges::sign,
];

/// Holds the words of the published file, the longest first where one begins like another.
pub(super) struct Expander {
    titles: Vec<(String, String)>,
    abbreviations: Vec<(String, String)>,
    units: Vec<(String, [String; 2])>,
    currency: Vec<(String, [String; 2])>,
    signs: BTreeMap<char, String>,
    chapters: Vec<(String, ())>,
    monarchs: Vec<(String, ())>,
}

#[derive(Deserialize)]
struct Tables {
    titles: BTreeMap<String, String>,
    abbreviations: BTreeMap<String, String>,
    units: BTreeMap<String, [String; 2]>,
    currency: BTreeMap<String, [String; 2]>,
    symbols: BTreeMap<char, String>,
    roman_cardinal: Vec<String>,
    roman_ordinal: Vec<String>,
}

impl Expander {
    /// Reads the tables.
    pub(super) fn load(json: &[u8]) -> Result<Self, BadVoice> {
        let read = serde_json::from_slice(json);
        let tables: Tables = read.map_err(|error| bad("normalizer", error))?;
        let names = |names: Vec<String>| longest_first(names.into_iter().map(|name| (name, ())));
        Ok(Self {
            titles: longest_first(tables.titles),
            abbreviations: longest_first(tables.abbreviations),
            units: longest_first(tables.units),
            currency: longest_first(tables.currency),
            signs: tables.symbols,
            chapters: names(tables.roman_cardinal),
            monarchs: names(tables.roman_ordinal),
        })
    }

    /// Writes a text out, on one line and with single spaces.
    pub(super) fn expand(&self, text: &str) -> String {
        let straight = |c: char| match c {
            _ if c.is_whitespace() || c.is_control() => ' ',
            '’' => '\'',
            '‒' => '-',
            '―' => '—',
            _ => c,
        };
        let composed = ComposingNormalizer::new_nfc().normalize(text);
        let mut text = single_spaced(&composed.chars().map(straight).collect::<String>());
        for rule in RULES {
            text = self.apply(rule, text);
        }
        single_spaced(&text)
    }

    fn apply(&self, rule: WritingRule, text: String) -> String {
        let (mut written, mut copied, mut at) = (String::new(), 0, 0);
        while let Some(c) = first(&text[at..]) {
            match rule(self, Here { text: &text, at }) {
                Some(Instead { length, words }) => {
                    written.push_str(&text[copied..at]);
                    written.push_str(&words);
                    at += length;
                    copied = at;
                }
                None => at += c.len_utf8(),
            }
        }
        if copied == 0 {
            return text;
        }
        written.push_str(&text[copied..]);
        written
    }

    /// Returns the names of a currency: of one and of several.
    fn money(&self, sign: &str) -> Option<&[String; 2]> {
        self.currency.iter().find(|(known, _)| known == sign).map(|(_, names)| names)
    }
}

fn longest_first<T>(words: impl IntoIterator<Item = (String, T)>) -> Vec<(String, T)> {
    let mut words: Vec<_> = words.into_iter().filter(|(word, _)| !word.is_empty()).collect();
    words.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
    words
}

/// Finds the word that `text` begins with and of which `fits` accepts what follows.
fn begins<'a, T>(
    words: &'a [(String, T)],
    text: &str,
    fits: impl Fn(&str) -> bool,
) -> Option<&'a (String, T)> {
    words.iter().find(|(word, _)| text.strip_prefix(word.as_str()).is_some_and(&fits))
}

/// Returns whether a word ends before `text`.
fn ends_word(text: &str) -> bool {
    !text.starts_with(is_wordy)
}

/// Returns how many bytes `text` begins with are a number: "1,234.5".
fn amount(text: &str) -> usize {
    let mut length = digits(text).len();
    if length == 0 {
        return 0;
    }
    while text[length..].strip_prefix(',').is_some_and(|group| digits(group).len() >= 3) {
        length += 4;
    }
    match text[length..].strip_prefix('.').map_or(0, |decimals| digits(decimals).len()) {
        0 => length,
        decimals => length + 1 + decimals,
    }
}

/// Returns the form of a noun for that many.
fn counted<'a>(count: &str, forms: &'a [String; 2]) -> &'a str {
    let one = matches!(&*count.replace(',', ""), "1" | "1.0" | "-1");
    &forms[usize::from(!one)]
}

/// Removes spaces before marks, at the ends, and all but one elsewhere.
fn single_spaced(text: &str) -> String {
    let mut spaced = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        let joined = word.starts_with([',', '.', ';', ':', '!', '?']);
        spaced.push_str(if spaced.is_empty() || joined { "" } else { " " });
        spaced.push_str(word);
    }
    spaced
}

/// Skips one space.
fn after_space(text: &str) -> &str {
    text.strip_prefix(' ').unwrap_or(text)
}

/// Returns how many bytes `rest` is shorter than `text`, whose end it is.
fn length_before(text: &str, rest: &str) -> usize {
    text.len() - rest.len()
}
