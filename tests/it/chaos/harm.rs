//! What is done to the processes and their servers, beside and between kills.

use std::path::Path;
use std::time::{Duration, Instant};

use fastrand::Rng;
use tempfile::TempDir;

use super::link::{DatabaseLink, LinkState};
use crate::harness::postgres::Postgres;
use crate::harness::redis::Redis;

/// Longer than a lease, so that others take over; and how much longer at most.
const PAST_THE_LEASE: Duration = Duration::from_millis(4_200);
const LONGER: u64 = 2_800;

/// What goes wrong around processes that share servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Blow {
    /// PostgreSQL is killed, and started again.
    Postgres,
    /// Redis is killed, and started again empty.
    Redis,
    /// A node stands still past its leases, and wakes.
    Stop,
    /// A node's network to the database carries nothing, and later all of it.
    Silence,
    /// A node's connections to the database break, and no new one is had.
    Cut,
}

impl Blow {
    pub(super) const ALL: [Self; 5] =
        [Self::Silence, Self::Postgres, Self::Stop, Self::Redis, Self::Cut];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL restarted",
            Self::Redis => "Redis emptied",
            Self::Stop => "a node stopped",
            Self::Silence => "a node's network silent",
            Self::Cut => "a node cut off",
        }
    }

    /// Whether it is done to one of the nodes.
    pub(super) fn hits_a_node(self) -> bool {
        matches!(self, Self::Stop | Self::Silence | Self::Cut)
    }

    /// How long it lasts.
    pub(super) fn lasts(self, random: &mut Rng) -> Duration {
        if self.hits_a_node() {
            PAST_THE_LEASE + Duration::from_millis(random.u64(..LONGER))
        } else {
            Duration::from_millis(random.u64(100..2_500))
        }
    }
}

/// A blow whose end is to come.
pub(super) struct Standing {
    pub(super) blow: Blow,
    /// Whom it hit; any for a server.
    pub(super) node: Option<usize>,
    pub(super) from_ms: i64,
    pub(super) until: Instant,
}

/// Something that was done, and to whom.
#[derive(Clone, Copy, Debug)]
pub(super) struct Harm {
    pub(super) what: HarmKind,
    /// `None`: to all of them.
    pub(super) node: Option<usize>,
    pub(super) from_ms: i64,
    pub(super) until_ms: i64,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HarmKind {
    /// Killed, and the stage that it came right after.
    Kill {
        after: Option<&'static str>,
    },
    Blow(Blow),
}

/// Servers that nodes share, and each node's way to the database.
pub(super) struct Servers {
    pub(super) postgres: Postgres,
    pub(super) redis: Redis,
    links: Vec<DatabaseLink>,
    sounds: TempDir,
}

/// The name of the nodes' database: the server's first.
pub(super) const DATABASE: &str = "hark0";

impl Servers {
    pub(super) async fn start(nodes: usize) -> Self {
        let postgres = Postgres::durable();
        assert!(postgres.database().contains(DATABASE));
        let mut links = Vec::new();
        for _ in 0..nodes {
            links.push(DatabaseLink::open(postgres.socket()).await);
        }
        Self { postgres, redis: Redis::start(&[]), links, sounds: super::place::folder(nodes) }
    }

    /// Returns the folder of sound that all share.
    pub(super) fn sounds(&self) -> &Path {
        self.sounds.path()
    }

    /// Returns a node's address of the database.
    pub(super) fn url(&self, node: usize) -> String {
        let address = self.links[node].address;
        format!("postgres://postgres@{address}/{DATABASE}?sslmode=disable")
    }

    pub(super) fn cut(&self, node: usize, how: LinkState) {
        self.links[node].set(how);
    }
}
