//! The store's file: private, locked while a service runs on it, and the same as long as it runs.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::ErrorCode;

use super::unopened;
use crate::store::StoreError;

/// How long a lock may be held by a service that was killed and is not quite gone.
const GONE: Duration = Duration::from_secs(2);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// What SQLite puts beside the file.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// Names a file by what it is and not by where it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileIdentity(u64, u64);

/// Holds the file that a store has opened.
#[derive(Clone, Debug)]
pub(super) struct StoreFile {
    /// Without links, so that two names of one file have one lock.
    path: PathBuf,
    identity: FileIdentity,
    /// SQLite has found damage: whatever is written now may make it worse.
    damaged: Arc<AtomicBool>,
}

impl StoreFile {
    /// Finds the file, or makes it and its folder; nobody else may read either.
    ///
    /// # Errors
    /// `Open` with what the system says.
    pub(super) fn find_or_make(path: &Path) -> Result<Self, StoreError> {
        let failed = |error: io::Error| unopened(path, &error);
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            private_folder(folder).map_err(failed)?;
        }
        // One that is there is not opened here: closing it would end SQLite's own locks on it.
        if !path.exists() {
            private(&mut OpenOptions::new())
                .create(true)
                .append(true)
                .open(path)
                .map_err(failed)?;
        }
        Self::find(path)
    }

    /// Finds the file.
    ///
    /// # Errors
    /// `Open` if there is none.
    pub(super) fn find(path: &Path) -> Result<Self, StoreError> {
        let failed = |error: io::Error| unopened(path, &error);
        let path = fs::canonicalize(path).map_err(failed)?;
        let identity = FileIdentity::of(&path).map_err(failed)?;
        Ok(Self { path, identity, damaged: Arc::default() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Takes from others the right to read the file and what lies beside it.
    ///
    /// # Errors
    /// `Open` if the system refuses; whoever does not own the file cannot.
    pub(super) fn close_to_others(&self) -> Result<(), StoreError> {
        for end in ["", BESIDE[0], BESIDE[1]] {
            let path = self.beside(end);
            make_private(&path).map_err(|error| unopened(&path, &error))?;
        }
        Ok(())
    }

    /// Locks the file for one service.
    ///
    /// # Errors
    /// `InUse` if another has it.
    pub(super) fn lock(&self) -> Result<File, StoreError> {
        let name = self.beside(".lock");
        let mut options = OpenOptions::new();
        let file = private(&mut options).create(true).truncate(false).write(true).open(&name);
        let file = file.map_err(|error| unopened(&name, &error))?;
        let mut waited = Duration::ZERO;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) if waited < GONE => {
                    #[expect(
                        clippy::disallowed_methods,
                        reason = "the system tells no lock's end"
                    )]
                    std::thread::sleep(LOOK_AGAIN);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(StoreError::InUse { path: self.path.display().to_string() });
                }
                Err(TryLockError::Error(error)) => return Err(unopened(&name, &error)),
            }
            waited += LOOK_AGAIN;
        }
    }

    /// Notes an error that tells of damage.
    pub(super) fn note(&self, error: Option<&rusqlite::Error>) {
        let code = error.and_then(rusqlite::Error::sqlite_error_code);
        if matches!(code, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)) {
            self.damaged.store(true, Ordering::Relaxed);
        }
    }

    /// Returns why nothing may be written: the file is damaged, or no longer where it was, so that
    /// what is written is lost.
    pub(super) fn unfit(&self) -> Option<String> {
        let path = self.path.display();
        if self.damaged.load(Ordering::Relaxed) {
            return Some(format!("{path} is damaged: start hark again, which says how"));
        }
        match FileIdentity::of(&self.path) {
            Ok(identity) if identity == self.identity => None,
            Ok(_) => Some(format!("{path} was replaced while hark runs: start hark again")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Some(format!(
                "{path} was deleted while hark runs: put it back, or start hark again"
            )),
            Err(error) => Some(format!("{path} cannot be looked at: {error}")),
        }
    }

    fn beside(&self, end: &str) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(end);
        name.into()
    }
}

/// Makes a folder and those above it, closed to others; leaves one that is there as it is.
fn private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

/// Lets only the owner read and write what is made.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

#[cfg(unix)]
impl FileIdentity {
    fn of(path: &Path) -> io::Result<Self> {
        use std::os::unix::fs::MetadataExt as _;
        let about = fs::metadata(path)?;
        Ok(Self(about.dev(), about.ino()))
    }
}

#[cfg(not(unix))]
impl FileIdentity {
    /// Knows only whether the file is there.
    fn of(path: &Path) -> io::Result<Self> {
        fs::metadata(path).map(|_| Self(0, 0))
    }
}

#[cfg(unix)]
fn make_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let about = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        about => about?,
    };
    if about.permissions().mode() & 0o777 == 0o600 {
        return Ok(());
    }
    fs::set_permissions(path, Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn make_private(_: &Path) -> io::Result<()> {
    Ok(())
}
