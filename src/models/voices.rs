//! Describes voices that can be pulled: `voices.toml`, which is part of the program.
//!
//! Beside the manifest, which is of models that hear. A voice is known by the name of its file; whether
//! a file is a voice is found out by the engine that speaks with it.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::manifest;
use super::sum::Sum;
use crate::turn::LanguageCode;

const CATALOGUE: &str = include_str!("voices.toml");

/// Ends the name of a voice's graph.
pub const GRAPH: &str = ".onnx";
/// Ends the name of what is written beside the graph of a Piper voice.
pub const CARD: &str = ".onnx.json";

/// Describes a voice of the catalogue.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListedVoice {
    /// Name in the configuration.
    pub name: String,
    /// Who it speaks like, which decides what it needs beside its graph.
    pub kind: VoiceKind,
    /// The language that it speaks.
    pub language: LanguageCode,
    /// SPDX expression.
    pub licence: String,
    /// What its licence asks whoever uses it to say; such a licence has to be accepted.
    pub credit: Option<String>,
    /// Samples a second of its sound.
    pub rate_hz: u32,
    /// Folder on Hugging Face that its files are in; `None` if it is not downloaded.
    pub from: Option<String>,
    /// Name of its graph there.
    pub file: String,
    /// Its graph, which is called `NAME.onnx` here.
    pub graph: VoiceFile,
    /// What is written beside it, called `NAME.onnx.json` here.
    pub card: Option<VoiceFile>,
}

/// Names the kinds of neural voices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum VoiceKind {
    /// A graph that speaks American English with what is built in.
    Hibari,
    /// A graph with a card, of any language; espeak-ng has to be installed.
    Piper,
}

/// Describes one file of a voice.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoiceFile {
    /// Its size.
    pub bytes: u64,
    /// What it is known by.
    pub sum: Sum,
}

/// Describes a voice that is not offered.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnlistedVoice {
    /// Its name elsewhere.
    pub name: String,
    /// Why.
    pub why: String,
    /// What is to be accepted by whoever wants it all the same.
    pub licence: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Catalogue {
    voice: Vec<ListedVoice>,
    unlisted: Vec<UnlistedVoice>,
}

fn catalogue() -> &'static Catalogue {
    static CATALOGUE_READ: LazyLock<Catalogue> =
        LazyLock::new(|| toml::from_str(CATALOGUE).expect("a test reads the catalogue"));
    &CATALOGUE_READ
}

impl ListedVoice {
    /// Returns its files: the name of each here and on the server, the graph last, since a graph without
    /// what belongs beside it is no voice.
    pub fn files(&self) -> impl Iterator<Item = (String, String, &VoiceFile)> {
        let card = self.card.as_ref();
        let card = card.map(|card| (CARD, format!("{}.json", self.file), card));
        let files = card.into_iter().chain([(GRAPH, self.file.clone(), &self.graph)]);
        files.map(|(ending, there, file)| (format!("{}{ending}", self.name), there, file))
    }
}

/// Returns every voice of the catalogue.
pub fn voices() -> &'static [ListedVoice] {
    &catalogue().voice
}

/// Returns the voices that people may look for and that are not offered.
pub fn unlisted() -> &'static [UnlistedVoice] {
    &catalogue().unlisted
}

/// Finds the voice called `name`: `kore` or `kore.onnx`.
pub fn named(name: &str) -> Option<&'static ListedVoice> {
    let name = name.strip_suffix(GRAPH).unwrap_or(name);
    voices().iter().find(|voice| voice.name == name)
}

/// Finds a voice that is not offered, by its name or the name of its file.
pub fn unlisted_named(name: &str) -> Option<&'static UnlistedVoice> {
    let name = name.strip_suffix(GRAPH).unwrap_or(name);
    unlisted().iter().find(|voice| voice.name == name)
}

/// Finds the voice that a file belongs to by its name here.
pub fn by_file(name: &str) -> Option<(&'static ListedVoice, &'static VoiceFile)> {
    let (voice, is_card) = match (name.strip_suffix(CARD), name.strip_suffix(GRAPH)) {
        (Some(voice), _) => (voice, true),
        (None, Some(voice)) => (voice, false),
        (None, None) => return None,
    };
    let voice = named(voice)?;
    let file = if is_card { voice.card.as_ref()? } else { &voice.graph };
    Some((voice, file))
}

/// Finds the voice whose name is most like `name`, if one is.
pub fn nearest(name: &str) -> Option<&'static ListedVoice> {
    let names: Vec<&str> = voices().iter().map(|voice| voice.name.as_str()).collect();
    named(manifest::closest(name, &names)?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_row_is_complete() {
        for voice in voices() {
            let piper = voice.kind == VoiceKind::Piper;
            assert_eq!(voice.card.is_some(), piper, "{voice:?}");
            assert!([16_000, 22_050, 24_000].contains(&voice.rate_hz), "{voice:?}");
            for (_, there, file) in voice.files() {
                assert!(file.bytes > 1_000 && !there.contains('/'), "{voice:?}");
                let (sum, bytes) = match &file.sum {
                    Sum::Sha256(sum) => (sum, 32),
                    Sum::Md5(sum) => (sum, 16),
                    other => panic!("{other}"),
                };
                assert!(hex::decode(sum).is_ok_and(|sum| sum.len() == bytes), "{voice:?}");
            }
            let Some(from) = &voice.from else { continue };
            let (_, revision) = from.split_once("/resolve/").expect("a revision");
            let pinned = hex::decode(revision.split('/').next().unwrap()).is_ok();
            let by_sha256 = matches!(voice.graph.sum, Sum::Sha256(_));
            assert!(pinned || by_sha256, "MD5 and no revision pin nothing: {voice:?}");
        }
    }

    #[test]
    fn only_licences_that_a_business_can_keep_are_listed() {
        for voice in voices() {
            let asks = match voice.licence.as_str() {
                "Apache-2.0" | "CC0-1.0" => false,
                "CC-BY-4.0" => true,
                other => panic!("{}: {other}", voice.name),
            };
            assert_eq!(voice.credit.is_some(), asks, "{}", voice.name);
        }
        assert!(unlisted().iter().all(|voice| named(&voice.name).is_none()));
    }

    #[test]
    fn no_two_voices_have_the_same_name_or_file() {
        let names: BTreeSet<&str> = voices().iter().map(|voice| voice.name.as_str()).collect();
        assert_eq!(names.len(), voices().len());
        let sums = voices().iter().map(|voice| voice.graph.sum.to_string());
        assert_eq!(sums.collect::<BTreeSet<_>>().len(), voices().len());
    }

    #[test]
    fn a_voice_is_found_by_its_files_and_a_slip_is_guessed() {
        let (kerstin, file) = by_file("de_DE-kerstin-low.onnx.json").unwrap();
        assert_eq!((kerstin.name.as_str(), file.bytes), ("de_DE-kerstin-low", 4158));
        assert_eq!(by_file("kore.onnx").unwrap().1.bytes, 7_936_868);
        assert!(by_file("kore.onnx.json").is_none() && by_file("mine.onnx").is_none());
        let near = |name: &str| nearest(name).map(|voice| voice.name.as_str());
        for (slip, meant) in [
            ("kerstin", "de_DE-kerstin-low"),
            ("de-thorsten", "de_DE-thorsten-low"),
            ("fr_FR-siwis-medium", "fr_FR-siwis-low"),
            ("Kore", "kore"),
            ("fenrirr", "fenrir"),
        ] {
            assert_eq!(near(slip), Some(meant), "{slip}");
        }
        assert_eq!((near("nova"), near("")), (None, None));
    }
}
