//! Nodes, on the `nodes` table.

use async_trait::async_trait;

use super::SqlStore;
use super::db::{DbResult, DbRow, params};
use crate::store::{NodeRow, Nodes, StoreError};

#[async_trait]
impl Nodes for SqlStore {
    async fn node_lives(&self, node: NodeRow, forget_ms: i64) -> Result<(), StoreError> {
        let call = self.writer.call(move |db| {
            let NodeRow { session, id, host, version, setup, turns, started_ms, seen_ms } = &node;
            db.prepare_cached(
                "INSERT INTO nodes (session, id, host, version, setup, turns, started_ms, seen_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                 ON CONFLICT (session) DO UPDATE SET setup = excluded.setup,
                     turns = excluded.turns, seen_ms = excluded.seen_ms",
            )?
            .execute(params![session, id, host, version, setup, turns, started_ms, seen_ms])?;
            db.prepare_cached("DELETE FROM nodes WHERE seen_ms < ?1")?.execute([forget_ms])?;
            Ok(())
        });
        call.await
    }

    async fn node_ended(&self, session: &str) -> Result<(), StoreError> {
        let session = session.to_owned();
        let call = self.writer.call(move |db| {
            db.prepare_cached("DELETE FROM nodes WHERE session = ?1")?.execute([&session])?;
            Ok(())
        });
        call.await
    }

    async fn installation(&self) -> Result<String, StoreError> {
        let call = self.reader.call(|db| {
            let name = "SELECT name FROM installation";
            Ok(db.prepare_cached(name)?.query_row(params![], |row| row.get(0))?)
        });
        call.await
    }

    async fn nodes(&self) -> Result<Vec<NodeRow>, StoreError> {
        let call = self.reader.call(|db| {
            let mut nodes = db.prepare_cached(
                "SELECT session, id, host, version, setup, turns, started_ms, seen_ms FROM nodes
                 ORDER BY started_ms, session",
            )?;
            Ok(nodes.query_map(params![], node_row)?.collect::<Result<_, _>>()?)
        });
        call.await
    }
}

fn node_row(row: &DbRow<'_>) -> DbResult<NodeRow> {
    Ok(NodeRow {
        session: row.get(0)?,
        id: row.get(1)?,
        host: row.get(2)?,
        version: row.get(3)?,
        setup: row.get(4)?,
        turns: row.get(5)?,
        started_ms: row.get(6)?,
        seen_ms: row.get(7)?,
    })
}
