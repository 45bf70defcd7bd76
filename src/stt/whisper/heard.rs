//! Reads a whisper state after a run: from tokens to a transcript.
//!
//! Sounds that whisper writes down are no words. Times are those of the note.

use whisper_rs::WhisperState;

use super::first_step::{Beginning, SpecialTokens};
use crate::audio::Excerpt;
use crate::models::manifest::RunStyle;
use crate::stt::words::{self, WordsHeard};
use crate::turn::{Personal, Segment, Transcript, Uncertainty};

/// Returns what is heard where no one speaks.
pub(super) fn nobody() -> Transcript {
    let uncertain = Some(Uncertainty::NoSpeech);
    Transcript { no_speech_prob: 1.0, uncertain, ..Transcript::default() }
}

/// Holds what one run heard.
pub(super) struct Pass<'a> {
    excerpt: &'a Excerpt,
    found: Beginning,
    /// Joined as bytes: a character may begin in one token or segment and end in the next.
    text: Vec<u8>,
    /// Times are those of the excerpt.
    segments: Vec<Segment>,
    logprobs: Logprobs,
}

impl<'a> Pass<'a> {
    /// Collects what `state` heard in `excerpt`. whisper's tokens of time part the segments; a model
    /// without them has one.
    pub(super) fn read(
        state: &WhisperState,
        tokens: SpecialTokens,
        found: Beginning,
        excerpt: &'a Excerpt,
    ) -> Self {
        let (text, segments, logprobs) = (Vec::new(), Vec::new(), Logprobs::default());
        let mut this = Self { excerpt, found, text, segments, logprobs };
        let (mut words, mut from_ms) = (Vec::new(), 0.0);
        for segment in state.as_iter() {
            for token in (0..segment.n_tokens()).filter_map(|index| segment.get_token(index)) {
                let data = token.token_data();
                this.logprobs.add(data.plog);
                if let Some(at_ms) = tokens.time_ms(data.id) {
                    this.segment(&mut words, from_ms, at_ms);
                    from_ms = at_ms;
                } else if tokens.is_word(data.id) {
                    words.extend_from_slice(token.to_bytes().unwrap_or_default());
                }
            }
        }
        this.segment(&mut words, from_ms, f64::INFINITY);
        this
    }

    /// Takes `words` as a segment.
    fn segment(&mut self, words: &mut Vec<u8>, start_ms: f64, end_ms: f64) {
        let text = String::from_utf8_lossy(words);
        if !text.is_empty() {
            self.segments.push(Segment { start_ms, end_ms, text: Personal(text.into_owned()) });
        }
        self.text.append(words);
    }

    /// Returns whether the chance of silence left it without words.
    pub(super) fn is_silent(&self, run: &RunStyle) -> bool {
        run.no_speech.is_some_and(|most| self.found.no_speech > most)
    }

    /// Returns whether the utterance is worth hearing again.
    pub(super) fn may_be_astray(&self, run: &RunStyle) -> bool {
        let text = self.text();
        words::may_be_astray(&self.words(&text), run)
    }

    /// Returns whether this hearing, the later one, is to be believed.
    pub(super) fn is_better_than(&self, other: &Self) -> bool {
        let impossible = |pass: &Self| words::cannot_be(&pass.words(&pass.text()));
        match (impossible(self), impossible(other)) {
            (false, true) => true,
            (true, false) => false,
            _ => self.logprobs.mean() > other.logprobs.mean(),
        }
    }

    /// Returns the transcript, of an utterance at `offset_ms` in its note.
    pub(super) fn transcript(mut self, run: &RunStyle, offset_ms: f64) -> Transcript {
        let text = self.text();
        let uncertain = words::judge(&self.words(&text), run);
        let said: Vec<&str> = self.segments.iter().map(|part| part.text.reveal()).collect();
        let said = words::segments_without_sounds(&said);
        for (segment, said) in self.segments.iter_mut().zip(said) {
            segment.text = Personal(said);
            segment.start_ms = offset_ms + self.excerpt.ms_in_whole(segment.start_ms);
            segment.end_ms = offset_ms + self.excerpt.ms_in_whole(segment.end_ms);
        }
        self.segments.retain(|segment| !segment.text.reveal().is_empty());
        let language = self.found.language.and_then(|found| whisper_rs::get_lang_str(found.id));
        Transcript {
            text: Personal(words::without_sounds(&text)),
            language: language.unwrap_or("en").into(),
            no_speech_prob: self.found.no_speech,
            segments: self.segments,
            uncertain,
            confidence: self.logprobs.mean().map(f32::exp),
            ..Transcript::default()
        }
    }

    /// Returns the words, as whisper wrote them.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.text).trim().to_owned()
    }

    fn words<'b>(&self, text: &'b str) -> WordsHeard<'b> {
        WordsHeard {
            text,
            seconds: self.excerpt.speech().duration_ms() / 1000.0,
            tokens: self.logprobs.count.into(),
            no_speech: self.found.no_speech,
            logprob: self.logprobs.mean(),
            elsewhere: self.found.language.map_or(0.0, |found| found.elsewhere),
        }
    }
}

/// Computes the mean log-probability of all tokens, timestamps included, as whisper's own checks
/// do.
#[derive(Default)]
struct Logprobs {
    sum: f32,
    /// A window has at most 448.
    count: u16,
}

impl Logprobs {
    fn add(&mut self, logprob: f32) {
        if logprob.is_finite() {
            self.sum += logprob;
            self.count = self.count.saturating_add(1);
        }
    }

    fn mean(&self) -> Option<f32> {
        (self.count > 0).then(|| self.sum / f32::from(self.count))
    }
}
