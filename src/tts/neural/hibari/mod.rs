//! Speaks English as hibari does: a small network describes the sound, and a vocoder makes it.
//!
//! `hibari-tts` 0.2.1 on `PyPI` (Apache-2.0) has the files; text becomes phonemes in `english`.

mod network;
mod vocoder;

use std::collections::HashMap;
use std::sync::Arc;

use rten::Model;

use self::network::Network;
pub(super) use self::vocoder::Sounding;
use self::vocoder::{RATE, Vocoder};
use super::english::English;
use super::graph::BadVoice;
use crate::audio::SampleRate;

/// Symbols that the network hears at once, some 9 s; what has more is cut. Each takes 170 kB.
const AT_ONCE: usize = 140;

/// The symbol before and after each piece.
const EDGE: i32 = 0;

/// Always the same noise, so that the same sentence is the same sound.
const SEED: u64 = 1;

/// Speaks with one voice.
pub(super) struct HibariVoice {
    network: Network,
    vocoder: Vocoder,
    english: Arc<English>,
    symbols: HashMap<char, i32>,
}

impl HibariVoice {
    /// Makes the voice of a graph, and of the table that numbers phonemes for every such voice.
    ///
    /// # Errors
    /// A graph or a table of something else.
    pub(super) fn new(
        model: Model,
        symbols: &[u8],
        english: Arc<English>,
    ) -> Result<Self, BadVoice> {
        let symbols: HashMap<char, i32> =
            serde_json::from_slice(symbols).map_err(|error| BadVoice::file("vocab.json", error))?;
        Ok(Self { network: Network::new(model)?, vocoder: Vocoder::new(), english, symbols })
    }

    /// Returns whether a graph is that of such a voice.
    pub(super) fn fits(model: &Model) -> bool {
        network::has_its_nodes(model)
    }

    /// Samples a second.
    pub(super) fn rate() -> SampleRate {
        SampleRate(RATE.into())
    }

    /// Returns the symbols of a sentence, in pieces that are sounded one after the other; none of a
    /// text that cannot be said.
    pub(super) fn read(&self, text: &str) -> Vec<Vec<i32>> {
        pieces(&self.english.phonemes(text))
            .map(|piece| piece.chars().filter_map(|c| self.symbols.get(&c).copied()).collect())
            .filter(|symbols: &Vec<i32>| !symbols.is_empty())
            .map(|symbols| [vec![EDGE], symbols, vec![EDGE]].concat())
            .collect()
    }

    /// Starts to sound a piece, `speed` times as fast as the voice speaks by itself.
    ///
    /// # Errors
    /// The graph is not a voice's.
    pub(super) fn sound(&self, symbols: &[i32], speed: f32) -> Result<Sounding, BadVoice> {
        Ok(self.vocoder.sound(self.network.run(symbols, speed)?, SEED))
    }
}

/// Cuts phonemes that are too many to be sounded at once: after punctuation within a sentence, else
/// between words, else anywhere.
fn pieces(phonemes: &str) -> impl Iterator<Item = &str> {
    let mut rest = phonemes.trim();
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = rest.char_indices().nth(AT_ONCE).map_or(rest.len(), |(end, _)| end);
        let end = if end == rest.len() { end } else { cut(&rest[..end]) };
        let (piece, after) = rest.split_at(end);
        rest = after.trim_start();
        Some(piece.trim_end())
    })
}

/// Returns where phonemes are best cut.
fn cut(phonemes: &str) -> usize {
    let clause = phonemes
        .rmatch_indices([',', ';', ':', '—'])
        .find(|(at, mark)| phonemes[at + mark.len()..].starts_with(' '));
    let word = || phonemes.rfind(' ').filter(|at| *at > 0);
    clause.map(|(at, mark)| at + mark.len()).or_else(word).unwrap_or(phonemes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_phonemes_are_cut_at_clauses_words_or_anywhere() {
        let word = "a".repeat(45);
        let cut = |text: &str| pieces(text).map(|piece| piece.chars().count()).collect::<Vec<_>>();
        assert_eq!(cut(&format!("{word}, {word} {word} {word}.")), [46, 138]);
        assert_eq!(cut(&format!("{word} {word} {word} {word}")), [137, 45]);
        assert_eq!(cut(&"ˈ".repeat(400)), [140, 140, 120]);
        assert_eq!(cut("  "), [0; 0]);
        assert_eq!(pieces("hˈI ðˈɛɹ.").collect::<Vec<_>>(), ["hˈI ðˈɛɹ."]);
    }
}
