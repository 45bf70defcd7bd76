//! What was done by whom, on the `audit` table; and what is old, out of all of them.

use async_trait::async_trait;
use rusqlite::{Connection, Row, params};

use super::SqliteStore;
use super::json::from_word;
use crate::store::{AuditLog, DeedRow, DeedSearch, Retention, StoreError};

/// Take the words out of what came in a span of time; ids, times, outcomes and sums stay. What has none any
/// more is not written again: a start looks at everything.
const TURNS: &str = "
    UPDATE turns SET heard = NULL,
        report = json_remove(json_set(report, '$.transcript', json('null'), '$.reply.text', ''),
                             '$.tools', '$.reply.extras', '$.reply.open_ticket')
    WHERE finished_ms IS NOT NULL AND created_ms >= ?1 AND created_ms < ?2
      AND (heard IS NOT NULL OR coalesce(report ->> '$.reply.text', '') <> '')";
const PARTS: &str = r#"
    UPDATE parts SET content = '{"text":""}'
    WHERE state <> 'planned' AND content <> '{"text":""}' AND turn IN
        (SELECT id FROM turns WHERE finished_ms IS NOT NULL AND created_ms >= ?1 AND created_ms < ?2)"#;
const MESSAGES: &str = r#"
    UPDATE messages SET body = '{"kind":"silent"}', about = NULL
    WHERE state IN ('done', 'stored', 'expired') AND received_ms >= ?1 AND received_ms < ?2
      AND (body <> '{"kind":"silent"}' OR about IS NOT NULL)"#;
const TICKETS: &str = "
    UPDATE tickets SET summary = NULL
    WHERE closed_ms IS NOT NULL AND summary IS NOT NULL AND opened_ms >= ?1 AND opened_ms < ?2";
const SUMMARIES: &str = "DELETE FROM summaries WHERE made_ms >= ?1 AND made_ms < ?2";

#[async_trait]
impl AuditLog for SqliteStore {
    async fn note_deed(&self, deed: DeedRow) -> Result<(), StoreError> {
        let call = self.writer.call(move |db| {
            db.prepare_cached(
                "INSERT INTO audit (at_ms, token, name, role, deed, path, status)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                deed.at_ms,
                deed.token,
                deed.name,
                deed.role.name(),
                deed.deed,
                deed.path,
                deed.status
            ])?;
            Ok(())
        });
        call.await
    }

    async fn deeds(&self, search: DeedSearch) -> Result<Vec<DeedRow>, StoreError> {
        let call = self.reader.call(move |db| {
            let mut deeds = db.prepare_cached(
                "SELECT id, at_ms, token, name, role, deed, path, status FROM audit
                 WHERE (?1 IS NULL OR token = ?1) AND (?2 IS NULL OR id < ?2)
                 ORDER BY id DESC LIMIT ?3",
            )?;
            let limit = i64::try_from(search.limit).unwrap_or(i64::MAX);
            let rows = deeds.query_map(params![search.token, search.before, limit], deed_row)?;
            Ok(rows.collect::<Result<_, _>>()?)
        });
        call.await
    }
}

#[async_trait]
impl Retention for SqliteStore {
    async fn forget_words(
        &self,
        since_ms: i64,
        until_ms: i64,
        limit: usize,
    ) -> Result<Option<i64>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let call = self.writer.call(move |db| {
            let next_ms = after(db, since_ms, until_ms, limit)?;
            let to_ms = next_ms.unwrap_or(until_ms);
            // Overwrites what goes; a group's other writes may do so, too.
            db.pragma_update(None, "secure_delete", "ON")?;
            let gone = [TURNS, PARTS, MESSAGES, TICKETS, SUMMARIES]
                .iter()
                .try_for_each(|sql| db.prepare_cached(sql)?.execute([since_ms, to_ms]).map(drop));
            db.pragma_update(None, "secure_delete", "OFF")?;
            gone?;
            Ok(next_ms)
        });
        call.await
    }

    async fn silent_contacts(&self, until_ms: i64, limit: usize) -> Result<Vec<i64>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let call = self.reports.call(move |db| {
            let mut silent = db.prepare_cached(
                "SELECT c.id FROM contacts c
                 WHERE c.created_ms < ?1
                   AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.contact_id = c.id
                       AND (m.received_ms >= ?1 OR m.state IN ('queued', 'leased')))
                   AND NOT EXISTS (SELECT 1 FROM tickets k WHERE k.contact_id = c.id
                       AND k.closed_ms IS NULL)
                 LIMIT ?2",
            )?;
            let rows = silent.query_map([until_ms, limit], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        });
        call.await
    }

    async fn drop_deeds(&self, until_ms: i64) -> Result<(), StoreError> {
        let call = self.writer.call(move |db| {
            db.prepare_cached("DELETE FROM audit WHERE at_ms < ?1")?.execute([until_ms])?;
            Ok(())
        });
        call.await
    }
}

/// Returns when what follows the first `limit` turns, or messages, of a span came: the earlier of both.
fn after(
    db: &Connection,
    since_ms: i64,
    until_ms: i64,
    limit: i64,
) -> rusqlite::Result<Option<i64>> {
    let at = |sql: &str| -> rusqlite::Result<Option<i64>> {
        let mut at = db.prepare_cached(sql)?;
        let mut rows = at.query(params![since_ms, until_ms, limit])?;
        rows.next()?.map(|row| row.get(0)).transpose()
    };
    let turns = "SELECT created_ms FROM turns WHERE created_ms >= ?1 AND created_ms < ?2
                 ORDER BY created_ms LIMIT 1 OFFSET ?3";
    let messages = "SELECT received_ms FROM messages WHERE received_ms >= ?1 AND received_ms < ?2
                    ORDER BY received_ms LIMIT 1 OFFSET ?3";
    let first = at(turns)?.into_iter().chain(at(messages)?).min();
    // More than `limit` of one millisecond go together.
    Ok(first.map(|at_ms| at_ms.max(since_ms + 1)))
}

fn deed_row(row: &Row<'_>) -> rusqlite::Result<DeedRow> {
    Ok(DeedRow {
        id: row.get(0)?,
        at_ms: row.get(1)?,
        token: row.get(2)?,
        name: row.get(3)?,
        role: from_word(&row.get::<_, String>(4)?)?,
        deed: row.get(5)?,
        path: row.get(6)?,
        status: row.get(7)?,
    })
}
