//! Sound that is kept: bytes under a name, in a folder or at a cloud.
//!
//! Beside the turn, never in its way: [`intake`] takes what a turn leaves and never waits, `shelf`
//! writes it later, hands it out and deletes it when its time is over. The port is [`BlobStore`];
//! `place` opens what `[blobs] url` names. Invariant: a name says nothing of a person.

mod intake;
mod object;
mod outage;
mod place;
mod shelf;

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;

pub use intake::{SoundIntake, SoundRecording, SoundWaiting, TurnSound, intake};
pub use place::{BlobPlace, BlobSettings, Cloud};
pub use shelf::{SoundKeeper, SoundShelf};

/// Brings the bytes of a file.
pub type BlobStream = BoxStream<'static, Result<Bytes, BlobError>>;

/// Keeps files under names of the form `a/b/c`.
#[async_trait]
pub trait BlobStore: Send + Sync {
    /// Names the place for a message.
    fn place(&self) -> String;

    /// Writes a file, whole or not at all; one of that name is replaced.
    async fn put(&self, key: &str, kind: &str, pieces: Vec<Bytes>) -> Result<(), BlobError>;

    /// Reads bytes of a file, from `range.start` up to `range.end`.
    async fn get(&self, key: &str, range: Range<u64>) -> Result<BlobStream, BlobError>;

    /// Deletes a file; that there is none is no error.
    async fn delete(&self, key: &str) -> Result<(), BlobError>;
}

/// Says why a file was not written, read or deleted. Never holds a key or a token.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// There is no such file: somebody else deleted it.
    #[error("there is no such file")]
    Absent,
    /// The place does not let us: correct the rights of the folder, or the keys.
    #[error("it does not let hark in: {0}")]
    Denied(String),
    /// The disk, or the quota, is full: make room.
    #[error("it is full: {0}")]
    Full(String),
    /// Anything else: look whether the place is there.
    #[error("{0}")]
    Away(String),
}

impl BlobError {
    /// Returns what an operator can do about it.
    pub fn fix(&self) -> &'static str {
        match self {
            Self::Absent => "put the file back, or let it be",
            Self::Denied(_) => {
                "give hark the right to write in the folder of [blobs] url, or correct the keys in [blobs]"
            }
            Self::Full(_) => "make room, or lower [blobs] retention_days",
            Self::Away(_) => "correct [blobs] url, or see that the place answers",
        }
    }
}

/// Tries whether a place can be written, read and deleted from, with a file of its own.
///
/// # Errors
/// The first of the three that cannot be done.
pub async fn try_out(blobs: &dyn BlobStore) -> Result<(), BlobError> {
    use futures_util::TryStreamExt as _;

    const TRIAL: &[u8] = b"hark doctor";
    let key = format!("hark-doctor-{}", std::process::id());
    blobs.put(&key, "application/octet-stream", vec![Bytes::from_static(TRIAL)]).await?;
    let read = async {
        let pieces: Vec<Bytes> =
            blobs.get(&key, 0..TRIAL.len() as u64).await?.try_collect().await?;
        if pieces.concat() == TRIAL {
            return Ok(());
        }
        Err(BlobError::Away("a file that was written came back with other bytes".to_owned()))
    };
    let read = read.await;
    blobs.delete(&key).await.and(read)
}
