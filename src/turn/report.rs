//! What one turn did: what was heard and answered, how it ended and how long it took.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::words::words;
use super::{
    Extra, LanguageCode, PassageSource, Personal, Reason, Spent, Stage, StageRecord, TicketReason,
    ToolUse,
};

/// Holds what one turn did: the object that `ask`, `demo`, `bench` and `turns` print.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TurnReport {
    /// What was heard; `None` for written messages and for audio that could not be heard.
    pub transcript: Option<Transcript>,
    /// What was answered.
    pub reply: ReplyText,
    /// What the person was told before that: that a machine speaks; `None` if they knew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disclosure: Option<String>,
    /// The voice note; `None` when the reply went as text.
    pub audio: Option<NoteInfo>,
    /// Which engines heard, answered and spoke; left out of the JSON if none did.
    #[serde(default, skip_serializing_if = "EnginesUsed::is_empty")]
    pub engines: EnginesUsed,
    /// Which tools were called, in the order of their ends; left out of the JSON if none was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<ToolUse>,
    /// Where what the agent knows of the question is from, the best first; left out of the JSON if
    /// nothing was found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<PassageSource>,
    /// When each stage worked.
    pub stages: Vec<StageRecord>,
    /// From lease or input read to send answered or file closed.
    pub total_ms: f64,
    /// `total_ms` minus the union of the external stages, and minus `burst_ms`.
    pub overhead_ms: f64,
    /// How long nothing was done but to wait for more of the same person; left out of the JSON if that
    /// was not waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burst_ms: Option<f64>,
    /// What it cost. Not part of the JSON; the record keeps it in its own column.
    #[serde(skip)]
    pub spent: Spent,
    /// Why it opens a ticket, if a rule says so. Not part of the JSON; the record keeps it in its own
    /// column.
    #[serde(skip)]
    pub ticket: Option<TicketReason>,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it ended other than with the reply that was wanted.
    pub reason: Option<Reason>,
}

impl TurnReport {
    /// Computes the overhead: `total_ms` minus the union of all external intervals.
    pub fn overhead(total_ms: f64, stages: &[StageRecord]) -> f64 {
        (total_ms - at_work(stages, Stage::is_external)).max(0.0)
    }

    /// Returns how long each stage was at work, in the order of the path: intervals that overlap
    /// count once.
    pub fn stage_times(&self) -> Vec<(Stage, f64)> {
        let stages: BTreeSet<Stage> = self.stages.iter().map(|record| record.name).collect();
        let time = |stage| (stage, at_work(&self.stages, |name| name == stage));
        stages.into_iter().map(time).collect()
    }

    /// Returns all that the person is told, as it is written.
    pub fn words(&self) -> String {
        let reply = self.reply.text.reveal();
        match &self.disclosure {
            Some(told) if reply.is_empty() => told.clone(),
            Some(told) => format!("{told}\n\n{reply}"),
            None => reply.to_owned(),
        }
    }

    /// Moves the end of the turn to `total_ms` after its start.
    pub fn end_at(&mut self, total_ms: f64) {
        self.total_ms = total_ms;
        let burst_ms = self.burst_ms.unwrap_or_default();
        self.overhead_ms = Self::overhead(total_ms - burst_ms, &self.stages);
    }
}

/// Returns the milliseconds in which any of the `wanted` stages was at work.
fn at_work(stages: &[StageRecord], wanted: impl Fn(Stage) -> bool) -> f64 {
    let wanted = stages.iter().filter(|record| wanted(record.name));
    let mut spans: Vec<(f64, f64)> = wanted.map(|span| (span.start_ms, span.end_ms)).collect();
    spans.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut covered, mut until) = (0.0, f64::NEG_INFINITY);
    for (start, end) in spans {
        if end > until {
            covered += end - start.max(until);
            until = end;
        }
    }
    covered
}

/// Holds what was replied.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReplyText {
    /// The complete words, as written.
    pub text: Personal,
    /// What was given beside them, in order; left out of the JSON if there is nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extras: Vec<Extra>,
    /// Why the agent wants a person to take over, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_ticket: Option<Personal>,
}

impl From<Personal> for ReplyText {
    fn from(text: Personal) -> Self {
        Self { text, ..Self::default() }
    }
}

impl ReplyText {
    /// Writes it as its agent did: its words, or an object of the reply format, words first.
    pub fn as_given(&self) -> Personal {
        if self.extras.is_empty() && self.open_ticket.is_none() {
            return self.text.clone();
        }
        let mut given = vec![("say".to_owned(), json!(self.text))];
        for extra in &self.extras {
            let Ok(Value::Object(one)) = serde_json::to_value(extra) else { continue };
            for (key, value) in one {
                match given.iter_mut().find(|(known, _)| *known == key) {
                    Some((_, Value::Array(files))) if key == "media" => files.push(value),
                    _ if key == "media" => given.push((key, json!([value]))),
                    _ => given.push((key, value)),
                }
            }
        }
        let reason = self.open_ticket.as_ref();
        given.extend(reason.map(|reason| ("open_ticket".to_owned(), json!({ "reason": reason }))));
        let members: Vec<String> =
            given.iter().map(|(key, value)| format!("{}:{value}", json!(key))).collect();
        Personal(format!("{{{}}}", members.join(",")))
    }
}

/// Describes the voice note of a reply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoteInfo {
    /// Where the file was written; `None` when it only went to the provider.
    pub path: Option<String>,
    /// Size of the file.
    pub bytes: u64,
    /// Length without pre-skip.
    pub duration_ms: f64,
    /// Mean bit rate of the file, bit/s.
    pub bitrate: u64,
}

impl NoteInfo {
    /// Describes a file of so many bytes that is not on disk; its bit rate is 0 without sound.
    pub fn of_file(bytes: usize, duration_ms: f64) -> Self {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a note is far below 2^52 bits, and no number is 0"
        )]
        let bitrate = (bytes as f64 * 8000.0 / duration_ms.max(1.0)) as u64;
        let bitrate = if duration_ms > 0.0 { bitrate } else { 0 };
        Self { path: None, bytes: bytes as u64, duration_ms, bitrate }
    }
}

/// Names the engines that heard, answered and spoke in one turn, each once, in the order of their first work.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnginesUsed {
    /// Those that heard.
    #[serde(default)]
    pub stt: Vec<String>,
    /// The language models that answered, those of a server; left out of the JSON if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub llm: Vec<String>,
    /// Those that spoke.
    #[serde(default)]
    pub tts: Vec<String>,
}

impl EnginesUsed {
    /// Returns whether no engine worked.
    pub fn is_empty(&self) -> bool {
        self.stt.is_empty() && self.llm.is_empty() && self.tts.is_empty()
    }

    /// Notes that an engine heard.
    pub fn heard_by(&mut self, engine: &str) {
        note(&mut self.stt, engine);
    }

    /// Notes that a language model answered.
    pub fn answered_by(&mut self, engine: &str) {
        note(&mut self.llm, engine);
    }

    /// Notes that an engine spoke.
    pub fn spoken_by(&mut self, engine: &str) {
        note(&mut self.tts, engine);
    }

    /// Adds those of an earlier attempt.
    pub fn add(&mut self, other: &Self) {
        other.stt.iter().for_each(|engine| self.heard_by(engine));
        other.llm.iter().for_each(|engine| self.answered_by(engine));
        other.tts.iter().for_each(|engine| self.spoken_by(engine));
    }
}

fn note(engines: &mut Vec<String>, engine: &str) {
    if !engines.iter().any(|known| known == engine) {
        engines.push(engine.to_owned());
    }
}

words! {
    /// Says how a turn ended for the person.
    pub enum Outcome {
        /// A voice note was sent.
        VoiceNote = "voice_note",
        /// The reply, or a sentence naming a problem, was sent as text.
        Text = "text",
        /// A question back was sent: nothing was heard, or not surely.
        Question = "question",
        /// The fallback sentence was sent.
        Fallback = "fallback",
        /// A person has the conversation: the agent said nothing.
        Ticket = "ticket",
        /// Nothing could be delivered; `reason` says why.
        Failed = "failed",
    }
}

/// Holds a span of a transcript with its place in the audio.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// Start in the audio.
    pub start_ms: f64,
    /// End in the audio.
    pub end_ms: f64,
    /// The words.
    pub text: Personal,
}

/// Holds what was heard in one message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Transcript {
    /// The words, trimmed.
    pub text: Personal,
    /// The language, e.g. `en`; unknown without speech.
    pub language: LanguageCode,
    /// Probability that there was no speech, 0 to 1.
    pub no_speech_prob: f32,
    /// The transcript in pieces.
    pub segments: Vec<Segment>,
    /// Bytes of the audio in which there may be sound that could not be heard; left out of the JSON
    /// if there are none.
    #[serde(default, skip_serializing_if = "is_none")]
    pub unheard_bytes: u64,
    /// Why the words may be wrong, if a check failed. Not part of the JSON; the report's reason
    /// says it.
    #[serde(skip)]
    pub uncertain: Option<Uncertainty>,
    /// Mean probability of the words, 0 to 1, where the engine tells it. Not part of the JSON.
    #[serde(skip)]
    pub confidence: Option<f32>,
    /// Which engine of several heard it. Not part of the JSON; the report's `engines` say it.
    #[serde(skip)]
    pub by: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_none(bytes: &u64) -> bool {
    *bytes == 0
}

words! {
    /// Names the check that marked a transcript as uncertain.
    pub enum Uncertainty {
        /// The model thinks there may have been no speech.
        NoSpeech = "no_speech",
        /// The mean log-probability of the tokens is low.
        LowProbability = "low_probability",
        /// The text repeats itself.
        Repetition = "repetition",
        /// The model is not made for such speech.
        BeyondModel = "beyond_model",
        /// It was in a language that the agent does not speak.
        OtherLanguage = "other_language",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::turn::MediaKind;

    #[test]
    fn a_reply_is_written_as_it_was_given() {
        let mut reply = ReplyText::from(Personal::from("At nine."));
        assert_eq!(reply.as_given(), "At nine.");
        assert_eq!(serde_json::to_string(&reply).unwrap(), r#"{"text":"At nine."}"#);
        let file =
            |url: &str| Extra::Media { kind: MediaKind::Image, url: url.into(), caption: None };
        reply.extras = vec![file("a.png"), Extra::Reaction("👍".into()), file("b.png")];
        reply.open_ticket = Some("angry".into());
        let given = reply.as_given();
        assert!(given.reveal().starts_with(r#"{"say":"At nine.","media":[{"#));
        let given: Value = serde_json::from_str(given.reveal()).unwrap();
        let file = |url: &str| json!({ "kind": "image", "url": url, "caption": null });
        let expected = json!({
            "say": "At nine.", "reaction": "👍", "media": [file("a.png"), file("b.png")],
            "open_ticket": { "reason": "angry" },
        });
        assert_eq!(given, expected);
    }

    #[test]
    fn overhead_leaves_out_overlapping_engine_time_once() {
        let record = |name, start_ms, end_ms| StageRecord { name, start_ms, end_ms };
        let stages = [
            record(Stage::Llm, 10.0, 60.0),
            record(Stage::Tts, 40.0, 80.0),
            record(Stage::Encode, 50.0, 95.0),
            record(Stage::Llm, 45.0, 50.0),
            record(Stage::Send, 97.0, 100.0),
        ];
        assert!((TurnReport::overhead(100.0, &stages) - 27.0).abs() < 1e-9);
    }
}
