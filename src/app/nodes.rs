//! This process among those that serve from its store: its name, its time, its signs of life.
//!
//! Invariant: leases are a process's, not a name's, where there may be several: two processes of one name
//! do not take each other's turns, and both say that there are two.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{OptionFuture, pending};
use sha2::{Digest as _, Sha256};

use super::telling::redis_server;
use crate::clock::{Clock, as_ms};
use crate::config::Config;
use crate::queue::front::KnownIds;
use crate::queue::lanes::LeasePace;
use crate::queue::{RunningTurns, Wake};
use crate::store::{NodeRow, Nodes, SqlStore};
use crate::turn::NodeId;

/// Time between two signs of life.
const BEAT: Duration = Duration::from_secs(1);
/// The same of a process that has its store for itself.
const LONE_BEAT: Duration = Duration::from_secs(15);
/// How many signs of life a node may leave out before it counts as gone.
const MISSED: u32 = 5;
/// How long a node that is gone is listed.
const LISTED: Duration = Duration::from_hours(24);

/// What a process is to its store.
pub(super) struct Membership {
    pub(super) clock: Clock,
    pub(super) node: NodeId,
    pub(super) pace: LeasePace,
    /// Knows which messages the store has, if there is a Redis.
    pub(super) front: Option<Arc<KnownIds>>,
    row: NodeRow,
    store: Arc<SqlStore>,
}

impl Membership {
    /// Makes that of a process that starts. `clock` is asked unless the store has one for all.
    ///
    /// # Errors
    /// A [`ConfigError`](crate::config::ConfigError) for the address of Redis, or a store that cannot be read.
    pub(super) async fn new(
        config: &Config,
        store: &Arc<SqlStore>,
        clock: Clock,
    ) -> anyhow::Result<Self> {
        let id = config.queue.node();
        let session = format!("{:016x}", fastrand::u64(..));
        // Tests move a clock of their own.
        let shared = store.clock().filter(|_| !matches!(clock, Clock::Manual(_)));
        let clock = shared.unwrap_or(clock);
        let (node, pace) = match store.clock() {
            Some(_) => (NodeId(format!("{id}/{session}")), LeasePace::shared()),
            None => (NodeId(id.clone()), LeasePace::alone()),
        };
        let row = NodeRow {
            session,
            id,
            host: config.queue.host(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            setup: setup(config),
            turns: 0,
            started_ms: clock.now_ms(),
            seen_ms: clock.now_ms(),
        };
        let front = match redis_server(config)? {
            Some(server) => Some(Arc::new(KnownIds::new(server, &store.installation().await?))),
            None => None,
        };
        Ok(Self { clock, node, pace, front, row, store: Arc::clone(store) })
    }

    /// Says that this process lives and what is odd about others, and wakes the lanes when another
    /// process let messages wait; for ever.
    pub(super) async fn run(self, (running, wake): (RunningTurns, Wake)) {
        let front = self.front.clone();
        let front = async { OptionFuture::from(front.as_ref().map(|front| front.run())).await };
        tokio::join!(hear_others(Arc::clone(&self.store), wake), front, self.live(running));
    }

    async fn live(mut self, running: RunningTurns) {
        let beat = if self.store.clock().is_some() { BEAT } else { LONE_BEAT };
        let mut others = OtherNodes::default();
        loop {
            let now_ms = self.clock.now_ms();
            self.row.seen_ms = now_ms;
            self.row.turns = running.count().try_into().unwrap_or(u32::MAX);
            let forget_ms = now_ms - as_ms(LISTED);
            match self.store.node_lives(self.row.clone(), forget_ms).await {
                Ok(()) => self.look_at_others(now_ms - as_ms(beat * MISSED), &mut others).await,
                Err(error) => error.log("this node could not say that it lives"),
            }
            tokio::time::sleep(beat).await;
        }
    }

    /// Says once of each other process what is odd about it.
    async fn look_at_others(&self, since_ms: i64, others: &mut OtherNodes) {
        let nodes = match self.store.nodes().await {
            Ok(nodes) => nodes,
            Err(error) => return error.log("other nodes could not be read"),
        };
        let alive = |node: &&NodeRow| node.session != self.row.session && node.seen_ms > since_ms;
        for other in nodes.iter().filter(alive) {
            // This node's predecessor, if that was killed, shows no sign of life any more.
            let lives_on = others.has_moved(other);
            if lives_on && other.id == self.row.id && others.is_news(other, "name") {
                tracing::error!(
                    node = other.id,
                    host = other.host,
                    "another process has this node's name: give each its own in [queue] node"
                );
            }
            if other.setup != self.row.setup && others.is_news(other, "setup") {
                tracing::error!(
                    node = other.id,
                    host = other.host,
                    "a node has other numbers or agents in its configuration: who answers depends on \
                     which node gets the message"
                );
            }
        }
    }

    /// Returns what says that the process has ended.
    pub(super) fn leaver(&self) -> Leaver {
        Leaver { store: Arc::clone(&self.store), session: self.row.session.clone() }
    }
}

/// Remembers what was seen and said of other processes, by their sessions.
#[derive(Default)]
struct OtherNodes {
    /// Their first sign of life that was seen.
    first_ms: HashMap<String, i64>,
    said: HashSet<(String, &'static str)>,
}

impl OtherNodes {
    /// Returns whether a process has shown another sign of life since it was first seen.
    fn has_moved(&mut self, node: &NodeRow) -> bool {
        let first_ms = self.first_ms.entry(node.session.clone()).or_insert(node.seen_ms);
        node.seen_ms > *first_ms
    }

    /// Returns whether this was not said of it yet.
    fn is_news(&mut self, node: &NodeRow, what: &'static str) -> bool {
        self.said.insert((node.session.clone(), what))
    }
}

/// Takes a process off the list.
pub(super) struct Leaver {
    store: Arc<SqlStore>,
    session: String,
}

impl Leaver {
    pub(super) async fn leave(&self) {
        if let Err(error) = self.store.node_ended(&self.session).await {
            error.log("this node could not say that it has ended");
        }
    }
}

async fn hear_others(store: Arc<SqlStore>, wake: Wake) {
    if let Some(mut lanes) = store.lanes_elsewhere() {
        while lanes.changed().await.is_ok() {
            wake.wake();
        }
    }
    pending::<()>().await;
}

/// Returns what differs where numbers or agents differ; no secret is in it.
fn setup(config: &Config) -> String {
    let entries = serde_json::to_vec(&(&config.numbers, &config.agents));
    let entries = entries.expect("numbers and agents can be written as JSON");
    hex::encode(Sha256::digest(entries))
}
