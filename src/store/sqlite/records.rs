//! The record's statements: turns, parts and statuses.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::queue::{from_json, to_json};
use crate::store::{Begun, Draft, History, Job, Part, PartContent, PartState, TurnRow};
use crate::turn::{
    DeliveryStatus, Exchange, LINKS_PARTS, MediaId, MessageId, Outcome, Personal, PhoneNumberId,
    StatusUpdate, TO_CONFIRM, TurnId, TurnReport,
};

/// Writes or finds a turn's row. The contact is the one the message has now: since it was leased,
/// a younger message may have shown that two contacts are one.
pub(super) fn begin(
    db: &Connection,
    turn: &TurnId,
    job: &Job,
    agent: &str,
    queue_ms: f64,
    now_ms: i64,
) -> rusqlite::Result<Begun> {
    db.prepare_cached(
        "INSERT INTO turns (id, number, contact_id, message, agent, attempt, queue_ms, created_ms)
         VALUES (?1, ?2, (SELECT contact_id FROM messages WHERE id = ?3), ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (id) DO UPDATE SET attempt = excluded.attempt, agent = excluded.agent",
    )?
    .execute(params![
        turn.0,
        job.message.number.0,
        job.row,
        job.message.id.0,
        agent,
        job.attempt,
        queue_ms,
        now_ms
    ])?;
    let (finished, heard, report): (bool, _, Option<String>) = db
        .prepare_cached("SELECT finished_ms IS NOT NULL, heard, report FROM turns WHERE id = ?1")?
        .query_row([&turn.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let draft = match report {
        Some(json) => Some(Draft { heard, language: None, report: from_json(&json)? }),
        None => None,
    };
    let parts = db
        .prepare_cached(
            "SELECT idx, state, kind, content, provider_id FROM parts WHERE turn = ?1 ORDER BY idx",
        )?
        .query_map([&turn.0], part)?
        .collect::<Result<_, _>>()?;
    Ok(Begun { finished, parts, draft })
}

fn part(row: &Row<'_>) -> rusqlite::Result<Part> {
    let content: String = row.get(3)?;
    Ok(Part {
        index: row.get(0)?,
        state: match row.get::<_, String>(1)?.as_str() {
            "sent" => {
                PartState::Sent(MessageId(row.get::<_, Option<String>>(4)?.unwrap_or_default()))
            }
            "failed" => PartState::Failed,
            _ => PartState::Planned,
        },
        content: match row.get::<_, String>(2)?.as_str() {
            "voice" => PartContent::Voice(MediaId(content)),
            _ => PartContent::Text(content),
        },
    })
}

/// How long a question back waits for its yes or no.
const TO_CONFIRM_MS: i64 = 60 * 60 * 1000;

/// The last exchanges of a lane. "Please try again later" is no answer that an agent gave.
pub(super) fn history(
    db: &Connection,
    number: &PhoneNumberId,
    contact_id: i64,
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
            params![contact_id, number.0, i64::try_from(limit).unwrap_or(i64::MAX)],
            |row| Ok(Exchange { heard: Personal(row.get(0)?), answered: Personal(row.get(1)?) }),
        )?
        .collect::<Result<_, _>>()?;
    exchanges.reverse();
    let last: Option<(Option<String>, String, i64)> = db
        .prepare_cached(
            "SELECT heard, coalesce(reason, ''), finished_ms FROM turns
             WHERE contact_id = ?1 AND number = ?2 AND finished_ms IS NOT NULL
             ORDER BY created_ms DESC, rowid DESC LIMIT 1",
        )?
        .query_row(params![contact_id, number.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let to_confirm = last.and_then(|(heard, reason, finished_ms)| {
        let waits = reason.starts_with(TO_CONFIRM) && now_ms - finished_ms < TO_CONFIRM_MS;
        heard.filter(|_| waits).map(Personal)
    });
    Ok(History { exchanges, to_confirm })
}

/// Writes a part down before it is sent.
pub(super) fn plan(
    db: &Connection,
    turn: &TurnId,
    part: &Part,
    now_ms: i64,
) -> rusqlite::Result<()> {
    let (kind, content) = match &part.content {
        PartContent::Voice(media) => ("voice", &media.0),
        PartContent::Text(text) => ("text", text),
    };
    db.prepare_cached(
        "INSERT INTO parts (turn, idx, state, kind, content, planned_ms)
         VALUES (?1, ?2, 'planned', ?3, ?4, ?5)
         ON CONFLICT (turn, idx) DO UPDATE SET state = 'planned', kind = excluded.kind,
             content = excluded.content, error = NULL WHERE state <> 'sent'",
    )?
    .execute(params![turn.0, part.index, kind, content, now_ms])?;
    Ok(())
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
pub(super) fn draft(db: &Connection, turn: &TurnId, draft: &Draft) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE turns SET heard = ?2, report = ?3 WHERE id = ?1")?
        .execute(params![turn.0, draft.heard, to_json(&draft.report)?])?;
    Ok(())
}

/// Closes a turn, remembers the language that was told, and applies failures that came first.
pub(super) fn finish(
    db: &Connection,
    turn: &TurnId,
    Draft { heard, language, report }: &Draft,
    now_ms: i64,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE turns SET heard = ?2, report = ?3, outcome = ?4, reason = ?5, finished_ms = ?6
         WHERE id = ?1",
    )?
    .execute(params![
        turn.0,
        heard,
        to_json(report)?,
        report.outcome.name(),
        report.reason,
        now_ms
    ])?;
    let heard_in = report.transcript.as_ref().map(|transcript| &transcript.language);
    let told = language.as_ref().or(heard_in).filter(|language| !language.is_unknown());
    if let Some(language) = told {
        db.prepare_cached(
            "UPDATE contacts SET language = ?2
             WHERE id = (SELECT contact_id FROM turns WHERE id = ?1)",
        )?
        .execute([turn.0.as_str(), language.as_str()])?;
    }
    let failure: Option<(Option<i64>, Option<String>)> = db
        .prepare_cached(
            "SELECT s.error_code, s.error_title FROM statuses s
             JOIN parts p ON p.turn = s.turn AND p.idx = s.idx
             WHERE s.turn = ?1 AND s.status = 'failed' AND s.idx NOT BETWEEN ?2 AND ?3 LIMIT 1",
        )?
        .query_row(params![turn.0, LINKS_PARTS.start(), LINKS_PARTS.end()], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    if let Some((code, title)) = failure {
        fail_turn(db, &turn.0, code, title.as_deref())?;
    }
    Ok(())
}

/// Keeps one status. It may name a part whose own answer was lost in a crash: then it is the
/// proof that the part was sent.
pub(super) fn record_status(db: &Connection, update: &StatusUpdate) -> rusqlite::Result<()> {
    let named = update.callback_data.as_deref().and_then(TurnId::parse_callback_data);
    let place = match named {
        Some((turn, index)) => Some((turn.0, index)),
        None => db
            .prepare_cached("SELECT turn, idx FROM parts WHERE provider_id = ?1")?
            .query_row([&update.message.0], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?,
    };
    db.prepare_cached(
        "INSERT INTO statuses (number, provider_id, status, at_ms, error_code, error_title, turn,
             idx) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
    )?
    .execute(params![
        update.number.0,
        update.message.0,
        status_name(update.status)?,
        update.at_ms,
        update.error_code,
        update.error_title,
        place.as_ref().map(|(turn, _)| turn),
        place.as_ref().map(|(_, index)| index)
    ])?;
    let Some((turn, index)) = place else { return Ok(()) };
    // A part that is only planned was taken by the provider; if it failed since, it is no answer.
    let state = if update.status == DeliveryStatus::Failed { "failed" } else { "sent" };
    db.prepare_cached(
        "UPDATE parts SET state = ?5, provider_id = ?3, sent_ms = ?4
         WHERE turn = ?1 AND idx = ?2 AND state = 'planned'",
    )?
    .execute(params![turn, index, update.message.0, update.at_ms, state])?;
    // The note was heard without its links.
    if update.status == DeliveryStatus::Failed && !LINKS_PARTS.contains(&index) {
        fail_turn(db, &turn, update.error_code, update.error_title.as_deref())?;
    }
    Ok(())
}

/// Turns a finished turn's outcome into `failed`; one still running is failed when it finishes.
fn fail_turn(
    db: &Connection,
    turn: &str,
    code: Option<i64>,
    title: Option<&str>,
) -> rusqlite::Result<()> {
    let reason = format!(
        "provider status failed {}{}{}",
        code.map_or_else(|| "without a code".to_owned(), |code| code.to_string()),
        if title.is_some() { ": " } else { "" },
        title.unwrap_or_default()
    );
    db.prepare_cached(
        "UPDATE turns SET outcome = ?2, reason = ?3 WHERE id = ?1 AND finished_ms IS NOT NULL",
    )?
    .execute(params![turn, Outcome::Failed.name(), reason])?;
    Ok(())
}

/// The word of a status, as in its JSON.
fn status_name(status: DeliveryStatus) -> rusqlite::Result<String> {
    Ok(to_json(&status)?.trim_matches('"').to_owned())
}

/// Lists turns, newest first.
pub(super) fn list(
    db: &Connection,
    contact: Option<&str>,
    limit: usize,
) -> rusqlite::Result<Vec<TurnRow>> {
    db.prepare_cached(
        "SELECT t.id, t.number, coalesce(c.user_id, c.phone, '?'), t.agent, t.attempt,
                t.created_ms, t.queue_ms, t.heard, t.report, t.outcome, t.reason,
                (SELECT group_concat(status) FROM (SELECT status FROM statuses s
                  WHERE s.turn = t.id ORDER BY s.idx, s.at_ms, s.id))
         FROM turns t JOIN contacts c ON c.id = t.contact_id
         WHERE ?1 IS NULL OR c.user_id = ?1 OR c.phone = ?1
         ORDER BY t.created_ms DESC, t.rowid DESC LIMIT ?2",
    )?
    .query_map(params![contact, i64::try_from(limit).unwrap_or(i64::MAX)], turn_row)?
    .collect()
}

fn turn_row(row: &Row<'_>) -> rusqlite::Result<TurnRow> {
    let report: Option<String> = row.get(8)?;
    let report = match report {
        // Without an outcome it is a draft: the turn still runs.
        Some(json) if row.get::<_, Option<String>>(9)?.is_some() => {
            let mut report: TurnReport = from_json(&json)?;
            // A failed status that came after the turn's end is newer than its report.
            if let Some(outcome) = row.get::<_, Option<String>>(9)? {
                report.outcome = from_json(&format!("\"{outcome}\""))?;
                report.reason = row.get(10)?;
            }
            Some(report)
        }
        _ => None,
    };
    Ok(TurnRow {
        turn: TurnId(row.get(0)?),
        number: PhoneNumberId(row.get(1)?),
        contact: row.get(2)?,
        agent: row.get(3)?,
        attempt: row.get(4)?,
        created_ms: row.get(5)?,
        queue_ms: row.get(6)?,
        heard: row.get(7)?,
        report,
        statuses: row
            .get::<_, Option<String>>(11)?
            .map(|list| list.split(',').map(str::to_owned).collect())
            .unwrap_or_default(),
    })
}
