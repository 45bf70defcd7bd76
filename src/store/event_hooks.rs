//! The port of those who are told of events by HTTP: who they are, how far they are, what they missed.

use async_trait::async_trait;

use super::{Changed, EventRow, StoreError};

/// Holds a webhook of events as it is kept. Its secret is kept with the others, sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventHookRow {
    /// Its id.
    pub id: String,
    /// Where events go.
    pub url: String,
    /// Which types; empty: all.
    pub types: Vec<String>,
    /// Of which number; `None`: of all.
    pub number: Option<String>,
    /// Whether events are sent.
    pub active: bool,
    /// The event up to which all are told.
    pub delivered: i64,
    /// Why the last one could not be told; `None` if it could.
    pub error: Option<String>,
    /// Since when that fails, Unix milliseconds.
    pub failed_ms: Option<i64>,
    /// Events that were given up.
    pub dead: u32,
    /// Counts its changes by people, from 1.
    pub version: u32,
    /// When it was added, Unix milliseconds.
    pub created_ms: i64,
}

impl EventHookRow {
    /// Returns whose secret it is in the vault.
    pub fn owner(id: &str) -> String {
        format!("@event-webhook/{id}")
    }
}

/// Holds an event that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadEventRow {
    /// The event.
    pub event: EventRow,
    /// Why.
    pub error: String,
    /// When, Unix milliseconds.
    pub at_ms: i64,
}

/// Keeps webhooks of events.
#[async_trait]
pub trait EventHooks: Send + Sync {
    /// Returns all, oldest first.
    async fn event_hooks(&self) -> Result<Vec<EventHookRow>, StoreError>;

    /// Adds one, if the row's version is 0, or changes what people set of the one that has this
    /// version. A new one is told of what comes after `delivered`.
    async fn put_event_hook(
        &self,
        row: EventHookRow,
        now_ms: i64,
    ) -> Result<Changed<EventHookRow>, StoreError>;

    /// Removes one with its secret and what it missed; returns whether there was one.
    async fn remove_event_hook(&self, id: &str) -> Result<bool, StoreError>;

    /// Notes up to which event all are told; `error` is why one is not, if that is so.
    async fn event_hook_reached(
        &self,
        id: &str,
        delivered: i64,
        error: Option<String>,
        now_ms: i64,
    ) -> Result<(), StoreError>;

    /// Gives an event up.
    async fn bury_event(
        &self,
        hook: &str,
        event: i64,
        error: &str,
        now_ms: i64,
    ) -> Result<(), StoreError>;

    /// Returns events that were given up, oldest first; those that are `again` to be told, or the others.
    async fn dead_events(
        &self,
        hook: &str,
        again: bool,
        limit: usize,
    ) -> Result<Vec<DeadEventRow>, StoreError>;

    /// Lets all that were given up be told again; returns how many.
    async fn replay_dead(&self, hook: &str) -> Result<usize, StoreError>;

    /// Forgets that an event was given up: it was told.
    async fn raise_event(&self, hook: &str, event: i64) -> Result<(), StoreError>;
}
