//! Makes the settings of a whisper run: built once per language and copied for each run.
//!
//! `FullParams::set_language` leaks its C string, so it is called at most once for each language a
//! model knows: at most 101 strings of a few bytes, not one more for every note.

use std::ffi::c_int;
use std::sync::OnceLock;

use whisper_rs::{FullParams, SamplingStrategy};

use super::quality;
use crate::models::manifest::RunStyle;

/// Encoder positions per second, and the most there are: 30 s.
const POSITIONS_PER_S: usize = 50;
const POSITIONS: usize = 1_500;

/// Indexes a language in whisper's table.
pub(super) type LanguageId = c_int;

/// Holds the settings for every language of one model.
pub(super) struct Recipes {
    run: RunStyle,
    /// By language; the last is "detect it".
    by_language: Vec<OnceLock<FullParams<'static, 'static>>>,
}

impl Recipes {
    pub(super) fn new(run: RunStyle, languages: LanguageId) -> Self {
        Self { run, by_language: (0..=languages).map(|_| OnceLock::new()).collect() }
    }

    /// Returns the settings to transcribe `samples` samples of `language`; `None` detects it, which
    /// costs a second pass of the encoder.
    pub(super) fn recipe(
        &self,
        language: Option<LanguageId>,
        samples: usize,
        threads: usize,
    ) -> FullParams<'static, 'static> {
        let detect = self.by_language.len() - 1;
        let place = language.and_then(|id| usize::try_from(id).ok()).unwrap_or(detect).min(detect);
        let mut params = self.by_language[place].get_or_init(|| self.common(language)).clone();
        params.set_n_threads(c_int::try_from(threads.max(1)).unwrap_or(1));
        // Always set: a state keeps the value of its last run otherwise.
        params.set_audio_ctx(self.audio_ctx(samples));
        params
    }

    /// Returns whether a state may remember another audio context that detection would use.
    pub(super) fn detection_needs_priming(&self, language: Option<LanguageId>) -> bool {
        self.run.cut_audio_ctx && language.is_none()
    }

    /// Returns the mean log-probability below which the speech is beyond the model.
    pub(super) fn sure_logprob(&self) -> Option<f32> {
        self.run.sure_logprob
    }

    /// Returns whether whisper's times belong to the words.
    pub(super) fn has_timestamps(&self) -> bool {
        !self.run.no_timestamps
    }

    /// Returns whether whisper's probability of no speech belongs to the current utterance.
    ///
    /// whisper.cpp 1.8.3 takes it from the first row of logits (`src/whisper.cpp` L7152-7161) and
    /// computes only the last (L511-523, L2949-2955). They are the same if the prompt is one token;
    /// a language or `<|notimestamps|>` in it leaves the row of an earlier utterance there.
    pub(super) fn has_no_speech_prob(&self) -> bool {
        let english_only = self.by_language.len() == 2;
        english_only && self.has_timestamps()
    }

    /// Returns the encoder positions to compute, 0 for all.
    fn audio_ctx(&self, samples: usize) -> c_int {
        if self.run.cut_audio_ctx { c_int::from(audio_ctx(samples)) } else { 0 }
    }

    fn common(&self, language: Option<LanguageId>) -> FullParams<'static, 'static> {
        let mut params = FullParams::new(SamplingStrategy::Greedy { best_of: 1 });
        // Not "auto" with `set_detect_language`: that returns after detection, without words.
        params.set_language(language.and_then(whisper_rs::get_lang_str));
        params.set_no_context(true);
        params.set_temperature(0.0);
        params.set_temperature_inc(self.run.temperature_inc);
        params.set_no_timestamps(self.run.no_timestamps);
        params.set_suppress_blank(self.run.suppress_blank);
        params.set_logprob_thold(quality::LOW_LOGPROB);
        // No probability is above 1: words are not dropped for another utterance's number.
        params.set_no_speech_thold(if self.has_no_speech_prob() {
            quality::NO_SPEECH
        } else {
            1.0
        });
        params.set_token_timestamps(false);
        params.set_print_special(false);
        params.set_print_progress(false);
        params.set_print_realtime(false);
        params.set_print_timestamps(false);
        params
    }
}

/// Returns the positions for `samples` samples at 16 kHz: 50 a second and 8 to spare, in steps of
/// 16. models/micro is trained with this formula: another formula needs another model.
fn audio_ctx(samples: usize) -> i16 {
    let positions = (samples * POSITIONS_PER_S).div_ceil(16_000) + 8;
    let positions = positions.next_multiple_of(16).min(POSITIONS);
    i16::try_from(positions).expect("at most 1500")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whispers_number_of_no_speech_is_believed_where_it_is_right() {
        let tells = |languages, no_timestamps| {
            let run = RunStyle { no_timestamps, ..RunStyle::default() };
            Recipes::new(run, languages).has_no_speech_prob()
        };
        assert!(tells(1, false));
        assert!(!tells(1, true) && !tells(99, false));
    }

    #[test]
    fn audio_context_follows_the_length_up_to_thirty_seconds() {
        assert_eq!(audio_ctx(16_000), 64);
        assert_eq!([audio_ctx(17_920), audio_ctx(17_921)], [64, 80]);
        assert_eq!(audio_ctx(5 * 16_000), 272);
        assert_eq!(audio_ctx(30 * 16_000), 1_500);
        assert_eq!(audio_ctx(90 * 16_000), 1_500);
    }
}
