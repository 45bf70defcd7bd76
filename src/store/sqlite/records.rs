//! The record's statements: turns and parts.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::json::{from_json, from_word, to_json, to_word};
use super::statuses;
use crate::store::rules::{awaits_yes, language_shown};
use crate::store::{Begun, Draft, History, Lane, Lease};
use crate::turn::{
    Content, Exchange, LanguageCode, MessageId, Part, PartState, Personal, Reason, Role, TurnId,
};

/// Writes or finds a turn's row. The contact is the one the message has now: since it was leased,
/// a younger message may have shown that two contacts are one. `None` if a later attempt has begun.
pub(super) fn begin(
    db: &Connection,
    lease: &Lease,
    agent: &str,
    queue_ms: f64,
    now_ms: i64,
) -> rusqlite::Result<Option<Begun>> {
    let (turn, first) = (&lease.turn, lease.first());
    let begun = db
        .prepare_cached(
            "INSERT INTO turns (id, number, contact_id, message, agent, attempt, queue_ms,
                 created_ms)
             VALUES (?1, ?2, (SELECT contact_id FROM messages WHERE id = ?3), ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (id) DO UPDATE SET attempt = excluded.attempt, agent = excluded.agent
                 WHERE attempt <= excluded.attempt",
        )?
        .execute(params![
            turn.0,
            lease.lane.number.0,
            first.row,
            first.id.0,
            agent,
            lease.attempt,
            queue_ms,
            now_ms
        ])?;
    if begun == 0 {
        return Ok(None);
    }
    let (finished, draft) = db
        .prepare_cached(
            "SELECT finished_ms IS NOT NULL, heard, language, report FROM turns WHERE id = ?1",
        )?
        .query_row([&turn.0], |row| Ok((row.get(0)?, kept_draft(row)?)))?;
    let parts = db
        .prepare_cached(
            "SELECT idx, role, content, state, provider_id FROM parts WHERE turn = ?1 ORDER BY idx",
        )?
        .query_map([&turn.0], part)?
        .collect::<Result<_, _>>()?;
    Ok(Some(Begun { finished, parts, draft }))
}

/// Reads what an earlier attempt was about to send.
fn kept_draft(row: &Row<'_>) -> rusqlite::Result<Option<Draft>> {
    let Some(report) = row.get::<_, Option<String>>(3)? else { return Ok(None) };
    let (heard, language): (Option<String>, Option<String>) = (row.get(1)?, row.get(2)?);
    let language = language.map(LanguageCode::from);
    Ok(Some(Draft { heard: heard.map(Personal), language, report: from_json(&report)? }))
}

fn part(row: &Row<'_>) -> rusqlite::Result<Part> {
    Ok(Part {
        index: row.get(0)?,
        role: from_word(&row.get::<_, String>(1)?)?,
        content: from_json(&row.get::<_, String>(2)?)?,
        state: match row.get::<_, String>(3)?.as_str() {
            "sent" => {
                PartState::Sent(MessageId(row.get::<_, Option<String>>(4)?.unwrap_or_default()))
            }
            "failed" => PartState::Failed,
            _ => PartState::Planned,
        },
    })
}

/// The last exchanges of a lane. "Please try again later" is no answer that an agent gave.
pub(super) fn history(
    db: &Connection,
    lane: &Lane,
    limit: usize,
    now_ms: i64,
) -> rusqlite::Result<History> {
    let mut exchanges: Vec<Exchange> = db
        .prepare_cached(
            "SELECT heard, report ->> '$.reply.text' FROM turns
             WHERE contact_id = ?1 AND number = ?2 AND heard IS NOT NULL AND finished_ms IS NOT NULL
               AND outcome <> 'fallback'
             ORDER BY created_ms DESC, rowid DESC LIMIT ?3",
        )?
        .query_map(
            params![lane.contact_id, lane.number.0, i64::try_from(limit).unwrap_or(i64::MAX)],
            |row| Ok(Exchange { heard: Personal(row.get(0)?), answered: Personal(row.get(1)?) }),
        )?
        .collect::<Result<_, _>>()?;
    exchanges.reverse();
    let last: Option<(Option<String>, Option<String>, i64)> = db
        .prepare_cached(
            "SELECT heard, reason, finished_ms FROM turns
             WHERE contact_id = ?1 AND number = ?2 AND finished_ms IS NOT NULL
             ORDER BY created_ms DESC, rowid DESC LIMIT 1",
        )?
        .query_row(params![lane.contact_id, lane.number.0], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    let to_confirm = last.and_then(|(heard, reason, finished_ms)| {
        let waits = awaits_yes(&Reason::from(reason?), finished_ms, now_ms);
        heard.filter(|_| waits).map(Personal)
    });
    Ok(History { exchanges, to_confirm })
}

/// Writes parts down before they are sent; `None` if a later attempt has begun the turn.
pub(super) fn plan(
    db: &Connection,
    turn: &TurnId,
    attempt: u32,
    parts: Vec<(Role, Content)>,
    now_ms: i64,
) -> rusqlite::Result<Option<Vec<Part>>> {
    let mut insert = db.prepare_cached(
        "INSERT INTO parts (turn, idx, role, state, content, planned_ms)
         SELECT id, (SELECT coalesce(max(idx) + 1, 0) FROM parts WHERE turn = ?1), ?3, 'planned',
             ?4, ?5
         FROM turns WHERE id = ?1 AND attempt = ?2 RETURNING idx",
    )?;
    let mut planned = Vec::with_capacity(parts.len());
    for (role, content) in parts {
        let values = params![turn.0, attempt, to_word(&role)?, to_json(&content)?, now_ms];
        let Some(index) = insert.query_row(values, |row| row.get(0)).optional()? else {
            return Ok(None);
        };
        planned.push(Part { index, role, content, state: PartState::Planned });
    }
    Ok(Some(planned))
}

/// Notes what became of a part. A failed status that overtook the answer stands.
pub(super) fn settle(
    db: &Connection,
    turn: &TurnId,
    index: u32,
    result: &Result<MessageId, String>,
    now_ms: i64,
) -> rusqlite::Result<()> {
    match result {
        Ok(id) => db
            .prepare_cached(
                "UPDATE parts SET state = 'sent', provider_id = ?3, sent_ms = ?4
                 WHERE turn = ?1 AND idx = ?2",
            )?
            .execute(params![turn.0, index, id.0, now_ms])?,
        Err(error) => db
            .prepare_cached(
                "UPDATE parts SET state = 'failed', error = ?3 WHERE turn = ?1 AND idx = ?2",
            )?
            .execute(params![turn.0, index, error])?,
    };
    Ok(())
}

/// Keeps what is about to be sent.
pub(super) fn draft(
    db: &Connection,
    turn: &TurnId,
    Draft { heard, language, report }: &Draft,
) -> rusqlite::Result<()> {
    let heard = heard.as_ref().map(Personal::reveal);
    let language = language.as_ref().map(LanguageCode::as_str);
    db.prepare_cached("UPDATE turns SET heard = ?2, language = ?3, report = ?4 WHERE id = ?1")?
        .execute(params![turn.0, heard, language, to_json(report)?])?;
    Ok(())
}

/// Closes a turn, remembers the language that it showed, and applies failures that came first.
pub(super) fn finish(
    db: &Connection,
    turn: &TurnId,
    ended: &Draft,
    now_ms: i64,
) -> rusqlite::Result<()> {
    let report = &ended.report;
    db.prepare_cached(
        "UPDATE turns SET heard = ?2, language = ?3, report = ?4, outcome = ?5, reason = ?6,
             finished_ms = ?7, spent = ?8 WHERE id = ?1",
    )?
    .execute(params![
        turn.0,
        ended.heard.as_ref().map(Personal::reveal),
        ended.language.as_ref().map(LanguageCode::as_str),
        to_json(report)?,
        report.outcome.name(),
        report.reason.as_ref().map(Reason::to_string),
        now_ms,
        to_json(&report.spent)?
    ])?;
    if let Some(language) = language_shown(ended) {
        db.prepare_cached(
            "UPDATE contacts SET language = ?2
             WHERE id = (SELECT contact_id FROM turns WHERE id = ?1)",
        )?
        .execute([turn.0.as_str(), language.as_str()])?;
    }
    statuses::apply_early_failure(db, turn)
}
