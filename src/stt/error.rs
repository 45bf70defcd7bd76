//! Why an utterance was not transcribed.

use std::time::Duration;

use crate::engine::EngineFault;
use crate::remote::words::error_chain;
use crate::turn::Retry;

/// Says why an utterance was not transcribed. Never holds a key or what a person said: a server's own
/// words are shortened and cleaned before they come in here.
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
    /// The server could not be reached or broke off: try again when it may be back.
    #[error("the transcription server could not be reached: {0}")]
    Network(String),
    /// The server gave no words in time: try again when it may be over.
    #[error("the transcription server gave no words within {limit_ms} ms")]
    TooSlow {
        /// How long it was waited for.
        limit_ms: u64,
    },
    /// The server is busy or has a problem of its own: try again after the time it names.
    #[error("the transcription server is busy or failing (HTTP {status}): {said}")]
    Failing {
        /// HTTP status.
        status: u16,
        /// The server's words, redacted.
        said: String,
        /// How long it asks to be left alone.
        after: Option<Duration>,
    },
    /// The server refuses the key, or its account has no credit: the operator has to look at
    /// `stt.api_key`.
    #[error(
        "the transcription server refuses the key or its account (HTTP {status}): {said} (see \
         stt.api_key)"
    )]
    Key {
        /// HTTP status.
        status: u16,
        /// The server's words, redacted.
        said: String,
    },
    /// The server refuses the request: the operator has to correct a key.
    #[error("the transcription server refuses the request (HTTP {status}): {said} (see {keys})")]
    Refused {
        /// HTTP status.
        status: u16,
        /// The server's words, redacted.
        said: String,
        /// Which keys.
        keys: String,
    },
    /// The server sent something else than a transcript: the operator has to look at `stt.url`.
    #[error("the transcription server sent {what} instead of a transcript (see stt.url)")]
    NoTranscript {
        /// What it was.
        what: String,
    },
}

/// How long a server that names no time is left alone between two tries of a turn.
const SERVER_WAIT: Duration = Duration::from_secs(5);

impl SttError {
    /// Describes a failure below HTTP.
    pub(crate) fn network(error: reqwest::Error) -> Self {
        Self::Network(error_chain(error))
    }

    /// Gives the HTTP status of a server's refusal, if the error is one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Failing { status, .. }
            | Self::Key { status, .. }
            | Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Returns when the same audio may be tried again.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Busy => Retry::After(Duration::from_secs(2)),
            Self::Network(_) | Self::TooSlow { .. } => Retry::After(SERVER_WAIT),
            Self::Failing { after, .. } => Retry::After(after.unwrap_or(SERVER_WAIT)),
            Self::Cancelled
            | Self::Engine(_)
            | Self::Key { .. }
            | Self::Refused { .. }
            | Self::NoTranscript { .. } => Retry::Never,
        }
    }

    /// Returns what it tells of the next call to the same engine; `None` if nothing.
    #[must_use]
    pub fn fault(&self) -> Option<EngineFault> {
        match self {
            Self::Busy | Self::Cancelled => None,
            Self::Key { .. } => Some(EngineFault::TO_MEND),
            Self::TooSlow { .. } => Some(EngineFault::IN_VAIN),
            Self::Failing { after: Some(after), .. } => Some(EngineFault::Lasting(*after)),
            Self::Engine(_)
            | Self::Network(_)
            | Self::Failing { after: None, .. }
            | Self::Refused { .. }
            | Self::NoTranscript { .. } => Some(EngineFault::Passing),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_when_to_try_again_and_what_it_tells_of_the_engine() {
        let (said, seconds) = (|| "no".to_owned(), |s| Retry::After(Duration::from_secs(s)));
        let rest = Duration::from_mins(1);
        for (error, retry, fault) in [
            (SttError::Busy, seconds(2), None),
            (SttError::Cancelled, Retry::Never, None),
            (SttError::Engine(said()), Retry::Never, Some(EngineFault::Passing)),
            (SttError::Network(said()), seconds(5), Some(EngineFault::Passing)),
            (SttError::TooSlow { limit_ms: 1 }, seconds(5), Some(EngineFault::IN_VAIN)),
            (
                SttError::Failing { status: 503, said: said(), after: None },
                seconds(5),
                Some(EngineFault::Passing),
            ),
            (
                SttError::Failing { status: 429, said: said(), after: Some(rest) },
                seconds(60),
                Some(EngineFault::Lasting(rest)),
            ),
            (SttError::Key { status: 401, said: said() }, Retry::Never, Some(EngineFault::TO_MEND)),
        ] {
            assert_eq!((error.retry(), error.fault()), (retry, fault), "{error}");
        }
    }
}
