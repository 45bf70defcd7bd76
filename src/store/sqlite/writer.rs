//! One thread that owns a connection, and group commit.
//!
//! Writes that arrive while a commit is being synced to disk share the next one: under load one
//! fsync covers many webhooks. Each write has its own savepoint, so that one that fails takes
//! nothing of its neighbours with it, and nobody is answered before the commit. Nothing is written
//! into a file that is not the store's any more, or once SQLite has found damage.

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot, watch};

use super::events;
use super::file::StoreFile;
use super::outage::Outage;
use crate::store::StoreError;

/// Writes that may wait. At 1,000 webhooks a second this is a quarter of a second of work; a
/// caller beyond it waits for its place.
const QUEUE: usize = 256;
/// Writes that share one commit, so that the first of them is not kept waiting.
const GROUP: usize = 128;

/// Answers one caller once the commit's fate is known.
type Finish = Box<dyn FnOnce(Option<&str>) + Send>;
/// Runs inside the group's transaction; gets `None` if there is none.
type GroupedCall = Box<dyn FnOnce(Option<&Connection>) -> Finish + Send>;

/// Hands calls to the thread. Dropping every clone ends it.
#[derive(Clone)]
pub(super) struct Worker {
    queue: mpsc::Sender<GroupedCall>,
    mode: Mode,
    file: StoreFile,
}

/// Says what surrounds a group of calls.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// A transaction, committed before anyone is answered.
    Write,
    /// Nothing: reads see the last commit.
    Read,
}

impl Worker {
    /// Starts the thread; `events` is told when a commit had some.
    pub(super) fn start(
        connection: Connection,
        mode: Mode,
        file: StoreFile,
        events: watch::Sender<u64>,
    ) -> std::io::Result<Self> {
        let (queue, mut calls) = mpsc::channel::<GroupedCall>(QUEUE);
        let name = if mode == Mode::Write { "store-write" } else { "store-read" };
        let (own, mut outage, mut newest) = (file.clone(), Outage::default(), 0);
        std::thread::Builder::new().name(name.into()).spawn(move || {
            while let Some(first) = calls.blocking_recv() {
                let mut group = vec![first];
                while group.len() < GROUP
                    && let Ok(next) = calls.try_recv()
                {
                    group.push(next);
                }
                match mode {
                    Mode::Read => group.into_iter().for_each(|work| work(Some(&connection))(None)),
                    Mode::Write => {
                        let before = connection.total_changes();
                        let error = run(&connection, &own, group).err();
                        // A group that changed nothing says nothing of the disk.
                        if error.is_some() || connection.total_changes() > before {
                            outage.note(error.as_deref());
                        }
                        // What cannot be read is read by whoever asks for events.
                        let now = events::newest(&connection).unwrap_or(newest);
                        if error.is_none() && std::mem::replace(&mut newest, now) != now {
                            events.send_modify(|commits| *commits += 1);
                        }
                    }
                }
            }
        })?;
        Ok(Self { queue, mode, file })
    }

    /// Runs `work` on the thread and waits until it is durable.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let (mode, file) = (self.mode, self.file.clone());
        let work: GroupedCall = Box::new(move |connection| {
            let result = connection.map(|connection| in_savepoint(connection, mode, work));
            if let Some(Err(StoreError::Backend(error))) = &result {
                file.note(error.downcast_ref());
            }
            Box::new(move |commit_error| {
                let result = match (result, commit_error) {
                    (Some(result), None) => result,
                    (_, error) => Err(StoreError::Commit(error.unwrap_or("not begun").to_owned())),
                };
                // A caller that gave up needs no answer; its write is kept.
                let _gone = answer.send(result);
            })
        });
        self.queue.send(work).await.map_err(|_closed| StoreError::Closed)?;
        answered.await.map_err(|_closed| StoreError::Closed)?
    }
}

/// Runs a group in one transaction and answers every caller; returns why nothing of it is kept.
fn run(connection: &Connection, file: &StoreFile, group: Vec<GroupedCall>) -> Result<(), String> {
    let told = |error: rusqlite::Error| {
        file.note(Some(&error));
        error.to_string()
    };
    let begun = match file.unfit() {
        Some(why) => Err(why),
        None => connection.execute_batch("BEGIN IMMEDIATE").map_err(told),
    };
    let open = begun.is_ok().then_some(connection);
    let finishes: Vec<Finish> = group.into_iter().map(|work| work(open)).collect();
    let committed = begun.and_then(|()| connection.execute_batch("COMMIT").map_err(told));
    if committed.is_err() {
        // Leaves the connection clean for the next group; a failed BEGIN has nothing to undo.
        let _nothing_open = connection.execute_batch("ROLLBACK");
    }
    for finish in finishes {
        finish(committed.as_ref().err().map(String::as_str));
    }
    committed
}

/// Runs one call so that its failure undoes only itself. A read has no transaction to protect.
fn in_savepoint<T>(
    connection: &Connection,
    mode: Mode,
    work: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    if mode == Mode::Read {
        return work(connection);
    }
    if connection.is_autocommit() {
        // SQLite gave the whole group up, as on a full disk. Nothing may commit on its own; the
        // failing COMMIT answers for everyone.
        return Err(rusqlite::Error::InvalidQuery.into());
    }
    connection.execute_batch("SAVEPOINT call")?;
    let result = work(connection);
    let end = if result.is_ok() { "RELEASE call" } else { "ROLLBACK TO call; RELEASE call" };
    connection.execute_batch(end)?;
    result
}
