//! The outbound messages of a turn: what each is for, what it carries and how far it is.

use super::words::words;
use super::{Content, MessageId};

words! {
    /// Says what an outbound message is to its turn.
    pub enum Role {
        /// The answer, or a piece of it.
        Answer = "answer",
        /// What accompanies a spoken answer, such as its links. The answer counts without it.
        Beside = "beside",
        /// What an agent gives beside its words, such as buttons. It follows the answer, spoken or
        /// written, which counts without it.
        Extra = "extra",
        /// A sentence of ours about a problem with the message.
        Notice = "notice",
        /// The sentence that takes the place of an answer.
        Fallback = "fallback",
    }
}

/// Says how far an outbound message is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartState {
    /// Written down, perhaps sent.
    Planned,
    /// Sent so many times, and the provider's answers do not say whether it was taken.
    InDoubt {
        /// The last answer.
        error: String,
        /// How often it was sent.
        sends: u32,
    },
    /// The provider gave it an id.
    Sent(MessageId),
    /// Sent again and again without a clear answer: it counts as sent.
    Assumed(String),
    /// The provider refused it.
    Failed,
}

/// Holds one outbound message of a turn.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Its place in the turn, from 0 in the order of planning.
    pub index: u32,
    /// What it is to the turn.
    pub role: Role,
    /// What it carries.
    pub content: Content,
    /// How far it is.
    pub state: PartState,
    /// From when it may be sent, Unix milliseconds.
    pub due_ms: i64,
}

impl Part {
    /// Returns whether it is the note of an answer, which did not go through.
    pub fn is_lost_note(&self) -> bool {
        self.state == PartState::Failed
            && self.role == Role::Answer
            && matches!(self.content, Content::Voice(_))
    }
}
