//! Hears one utterance with one state: in its language, in a window of its length.

use std::ffi::c_int;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use tokio_util::sync::CancellationToken;
use whisper_rs::{WhisperError, WhisperState, WhisperTokenId};

use super::first_step::{Beginning, FirstStep, SpecialTokens};
use super::heard::{self, Pass};
use super::language::LanguageChoice;
use super::params;
use super::prompt::Prompts;
use super::silero::VoiceFilter;
use crate::audio::{Excerpt, Speech};
use crate::models::manifest::{Effort, RunStyle};
use crate::stt::{SttError, Utterance, words};
use crate::turn::Transcript;

/// Holds what is heard, what is known of its language, and words that may be said in it as whisper's
/// tokens.
#[derive(Clone, Copy)]
struct Given<'a> {
    speech: &'a Speech,
    language: &'a LanguageChoice,
    words: &'a [WhisperTokenId],
}

/// Runs the model, on any of its threads.
pub(super) struct Runner {
    tokens: SpecialTokens,
    run: RunStyle,
    /// How utterances are heard first.
    first: Effort,
    /// How they are heard again where the words may be astray.
    again: Option<Effort>,
    /// `None` hears all of every span.
    voices: Option<VoiceFilter>,
    /// Only models trained with prompts have any.
    prompts: Option<Arc<Prompts>>,
}

impl Runner {
    /// Makes a runner that hears with the effort of `first`.
    pub(super) fn new(
        tokens: SpecialTokens,
        run: RunStyle,
        first: Effort,
        voices: Option<VoiceFilter>,
        prompts: Option<Arc<Prompts>>,
    ) -> Self {
        let again = Effort { window: None, ..run.best };
        let again = (run.hear_again && again != first).then_some(again);
        Self { tokens, run, first, again, voices, prompts }
    }

    /// Hears what of `utterance` is worth hearing; an attempt that may be astray is made again, once.
    pub(super) fn transcribe(
        &self,
        state: &mut WhisperState,
        utterance: &Utterance,
        language: &LanguageChoice,
        threads: usize,
        gone: &CancellationToken,
    ) -> Result<Transcript, SttError> {
        let speech = &utterance.speech;
        let worth = self.voices.as_ref().map(|voices| voices.worth_hearing(speech)).transpose();
        let worth = worth.map_err(|error| SttError::Engine(error.to_string()))?;
        let Some(excerpt) = worth.unwrap_or_else(|| Some(Excerpt::whole(speech))) else {
            return Ok(heard::nobody());
        };
        let vocabulary = &utterance.vocabulary;
        let words = self.prompts.as_ref().map(|prompts| prompts.of(vocabulary).tokens);
        let words = words.unwrap_or_default();
        let pass = |state: &mut WhisperState, effort, words: &[WhisperTokenId]| {
            let given = Given { speech: excerpt.speech(), language, words };
            let found = self.full(state, effort, given, threads, gone);
            match found {
                _ if gone.is_cancelled() => Err(SttError::Cancelled),
                Err(error) => Err(SttError::Engine(error.to_string())),
                Ok(found) => Ok(Pass::read(state, self.tokens, found, &excerpt)),
            }
        };
        let mut best = pass(state, self.first, &words)?;
        if best.is_silent(&self.run)
            && let Some(again) = self.again
        {
            // In a narrow window clear speech may look like silence: of 400 notes of a neural voice
            // five had a chance of it above 0.35, and less than 0.1 in the whole one.
            best = pass(state, again, &words)?;
        } else if !words.is_empty() && words::leaked(&best.text(), vocabulary) {
            let without = pass(state, self.first, &[])?;
            if !words::confirmed(&best.text(), &without.text()) {
                best = without;
            }
        } else if let Some(again) = self.again.filter(|_| best.may_be_astray(&self.run)) {
            // What leads astray may be the words: they are left out.
            let second = pass(state, again, &[])?;
            if second.is_better_than(&best) {
                best = second;
            }
        }
        Ok(best.transcript(&self.run, utterance.offset_ms))
    }

    /// Hears silence, so that what the first utterance needs is in memory.
    pub(super) fn warm_up(
        &self,
        state: &mut WhisperState,
        threads: usize,
        gone: &CancellationToken,
    ) -> Result<(), WhisperError> {
        let language = &LanguageChoice::only(0);
        let silence = Speech::silence(SHORTEST);
        self.full(
            state,
            self.first,
            Given { speech: &silence, language, words: &[] },
            threads,
            gone,
        )
        .map(drop)
    }

    /// Runs whisper on `speech`, padded with silence to a second.
    fn full(
        &self,
        state: &mut WhisperState,
        effort: Effort,
        given: Given<'_>,
        threads: usize,
        gone: &CancellationToken,
    ) -> Result<Beginning, WhisperError> {
        let Given { speech, language, words } = given;
        let (samples, mut padded) = (speech.samples(), Vec::new());
        let samples = if samples.len() < SHORTEST {
            padded.extend_from_slice(samples);
            padded.resize(SHORTEST, 0.0);
            &padded
        } else {
            samples
        };
        let mut params = params::params(&self.run, effort, samples.len(), threads, words);
        let first_step = FirstStep {
            tokens: self.tokens,
            choice: language,
            words,
            ends: self.prompts.as_ref().map(|prompts| prompts.sentence_ends()),
            timestamps: !self.run.no_timestamps,
            most_no_speech: self.run.no_speech,
            threads: c_int::try_from(threads).unwrap_or(1),
            gone,
            found: Mutex::default(),
            ended: AtomicBool::default(),
        };
        #[expect(unsafe_code, reason = "C keeps a pointer to what accompanies the run")]
        // SAFETY: `first_step` lives until the end of this call, and the parameters are used here
        // only.
        unsafe {
            first_step.accompany(&mut params);
        }
        let done = state.full(params, samples);
        let found = first_step.found();
        if let Some(Beginning { no_speech, language }) = found {
            let id = language.map(|found| found.id);
            let probability = language.map(|found| f64::from(found.probability));
            let elsewhere = language.map(|found| f64::from(found.elsewhere));
            tracing::debug!(
                no_speech = f64::from(no_speech),
                id,
                probability,
                elsewhere,
                "heard the first step"
            );
        }
        match found {
            Some(found) if first_step.is_silent(found) => Ok(found),
            found => done.map(|()| found.unwrap_or_default()),
        }
    }
}

/// Samples that whisper gets at least: it ignores less than 100 ms, and hears words better that
/// are followed by silence.
const SHORTEST: usize = 16_000;
