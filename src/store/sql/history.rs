//! The conversation so far, as the record has it: what was said, what was done, what was noted.

use super::db::{Db, OptionalRow as _, params};

use super::json::from_json;
use crate::store::{HistoryLimits, Lane, StoreError};
use crate::turn::{About, Exchange, Personal, ReplyText};

/// How long an agent is told of what a person did to a message.
const DEEDS_MS: i64 = 24 * 60 * 60 * 1000;

/// The latest that a person did to messages since the last one that was answered.
const DEEDS: &str = "
    SELECT m.about FROM messages m
    WHERE m.number = ?1 AND m.contact_id = ?2 AND m.received_ms > ?3 AND m.state = 'stored'
      AND m.about ->> 'did' IS NOT NULL
      AND m.id > coalesce((SELECT o.id FROM messages o
                           WHERE o.number = ?1 AND o.contact_id = ?2 AND o.state = 'done'
                           ORDER BY o.id DESC LIMIT 1), 0)
    ORDER BY m.id DESC LIMIT 5";

/// Holds the part of a lane that is read.
#[derive(Default)]
pub(super) struct Conversation {
    pub(super) exchanges: Vec<Exchange>,
    pub(super) began_ms: Vec<i64>,
    pub(super) notes: Option<Personal>,
}

/// Reads the last exchanges of a lane, and the notes if they are of the same conversation.
pub(super) fn conversation(
    db: &Db<'_>,
    lane: &Lane,
    limits: HistoryLimits,
    now_ms: i64,
) -> Result<Conversation, StoreError> {
    let noted: Option<(String, i64)> = db
        .prepare_cached(
            "SELECT text, upto_ms FROM summaries WHERE contact_id = ?1 AND number = ?2",
        )?
        .query_row(params![lane.contact_id, lane.number.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    // "Please try again later" is not an answer that an agent gave, nor what is said in the place of one.
    let mut statement = db.prepare_cached(
        "SELECT coalesce(heard, ''), report -> 'reply', created_ms, finished_ms FROM turns
         WHERE contact_id = ?1 AND number = ?2 AND (heard IS NOT NULL OR operator IS NOT NULL)
           AND finished_ms IS NOT NULL AND outcome <> 'fallback'
           AND coalesce(reason, '') NOT IN ('credits_spent', 'outside_hours')
         ORDER BY created_ms DESC, rowid DESC LIMIT ?3",
    )?;
    let most = i64::try_from(limits.exchanges).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![lane.contact_id, lane.number.0, most], |row| {
        Ok((row.get::<String>(0)?, row.get::<String>(1)?, row.get(2)?, row.get(3)?))
    })?;
    let (mut read, mut bytes, mut next_ms) = (Conversation::default(), 0_usize, now_ms);
    for row in rows {
        let (heard, reply, created_ms, finished_ms): (_, _, i64, i64) = row?;
        let silence_ms = next_ms.saturating_sub(finished_ms);
        if limits.session_ms.is_some_and(|session| silence_ms > session) {
            break;
        }
        if let Some((notes, upto_ms)) = &noted
            && created_ms <= *upto_ms
        {
            read.notes = Some(Personal(notes.clone()));
            break;
        }
        next_ms = created_ms;
        // Beyond the limit only the notes are looked for.
        if bytes > limits.bytes {
            continue;
        }
        let answered = from_json::<ReplyText>(&reply)?.as_given();
        bytes = bytes.saturating_add(heard.len() + answered.reveal().len());
        if bytes <= limits.bytes {
            read.exchanges.push(Exchange { heard: Personal(heard), answered });
            read.began_ms.push(created_ms);
        } else if noted.is_none() {
            break;
        }
    }
    read.exchanges.reverse();
    read.began_ms.reverse();
    join_what_people_said(&mut read);
    Ok(read)
}

/// Joins what was said while a person had the conversation: messages that got no answer of their own,
/// and answers that were to none of them.
fn join_what_people_said(read: &mut Conversation) {
    let (mut joined, mut began_ms): (Vec<Exchange>, Vec<i64>) = (Vec::new(), Vec::new());
    let add = |to: &mut Personal, more: &Personal| {
        if !to.0.is_empty() && !more.0.is_empty() {
            to.0.push('\n');
        }
        to.0.push_str(more.reveal());
    };
    for (exchange, at_ms) in read.exchanges.drain(..).zip(read.began_ms.drain(..)) {
        match joined.last_mut() {
            Some(last) if exchange.heard.0.is_empty() => {
                add(&mut last.answered, &exchange.answered);
            }
            Some(last) if last.answered.0.is_empty() => {
                add(&mut last.heard, &exchange.heard);
                last.answered = exchange.answered;
            }
            _ => {
                joined.push(exchange);
                began_ms.push(at_ms);
            }
        }
    }
    (read.exchanges, read.began_ms) = (joined, began_ms);
}

/// Reads what the person did to messages, oldest first.
pub(super) fn deeds(db: &Db<'_>, lane: &Lane, now_ms: i64) -> Result<Vec<About>, StoreError> {
    let since_ms = now_ms - DEEDS_MS;
    let mut deeds: Vec<About> = db
        .prepare_cached(DEEDS)?
        .query_map(params![lane.number.0, lane.contact_id, since_ms], |row| {
            from_json(&row.get::<String>(0)?)
        })?
        .collect::<Result<_, _>>()?;
    deeds.reverse();
    Ok(deeds)
}
