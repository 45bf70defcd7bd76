//! Gives each sentence the same silence around it: none before, a short pause after.
//!
//! Sits between the engine's samples and the chunks we pass on. espeak-ng starts after 12 ms and
//! ends with 0 or 300 ms, by flag and punctuation, and neural voices as they please; joined
//! sentences would sound uneven.

use crate::audio::SampleRate;

/// Quieter than this is silence: -54 dB of full scale, far below the softest sound of speech.
const SILENCE: f32 = 0.002;

/// Silence kept before the first sound, so that its onset is not cut.
const BEFORE_MS: usize = 5;

/// Holds back silence until it is known whether sound follows.
#[derive(Debug)]
pub(super) struct Gap {
    after_ms: usize,
    held: Vec<f32>,
    started: bool,
}

impl Gap {
    /// Makes one whose pause lasts `after_ms`.
    pub(super) fn new(after_ms: usize) -> Self {
        Self { after_ms, held: Vec::new(), started: false }
    }

    /// Takes samples and appends to `out` what certainly belongs to the sentence.
    pub(super) fn push(&mut self, samples: &[f32], rate: SampleRate, out: &mut Vec<f32>) {
        let Some(last) = samples.iter().rposition(|s| s.abs() > SILENCE) else {
            self.held.extend_from_slice(samples);
            return;
        };
        let (sound, silence) = samples.split_at(last + 1);
        self.held.extend_from_slice(sound);
        let from = if self.started {
            0
        } else {
            let onset = self.held.iter().position(|s| s.abs() > SILENCE).unwrap_or(0);
            onset.saturating_sub(samples_in(rate, BEFORE_MS))
        };
        self.started = true;
        out.extend_from_slice(&self.held[from..]);
        self.held.clear();
        self.held.extend_from_slice(silence);
    }

    /// Ends the sentence with its pause; a sentence without sound stays empty.
    pub(super) fn finish(mut self, rate: SampleRate, out: &mut Vec<f32>) {
        if self.started {
            self.held.resize(samples_in(rate, self.after_ms), 0.0);
            out.append(&mut self.held);
        }
    }
}

/// Returns the samples in `ms` milliseconds.
fn samples_in(rate: SampleRate, ms: usize) -> usize {
    usize::try_from(rate.0).unwrap_or(usize::MAX).saturating_mul(ms) / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: SampleRate = SampleRate(1_000);

    fn trimmed(samples: &[f32], piece: usize) -> Vec<f32> {
        let (mut gap, mut out) = (Gap::new(200), Vec::new());
        for piece in samples.chunks(piece) {
            gap.push(piece, RATE, &mut out);
        }
        gap.finish(RATE, &mut out);
        out
    }

    #[test]
    fn silence_around_is_evened_and_inside_is_kept() {
        let mut samples = vec![0.0; 50];
        samples.extend([0.5, 0.0, 0.0, 0.5]);
        samples.resize(54 + 300, 0.001);
        for piece in [1, 7, 51, 1000] {
            let out = trimmed(&samples, piece);
            assert_eq!(out[..9], [0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 0.0, 0.0, 0.5]);
            assert_eq!(out.len(), 9 + 200);
        }
        assert_eq!(trimmed(&samples[50..54], 4).len(), 4 + 200);
    }

    #[test]
    fn silence_alone_is_nothing() {
        assert!(trimmed(&[0.0; 100], 10).is_empty());
    }
}
