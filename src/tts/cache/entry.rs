//! One kept sentence: its key, and its file with a checksum before the sound.
//!
//! Invariant: what is read back is byte for byte what was written for the same key; everything else
//! is damage. Neither the name of a file nor its head tells what is said in it.

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use crate::audio::CodedSpeech;
use crate::registry::Voice;
use crate::tts::Sentence;

/// Begins every file; another form of file gets another number.
const MAGIC: &[u8; 8] = b"harkSND1";
const HASH_BYTES: usize = 32;
/// What stands before the sound: the magic, the key and the checksum of the sound.
const HEAD_BYTES: usize = MAGIC.len() + 2 * HASH_BYTES;

/// Ends the name of every file.
pub(super) const ENDING: &str = ".sound";

/// Names a sentence by all that its sound depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct SoundKey([u8; HASH_BYTES]);

impl SoundKey {
    /// Returns the name of its file.
    pub(super) fn file_name(self) -> String {
        hex::encode(self.0) + ENDING
    }
}

/// Returns whether a file of this name is one of ours.
pub(super) fn is_ours(name: &str) -> bool {
    let key = name.strip_suffix(ENDING);
    key.is_some_and(|key| key.len() == 2 * HASH_BYTES && key.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Makes the keys of one engine's sentences.
#[derive(Clone, Debug)]
pub(super) struct Keys(Sha256);

impl Keys {
    /// Begins with what all of them share: the program, the engine and its settings.
    pub(super) fn new(shared: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for field in shared {
            add(&mut hash, field);
        }
        Self(hash)
    }

    pub(super) fn of(&self, sentence: &Sentence) -> SoundKey {
        let (kind, voice) = match &sentence.voice {
            None => ("none", ""),
            Some(Voice::Any(name)) => ("any", name.as_str()),
            Some(Voice::Fixed(name)) => ("fixed", name.as_str()),
        };
        let mut hash = self.0.clone();
        for field in [&sentence.text, sentence.language.as_str(), kind, voice] {
            add(&mut hash, field);
        }
        SoundKey(hash.finalize().into())
    }
}

/// Adds a field with its length, so that no two lists of fields are the same bytes.
fn add(hash: &mut Sha256, field: &str) {
    hash.update((field.len() as u64).to_le_bytes());
    hash.update(field);
}

/// Makes the file of a sentence, whose `sound` is an Ogg/Opus file.
pub(super) fn pack(key: SoundKey, sound: &[u8]) -> Vec<u8> {
    [&MAGIC[..], &key.0, &Sha256::digest(sound), sound].concat()
}

/// Reads the sound back; `None` if the file is damaged, cut or another's.
pub(super) fn unpack(key: SoundKey, file: &Bytes) -> Option<CodedSpeech> {
    let (head, sound) = file.split_at_checked(HEAD_BYTES)?;
    let expected = [&MAGIC[..], &key.0, &Sha256::digest(sound)].concat();
    if head != expected {
        return None;
    }
    CodedSpeech::read(file.slice(HEAD_BYTES..)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(text: &str, language: &str, voice: Option<Voice>) -> Sentence {
        Sentence { text: text.into(), language: language.into(), voice }
    }

    #[test]
    fn whatever_changes_the_sound_changes_the_key() {
        let keys = Keys::new(&["1", "espeak", "{}"]);
        let usual = sentence("hello", "en", None);
        let voices = ["x", "y"].map(str::to_owned);
        let any = voices.clone().map(|name| sentence("hello", "en", Some(Voice::Any(name))));
        let fixed = voices.map(|name| sentence("hello", "en", Some(Voice::Fixed(name))));
        let others = [sentence("hello!", "en", None), sentence("hello", "en-GB", None)];
        let mut all: Vec<SoundKey> = [&usual]
            .into_iter()
            .chain(&any)
            .chain(&fixed)
            .chain(&others)
            .map(|sentence| keys.of(sentence))
            .collect();
        for shared in [
            ["2", "espeak", "{}"],
            ["1", "openai", "{}"],
            ["1", "espeak", "{1}"],
            ["1e", "speak", "{}"],
        ] {
            all.push(Keys::new(&shared).of(&usual));
        }
        assert_eq!(keys.of(&usual), Keys::new(&["1", "espeak", "{}"]).of(&usual));
        let distinct: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
    }

    #[test]
    fn a_name_is_ours_or_left_alone() {
        let name = Keys::new(&[]).of(&sentence("a", "en", None)).file_name();
        assert!(is_ours(&name), "{name}");
        for other in ["notes.sound", "a.ogg", &name[1..], &name.replace(ENDING, "")] {
            assert!(!is_ours(other), "{other}");
        }
    }
}
