//! Notes: sound in, one voice note out.
//!
//! [`NoteEncoder`] encodes one stream of PCM from its first sample to its last. [`NoteStitcher`] takes
//! PCM and finished Opus in any order and hands out encoding tasks that run side by side.

mod serial;
mod stitch;
#[cfg(test)]
mod tests;

pub use self::serial::NoteEncoder;
pub use self::stitch::{EncodedSpan, NoteStitcher, SpanTask};
use crate::audio::{
    SampleRate,
    span::{OPUS_RATES, frame_samples},
};

/// Returns the rate at which to encode sound of `rate`: the same if Opus takes it, else 24 kHz, which
/// keeps everything that matters in speech.
#[must_use]
pub fn opus_rate(rate: SampleRate) -> SampleRate {
    if OPUS_RATES.contains(&rate.0) { rate } else { SampleRate(24_000) }
}

/// Returns where to cut a span: the index of the quietest frame in the last half of `samples`, a
/// multiple of a frame (20 ms at `rate`, one of Opus's rates). The samples before the index belong to
/// this span, the rest to the next. 0 if there is not one complete frame.
#[must_use]
pub fn quiet_cut(samples: &[f32], rate: SampleRate) -> usize {
    let frame = frame_samples(rate).max(1);
    let frames = samples.len() / frame;
    // The cut may lie before the last complete frame, so that two frames have one place to cut.
    (frames.div_ceil(2)..frames)
        .map(|at| (at * frame, energy(&samples[at * frame..(at + 1) * frame])))
        .min_by(|(_, a), (_, b)| a.total_cmp(b))
        .map_or(frames * frame, |(at, _)| at)
}

fn energy(samples: &[f32]) -> f32 {
    samples.iter().map(|sample| sample * sample).sum()
}
