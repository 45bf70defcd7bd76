//! PostgreSQL, for any number of processes that serve from one database.
//!
//! Every statement sees what was committed before it; what belongs together is kept together by locks
//! that `sql` asks for: of a contact's row, or by name. Invariant: a transaction that fails, a lost
//! connection included, leaves nothing.

mod bus;
mod connect;
mod copied;
mod dialect;
mod pool;
mod schema;
mod session;
mod wire;

use std::error::Error as _;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use ::postgres::error::SqlState;
use tokio::sync::watch;

use self::bus::{Hearers, Notices};
use self::connect::Connector;
pub(super) use self::copied::{bring_up_to_date, copied, copied_into};
pub(super) use self::session::{PgSession, PgStatement};
pub(super) use self::wire::{kept_json, kept_words};
use super::sql::{Db, DbError, Worker};
use super::{Access, StoreError};
use crate::clock::SharedClock;

/// Holds the threads that work on a database.
pub(super) struct PgThreads {
    pub(super) writer: Worker,
    pub(super) reader: Worker,
    /// Reads what takes long.
    pub(super) reports: Worker,
    pub(super) bus: PgBus,
}

/// Hears other processes that serve from the same database, until it is dropped.
pub(super) struct PgBus {
    notices: Arc<Notices>,
    pub(super) lanes: watch::Sender<u64>,
    pub(super) clock: Arc<SharedClock>,
}

impl Drop for PgBus {
    fn drop(&mut self) {
        self.notices.end();
    }
}

/// Connects to the database at `address` and brings its schema up to date; `connections` serve calls,
/// and one more makes sums.
///
/// # Errors
/// `Open`: the server cannot be reached, or the database is not hark's.
pub(super) fn open(
    address: &str,
    access: Access,
    connections: u32,
    events: &watch::Sender<u64>,
) -> Result<PgThreads, StoreError> {
    let connector = Connector::new(address, false)?;
    let first = on_a_thread(|| {
        let session = connector.connect()?;
        schema::refuse_unfinished(&session, connector.name())?;
        schema::bring_up_to_date(&session, access, connector.name())?;
        let bus = bus_of(&session, connector.name())?;
        Ok((session, bus))
    })?;
    if access == Access::Serve {
        let told = Hearers {
            lanes: first.1.lanes.clone(),
            events: events.clone(),
            clock: Arc::clone(&first.1.clock),
        };
        let started = bus::start(connector.clone(), Arc::clone(&first.1.notices), told);
        started.map_err(|error| unstarted(&connector, &error))?;
    }
    let (first, bus) = first;
    threads(&connector, first, connections, events, bus)
}

/// Connects to look, and writes nothing. `None` if hark never served from the database.
///
/// # Errors
/// `Open`.
pub(super) fn look(address: &str) -> Result<Option<PgThreads>, StoreError> {
    let connector = Connector::new(address, true)?;
    let first = on_a_thread(|| {
        let session = connector.connect()?;
        if !schema::is_there(&session, connector.name())? {
            return Ok(None);
        }
        schema::refuse_unfinished(&session, connector.name())?;
        let bus = bus_of(&session, connector.name())?;
        Ok(Some((session, bus)))
    })?;
    let Some((first, bus)) = first else { return Ok(None) };
    threads(&connector, first, 1, &watch::Sender::new(0), bus).map(Some)
}

/// Checks whether an address can be one of a database.
pub(super) fn check_address(address: &str) -> Result<(), StoreError> {
    Connector::new(address, false).map(drop)
}

/// Checks whether a service could write to the database: a write is rolled back. Returns whether the
/// server waits for the disk at each commit: `synchronous_commit`.
pub(super) fn check_writable(address: &str) -> Result<String, StoreError> {
    let connector = Connector::new(address, false)?;
    on_a_thread(|| {
        let session = connector.connect()?;
        let tried = session.run("BEGIN; CREATE TABLE hark_doctor (trial BIGINT); ROLLBACK");
        let waits = tried.and_then(|()| {
            let mut waits = Db::postgres(&session)
                .prepare_cached("SELECT current_setting('synchronous_commit')")?;
            waits.query_row([0_i64; 0], |row| row.get(0))
        });
        waits.map_err(|error| StoreError::Open {
            path: connector.name().to_owned(),
            cause: error.to_string(),
        })
    })
}

fn threads(
    connector: &Connector,
    first: PgSession,
    connections: u32,
    events: &watch::Sender<u64>,
    bus: PgBus,
) -> Result<PgThreads, StoreError> {
    let start = |first, connections| {
        let started = pool::start(connector, first, connections, events, &bus.notices);
        started.map_err(|error| unstarted(connector, &error))
    };
    let ((writer, reader), (_, reports)) = (start(Some(first), connections)?, start(None, 1)?);
    Ok(PgThreads { writer, reader, reports, bus })
}

fn unstarted(connector: &Connector, error: &std::io::Error) -> StoreError {
    StoreError::Open { path: connector.name().to_owned(), cause: error.to_string() }
}

/// Makes what hears others, with the server's clock.
fn bus_of(session: &PgSession, name: &str) -> Result<PgBus, StoreError> {
    let failed =
        |error: DbError| StoreError::Open { path: name.to_owned(), cause: error.to_string() };
    let clock = SharedClock::new(session.now_ms().map_err(failed)?, Instant::now());
    Ok(PgBus { notices: Arc::default(), lanes: watch::Sender::new(0), clock: Arc::new(clock) })
}

/// Runs what blocks where no other work waits for it: a client has its own loop, and one cannot run
/// within another.
fn on_a_thread<T: Send>(
    work: impl FnOnce() -> Result<T, StoreError> + Send,
) -> Result<T, StoreError> {
    thread::scope(|scope| {
        scope.spawn(work).join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Says what went wrong, without the values of rows, which stand in details.
pub(super) fn said(error: &::postgres::Error) -> String {
    match (error.as_db_error(), error.source()) {
        (Some(theirs), _) => format!("{} ({})", theirs.message(), theirs.code().code()),
        (None, Some(cause)) => format!("{error}: {cause}"),
        (None, None) => error.to_string(),
    }
}

/// Returns whether a call met somebody else's writing: it may go well when it runs again.
pub(super) fn is_conflict(error: &StoreError) -> bool {
    matches!(error, StoreError::Backend(error)
        if error.downcast_ref::<DbError>().is_some_and(is_conflict_of))
}

fn is_conflict_of(error: &DbError) -> bool {
    const CONFLICTS: [SqlState; 5] = [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        // Somebody has just made the row that was not there, or deleted the one that was.
        SqlState::UNIQUE_VIOLATION,
        SqlState::FOREIGN_KEY_VIOLATION,
        SqlState::LOCK_NOT_AVAILABLE,
    ];
    match error {
        DbError::Postgres(error) => error.code().is_some_and(|code| CONFLICTS.contains(code)),
        _ => false,
    }
}
