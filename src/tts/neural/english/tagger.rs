//! Tells what kind of word each is, for those that sound differently: "they live", "a live show".
//!
//! An averaged perceptron: each thing that is known of a word and its neighbours weighs for some kinds
//! and against others; words that are nearly always of one kind are looked up. The weights are the
//! published tagger's, as are the names of what is known.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::files::{bad, entries, unpack};
use super::hashed::{Hashed, number};
use super::letters::{is_digits, last_of};
use crate::tts::neural::graph::BadVoice;

const FILE: &str = "tagger";

/// Lists the kinds of words, of the Penn Treebank, in order.
const TAGS: [&str; 50] = [
    "$", "''", ",", "-LRB-", "-RRB-", ".", ":", "ADD", "AFX", "CC", "CD", "DT", "EX", "FW", "HYPH",
    "IN", "JJ", "JJR", "JJS", "LS", "MD", "NFP", "NN", "NNP", "NNPS", "NNS", "PDT", "POS", "PRP",
    "PRP$", "RB", "RBR", "RBS", "RP", "SYM", "TO", "UH", "VB", "VBD", "VBG", "VBN", "VBP", "VBZ",
    "WDT", "WP", "WP$", "WRB", "XX", "_SP", "``",
];

/// Stands for the words and kinds before the first word, and for the words behind the last.
const BEFORE: [&str; 2] = ["-START2-", "-START-"];
const BEHIND: [&str; 2] = ["-END-", "-END2-"];

/// Names the kind of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag(pub(super) &'static str);

impl Tag {
    /// Is the kind of a word that nobody looked at.
    pub(super) const NONE: Self = Self("");

    pub(super) fn is_noun(self) -> bool {
        self.0.starts_with("NN")
    }

    /// Returns the lexicons' name for all kinds of verbs, nouns, adverbs or adjectives.
    pub(super) fn family(self) -> &'static str {
        match self.0 {
            tag if tag.starts_with("VB") => "VERB",
            tag if tag.starts_with("NN") => "NOUN",
            tag if tag.starts_with("RB") => "ADV",
            tag if tag.starts_with("JJ") => "ADJ",
            tag => tag,
        }
    }
}

/// Holds what the published tagger learned.
pub(super) struct Tagger {
    /// Words that are nearly always of one kind.
    sure: Hashed<u8>,
    /// Words that are features themselves; of others only the shape is.
    frequent: Hashed<()>,
    /// Where in `weights` those of a feature begin, and how many they are.
    features: Hashed<(u32, u8)>,
    weights: Vec<Weight>,
}

/// Weighs for a kind, or against it.
#[derive(Clone, Copy)]
struct Weight {
    tag: u8,
    tenths: i16,
}

/// Is the published file.
#[derive(Deserialize)]
struct Published<'a> {
    #[serde(borrow)]
    tagdict: &'a RawValue,
    #[serde(borrow)]
    vocab: Vec<Cow<'a, str>>,
    #[serde(borrow)]
    weights: &'a RawValue,
}

impl Tagger {
    /// Reads the compressed file.
    pub(super) fn load(packed: &[u8]) -> Result<Self, BadVoice> {
        Self::read(&unpack(FILE, packed)?).map_err(|why| bad(FILE, why))
    }

    fn read(json: &[u8]) -> Result<Self, String> {
        let invalid = |error: serde_json::Error| error.to_string();
        let published: Published = serde_json::from_slice(json).map_err(invalid)?;
        let mut sure = Vec::new();
        let read = entries(published.tagdict.get().as_bytes(), |word, tag: Cow<str>| {
            sure.push((number(&[word]), index(&tag)?));
            Ok(())
        });
        read.map_err(invalid)?;
        let (mut features, mut weights) = (Vec::new(), Vec::new());
        let read = entries(published.weights.get().as_bytes(), |feature, tags: &RawValue| {
            let start = weights.len();
            let read = entries(tags.get().as_bytes(), |tag, weight: f32| {
                weights.push(Weight { tag: index(tag)?, tenths: tenths(weight)? });
                Ok(())
            });
            read.map_err(invalid)?;
            let count = u8::try_from(weights.len() - start).map_err(|_| "a kind comes twice")?;
            let start = u32::try_from(start).map_err(|_| "it is too large")?;
            features.push((number(&[feature]), (start, count)));
            Ok(())
        });
        read.map_err(invalid)?;
        weights.shrink_to_fit();
        let frequent = published.vocab.iter().map(|word| (number(&[word]), ())).collect();
        let twice = "an entry comes twice";
        Ok(Self {
            sure: Hashed::new(sure).ok_or(twice)?,
            frequent: Hashed::new(frequent).ok_or(twice)?,
            features: Hashed::new(features).ok_or(twice)?,
            weights,
        })
    }

    /// Returns the kind of each word of a sentence. No word is empty.
    pub(super) fn tags(&self, words: &[&str]) -> Vec<Tag> {
        let known = words.iter().map(|word| self.known_as(word));
        let known: Vec<Cow<str>> =
            BEFORE.map(Cow::from).into_iter().chain(known).chain(BEHIND.map(Cow::from)).collect();
        let [mut before_last, mut last] = BEFORE;
        let mut tags = Vec::with_capacity(words.len());
        for (at, word) in words.iter().enumerate() {
            let tag = match self.sure.get(number(&[word])) {
                Some(tag) => TAGS[usize::from(tag)],
                None => self.likeliest(word, at, &known[at..], last, before_last),
            };
            tags.push(Tag(tag));
            (before_last, last) = (last, tag);
        }
        tags
    }

    /// Returns the kind that most speaks for. `near` holds the two words before `word`, itself and
    /// the two behind.
    fn likeliest(
        &self,
        word: &str,
        at: usize,
        near: &[Cow<str>],
        last: &str,
        before_last: &str,
    ) -> &'static str {
        let shape = shape(word);
        let initial = &word[..word.chars().next().map_or(0, char::len_utf8)];
        let known: [&[&str]; 15] = [
            &["b"],
            &["s3=", last_of(word, 3)],
            &["p1=", initial],
            &["w=", &near[2]],
            &["sh=", &shape],
            if at == 0 { &["i0"] } else { &["i+"] },
            &["t-1=", last],
            &["t-2=", before_last],
            &["t-12=", last, ",", before_last],
            &["w-1=", &near[1]],
            &["s3-1=", last_of(&near[1], 3)],
            &["w-2=", &near[0]],
            &["w+1=", &near[3]],
            &["s3+1=", last_of(&near[3], 3)],
            &["w+2=", &near[4]],
        ];
        // Summed as when they were learned: of kinds that are as likely, rounding chooses the same.
        let mut scores = [0.0_f64; TAGS.len()];
        for (start, count) in known.iter().filter_map(|parts| self.features.get(number(parts))) {
            let start = start as usize;
            for weight in &self.weights[start..start + usize::from(count)] {
                scores[usize::from(weight.tag)] += f64::from(weight.tenths) / 10.0;
            }
        }
        // The last of equals, too.
        let best = TAGS.into_iter().zip(scores).max_by(|(_, a), (_, b)| a.total_cmp(b));
        best.map_or("NN", |(tag, _)| tag)
    }

    /// Returns what its neighbours know of a word.
    fn known_as<'a>(&self, word: &'a str) -> Cow<'a, str> {
        let known: Cow<str> = match word {
            _ if word.contains('-') && !word.starts_with('-') => "!HYPHEN".into(),
            _ if is_digits(word) && word.len() == 4 => "!YEAR".into(),
            _ if word.starts_with(|c: char| c.is_ascii_digit()) => "!DIGITS".into(),
            _ => word.to_lowercase().into(),
        };
        match self.frequent.get(number(&[&known])) {
            Some(()) => known,
            None => format!("<{}>", shape(word)).into(),
        }
    }
}

/// Returns the place of a kind in [`TAGS`].
fn index(tag: &str) -> Result<u8, String> {
    let at = TAGS.binary_search(&tag).map_err(|_| format!("it has a tag {tag:?}"))?;
    u8::try_from(at).map_err(|_| "there are too many tags".to_owned())
}

/// Returns a weight in tenths, which all of them are.
fn tenths(weight: f32) -> Result<i16, String> {
    let tenths = (weight * 10.0).round();
    let fits = (f32::from(i16::MIN)..=f32::from(i16::MAX)).contains(&tenths);
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and in the range")]
    fits.then_some(tenths as i16).ok_or_else(|| format!("a weight is {weight}"))
}

/// Returns how a word looks: "x" for small letters, "Xx" for a name, "d" for digits.
fn shape(word: &str) -> Cow<'static, str> {
    let all = |is: fn(char) -> bool| word.chars().all(is);
    if all(char::is_alphabetic) {
        let one = word.chars().nth(1).is_none();
        let name = word.chars().next().is_some_and(char::is_uppercase);
        return match () {
            () if all(char::is_lowercase) => "x",
            () if all(char::is_uppercase) => {
                if one {
                    "X1"
                } else {
                    "XX"
                }
            }
            () if name && word.chars().skip(1).all(char::is_lowercase) => "Xx",
            () => "xX",
        }
        .into();
    }
    if is_digits(word) {
        return "d".into();
    }
    let of = |c: char| match c {
        _ if c.is_ascii_digit() => 'd',
        _ if c.is_alphabetic() => 'x',
        _ => c,
    };
    word.chars().take(4).map(of).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_told_apart() {
        let words = ["house", "House", "USA", "I", "iPhone", "2026", "3rd", "e-mail", "日本"];
        let shapes = ["x", "Xx", "XX", "X1", "xX", "d", "dxx", "x-xx", "xX"];
        assert_eq!(words.map(shape), shapes);
    }

    #[test]
    fn what_is_known_decides() {
        let json = r#"{"tags": [], "tagdict": {"the": "DT"}, "vocab": ["the", "live"], "weights": {
            "b": {"NN": 1.0}, "t-1=DT": {"JJ": 1.5, "NN": 0.2}, "w-1=<x>": {"VBP": 2.1}}}"#;
        let tagger = Tagger::read(json.as_bytes()).unwrap();
        let tags = |words: &[&str]| tagger.tags(words).iter().map(|tag| tag.0).collect::<Vec<_>>();
        assert_eq!(tags(&["the", "live", "show"]), ["DT", "JJ", "NN"]);
        assert_eq!(tags(&["they", "live"]), ["NN", "VBP"]);
        assert_eq!(tags(&[]), Vec::<&str>::new());
    }

    #[test]
    fn damaged_taggers_are_refused() {
        for weights in
            ["[]", r#"{"b": {"??": 1.0}}"#, r#"{"b": {"NN": 9e9}}"#, r#"{"b": {"NN": "1"}}"#]
        {
            let json = format!(r#"{{"tagdict": {{}}, "vocab": [], "weights": {weights}}}"#);
            assert!(Tagger::read(json.as_bytes()).is_err(), "{weights}");
        }
        assert!(Tagger::load(b"").is_err());
    }
}
