//! What the archive reads: turns with their statuses, and counts.

use super::db::{DbResult, DbRow, params};
use async_trait::async_trait;

use super::SqlStore;
use super::json::{from_json, from_word};
use super::records::kept_report;
use crate::store::{Archive, MessageCounts, PartStatus, StoreError, TurnRow, TurnSearch};
use crate::turn::{Personal, PhoneNumberId, Reason, TurnId};

/// What waits for a message of its lane that is not due is not due either.
const COUNTS: &str = "
    SELECT count(*) FILTER (WHERE state = 'queued' AND available_ms <= ?1 AND NOT EXISTS (
               SELECT 1 FROM messages o
               WHERE o.number = m.number AND o.contact_id = m.contact_id AND o.id < m.id
                 AND o.state IN ('queued', 'leased') AND o.state = 'queued'
                 AND o.available_ms > ?1)),
           count(*) FILTER (WHERE state = 'queued'), count(*) FILTER (WHERE state = 'leased'),
           count(*) FILTER (WHERE state = 'done'), count(*) FILTER (WHERE state = 'stored'),
           count(*) FILTER (WHERE state = 'expired')
    FROM messages m";

const TURNS: &str = "
    SELECT t.id, t.number, coalesce(c.user_id, c.phone, '?'), t.agent, t.attempt, t.created_ms,
           t.queue_ms, t.heard, t.report, t.outcome, t.reason,
           (SELECT coalesce(json_group_array(json_object('part', idx, 'status', status, 'at_ms', at_ms,
                       'code', error_code, 'details', error_title)), '[]')
            FROM (SELECT * FROM statuses s WHERE s.turn = t.id ORDER BY s.idx, s.at_ms, s.id) told),
           t.spent, c.profile_name,
           (SELECT count(*) FROM parts p WHERE p.turn = t.id AND p.provider_id IS NOT NULL),
           t.agent_version
    FROM turns t JOIN contacts c ON c.id = t.contact_id
    WHERE (c.user_id = ?1 OR c.phone = ?1 OR ?1 IS NULL)
      AND (t.created_ms >= ?2 OR ?2 IS NULL)
      AND (NOT ?3 OR t.outcome IN ('fallback', 'failed')
           OR EXISTS (SELECT 1 FROM statuses s WHERE s.turn = t.id AND s.status = 'failed'))
      AND (t.number = ?5 OR ?5 IS NULL)
      AND (t.agent = ?6 OR ?6 IS NULL)
      AND (t.outcome = ?7 OR ?7 IS NULL)
      AND (CAST(?8 AS TEXT) IS NULL OR instr(lower(coalesce(t.heard, '')), lower(?8)) > 0
           OR instr(lower(coalesce(t.report -> 'reply' ->> 'text', '')), lower(?8)) > 0)
      AND (t.id = ?9 OR ?9 IS NULL)
      AND ((t.created_ms, t.rowid) < (SELECT created_ms, rowid FROM turns WHERE id = ?10) OR ?10 IS NULL)
      AND (t.created_ms < ?11 OR ?11 IS NULL)
    ORDER BY t.created_ms DESC, t.rowid DESC LIMIT ?4";

#[async_trait]
impl Archive for SqlStore {
    async fn find(&self, search: TurnSearch) -> Result<Vec<TurnRow>, StoreError> {
        let limit = i64::try_from(search.limit).unwrap_or(i64::MAX);
        let call = self.reader.call(move |db| {
            let TurnSearch { contact, number, agent, outcome, words, turn, before, .. } = &search;
            let (since, failed, until) = (search.since_ms, search.failed, search.until_ms);
            let values = params![
                contact, since, failed, limit, number, agent, outcome, words, turn, before, until
            ];
            let mut turns = db.prepare_cached(TURNS)?;
            Ok(turns.query_map(values, turn_row)?.collect::<Result<_, _>>()?)
        });
        call.await
    }

    async fn messages(&self, now_ms: i64) -> Result<MessageCounts, StoreError> {
        let call = self.reader.call(move |db| {
            let counts = db.prepare_cached(COUNTS)?.query_row([now_ms], |row| {
                Ok(MessageCounts {
                    due: row.get(0)?,
                    queued: row.get(1)?,
                    leased: row.get(2)?,
                    done: row.get(3)?,
                    stored: row.get(4)?,
                    expired: row.get(5)?,
                })
            });
            Ok(counts?)
        });
        call.await
    }
}

fn turn_row(row: &DbRow<'_>) -> DbResult<TurnRow> {
    let mut report = kept_report(row, 8, 12)?;
    match (&mut report, row.get::<Option<String>>(9)?) {
        // A failed status that came after the turn's end is newer than its report.
        (Some(report), Some(outcome)) => {
            report.outcome = from_word(&outcome)?;
            report.reason = row.get::<Option<String>>(10)?.map(Reason::from);
        }
        // Without an outcome it is a draft: the turn still runs.
        _ => report = None,
    }
    let deliveries: Vec<PartStatus> = from_json(&row.get::<String>(11)?)?;
    Ok(TurnRow {
        turn: TurnId(row.get(0)?),
        number: PhoneNumberId(row.get(1)?),
        contact: Personal(row.get(2)?),
        name: row.get::<Option<String>>(13)?.map(Personal),
        agent: row.get(3)?,
        agent_version: row.get(15)?,
        attempt: row.get(4)?,
        created_ms: row.get(5)?,
        queue_ms: row.get(6)?,
        heard: row.get::<Option<String>>(7)?.map(Personal),
        report,
        statuses: deliveries.iter().map(|delivery| delivery.status.clone()).collect(),
        messages: row.get(14)?,
        deliveries,
    })
}
