//! The port of what an agent has noted of a conversation: the older part of it in a few words.

use async_trait::async_trait;

use super::{Lane, StoreError};
use crate::turn::{Personal, Spent};

/// Holds the notes on one conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SummaryRow {
    /// The number that it was with.
    pub number: String,
    /// The notes.
    pub text: Personal,
    /// When they were made, Unix milliseconds.
    pub made_ms: i64,
}

/// Holds notes that were just taken.
#[derive(Clone, Debug)]
pub struct FreshNotes<'a> {
    /// Who took them.
    pub agent: &'a str,
    /// The notes.
    pub text: Personal,
    /// What they cost.
    pub spent: Spent,
}

/// Keeps notes on conversations; [`Record::history`](super::Record::history) returns them.
#[async_trait]
pub trait Memories: Send + Sync {
    /// Keeps the notes on a lane's exchanges up to the one that began at `upto_ms`, in the place of those
    /// before, and what they cost. Of who was forgotten nothing is kept.
    async fn note(
        &self,
        lane: &Lane,
        notes: FreshNotes<'_>,
        upto_ms: i64,
        now_ms: i64,
    ) -> Result<(), StoreError>;

    /// Returns the notes on all conversations of a contact.
    async fn notes_on(&self, contact_id: i64) -> Result<Vec<SummaryRow>, StoreError>;
}
