//! Why a turn could not go on, and what the queue should do about it.

use crate::agent::AgentError;
use crate::audio::{DecodeError, EncodeError};
use crate::provider::ProviderError;
use crate::store::StoreError;
use crate::stt::SttError;
use crate::tts::TtsError;
use crate::turn::{Retry, Stage};

/// A stage failed.
///
/// | cause | retry |
/// |---|---|
/// | engine busy | after 2 s |
/// | provider: network, server side, rate | after what its error says |
/// | store | after 1 s |
/// | the process is stopping | at the next start |
/// | a deadline, everything else | never: the fallback text goes out |
#[derive(Debug, thiserror::Error)]
#[error("{} failed: {cause}", stage.name())]
pub struct TurnError {
    /// Where.
    pub stage: Stage,
    /// Why.
    #[source]
    pub cause: Cause,
}

/// What failed; each engine's own error says more.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each is the error of that part")]
pub enum Cause {
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error(transparent)]
    Stt(#[from] SttError),
    #[error(transparent)]
    Agent(#[from] AgentError),
    #[error(transparent)]
    Tts(#[from] TtsError),
    #[error(transparent)]
    Encode(#[from] EncodeError),
    #[error(transparent)]
    Provider(#[from] ProviderError),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The stage took too long.
    #[error("the time allowed is over")]
    Deadline,
    /// The process is stopping: the turn is taken up at the next start.
    #[error("the process is stopping")]
    Stopping,
    /// All CPU workers have their hands full: try again later.
    #[error("the machine is busy")]
    Busy,
    /// The agent's answer had no words.
    #[error("the answer is empty")]
    EmptyAnswer,
}

impl TurnError {
    /// Whether and when the whole turn may be tried again.
    pub fn retry(&self) -> Retry {
        match &self.cause {
            Cause::Stt(error) => error.retry(),
            Cause::Agent(error) => error.retry(),
            Cause::Tts(error) => error.retry(),
            Cause::Provider(error) => error.retry(),
            Cause::Store(error) => error.retry(),
            Cause::Busy => Retry::After(std::time::Duration::from_secs(2)),
            Cause::Stopping => Retry::After(std::time::Duration::ZERO),
            Cause::Decode(_) | Cause::Encode(_) | Cause::Deadline | Cause::EmptyAnswer => {
                Retry::Never
            }
        }
    }
}
