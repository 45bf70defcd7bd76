//! Hums one tone per word instead of speaking: for tests, demos and measurements.
//!
//! Replaces a voice. Its sound depends on the text alone, so lengths are predictable; it is paced
//! from the instant of the request, so that a slow reader does not make it slower.

use std::f32::consts::TAU;
use std::sync::{Arc, Once};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::{self, BoxStream, StreamExt};
use serde::Deserialize;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{Sentence, Sound, Speaker, Synthesizer, TtsDeps, TtsError, TtsSettings};
use crate::audio::{Pcm, SampleRate};
use crate::engine::{Check, EngineSettings, Wrong};

/// The rate of its sound, the one remote voices use.
const RATE: SampleRate = SampleRate(24_000);

/// Samples per word: a third of a second, so 30 words are 10 s. About the pace of speech.
const WORD_SAMPLES: usize = 8_000;

/// The silent end of each word, in samples: 50 ms.
const GAP_SAMPLES: usize = 1_200;

/// Samples per chunk: 100 ms.
const CHUNK_SAMPLES: usize = 2_400;

/// Describes the pace of what is hummed.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct Settings {
    pub first_audio_ms: u64,
    pub rtf: f64,
}

impl EngineSettings for Settings {}

#[async_trait]
impl TtsSettings for Settings {
    fn build(&self, _: &TtsDeps<'_>) -> Result<Arc<dyn Synthesizer>, Wrong> {
        Ok(Arc::new(ScriptedSynthesizer::new(self.first_audio_ms, self.rtf)))
    }

    async fn examine(&self, speakers: &[Speaker], _: &TtsDeps<'_>, check: &mut Check) {
        for speaker in speakers {
            check.skipped(format!("agent {}: scripted, for tests", speaker.user.agent));
        }
    }
}

/// Hums instead of speaking, and warns once that it does.
#[derive(Debug)]
pub struct ScriptedSynthesizer {
    first_audio: Duration,
    rtf: f64,
    warned: Once,
}

impl ScriptedSynthesizer {
    /// Makes a synthesizer whose first chunk comes after `first_audio_ms` and the others at `rtf`
    /// (time to make over time to play); 0, or an invalid factor, means at once. A word lasts 1/3
    /// s.
    #[must_use]
    pub fn new(first_audio_ms: u64, rtf: f64) -> Self {
        // Longer than any turn; keeps the sum of instant and pause from overflowing.
        let first_audio = Duration::from_millis(first_audio_ms).min(Duration::from_hours(1));
        let rtf = if rtf.is_finite() { rtf.clamp(0.0, 100.0) } else { 0.0 };
        Self { first_audio, rtf, warned: Once::new() }
    }
}

#[async_trait]
impl Synthesizer for ScriptedSynthesizer {
    fn name(&self) -> &'static str {
        "scripted"
    }

    async fn speak(
        &self,
        sentence: Sentence,
        cancel: &CancellationToken,
    ) -> BoxStream<'static, Result<Sound, TtsError>> {
        self.warned.call_once(|| warn!("the scripted synthesizer hums instead of speaking"));
        let pitches: Vec<f32> = sentence.text.split_whitespace().map(pitch_hz).collect();
        let chunks = (pitches.len() * WORD_SAMPLES).div_ceil(CHUNK_SAMPLES);
        let per_chunk = Duration::from_secs_f64(self.rtf * RATE.ms(CHUNK_SAMPLES) / 1000.0);
        let paced = self.first_audio + per_chunk > Duration::ZERO;
        let first = Instant::now() + self.first_audio;
        let cancel = cancel.clone();
        stream::unfold((0..chunks, first), move |(mut left, due)| {
            let cancel = cancel.clone();
            let chunk = left.next().map(|index| hum(&pitches, index));
            async move {
                let samples = chunk?;
                let wait = async {
                    if paced {
                        sleep_until(due).await;
                    }
                };
                tokio::select! {
                    biased;
                    () = cancel.cancelled() => Some((Err(TtsError::Cancelled), (0..0, due))),
                    () = wait => {
                        let hummed = Sound::Pcm(Pcm { samples, rate: RATE });
                        Some((Ok(hummed), (left, due + per_chunk)))
                    }
                }
            }
        })
        .boxed()
    }
}

/// Returns the pitch of a word, 140 to 299 Hz by its letters.
fn pitch_hz(word: &str) -> f32 {
    let sum = word.bytes().fold(0_u16, |sum, byte| (sum * 31 + u16::from(byte)) % 160);
    140.0 + f32::from(sum)
}

/// Makes chunk `index` of the words with these pitches; the last one may be shorter.
fn hum(pitches: &[f32], index: usize) -> Vec<f32> {
    let end = ((index + 1) * CHUNK_SAMPLES).min(pitches.len() * WORD_SAMPLES);
    let mut samples = Vec::with_capacity(CHUNK_SAMPLES);
    let mut at = index * CHUNK_SAMPLES;
    while at < end {
        let (word, from) = (at / WORD_SAMPLES, at % WORD_SAMPLES);
        let count = (WORD_SAMPLES - from).min(end - at);
        hum_word(pitches[word], from, count, &mut samples);
        at += count;
    }
    samples
}

/// Makes `count` samples of a word from sample `from` on: a sine under one raised-cosine arch, then
/// the gap. Both turn step by step, which takes a tenth of the time of computing each.
#[expect(clippy::cast_precision_loss, reason = "positions in a word are below 2^24")]
fn hum_word(pitch_hz: f32, from: usize, count: usize, samples: &mut Vec<f32>) {
    let voiced = WORD_SAMPLES - GAP_SAMPLES;
    let sounding = voiced.saturating_sub(from).min(count);
    let mut tone = Turning::new(TAU * pitch_hz / 24_000.0, from as f32);
    let mut arch = Turning::new(TAU / voiced as f32, from as f32);
    samples.extend((0..sounding).map(|_| 0.3 * (0.5 - 0.5 * arch.next().0) * tone.next().1));
    samples.extend(std::iter::repeat_n(0.0, count - sounding));
}

/// A point that turns on a circle.
struct Turning {
    at: (f32, f32),
    step: (f32, f32),
}

impl Turning {
    /// Starts after `steps` of `angle`.
    fn new(angle: f32, steps: f32) -> Self {
        let point = |angle: f32| (angle.cos(), angle.sin());
        Self { at: point((angle * steps) % TAU), step: point(angle) }
    }

    /// Returns cosine and sine, and turns on.
    fn next(&mut self) -> (f32, f32) {
        let ((x, y), (cos, sin)) = (self.at, self.step);
        self.at = (x * cos - y * sin, x * sin + y * cos);
        (x, y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(text: &str) -> Sentence {
        Sentence { text: text.to_owned(), language: "en".into(), voice: None }
    }

    fn pcm(sound: Sound) -> Pcm {
        match sound {
            Sound::Pcm(pcm) => pcm,
            Sound::Opus(_) => panic!("it hums samples"),
        }
    }

    #[tokio::test]
    async fn thirty_words_are_ten_seconds() {
        let synthesizer = ScriptedSynthesizer::new(0, 0.0);
        let text = "word ".repeat(30);
        let chunks = synthesizer.speak(sentence(&text), &CancellationToken::new()).await;
        let chunks: Vec<Pcm> = chunks.map(|chunk| pcm(chunk.unwrap())).collect().await;
        assert_eq!(chunks.iter().map(|c| c.samples.len()).sum::<usize>(), 240_000);
        assert!(chunks.iter().all(|c| c.rate == RATE && c.samples.len() <= CHUNK_SAMPLES));
        let peak =
            chunks.iter().flat_map(|c| &c.samples).fold(0.0_f32, |peak, s| peak.max(s.abs()));
        assert!((0.2..0.31).contains(&peak), "{peak}");
    }

    #[tokio::test(start_paused = true)]
    async fn chunks_come_at_their_pace() {
        let synthesizer = ScriptedSynthesizer::new(80, 0.1);
        let start = Instant::now();
        let mut chunks = synthesizer.speak(sentence("word"), &CancellationToken::new()).await;
        let mut at = Vec::new();
        while let Some(chunk) = chunks.next().await {
            chunk.unwrap();
            at.push(start.elapsed().as_millis());
        }
        assert_eq!(at, [80, 90, 100, 110]);
    }

    #[tokio::test(start_paused = true)]
    async fn cancellation_ends_it() {
        let cancel = CancellationToken::new();
        let mut chunks = ScriptedSynthesizer::new(80, 1.0).speak(sentence("a b"), &cancel).await;
        assert!(chunks.next().await.unwrap().is_ok());
        cancel.cancel();
        assert!(matches!(chunks.next().await, Some(Err(TtsError::Cancelled))));
        assert!(chunks.next().await.is_none());
    }

    #[tokio::test]
    async fn nothing_to_say_is_an_empty_stream() {
        let synthesizer = ScriptedSynthesizer::new(0, 0.0);
        assert!(
            synthesizer
                .speak(sentence("  "), &CancellationToken::new())
                .await
                .next()
                .await
                .is_none()
        );
    }
}
