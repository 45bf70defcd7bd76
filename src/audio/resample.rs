//! Resampling: any rate to any rate, mono, band-limited, streaming.
//!
//! Used in both directions: decoded sound to 16 kHz, synthesised sound to a rate Opus takes. The
//! delay of the filter is trimmed and the length is exact: `ceil(input * to / from)`.

use audioadapter_buffers::direct::SequentialSlice;
use rubato::{Fft, FixedSync, Resampler as _};

use crate::audio::SampleRate;

/// Length of one FFT block: 10 ms, that is 480 frames at 48 kHz. A shorter block has a shorter
/// filter, which loses what is above 6 kHz (14 dB at 7 kHz with blocks of 5 ms); the test
/// `speech_band_survives_and_aliases_do_not` guards that.
const BLOCKS_PER_SECOND: u32 = 100;

/// Converts samples from one rate to another.
///
/// 48 kHz to 16 kHz takes about 0.12 ms per second of sound. Keeps no history: each block is
/// transformed once.
pub struct Resampler {
    from: usize,
    to: usize,
    /// `None` when both rates are equal.
    fft: Option<Fft<f32>>,
    /// Input that does not fill a block yet.
    pending: Vec<f32>,
    /// Output frames of filter delay still to drop.
    delay: usize,
    taken: usize,
    given: usize,
}

impl Resampler {
    /// Makes a resampler; both rates are above 0 Hz and at most [`super::limits::MAX_RATE`].
    ///
    /// # Panics
    /// If a rate is 0.
    #[must_use]
    pub fn new(from: SampleRate, to: SampleRate) -> Self {
        assert!(from.0 > 0 && to.0 > 0, "a sample rate is above 0 Hz");
        let fft = (from != to).then(|| {
            let block = from.0.div_ceil(BLOCKS_PER_SECOND) as usize;
            Fft::new(from.0 as usize, to.0 as usize, block, 1, FixedSync::Both)
                .expect("rates and block are above 0")
        });
        let delay = fft.as_ref().map_or(0, rubato::Resampler::output_delay);
        Self {
            from: from.0 as usize,
            to: to.0 as usize,
            fft,
            pending: Vec::new(),
            delay,
            taken: 0,
            given: 0,
        }
    }

    /// Takes input and returns the output that became ready, at most one block late.
    pub fn push(&mut self, samples: &[f32]) -> Vec<f32> {
        self.taken += samples.len();
        let Some(block) = self.fft.as_ref().map(rubato::Resampler::input_frames_next) else {
            self.given = self.taken;
            return samples.to_vec();
        };
        self.pending.extend_from_slice(samples);
        let mut output = Vec::new();
        let whole = self.pending.len() / block * block;
        for start in (0..whole).step_by(block) {
            self.block(start..start + block, &mut output);
        }
        self.pending.drain(..whole);
        self.given += output.len();
        output
    }

    /// Returns the rest, so that the complete output is `ceil(input * to / from)` samples.
    #[must_use]
    pub fn finish(mut self) -> Vec<f32> {
        let wanted = (self.taken * self.to).div_ceil(self.from);
        let missing = wanted - self.given;
        let Some(block) = self.fft.as_ref().map(rubato::Resampler::input_frames_next) else {
            return Vec::new();
        };
        let mut output = Vec::with_capacity(missing + block);
        while output.len() < missing {
            self.pending.resize(block, 0.0);
            self.block(0..block, &mut output);
            self.pending.clear();
        }
        output.truncate(missing);
        output
    }

    /// Resamples one full block of `pending` and appends it, less the delay.
    fn block(&mut self, range: std::ops::Range<usize>, output: &mut Vec<f32>) {
        let fft = self.fft.as_mut().expect("only called with a transform");
        let (frames_in, frames_out) = (range.len(), fft.output_frames_next());
        let at = output.len();
        output.resize(at + frames_out, 0.0);
        let input = SequentialSlice::new(&self.pending[range], 1, frames_in)
            .expect("the slice is one channel of that length");
        let mut room = SequentialSlice::new_mut(&mut output[at..], 1, frames_out)
            .expect("the slice is one channel of that length");
        fft.process_into_buffer(&input, &mut room, None).expect("both buffers have the block size");
        let dropped = self.delay.min(frames_out);
        output.drain(at..at + dropped);
        self.delay -= dropped;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::audio::testing::{amplitude_at, tone};

    fn resample(samples: &[f32], from: u32, to: u32) -> Vec<f32> {
        let mut resampler = Resampler::new(SampleRate(from), SampleRate(to));
        let mut out = resampler.push(samples);
        out.extend(resampler.finish());
        out
    }

    fn gain_db(from: u32, to: u32, hz: f64, seen_at_hz: f64) -> f64 {
        let out = resample(&tone(from, hz, 1.0, 0.5), from, to);
        let middle = &out[out.len() / 4..out.len() * 3 / 4];
        20.0 * (amplitude_at(middle, to, seen_at_hz) / 0.5).log10()
    }

    #[test]
    fn speech_band_survives_and_aliases_do_not() {
        for from in [48_000, 44_100, 96_000, 32_000] {
            let kept = gain_db(from, 16_000, 7_000.0, 7_000.0);
            assert!(kept.abs() < 1.0, "{from} Hz: 7 kHz changes by {kept} dB");
            let alias = gain_db(from, 16_000, 10_000.0, 6_000.0);
            assert!(alias < -60.0, "{from} Hz: 10 kHz comes back at {alias} dB");
        }
        for (from, hz) in [(22_050, 9_000.0), (11_025, 4_500.0)] {
            let kept = gain_db(from, 24_000, hz, hz);
            assert!(kept.abs() < 1.0, "{from} Hz: {hz} Hz changes by {kept} dB");
        }
    }

    #[test]
    fn the_delay_is_trimmed() {
        let mut click = vec![0.0; 48_000];
        click[24_000] = 1.0;
        let out = resample(&click, 48_000, 16_000);
        let peak = (0..out.len()).max_by(|&a, &b| out[a].total_cmp(&out[b])).unwrap();
        assert!(peak.abs_diff(8_000) <= 1, "the click moved to {peak}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn length_is_exact_and_chunks_do_not_matter(
            from in prop_oneof![Just(8_000u32), Just(11_025), Just(22_050), Just(44_100), Just(48_000), Just(16_000), 4_000u32..50_000],
            to in prop_oneof![Just(16_000u32), Just(24_000)],
            length in 0usize..6_000,
            cut in 1usize..997,
        ) {
            let input = &tone(from, 300.0, 2.0, 0.5)[..length];
            let at_once = resample(input, from, to);
            let mut resampler = Resampler::new(SampleRate(from), SampleRate(to));
            let mut pieces: Vec<f32> = input.chunks(cut).flat_map(|c| resampler.push(c)).collect();
            pieces.extend(resampler.finish());
            prop_assert_eq!(pieces.len(), (input.len() * to as usize).div_ceil(from as usize));
            prop_assert_eq!(pieces, at_once);
        }
    }
}
