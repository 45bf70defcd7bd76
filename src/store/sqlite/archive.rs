//! What the archive reads: turns with their statuses, and counts.

use rusqlite::{Connection, Row, params};

use super::json::{from_json, from_word};
use crate::store::{MessageCounts, TurnRow};
use crate::turn::{Personal, PhoneNumberId, Reason, TurnId, TurnReport};

/// Lists turns, newest first.
pub(super) fn turns(
    db: &Connection,
    contact: Option<&str>,
    limit: usize,
) -> rusqlite::Result<Vec<TurnRow>> {
    db.prepare_cached(
        "SELECT t.id, t.number, coalesce(c.user_id, c.phone, '?'), t.agent, t.attempt,
                t.created_ms, t.queue_ms, t.heard, t.report, t.outcome, t.reason,
                (SELECT group_concat(status) FROM (SELECT status FROM statuses s
                  WHERE s.turn = t.id ORDER BY s.idx, s.at_ms, s.id)), t.spent
         FROM turns t JOIN contacts c ON c.id = t.contact_id
         WHERE ?1 IS NULL OR c.user_id = ?1 OR c.phone = ?1
         ORDER BY t.created_ms DESC, t.rowid DESC LIMIT ?2",
    )?
    .query_map(params![contact, i64::try_from(limit).unwrap_or(i64::MAX)], turn_row)?
    .collect()
}

fn turn_row(row: &Row<'_>) -> rusqlite::Result<TurnRow> {
    let (report, outcome): (Option<String>, Option<String>) = (row.get(8)?, row.get(9)?);
    let report = match (report, outcome) {
        (Some(json), Some(outcome)) => {
            let mut report: TurnReport = from_json(&json)?;
            // A failed status that came after the turn's end is newer than its report.
            report.outcome = from_word(&outcome)?;
            report.reason = row.get::<_, Option<String>>(10)?.map(Reason::from);
            let spent = row.get::<_, Option<String>>(12)?;
            report.spent = spent.map(|json| from_json(&json)).transpose()?.unwrap_or_default();
            Some(report)
        }
        // Without an outcome it is a draft: the turn still runs.
        _ => None,
    };
    Ok(TurnRow {
        turn: TurnId(row.get(0)?),
        number: PhoneNumberId(row.get(1)?),
        contact: Personal(row.get(2)?),
        agent: row.get(3)?,
        attempt: row.get(4)?,
        created_ms: row.get(5)?,
        queue_ms: row.get(6)?,
        heard: row.get::<_, Option<String>>(7)?.map(Personal),
        report,
        statuses: row
            .get::<_, Option<String>>(11)?
            .map(|list| list.split(',').map(str::to_owned).collect())
            .unwrap_or_default(),
    })
}

/// Counts messages. What stands behind a message of its lane that waits for a time is not due.
pub(super) fn messages(db: &Connection, now_ms: i64) -> rusqlite::Result<MessageCounts> {
    db.prepare_cached(
        "SELECT count(*) FILTER (WHERE state = 'queued' AND available_ms <= ?1 AND NOT EXISTS (
                    SELECT 1 FROM messages o
                    WHERE o.number = m.number AND o.contact_id = m.contact_id AND o.id < m.id
                      AND o.state IN ('queued', 'leased') AND o.state = 'queued'
                      AND o.available_ms > ?1)),
                count(*) FILTER (WHERE state = 'queued'),
                count(*) FILTER (WHERE state = 'leased'),
                count(*) FILTER (WHERE state = 'done'),
                count(*) FILTER (WHERE state = 'stored'),
                count(*) FILTER (WHERE state = 'expired')
         FROM messages m",
    )?
    .query_row([now_ms], |row| {
        Ok(MessageCounts {
            due: row.get(0)?,
            queued: row.get(1)?,
            leased: row.get(2)?,
            done: row.get(3)?,
            stored: row.get(4)?,
            expired: row.get(5)?,
        })
    })
}
