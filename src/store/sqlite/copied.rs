//! A file that is copied, copied into, or saved.

use std::fs::File;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::file::StoreFile;
use super::{BUSY, MIGRATIONS, NEWER, applied, connect, migrate, unopened};
use crate::store::StoreError;
use crate::store::copy::{is_unfinished, table_names};
use crate::store::sql::{Db, DbResult, params};

/// A file that nobody serves from as long as this is held.
pub(in crate::store) struct FileEnd {
    connection: Connection,
    /// Sees what others write, which the connection with its one moment does not.
    observer: Connection,
    seen: i64,
    _lock: File,
}

/// Opens a store that is to be copied, and brings it up to date.
///
/// # Errors
/// `InUse` if a service has it; `Open` if there is none.
pub(in crate::store) fn copied(path: &Path) -> Result<FileEnd, StoreError> {
    let failed = |error: rusqlite::Error| unopened(path, &error);
    let file = StoreFile::find(path)?;
    let lock = file.lock()?;
    let connection = connect(file.path()).map_err(failed)?;
    refuse_others(&connection, path)?;
    migrate(&connection).map_err(failed)?;
    if !has_tables(&connection).map_err(failed)? {
        return Err(unopened(path, &"it has no store"));
    }
    FileEnd::new(connection, &file, lock).map_err(failed)
}

/// Opens or makes a file that a store is to be copied into; nothing in it is changed.
///
/// # Errors
/// `InUse` if a service has it; `Open` if it is somebody else's or of a newer version.
pub(in crate::store) fn copied_into(path: &Path) -> Result<FileEnd, StoreError> {
    let failed = |error: rusqlite::Error| unopened(path, &error);
    let file = StoreFile::find_or_make(path)?;
    let lock = file.lock()?;
    let connection = Connection::open(file.path()).map_err(failed)?;
    connection.busy_timeout(BUSY).map_err(failed)?;
    refuse_others(&connection, path)?;
    FileEnd::new(connection, &file, lock).map_err(failed)
}

impl FileEnd {
    fn new(connection: Connection, file: &StoreFile, lock: File) -> rusqlite::Result<Self> {
        let observer = Connection::open(file.path())?;
        observer.busy_timeout(BUSY)?;
        let seen = commits(&observer)?;
        Ok(Self { connection, observer, seen, _lock: lock })
    }

    pub(in crate::store) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Returns whether anybody else has written to it since it was opened.
    pub(in crate::store) fn has_changed(&self) -> Result<bool, StoreError> {
        let commits = commits(&self.observer);
        commits.map(|commits| commits != self.seen).map_err(backend)
    }

    /// Makes the tables, or brings them up to date.
    pub(in crate::store) fn bring_up_to_date(&self, path: &Path) -> Result<(), StoreError> {
        let set = || {
            self.connection.pragma_update(None, "journal_mode", "WAL")?;
            self.connection.pragma_update(None, "synchronous", "FULL")?;
            self.connection.pragma_update(None, "foreign_keys", "ON")?;
            migrate(&self.connection)
        };
        set().map_err(|error| unopened(path, &error))
    }

    /// Switches triggers for this connection.
    pub(in crate::store) fn switch_triggers(&self, on: bool) -> DbResult<()> {
        self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, on)?;
        Ok(())
    }

    /// Writes all into the one file.
    pub(in crate::store) fn settle(&self) -> Result<(), StoreError> {
        super::write_back(&self.connection).map_err(backend)
    }
}

/// Counts commits of other connections.
fn commits(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA data_version", [], |row| row.get(0))
}

fn backend(error: rusqlite::Error) -> StoreError {
    StoreError::Backend(Box::new(error))
}

fn has_tables(connection: &Connection) -> rusqlite::Result<bool> {
    let tables = "SELECT count(*) FROM sqlite_master WHERE type = 'table'
                  AND name IN ('contacts', 'messages', 'turns')";
    connection.query_row(tables, [], |row| Ok(row.get::<_, u32>(0)? == 3))
}

/// Refuses a file of somebody else's, or of a newer version.
fn refuse_others(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let failed = |error: rusqlite::Error| unopened(path, &error);
    let other = "SELECT min(name) FROM sqlite_master WHERE type = 'table'";
    let other: Option<String> =
        connection.query_row(other, [], |row| row.get(0)).map_err(failed)?;
    match (other, has_tables(connection).map_err(failed)?) {
        (Some(table), false) => Err(unopened(
            path,
            &format_args!("it has tables that are not hark's, such as {table}: name another file"),
        )),
        _ if applied(connection).map_err(failed)? > MIGRATIONS.len() => Err(unopened(path, &NEWER)),
        _ => Ok(()),
    }
}

/// Saves a store into a new file as of one moment, without what was deleted; a service may run on it.
/// Returns how many rows and tables the file has.
///
/// # Errors
/// `Open` if there is no store; `Backend` if the file is not whole.
pub(in crate::store) fn save(store: &Path, file: &Path) -> Result<(u64, u64), StoreError> {
    let found = StoreFile::find(store)?;
    let failed = |error: rusqlite::Error| unopened(store, &error);
    let connection = Connection::open(found.path()).map_err(failed)?;
    connection.busy_timeout(BUSY).map_err(failed)?;
    if !has_tables(&connection).map_err(failed)? {
        return Err(unopened(store, &"it has no store"));
    }
    // Made first, so that nobody else may read it.
    StoreFile::find_or_make(file)?;
    connection.execute("VACUUM INTO ?1", [file.display().to_string()]).map_err(backend)?;
    let saved = Connection::open(file).map_err(backend)?;
    forget_the_living(&saved).map_err(backend)?;
    drop(saved);
    check_saved(file)
}

/// Leaves no process of the store that was saved, and no lease that one of them holds.
fn forget_the_living(saved: &Connection) -> rusqlite::Result<()> {
    let has = |column: &str| {
        let (table, column) = column.split_once('.').unwrap_or((column, "id"));
        let has = "SELECT count(*) FROM pragma_table_info(?1) WHERE name = ?2";
        saved.query_row(has, [table, column], |row| Ok(row.get::<_, u32>(0)? > 0))
    };
    if has("nodes")? {
        saved.execute("DELETE FROM nodes", [])?;
    }
    if has("messages.lease_until_ms")? {
        saved.execute("UPDATE messages SET lease_until_ms = 0 WHERE state = 'leased'", [])?;
    }
    Ok(())
}

/// Checks every page of a saved file, and makes it one file. Returns how many rows and tables it has.
///
/// # Errors
/// `Open` with what is wrong with it.
pub(in crate::store) fn check_saved(file: &Path) -> Result<(u64, u64), StoreError> {
    let saved = Connection::open(file).map_err(backend)?;
    saved.pragma_update(None, "journal_mode", "DELETE").map_err(backend)?;
    let found: String =
        saved.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(backend)?;
    if found != "ok" {
        return Err(unopened(file, &format_args!("it is damaged ({})", found.replace('\n', " "))));
    }
    let db = Db::sqlite(&saved);
    if is_unfinished(&db)? {
        return Err(unopened(file, &"it is the target of a copy that has not ended"));
    }
    let names = table_names(&db)?;
    let mut rows = 0;
    for name in &names {
        let count = format!("SELECT count(*) FROM \"{name}\"");
        rows += db.prepare_cached(&count)?.query_row(params![], |row| row.get::<u64>(0))?;
    }
    Ok((rows, names.len() as u64))
}
