//! The sample types: `Speech` for everything that listens, `Pcm` for everything that speaks.

use std::sync::Arc;

use bytes::Bytes;

/// Counts samples per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SampleRate(pub u32);

impl SampleRate {
    /// The rate of speech recognition.
    pub const SPEECH: Self = Self(16_000);

    /// Returns the length of `samples` at this rate, in ms.
    #[expect(clippy::cast_precision_loss, reason = "an hour of samples is far below 2^52")]
    #[must_use]
    pub fn ms(self, samples: usize) -> f64 {
        samples as f64 * 1000.0 / f64::from(self.0)
    }

    /// Returns the length of `samples` at this rate in granules: samples at 48 kHz.
    #[must_use]
    pub fn granules(self, samples: u64) -> u64 {
        samples * 48_000 / u64::from(self.0)
    }
}

/// Holds mono speech at 16 kHz, f32 in [-1, 1]. Only this module's decoders build it.
#[derive(Clone, Debug, Default)]
pub struct Speech(Arc<Vec<f32>>);

impl Speech {
    /// Wraps samples that are 16 kHz mono already.
    pub(in crate::audio) fn new(samples: Vec<f32>) -> Self {
        Self(Arc::new(samples))
    }

    /// Returns `samples` samples of silence, for warming an engine up.
    #[must_use]
    pub fn silence(samples: usize) -> Self {
        Self::new(vec![0.0; samples])
    }

    /// Returns the samples.
    #[must_use]
    pub fn samples(&self) -> &[f32] {
        &self.0
    }

    /// Returns the length in ms.
    #[must_use]
    pub fn duration_ms(&self) -> f64 {
        SampleRate::SPEECH.ms(self.0.len())
    }
}

/// Holds mono samples at any rate, f32 in [-1, 1].
#[derive(Clone, Debug, PartialEq)]
pub struct Pcm {
    /// The samples.
    pub samples: Vec<f32>,
    /// The rate.
    pub rate: SampleRate,
}

impl Pcm {
    /// Returns the length in ms.
    #[must_use]
    pub fn duration_ms(&self) -> f64 {
        self.rate.ms(self.samples.len())
    }
}

/// Holds a complete Ogg/Opus file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OggOpus(pub Bytes);

/// Clamps a sample to [-1, 1]; a NaN, which neither listeners nor libopus take, becomes 0.
pub(in crate::audio) fn sane(sample: f32) -> f32 {
    if sample.is_nan() { 0.0 } else { sample.clamp(-1.0, 1.0) }
}
