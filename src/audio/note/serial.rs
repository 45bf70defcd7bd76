//! Encodes a note from one stream of PCM: one span, one muxer, and a resampler where needed.
//!
//! The plain way out, and the reference that stitched spans are tested against.

use super::opus_rate;
use crate::audio::{EncodeError, NoteMuxer, Pcm, Resampler, SampleRate, SpanEncoder};

/// Encodes a voice note: PCM of any rate in, Ogg pages out.
pub struct NoteEncoder {
    rate: SampleRate,
    resampler: Option<Resampler>,
    span: SpanEncoder,
    muxer: NoteMuxer,
    samples: u64,
}

impl NoteEncoder {
    /// Begins a note of sound at `rate`.
    ///
    /// # Errors
    /// `Rate` if it is 0, `Opus` if libopus fails.
    pub fn new(rate: SampleRate) -> Result<Self, EncodeError> {
        if rate.0 == 0 {
            return Err(EncodeError::Rate { hz: 0 });
        }
        let to = opus_rate(rate);
        Ok(Self {
            rate,
            resampler: (to != rate).then(|| Resampler::new(rate, to)),
            span: SpanEncoder::new(to, 0.0)?,
            muxer: NoteMuxer::new(to),
            samples: 0,
        })
    }

    /// Takes the next sound and returns the pages that became complete, one for each second; the
    /// first call returns the headers too.
    ///
    /// # Errors
    /// `RateChanged` if `pcm` has another rate than the note, `Opus` if libopus fails.
    pub fn push(&mut self, pcm: &Pcm) -> Result<Vec<u8>, EncodeError> {
        if pcm.rate != self.rate {
            return Err(EncodeError::RateChanged { expected_hz: self.rate.0, hz: pcm.rate.0 });
        }
        match &mut self.resampler {
            Some(resampler) => {
                let samples = resampler.push(&pcm.samples);
                self.encode(&samples)?;
            }
            None => self.encode(&pcm.samples)?,
        }
        Ok(self.muxer.take_pages())
    }

    /// Ends the note and returns its remaining pages.
    ///
    /// # Errors
    /// `Opus` if libopus fails.
    pub fn finish(mut self) -> Result<Vec<u8>, EncodeError> {
        if let Some(resampler) = self.resampler.take() {
            self.encode(&resampler.finish())?;
        }
        self.muxer.push(self.span.finish()?);
        let to = opus_rate(self.rate);
        Ok(self.muxer.finish_pages(to.granules(self.samples)))
    }

    fn encode(&mut self, samples: &[f32]) -> Result<(), EncodeError> {
        self.samples += samples.len() as u64;
        let packets = self.span.push(samples)?;
        self.muxer.push(packets);
        Ok(())
    }
}
