//! The port of what is known of people: looked at, handed out, forgotten.

use async_trait::async_trait;

use super::StoreError;
use crate::turn::{LanguageCode, Personal, ReplyMode};

/// Holds a contact as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactRow {
    /// The contact's row.
    pub id: i64,
    /// WhatsApp's id for the person.
    pub user_id: Option<Personal>,
    /// Phone number in digits.
    pub phone: Option<Personal>,
    /// Their profile's name.
    pub name: Option<Personal>,
    /// Language last shown.
    pub language: Option<LanguageCode>,
    /// The language that they asked to be answered in.
    pub asked_language: Option<LanguageCode>,
    /// How they asked to be answered.
    pub reply_mode: Option<ReplyMode>,
    /// When they first wrote, Unix milliseconds.
    pub created_ms: i64,
}

impl ContactRow {
    /// Returns what the contact is called outside.
    pub fn key(&self) -> String {
        contact_key(self.id, self.created_ms)
    }
}

/// Names a contact outside: its row, and when it was made, so that an id that is used again is not it.
pub(super) fn contact_key(id: i64, created_ms: i64) -> String {
    format!("{id}-{created_ms:x}")
}

/// Holds a message of a person as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageRow {
    /// The number that it was sent to.
    pub number: String,
    /// The provider's id.
    pub id: String,
    /// The provider's word for its kind.
    pub kind: String,
    /// What it carries, as JSON.
    pub body: String,
    /// When it was sent, Unix milliseconds; 0 if unknown.
    pub sent_ms: i64,
    /// When it was accepted.
    pub received_ms: i64,
}

/// Looks people up, and forgets them.
#[async_trait]
pub trait People: Send + Sync {
    /// Returns up to `limit` contacts, newest first, that are older than the row `before`.
    async fn contacts(
        &self,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<ContactRow>, StoreError>;

    /// Returns one contact.
    async fn contact(&self, id: i64) -> Result<Option<ContactRow>, StoreError>;

    /// Returns the contacts that have this as WhatsApp's id, or its digits as phone number.
    async fn contacts_like(&self, who: String) -> Result<Vec<ContactRow>, StoreError>;

    /// Returns all messages of a contact, oldest first.
    async fn messages_of(&self, id: i64) -> Result<Vec<MessageRow>, StoreError>;

    /// Deletes a contact with all messages, turns, parts and statuses, and what is known of them as a
    /// customer, and clears the bytes of it;
    /// returns whether there was one. A turn that runs for them ends without a record. Their sound is
    /// overdue from then on: see [`SoundIndex::overdue`](super::SoundIndex::overdue).
    async fn forget(&self, id: i64) -> Result<bool, StoreError>;
}
