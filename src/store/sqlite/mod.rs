//! The embedded database: one SQLite file, WAL, every commit synced to disk.
//!
//! One thread writes, one reads, and one makes the sums that take long; see `writer`. The file is
//! locked while a service runs on it, since a second one would lease the first one's messages; see
//! `file`.

mod copied;
mod file;
mod writer;

use std::cmp::Ordering;
use std::fs::File;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use tokio::sync::watch;

pub(super) use self::copied::{FileEnd, check_saved, copied, copied_into, save};
use self::file::StoreFile;
use super::copy::is_unfinished;
use super::sql::{Db, Worker};
use super::{Access, StoreError, UNFINISHED};

/// Applied in order; `PRAGMA user_version` counts them. One that has shipped never changes.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_turns.sql"),
    include_str!("migrations/0002_reply_mode.sql"),
    include_str!("migrations/0003_roles_and_leases.sql"),
    include_str!("migrations/0004_about_and_lost_notes.sql"),
    include_str!("migrations/0005_disclosure.sql"),
    include_str!("migrations/0006_lanes.sql"),
    include_str!("migrations/0007_directory.sql"),
    include_str!("migrations/0008_sounds.sql"),
    include_str!("migrations/0009_memory.sql"),
    include_str!("migrations/0010_knowledge.sql"),
    include_str!("migrations/0011_desk.sql"),
    include_str!("migrations/0012_customers.sql"),
    include_str!("migrations/0013_usage.sql"),
    include_str!("migrations/0014_erased_events.sql"),
    include_str!("migrations/0015_audit.sql"),
    include_str!("migrations/0016_nodes.sql"),
    include_str!("migrations/0017_out.sql"),
];

/// The migrations that made the tables of the directory, and what agents know.
const DIRECTORY: usize = 10;

/// How long another process may hold the write lock.
const BUSY: Duration = Duration::from_secs(5);

/// What SQLite keeps of the file of commits when it has been written into the database, in bytes.
const MOST_WAL: i64 = 64 << 20;

/// Holds what serves from a file: the threads, and the lock while a service runs on it.
pub(super) struct SqliteFile {
    pub(super) writer: Worker,
    pub(super) reader: Worker,
    /// Reads what takes long.
    pub(super) reports: Worker,
    /// Hold open as long as a service runs on the file.
    pub(super) lock: Option<File>,
}

/// Opens or creates the database at `path` and brings its schema up to date.
///
/// # Errors
/// `InUse` if another service has it, `Open` for everything else.
pub(super) fn open(
    path: &Path,
    access: Access,
    events: &watch::Sender<u64>,
) -> Result<SqliteFile, StoreError> {
    let file = StoreFile::find_or_make(path)?;
    let lock = match access {
        Access::Serve => Some(file.lock()?),
        Access::Inspect => None,
    };
    let failed = |error: rusqlite::Error| unopened(path, &error);
    let writer = connect(file.path()).map_err(failed)?;
    if access == Access::Serve {
        file.close_to_others()?;
        check_pages(&writer, path)?;
        // What an earlier process left would hold up the first webhook.
        write_back(&writer).map_err(failed)?;
    }
    refuse_unfinished(&writer, path)?;
    match applied(&writer).map_err(failed)?.cmp(&MIGRATIONS.len()) {
        Ordering::Less => {
            // A service of an older version may run on it: the schema stays under its feet.
            let _alone = lock.is_none().then(|| file.lock()).transpose()?;
            migrate(&writer).map_err(failed)?;
        }
        Ordering::Equal => {}
        Ordering::Greater => return Err(unopened(path, &NEWER)),
    }
    if access == Access::Serve {
        // Whoever made these answers died over them: the same request may be answered again.
        let unanswered = "DELETE FROM idempotency WHERE sealed IS NULL";
        writer.execute(unanswered, []).map_err(failed)?;
    }
    let started = |worker: std::io::Result<Worker>| worker.map_err(|error| unopened(path, &error));
    let reader = connect(file.path()).map_err(failed)?;
    let reports = connect(file.path()).map_err(failed)?;
    Ok(SqliteFile {
        writer: started(writer::start_writer(writer, file.clone(), events.clone()))?,
        reader: started(writer::start_reader(reader, file.clone()))?,
        reports: started(writer::start_reader(reports, file))?,
        lock,
    })
}

/// Opens the database at `path` to look its numbers and agents up, beside a service or not; nothing
/// is made, brought up to date or changed, and what writes fails. `None` if there is none, or one
/// of a version that had no numbers and agents.
///
/// # Errors
/// `Open`.
pub(super) fn look(path: &Path) -> Result<Option<SqliteFile>, StoreError> {
    if !path.exists() {
        return Ok(None);
    }
    let file = StoreFile::find(path)?;
    let failed = |error: rusqlite::Error| unopened(path, &error);
    let connection = Connection::open_with_flags(file.path(), OpenFlags::SQLITE_OPEN_READ_WRITE);
    let connection = connection.map_err(failed)?;
    connection.busy_timeout(BUSY).map_err(failed)?;
    connection.pragma_update(None, "query_only", "ON").map_err(failed)?;
    refuse_unfinished(&connection, path)?;
    match applied(&connection).map_err(failed)? {
        0..DIRECTORY => return Ok(None),
        newer if newer > MIGRATIONS.len() => return Err(unopened(path, &NEWER)),
        _ => {}
    }
    let reader = writer::start_reader(connection, file);
    let reader = reader.map_err(|error| unopened(path, &error))?;
    let (writer, reports) = (reader.clone(), reader.clone());
    Ok(Some(SqliteFile { writer, reader, reports, lock: None }))
}

const NEWER: &str = "it is of a newer version of hark";

/// Refuses half a store.
fn refuse_unfinished(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    match is_unfinished(&Db::sqlite(connection)) {
        Ok(false) => Ok(()),
        Ok(true) => Err(unopened(path, &UNFINISHED)),
        Err(error) => Err(unopened(path, &error)),
    }
}

/// Reads every page of the database.
fn check_pages(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let checked: rusqlite::Result<String> =
        connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
    let found = match checked {
        Ok(found) if found == "ok" => return Ok(()),
        Ok(found) => found,
        Err(error) => error.to_string(),
    };
    let hint = "put a backup in its place, or save what can be read: sqlite3 FILE .recover";
    Err(unopened(path, &format_args!("it is damaged ({}); {hint}", found.replace('\n', " "))))
}

pub(super) fn write_back(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

fn unopened(path: &Path, cause: &dyn std::fmt::Display) -> StoreError {
    StoreError::Open { path: path.display().to_string(), cause: cause.to_string() }
}

/// Checks whether a service could write to the database at `path`, and leaves no trace: where
/// there is one a write is rolled back, else the folder is tried. A service may run on it.
/// Blocks for up to 5 s.
///
/// # Errors
/// `Open` with the obstacle.
pub(super) fn check_writable(path: &Path) -> Result<(), StoreError> {
    if path.exists() {
        return write_and_undo(path).map_err(|error| unopened(path, &error));
    }
    let folder = path.ancestors().skip(1).find(|folder| folder.exists());
    let folder = folder.unwrap_or(Path::new("."));
    let trial = folder.join(format!(".hark-doctor-{}", std::process::id()));
    let tried = File::create_new(&trial).and_then(|_file| std::fs::remove_file(&trial));
    tried.map_err(|error| unopened(path, &format_args!("{}: {error}", folder.display())))
}

fn write_and_undo(path: &Path) -> rusqlite::Result<()> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.busy_timeout(BUSY)?;
    let tried = connection.execute_batch("BEGIN IMMEDIATE; CREATE TABLE hark_doctor (trial);");
    // Without a transaction there is nothing to undo.
    let undone =
        if connection.is_autocommit() { Ok(()) } else { connection.execute_batch("ROLLBACK") };
    tried.and(undone)
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // FULL syncs the WAL at every commit: what was answered 200 survives a power cut.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    connection.pragma_update(None, "journal_size_limit", MOST_WAL)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Makes an empty database with all tables.
#[cfg(test)]
pub(super) fn in_memory() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    migrate(&connection).unwrap();
    connection
}

/// Counts the migrations that a database has had.
fn applied(connection: &Connection) -> rusqlite::Result<usize> {
    let done: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    Ok(done as usize)
}

fn migrate(connection: &Connection) -> rusqlite::Result<()> {
    for (index, migration) in MIGRATIONS.iter().enumerate().skip(applied(connection)?) {
        connection.execute_batch(&format!(
            "BEGIN IMMEDIATE;\n{migration}\nPRAGMA user_version = {};\nCOMMIT;",
            index + 1
        ))?;
    }
    Ok(())
}
