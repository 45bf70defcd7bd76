//! The port of the nodes: which processes serve from a store.

use async_trait::async_trait;

use super::StoreError;

/// Describes a process that serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeRow {
    /// Names the process: random, new at each start.
    pub session: String,
    /// The node's name, the same after a restart.
    pub id: String,
    /// The host's name.
    pub host: String,
    /// hark's version.
    pub version: String,
    /// Differs where the numbers or agents of the configuration differ.
    pub setup: String,
    /// Turns that run there.
    pub turns: u32,
    /// When it started, Unix milliseconds.
    pub started_ms: i64,
    /// When it last said that it lives, Unix milliseconds.
    pub seen_ms: i64,
}

/// Lists the processes that serve from a store.
#[async_trait]
pub trait Nodes: Send + Sync {
    /// Notes that a process lives, and forgets those not seen since `forget_ms`.
    async fn node_lives(&self, node: NodeRow, forget_ms: i64) -> Result<(), StoreError>;

    /// Notes that a process has ended.
    async fn node_ended(&self, session: &str) -> Result<(), StoreError>;

    /// Returns the store's name, which no other has.
    async fn installation(&self) -> Result<String, StoreError>;

    /// Returns those that were seen and have not ended, oldest first.
    async fn nodes(&self) -> Result<Vec<NodeRow>, StoreError>;
}
