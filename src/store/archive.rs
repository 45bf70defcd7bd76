//! The port of those who look back: what happened, without changing it.

use async_trait::async_trait;

use super::StoreError;
use crate::turn::{Personal, PhoneNumberId, TurnId, TurnReport};

/// Holds a turn as `hark turns` shows it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct TurnRow {
    /// The turn's id.
    pub turn: TurnId,
    /// The business number.
    pub number: PhoneNumberId,
    /// User id or phone number of the contact.
    pub contact: Personal,
    /// The agent that answered.
    pub agent: String,
    /// How many attempts it took.
    pub attempt: u32,
    /// When it began, Unix milliseconds.
    pub created_ms: i64,
    /// Wait between acceptance and lease.
    pub queue_ms: Option<f64>,
    /// What the person said or wrote.
    pub heard: Option<Personal>,
    /// What the turn did; `None` while it runs. Its outcome and reason are those of the last
    /// status.
    #[serde(flatten)]
    pub report: Option<TurnReport>,
    /// Delivery statuses so far, e.g. `sent`, `delivered`, `played`.
    pub statuses: Vec<String>,
}

/// Counts messages by their state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MessageCounts {
    /// Waiting, and nothing keeps them from being leased or from following what is leased.
    pub due: u32,
    /// Waiting, those that are due included.
    pub queued: u32,
    /// Being answered.
    pub leased: u32,
    /// Answered.
    pub done: u32,
    /// Kept without an answer.
    pub stored: u32,
    /// Too old to be answered.
    pub expired: u32,
}

/// Reads what was recorded.
#[async_trait]
pub trait Archive: Send + Sync {
    /// Returns the last `limit` turns, newest first, of one contact (user id or phone) or of all.
    async fn turns(
        &self,
        contact: Option<String>,
        limit: usize,
    ) -> Result<Vec<TurnRow>, StoreError>;

    /// Counts all messages, as of `now_ms`.
    async fn messages(&self, now_ms: i64) -> Result<MessageCounts, StoreError>;
}
