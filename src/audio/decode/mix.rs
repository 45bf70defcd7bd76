//! The way of all decoded sound to 16 kHz mono: mixed down, resampled, and held to its limit.

use std::f32::consts::FRAC_1_SQRT_2;

use super::{DecodeError, sane};
use crate::audio::{Limits, Resampler, SampleRate, limits::MAX_CHANNELS};

/// In which order channels stand: that decides which of them is the centre, where speech is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Left, right, centre, low frequencies, surround: WAV, FLAC, and what symphonia hands out.
    Wave,
    /// Left, centre, right, surround, low frequencies: Opus (RFC 7845 section 5.1.1.2).
    Vorbis,
}

/// How loud each channel is in the mix. One or two count alike; more are weighed as ITU-R BS.775
/// has it for mono. Channels that differ keep their level; should all be at their loudest at once,
/// the sum is held to 1.
fn gains(channels: usize, order: Order) -> [f32; MAX_CHANNELS] {
    let mut gains = [0.5; MAX_CHANNELS];
    if channels < 3 {
        gains.fill(if channels == 2 { 0.5 } else { 1.0 });
        return gains;
    }
    let ([left, right, centre], low) = match order {
        Order::Vorbis if channels != 4 => ([0, 2, 1], channels - 1),
        _ => ([0, 1, 2], 3),
    };
    (gains[left], gains[right]) = (FRAC_1_SQRT_2, FRAC_1_SQRT_2);
    // Four are left and right, before and behind.
    gains[centre] = if channels == 4 { 0.5 } else { 1.0 };
    if channels > 5 {
        gains[low] = 0.0;
    }
    let power = gains.iter().take(channels).map(|gain| gain * gain).sum::<f32>().sqrt();
    gains.map(|gain| gain / power)
}

/// Mixes interleaved channels down; a frame that is cut off is left out.
pub(super) fn down(
    interleaved: &[f32],
    channels: usize,
    order: Order,
) -> impl Iterator<Item = f32> {
    let gains = gains(channels, order);
    // Before the mix, or one infinite sample would spoil a whole block.
    let mono = move |frame: &[f32]| {
        sane(frame.iter().zip(gains).map(|(&sample, gain)| sane(sample) * gain).sum())
    };
    interleaved.chunks_exact(channels.max(1)).map(mono)
}

/// The nearest rate that shares a divisor with 16 kHz. A rate such as 44 101 Hz would take the
/// resampler a block of a whole second; off by 0.3 % at most, it takes it 10 ms.
fn usual(rate: SampleRate) -> SampleRate {
    SampleRate((rate.0 + 12) / 25 * 25)
}

/// Mixes down and resamples, and holds the duration limit.
pub(super) struct Mix {
    limits: Limits,
    /// Frames still to drop at the beginning: what an encoder put before the sound.
    pub(super) skip: usize,
    resampler: Option<(SampleRate, Resampler)>,
    mono: Vec<f32>,
    speech: Vec<f32>,
    /// Samples that [`Self::take`] has handed out.
    taken: usize,
}

impl Mix {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, skip: 0, resampler: None, mono: Vec::new(), speech: Vec::new(), taken: 0 }
    }

    /// No sound came yet.
    pub(super) fn is_empty(&self) -> bool {
        self.resampler.is_none() && self.speech.is_empty() && self.taken == 0
    }

    /// Takes interleaved samples. The rate may change from call to call.
    ///
    /// # Errors
    /// `TooLong` once there are more samples than the limit.
    pub(super) fn push(
        &mut self,
        interleaved: &[f32],
        channels: usize,
        rate: SampleRate,
    ) -> Result<(), DecodeError> {
        let skipped = self.skip.min(interleaved.len() / channels.max(1));
        self.skip -= skipped;
        let interleaved = &interleaved[skipped * channels..];
        if channels == 0 || interleaved.is_empty() {
            return Ok(());
        }
        let rate = usual(rate);
        if self.resampler.as_ref().is_none_or(|(old, _)| *old != rate) {
            self.flush();
        }
        let (_, resampler) =
            self.resampler.get_or_insert_with(|| (rate, Resampler::new(rate, SampleRate::SPEECH)));
        self.mono.clear();
        self.mono.extend(down(interleaved, channels, Order::Wave));
        let ready = resampler.push(&self.mono);
        self.speech.extend(ready.into_iter().map(sane));
        self.check()
    }

    fn check(&self) -> Result<(), DecodeError> {
        if (self.taken + self.speech.len()) as u64 > self.limits.speech_samples() {
            return Err(DecodeError::TooLong { limit_seconds: self.limits.seconds });
        }
        Ok(())
    }

    fn flush(&mut self) {
        if let Some((_, resampler)) = self.resampler.take() {
            self.speech.extend(resampler.finish().into_iter().map(sane));
        }
    }

    /// Returns the samples that became ready since the last call.
    pub(super) fn take(&mut self) -> Vec<f32> {
        self.taken += self.speech.len();
        std::mem::take(&mut self.speech)
    }

    /// Returns the rest.
    pub(super) fn finish(mut self) -> Vec<f32> {
        self.flush();
        self.speech
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_centre_is_heard_in_every_order_and_low_frequencies_are_not() {
        for (order, channels, centre, low) in [
            (Order::Wave, 3, 2, None),
            (Order::Wave, 6, 2, Some(3)),
            (Order::Vorbis, 5, 1, None),
            (Order::Vorbis, 6, 1, Some(5)),
            (Order::Vorbis, 8, 1, Some(7)),
        ] {
            let heard = |channel| {
                let mut frame = vec![0.0; channels];
                frame[channel] = 0.9;
                down(&frame, channels, order).next().unwrap() / 0.9
            };
            assert!(heard(centre) > 0.5, "{order:?} {channels}: {}", heard(centre));
            assert!((0..channels).all(|other| heard(other) <= heard(centre)));
            assert!(low.is_none_or(|low| heard(low) == 0.0), "{order:?} {channels}");
        }
        assert_eq!(down(&[0.5, 0.25], 2, Order::Wave).collect::<Vec<_>>(), [0.375]);
        assert_eq!(down(&[1.0; 6], 6, Order::Wave).collect::<Vec<_>>(), [1.0]);
    }
}
