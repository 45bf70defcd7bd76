//! What was done by whom, on the `audit` table; and what is old, out of all of them.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::db::{Db, DbResult, DbRow, OptionalRow as _, params};

use super::SqlStore;
use super::json::{from_json, from_word, to_json};
use crate::store::{AuditLog, DeedRow, DeedSearch, Retention, StoreError};

/// Take the words out of what came in a span of time; ids, times, outcomes and sums stay. What has none any
/// more is not written again: a start looks at everything.
const TURNS: &str = "
    SELECT id, report FROM turns
    WHERE finished_ms IS NOT NULL AND created_ms >= ?1 AND created_ms < ?2
      AND (heard IS NOT NULL OR coalesce(report -> 'reply' ->> 'text', '') <> '')";
const PARTS: &str = r#"
    UPDATE parts SET content = '{"text":""}'
    WHERE state <> 'planned' AND CAST(content AS TEXT) <> '{"text":""}' AND turn IN
        (SELECT id FROM turns WHERE finished_ms IS NOT NULL AND created_ms >= ?1 AND created_ms < ?2)"#;
const MESSAGES: &str = r#"
    UPDATE messages SET body = '{"kind":"silent"}', about = NULL
    WHERE state IN ('done', 'stored', 'expired') AND received_ms >= ?1 AND received_ms < ?2
      AND (CAST(body AS TEXT) <> '{"kind":"silent"}' OR about IS NOT NULL)"#;
const TICKETS: &str = "
    UPDATE tickets SET summary = NULL
    WHERE closed_ms IS NOT NULL AND summary IS NOT NULL AND opened_ms >= ?1 AND opened_ms < ?2";
const SUMMARIES: &str = "DELETE FROM summaries WHERE made_ms >= ?1 AND made_ms < ?2";

#[async_trait]
impl AuditLog for SqlStore {
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
                 WHERE (token = ?1 OR ?1 IS NULL) AND (id < ?2 OR ?2 IS NULL)
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
impl Retention for SqlStore {
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
            // A group's other writes may be overwritten, too.
            db.overwriting(|| {
                forget_turns(db, since_ms, to_ms)?;
                [PARTS, MESSAGES, TICKETS, SUMMARIES].iter().try_for_each(|sql| {
                    db.prepare_cached(sql)?.execute([since_ms, to_ms]).map(drop)
                })
            })?;
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

/// Takes the words out of the turns of a span.
fn forget_turns(db: &Db<'_>, since_ms: i64, until_ms: i64) -> DbResult<()> {
    let row = |row: &DbRow<'_>| Ok((row.get(0)?, row.get(1)?));
    let turns: Vec<(String, Option<String>)> = db
        .prepare_cached(TURNS)?
        .query_map([since_ms, until_ms], row)?
        .collect::<Result<_, _>>()?;
    let mut forget =
        db.prepare_cached("UPDATE turns SET heard = NULL, report = ?2 WHERE id = ?1")?;
    for (turn, report) in turns {
        let report = report.map(|report| without_words(&report)).transpose()?;
        forget.execute(params![turn, report])?;
    }
    Ok(())
}

/// Returns a report without what was said in its turn.
fn without_words(report: &str) -> DbResult<String> {
    let mut report: Value = from_json(report)?;
    report["transcript"] = Value::Null;
    if let Some(report) = report.as_object_mut() {
        report.remove("tools");
    }
    if let Some(reply) = report["reply"].as_object_mut() {
        reply.insert("text".to_owned(), json!(""));
        reply.remove("extras");
        reply.remove("open_ticket");
    }
    to_json(&report)
}

/// Returns when what follows the first `limit` turns, or messages, of a span came: the earlier of both.
fn after(db: &Db<'_>, since_ms: i64, until_ms: i64, limit: i64) -> DbResult<Option<i64>> {
    let at = |sql: &str| -> DbResult<Option<i64>> {
        let mut at = db.prepare_cached(sql)?;
        at.query_row([since_ms, until_ms, limit], |row| row.get(0)).optional()
    };
    let turns = "SELECT created_ms FROM turns WHERE created_ms >= ?1 AND created_ms < ?2
                 ORDER BY created_ms LIMIT 1 OFFSET ?3";
    let messages = "SELECT received_ms FROM messages WHERE received_ms >= ?1 AND received_ms < ?2
                    ORDER BY received_ms LIMIT 1 OFFSET ?3";
    let first = at(turns)?.into_iter().chain(at(messages)?).min();
    // More than `limit` of one millisecond go together.
    Ok(first.map(|at_ms| at_ms.max(since_ms + 1)))
}

fn deed_row(row: &DbRow<'_>) -> DbResult<DeedRow> {
    Ok(DeedRow {
        id: row.get(0)?,
        at_ms: row.get(1)?,
        token: row.get(2)?,
        name: row.get(3)?,
        role: from_word(&row.get::<String>(4)?)?,
        deed: row.get(5)?,
        path: row.get(6)?,
        status: row.get(7)?,
    })
}
