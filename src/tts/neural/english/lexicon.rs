//! Looks words up: in a lexicon that people checked, then in one that nobody did.

use std::collections::HashMap;

use serde_json::value::RawValue;

use super::files::{bad, entries, unpack};
use super::hashed::{Hashed, number};
use super::tagger::Tag;
use crate::tts::neural::graph::BadVoice;

/// Holds the words of one file, by small and capital letters.
pub(super) struct Lexicon {
    /// All sounds, one after the other.
    sounds: String,
    /// Where in `sounds` a word's begin, and how many bytes they are.
    words: Hashed<(u32, u8)>,
    homographs: HashMap<Box<str>, Homograph>,
}

/// Holds the sounds of a word that is spoken in several ways: "record".
#[derive(Debug)]
pub(super) struct Homograph {
    usual: String,
    /// `None` where the word is spelled: "the ABS".
    others: Vec<(String, Option<String>)>,
}

/// Holds how a word sounds.
#[derive(Clone, Copy)]
pub(super) enum WordSounds<'a> {
    Always(&'a str),
    ByTag(&'a Homograph),
}

impl Lexicon {
    /// Reads a compressed file: `{"word": "sounds", "record": {"DEFAULT": .., "VERB": ..}}`.
    pub(super) fn load(file: &'static str, packed: &[u8]) -> Result<Self, BadVoice> {
        let json = unpack(file, packed)?;
        let mut sounds = String::with_capacity(json.len() / 2);
        let mut words = Vec::new();
        let mut homographs = HashMap::new();
        let read = entries(&json, |word, value: &RawValue| {
            let Ok(sound) = serde_json::from_str::<&str>(value.get()) else {
                homographs.insert(word.into(), Homograph::read(value.get())?);
                return Ok(());
            };
            let start = u32::try_from(sounds.len()).map_err(|_| "it is too large")?;
            let length = u8::try_from(sound.len()).map_err(|_| "a word is too long")?;
            sounds.push_str(sound);
            words.push((number(&[word]), (start, length)));
            Ok(())
        });
        read.map_err(|error| bad(file, error))?;
        sounds.shrink_to_fit();
        let words = Hashed::new(words).ok_or_else(|| bad(file, "two words are one"))?;
        Ok(Self { sounds, words, homographs })
    }

    /// Looks a word up. A word that has only the other form of "polish" and "Polish" gets that.
    pub(super) fn get(&self, word: &str) -> Option<WordSounds<'_>> {
        self.exactly(word).or_else(|| self.exactly(&twin(word)?))
    }

    fn exactly(&self, word: &str) -> Option<WordSounds<'_>> {
        if let Some((start, length)) = self.words.get(number(&[word])) {
            let start = start as usize;
            return Some(WordSounds::Always(&self.sounds[start..start + usize::from(length)]));
        }
        self.homographs.get(word).map(WordSounds::ByTag)
    }

    /// Returns whether the word is here.
    pub(super) fn has(&self, word: &str) -> bool {
        self.get(word).is_some()
    }

    /// Returns the sound of a word that is no homograph, or the usual one.
    pub(super) fn usual(&self, word: &str) -> Option<&str> {
        match self.get(word)? {
            WordSounds::Always(sound) => Some(sound),
            WordSounds::ByTag(homograph) => Some(&homograph.usual),
        }
    }
}

impl Homograph {
    fn read(json: &str) -> Result<Self, String> {
        let (mut usual, mut others) = (None, Vec::new());
        let read = entries(json.as_bytes(), |tag, sound: Option<String>| {
            match tag {
                "DEFAULT" => usual = sound,
                _ => others.push((tag.to_owned(), sound)),
            }
            Ok(())
        });
        read.map_err(|error| error.to_string())?;
        Ok(Self { usual: usual.ok_or("a word has no usual sound")?, others })
    }

    /// Returns the sound of a word of this kind; before a pause some have a full form. `None` if it
    /// is spelled.
    pub(super) fn sound(&self, tag: Tag, before_pause: bool) -> Option<&str> {
        let named = |name| self.others.iter().find(|(tag, _)| tag == name);
        let full = before_pause.then(|| named("None")).flatten();
        match full.or_else(|| named(tag.0)).or_else(|| named(tag.family())) {
            Some((_, sound)) => sound.as_deref(),
            None => Some(&self.usual),
        }
    }
}

/// Returns the word with a capital, or without, if it is written the other way.
fn twin(word: &str) -> Option<String> {
    let first = *word.as_bytes().first()?;
    let rest_is_small = !word.bytes().skip(1).any(|b| b.is_ascii_uppercase());
    if !word.is_ascii() || word.len() < 2 || !first.is_ascii_alphabetic() || !rest_is_small {
        return None;
    }
    let changed = if first.is_ascii_uppercase() {
        first.to_ascii_lowercase()
    } else {
        first.to_ascii_uppercase()
    };
    Some(format!("{}{}", char::from(changed), &word[1..]))
}

/// Packs a file as the published ones are.
#[cfg(test)]
pub(super) fn packed(json: &str) -> Vec<u8> {
    use std::io::Write as _;

    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(json.as_bytes()).unwrap();
    packer.finish().unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_twins_and_homographs_tags() {
        let json = r#"{"Polish": "A", "polish": "B", "house": "C",
            "be": {"DEFAULT": "D", "None": "E", "NOUN": null, "VERB": "F"}}"#;
        let lexicon = Lexicon::load("lexicon", &packed(json)).unwrap();
        for (word, expected) in [("Polish", "A"), ("polish", "B"), ("House", "C"), ("Be", "D")] {
            assert_eq!(lexicon.usual(word), Some(expected));
        }
        assert!(!lexicon.has("HOUSE") && !lexicon.has("h") && !lexicon.has("Ωmega"));
        let Some(WordSounds::ByTag(be)) = lexicon.get("be") else { panic!("it has tags") };
        assert_eq!(be.sound(Tag("VBD"), false), Some("F"));
        assert_eq!(be.sound(Tag("VBD"), true), Some("E"));
        assert_eq!(be.sound(Tag("NN"), false), None);
        assert_eq!(be.sound(Tag("CC"), false), Some("D"));
    }

    #[test]
    fn damaged_lexicons_are_refused() {
        for json in ["[]", "{", r#"{"a": {"VERB": "b"}}"#, r#"{"a": 1}"#, r#"{"a":"b","a":"c"}"#] {
            assert!(Lexicon::load("lexicon", &packed(json)).is_err(), "{json}");
        }
        assert!(Lexicon::load("lexicon", b"{}").is_err());
    }
}
