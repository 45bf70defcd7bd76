//! The port of the library: files that agents know, in passages, and what a model said they mean.
//!
//! What a method returned `Ok` for is on disk. A change of the sources is one of the
//! [`Directory`](super::Directory), whose revision grows with it.

use std::collections::HashMap;

use async_trait::async_trait;

use super::StoreError;
use crate::knowledge::{Passage, SourceKey, Vector};

/// Describes a file that an agent knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceRow {
    /// Which one it is; a file that took the place of another is another one. Not looked at when it is
    /// added.
    pub id: i64,
    /// The agent's name.
    pub agent: String,
    /// The file's name.
    pub name: String,
    /// What tells it from every other.
    pub key: SourceKey,
    /// The length of the file.
    pub bytes: u64,
    /// How many passages it has.
    pub passages: u32,
    /// When it was added, Unix milliseconds.
    pub added_ms: i64,
}

/// Names words by their SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WordsKey(pub [u8; 32]);

/// Keeps what agents know.
#[async_trait]
pub trait Library: Send + Sync {
    /// Adds a file to what an agent knows, in the place of one of the same name. Returns whether that
    /// changed anything: not if it is there already.
    async fn put_source(
        &self,
        source: SourceRow,
        passages: Vec<Passage>,
    ) -> Result<bool, StoreError>;

    /// Removes a file; returns whether there was one.
    async fn remove_source(&self, agent: &str, name: &str) -> Result<bool, StoreError>;

    /// Returns the files of an agent, by their names.
    async fn sources(&self, agent: &str) -> Result<Vec<SourceRow>, StoreError>;

    /// Returns up to `limit` passages of a file from this place on, in order; none if it is gone.
    async fn passages(
        &self,
        source: i64,
        from: u32,
        limit: usize,
    ) -> Result<Vec<Passage>, StoreError>;

    /// Returns what is kept of what words mean to a model, and notes that it is used on this day since
    /// 1970.
    async fn vectors(
        &self,
        model: &str,
        words: Vec<WordsKey>,
        day: i64,
    ) -> Result<HashMap<WordsKey, Vector>, StoreError>;

    /// Keeps what words mean to a model.
    async fn keep_vectors(
        &self,
        model: &str,
        vectors: Vec<(WordsKey, Vector)>,
        day: i64,
    ) -> Result<(), StoreError>;

    /// Deletes what was used on no day from this one on. Returns how many vectors that were.
    async fn forget_vectors(&self, before: i64) -> Result<usize, StoreError>;
}
