//! A store that is saved into one file while hark runs on it.
//!
//! Of a file SQLite makes a copy as of one moment, without what was deleted; of a server the rows are
//! copied into a file as of one moment, and checked. Invariant: the file appears whole, under its name,
//! or not at all; nobody but its owner reads it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::Serialize;

use super::ends::{CopyEnd, SourceUse};
use super::{CopyError, CopyReport, CopyStep, apart};
use crate::store::{StoreAddress, sqlite};

/// Says what was saved.
#[derive(Clone, Debug, Serialize)]
pub struct BackupReport {
    /// The store, without a password.
    pub from: String,
    /// The file.
    pub file: String,
    /// Its length.
    pub bytes: u64,
    /// How long it took, its check included.
    pub seconds: f64,
    /// Rows of all tables.
    pub rows: u64,
    /// Tables.
    pub tables: u64,
}

/// Saves a store, on which a service may run, into a file of SQLite's. Blocks as long as it takes.
///
/// # Errors
/// `Refused` if there is a file already, unless it is to be replaced; there is no file after an error.
pub fn backup_store(
    from: &StoreAddress,
    file: &Path,
    replaces: bool,
    told: &mut (dyn FnMut(CopyStep<'_>) + Send),
) -> Result<BackupReport, CopyError> {
    let started = Instant::now();
    let failed = |error: io::Error| CopyError::File { path: file.display().to_string(), error };
    if let StoreAddress::File(store) = from
        && let (Ok(here), Ok(there)) = (store.canonicalize(), file.canonicalize())
        && here == there
    {
        return Err(CopyError::Refused(format!("{} is the store itself", file.display())));
    }
    refuse_existing(file, replaces)?;
    let part = BackupPart(with_end(file, ".part"));
    part.remove().map_err(failed)?;
    let (rows, tables) = match from {
        StoreAddress::File(store) => sqlite::save(store, &part.0)?,
        StoreAddress::Postgres { .. } => apart(|| {
            let source = CopyEnd::source(from, SourceUse::Shared)?;
            let report = super::copy(&source, &StoreAddress::File(part.0.clone()), told)?;
            sqlite::check_saved(&part.0)?;
            counted(&report)
        })?,
    };
    let bytes = fs::metadata(&part.0).map_err(failed)?.len();
    File::open(&part.0).and_then(|part| part.sync_all()).map_err(failed)?;
    refuse_existing(file, replaces)?;
    // What SQLite had beside the file that is replaced: with it the new one would be damaged.
    remove(file, &BESIDE).map_err(failed)?;
    fs::rename(&part.0, file).map_err(failed)?;
    if let Some(folder) = file.parent() {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
    }
    let (from, file) = (from.to_string(), file.display().to_string());
    Ok(BackupReport { from, file, bytes, seconds: started.elapsed().as_secs_f64(), rows, tables })
}

fn counted(report: &CopyReport) -> Result<(u64, u64), CopyError> {
    match report.tables.iter().find(|table| !table.is_same()) {
        None => Ok((report.rows(), report.tables.len() as u64)),
        Some(table) => Err(CopyError::Table {
            table: table.table.clone(),
            cause: "its rows are not the same in the file".to_owned(),
        }),
    }
}

fn refuse_existing(file: &Path, replaces: bool) -> Result<(), CopyError> {
    if replaces || fs::symlink_metadata(file).is_err() {
        return Ok(());
    }
    Err(CopyError::Refused(format!(
        "{} is there already: name another file, or replace it with --force",
        file.display()
    )))
}

/// A file that is not whole yet; it goes with its owner, and what SQLite puts beside it too.
struct BackupPart(PathBuf);

impl BackupPart {
    fn remove(&self) -> io::Result<()> {
        remove(&self.0, &["", ".lock"])?;
        remove(&self.0, &BESIDE)
    }
}

/// What the files are called that SQLite puts beside one, behind its name.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Removes those of the files beside one that are there.
fn remove(file: &Path, ends: &[&str]) -> io::Result<()> {
    for end in ends {
        match fs::remove_file(with_end(file, end)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

impl Drop for BackupPart {
    fn drop(&mut self) {
        if let Err(error) = self.remove() {
            tracing::warn!(file = %self.0.display(), error = %error, "half a backup was left");
        }
    }
}

fn with_end(file: &Path, end: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(end);
    name.into()
}
