//! Brings all decoded sound to 16 kHz mono: mixed down, resampled, and held to its limit.

use super::DecodeError;
use crate::audio::{
    AudioLimits, Resampler, SampleRate,
    downmix::{ChannelOrder, downmix},
    pcm::sane,
};

/// Returns the nearest rate that shares a divisor with 16 kHz. A rate such as 44 101 Hz would need
/// a resampler block of one second; 0.3 % off at most, it needs 10 ms.
fn usual(rate: SampleRate) -> SampleRate {
    SampleRate((rate.0 + 12) / 25 * 25)
}

/// Mixes down, resamples, and enforces the duration limit.
pub(super) struct Mix {
    limits: AudioLimits,
    /// Frames still to drop at the beginning: the delay of the encoder.
    pub(super) skip: usize,
    resampler: Option<(SampleRate, Resampler)>,
    mono: Vec<f32>,
    speech: Vec<f32>,
    /// Samples that [`Self::take`] has handed out.
    taken: usize,
    /// Samples of the file that were decoded elsewhere.
    before: u64,
    /// Samples of all channels that have come, at their own rates.
    spent: u64,
    /// How many had come at the last [`Self::take`].
    spent_then: u64,
}

/// Samples of all channels that are enough for one step.
const STEP: u64 = 1 << 16;

impl Mix {
    pub(super) fn new(limits: AudioLimits) -> Self {
        Self {
            limits,
            skip: 0,
            resampler: None,
            mono: Vec::new(),
            speech: Vec::new(),
            taken: 0,
            before: 0,
            spent: 0,
            spent_then: 0,
        }
    }

    /// Begins after so many samples of the same file.
    pub(super) fn after(limits: AudioLimits, before: u64) -> Self {
        Self { before, ..Self::new(limits) }
    }

    /// Returns the limits.
    pub(super) fn limits(&self) -> AudioLimits {
        self.limits
    }

    /// Returns whether so much has come since the last [`Self::take`] that others have waited enough.
    pub(super) fn is_enough(&self) -> bool {
        self.spent - self.spent_then >= STEP
    }

    /// Refuses sound that would take more than the limit if it were as long as its header says. A
    /// header may be wrong: what is said to be longer than the limit is refused only once it is.
    ///
    /// # Errors
    /// `TooCostly`.
    pub(super) fn check_declared(
        &self,
        rate: u32,
        channels: usize,
        frames: u64,
    ) -> Result<(), DecodeError> {
        let frames = frames.min(u64::from(self.limits.seconds) * u64::from(rate));
        if frames.saturating_mul(channels as u64) > self.limits.samples() {
            return Err(DecodeError::TooCostly { rate, channels });
        }
        Ok(())
    }

    /// Returns whether no sound has come yet.
    pub(super) fn is_empty(&self) -> bool {
        self.resampler.is_none() && self.speech.is_empty() && self.taken == 0
    }

    /// Takes interleaved samples. The rate may change from call to call.
    ///
    /// # Errors
    /// `TooLong` once there are more samples than the limit, `TooCostly` once there are more at the
    /// rate and channels they came in.
    pub(super) fn push(
        &mut self,
        interleaved: &[f32],
        channels: usize,
        rate: SampleRate,
    ) -> Result<(), DecodeError> {
        self.spent += interleaved.len() as u64;
        if self.spent > self.limits.samples() {
            return Err(DecodeError::TooCostly { rate: rate.0, channels });
        }
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
        self.mono.extend(downmix(interleaved, channels, ChannelOrder::Wave));
        let ready = resampler.push(&self.mono);
        self.speech.extend(ready.into_iter().map(sane));
        self.check()
    }

    fn check(&self) -> Result<(), DecodeError> {
        if self.before + (self.taken + self.speech.len()) as u64 > self.limits.speech_samples() {
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
        self.spent_then = self.spent;
        self.taken += self.speech.len();
        std::mem::take(&mut self.speech)
    }

    /// Returns the rest.
    pub(super) fn finish(&mut self) -> Vec<f32> {
        self.flush();
        self.take()
    }
}
