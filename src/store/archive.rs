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
    /// The contact's profile name, chosen by themselves.
    pub name: Option<Personal>,
    /// The agent that answered.
    pub agent: String,
    /// Which version of it; `None`, and left out, for one of the configuration file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_version: Option<u32>,
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
    /// How many messages the provider took: since October 2026 it bills each.
    pub messages: u32,
    /// The same statuses with what else is known of them.
    pub deliveries: Vec<PartStatus>,
}

/// Holds what the provider said of one message of a turn.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PartStatus {
    /// The message's place in the turn.
    pub part: u32,
    /// Its status.
    pub status: String,
    /// When it happened, Unix milliseconds.
    pub at_ms: i64,
    /// The provider's error code, for `failed`.
    pub code: Option<i64>,
    /// The provider's words for it.
    pub details: Option<String>,
}

/// Says which turns are looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TurnSearch {
    /// Those of this contact, by user id or phone.
    pub contact: Option<String>,
    /// Those of this number.
    pub number: Option<String>,
    /// Those that this agent answered.
    pub agent: Option<String>,
    /// Those that ended so, e.g. `voice_note`.
    pub outcome: Option<String>,
    /// Those in which this was heard or answered, whatever the case of its letters.
    pub words: Option<String>,
    /// That one.
    pub turn: Option<String>,
    /// Those that are older than this one.
    pub before: Option<String>,
    /// Those that began then or later, Unix milliseconds.
    pub since_ms: Option<i64>,
    /// Those that began before then, Unix milliseconds.
    pub until_ms: Option<i64>,
    /// Those that ended without an answer, or of which a message was not delivered.
    pub failed: bool,
    /// At most so many, the newest.
    pub limit: usize,
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
    /// Returns turns, newest first.
    async fn find(&self, search: TurnSearch) -> Result<Vec<TurnRow>, StoreError>;

    /// Returns the last `limit` turns, newest first, of one contact (user id or phone) or of all.
    async fn turns(
        &self,
        contact: Option<String>,
        limit: usize,
    ) -> Result<Vec<TurnRow>, StoreError> {
        self.find(TurnSearch { contact, limit, ..TurnSearch::default() }).await
    }

    /// Counts all messages, as of `now_ms`.
    async fn messages(&self, now_ms: i64) -> Result<MessageCounts, StoreError>;
}
