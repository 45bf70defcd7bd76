//! Why a turn could not go on, and what the queue should do about it.

use std::time::Duration;

use crate::agent::AgentError;
use crate::audio::{DecodeError, EncodeError};
use crate::provider::ProviderError;
use crate::queue::CancelReason;
use crate::store::StoreError;
use crate::stt::SttError;
use crate::tts::TtsError;
use crate::turn::{Reason, Retry, Stage};

/// A stage failed.
///
/// | cause | retry |
/// |---|---|
/// | engine busy | after 2 s |
/// | provider: network, server side, rate | after what its error says |
/// | store | after 1 s |
/// | the turn was cancelled | at the next start, or by the node that took it over |
/// | number paused or gone | after 15 min, within a day |
/// | a send without an answer in time | after 5 s, the same part |
/// | any other deadline, everything else | never: the fallback text goes out |
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
    /// The turn was cancelled: it is taken up again, here or elsewhere.
    #[error("{0}")]
    Cancelled(CancelReason),
    /// The number is paused or configured no more: the message waits for it to come back.
    #[error("the number is paused or not configured")]
    Unconfigured,
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
            Cause::Busy => Retry::After(Duration::from_secs(2)),
            Cause::Cancelled(_) => Retry::After(Duration::ZERO),
            Cause::Unconfigured => Retry::After(Duration::from_mins(15)),
            // It may have been sent: its status is waited for before it is sent again.
            Cause::Deadline if self.stage == Stage::Send => Retry::After(Duration::from_secs(5)),
            Cause::Decode(_) | Cause::Encode(_) | Cause::Deadline | Cause::EmptyAnswer => {
                Retry::Never
            }
        }
    }

    /// Returns what the record says of a turn that ended with this error.
    pub(super) fn reason(&self) -> Reason {
        Reason::Failed { stage: self.stage, error: self.cause.to_string() }
    }

    /// Whether the provider took or refused a message in words that make no sense.
    pub(super) fn is_blind_send(&self) -> bool {
        self.stage == Stage::Send
            && matches!(self.cause, Cause::Provider(ProviderError::Unexpected(_)))
    }

    /// Whether the message is fine and only we are not able to answer it now: then waiting costs
    /// it no attempt, and it is answered in full when we are.
    pub fn postpones(&self) -> bool {
        match &self.cause {
            Cause::Stt(SttError::Busy)
            | Cause::Busy
            | Cause::Cancelled(_)
            | Cause::Unconfigured => true,
            Cause::Provider(error) => error.is_ours() && error.retry() != Retry::Never,
            _ => false,
        }
    }
}
