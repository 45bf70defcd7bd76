//! A whole voice note from one stream of PCM: one span, one muxer, and a resampler where needed.
//!
//! The plain way out, and the reference that stitched spans are tested against.

use crate::audio::{
    EncodeError, NoteMuxer, Pcm, Resampler, SampleRate, SpanEncoder,
    span::{OPUS_RATES, frame_samples},
};

/// The rate to encode sound of `rate` at: itself if Opus takes it, else 24 kHz, which holds all
/// that speech has.
#[must_use]
pub fn opus_rate(rate: SampleRate) -> SampleRate {
    if OPUS_RATES.contains(&rate.0) { rate } else { SampleRate(24_000) }
}

/// Returns where to cut a span: the index of the quietest frame in the last half of `samples`, a
/// multiple of a frame of `rate` (20 ms), which is one of Opus's. The part before the index is for
/// the one span, the rest for the next. 0 if there is not one whole frame.
#[must_use]
pub fn quiet_cut(samples: &[f32], rate: SampleRate) -> usize {
    let frame = frame_samples(rate).max(1);
    let frames = samples.len() / frame;
    // The last whole frame may be cut before, so that two frames have one place to cut.
    (frames.div_ceil(2)..frames)
        .map(|at| (at * frame, energy(&samples[at * frame..(at + 1) * frame])))
        .min_by(|(_, a), (_, b)| a.total_cmp(b))
        .map_or(frames * frame, |(at, _)| at)
}

fn energy(samples: &[f32]) -> f32 {
    samples.iter().map(|sample| sample * sample).sum()
}

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
