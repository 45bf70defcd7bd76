//! Reads what is written beside a Piper voice: its rate, its language and its numbers for phonemes.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use serde::Deserialize;

use super::super::graph::BadVoice;
use super::phonemes::Clause;
use crate::audio::SampleRate;
use crate::turn::LanguageCode;

/// Longest file that is read; those of voices have 5 to 20 kB.
const MOST_BYTES: u64 = 1_000_000;

/// Symbols that are sounded at once: some 20 s. Time and memory grow with them.
const AT_ONCE: usize = 600;

/// Describes a voice.
#[derive(Debug, Deserialize)]
pub(super) struct Card {
    audio: CardSound,
    espeak: Espeak,
    inference: Inference,
    #[serde(default = "phonemes_of_espeak")]
    phoneme_type: String,
    phoneme_id_map: HashMap<String, Vec<i32>>,
    language: Option<CardLanguage>,
}

#[derive(Debug, Deserialize)]
struct CardSound {
    sample_rate: u32,
}

#[derive(Debug, Deserialize)]
struct Espeak {
    voice: String,
}

#[derive(Debug, Deserialize)]
struct CardLanguage {
    code: String,
}

#[derive(Debug, Deserialize)]
struct Inference {
    noise_scale: f32,
    length_scale: f32,
    noise_w: f32,
}

fn phonemes_of_espeak() -> String {
    "espeak".to_owned()
}

impl Card {
    /// Reads and checks the file.
    ///
    /// # Errors
    /// A file that cannot be read, or says what no voice can.
    pub(super) fn read(file: &Path) -> Result<Self, BadVoice> {
        let name = file.display().to_string();
        let mut text = String::new();
        let read =
            File::open(file).and_then(|file| file.take(MOST_BYTES).read_to_string(&mut text));
        read.map_err(|error| BadVoice::file(&name, error))?;
        let card: Self =
            serde_json::from_str(&text).map_err(|error| BadVoice::file(&name, error))?;
        let problem = card.problem();
        problem.map_or(Ok(card), |problem| Err(BadVoice::file(name, problem)))
    }

    /// Says what cannot be right.
    fn problem(&self) -> Option<String> {
        let rate = self.audio.sample_rate;
        let Inference { noise_scale, length_scale, noise_w } = self.inference;
        let scales = [(noise_scale, 0.0), (length_scale, 0.1), (noise_w, 0.0)];
        if self.phoneme_type != "espeak" {
            return Some(format!("its phonemes are of \"{}\", not of espeak", self.phoneme_type));
        }
        if !(8_000..=48_000).contains(&rate) {
            return Some(format!("a sample_rate of {rate} is not from 8000 to 48000"));
        }
        if scales.iter().any(|(scale, least)| !(*least..=10.0).contains(scale)) {
            return Some("a scale of \"inference\" is out of its range".to_owned());
        }
        let missing =
            ["^", "$", "_"].into_iter().find(|mark| !self.phoneme_id_map.contains_key(*mark));
        missing.map(|mark| format!("phoneme_id_map has no \"{mark}\""))
    }

    pub(super) fn rate(&self) -> SampleRate {
        SampleRate(self.audio.sample_rate)
    }

    pub(super) fn espeak_voice(&self) -> &str {
        &self.espeak.voice
    }

    /// Returns the language with its region, such as `de-DE`.
    pub(super) fn language(&self) -> LanguageCode {
        let code = self.language.as_ref().map_or(&self.espeak.voice, |language| &language.code);
        LanguageCode::from(code.replace('_', "-").as_str())
    }

    /// Returns the graph's scales: of noise, of length and of the noise of lengths.
    pub(super) fn scales(&self, speed: f32) -> [f32; 3] {
        let Inference { noise_scale, length_scale, noise_w } = self.inference;
        [noise_scale, length_scale / speed, noise_w]
    }

    /// Returns the numbers of a sentence's phonemes, as few pieces as there may be. What the voice has
    /// no number for is left out.
    pub(super) fn pieces(&self, clauses: &[Clause]) -> Vec<Vec<i32>> {
        let numbers = |symbol: &str| self.phoneme_id_map.get(symbol).map_or(&[][..], Vec::as_slice);
        let (begin, end, between) = (numbers("^"), numbers("$"), numbers("_"));
        let mut pieces: Vec<Vec<i32>> = Vec::new();
        let mut buffer = [0; 4];
        for clause in clauses {
            let mut said = Vec::new();
            for symbol in clause.symbols() {
                let symbol = numbers(symbol.encode_utf8(&mut buffer));
                if !symbol.is_empty() {
                    said.extend([symbol, between].concat());
                }
            }
            for said in said.chunks(AT_ONCE) {
                match pieces.last_mut() {
                    Some(last) if last.len() + said.len() <= AT_ONCE => last.extend(said),
                    _ => pieces.push(said.to_vec()),
                }
            }
        }
        pieces.into_iter().map(|said| [begin, between, &said, end].concat()).collect()
    }
}
