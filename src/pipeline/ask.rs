//! One turn on the real engines, without a messenger and without a record.

use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use tokio_util::sync::CancellationToken;

use super::answer::Around;
use super::error::TurnError;
use super::hear::{Heard, Unheard, hint};
use super::problem::Problem;
use super::stage::Trace;
use super::{AgentSetup, VoicePath};
use crate::audio::OggOpus;
use crate::stt::LanguageHint;
use crate::turn::{NoteInfo, Outcome, Personal, ReplyText, StageRecord, Transcript, TurnReport};

/// What is asked.
pub enum Ask {
    /// Words.
    Text(String),
    /// An audio file's bytes.
    Audio(Bytes),
}

/// What came back.
pub struct Asked {
    /// As the outside sees it; `audio.path` is the caller's to fill in.
    pub report: TurnReport,
    /// The note, if the reply is spoken.
    pub note: Option<OggOpus>,
}

/// What was heard in one file.
pub struct Transcribed {
    /// The words, none if there is no speech; the error is a sentence for the caller.
    pub heard: Result<Transcript, String>,
    /// Length of the audio, if it could be decoded.
    pub audio_ms: Option<f64>,
}

impl VoicePath {
    /// Answers one message that was asked at `now_ms`, Unix time. A problem with the message is an
    /// answer too.
    ///
    /// # Errors
    /// When an engine failed; the turn's own answer would be the fallback sentence.
    pub async fn ask(
        &self,
        agent: &AgentSetup,
        ask: Ask,
        now_ms: i64,
        trace: &Trace,
    ) -> Result<Asked, TurnError> {
        let cancel = CancellationToken::new();
        let heard = match ask {
            Ask::Text(text) => Ok(Heard::written(agent, Personal(text), None)),
            Ask::Audio(bytes) => {
                let audio = stream::iter([Ok(bytes)]).boxed();
                self.hear(agent, audio, None, trace, &cancel).await
            }
        };
        match heard {
            Ok(heard) => {
                let around = Around { asked_ms: now_ms, ..Around::default() };
                let reply = self.answer(agent, &heard, around, trace, &cancel).await?;
                let (note, audio) = reply.note.unzip();
                let outcome = match &note {
                    _ if reply.asks_back.is_some() => Outcome::Question,
                    Some(_) => Outcome::VoiceNote,
                    None => Outcome::Text,
                };
                let report = report(trace, heard.transcript, reply.text, audio, outcome)
                    .because(reply.reason.or(reply.asks_back));
                Ok(Asked { report, note })
            }
            Err(Unheard::Problem(problem)) => {
                Ok(Asked { report: tell(trace, agent, &problem), note: None })
            }
            Err(Unheard::Failed(error)) => Err(error),
        }
    }

    /// Speaks a text into a note, as `hark say` does; `None` if it has no words.
    ///
    /// # Errors
    /// When the synthesiser or the encoder failed.
    pub async fn speak(
        &self,
        agent: &AgentSetup,
        text: &str,
        trace: &Trace,
    ) -> Result<Option<(OggOpus, NoteInfo)>, TurnError> {
        let language = agent.languages.of_text(text, None);
        self.say(agent, text, &language, trace).await
    }

    /// Hears one file, as `hark transcribe` does; `language` is known or the agent's.
    pub async fn transcribe(
        &self,
        agent: &AgentSetup,
        bytes: Bytes,
        language: Option<String>,
        trace: &Trace,
    ) -> Transcribed {
        let cancel = CancellationToken::new();
        let hint = language.map_or_else(|| hint(&agent.languages, None), LanguageHint::Known);
        let audio = stream::iter([Ok(bytes)]).boxed();
        let (audio_ms, heard) = match self.listen(audio, trace).await {
            Ok(listened) => {
                let audio_ms = Some(listened.audio_ms);
                (audio_ms, self.understand(agent, listened, hint, trace, &cancel).await)
            }
            Err(error) => (None, Err(error.into())),
        };
        let heard = match heard {
            Ok(transcript) => Ok(transcript),
            // No words are a result, not a failure.
            Err(Unheard::Problem(Problem::NoSpeech)) => Ok(Transcript::default()),
            Err(Unheard::Problem(problem)) => Err(problem.reason()),
            Err(Unheard::Failed(error)) => Err(error.to_string()),
        };
        Transcribed { heard, audio_ms }
    }
}

/// The report of a turn that tells what is wrong with the message.
fn tell(trace: &Trace, agent: &AgentSetup, problem: &Problem) -> TurnReport {
    let language = agent.languages.without_words(None);
    let text = problem.phrase(&agent.phrases).in_language(&language).to_owned();
    report(trace, None, text, None, problem.outcome()).because(Some(problem.reason()))
}

/// Closes the trace into a report.
pub(super) fn report(
    trace: &Trace,
    transcript: Option<Transcript>,
    text: String,
    audio: Option<NoteInfo>,
    outcome: Outcome,
) -> TurnReport {
    let total_ms = trace.elapsed_ms();
    let stages: Vec<StageRecord> = trace.records();
    TurnReport {
        transcript,
        reply: ReplyText { text },
        audio,
        overhead_ms: TurnReport::overhead(total_ms, &stages),
        stages,
        total_ms,
        outcome,
        reason: None,
    }
}

impl TurnReport {
    /// The same report with a reason.
    pub(super) fn because(mut self, reason: Option<String>) -> Self {
        self.reason = reason;
        self
    }

    /// Moves the end of the turn to now.
    pub fn close(&mut self, trace: &Trace) {
        self.total_ms = trace.elapsed_ms();
        self.overhead_ms = Self::overhead(self.total_ms, &self.stages);
    }
}
