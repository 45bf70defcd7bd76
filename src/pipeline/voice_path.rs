//! One turn on the real engines, without a messenger and without a record.

use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use tokio_util::sync::CancellationToken;

use super::answer::{Around, answer};
use super::error::TurnError;
use super::hear::{Heard, hear, hint};
use super::listen::{Listened, listen};
use super::problem::Problem;
use super::reply::say;
use super::stage::Trace;
use super::{AgentSetup, Scene, SoundMemory};
use crate::audio::{AudioLimits, OggOpus};
use crate::store::History;
use crate::stt::LanguageHint;
use crate::threads::Threads;
use crate::turn::{Exchange, LanguageCode, NoteInfo, Personal, Transcript, TurnReport};
use crate::written::Redaction;

/// Hears and speaks, without a messenger or a record: `hark ask` needs no more.
pub struct VoicePath {
    /// Threads for decoding, in slices that people take turns at.
    pub decoders: Threads,
    /// Threads for encoding and for looking things up: no stranger's note delays a reply.
    pub encoders: Threads,
    /// Room for sound that waits.
    pub memory: SoundMemory,
    /// What may come in.
    pub limits: AudioLimits,
    /// What is taken out of what was heard.
    pub redaction: Redaction,
}

/// Holds what is asked.
pub enum Ask {
    /// Words.
    Text(String),
    /// An audio file's bytes.
    Audio(Bytes),
}

/// Holds what came back.
pub struct Asked {
    /// As the outside sees it; `audio.path` is the caller's to fill in.
    pub report: TurnReport,
    /// The note, if the reply is spoken.
    pub note: Option<OggOpus>,
}

/// Holds what was heard in one file.
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
        self.ask_after(agent, ask, Vec::new(), now_ms, trace).await
    }

    /// Answers one message of a conversation, whose earlier exchanges come oldest first.
    ///
    /// # Errors
    /// As [`VoicePath::ask`].
    pub async fn ask_after(
        &self,
        agent: &AgentSetup,
        ask: Ask,
        exchanges: Vec<Exchange>,
        now_ms: i64,
        trace: &Trace,
    ) -> Result<Asked, TurnError> {
        let cancel = CancellationToken::new();
        let scene = Scene::alone(self, agent, trace, &cancel);
        let heard = match ask {
            Ask::Text(text) => Ok(Heard::written(agent, Personal(text), None)),
            Ask::Audio(bytes) => hear(scene, stream::iter([Ok(bytes)]).boxed(), None).await,
        };
        let heard = match heard {
            Ok(heard) => heard,
            Err(error) => {
                let problem = Problem::from_cause(&error.cause).ok_or(error)?;
                let language = agent.languages.without_words(None);
                let text = problem.phrase(&agent.phrases).in_language(&language);
                let report =
                    trace.report(Personal::from(text), problem.outcome(), Some(problem.reason()));
                return Ok(Asked { report, note: None });
            }
        };
        let history = History { exchanges, ..History::default() };
        let around = Around { asked_ms: now_ms, history, ..Around::default() };
        let reply = answer(scene, &heard, &around).await?;
        let (report, note) = reply.report(trace, heard.transcript);
        Ok(Asked { report, note })
    }

    /// Speaks a text into a note, as `hark say` does; `None` if it has no words.
    ///
    /// # Errors
    /// When the synthesizer or the encoder failed.
    pub async fn speak(
        &self,
        agent: &AgentSetup,
        text: &str,
        trace: &Trace,
    ) -> Result<Option<(OggOpus, NoteInfo)>, TurnError> {
        let language = agent.languages.of_text(text, None);
        let cancel = CancellationToken::new();
        say(Scene::alone(self, agent, trace, &cancel), text, &language).await
    }

    /// Transcribes one file, as `hark transcribe` does; `language` is known or the agent's.
    pub async fn transcribe(
        &self,
        agent: &AgentSetup,
        bytes: Bytes,
        language: Option<LanguageCode>,
        trace: &Trace,
    ) -> Transcribed {
        let cancel = CancellationToken::new();
        let scene = Scene::alone(self, agent, trace, &cancel);
        let hint = language.map_or_else(|| hint(&agent.languages, None), LanguageHint::Known);
        let audio = stream::iter([Ok(bytes)]).boxed();
        let Listened { audio_ms, heard } = listen(scene, audio, &hint).await;
        let heard = heard.or_else(|error| match Problem::from_cause(&error.cause) {
            // No words are a result, not a failure.
            Some(Problem::NoSpeech) => Ok(Transcript::default()),
            Some(problem) => Err(problem.reason().to_string()),
            None => Err(error.to_string()),
        });
        Transcribed { heard, audio_ms }
    }
}
