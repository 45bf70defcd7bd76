//! What every store has to do, through its ports: the same tests for each backend.
//!
//! A backend joins with an `impl Backend` and a line in [`on_every_backend`].

mod backlog;
mod bursts;
mod contacts;
mod credits;
mod customers;
mod desk;
mod directory;
mod disclosure;
mod leases;
mod library;
mod migration;
mod people;
mod queue;
mod record;
mod sending;
mod sounds;
mod statuses;
mod tokens;
mod usage;

use hark::store::{
    Access, Archive, Backlog, Books, Customers, Desk, Directory, Disposition, Draft, EventLog,
    Lease, Lessee, Library, Memories, People, Queue, Record, SoundIndex, SqlStore, StoreAddress,
    Tokens,
};
use hark::turn::{
    About, Body, ContactRef, Inbound, Outcome, Personal, Role, Transcript, TurnReport,
};

use crate::harness::postgres::{self, Postgres};
use crate::harness::{NUMBER, PERSON};

/// A database that a test has for itself.
pub(crate) trait Backend: Sized {
    type Store: Backlog
        + Queue
        + Record
        + Archive
        + Books
        + Customers
        + Desk
        + Directory
        + Library
        + EventLog
        + Memories
        + People
        + SoundIndex
        + Tokens;

    /// Makes an empty one.
    fn fresh() -> Self;

    /// Serves from it, as a process that starts does; the last one that served is gone.
    fn open(&self) -> Self::Store;
}

/// One file in a folder of its own.
pub(crate) struct Sqlite(tempfile::TempDir);

impl Backend for Sqlite {
    type Store = SqlStore;

    fn fresh() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn open(&self) -> SqlStore {
        SqlStore::open(self.0.path().join("hark.db"), Access::Serve).unwrap()
    }
}

/// One database of the server that the process shares.
pub(crate) struct PostgreSql(StoreAddress);

impl Backend for PostgreSql {
    type Store = SqlStore;

    fn fresh() -> Self {
        Self(postgres::address(&Postgres::shared().database(), 3))
    }

    fn open(&self) -> SqlStore {
        SqlStore::open(&self.0, Access::Serve).unwrap()
    }
}

/// Runs generic tests of the file on each backend: on PostgreSQL one after the other, since a server
/// takes longer to start than they all to run.
macro_rules! on_every_backend {
    ($($test:ident),+ $(,)?) => {
        #[tokio::test]
        async fn postgres() {
            $(
                println!("{}", stringify!($test));
                $test::<crate::conformance::PostgreSql>().await;
            )+
        }

        mod sqlite {
            $(
                #[tokio::test]
                async fn $test() {
                    super::$test::<crate::conformance::Sqlite>().await;
                }
            )+
        }
    };
}
pub(crate) use on_every_backend;

/// A text of a person with these ids, to be answered.
pub(crate) fn from(id: &str, phone: Option<&str>, user_id: Option<&str>) -> (Inbound, Disposition) {
    let (phone, user_id) = (phone.map(Personal::from), user_id.map(Personal::from));
    let message = Inbound {
        number: NUMBER.into(),
        id: id.into(),
        from: Some(ContactRef { user_id, phone, profile_name: None }),
        raw_type: "text".to_owned(),
        body: Body::Text { text: "hi".into() },
        about: About::default(),
        sent_at_ms: 0,
    };
    (message, Disposition::Queue)
}

/// A text of [`PERSON`].
pub(crate) fn text(id: &str) -> (Inbound, Disposition) {
    from(id, Some(PERSON), None)
}

fn lessee(node: &str, until_ms: i64) -> Lessee {
    Lessee { node: node.into(), until_ms }
}

/// Leases everything that is due at `now_ms` to one node, for long.
pub(crate) async fn lease(store: &impl Queue, now_ms: i64) -> Vec<Lease> {
    store.lease(&lessee("a", i64::MAX), 100, now_ms).await.unwrap()
}

/// Leases the only thing that is due.
async fn lease_one(store: &impl Queue, now_ms: i64) -> Lease {
    let mut leases = lease(store, now_ms).await;
    assert_eq!(leases.len(), 1, "{leases:#?}");
    leases.remove(0)
}

/// Accepts a text of [`PERSON`], leases it and begins its turn.
async fn begun(store: &(impl Queue + Record), id: &str, now_ms: i64) -> Lease {
    store.accept(vec![text(id)], now_ms).await.unwrap();
    let lease = lease_one(store, now_ms).await;
    store.begin(&lease, "hark".into(), 1.5, now_ms).await.unwrap();
    lease
}

/// The end of a turn that answered `heard` with "yes, " and the same.
pub(crate) fn ended(heard: &str, outcome: Outcome) -> Draft {
    let report = TurnReport {
        transcript: None,
        reply: Personal(format!("yes, {heard}")).into(),
        disclosure: None,
        audio: None,
        engines: hark::turn::EnginesUsed::default(),
        sources: Vec::new(),
        tools: Vec::new(),
        stages: Vec::new(),
        total_ms: 2.0,
        overhead_ms: 1.0,
        burst_ms: None,
        spent: hark::turn::Spent { prompt_tokens: 7, answers: 1, ..hark::turn::Spent::default() },
        ticket: None,
        outcome,
        reason: None,
    };
    Draft { heard: Some(heard.into()), language: None, report }
}

/// Plans one text with a role, and returns its index.
pub(crate) async fn plan(store: &impl Record, lease: &Lease, role: Role, words: &str) -> u32 {
    let parts = vec![(role, hark::turn::Content::Text(words.into()))];
    store.plan(lease, parts.into(), 0).await.unwrap()[0].index
}

/// Finishes a turn and takes its messages out of the queue.
pub(crate) async fn finish(
    store: &(impl Queue + Record),
    lease: &Lease,
    ended: &Draft,
    now_ms: i64,
) {
    store.finish(lease, ended, now_ms).await.unwrap();
    store.ack(&lease.key()).await.unwrap();
}

fn heard_in(language: &str) -> Transcript {
    Transcript { language: language.into(), ..Transcript::default() }
}
