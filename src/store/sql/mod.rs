//! Every port of the store, in SQL that SQLite and PostgreSQL both understand.
//!
//! Each port is implemented beside its statements, in the file of its name. They run on connections
//! that the threads of `sqlite` or `postgres` own; see `worker` and `db`. Invariant: what is done for
//! one contact is done one after the other, on however many connections: it holds the contact first.

mod archive;
mod audit;
mod backlog;
mod books;
mod bursts;
mod contacts;
mod conversations;
mod credits;
mod customer_rows;
mod customers;
mod db;
mod desk;
mod directory;
mod event_hooks;
mod events;
mod history;
mod json;
mod leases;
mod library;
mod memories;
mod metering;
mod nodes;
mod operators;
mod outage;
mod people;
mod plans;
mod queue;
mod records;
mod sounds;
mod statuses;
mod steps;
mod tickets;
mod tokens;
mod value;
mod worker;

use secrecy::ExposeSecret as _;
use std::fs::File;
use std::sync::Arc;
use tokio::sync::watch;

use self::metering::BookCache;
use super::{StoreAddress, StoreError, postgres, sqlite};
use crate::clock::Clock;

pub(super) use self::db::{Db, DbError, DbResult, Hold, Lock, OptionalRow};
pub(super) use self::outage::Outage;
pub(super) use self::value::{DbValue, FromDb, ToDb, params};
pub(super) use self::worker::{Mode, Ran, StoreCall, Work, Worker};

/// Implements every port of the store on one database.
pub struct SqlStore {
    writer: Worker,
    reader: Worker,
    /// Reads what takes long.
    reports: Worker,
    /// Changes when events were written.
    events: watch::Sender<u64>,
    /// The prices in use.
    prices: BookCache,
    held: KeptOpen,
}

/// What a store holds as long as it is open.
enum KeptOpen {
    /// The lock of a service on its file.
    File { _lock: Option<File> },
    /// What hears other processes.
    Server(postgres::PgBus),
}

/// Says what a database is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Leases messages: only one process at a time on a file.
    Serve,
    /// Reads the record beside a running service.
    Inspect,
}

impl SqlStore {
    /// Opens or creates the database and brings its schema up to date.
    ///
    /// # Errors
    /// `InUse` if another service has the file, `Open` for everything else.
    pub fn open(at: impl Into<StoreAddress>, access: Access) -> Result<Self, StoreError> {
        let events = watch::Sender::new(0);
        match at.into() {
            StoreAddress::File(path) => {
                let file = sqlite::open(&path, access, &events)?;
                Ok(Self::on_file(file, events))
            }
            StoreAddress::Postgres { url, connections, .. } => {
                let url = url.expose_secret();
                let threads = postgres::open(url, access, connections, &events)?;
                Ok(Self::on_server(threads, events))
            }
        }
    }

    /// Opens the database to look its numbers and agents up, beside a service or not; nothing is made, brought
    /// up to date or changed, and what writes fails. `None` if there is none, or one of a version that
    /// had no numbers and agents.
    ///
    /// # Errors
    /// `Open`.
    pub fn look(at: impl Into<StoreAddress>) -> Result<Option<Self>, StoreError> {
        let events = watch::Sender::new(0);
        Ok(match at.into() {
            StoreAddress::File(path) => {
                sqlite::look(&path)?.map(|file| Self::on_file(file, events))
            }
            StoreAddress::Postgres { url, .. } => {
                postgres::look(url.expose_secret())?.map(|threads| Self::on_server(threads, events))
            }
        })
    }

    fn on_file(file: sqlite::SqliteFile, events: watch::Sender<u64>) -> Self {
        let sqlite::SqliteFile { writer, reader, reports, lock } = file;
        Self {
            writer,
            reader,
            reports,
            events,
            prices: BookCache::default(),
            held: KeptOpen::File { _lock: lock },
        }
    }

    fn on_server(threads: postgres::PgThreads, events: watch::Sender<u64>) -> Self {
        let postgres::PgThreads { writer, reader, reports, bus } = threads;
        let (prices, held) = (BookCache::default(), KeptOpen::Server(bus));
        Self { writer, reader, reports, events, prices, held }
    }

    /// Returns whether other processes may serve from the same database.
    fn is_shared(&self) -> bool {
        matches!(self.held, KeptOpen::Server(_))
    }

    /// Returns the clock that all processes on the store share, if there may be several.
    pub fn clock(&self) -> Option<Clock> {
        match &self.held {
            KeptOpen::File { .. } => None,
            KeptOpen::Server(bus) => Some(Clock::Shared(Arc::clone(&bus.clock))),
        }
    }

    /// Returns what changes when another process lets messages wait, if there may be others.
    pub fn lanes_elsewhere(&self) -> Option<watch::Receiver<u64>> {
        match &self.held {
            KeptOpen::File { .. } => None,
            KeptOpen::Server(bus) => Some(bus.lanes.subscribe()),
        }
    }

    /// Counts the calls that wrote and have ended, well or not: it grows as long as the store lives.
    pub fn answered(&self) -> u64 {
        self.writer.answered()
    }

    /// Writes the file of commits into the database, so that the next start need not.
    ///
    /// # Errors
    /// What SQLite says; nothing is lost then.
    pub async fn write_back(&self) -> Result<(), StoreError> {
        self.reader.call(|db| Ok(db.write_back()?)).await
    }
}

/// Checks whether an address can be one of a store.
///
/// # Errors
/// `Open` with what is wrong with it.
pub fn check_address(at: &StoreAddress) -> Result<(), StoreError> {
    match at {
        StoreAddress::File(_) => Ok(()),
        StoreAddress::Postgres { url, .. } => postgres::check_address(url.expose_secret()),
    }
}

/// Checks whether a service could write to a database, and leaves no trace. A service may run on it.
/// Returns the server's `synchronous_commit`, if there is a server. Blocks for up to 5 s.
///
/// # Errors
/// `Open` with the obstacle.
pub fn check_writable(at: &StoreAddress) -> Result<Option<String>, StoreError> {
    match at {
        StoreAddress::File(path) => sqlite::check_writable(path).map(|()| None),
        StoreAddress::Postgres { url, .. } => {
            postgres::check_writable(url.expose_secret()).map(Some)
        }
    }
}
