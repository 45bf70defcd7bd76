//! The port of what was done by whom, and of what is too old to be kept.

use async_trait::async_trait;

use super::{StoreError, TokenRole};

/// Holds what somebody did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeedRow {
    /// Its place among all; 0 before it is kept.
    pub id: i64,
    /// When, Unix milliseconds.
    pub at_ms: i64,
    /// The token's id.
    pub token: String,
    /// Who has it.
    pub name: String,
    /// What it allows.
    pub role: TokenRole,
    /// Method and route, such as `DELETE /api/v1/contacts/{id}`.
    pub deed: String,
    /// The path.
    pub path: String,
    /// The status of the answer.
    pub status: u16,
}

/// Says which deeds are looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeedSearch {
    /// Those of this token.
    pub token: Option<String>,
    /// Those that are older than this one.
    pub before: Option<i64>,
    /// At most so many, newest first.
    pub limit: usize,
}

/// Keeps what was done.
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Keeps a deed.
    async fn note_deed(&self, deed: DeedRow) -> Result<(), StoreError>;

    /// Returns deeds, newest first.
    async fn deeds(&self, search: DeedSearch) -> Result<Vec<DeedRow>, StoreError>;
}

/// Lets go of what is old, some of it at a time.
#[async_trait]
pub trait Retention: Send + Sync {
    /// Takes the words out of up to `limit` turns and messages each that came from `since_ms` on and
    /// before `until_ms`; returns from when on the next are, `None` if there are none.
    async fn forget_words(
        &self,
        since_ms: i64,
        until_ms: i64,
        limit: usize,
    ) -> Result<Option<i64>, StoreError>;

    /// Returns contacts who have written nothing since `until_ms`, and of whom nothing is unfinished.
    async fn silent_contacts(&self, until_ms: i64, limit: usize) -> Result<Vec<i64>, StoreError>;

    /// Deletes deeds from before `until_ms`.
    async fn drop_deeds(&self, until_ms: i64) -> Result<(), StoreError>;
}
