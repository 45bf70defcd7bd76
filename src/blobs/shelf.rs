//! The shelf: writes what turns leave, hands it out, and deletes it when its time is over.
//!
//! Between [`intake`](super::intake) and the two that know what is kept: the store's index and the
//! place of the files. Invariant: a file has a row before it is written and until it is deleted, so that
//! a process that dies leaves nothing that nobody finds.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::outage::BlobOutage;
use super::{BlobError, BlobStore, BlobStream, SoundIntake, SoundWaiting, TurnSound, intake};
use crate::clock::Clock;
use crate::store::{SoundIndex, SoundRow, StoreError};
use crate::telemetry;
use crate::turn::{SoundSide, TurnId};

/// Files that are written side by side: a cloud takes a tenth of a second for each.
const SIDE_BY_SIDE: usize = 4;
/// Files that are deleted side by side, and that are looked up at once.
const BATCH: usize = 16;
/// Files that may fail one after the other before a sweep leaves the rest for later.
const GIVE_UP: usize = 32;
/// Longest time between two looks for what is overdue.
const LOOK: Duration = Duration::from_mins(1);
/// How long a service that stops waits for what is not written yet.
const LAST: Duration = Duration::from_secs(10);

/// Knows what is kept, and where.
pub struct SoundShelf {
    index: Arc<dyn SoundIndex>,
    blobs: Arc<dyn BlobStore>,
    /// How long a file is kept; zero: none is.
    retention: Duration,
    clock: Clock,
    outage: BlobOutage,
    look: Notify,
}

/// Writes what turns leave, and sweeps.
pub struct SoundKeeper {
    shelf: Arc<SoundShelf>,
    waiting: SoundWaiting,
}

impl SoundShelf {
    /// Makes one that keeps files for `retention`.
    pub fn new(
        index: Arc<dyn SoundIndex>,
        blobs: Arc<dyn BlobStore>,
        retention: Duration,
        clock: Clock,
    ) -> Self {
        let (outage, look) = (BlobOutage::default(), Notify::new());
        Self { index, blobs, retention, clock, outage, look }
    }

    /// Returns how long a file is kept.
    pub fn retention(&self) -> Duration {
        self.retention
    }

    /// Makes what takes sound and what writes it; nothing takes any where none is kept.
    pub fn keeper(self: &Arc<Self>) -> (Option<SoundIntake>, SoundKeeper) {
        let (takes, waiting) = intake();
        let takes = (!self.retention.is_zero()).then_some(takes);
        (takes, SoundKeeper { shelf: Arc::clone(self), waiting })
    }

    /// Returns a file that is kept.
    ///
    /// # Errors
    /// The store's.
    pub async fn find(
        &self,
        turn: &TurnId,
        side: SoundSide,
    ) -> Result<Option<SoundRow>, StoreError> {
        self.index.sound(turn, side, self.clock.now_ms()).await
    }

    /// Reads bytes of the file with this key.
    ///
    /// # Errors
    /// `Absent` if somebody else deleted it.
    pub async fn read(
        &self,
        key: &str,
        range: std::ops::Range<u64>,
    ) -> Result<BlobStream, BlobError> {
        self.blobs.get(key, range).await
    }

    /// Deletes what is overdue; what cannot be deleted now is tried again at the next sweep.
    pub async fn sweep(&self) {
        let (mut after, mut failed) = (None, 0);
        loop {
            let overdue = self.index.overdue(self.clock.now_ms(), after.take(), BATCH).await;
            let overdue = match overdue {
                Ok(overdue) => overdue,
                Err(error) => return error.log("kept sound could not be looked up"),
            };
            let Some(last) = overdue.last().cloned() else { return };
            let mut deleting: FuturesUnordered<_> =
                overdue.iter().map(|sound| self.delete(sound)).collect();
            while let Some(deleted) = deleting.next().await {
                failed = if deleted { 0 } else { failed + 1 };
            }
            if failed >= GIVE_UP {
                return;
            }
            after = Some(last);
        }
    }

    /// Deletes a file and then its row; returns whether it is gone.
    async fn delete(&self, sound: &SoundRow) -> bool {
        let deleted = self.blobs.delete(&sound.key).await;
        self.outage.note(&self.blobs.place(), deleted.as_ref().err());
        if deleted.is_err() {
            return false;
        }
        match self.index.deleted(sound).await {
            Ok(()) => {
                telemetry::sound(sound.side, "deleted");
                true
            }
            Err(error) => {
                error.log("deleted sound could not be noted");
                false
            }
        }
    }

    /// Writes a file, unless it is kept already or its turn is gone.
    async fn write(&self, sound: TurnSound) {
        let TurnSound { turn, number, side, kind, extension, pieces, held } = sound;
        let (now_ms, retention_ms) = (self.clock.now_ms(), crate::clock::as_ms(self.retention));
        let shard = turn.0.get(..2).unwrap_or("0");
        let row = SoundRow {
            key: format!("{number}/{shard}/{turn}-{}.{extension}", side.name()),
            turn,
            side,
            kind: kind.to_owned(),
            bytes: pieces.iter().map(|piece| piece.len() as u64).sum(),
            kept_ms: now_ms,
            kept_until_ms: now_ms.saturating_add(retention_ms),
        };
        let result = match self.index.announce(row.clone()).await {
            Ok(false) => return,
            Ok(true) => self.put(&row, pieces).await,
            Err(error) => {
                error.log("sound could not be noted, and is not kept");
                false
            }
        };
        telemetry::sound(side, if result { "kept" } else { "lost" });
        drop(held);
        // What was deleted while it was written is overdue, and a place that works again has work.
        self.look.notify_one();
    }

    /// Writes a file that has a row; returns whether it is kept.
    async fn put(&self, row: &SoundRow, pieces: Vec<bytes::Bytes>) -> bool {
        let put = self.blobs.put(&row.key, &row.kind, pieces).await;
        self.outage.note(&self.blobs.place(), put.as_ref().err());
        if put.is_err() {
            return false;
        }
        match self.index.written(&row.turn, row.side, self.clock.now_ms()).await {
            Ok(true) => true,
            Ok(false) => {
                // Its person was forgotten meanwhile.
                self.delete(row).await;
                false
            }
            Err(error) => {
                error.log(
                    "sound is kept and could not be noted: it is deleted when its time is over",
                );
                false
            }
        }
    }
}

impl SoundKeeper {
    /// Writes and sweeps until `stop`, and then writes what is left.
    pub async fn run(mut self, stop: CancellationToken) {
        let shelf = Arc::clone(&self.shelf);
        let sweeping = async {
            // What was promised for longer under another configuration.
            let kept = shelf.index.keep_at_most(crate::clock::as_ms(shelf.retention)).await;
            if let Err(error) = kept {
                error.log("kept sound could not be given its time");
            }
            loop {
                shelf.sweep().await;
                tokio::select! {
                    () = shelf.look.notified() => {}
                    () = tokio::time::sleep(LOOK) => {}
                }
            }
        };
        let late = async {
            stop.cancelled().await;
            tokio::time::sleep(LAST).await;
        };
        tokio::select! {
            () = sweeping => unreachable!("it runs for ever"),
            () = self.write(&stop) => {}
            () = late => {
                tracing::warn!("some sound of the last turns was not kept: its place is too slow");
            }
        }
    }

    /// Writes until `stop`, and then what waits.
    async fn write(&mut self, stop: &CancellationToken) {
        let mut writing = FuturesUnordered::new();
        loop {
            tokio::select! {
                biased;
                Some(()) = writing.next() => {}
                Some(sound) = self.waiting.recv(), if writing.len() < SIDE_BY_SIDE => {
                    writing.push(self.shelf.write(sound));
                }
                () = stop.cancelled(), if !stop.is_cancelled() => {}
                else => return,
            }
            if stop.is_cancelled() && self.waiting.is_empty() && writing.is_empty() {
                return;
            }
        }
    }
}
