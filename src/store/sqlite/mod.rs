//! The embedded store: one SQLite file, WAL, every commit synced to disk.
//!
//! One thread writes and one reads; see `writer`. The file is locked while a service
//! runs on it, since a second one would lease the first one's messages.

mod archive;
mod contacts;
mod json;
mod queue;
mod records;
mod statuses;
mod writer;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, OpenFlags};

use self::writer::{Mode, Worker};
use super::{
    Archive, Begun, Disposition, Draft, History, Lane, Lapsed, Lease, LeaseKey, Lessee,
    MessageCounts, Queue, Record, StoreError, Tenure, TurnRow,
};
use crate::turn::{
    Accepted, Content, Inbound, MessageId, Part, ReplyMode, Role, StatusUpdate, TurnId,
};

/// Applied in order; `PRAGMA user_version` counts them. One that has shipped never changes.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_turns.sql"),
    include_str!("migrations/0002_reply_mode.sql"),
    include_str!("migrations/0003_roles_and_leases.sql"),
];

/// How long another process may hold the write lock.
const BUSY: Duration = Duration::from_secs(5);

/// Implements every port of the store on one SQLite file.
pub struct SqliteStore {
    writer: Worker,
    reader: Worker,
    /// Held open as long as a service runs on the file.
    _lock: Option<File>,
}

/// Whether the file is opened to serve from it or to look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Leases messages: only one process at a time.
    Serve,
    /// Reads the record beside a running service.
    Inspect,
}

impl SqliteStore {
    /// Opens or creates the database at `path` and brings its schema up to date.
    ///
    /// # Errors
    /// `InUse` if another service has it, `Open` for everything else.
    pub fn open(path: &Path, access: Access) -> Result<Self, StoreError> {
        let failed = |cause: String| StoreError::Open { path: path.display().to_string(), cause };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|error| failed(error.to_string()))?;
        }
        let lock = match access {
            Access::Serve => Some(lock(path)?),
            Access::Inspect => None,
        };
        let writer = connect(path).map_err(|error| failed(error.to_string()))?;
        migrate(&writer).map_err(|error| failed(error.to_string()))?;
        let reader = connect(path).map_err(|error| failed(error.to_string()))?;
        Ok(Self {
            writer: Worker::spawn(writer, Mode::Write)
                .map_err(|error| failed(error.to_string()))?,
            reader: Worker::spawn(reader, Mode::Read).map_err(|error| failed(error.to_string()))?,
            _lock: lock,
        })
    }
}

/// Checks whether a service could write to the database at `path`, and leaves no trace: where
/// there is one a write is rolled back, else the folder is tried. A service may run on it.
/// Blocks for up to 5 s.
///
/// # Errors
/// `Open` with what stands in the way.
pub fn check_writable(path: &Path) -> Result<(), StoreError> {
    let failed = |cause: String| StoreError::Open { path: path.display().to_string(), cause };
    if path.exists() {
        return write_and_undo(path).map_err(|error| failed(error.to_string()));
    }
    let folder = path.parent().into_iter().flat_map(Path::ancestors);
    let folder =
        folder.map(|folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
    let folder = folder.into_iter().find(|folder| folder.exists()).unwrap_or(Path::new("."));
    let trial = folder.join(format!(".hark-doctor-{}", std::process::id()));
    let tried = File::create_new(&trial).and_then(|_file| std::fs::remove_file(&trial));
    tried.map_err(|error| failed(format!("{}: {error}", folder.display())))
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

fn lock(path: &Path) -> Result<File, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let open = |error: std::io::Error| StoreError::Open {
        path: name.display().to_string(),
        cause: error.to_string(),
    };
    let file = File::create(&name).map_err(open)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => {
            Err(StoreError::InUse { path: path.display().to_string() })
        }
        Err(std::fs::TryLockError::Error(error)) => Err(open(error)),
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // FULL syncs the WAL at every commit: what was answered 200 survives a power cut.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

fn migrate(connection: &Connection) -> rusqlite::Result<()> {
    let done: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    for (index, migration) in MIGRATIONS.iter().enumerate().skip(done as usize) {
        connection.execute_batch(&format!(
            "BEGIN IMMEDIATE;\n{migration}\nPRAGMA user_version = {};\nCOMMIT;",
            index + 1
        ))?;
    }
    Ok(())
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Backend(Box::new(error))
    }
}

#[async_trait]
impl Queue for SqliteStore {
    async fn accept(
        &self,
        messages: Vec<(Inbound, Disposition)>,
        now_ms: i64,
    ) -> Result<Vec<Accepted>, StoreError> {
        self.writer
            .call(move |db| {
                messages
                    .iter()
                    .map(|(message, disposition)| queue::accept(db, message, *disposition, now_ms))
                    .collect()
            })
            .await
    }

    async fn record_statuses(&self, statuses: Vec<StatusUpdate>) -> Result<(), StoreError> {
        self.writer.call(move |db| statuses.iter().try_for_each(|s| statuses::record(db, s))).await
    }

    async fn lease(
        &self,
        lessee: &Lessee,
        limit: usize,
        now_ms: i64,
    ) -> Result<Vec<Lease>, StoreError> {
        let lessee = lessee.clone();
        self.writer.call(move |db| queue::lease(db, &lessee, limit, now_ms)).await
    }

    async fn renew(&self, lessee: &Lessee, leases: &[LeaseKey]) -> Result<Vec<Tenure>, StoreError> {
        let (lessee, leases) = (lessee.clone(), leases.to_vec());
        self.writer.call(move |db| queue::renew(db, &lessee, &leases)).await
    }

    async fn reclaim(
        &self,
        lapsed: Lapsed,
        now_ms: i64,
        retry_ms: i64,
    ) -> Result<usize, StoreError> {
        self.writer.call(move |db| queue::reclaim(db, &lapsed, now_ms, retry_ms)).await
    }

    async fn next_due_ms(&self) -> Result<Option<i64>, StoreError> {
        self.reader.call(queue::next_due_ms).await
    }

    async fn ack(&self, lease: &LeaseKey) -> Result<Tenure, StoreError> {
        let lease = lease.clone();
        self.writer.call(move |db| queue::ack(db, &lease)).await
    }

    async fn release(
        &self,
        lease: &LeaseKey,
        at_ms: i64,
        was_attempt: bool,
    ) -> Result<Tenure, StoreError> {
        let lease = lease.clone();
        self.writer.call(move |db| queue::release(db, &lease, at_ms, was_attempt)).await
    }
}

#[async_trait]
impl Record for SqliteStore {
    async fn begin(
        &self,
        lease: &Lease,
        agent: &str,
        queue_ms: f64,
        now_ms: i64,
    ) -> Result<Begun, StoreError> {
        let (lease, agent) = (lease.clone(), agent.to_owned());
        let begun =
            self.writer.call(move |db| records::begin(db, &lease, &agent, queue_ms, now_ms));
        begun.await?.ok_or(StoreError::LeaseLost)
    }

    async fn history(&self, lane: &Lane, limit: usize, now_ms: i64) -> Result<History, StoreError> {
        let lane = lane.clone();
        self.reader.call(move |db| records::history(db, &lane, limit, now_ms)).await
    }

    async fn set_reply_mode(&self, turn: &TurnId, mode: ReplyMode) -> Result<(), StoreError> {
        let turn = turn.clone();
        self.writer.call(move |db| contacts::set_reply_mode(db, &turn, mode)).await
    }

    async fn plan(
        &self,
        lease: &Lease,
        parts: Vec<(Role, Content)>,
        now_ms: i64,
    ) -> Result<Vec<Part>, StoreError> {
        let (turn, attempt) = (lease.turn.clone(), lease.attempt);
        let planned =
            self.writer.call(move |db| records::plan(db, &turn, attempt, parts, now_ms)).await?;
        planned.ok_or(StoreError::LeaseLost)
    }

    async fn draft(&self, turn: &TurnId, draft: &Draft) -> Result<(), StoreError> {
        let (turn, draft) = (turn.clone(), draft.clone());
        self.writer.call(move |db| records::draft(db, &turn, &draft)).await
    }

    async fn settle(
        &self,
        turn: &TurnId,
        index: u32,
        result: Result<MessageId, String>,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let turn = turn.clone();
        self.writer.call(move |db| records::settle(db, &turn, index, &result, now_ms)).await
    }

    async fn finish(&self, turn: &TurnId, ended: &Draft, now_ms: i64) -> Result<(), StoreError> {
        let (turn, ended) = (turn.clone(), ended.clone());
        self.writer.call(move |db| records::finish(db, &turn, &ended, now_ms)).await
    }
}

#[async_trait]
impl Archive for SqliteStore {
    async fn turns(
        &self,
        contact: Option<String>,
        limit: usize,
    ) -> Result<Vec<TurnRow>, StoreError> {
        self.reader.call(move |db| archive::turns(db, contact.as_deref(), limit)).await
    }

    async fn messages(&self, now_ms: i64) -> Result<MessageCounts, StoreError> {
        self.reader.call(move |db| archive::messages(db, now_ms)).await
    }
}
