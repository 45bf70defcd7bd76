//! The port of the backlog: what waits, what is being answered, and what gave up.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::StoreError;
use crate::turn::{Personal, PhoneNumberId, TurnId};

/// Says what a message of the queue does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BacklogState {
    /// It waits for its turn, or for another attempt.
    Waiting,
    /// A node answers it.
    Running,
    /// Its turn gave up: a dead letter.
    Dead,
}

impl BacklogState {
    /// Returns its word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Dead => "dead",
        }
    }
}

/// Holds one message of the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BacklogRow {
    /// The message's row.
    pub row: i64,
    /// The business number.
    pub number: PhoneNumberId,
    /// Who sent it, by phone number or user id.
    pub contact: Personal,
    /// The provider's word for its type.
    pub kind: String,
    /// What it does.
    pub state: BacklogState,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was accepted, Unix milliseconds.
    pub received_ms: i64,
    /// From when it may be tried, Unix milliseconds.
    pub due_ms: i64,
    /// The node that answers it.
    pub node: Option<String>,
    /// Its turn, once it was tried.
    pub turn: Option<TurnId>,
    /// How that ended, or why it is opened again.
    pub reason: Option<String>,
    /// When that gave up, Unix milliseconds.
    pub dead_ms: Option<i64>,
}

/// Says which are wanted.
#[derive(Clone, Debug)]
pub struct BacklogSearch {
    /// Those that do this.
    pub state: Option<BacklogState>,
    /// This one.
    pub row: Option<i64>,
    /// Those behind this row.
    pub after: i64,
    /// At most so many.
    pub limit: usize,
}

/// Says what became of a message that was to be replayed or dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BacklogChange {
    /// It was.
    Done,
    /// It is being answered: nothing was changed.
    Running,
    /// There is no such message in the queue.
    Unknown,
}

/// Lists what waits and what gave up, and lets go of it.
#[async_trait]
pub trait Backlog: Send + Sync {
    /// Returns messages of the queue, those that were accepted first before others.
    async fn backlog(&self, search: BacklogSearch) -> Result<Vec<BacklogRow>, StoreError>;

    /// Makes a message that waits due at once, and answers one that gave up in a new turn; so with those
    /// of its burst.
    async fn replay(&self, row: i64, now_ms: i64) -> Result<BacklogChange, StoreError>;

    /// Takes a message out of the queue, and those of its burst; they are kept, and nobody answers them.
    async fn give_up(&self, row: i64, now_ms: i64) -> Result<BacklogChange, StoreError>;
}
