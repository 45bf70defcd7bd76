//! The queue and the nodes, as the API and the commands show and change them.

use async_trait::async_trait;

use super::record::{odd_cursor, page, uncursor};
use super::{Office, time};
use crate::http::api::{ApiRefusal, ListPart, NodeView, QueueApi, QueueQuery, QueuedView, limit};
use crate::store::{Backlog as _, BacklogChange, BacklogRow, BacklogSearch, NodeRow, Nodes as _};

/// A node that was not seen for so long is gone: a process alone on its store says every 15 s that it
/// lives, others every second.
const GONE_MS: i64 = 5_000;
const LONE_GONE_MS: i64 = 40_000;

#[async_trait]
impl QueueApi for Office {
    async fn queue(&self, query: QueueQuery) -> Result<ListPart<QueuedView>, ApiRefusal> {
        let limit = limit(query.limit)?;
        let after = query.cursor.as_deref().map(uncursor).transpose()?;
        let after = after.map(|id| id.parse().map_err(|_| odd_cursor())).transpose()?;
        let after = after.unwrap_or_default();
        let search = BacklogSearch { state: query.state, row: None, after, limit: limit + 1 };
        let rows = self.store.backlog(search).await?;
        Ok(page(rows, limit, |row| row.row.to_string(), queued_view))
    }

    async fn queued(&self, id: &str) -> Result<QueuedView, ApiRefusal> {
        let search = BacklogSearch { state: None, row: Some(row_of(id)?), after: 0, limit: 1 };
        self.store.backlog(search).await?.pop().map(queued_view).ok_or_else(|| unknown(id))
    }

    async fn replay(&self, id: &str) -> Result<QueuedView, ApiRefusal> {
        let change = self.store.replay(row_of(id)?, self.clock.now_ms()).await?;
        self.changed(id, change)?;
        self.queued(id).await
    }

    async fn drop_queued(&self, id: &str) -> Result<(), ApiRefusal> {
        let change = self.store.give_up(row_of(id)?, self.clock.now_ms()).await?;
        self.changed(id, change)
    }

    async fn nodes(&self) -> Result<Vec<NodeView>, ApiRefusal> {
        let gone_ms = if self.store.clock().is_some() { GONE_MS } else { LONE_GONE_MS };
        let now_ms = self.clock.now_ms();
        let view = |node: NodeRow| node_view(node, now_ms, gone_ms);
        Ok(self.store.nodes().await?.into_iter().map(view).collect())
    }
}

impl Office {
    fn changed(&self, id: &str, change: BacklogChange) -> Result<(), ApiRefusal> {
        match change {
            BacklogChange::Done => {
                if let Some(wake) = &self.wake {
                    wake.wake();
                }
                Ok(())
            }
            BacklogChange::Running => {
                Err(ApiRefusal::Conflict("it is being answered: look again in a while".into()))
            }
            BacklogChange::Unknown => Err(unknown(id)),
        }
    }
}

fn row_of(id: &str) -> Result<i64, ApiRefusal> {
    id.parse().map_err(|_| unknown(id))
}

fn unknown(id: &str) -> ApiRefusal {
    ApiRefusal::NotFound(format!("message {id} in the queue"))
}

fn queued_view(row: BacklogRow) -> QueuedView {
    let gave_up_at = row.dead_ms.map(time);
    QueuedView {
        id: row.row.to_string(),
        phone_number_id: row.number.0,
        contact: row.contact.0,
        kind: row.kind,
        state: row.state,
        attempts: row.attempts,
        received_at: time(row.received_ms),
        due_at: gave_up_at.is_none().then(|| time(row.due_ms)),
        // A lease names the process behind the node's name.
        node: row.node.map(|owner| owner.split('/').next().unwrap_or_default().to_owned()),
        turn: row.turn.map(|turn| turn.0),
        reason: row.reason,
        gave_up_at,
    }
}

fn node_view(node: NodeRow, now_ms: i64, gone_ms: i64) -> NodeView {
    NodeView {
        id: node.id,
        host: node.host,
        version: node.version,
        turns: node.turns,
        started_at: time(node.started_ms),
        last_seen_at: time(node.seen_ms),
        alive: now_ms.saturating_sub(node.seen_ms) < gone_ms,
    }
}
