//! Reads the language and the chance of silence from the decoder's first step, before any word.
//!
//! whisper.cpp decides the language before it encodes, by a second pass of the encoder over the
//! whole window, and computes the chance of silence from the wrong row of logits wherever the prompt
//! has more than one token. Both stand in one decoder step over the start token alone. So that step
//! is made here, once the encoder has run, and the prompt is then decoded again in the language that
//! was found: one pass of the encoder, whatever the language.
//!
//! This relies on how whisper.cpp 1.8.3 begins to decode (`src/whisper.cpp` L7120-7180): it decodes
//! the prompt into sequence 0 of its cache, hands the logits of the prompt's last token to the logits
//! filter with no tokens before them, and copies the cache to the other beams only afterwards.

use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio_util::sync::CancellationToken;
use whisper_rs::whisper_rs_sys as sys;
use whisper_rs::{FullParams, WhisperContext, WhisperTokenId};

use super::language::{LanguageChoice, LanguageFound, Likelihoods};
use super::repeats::SentenceEnds;

/// Locates the special tokens of a model.
#[derive(Clone, Copy, Debug)]
pub(super) struct SpecialTokens {
    start: WhisperTokenId,
    /// The first language's; the others follow in whisper's order.
    first_language: WhisperTokenId,
    /// Number of languages; 0 if the model is for English only.
    languages: c_int,
    transcribe: WhisperTokenId,
    previous: WhisperTokenId,
    no_timestamps: WhisperTokenId,
    no_speech: WhisperTokenId,
    /// The first that is no word.
    end: WhisperTokenId,
    /// The beginning of the sound; the others follow, 20 ms apart.
    first_time: WhisperTokenId,
    count: usize,
}

impl SpecialTokens {
    pub(super) fn of(model: &WhisperContext, languages: c_int) -> Self {
        Self {
            start: model.token_sot(),
            first_language: model.token_lang(0),
            languages: if model.is_multilingual() { languages } else { 0 },
            transcribe: model.token_transcribe(),
            previous: model.token_prev(),
            no_timestamps: model.token_not(),
            no_speech: model.token_nosp(),
            end: model.token_eot(),
            first_time: model.token_beg(),
            count: usize::try_from(model.n_vocab()).unwrap_or_default(),
        }
    }

    /// Returns whether a token is a piece of the text.
    pub(super) fn is_word(self, token: WhisperTokenId) -> bool {
        token < self.end
    }

    /// Returns the time that a token says, from the start of the window.
    pub(super) fn time_ms(self, token: WhisperTokenId) -> Option<f64> {
        (token >= self.first_time).then(|| f64::from(token - self.first_time) * 20.0)
    }
}

/// Holds what the first step tells.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Beginning {
    /// Chance that nobody speaks, 0 to 1.
    pub(super) no_speech: f32,
    /// The language that is transcribed; `None` in a model for English only.
    pub(super) language: Option<LanguageFound>,
}

/// Accompanies one run of whisper: ends it when nobody waits or nobody spoke, and sets its language.
pub(super) struct FirstStep<'a> {
    pub(super) tokens: SpecialTokens,
    pub(super) choice: &'a LanguageChoice,
    /// Tokens of the words that may occur, as given to whisper.
    pub(super) words: &'a [WhisperTokenId],
    /// What sentences end with, so that none is said over and over; `None` keeps nothing from it.
    pub(super) ends: Option<&'a SentenceEnds>,
    pub(super) timestamps: bool,
    /// Chance of silence above which no word is decoded; `None`: the model tells none.
    pub(super) most_no_speech: Option<f32>,
    pub(super) threads: c_int,
    pub(super) gone: &'a CancellationToken,
    pub(super) found: Mutex<Option<Beginning>>,
    pub(super) ended: AtomicBool,
}

impl FirstStep<'_> {
    /// Has whisper call this before its first word and between its steps.
    ///
    /// # Safety
    /// `self` must outlive every run with `params`.
    #[expect(unsafe_code, reason = "whisper-rs has only raw callbacks here")]
    pub(super) unsafe fn accompany(&self, params: &mut FullParams<'_, '_>) {
        let this = std::ptr::from_ref(self).cast_mut().cast::<c_void>();
        // SAFETY: the callbacks read `this` as what it is; it is `Sync`, since ggml may ask from
        // threads of its own.
        unsafe {
            params.set_abort_callback(Some(is_over));
            params.set_abort_callback_user_data(this);
            if self.reads() || self.ends.is_some() {
                params.set_filter_logits_callback(Some(before_words));
                params.set_filter_logits_callback_user_data(this);
            }
        }
    }

    /// Returns whether the model tells anything in its first step.
    fn reads(&self) -> bool {
        self.tokens.languages > 0 || self.most_no_speech.is_some()
    }

    /// Returns what was found, once whisper has run.
    pub(super) fn found(&self) -> Option<Beginning> {
        *self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether nobody spoke.
    pub(super) fn is_silent(&self, found: Beginning) -> bool {
        self.most_no_speech.is_some_and(|most| found.no_speech > most)
    }

    /// Makes the first step, and the prompt's again in the language found; writes the logits of its
    /// end over `logits`. What is ruled out there (minus infinity) stays ruled out.
    #[expect(unsafe_code, reason = "whisper-rs wraps neither call for a state in a callback")]
    unsafe fn step(
        &self,
        model: *mut sys::whisper_context,
        state: *mut sys::whisper_state,
        logits: &mut [f32],
    ) -> Option<Beginning> {
        // Returns the logits after `tokens`, as the only sequence in the cache.
        let decode = |tokens: &[WhisperTokenId]| {
            let count = c_int::try_from(tokens.len()).ok()?;
            // SAFETY: whisper gave both pointers to this callback; no graph is being computed.
            let done = unsafe {
                sys::whisper_decode_with_state(
                    model,
                    state,
                    tokens.as_ptr(),
                    count,
                    0,
                    self.threads,
                )
            };
            if done != 0 {
                return None;
            }
            let last = (tokens.len() - 1) * self.tokens.count;
            // SAFETY: whisper holds a row of `count` logits for each token and fills the last one.
            // The copy ends before the next call, which overwrites them.
            Some(unsafe {
                let rows = sys::whisper_get_logits_from_state(state);
                std::slice::from_raw_parts(rows.add(last), self.tokens.count).to_vec()
            })
        };
        let start = decode(&[self.tokens.start])?;
        let no_speech = probability(&start, self.tokens.no_speech);
        let language = self.language(&start);
        let found = Beginning { no_speech, language };
        let prompt = self.prompt(language);
        if !self.is_silent(found) && prompt.len() > 1 {
            for (logit, own) in logits.iter_mut().zip(decode(&prompt)?) {
                if logit.is_finite() {
                    *logit = own;
                }
            }
        }
        Some(found)
    }

    fn language(&self, start: &[f32]) -> Option<LanguageFound> {
        let first = usize::try_from(self.tokens.first_language).ok()?;
        let count = usize::try_from(self.tokens.languages).ok()?;
        let logits = start.get(first..first + count)?;
        Likelihoods::of(logits).choose(self.choice)
    }

    /// Returns the tokens before the first word, as whisper itself puts them together
    /// (`src/whisper.cpp` L6983-7000, L7087-7117).
    fn prompt(&self, language: Option<LanguageFound>) -> Vec<WhisperTokenId> {
        let mut prompt = Vec::with_capacity(self.words.len() + 5);
        if !self.words.is_empty() {
            prompt.push(self.tokens.previous);
            prompt.extend_from_slice(self.words);
        }
        prompt.push(self.tokens.start);
        if let Some(language) = language {
            prompt.push(self.tokens.first_language + language.id);
            prompt.push(self.tokens.transcribe);
        }
        if !self.timestamps {
            prompt.push(self.tokens.no_timestamps);
        }
        prompt
    }
}

/// Computes the probability of one token.
fn probability(logits: &[f32], token: WhisperTokenId) -> f32 {
    let Some(own) = usize::try_from(token).ok().and_then(|at| logits.get(at)) else { return 0.0 };
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f32 = logits.iter().map(|logit| (logit - most).exp()).sum();
    (own - most).exp() / sum
}

/// Tells whisper between two of its steps whether to end.
extern "C" fn is_over(this: *mut c_void) -> bool {
    #[expect(unsafe_code, reason = "C passes user data as an untyped pointer")]
    // SAFETY: set together with this function in `FirstStep::accompany`, whose caller keeps it alive
    // until whisper returns.
    let this = unsafe { &*this.cast_const().cast::<FirstStep<'_>>() };
    this.gone.is_cancelled() || this.ended.load(Ordering::Relaxed)
}

/// Is called with the logits of every token: reads the beginning at the first, and keeps the others
/// from saying a sentence over and over.
extern "C" fn before_words(
    model: *mut sys::whisper_context,
    state: *mut sys::whisper_state,
    said: *const sys::whisper_token_data,
    count: c_int,
    logits: *mut f32,
    this: *mut c_void,
) {
    let Ok(count) = usize::try_from(count) else { return };
    #[expect(unsafe_code, reason = "C passes untyped and unmeasured pointers")]
    // SAFETY: as for `is_over`; whisper hands over `count` tokens, and one logit for each token of its
    // vocabulary.
    let (this, said, logits) = unsafe {
        let this = &*this.cast_const().cast::<FirstStep<'_>>();
        let said = if count > 0 { std::slice::from_raw_parts(said, count) } else { &[] };
        (this, said, std::slice::from_raw_parts_mut(logits, this.tokens.count))
    };
    if count > 0 {
        let words = said.iter().map(|token| token.id).filter(|token| this.tokens.is_word(*token));
        if let Some(ends) = this.ends {
            ends.discourage(words, logits);
        }
        return;
    }
    if !this.reads() {
        return;
    }
    #[expect(unsafe_code, reason = "see `FirstStep::step`")]
    // SAFETY: this is the thread that runs whisper, between two graphs.
    let found = unsafe { this.step(model, state, logits) };
    // Without a found language the words would be in another: better none.
    let silent = found.is_none_or(|found| this.is_silent(found));
    this.ended.store(silent, Ordering::Relaxed);
    *this.found.lock().unwrap_or_else(PoisonError::into_inner) = found;
}
