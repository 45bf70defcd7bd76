//! Reads a whisper state after a run: from segments and tokens to a transcript.
//!
//! Times are shifted by the utterance's offset and never go past its end.

use whisper_rs::{WhisperSegment, WhisperState};

use super::params::Recipes;
use super::quality;
use crate::turn::{Personal, Segment, Transcript};

/// Collects what `state` heard in an utterance of `duration_ms` at `offset_ms`.
///
/// `no_speech_prob` is the lowest of the windows', since speech in one is speech, or 0 where
/// whisper does not report it. Without any segment it is 1: whisper.cpp drops the words of a window
/// it considers silent, and the number too. A model without timestamps has one segment: the
/// utterance.
pub(super) fn read(
    state: &WhisperState,
    recipes: &Recipes,
    offset_ms: f64,
    duration_ms: f64,
) -> Transcript {
    let mut bytes = Vec::new();
    let mut segments = Vec::new();
    let mut no_speech_prob = 1.0_f32;
    let mut logprobs = Logprobs::default();
    for heard in state.as_iter() {
        let reported = recipes.has_no_speech_prob().then(|| heard.no_speech_probability());
        no_speech_prob = no_speech_prob.min(reported.unwrap_or(0.0));
        logprobs.add(&heard);
        let words = heard.to_bytes().unwrap_or_default();
        // Joined as bytes: a character may begin in one segment and end in the next.
        bytes.extend_from_slice(words);
        let words = String::from_utf8_lossy(words);
        if !words.trim().is_empty() {
            let at = |centiseconds| offset_ms + ms(centiseconds).clamp(0.0, duration_ms);
            let (start_ms, end_ms) = if recipes.has_timestamps() {
                (at(heard.start_timestamp()), at(heard.end_timestamp()))
            } else {
                (offset_ms, offset_ms + duration_ms)
            };
            let text = words.trim().into();
            segments.push(Segment { start_ms, end_ms: end_ms.max(start_ms), text });
        }
    }
    let text = String::from_utf8_lossy(&bytes).trim().to_owned();
    let uncertain = quality::judge(&text, no_speech_prob, logprobs.mean(), recipes.sure_logprob());
    let language = whisper_rs::get_lang_str(state.full_lang_id_from_state()).unwrap_or("en");
    let language = language.into();
    let confidence = logprobs.mean().map(f32::exp);
    let text = Personal(text);
    Transcript {
        text,
        language,
        no_speech_prob,
        segments,
        uncertain,
        confidence,
        ..Transcript::default()
    }
}

#[expect(clippy::cast_precision_loss, reason = "whisper's times are at most minutes")]
fn ms(centiseconds: i64) -> f64 {
    centiseconds as f64 * 10.0
}

/// Computes the mean log-probability of all tokens, timestamps included, as whisper's own checks
/// do.
#[derive(Default)]
struct Logprobs {
    sum: f32,
    count: f32,
}

impl Logprobs {
    fn add(&mut self, segment: &WhisperSegment<'_>) {
        let tokens = (0..segment.n_tokens()).filter_map(|index| segment.get_token(index));
        for logprob in tokens.map(|token| token.token_data().plog).filter(|p| p.is_finite()) {
            self.sum += logprob;
            self.count += 1.0;
        }
    }

    fn mean(&self) -> Option<f32> {
        (self.count > 0.0).then(|| self.sum / self.count)
    }
}
