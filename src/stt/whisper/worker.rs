//! Holds the threads that run whisper: each owns one state and takes utterances from one bounded queue.
//!
//! No state is ever used by two threads, and no future waits for one. An utterance whose caller is
//! gone is not started, and one that runs is aborted at whisper's next step.

use std::ffi::c_void;
use std::io;
use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};
use whisper_rs::WhisperState;

use super::heard;
use super::language::LanguageTokens;
use super::params::{LanguageId, Recipes};
use crate::audio::Speech;
use crate::stt::{SttError, Utterance};
use crate::threads::{RunError, Threads};
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

/// Counts the threads that have run once, or says why one could not.
#[derive(Clone, Default)]
struct Warmth {
    warm: usize,
    failed: Option<String>,
}

/// Owns the threads of one model.
pub(super) struct Workers {
    /// Before `threads`: what still warms up is aborted before its thread is waited for, at most
    /// one pass of the encoder. A thread inside whisper.cpp while the process ends may crash it.
    _stop: DropGuard,
    threads: Threads<WhisperState>,
    count: usize,
    runner: Arc<Runner>,
    warmth: watch::Receiver<Warmth>,
}

/// Runs the model, on any of its threads.
struct Runner {
    recipes: Recipes,
    /// Only multilingual models have any.
    tokens: Option<LanguageTokens>,
}

impl Workers {
    /// Starts one thread for each state; each runs one silent utterance before its first job.
    pub(super) fn start(
        states: Vec<WhisperState>,
        recipes: Recipes,
        tokens: Option<LanguageTokens>,
    ) -> io::Result<Self> {
        let (warm, warmth) = watch::channel(Warmth::default());
        let (count, stop) = (states.len(), CancellationToken::new());
        let runner = Arc::new(Runner { recipes, tokens });
        let (warming, stopped) = (Arc::clone(&runner), stop.clone());
        let prepare = move |state: &mut WhisperState| {
            let warmed = warming.warm_up(state, &stopped);
            warm.send_modify(|now| match warmed {
                Ok(()) => now.warm += 1,
                Err(error) => now.failed = Some(format!("the silent first run failed: {error}")),
            });
        };
        // One utterance waits for each that runs, plus the pieces of one long note (eight of 30 s).
        // More waiting than that is seconds of delay, which the caller should know of: Busy.
        let threads = Threads::start_with("stt", states, 2 * count + 8, prepare)?;
        Ok(Self { _stop: stop.drop_guard(), threads, count, runner, warmth })
    }

    /// Transcribes on the next thread that is free.
    pub(super) async fn transcribe(
        &self,
        utterance: Utterance,
        language: LanguageChoice,
        cancel: &CancellationToken,
    ) -> Result<Transcript, SttError> {
        // Ends with this future too: a caller that has gone needs no text.
        let gone = cancel.child_token();
        let _gone = gone.clone().drop_guard();
        let runner = Arc::clone(&self.runner);
        let heard = self
            .threads
            .run_with(move |state| runner.transcribe(state, &utterance, &language, &gone));
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(SttError::Cancelled),
            heard = heard => match heard {
                Ok(heard) => heard,
                Err(RunError::Busy) => Err(SttError::Busy),
                Err(error @ RunError::Died) => Err(SttError::Engine(error.to_string())),
            },
        }
    }

    /// Waits until every thread has run once.
    pub(super) async fn warm(&self) -> Result<(), SttError> {
        let mut warmth = self.warmth.clone();
        let done = warmth.wait_for(|now| now.failed.is_some() || now.warm == self.count).await;
        match done.map(|now| now.failed.clone()) {
            Ok(None) => Ok(()),
            Ok(Some(problem)) => Err(SttError::Engine(problem)),
            Err(_) => Err(SttError::Engine("a thread ended while it warmed up".into())),
        }
    }
}

impl Runner {
    fn transcribe(
        &self,
        state: &mut WhisperState,
        utterance: &Utterance,
        language: &LanguageChoice,
        gone: &CancellationToken,
    ) -> Result<Transcript, SttError> {
        let samples = utterance.speech.samples();
        let done = match language {
            LanguageChoice::Known(language) => self.full(state, Some(*language), samples, gone),
            LanguageChoice::Likely { likely, among } => {
                self.full_in_likely(state, *likely, among, samples, gone)
            }
            LanguageChoice::Unknown => self.full(state, None, samples, gone),
        };
        if gone.is_cancelled() {
            return Err(SttError::Cancelled);
        }
        done.map_err(|error| SttError::Engine(error.to_string()))?;
        let (offset_ms, duration_ms) = (utterance.offset_ms, utterance.speech.duration_ms());
        Ok(heard::read(state, &self.recipes, offset_ms, duration_ms))
    }

    fn warm_up(
        &self,
        state: &mut WhisperState,
        gone: &CancellationToken,
    ) -> Result<(), whisper_rs::WhisperError> {
        let english = Some(0);
        self.full(state, english, Speech::silence(SHORTEST).samples(), gone)
    }

    /// Runs whisper in the likely language, and once more if it clearly was another.
    fn full_in_likely(
        &self,
        state: &mut WhisperState,
        likely: LanguageId,
        among: &[LanguageId],
        samples: &[f32],
        gone: &CancellationToken,
    ) -> Result<(), whisper_rs::WhisperError> {
        self.full(state, Some(likely), samples, gone)?;
        let Some(tokens) = self.tokens.filter(|_| !gone.is_cancelled()) else { return Ok(()) };
        match tokens.mistaken(state, likely, among, self.recipes.threads())? {
            Some(other) => self.full(state, Some(other), samples, gone),
            None => Ok(()),
        }
    }

    /// Runs whisper on `samples`, padded with silence to a second.
    fn full(
        &self,
        state: &mut WhisperState,
        language: Option<LanguageId>,
        samples: &[f32],
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
            self.prime(state, samples.len())?;
        }
        let mut params = self.recipes.recipe(language, samples.len());
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
    ) -> Result<(), whisper_rs::WhisperError> {
        let mut params = self.recipes.recipe(Some(0), samples);
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
