//! One thread that owns a connection, and group commit.
//!
//! Writes that arrive while a commit is being synced to disk share the next one: under load one
//! fsync covers many webhooks. Each write has its own savepoint, so that one that fails takes
//! nothing of its neighbours with it, and nobody is answered before the commit. Nothing is written
//! into a file that is not the store's any more, or once SQLite has found damage.

use rusqlite::Connection;
use tokio::sync::{mpsc, watch};

use super::file::StoreFile;
use crate::store::StoreError;
use crate::store::sql::{Db, DbError, Mode, Outage, Ran, StoreCall, Work, Worker};

/// Writes that may wait. At 1,000 webhooks a second this is a quarter of a second of work; a
/// caller beyond it waits for its place.
const QUEUE: usize = 256;
/// Writes that share one commit, so that the first of them is not kept waiting.
const GROUP: usize = 128;

/// Starts a thread that reads.
pub(super) fn start_reader(connection: Connection, file: StoreFile) -> std::io::Result<Worker> {
    let (queue, mut calls) = mpsc::channel::<StoreCall>(QUEUE);
    std::thread::Builder::new().name("store-read".into()).spawn(move || {
        while let Some(StoreCall { mut work, .. }) = calls.blocking_recv() {
            work.run(&Db::sqlite(&connection));
            note(&file, work.error());
            work.finish(None);
        }
    })?;
    Ok(Worker::new(queue, Mode::Read))
}

/// Starts the thread that writes; `events` is told when a commit had some.
pub(super) fn start_writer(
    connection: Connection,
    file: StoreFile,
    events: watch::Sender<u64>,
) -> std::io::Result<Worker> {
    let (queue, mut calls) = mpsc::channel::<StoreCall>(QUEUE);
    std::thread::Builder::new().name("store-write".into()).spawn(move || {
        let mut outage = Outage::default();
        while let Some(StoreCall { work: first, .. }) = calls.blocking_recv() {
            let mut group = vec![first];
            while group.len() < GROUP
                && let Ok(StoreCall { work, .. }) = calls.try_recv()
            {
                group.push(work);
            }
            let (before, db) = (connection.total_changes(), Db::sqlite(&connection));
            let error = run(&connection, &db, &file, group).err();
            // A group that changed nothing says nothing of the disk.
            if error.is_some() || connection.total_changes() > before {
                outage.note(error.as_deref());
            }
            if error.is_none() && db.told_events() {
                events.send_modify(|commits| *commits += 1);
            }
        }
    })?;
    Ok(Worker::new(queue, Mode::Write))
}

/// Runs a group in one transaction and answers every caller; returns why nothing of it is kept.
fn run(
    connection: &Connection,
    db: &Db<'_>,
    file: &StoreFile,
    mut group: Vec<Box<dyn Work>>,
) -> Result<(), String> {
    let told = |error: rusqlite::Error| {
        file.note(Some(&error));
        error.to_string()
    };
    let begun = match file.unfit() {
        Some(why) => Err(why),
        None => connection.execute_batch("BEGIN IMMEDIATE").map_err(told),
    };
    let ran = begun.and_then(|()| {
        for work in &mut group {
            in_savepoint(connection, db, work.as_mut()).map_err(told)?;
            note(file, work.error());
        }
        Ok(())
    });
    let committed = ran.and_then(|()| connection.execute_batch("COMMIT").map_err(told));
    if committed.is_err() {
        // Leaves the connection clean for the next group; a failed BEGIN has nothing to undo.
        let _nothing_open = connection.execute_batch("ROLLBACK");
    }
    for work in group {
        work.finish(committed.as_ref().err().map(String::as_str));
    }
    committed
}

/// Runs one call so that its failure undoes only itself.
///
/// # Errors
/// Those of the savepoint.
fn in_savepoint(
    connection: &Connection,
    db: &Db<'_>,
    work: &mut dyn Work,
) -> Result<(), rusqlite::Error> {
    if connection.is_autocommit() {
        // SQLite gave the group up in an earlier call: nothing may commit on its own, and the failing
        // COMMIT answers for everyone.
        return Ok(());
    }
    connection.execute_batch("SAVEPOINT call")?;
    let ran = work.run(db);
    if connection.is_autocommit() {
        return Ok(());
    }
    let end = if ran == Ran::Done { "RELEASE call" } else { "ROLLBACK TO call; RELEASE call" };
    connection.execute_batch(end)
}

/// Notes an error that tells of damage.
fn note(file: &StoreFile, error: Option<&StoreError>) {
    if let Some(StoreError::Backend(error)) = error
        && let Some(DbError::Sqlite(error)) = error.downcast_ref()
    {
        file.note(Some(error));
    }
}
