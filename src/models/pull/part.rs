//! The file that a model arrives in: `<file>.part`, beside the place it will have.
//!
//! Invariant: it belongs to one process at a time, its checksum is known up to the last byte, and
//! the only way to the model's own name is [`PartFile::finish`], which compares it. A process that
//! dies leaves bytes that the next one counts and continues.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _};

use super::{PullError, Wanted};
use crate::models::installed;
use crate::models::sum::Summing;

/// Holds a model that is arriving.
pub(super) struct PartFile {
    file: tokio::fs::File,
    path: PathBuf,
    /// Where it goes when it is complete.
    target: PathBuf,
    summing: Summing,
    done: u64,
    bytes: u64,
}

impl PartFile {
    /// Opens the part of a model of `bytes` in `folder`, making both if need be, and reads what it
    /// holds.
    pub(super) async fn open(
        folder: &Path,
        wanted: &Wanted,
        bytes: u64,
    ) -> Result<Self, PullError> {
        let path = folder.join(format!("{}.part", wanted.file));
        let (folder, target) = (folder.to_owned(), folder.join(&wanted.file));
        let mut summing = Summing::new(&wanted.sum);
        let opening = move || {
            let disk = |error| PullError::disk(&path, bytes, error);
            fs::create_dir_all(&folder).map_err(|e| PullError::disk(&folder, bytes, e))?;
            let file = lock(&path, bytes)?;
            let mut length = file.metadata().map_err(disk)?.len();
            if length > bytes {
                file.set_len(0).map_err(disk)?;
                length = 0;
            }
            let done = installed::sum_next(&file, length, &mut summing).map_err(disk)?;
            Ok(Self { file: file.into(), path, target, summing, done, bytes })
        };
        tokio::task::spawn_blocking(opening).await.expect("opening a file does not panic")
    }

    /// Returns how many bytes it holds.
    pub(super) fn done(&self) -> u64 {
        self.done
    }

    /// Returns how many bytes the model has.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns how many bytes are missing.
    pub(super) fn missing(&self) -> u64 {
        self.bytes - self.done
    }

    /// Appends bytes, at most as many as are missing.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<(), PullError> {
        debug_assert!(bytes.len() as u64 <= self.missing());
        self.file.write_all(bytes).await.map_err(|error| self.disk(error))?;
        self.summing.update(bytes);
        self.done += bytes.len() as u64;
        Ok(())
    }

    /// Hands everything to the system, so that the next process finds it.
    pub(super) async fn flush(&mut self) -> Result<(), PullError> {
        self.file.flush().await.map_err(|error| self.disk(error))
    }

    /// Forgets what it holds, to become what is `wanted` from its first byte.
    pub(super) async fn restart(&mut self, wanted: &Wanted) -> Result<(), PullError> {
        self.file.set_len(0).await.map_err(|error| self.disk(error))?;
        self.file.rewind().await.map_err(|error| self.disk(error))?;
        (self.summing, self.done) = (Summing::new(&wanted.sum), 0);
        Ok(())
    }

    /// Gives a complete model its name, in one step and durably; one that differs is removed. Returns
    /// its SHA-256.
    pub(super) async fn finish(mut self, wanted: &Wanted) -> Result<String, PullError> {
        if let Some(got) = self.summing.differs(&wanted.sum) {
            self.remove().await?;
            let (file, expected) = (wanted.file.clone(), wanted.sum.clone());
            return Err(PullError::Checksum { file, expected, got });
        }
        self.flush().await?;
        self.file.sync_all().await.map_err(|error| self.disk(error))?;
        let disk = |error| PullError::disk(&self.target, self.bytes, error);
        tokio::fs::rename(&self.path, &self.target).await.map_err(disk)?;
        let folder = self.target.parent().expect("it is in a folder");
        let folder = tokio::fs::File::open(folder).await.map_err(disk)?;
        folder.sync_all().await.map_err(disk)?;
        Ok(self.summing.sha256())
    }

    /// Removes it.
    pub(super) async fn remove(&self) -> Result<(), PullError> {
        tokio::fs::remove_file(&self.path).await.map_err(|error| self.disk(error))
    }

    fn disk(&self, error: io::Error) -> PullError {
        PullError::disk(&self.path, self.bytes, error)
    }
}

/// Opens the file and takes it for this process until it is closed.
fn lock(path: &Path, bytes: u64) -> Result<File, PullError> {
    let disk = |error| PullError::disk(path, bytes, error);
    let mut open = OpenOptions::new();
    open.read(true).write(true).create(true).truncate(false);
    for _ in 0..3 {
        let file = open.open(path).map_err(disk)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(PullError::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => return Err(disk(error)),
        }
        // Whoever had it may have given it its name since it was opened: then it is not ours.
        let (ours, named) = (file.metadata().map_err(disk)?, fs::metadata(path));
        if named.is_ok_and(|named| (named.dev(), named.ino()) == (ours.dev(), ours.ino())) {
            return Ok(file);
        }
    }
    Err(PullError::InUse(path.to_owned()))
}
