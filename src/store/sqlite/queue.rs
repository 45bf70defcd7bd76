//! The queue's statements: accept, lease, release and recover, on the `messages` table.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::contacts;
use crate::store::{Disposition, Job};
use crate::turn::{Accepted, Body, ContactRef, Inbound, LanguageCode, Personal, ReplyMode};

/// Stores one message unless its id is known.
pub(super) fn accept(
    db: &Connection,
    message: &Inbound,
    disposition: Disposition,
    now_ms: i64,
) -> rusqlite::Result<Accepted> {
    let known: Option<i64> = db
        .prepare_cached("SELECT id FROM messages WHERE number = ?1 AND provider_id = ?2")?
        .query_row([&message.number.0, &message.id.0], |row| row.get(0))
        .optional()?;
    if known.is_some() {
        return Ok(Accepted::Duplicate);
    }
    let contact = match &message.from {
        Some(from) => Some(contacts::resolve(db, from, now_ms)?),
        None => None,
    };
    let state = match disposition {
        // Nobody to answer: a message that names no sender is kept.
        Disposition::Queue if contact.is_some() => "queued",
        Disposition::Queue | Disposition::Store => "stored",
        Disposition::Expire => "expired",
    };
    db.prepare_cached(
        "INSERT INTO messages (number, provider_id, contact_id, raw_type, body, sent_ms,
             received_ms, state, available_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?7)",
    )?
    .execute(params![
        message.number.0,
        message.id.0,
        contact,
        message.raw_type,
        to_json(&message.body)?,
        message.sent_at_ms,
        now_ms,
        state
    ])?;
    Ok(Accepted::New)
}

/// A message is next in its lane when nothing of the lane is leased and nothing older waits.
/// The first term repeats the condition of the queue's index: SQLite does not conclude it from the
/// second, and would read every message there ever was.
const LEASABLE: &str = "
    SELECT m.id, m.number, m.provider_id, m.raw_type, m.body, m.sent_ms, m.received_ms,
           m.attempts, c.id, c.user_id, c.phone, c.profile_name, c.language, c.reply_mode
    FROM messages m JOIN contacts c ON c.id = m.contact_id
    WHERE m.state IN ('queued', 'leased') AND m.state = 'queued' AND m.available_ms <= ?1
      AND NOT EXISTS (
        SELECT 1 FROM messages o
        WHERE o.number = m.number AND o.contact_id = m.contact_id AND o.id <> m.id
          AND o.state IN ('queued', 'leased') AND (o.state = 'leased' OR o.id < m.id))
    ORDER BY m.id LIMIT ?2";

/// Leases what is due.
pub(super) fn lease(db: &Connection, limit: usize, now_ms: i64) -> rusqlite::Result<Vec<Job>> {
    let jobs: Vec<Job> = db
        .prepare_cached(LEASABLE)?
        .query_map(params![now_ms, i64::try_from(limit).unwrap_or(i64::MAX)], job)?
        .collect::<Result<_, _>>()?;
    let mut take = db.prepare_cached(
        "UPDATE messages SET state = 'leased', attempts = attempts + 1 WHERE id = ?1",
    )?;
    for job in &jobs {
        take.execute([job.row])?;
    }
    Ok(jobs)
}

fn job(row: &Row<'_>) -> rusqlite::Result<Job> {
    let personal = |index| row.get::<_, Option<String>>(index).map(|value| value.map(Personal));
    let contact =
        ContactRef { user_id: personal(9)?, phone: personal(10)?, profile_name: personal(11)? };
    let body: String = row.get(4)?;
    Ok(Job {
        row: row.get(0)?,
        contact_id: row.get(8)?,
        contact_language: row.get::<_, Option<String>>(12)?.map(LanguageCode::from),
        reply_mode: match row.get::<_, Option<String>>(13)?.as_deref() {
            Some("text") => Some(ReplyMode::Text),
            Some("voice") => Some(ReplyMode::Voice),
            _ => None,
        },
        message: Inbound {
            number: row.get::<_, String>(1)?.as_str().into(),
            id: row.get::<_, String>(2)?.as_str().into(),
            from: Some(contact.clone()),
            raw_type: row.get(3)?,
            // A row of another version must not stop every lane: it is answered by a hint.
            body: from_json(&body).unwrap_or(Body::Unsupported),
            sent_at_ms: row.get(5)?,
        },
        contact,
        received_ms: row.get(6)?,
        attempt: row.get::<_, u32>(7)? + 1,
    })
}

/// Puts leased messages back after a crash.
pub(super) fn recover(db: &Connection, now_ms: i64, retry_ms: i64) -> rusqlite::Result<usize> {
    db.execute(
        "UPDATE messages SET state = 'queued', available_ms = CASE WHEN EXISTS (
             SELECT 1 FROM turns t JOIN parts p ON p.turn = t.id
             WHERE t.number = messages.number AND t.message = messages.provider_id
               AND p.state = 'planned')
         THEN ?2 ELSE ?1 END WHERE state = 'leased'",
        [now_ms, retry_ms],
    )
}

/// The first message of a free lane in the order of time. What stands behind another message of
/// its lane does not count: it cannot go first, and its time would hide the other's.
const NEXT_DUE: &str = "
    SELECT m.available_ms FROM messages m
    WHERE m.state IN ('queued', 'leased') AND m.state = 'queued' AND NOT EXISTS (
        SELECT 1 FROM messages o
        WHERE o.number = m.number AND o.contact_id = m.contact_id AND o.id <> m.id
          AND o.state IN ('queued', 'leased') AND (o.state = 'leased' OR o.id < m.id))
    ORDER BY m.available_ms LIMIT 1";

/// When the next waiting message of a free lane is due.
pub(super) fn next_due_ms(db: &Connection) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached(NEXT_DUE)?.query_row([], |row| row.get(0)).optional()
}

/// Marks a message as done.
pub(super) fn ack(db: &Connection, row: i64) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE messages SET state = 'done' WHERE id = ?1")?.execute([row])?;
    Ok(())
}

/// Puts a leased message back into its lane.
pub(super) fn release(
    db: &Connection,
    row: i64,
    at_ms: i64,
    was_attempt: bool,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE messages SET state = 'queued', available_ms = ?2,
             attempts = attempts - iif(?3, 0, 1) WHERE id = ?1",
    )?
    .execute(params![row, at_ms, was_attempt])?;
    Ok(())
}

/// Serialises a value for a TEXT column.
pub(super) fn to_json<T: serde::Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

/// Reads back what [`to_json`] wrote.
pub(super) fn from_json<T: serde::de::DeserializeOwned>(json: &str) -> rusqlite::Result<T> {
    serde_json::from_str(json).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_is_read_without_the_messages_that_are_done() {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(include_str!("migrations/0001_turns.sql")).unwrap();
        db.execute_batch(include_str!("migrations/0002_reply_mode.sql")).unwrap();
        for sql in [LEASABLE, NEXT_DUE] {
            let mut plan = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let wanted = plan.parameter_count();
            let values = std::iter::repeat_n(1, wanted);
            let steps = plan.query_map(rusqlite::params_from_iter(values), |row| row.get(3));
            let steps: Vec<String> = steps.unwrap().collect::<Result<_, _>>().unwrap();
            assert!(steps.iter().any(|step| step.contains("messages_queue")), "{steps:#?}");
            assert!(!steps.iter().any(|step| step.starts_with("SCAN")), "{steps:#?}");
        }
    }
}
