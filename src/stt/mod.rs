//! Speech to text: the port, and the engines behind it.
//!
//! Sits between the segmenter and the agent. An engine never sees a message, a contact or a file:
//! it gets 16 kHz speech and gives words.

pub mod scripted;
pub mod whisper;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use crate::audio::Speech;
use crate::engine::{Check, EngineSettings, EngineUser, Wrong, engines};
use crate::turn::{Retry, Transcript};

/// Which note an utterance came from: the SHA-256 of the note's bytes.
///
/// Only the scripted transcriber looks at it, to know a fixture again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NoteKey(pub [u8; 32]);

impl NoteKey {
    /// The key of the note with these bytes.
    pub fn of(note: &[u8]) -> Self {
        Self(Sha256::digest(note).into())
    }
}

/// What is known of the language of an utterance; ISO 639-1 codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LanguageHint {
    /// It is this one.
    Known(String),
    /// It is to be found out.
    Guess {
        /// What it probably is: saves time where it is right.
        likely: Option<String>,
        /// What it may be; empty for anything.
        among: Vec<String>,
    },
}

impl LanguageHint {
    /// Nothing is known.
    pub const ANY: Self = Self::Guess { likely: None, among: Vec::new() };
}

/// One stretch of speech, at most 30 s, cut by the segmenter.
#[derive(Clone, Debug)]
pub struct Utterance {
    /// The samples.
    pub speech: Speech,
    /// Where it starts in the message, added to the times of the segments.
    pub offset_ms: f64,
    /// What is known of the language spoken.
    pub language: LanguageHint,
    /// The note it was cut from, where the caller has its bytes.
    pub note: Option<NoteKey>,
    /// Whether it is the first utterance of its message.
    pub first: bool,
}

/// Turns one utterance into text.
#[async_trait]
pub trait Transcriber: Send + Sync {
    /// Name used in spans, metrics and bench ids, e.g. `whisper/ggml-tiny`.
    fn name(&self) -> &str;

    /// Whether it understands `language`, a code such as `en`, `pt` or `pt-BR`.
    fn knows(&self, _language: &str) -> bool {
        true
    }

    /// Runs one silent utterance on every state; awaited before the service is ready.
    async fn warm_up(&self) -> Result<(), SttError> {
        Ok(())
    }

    /// Transcribes; segment times include the utterance's offset.
    ///
    /// # Errors
    /// `Busy` may be retried; every other variant is final for this audio.
    async fn transcribe(
        &self,
        utterance: Utterance,
        cancel: &CancellationToken,
    ) -> Result<Transcript, SttError>;
}

/// Why an utterance was not transcribed.
#[derive(Debug, thiserror::Error)]
pub enum SttError {
    /// The workers' queue is full: try again later.
    #[error("transcriber is busy")]
    Busy,
    /// The turn is gone: nobody waits for the text.
    #[error("transcription was cancelled")]
    Cancelled,
    /// The engine failed on this audio: answer with the fallback.
    #[error("transcription failed: {0}")]
    Engine(String),
}

impl SttError {
    /// When the same audio may be tried again.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Busy => Retry::After(std::time::Duration::from_secs(2)),
            Self::Cancelled | Self::Engine(_) => Retry::Never,
        }
    }
}

engines! {
    /// Lists the engines that hear.
    pub SttEngine: "stt" + "language", dyn SttSettings {
        /// whisper.cpp.
        "whisper" => Whisper(whisper::Settings),
        /// Given texts.
        "scripted" => Scripted(scripted::Settings),
    }
}

/// Holds what the machine and the run offer to a transcriber.
#[derive(Clone, Debug, Default)]
pub struct SttDeps {
    /// `HARK_MODELS`.
    pub hark_models: Option<PathBuf>,
    /// The user's cache folder.
    pub cache: Option<PathBuf>,
    /// Texts of notes that the scripted transcriber knows.
    pub known: HashMap<NoteKey, String>,
}

/// Makes a transcriber of an engine's settings, and looks at what it needs.
#[async_trait]
pub trait SttSettings: EngineSettings + Send + Sync {
    /// Builds the transcriber. May block for seconds while a model is loaded.
    ///
    /// # Errors
    /// A key that names something that is not there or cannot be used.
    fn build(&self, deps: &SttDeps) -> Result<Arc<dyn Transcriber>, Wrong>;

    /// Adds to `check` what the doctor should say of the engine; `users` is not empty.
    async fn examine(&self, users: &[EngineUser], deps: &Arc<SttDeps>, check: &mut Check);
}
