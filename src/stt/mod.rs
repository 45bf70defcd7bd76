//! Defines speech to text: the port, and its engines.
//!
//! Sits between the segmenter and the agent. An engine never sees a message, a contact or a file:
//! it takes 16 kHz speech and returns words.

mod error;
pub mod fallback;
pub mod openai;
pub mod scripted;
mod vocabulary;
pub mod wer;
pub mod whisper;
mod words;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::audio::Speech;
use crate::engine::{Check, Connect, EngineSettings, EngineUser, Wrong, engines};
use crate::turn::{LanguageCode, Talker, Transcript};

pub use error::SttError;
pub use vocabulary::Vocabulary;

/// Identifies the note an utterance came from: the SHA-256 of the note's bytes.
///
/// Only the scripted transcriber uses it, to recognise a fixture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NoteKey(pub [u8; 32]);

impl NoteKey {
    /// Computes the key of a note from its bytes.
    pub fn from_note(note: &[u8]) -> Self {
        Self(Sha256::digest(note).into())
    }
}

/// Tells which note an utterance came from, once all its bytes are there.
#[derive(Clone, Debug)]
pub struct NoteTag(pub watch::Receiver<Option<NoteKey>>);

impl NoteTag {
    /// Waits for the key; `None` if the note never came to its end.
    pub async fn key(&self) -> Option<NoteKey> {
        let mut tag = self.0.clone();
        tag.wait_for(Option::is_some).await.ok().and_then(|key| *key)
    }
}

/// Says what is known of the language of an utterance; ISO 639-1 codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LanguageHint {
    /// The language is this one.
    Known(LanguageCode),
    /// The engine has to detect it.
    Guess {
        /// The probable language: saves time if it is right.
        likely: Option<LanguageCode>,
        /// The possible languages; empty for any.
        among: Vec<LanguageCode>,
    },
}

impl LanguageHint {
    /// Nothing is known.
    pub const ANY: Self = Self::Guess { likely: None, among: Vec::new() };

    /// Returns the language if there is only one that it can be.
    #[must_use]
    pub fn sure(&self) -> Option<&LanguageCode> {
        match self {
            Self::Known(language) => Some(language),
            Self::Guess { among, .. } => among.first().filter(|_| among.len() == 1),
        }
    }
}

/// Holds one stretch of speech, at most 30 s, cut by the segmenter.
#[derive(Clone, Debug)]
pub struct Utterance {
    /// The samples.
    pub speech: Speech,
    /// Start in the message, added to the times of the segments.
    pub offset_ms: f64,
    /// The language spoken, as far as known.
    pub language: LanguageHint,
    /// The note it was cut from, where the caller reads one.
    pub note: Option<NoteTag>,
    /// Whether it is the first utterance of its message.
    pub first: bool,
    /// Who speaks, where others may wait; a command's own files have none.
    pub talker: Option<Talker>,
    /// Words that may be said.
    pub vocabulary: Vocabulary,
}

impl Utterance {
    /// Makes an utterance that is all of a message, of which nothing else is known.
    pub fn alone(speech: Speech, language: LanguageHint) -> Self {
        let vocabulary = Vocabulary::default();
        let (note, talker) = (None, None);
        Self { speech, offset_ms: 0.0, language, note, first: true, talker, vocabulary }
    }
}

/// Turns one utterance into text.
#[async_trait]
pub trait Transcriber: Send + Sync {
    /// Returns the name used in spans, metrics and bench ids, e.g. `whisper/ggml-tiny`.
    fn name(&self) -> &str;

    /// Returns the engines it is made of, if it is several.
    fn members(&self) -> Vec<&dyn Transcriber> {
        Vec::new()
    }

    /// Returns what it computes on, if that is this machine's: `cpu`, or a graphics card.
    fn device(&self) -> Option<&str> {
        None
    }

    /// Returns whether it understands `language`, a code such as `en`, `pt` or `pt-BR`.
    fn knows(&self, _language: &LanguageCode) -> bool {
        true
    }

    /// Returns those words of the agent's own list that it has no room for.
    fn cut<'a>(&self, _vocabulary: &'a Vocabulary) -> Vec<&'a str> {
        Vec::new()
    }

    /// Returns the codes of the languages it understands; empty for any.
    fn languages(&self) -> Vec<LanguageCode> {
        Vec::new()
    }

    /// Runs one silent utterance on every state; awaited before the service is ready.
    async fn warm_up(&self) -> Result<(), SttError> {
        Ok(())
    }

    /// Turns speech into text; segment times include the utterance's offset.
    ///
    /// # Errors
    /// `Busy` may be retried; every other variant is final for this audio.
    async fn transcribe(
        &self,
        utterance: Utterance,
        cancel: &CancellationToken,
    ) -> Result<Transcript, SttError>;
}

engines! {
    /// Lists the engines that hear.
    pub SttEngine: 8 of "stt" + "language", dyn SttSettings {
        /// whisper.cpp.
        "whisper" => Whisper(whisper::Settings),
        /// A server with `OpenAI`'s transcription API.
        "openai" => OpenAi(openai::Settings),
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
    /// Gives more of them, asked for when there is such a transcriber: hashing files takes time.
    pub fixtures: Option<fn() -> HashMap<NoteKey, String>>,
}

/// Makes a transcriber of an engine's settings, and looks at what it needs.
#[async_trait]
pub trait SttSettings: EngineSettings + Send + Sync {
    /// Builds the transcriber. May block for seconds while a model is loaded.
    ///
    /// # Errors
    /// A key that names something that is not there or cannot be used.
    fn build(&self, deps: &SttDeps, connect: Connect<'_>) -> Result<Arc<dyn Transcriber>, Wrong>;

    /// Adds to `check` what the doctor should say of the engine; `users` is not empty.
    async fn examine(
        &self,
        users: &[EngineUser],
        deps: &Arc<SttDeps>,
        connect: Connect<'_>,
        check: &mut Check,
    );
}
