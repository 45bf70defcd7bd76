//! The outbound messages of a turn: what each is for, what it carries and where it stands.

use serde::{Deserialize, Serialize};

use super::{Content, MessageId};

/// Says what an outbound message is to its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The answer, or a piece of it.
    Answer,
    /// What accompanies a spoken answer, such as its links. The answer counts without it.
    Beside,
    /// A sentence of ours about a problem with the message.
    Notice,
    /// The sentence that takes the place of an answer.
    Fallback,
}

/// Says where an outbound message stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartState {
    /// Written down, perhaps sent.
    Planned,
    /// The provider gave it an id.
    Sent(MessageId),
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
    /// Where it stands.
    pub state: PartState,
}
