//! The port of kept sound: which file of which turn lies where, and until when. The files lie elsewhere.

use async_trait::async_trait;

use super::StoreError;
use crate::turn::{SoundSide, TurnId};

/// Describes a file of sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoundRow {
    /// The turn that it belongs to.
    pub turn: TurnId,
    /// Whether it came in or went out.
    pub side: SoundSide,
    /// Its name where it lies; says nothing of a person.
    pub key: String,
    /// Its media type, such as `audio/ogg`.
    pub kind: String,
    /// Its length.
    pub bytes: u64,
    /// When it was taken, Unix milliseconds.
    pub kept_ms: i64,
    /// When it is to be deleted.
    pub kept_until_ms: i64,
}

/// Knows what sound is kept.
///
/// A row is there before its file is written and until its file is deleted, so that no file is ever
/// left without one.
#[async_trait]
pub trait SoundIndex: Send + Sync {
    /// Notes that a file is about to be written. Returns whether it should be: not if it is kept
    /// already, nor if its turn is gone.
    async fn announce(&self, sound: SoundRow) -> Result<bool, StoreError>;

    /// Notes that a file is written. Returns whether it may stay: not if it was forgotten meanwhile.
    async fn written(
        &self,
        turn: &TurnId,
        side: SoundSide,
        now_ms: i64,
    ) -> Result<bool, StoreError>;

    /// Returns a file that was written and is kept at `now_ms`.
    async fn sound(
        &self,
        turn: &TurnId,
        side: SoundSide,
        now_ms: i64,
    ) -> Result<Option<SoundRow>, StoreError>;

    /// Returns up to `limit` files whose time is over at `now_ms`, those that are due longest first,
    /// behind `after`, if there is one.
    async fn overdue(
        &self,
        now_ms: i64,
        after: Option<SoundRow>,
        limit: usize,
    ) -> Result<Vec<SoundRow>, StoreError>;

    /// Notes that a file is deleted.
    async fn deleted(&self, sound: &SoundRow) -> Result<(), StoreError>;

    /// Lets nothing be kept for longer than so many milliseconds, and nothing for longer than before.
    async fn keep_at_most(&self, retention_ms: i64) -> Result<(), StoreError>;
}
