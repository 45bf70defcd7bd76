//! The folder of kept sentences: a file each, bounded in bytes and in files.
//!
//! Every method blocks on the disk. The files are the truth: several processes may share a folder,
//! and what one removes is a miss to another. Each keeps to the limits as far as it knows, and
//! looks again before it removes anything. A file appears under its name when it is whole.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::entry::{self, SoundKey};
use crate::audio::CodedSpeech;
use crate::audio::limits::MAX_NOTE_BYTES;
use crate::clock::Clock;
use crate::telemetry;

/// Ends the name of a file that is being written.
const PARTIAL: &str = ".part";
/// After this time nobody writes a file any more that is not whole.
const LEFT_BEHIND: Duration = Duration::from_hours(1);
/// Largest file that is read.
const MOST_BYTES: u64 = 2 * MAX_NOTE_BYTES as u64;

/// Limits what is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheLimits {
    /// In all files.
    pub bytes: u64,
    /// How many files.
    pub entries: u64,
}

/// Counts what is in the folder, as far as this process knows.
#[derive(Clone, Copy, Debug, Default)]
struct Held {
    bytes: u64,
    entries: u64,
}

/// Holds one file as it was found.
struct KeptFile {
    path: PathBuf,
    bytes: u64,
    used: SystemTime,
}

/// Reads and writes the files.
pub(super) struct SoundFolder {
    path: PathBuf,
    limits: CacheLimits,
    clock: Clock,
    held: Mutex<Held>,
    /// The disk refused: nothing more is written.
    refused: AtomicBool,
    written: AtomicU64,
}

impl SoundFolder {
    /// Makes the folder if it is not there, counts what is in it and keeps it to the limits.
    pub(super) fn open(path: PathBuf, limits: CacheLimits, clock: Clock) -> Self {
        let (held, refused, written) = Default::default();
        let folder = Self { path, limits, clock, held, refused, written };
        let opened = fs::create_dir_all(&folder.path).and_then(|()| folder.tidy());
        folder.note(opened);
        folder
    }

    /// Returns whether there is room for more, so that nothing has to go for it.
    pub(super) fn has_room(&self) -> bool {
        let Held { bytes, entries } = self.held();
        let room = self.lowered();
        !self.refused.load(Ordering::Relaxed) && bytes < room.bytes && entries < room.entries
    }

    /// Reads a sentence. One that is damaged is removed.
    pub(super) fn read(&self, key: SoundKey) -> Option<CodedSpeech> {
        let path = self.path.join(key.file_name());
        let now = UNIX_EPOCH + Duration::from_millis(self.clock.now_ms().try_into().ok()?);
        let why = match read_file(&path, now) {
            Ok(file) => match entry::unpack(key, &file.into()) {
                Some(speech) => return Some(speech),
                None => "it is not what was written".to_owned(),
            },
            // There may be no folder either.
            Err(error) if is_missing(&error) => return None,
            Err(error) => error.to_string(),
        };
        tracing::warn!(why, "a kept sentence is damaged: it is removed and made again");
        let _not_ours_to_remove = fs::remove_file(&path);
        None
    }

    /// Writes a sentence, and lets those go that were not said for longest if it is one too many.
    pub(super) fn write(&self, key: SoundKey, sound: &[u8]) {
        let file = entry::pack(key, sound);
        let bytes = file.len() as u64;
        if bytes > self.limits.bytes.min(MOST_BYTES) || self.refused.load(Ordering::Relaxed) {
            return;
        }
        let written = self.put(&self.path.join(key.file_name()), &file).and_then(|()| {
            let over = {
                let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
                held.bytes += bytes;
                held.entries += 1;
                held.bytes > self.limits.bytes || held.entries > self.limits.entries
            };
            if over { self.tidy() } else { Ok(()) }
        });
        self.note(written);
    }

    /// Writes a file under another name first, so that nobody reads a half.
    fn put(&self, path: &Path, file: &[u8]) -> io::Result<()> {
        let (process, count) = (std::process::id(), self.written.fetch_add(1, Ordering::Relaxed));
        let partial = self.path.join(format!("{process}-{count}{PARTIAL}"));
        let put = fs::write(&partial, file).and_then(|()| fs::rename(&partial, path));
        if put.is_err() {
            let _never_made = fs::remove_file(&partial);
        }
        put
    }

    /// Counts the files, and removes what is too much and what a process that died left.
    fn tidy(&self) -> io::Result<()> {
        let mut found = self.find()?;
        found.sort_by_key(|file| file.used);
        let mut held =
            Held { bytes: found.iter().map(|file| file.bytes).sum(), entries: found.len() as u64 };
        let mut evicted = 0;
        if held.bytes > self.limits.bytes || held.entries > self.limits.entries {
            let room = self.lowered();
            for file in found {
                if held.bytes <= room.bytes && held.entries <= room.entries {
                    break;
                }
                remove(&file.path)?;
                held.bytes -= file.bytes;
                held.entries -= 1;
                evicted += 1;
            }
        }
        telemetry::cache_evicted(evicted);
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = held;
        Ok(())
    }

    /// Lists our files; others' are left alone.
    fn find(&self) -> io::Result<Vec<KeptFile>> {
        let mut found = Vec::new();
        let now_ms = u64::try_from(self.clock.now_ms()).unwrap_or_default();
        let now = UNIX_EPOCH + Duration::from_millis(now_ms);
        for file in fs::read_dir(&self.path)? {
            let file = file?;
            let name = file.file_name();
            let name = name.to_str().unwrap_or_default();
            let (ours, partial) = (entry::is_ours(name), name.ends_with(PARTIAL));
            let about = match file.metadata() {
                Ok(about) if about.is_file() && (ours || partial) => about,
                Err(error) if !is_missing(&error) => return Err(error),
                _ => continue,
            };
            let used = about.modified()?;
            if ours {
                found.push(KeptFile { path: file.path(), bytes: about.len(), used });
            } else if now.duration_since(used).is_ok_and(|age| age > LEFT_BEHIND) {
                remove(&file.path())?;
            }
        }
        Ok(found)
    }

    /// Returns the limits that are kept to once something has to go, so that not every sentence
    /// after it costs another look.
    fn lowered(&self) -> CacheLimits {
        let CacheLimits { bytes, entries } = self.limits;
        CacheLimits { bytes: bytes - bytes / 10, entries: entries - entries / 10 }
    }

    fn held(&self) -> Held {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says what is held; that a disk refuses, once.
    fn note(&self, result: io::Result<()>) {
        let Held { bytes, entries } = self.held();
        telemetry::cache_holds(bytes, entries);
        if let Err(error) = result
            && !self.refused.swap(true, Ordering::Relaxed)
        {
            let folder = self.path.display();
            tracing::warn!(%error, %folder, "no more sentences are kept until the next start");
        }
    }
}

/// Reads a file and marks it as used at `now`.
fn read_file(path: &Path, now: SystemTime) -> io::Result<Vec<u8>> {
    // A pipe under that name would be waited for.
    if !path.symlink_metadata()?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let file = File::open(path)?;
    let mut bytes = Vec::new();
    (&file).take(MOST_BYTES).read_to_end(&mut bytes)?;
    let _of_another_user = file.set_modified(now);
    Ok(bytes)
}

/// Removes a file, which another process may have removed.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if !is_missing(&error) => Err(error),
        _ => Ok(()),
    }
}

/// Returns whether there is nothing under that name.
fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
