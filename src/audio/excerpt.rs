//! Leaves parts of a sound out, and remembers where the rest was.

use std::ops::Range;

use crate::audio::{SampleRate, Speech};

/// Samples over which the edges of a cut are faded, so that it makes no click: 5 ms.
const FADE: usize = 80;

/// Holds the parts of a sound that are worth hearing, one after the other.
#[derive(Clone, Debug)]
pub struct Excerpt {
    speech: Speech,
    /// Where each part begins, in samples: here, and in the whole.
    parts: Vec<(usize, usize)>,
}

impl Excerpt {
    /// Takes all of a sound.
    #[must_use]
    pub fn whole(speech: &Speech) -> Self {
        Self { speech: speech.clone(), parts: vec![(0, 0)] }
    }

    /// Takes the parts of `whole` at `kept`, ranges of samples in order and apart.
    #[must_use]
    pub fn of(whole: &Speech, kept: &[Range<usize>]) -> Self {
        let mut samples = Vec::new();
        let mut parts = Vec::new();
        for range in kept {
            let part = whole.samples().get(range.clone()).unwrap_or_default();
            parts.push((samples.len(), range.start));
            samples.extend_from_slice(part);
        }
        for &(at, _) in parts.iter().skip(1) {
            fade(&mut samples, at);
        }
        Self { speech: Speech::new(samples), parts }
    }

    /// Returns the sound.
    #[must_use]
    pub fn speech(&self) -> &Speech {
        &self.speech
    }

    /// Returns when in the whole sound that was which is at `ms` here; at a cut, what follows it.
    /// Before the beginning and past the end it is the beginning and the end.
    #[must_use]
    pub fn ms_in_whole(&self, ms: f64) -> f64 {
        let ms = ms.clamp(0.0, self.speech.duration_ms());
        let of = |samples: usize| SampleRate::SPEECH.ms(samples);
        let part = self.parts.iter().rev().find(|(here, _)| of(*here) <= ms);
        part.map_or(ms, |(here, whole)| ms - of(*here) + of(*whole))
    }
}

/// Fades out what stands before `at` and fades in what follows.
fn fade(samples: &mut [f32], at: usize) {
    let (before, after) = samples.split_at_mut(at);
    let steps = before.iter_mut().rev().zip(after).take(FADE).enumerate();
    for (step, (before, after)) in steps {
        #[expect(clippy::cast_precision_loss, reason = "at most 80")]
        let gain = (step as f32 + 0.5) / FADE as f32;
        *before *= gain;
        *after *= gain;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speech() -> Speech {
        Speech::new(vec![1.0; 48_000])
    }

    #[track_caller]
    fn check(excerpt: &Excerpt, times: &[(f64, f64)]) {
        for (ms, expected) in times {
            let whole = excerpt.ms_in_whole(*ms);
            assert!((whole - expected).abs() < 1e-9, "{ms}: {whole}, not {expected}");
        }
    }

    #[test]
    fn times_in_an_excerpt_are_times_of_the_whole() {
        let excerpt = Excerpt::of(&speech(), &[1_600..16_000, 32_000..48_000]);
        assert_eq!(excerpt.speech().samples().len(), 30_400);
        check(&excerpt, &[(-1.0, 100.0), (0.0, 100.0), (500.0, 600.0), (899.0, 999.0)]);
        check(&excerpt, &[(900.0, 2_000.0), (901.0, 2_001.0), (1_900.0, 3_000.0), (9e9, 3_000.0)]);
    }

    #[test]
    fn a_whole_sound_and_an_empty_one_keep_their_times() {
        let whole = Excerpt::whole(&speech());
        check(&whole, &[(0.0, 0.0), (1_234.5, 1_234.5), (5_000.0, 3_000.0)]);
        let beyond = [50_000..60_000, 70_000..80_000];
        for nothing in [Excerpt::of(&speech(), &[]), Excerpt::of(&speech(), &beyond)] {
            assert!(nothing.speech().samples().is_empty() && nothing.ms_in_whole(70.0) >= 0.0);
        }
    }

    #[test]
    fn a_cut_is_faded_and_nothing_else_is() {
        let excerpt = Excerpt::of(&speech(), &[0..1_000, 2_000..3_000]);
        let samples = excerpt.speech().samples();
        assert!(samples[999] < 0.01 && samples[1_000] < 0.01);
        assert!(samples[..920].iter().chain(&samples[1_080..]).all(|sample| *sample > 0.99));
    }
}
