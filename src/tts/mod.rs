//! Text to speech: the port, and the engines behind it.

pub mod espeak;
pub mod scripted;

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use tokio_util::sync::CancellationToken;

use crate::audio::Pcm;
use crate::turn::Retry;

/// One sentence to be spoken, already free of markup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// The words.
    pub text: String,
    /// ISO 639-1 code; engines without such a voice use their default and say so once.
    pub language: String,
    /// The agent's voice, if it names one.
    pub voice: Option<String>,
}

/// Speaks sentences.
#[async_trait]
pub trait Synthesizer: Send + Sync {
    /// Name used in spans and metrics, e.g. `espeak`.
    fn name(&self) -> &str;

    /// Makes the first sentence as fast as the others (spawns children, opens connections).
    async fn warm_up(&self) -> Result<(), TtsError> {
        Ok(())
    }

    /// Starts to speak. Every chunk of one sentence has the same sample rate.
    /// The stream ends after the last chunk or after its first error.
    async fn speak(
        &self,
        sentence: Sentence,
        cancel: &CancellationToken,
    ) -> BoxStream<'static, Result<Pcm, TtsError>>;
}

/// Why a sentence was not spoken.
#[derive(Debug, thiserror::Error)]
pub enum TtsError {
    /// The engine's program could not be started: install it; the reply goes out as text.
    #[error("{program} could not be started: {source} (install it: apt-get install espeak-ng)")]
    Start {
        /// The program.
        program: &'static str,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The engine failed on this sentence: the reply goes out as text.
    #[error("speech synthesis failed: {0}")]
    Engine(String),
    /// The turn is gone: nobody waits for the sound.
    #[error("speech synthesis was cancelled")]
    Cancelled,
}

impl TtsError {
    /// When the same sentence may be tried again.
    #[must_use]
    pub fn retry(&self) -> Retry {
        Retry::Never
    }
}
