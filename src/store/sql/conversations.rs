//! Conversations: which one a message belongs to, and what was said in one.

use super::db::{Db, DbResult, DbRow, OptionalRow as _, params};

use super::json::from_json;
use crate::store::people::contact_key;
use crate::store::{Author, ConversationRow, ConversationSearch, SaidRow, StoreError};
use crate::turn::{Content, Personal, PhoneNumberId};

const CONVERSATIONS: &str = "
    SELECT v.id, v.number, v.contact_id, coalesce(c.user_id, c.phone, '?'), c.profile_name,
           v.opened_ms, v.last_ms, v.closed_ms,
           (SELECT k.id FROM tickets k WHERE k.conversation = v.id AND k.closed_ms IS NULL),
           (SELECT count(*) FROM messages m WHERE m.conversation = v.id),
           c.created_ms
    FROM conversations v JOIN contacts c ON c.id = v.contact_id
    WHERE (v.id = ?1 OR ?1 IS NULL) AND (v.number = ?2 OR ?2 IS NULL)
      AND (c.user_id = ?3 OR c.phone = ?3 OR ?3 IS NULL)
      AND ((v.closed_ms IS NULL) = ?4 OR ?4 IS NULL)
      AND (CAST(?5 AS TEXT) IS NULL OR EXISTS (
          SELECT 1 FROM turns t WHERE t.conversation = v.id
            AND (instr(lower(coalesce(t.heard, '')), lower(?5)) > 0
                 OR instr(lower(coalesce(t.report -> 'reply' ->> 'text', '')), lower(?5)) > 0)))
      AND ((v.last_ms, v.id) < (SELECT last_ms, id FROM conversations WHERE id = ?6) OR ?6 IS NULL)
    ORDER BY v.last_ms DESC, v.id DESC LIMIT ?7";

/// What came and what went out, the latest first; of one millisecond what answers a later message.
const SAID: &str = "
    SELECT 0 AS ours, m.received_ms AS at_ms, 0 AS place, m.turn, m.raw_type,
           coalesce(m.body ->> 'text', t.heard), NULL, NULL, m.provider_id, NULL, m.id AS came
    FROM messages m LEFT JOIN turns t ON t.id = m.turn
    WHERE m.conversation = ?1 AND m.body ->> 'kind' NOT IN ('reply', 'silent')
    UNION ALL
    SELECT 1, coalesce(p.sent_ms, p.planned_ms), p.idx, p.turn, CAST(p.content AS TEXT),
           t.report -> 'reply' ->> 'text', t.operator, t.agent, p.provider_id,
           coalesce((SELECT s.status FROM statuses s WHERE s.turn = p.turn AND s.idx = p.idx
                     ORDER BY s.at_ms DESC, s.id DESC LIMIT 1), p.state),
           (SELECT m.id FROM messages m WHERE m.number = t.number AND m.provider_id = t.message)
    FROM turns t JOIN parts p ON p.turn = t.id WHERE t.conversation = ?1
    ORDER BY at_ms DESC, came DESC, ours DESC, place DESC LIMIT ?2 OFFSET ?3";

/// Returns the open conversation of a contact with a number, begun now if there is none; it goes on.
pub(super) fn go_on(
    db: &Db<'_>,
    number: &str,
    contact: i64,
    now_ms: i64,
) -> Result<i64, StoreError> {
    let open = db
        .prepare_cached(
            "UPDATE conversations SET last_ms = CASE WHEN last_ms < ?3 THEN ?3 ELSE last_ms END
             WHERE number = ?1 AND contact_id = ?2 AND closed_ms IS NULL RETURNING id",
        )?
        .query_row(params![number, contact, now_ms], |row| row.get(0))
        .optional()?;
    if let Some(open) = open {
        return Ok(open);
    }
    let begun = db
        .prepare_cached(
            "INSERT INTO conversations (number, contact_id, opened_ms, last_ms)
             VALUES (?1, ?2, ?3, ?3) RETURNING id",
        )?
        .query_row(params![number, contact, now_ms], |row| row.get(0))?;
    Ok(begun)
}

/// Finds conversations, the one that was last written in first.
pub(super) fn find(
    db: &Db<'_>,
    search: &ConversationSearch,
) -> Result<Vec<ConversationRow>, StoreError> {
    let limit = i64::try_from(search.limit).unwrap_or(i64::MAX);
    let ConversationSearch { id, number, contact, open, words, before, .. } = search;
    let values = params![id, number, contact, open, words, before, limit];
    let mut found = db.prepare_cached(CONVERSATIONS)?;
    Ok(found.query_map(values, conversation_row)?.collect::<Result<_, _>>()?)
}

fn conversation_row(row: &DbRow<'_>) -> DbResult<ConversationRow> {
    Ok(ConversationRow {
        id: row.get(0)?,
        number: PhoneNumberId(row.get(1)?),
        contact_id: row.get(2)?,
        contact_key: contact_key(row.get(2)?, row.get(10)?),
        contact: Personal(row.get(3)?),
        name: row.get::<Option<String>>(4)?.map(Personal),
        opened_ms: row.get(5)?,
        last_ms: row.get(6)?,
        closed_ms: row.get(7)?,
        ticket: row.get(8)?,
        messages: row.get(9)?,
    })
}

/// Returns what was said in a conversation, oldest first: without the last `behind` the last `limit`.
pub(super) fn said(
    db: &Db<'_>,
    conversation: i64,
    behind: usize,
    limit: usize,
) -> Result<Vec<SaidRow>, StoreError> {
    let [behind, limit] = [behind, limit].map(|count| i64::try_from(count).unwrap_or(i64::MAX));
    let mut said = db.prepare_cached(SAID)?;
    let rows = said.query_map([conversation, limit, behind], said_row)?;
    let mut rows: Vec<SaidRow> = rows.collect::<Result<_, _>>()?;
    rows.reverse();
    Ok(rows)
}

fn said_row(row: &DbRow<'_>) -> DbResult<SaidRow> {
    let (ours, at_ms, turn): (bool, i64, Option<String>) = (row.get(0)?, row.get(1)?, row.get(3)?);
    let (kind, words): (String, Option<String>) = (row.get(4)?, row.get(5)?);
    let message = row.get(8)?;
    if !ours {
        let text = words.map(Personal);
        let author = Author::Contact;
        return Ok(SaidRow { author, turn, kind, text, by: None, at_ms, message, state: None });
    }
    let content: Content = from_json(&kind)?;
    let (operator, agent): (Option<String>, Option<String>) = (row.get(6)?, row.get(7)?);
    let author = if operator.is_some() { Author::Operator } else { Author::Agent };
    let text = match &content {
        Content::Text(text) | Content::Buttons { text, .. } | Content::List { text, .. } => {
            Some(text.clone())
        }
        // What the note says is the reply's words.
        Content::Voice(_) => words.map(Personal),
        _ => None,
    };
    let (kind, by, state) = (content.kind().to_owned(), operator.or(agent), row.get(9)?);
    Ok(SaidRow { author, turn, kind, text, by, at_ms, message, state })
}

/// Closes conversations without an open ticket in which nobody has written since `before_ms`.
pub(super) fn close(db: &Db<'_>, before_ms: i64, now_ms: i64) -> Result<usize, StoreError> {
    let close = "UPDATE conversations SET closed_ms = ?2
                 WHERE closed_ms IS NULL AND last_ms < ?1 AND NOT EXISTS (
                     SELECT 1 FROM tickets k
                     WHERE k.conversation = conversations.id AND k.closed_ms IS NULL)";
    Ok(db.prepare_cached(close)?.execute([before_ms, now_ms])?)
}

/// Moves what `alias` has to `known`, who is the same person. Of two that are open on a number the
/// one of `known` goes on, and has the tickets of both.
pub(super) fn merge(db: &Db<'_>, known: i64, alias: i64, now_ms: i64) -> DbResult<()> {
    for sql in [
        "UPDATE tickets SET closed_ms = ?3, closed_by = 'merged', version = version + 1
         WHERE contact_id = ?2 AND closed_ms IS NULL AND number IN (
             SELECT number FROM tickets WHERE contact_id = ?1 AND closed_ms IS NULL)",
        "UPDATE conversations SET closed_ms = ?3
         WHERE contact_id = ?2 AND closed_ms IS NULL AND number IN (
             SELECT number FROM conversations WHERE contact_id = ?1 AND closed_ms IS NULL)",
    ] {
        db.prepare_cached(sql)?.execute([known, alias, now_ms])?;
    }
    for table in ["conversations", "tickets", "events"] {
        db.prepare_cached(&format!("UPDATE {table} SET contact_id = ?1 WHERE contact_id = ?2"))?
            .execute([known, alias])?;
    }
    // An open ticket stands on the open conversation, where there is one.
    db.prepare_cached(
        "UPDATE tickets SET conversation = coalesce((
             SELECT id FROM conversations v WHERE v.number = tickets.number
                AND v.contact_id = ?1 AND v.closed_ms IS NULL), conversation)
         WHERE contact_id = ?1 AND closed_ms IS NULL",
    )?
    .execute([known])?;
    Ok(())
}
