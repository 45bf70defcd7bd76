//! Hears one utterance with one state: in its language, in a window of its length.

use std::ffi::c_void;

use tokio_util::sync::CancellationToken;
use whisper_rs::WhisperState;

use super::heard;
use super::language::LanguageTokens;
use super::params::{LanguageId, Recipes};
use crate::audio::Speech;
use crate::stt::{SttError, Utterance};
use crate::turn::Transcript;

/// Says what is known of the language of an utterance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LanguageChoice {
    Known(LanguageId),
    /// To be checked once it is transcribed; one of `among` unless it is empty.
    Likely {
        likely: LanguageId,
        among: Vec<LanguageId>,
    },
    Unknown,
}

/// Runs the model, on any of its threads.
pub(super) struct Runner {
    recipes: Recipes,
    /// Only multilingual models have any.
    tokens: Option<LanguageTokens>,
}

impl Runner {
    pub(super) fn new(recipes: Recipes, tokens: Option<LanguageTokens>) -> Self {
        Self { recipes, tokens }
    }

    pub(super) fn transcribe(
        &self,
        state: &mut WhisperState,
        utterance: &Utterance,
        language: &LanguageChoice,
        threads: usize,
        gone: &CancellationToken,
    ) -> Result<Transcript, SttError> {
        let samples = utterance.speech.samples();
        let done = match language {
            LanguageChoice::Known(language) => {
                self.full(state, Some(*language), samples, threads, gone)
            }
            LanguageChoice::Likely { likely, among } => {
                self.full_in_likely(state, *likely, among, samples, threads, gone)
            }
            LanguageChoice::Unknown => self.full(state, None, samples, threads, gone),
        };
        if gone.is_cancelled() {
            return Err(SttError::Cancelled);
        }
        done.map_err(|error| SttError::Engine(error.to_string()))?;
        let (offset_ms, duration_ms) = (utterance.offset_ms, utterance.speech.duration_ms());
        Ok(heard::read(state, &self.recipes, offset_ms, duration_ms))
    }

    pub(super) fn warm_up(
        &self,
        state: &mut WhisperState,
        threads: usize,
        gone: &CancellationToken,
    ) -> Result<(), whisper_rs::WhisperError> {
        let english = Some(0);
        self.full(state, english, Speech::silence(SHORTEST).samples(), threads, gone)
    }

    /// Runs whisper in the likely language, and once more if it clearly was another.
    fn full_in_likely(
        &self,
        state: &mut WhisperState,
        likely: LanguageId,
        among: &[LanguageId],
        samples: &[f32],
        threads: usize,
        gone: &CancellationToken,
    ) -> Result<(), whisper_rs::WhisperError> {
        self.full(state, Some(likely), samples, threads, gone)?;
        let Some(tokens) = self.tokens.filter(|_| !gone.is_cancelled()) else { return Ok(()) };
        match tokens.mistaken(state, likely, among, threads)? {
            Some(other) => self.full(state, Some(other), samples, threads, gone),
            None => Ok(()),
        }
    }

    /// Runs whisper on `samples`, padded with silence to a second.
    fn full(
        &self,
        state: &mut WhisperState,
        language: Option<LanguageId>,
        samples: &[f32],
        threads: usize,
        gone: &CancellationToken,
    ) -> Result<(), whisper_rs::WhisperError> {
        let mut padded = Vec::new();
        let samples = if samples.len() < SHORTEST {
            padded.extend_from_slice(samples);
            padded.resize(SHORTEST, 0.0);
            &padded
        } else {
            samples
        };
        if self.recipes.detection_needs_priming(language) {
            self.prime(state, samples.len(), threads)?;
        }
        let mut params = self.recipes.recipe(language, samples.len(), threads);
        #[expect(unsafe_code, reason = "whisper-rs has no sound way to set an abort callback")]
        // SAFETY: `gone` outlives the call of `full` below, which is the only one to use these
        // parameters; `caller_is_gone` reads it as what it is, and it is `Sync`, since ggml may ask
        // from a thread of its own.
        unsafe {
            params.set_abort_callback(Some(caller_is_gone));
            params
                .set_abort_callback_user_data(std::ptr::from_ref(gone).cast_mut().cast::<c_void>());
        }
        state.full(params, samples)
    }

    /// Sets the audio context of `state` without running the encoder.
    ///
    /// Detection uses the context that the state's last run left (`whisper_full_with_state` sets
    /// it after detection): another note's length, or all 30 s on a fresh state.
    fn prime(
        &self,
        state: &mut WhisperState,
        samples: usize,
        threads: usize,
    ) -> Result<(), whisper_rs::WhisperError> {
        let mut params = self.recipes.recipe(Some(0), samples, threads);
        #[expect(unsafe_code, reason = "whisper-rs has only a raw callback here")]
        // SAFETY: `stop_here` uses none of its arguments.
        unsafe {
            params.set_start_encoder_callback(Some(stop_here));
        }
        state.full(params, &[0.0; SHORTEST / 4])
    }
}

/// Samples that whisper gets at least: it ignores less than 100 ms, and hears words better that
/// are followed by silence.
const SHORTEST: usize = 16_000;

/// Tells whisper between two of its steps whether to abort.
extern "C" fn caller_is_gone(gone: *mut c_void) -> bool {
    #[expect(unsafe_code, reason = "C passes user data as an untyped pointer")]
    // SAFETY: set together with this function in `Runner::full`, from a reference that is valid
    // until whisper returns.
    let gone = unsafe { &*gone.cast_const().cast::<CancellationToken>() };
    gone.is_cancelled()
}

/// Tells whisper not to run the encoder.
extern "C" fn stop_here(
    _: *mut whisper_rs::WhisperSysContext,
    _: *mut whisper_rs::WhisperSysState,
    _: *mut c_void,
) -> bool {
    false
}
