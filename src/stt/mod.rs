//! Defines speech to text: the port, and its engines.
//!
//! Sits between the segmenter and the agent. An engine never sees a message, a contact or a file:
//! it takes 16 kHz speech and returns words.

pub mod scripted;
#[cfg(feature = "stt-whisper")]
pub mod whisper;

use async_trait::async_trait;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use crate::audio::Speech;
use crate::turn::{LanguageCode, Retry, Transcript};

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
    /// The note it was cut from, where the caller has its bytes.
    pub note: Option<NoteKey>,
    /// Whether it is the first utterance of its message.
    pub first: bool,
}

/// Turns one utterance into text.
#[async_trait]
pub trait Transcriber: Send + Sync {
    /// Returns the name used in spans, metrics and bench ids, e.g. `whisper/ggml-tiny`.
    fn name(&self) -> &str;

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

/// Says why an utterance was not transcribed.
#[derive(Debug, thiserror::Error)]
pub enum SttError {
    /// The workers' queue is full: try again later.
    #[error("transcriber is busy")]
    Busy,
    /// The turn was cancelled: nobody waits for the text.
    #[error("transcription was cancelled")]
    Cancelled,
    /// The engine failed on this audio: answer with the fallback.
    #[error("transcription failed: {0}")]
    Engine(String),
}

impl SttError {
    /// Returns when the same audio may be tried again.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Busy => Retry::After(std::time::Duration::from_secs(2)),
            Self::Cancelled | Self::Engine(_) => Retry::Never,
        }
    }
}
