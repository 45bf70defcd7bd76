//! The port of access to the API: tokens, and answers to requests that may come twice.
//!
//! What a method returned `Ok` for is on disk. Invariant: a token is kept as its hash, and an answer
//! sealed.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Sealed, StoreError};

/// Says what a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenRole {
    /// Everything.
    Admin,
    /// To look at numbers, agents, turns and people, and to forget a person; no secret.
    Operator,
}

impl TokenRole {
    /// Returns its word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Operator => "operator",
        }
    }
}

/// Holds a token as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRow {
    /// Its id, a part of the token.
    pub id: String,
    /// Who has it, in the operator's words.
    pub name: String,
    /// What it allows.
    pub role: TokenRole,
    /// SHA-256 of the whole token, in hexadecimal digits.
    pub hash: String,
    /// When it was made, Unix milliseconds.
    pub created_ms: i64,
    /// When it was last used, to a minute.
    pub last_used_ms: Option<i64>,
    /// When it was revoked: it allows nothing since then.
    pub revoked_ms: Option<i64>,
}

/// Says what becomes of a request with an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It is the first one: do it, and keep the answer.
    Mine,
    /// The same request was answered before, with this.
    Answered(Sealed),
    /// The same request is being answered.
    Running,
    /// Another request had this key.
    OtherRequest,
}

/// Holds the times of a [`Tokens::claim`], Unix milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimTimes {
    /// Now.
    pub now_ms: i64,
    /// Keys older than this are forgotten.
    pub since_ms: i64,
    /// Keys older than this that have no answer are free.
    pub stuck_ms: i64,
}

/// Keeps tokens and idempotency keys.
#[async_trait]
pub trait Tokens: Send + Sync {
    /// Adds a token.
    async fn add_token(&self, token: TokenRow) -> Result<(), StoreError>;

    /// Returns all tokens, oldest first, those that were revoked included.
    async fn tokens(&self) -> Result<Vec<TokenRow>, StoreError>;

    /// Returns one token.
    async fn token(&self, id: &str) -> Result<Option<TokenRow>, StoreError>;

    /// Notes that a token was used.
    async fn token_used(&self, id: &str, now_ms: i64) -> Result<(), StoreError>;

    /// Revokes a token; returns whether there is one that was not.
    async fn revoke_token(&self, id: &str, now_ms: i64) -> Result<bool, StoreError>;

    /// Takes an idempotency key for a request. What was taken before `since_ms` is forgotten, and
    /// what was taken and not answered before `stuck_ms` may be taken again.
    async fn claim(
        &self,
        principal: &str,
        key: &str,
        request: &str,
        times: ClaimTimes,
    ) -> Result<Claim, StoreError>;

    /// Keeps the answer to a request; `None` gives the key free again.
    async fn settle_claim(
        &self,
        principal: &str,
        key: &str,
        answer: Option<Sealed>,
    ) -> Result<(), StoreError>;
}
