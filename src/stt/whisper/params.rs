//! Makes the settings of a whisper run: what a model's manifest says, for sound of some length.

use std::ffi::c_int;

use whisper_rs::{FullParams, SamplingStrategy, WhisperTokenId};

use crate::models::manifest::{Effort, RunStyle, Window};

/// Encoder positions per second, and the most there are: 30 s.
const POSITIONS_PER_S: usize = 50;
const POSITIONS: usize = 1_500;

/// Returns the settings to hear `samples` samples, with `words` that may occur as whisper's tokens.
///
/// The language is a placeholder: [`FirstStep`](super::first_step::FirstStep) sets it.
pub(super) fn params<'a>(
    run: &RunStyle,
    effort: Effort,
    samples: usize,
    threads: usize,
    words: &'a [WhisperTokenId],
) -> FullParams<'static, 'a> {
    let mut params = FullParams::new(match effort.beams {
        0 | 1 => SamplingStrategy::Greedy { best_of: 1 },
        beams => SamplingStrategy::BeamSearch { beam_size: beams.into(), patience: -1.0 },
    });
    params.set_n_threads(c_int::try_from(threads.max(1)).unwrap_or(1));
    // Always set: a state keeps the value of its last run otherwise. 0 is all.
    let positions = effort.window.map_or(0, |window| positions(window, samples));
    params.set_audio_ctx(c_int::from(positions));
    params.set_tokens(words);
    params.set_no_context(true);
    // Speech is cut to 30 s before: what a second window would add is heard twice.
    params.set_single_segment(true);
    params.set_max_tokens(most_tokens(samples));
    params.set_temperature(0.0);
    params.set_temperature_inc(0.0);
    params.set_no_timestamps(run.no_timestamps);
    params.set_suppress_blank(run.suppress_blank);
    // No probability is above 1: whisper.cpp reads it from the wrong row, and we read it ourselves.
    params.set_no_speech_thold(1.0);
    params.set_token_timestamps(false);
    params.set_print_special(false);
    params.set_print_progress(false);
    params.set_print_realtime(false);
    params.set_print_timestamps(false);
    params
}

/// Returns the positions that `window` has for `samples` samples at 16 kHz.
fn positions(window: Window, samples: usize) -> i16 {
    let positions = (samples * POSITIONS_PER_S).div_ceil(16_000) + usize::from(window.spare);
    let positions = positions.next_multiple_of(window.step.max(1).into()).min(POSITIONS);
    i16::try_from(positions).expect("at most 1500")
}

/// Returns the most tokens that `samples` samples of speech can have. Fast speech of people has 8 a
/// second; a loop has no end of its own.
fn most_tokens(samples: usize) -> c_int {
    c_int::try_from(32 + samples * 12 / 16_000).unwrap_or(c_int::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_follows_the_length_up_to_thirty_seconds() {
        // models/micro is trained with this one: another needs another model.
        let micro = |samples| positions(Window { spare: 8, step: 16 }, samples);
        assert_eq!(micro(16_000), 64);
        assert_eq!([micro(17_920), micro(17_921)], [64, 80]);
        assert_eq!(micro(5 * 16_000), 272);
        assert_eq!(micro(30 * 16_000), 1_500);
        assert_eq!(micro(90 * 16_000), 1_500);
        assert_eq!(positions(Window { spare: 64, step: 1 }, 5 * 16_000 + 1), 315);
    }
}
