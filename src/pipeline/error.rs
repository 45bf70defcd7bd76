//! Why a turn could not go on. What follows is decided in [`next`](super::next).

use std::time::Duration;

use super::problem::Problem;
use crate::agent::AgentError;
use crate::audio::{DecodeError, EncodeError};
use crate::knowledge::KnowledgeError;
use crate::provider::ProviderError;
use crate::queue::CancelReason;
use crate::store::{StoreError, WINDOW_SHUT};
use crate::stt::SttError;
use crate::threads::RunError;
use crate::tts::TtsError;
use crate::turn::{Reason, Retry, Stage};

/// Says which stage of a turn failed, and why.
#[derive(Debug, thiserror::Error)]
#[error("{} failed: {cause}", stage.name())]
pub struct TurnError {
    /// Where.
    pub stage: Stage,
    /// Why. Not the `source`: the error's own words include it.
    pub cause: Cause,
    /// What was being sent, if anything.
    pub(super) sending: Option<Sending>,
}

/// Names a part whose send failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sending {
    pub(super) part: u32,
    /// Its sends so far that the provider may have taken, this one included.
    pub(super) unclear: u32,
}

/// First wait for the status of a part that may have been sent, before it is sent again.
const STATUS_WAIT: Duration = Duration::from_secs(8);
/// So many of these waits are longer than the one before.
const LONGER: u32 = 6;

impl From<StoreError> for TurnError {
    fn from(error: StoreError) -> Self {
        Cause::Store(error).at(Stage::Store)
    }
}

/// Names what failed; each engine's own error says more.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each is the error of that part")]
pub enum Cause {
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error(transparent)]
    Stt(#[from] SttError),
    #[error(transparent)]
    Knowledge(#[from] KnowledgeError),
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
    /// The message has no words to answer: tell the person.
    #[error("{}", .0.reason())]
    Unheard(Problem),
    /// The stage took too long.
    #[error("the time allowed is over")]
    Deadline,
    /// The turn was cancelled: it is resumed, here or elsewhere.
    #[error("{0}")]
    Cancelled(CancelReason),
    /// All CPU workers are busy: try again later.
    #[error("the machine is busy")]
    Busy,
    /// Work on the message panicked: try again, and count it, since the same may follow.
    #[error("the work panicked")]
    Panicked,
    /// Saying it takes too long: it is sent as text.
    #[error("it takes longer to say than the five minutes of the longest note")]
    TooMuch,
    /// WhatsApp takes no more messages from the number, or to the person, for so long: wait.
    #[error("no more messages are sent for {} s, at the pace that WhatsApp allows", .0.as_secs_f64())]
    Paced(Duration),
    /// The agent's answer had no words.
    #[error("the answer is empty")]
    EmptyAnswer,
}

impl From<RunError> for Cause {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Busy => Self::Busy,
            RunError::Died => Self::Panicked,
        }
    }
}

impl Cause {
    /// Makes it the failure of `stage`.
    pub(super) fn at(self, stage: Stage) -> TurnError {
        TurnError { stage, cause: self, sending: None }
    }
}

impl TurnError {
    /// Returns whether and when the same call may be tried again.
    pub fn retry(&self) -> Retry {
        match &self.cause {
            _ if self.may_have_arrived() => {
                let unclear = self.sending.map_or(1, |sending| sending.unclear);
                Retry::After(STATUS_WAIT * 2_u32.pow(unclear.clamp(1, LONGER) - 1))
            }
            Cause::Paced(wait) => Retry::After(*wait),
            Cause::Stt(error) => error.retry(),
            Cause::Agent(error) => error.retry(),
            Cause::Tts(error) => error.retry(),
            Cause::Provider(error) => error.retry(),
            Cause::Store(error) => error.retry(),
            Cause::Busy | Cause::Panicked => Retry::After(Duration::from_secs(2)),
            Cause::Cancelled(_) => Retry::After(Duration::ZERO),
            Cause::Decode(_)
            | Cause::Encode(_)
            | Cause::Knowledge(_)
            | Cause::Unheard(_)
            | Cause::Deadline
            | Cause::TooMuch
            | Cause::EmptyAnswer => Retry::Never,
        }
    }

    /// Returns whether every turn ends so until the operator has mended a language model's keys.
    pub(super) fn needs_the_operator(&self) -> bool {
        matches!(&self.cause, Cause::Agent(error) if error.is_the_operators())
    }

    /// Returns what the record says of a turn that ended with this error.
    pub(super) fn reason(&self) -> Reason {
        Reason::Failed { stage: self.stage, error: self.cause.to_string() }
    }

    /// Returns whether it is a send that the provider may have taken all the same.
    pub(super) fn may_have_arrived(&self) -> bool {
        self.stage == Stage::Send
            && match &self.cause {
                Cause::Deadline => true,
                Cause::Provider(error) => error.may_be_done(),
                _ => false,
            }
    }

    /// Returns whether it is a send that the provider refused for now, and for this message alone.
    pub(super) fn is_put_off(&self) -> bool {
        self.stage == Stage::Send
            && matches!(self.cause, Cause::Provider(ProviderError::Refused { .. }))
            && !self.may_have_arrived()
            && !self.postpones()
            && self.retry() != Retry::Never
    }

    /// Returns whether WhatsApp delivers nothing but templates to the person.
    pub(super) fn is_window_shut(&self) -> bool {
        match &self.cause {
            Cause::Store(error) => matches!(error, StoreError::WindowShut),
            Cause::Provider(ProviderError::Refused { code, .. }) => *code == WINDOW_SHUT,
            _ => false,
        }
    }

    /// Returns what the operator has to mend, where the number's set-up is at fault.
    pub(super) fn fix(&self) -> Option<&'static str> {
        if let Cause::Provider(error) = &self.cause { error.fix() } else { None }
    }

    /// Returns whether the message is fine and only we cannot answer it now: waiting then costs
    /// it no attempt, and it is answered in full when we can.
    pub fn postpones(&self) -> bool {
        match &self.cause {
            Cause::Stt(SttError::Busy) | Cause::Busy | Cause::Cancelled(_) | Cause::Paced(_) => {
                true
            }
            Cause::Provider(error) => error.fix().is_some() && error.retry() != Retry::Never,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_fails_says_so_once() {
        let error = || TurnError::from(StoreError::Backend("disk is full".into()));
        let said = "store failed: the database refused: disk is full";
        assert_eq!(error().to_string(), said);
        assert_eq!(error().reason().to_string(), said);
    }
}
