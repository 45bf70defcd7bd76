//! Defines text to speech: the port, and its engines.

pub mod cache;
pub mod espeak;
mod examine;
pub mod fallback;
mod gap;
mod level;
pub mod neural;
pub mod openai;
mod outlet;
pub mod scripted;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::audio::{CodedSpeech, Pcm};
use crate::engine::{Check, Connect, EngineFault, EngineSettings, EngineUser, Wrong, engines};
use crate::registry::Voice;
use crate::remote::words::error_chain;
use crate::turn::{LanguageCode, Retry};

pub use self::level::Levelled;

/// Holds one sentence to be spoken, free of markup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// The words.
    pub text: String,
    /// Their language; engines without such a voice use their default and say so once.
    pub language: LanguageCode,
    /// The agent's voice, if it names one.
    pub voice: Option<Voice>,
}

/// Holds a piece of a spoken sentence.
#[derive(Clone, Debug)]
pub enum Sound {
    /// Samples, to be encoded.
    Pcm(Pcm),
    /// A complete sentence that may go into a note as it is.
    Opus(CodedSpeech),
}

/// Holds a sentence that is being spoken.
pub struct SpokenBy {
    /// The engine that speaks it, or the first that could not.
    pub engine: String,
    /// Whether its sound was made before, so that no engine works for it.
    pub kept: bool,
    /// The stream of [`Synthesizer::speak`].
    pub sound: BoxStream<'static, Result<Sound, TtsError>>,
}

/// Speaks sentences.
#[async_trait]
pub trait Synthesizer: Send + Sync {
    /// Returns the name used in spans and metrics, e.g. `espeak`.
    fn name(&self) -> &str;

    /// Makes the first sentence as fast as the others (spawns children, opens connections).
    async fn warm_up(&self) -> Result<(), TtsError> {
        Ok(())
    }

    /// Makes the first sentence of these languages and agents' voices as fast as the others.
    async fn prepare(&self, _spoken: &[(LanguageCode, Option<Voice>)]) -> Result<(), TtsError> {
        Ok(())
    }

    /// Returns whether it costs nothing but this machine's own time.
    fn is_free(&self) -> bool {
        false
    }

    /// Learns sentences that will be said again and again, so that their sound may be kept.
    fn will_say_again(&self, _fixed: Vec<Sentence>) {}

    /// Returns what its sound depends on beside its settings, once it is warm: the version of a
    /// program, the checksum of a voice's file.
    fn revision(&self) -> String {
        String::new()
    }

    /// Returns how many sentences of one reply it speaks side by side; a program on our own
    /// processor gains nothing by more than one.
    fn parallel(&self) -> usize {
        1
    }

    /// Starts to speak. The stream ends after the last piece or after its first error.
    async fn speak(
        &self,
        sentence: Sentence,
        cancel: &CancellationToken,
    ) -> BoxStream<'static, Result<Sound, TtsError>>;

    /// Does the same and tells which engine speaks: one of several does it in the name of all.
    async fn begin(&self, sentence: Sentence, cancel: &CancellationToken) -> SpokenBy {
        let sound = self.speak(sentence, cancel).await;
        SpokenBy { engine: self.name().to_owned(), kept: false, sound }
    }
}

/// Says why a sentence was not spoken.
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
    /// The speech server could not be reached or broke off: ask again.
    #[error("the speech server could not be reached: {0}")]
    Network(String),
    /// The speech server made no sound for too long: ask again.
    #[error("the speech server was silent for {silent_ms} ms")]
    Silent {
        /// How long it was waited for.
        silent_ms: u64,
    },
    /// The speech server is busy or has a problem of its own: ask again.
    #[error("the speech server is busy or failing (HTTP {status}): {said}")]
    Busy {
        /// HTTP status.
        status: u16,
        /// The server's words, redacted.
        said: String,
        /// How long it asks to be left alone.
        after: Option<Duration>,
    },
    /// The speech server refuses the key, or its account has no credit: the operator has to look at
    /// `tts.api_key`.
    #[error(
        "the speech server refuses the key or its account (HTTP {status}): {said} (see tts.api_key)"
    )]
    Key {
        /// HTTP status.
        status: u16,
        /// The server's words, redacted.
        said: String,
    },
    /// The speech server refuses the request: the operator has to correct a key.
    #[error("the speech server refuses the request (HTTP {status}): {said} (see {keys})")]
    Refused {
        /// HTTP status.
        status: u16,
        /// The server's words, redacted.
        said: String,
        /// Which keys.
        keys: String,
    },
    /// The speech server sent something else than sound, or sound that is not decoded: the operator
    /// has to look at `tts.url` and `tts.format`.
    #[error("the speech server sent {what} instead of sound (see tts.url, tts.format)")]
    NoSound {
        /// What it was.
        what: String,
    },
    /// The speech server sent sound without a sample: ask once more.
    #[error("the speech server sent empty sound")]
    Empty,
    /// The turn was cancelled: nobody waits for the sound.
    #[error("speech synthesis was cancelled")]
    Cancelled,
}

impl TtsError {
    /// Describes a failure below HTTP.
    pub(crate) fn network(error: reqwest::Error) -> Self {
        Self::Network(error_chain(error))
    }

    /// Gives the HTTP status of a speech server's refusal, if the error is one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Busy { status, .. } | Self::Key { status, .. } | Self::Refused { status, .. } => {
                Some(*status)
            }
            _ => None,
        }
    }

    /// Returns when the same sentence may be tried again, if nothing of it was heard yet.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Network(_) => Retry::After(Duration::from_millis(200)),
            Self::Busy { after, .. } => Retry::After(after.unwrap_or(Duration::from_millis(500))),
            Self::Silent { .. } | Self::Empty => Retry::After(Duration::ZERO),
            Self::Start { .. }
            | Self::Engine(_)
            | Self::Key { .. }
            | Self::Refused { .. }
            | Self::NoSound { .. }
            | Self::Cancelled => Retry::Never,
        }
    }

    /// Returns what it tells of the next sentence of the same engine; `None` if nothing.
    #[must_use]
    pub fn fault(&self) -> Option<EngineFault> {
        match self {
            Self::Cancelled => None,
            Self::Start { .. } | Self::Key { .. } => Some(EngineFault::TO_MEND),
            Self::Silent { .. } => Some(EngineFault::IN_VAIN),
            Self::Busy { after: Some(after), .. } => Some(EngineFault::Lasting(*after)),
            Self::Engine(_)
            | Self::Network(_)
            | Self::Busy { after: None, .. }
            | Self::Refused { .. }
            | Self::NoSound { .. }
            | Self::Empty => Some(EngineFault::Passing),
        }
    }
}

engines! {
    /// Lists the engines that speak.
    pub TtsEngine: 8 of "tts", dyn TtsSettings {
        /// espeak-ng.
        "espeak" => Espeak(espeak::Settings),
        /// Neural voices, and espeak-ng in languages without one.
        "neural" => Neural(neural::Settings),
        /// A server with `OpenAI`'s speech API.
        "openai" => OpenAi(openai::Settings),
        /// A tone for each word.
        "scripted" => Scripted(scripted::Settings),
    }
}

/// Describes a voice that this machine has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VoiceRow {
    /// The engine that speaks with it.
    pub engine: &'static str,
    /// Its name in the configuration.
    pub name: String,
    /// The language that it speaks.
    pub language: LanguageCode,
    /// Its licence, "unknown" of a file that hark does not know.
    pub licence: String,
    /// Where it is: a file, or "built in".
    pub place: String,
}

/// Describes an agent that speaks with the engine that is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Speaker {
    /// The agent.
    pub user: EngineUser,
    /// Its own voice for its first language.
    pub voice: Option<Voice>,
    /// The voices that are named for it, each with its key.
    pub named: Vec<(String, String)>,
}

/// Holds what synthesizers are made with.
#[derive(Clone, Copy)]
pub struct TtsDeps<'a> {
    /// Makes clients for speech servers.
    pub connect: Connect<'a>,
    /// `HARK_MODELS`.
    pub hark_models: Option<&'a Path>,
    /// The user's cache folder.
    pub cache: Option<&'a Path>,
}

/// Makes a synthesizer of an engine's settings, and looks at what it needs.
#[async_trait]
pub trait TtsSettings: EngineSettings + Send + Sync {
    /// Builds the synthesizer; starts nothing yet.
    ///
    /// # Errors
    /// A key that cannot be used.
    fn build(&self, deps: &TtsDeps<'_>) -> Result<Arc<dyn Synthesizer>, Wrong>;

    /// Lists the voices that the engine has on this machine.
    ///
    /// # Errors
    /// What the engine says if it cannot be asked.
    async fn voices(&self, _deps: &TtsDeps<'_>) -> Result<Vec<VoiceRow>, TtsError> {
        Ok(Vec::new())
    }

    /// Adds to `check` what the doctor should say of the engine; `speakers` is not empty.
    async fn examine(&self, speakers: &[Speaker], deps: &TtsDeps<'_>, check: &mut Check);
}

/// Checks a voice's pace, 1 as the voice speaks by itself.
fn check_speed(speed: f64) -> Option<Wrong> {
    let wrong = || Wrong::new("speed", "must be from 0.5 to 2");
    (!(0.5..=2.0).contains(&speed)).then(wrong)
}
