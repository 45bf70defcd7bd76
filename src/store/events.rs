//! The port of events: every step, in the order in which it became true.

use async_trait::async_trait;
use tokio::sync::watch;

use super::StoreError;
use crate::turn::Personal;

/// Holds one event as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRow {
    /// Its place among all events: a later one has a higher id. Some ids are left out.
    pub id: i64,
    /// The step, as `turn::EventType` names it, or another version does.
    pub name: String,
    /// The business number.
    pub number: String,
    /// The contact's id outside.
    pub contact: String,
    /// The conversation's row, if it has one.
    pub conversation: Option<i64>,
    /// When it happened, Unix milliseconds.
    pub at_ms: i64,
    /// What there is to say of it: a JSON object.
    pub data: Personal,
}

/// Says which events are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventSearch {
    /// Those behind this one.
    pub after: i64,
    /// Those of these types; empty: of all.
    pub types: Vec<String>,
    /// Those of this number.
    pub number: Option<String>,
    /// Those of this conversation.
    pub conversation: Option<i64>,
    /// At most so many, oldest first.
    pub limit: usize,
}

/// Holds some events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventPage {
    /// The events, oldest first.
    pub events: Vec<EventRow>,
    /// All that are wanted up to this id are among them: where to go on.
    pub upto: i64,
}

/// Says which events are gone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErasedEvents {
    /// Those that went with their person.
    pub ids: Vec<i64>,
    /// All before this one are gone, too.
    pub before: i64,
}

/// Reads events, and lets go of old ones. Who writes them is whatever makes them true.
#[async_trait]
pub trait EventLog: Send + Sync {
    /// Returns events, oldest first.
    async fn events(&self, search: EventSearch) -> Result<EventPage, StoreError>;

    /// Returns the id of the latest event that there has been, 0 if there was none.
    async fn newest_event(&self) -> Result<i64, StoreError>;

    /// Deletes events from before `until_ms`, at most `limit` of them; returns how many.
    async fn drop_events(&self, until_ms: i64, limit: usize) -> Result<usize, StoreError>;

    /// Returns which events are gone, for who has copies: at most `limit` that went with their person.
    async fn erased_events(&self, limit: usize) -> Result<ErasedEvents, StoreError>;

    /// Notes that of these no copies are left.
    async fn events_erased(&self, ids: Vec<i64>) -> Result<(), StoreError>;

    /// Returns what changes whenever this process has written events.
    fn events_written(&self) -> watch::Receiver<u64>;
}
