//! Reads a whisper state after a run: from segments and tokens to a transcript.
//!
//! Times are shifted by the utterance's offset and never go past its end.

use whisper_rs::WhisperState;

use super::first_step::{Beginning, SpecialTokens};
use super::quality;
use crate::models::manifest::RunStyle;
use crate::turn::{Personal, Segment, Transcript};

/// Holds what one run heard.
pub(super) struct Pass {
    text: String,
    segments: Vec<Segment>,
    found: Beginning,
    logprobs: Logprobs,
}

impl Pass {
    /// Returns whether the utterance is worth hearing again.
    pub(super) fn may_be_astray(&self, run: &RunStyle) -> bool {
        quality::may_be_astray(&self.text, self.logprobs.mean(), run)
    }

    /// Returns whether this hearing, the later one, is to be believed.
    pub(super) fn is_better_than(&self, other: &Self) -> bool {
        let astray = |pass: &Self| quality::repeats(&pass.text);
        match (astray(self), astray(other)) {
            (false, true) => true,
            (true, false) => false,
            _ => self.logprobs.mean() > other.logprobs.mean(),
        }
    }

    pub(super) fn transcript(self, run: &RunStyle) -> Transcript {
        let no_speech_prob = self.found.no_speech;
        let mean = self.logprobs.mean();
        let elsewhere = self.found.language.map_or(0.0, |found| found.elsewhere);
        let uncertain = quality::judge(&self.text, mean, elsewhere, run);
        let language = self.found.language.and_then(|found| whisper_rs::get_lang_str(found.id));
        Transcript {
            text: Personal(self.text),
            language: language.unwrap_or("en").into(),
            no_speech_prob,
            segments: self.segments,
            uncertain,
            confidence: mean.map(f32::exp),
            ..Transcript::default()
        }
    }
}

/// Collects what `state` heard in an utterance of `duration_ms` at `offset_ms`.
///
/// whisper's tokens of time part the segments. A model without them has one: the utterance.
pub(super) fn read(
    state: &WhisperState,
    tokens: SpecialTokens,
    found: Beginning,
    offset_ms: f64,
    duration_ms: f64,
) -> Pass {
    let mut reader = SegmentReader { offset_ms, ..SegmentReader::default() };
    for segment in state.as_iter() {
        for token in (0..segment.n_tokens()).filter_map(|index| segment.get_token(index)) {
            let data = token.token_data();
            reader.logprobs.add(data.plog);
            match tokens.time_ms(data.id) {
                Some(at_ms) => reader.time(at_ms.min(duration_ms)),
                None if tokens.is_word(data.id) => {
                    reader.open.extend_from_slice(token.to_bytes().unwrap_or_default());
                }
                None => {}
            }
        }
    }
    reader.time(duration_ms);
    let text = String::from_utf8_lossy(&reader.text).trim().to_owned();
    Pass { text, segments: reader.segments, found, logprobs: reader.logprobs }
}

/// Collects the segments of one utterance.
#[derive(Default)]
struct SegmentReader {
    offset_ms: f64,
    /// Joined as bytes: a character may begin in one token or segment and end in the next.
    text: Vec<u8>,
    segments: Vec<Segment>,
    logprobs: Logprobs,
    /// The words since `from_ms`.
    open: Vec<u8>,
    from_ms: f64,
}

impl SegmentReader {
    /// Ends the open segment and begins the next, `at_ms` after the start of the utterance.
    fn time(&mut self, at_ms: f64) {
        let words = String::from_utf8_lossy(&self.open);
        if !words.trim().is_empty() {
            let start_ms = self.offset_ms + self.from_ms;
            let end_ms = (self.offset_ms + at_ms).max(start_ms);
            self.segments.push(Segment { start_ms, end_ms, text: words.trim().into() });
        }
        self.text.append(&mut self.open);
        self.from_ms = at_ms;
    }
}

/// Computes the mean log-probability of all tokens, timestamps included, as whisper's own checks
/// do.
#[derive(Default)]
struct Logprobs {
    sum: f32,
    count: f32,
}

impl Logprobs {
    fn add(&mut self, logprob: f32) {
        if logprob.is_finite() {
            self.sum += logprob;
            self.count += 1.0;
        }
    }

    fn mean(&self) -> Option<f32> {
        (self.count > 0.0).then(|| self.sum / self.count)
    }
}
