//! Tickets: opened, assigned, closed, each with the events that tell of it.

use super::db::{Db, DbError, DbResult, DbRow, Hold, Lock, OptionalRow as _, ToDb, params};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::events::{self, EventPlace};
use super::json::from_word;
use super::{conversations, operators};
use crate::store::desk_rules::choose;
use crate::store::people::contact_key;
use crate::store::{
    DeskChange, DeskState, Lane, NewTicket, SaidRow, StoreError, TicketRow, TicketSearch,
};
use crate::turn::{
    Echo, EventType, LanguageCode, Personal, PhoneNumberId, TicketEnd, TicketReason, TurnId,
};

/// Who has a ticket that was opened by a message on the phone.
const PHONE: &str = "phone";

/// Messages of a conversation that whoever takes it over is shown in an event.
const DOCUMENT: usize = 50;

const TICKETS: &str = "
    SELECT k.id, k.conversation, k.number, k.contact_id, coalesce(c.user_id, c.phone, '?'),
           c.profile_name, k.reason, k.summary, k.skill, k.language, k.turn, k.operator,
           k.opened_ms, k.assigned_ms, k.last_ms, k.closed_ms, k.closed_by, k.version,
           c.created_ms
    FROM tickets k JOIN contacts c ON c.id = k.contact_id";

/// Finds tickets, newest first.
pub(super) fn find(db: &Db<'_>, search: &TicketSearch) -> Result<Vec<TicketRow>, StoreError> {
    let limit = i64::try_from(search.limit).unwrap_or(i64::MAX);
    let TicketSearch { id, open, operator, conversation, before, .. } = search;
    let mut found = db.prepare_cached(&format!(
        "{TICKETS} WHERE (k.id = ?1 OR ?1 IS NULL) AND ((k.closed_ms IS NULL) = ?2 OR ?2 IS NULL)
           AND (k.operator = ?3 OR ?3 IS NULL) AND (k.conversation = ?4 OR ?4 IS NULL)
           AND ((k.opened_ms, k.id) < (SELECT opened_ms, id FROM tickets WHERE id = ?5) OR ?5 IS NULL)
         ORDER BY k.opened_ms DESC, k.id DESC LIMIT ?6"
    ))?;
    let values = params![id, open, operator, conversation, before, limit];
    Ok(found.query_map(values, ticket_row)?.collect::<Result<_, _>>()?)
}

fn one(db: &Db<'_>, id: &str) -> Result<Option<TicketRow>, StoreError> {
    let mut ticket = db.prepare_cached(&format!("{TICKETS} WHERE k.id = ?1"))?;
    Ok(ticket.query_row([id], ticket_row).optional()?)
}

/// Returns the id of the open ticket of a contact with a number.
pub(super) fn open_of(
    db: &Db<'_>,
    number: &str,
    contact: i64,
) -> Result<Option<String>, StoreError> {
    let open = "SELECT id FROM tickets WHERE number = ?1 AND contact_id = ?2 AND closed_ms IS NULL";
    let mut open = db.prepare_cached(open)?;
    Ok(open.query_row(params![number, contact], |row| row.get(0)).optional()?)
}

/// Returns what the desk has to do with a contact's messages to a number.
pub(super) fn state(
    db: &Db<'_>,
    number: &str,
    contact: i64,
    now_ms: i64,
) -> Result<DeskState, StoreError> {
    let operators = operators::all(db)?;
    Ok(DeskState {
        with_person: with_person(db, number, contact)?,
        staffed: !operators.is_empty(),
        attended: operators.iter().any(|operator| operator.is_there(now_ms)),
        ticket: open_of(db, number, contact)?.is_some(),
    })
}

/// Returns whether a person has a contact's conversation: asked whenever something is planned.
pub(super) fn with_person(db: &Db<'_>, number: &str, contact: i64) -> Result<bool, StoreError> {
    let with = "SELECT 1 FROM tickets WHERE number = ?1 AND contact_id = ?2 AND closed_ms IS NULL
                  AND (operator IS NOT NULL OR EXISTS (SELECT 1 FROM operators))";
    Ok(db.prepare_cached(with)?.exists(params![number, contact])?)
}

/// Opens a ticket, and assigns it. If the contact has an open one, that one stands; an operator whom
/// the new one names gets it.
pub(super) fn open(
    db: &Db<'_>,
    place: &EventPlace,
    new: NewTicket,
    turn: Option<&str>,
    now_ms: i64,
) -> Result<TicketRow, StoreError> {
    if let Some(known) = one(db, &new.id)? {
        return Ok(known);
    }
    if let Some(id) = open_of(db, &place.number, place.contact_id)? {
        if let Some(operator) = &new.operator {
            give(db, &id, operator, now_ms)?;
        }
        return held(db, &id);
    }
    let language: Option<String> = db
        .prepare_cached("SELECT coalesce(asked_language, language) FROM contacts WHERE id = ?1")?
        .query_row([place.contact_id], |row| row.get(0))
        .optional()?
        .flatten();
    let NewTicket { id, reason, summary, skill, operator } = new;
    let words = summary.as_ref().map(Personal::reveal);
    db.prepare_cached(
        "INSERT INTO tickets (id, conversation, number, contact_id, reason, summary, skill, language,
             turn, opened_ms, last_ms, version)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10, 1)",
    )?
    .execute(params![
        id,
        place.conversation,
        place.number,
        place.contact_id,
        reason.name(),
        words,
        skill,
        language,
        turn,
        now_ms
    ])?;
    let about = json!({ "ticket": id, "reason": reason.name(), "turn": turn,
                        "summary": summary.as_ref().map(events::words) });
    events::write(db, EventType::OpenTicket, place, now_ms, about.clone())?;
    events::write(db, EventType::TicketOpened, place, now_ms, about)?;
    match operator {
        Some(operator) => give(db, &id, &operator, now_ms)?,
        None => assign_free(db, &held(db, &id)?, now_ms)?,
    }
    held(db, &id)
}

/// Notes that somebody wrote to a contact on the phone: they have the conversation from then on.
pub(super) fn answered_elsewhere(
    db: &Db<'_>,
    echo: &Echo,
    now_ms: i64,
) -> Result<Option<Lane>, StoreError> {
    let to = echo.to.reveal();
    let contact: Option<i64> = db
        .prepare_cached("SELECT id FROM contacts WHERE phone = ?1 OR user_id = ?1")?
        .query_row([to], |row| row.get(0))
        .optional()?;
    let own =
        db.prepare_cached("SELECT 1 FROM parts WHERE provider_id = ?1")?.exists([&echo.id.0])?;
    let Some(contact_id) = contact.filter(|_| !own) else { return Ok(None) };
    db.hold(Hold::Contact(contact_id))?;
    let number = echo.number.0.clone();
    let conversation = Some(conversations::go_on(db, &number, contact_id, now_ms)?);
    let place = EventPlace { number, contact_id, conversation };
    let new = NewTicket {
        id: format!("phone-{}", TurnId::from_message(&echo.number, &echo.id)),
        reason: TicketReason::Phone,
        summary: None,
        skill: None,
        operator: Some(PHONE.to_owned()),
    };
    let ticket = match open_of(db, &place.number, contact_id)? {
        Some(ticket) => held(db, &ticket)?,
        None => open(db, &place, new, None, now_ms)?,
    };
    touch(db, &place.number, contact_id, now_ms)?;
    let said = json!({ "ticket": ticket.id, "operator": PHONE, "kind": "text",
                       "text": echo.text.as_ref().map(events::words), "message": echo.id.0 });
    events::write(db, EventType::OperatorAnswered, &place, now_ms, said)?;
    Ok(Some(Lane { number: echo.number.clone(), contact_id }))
}

/// Gives a ticket to whoever is there and free, if anybody is.
fn assign_free(db: &Db<'_>, ticket: &TicketRow, now_ms: i64) -> Result<(), StoreError> {
    db.lock(Lock::Desk)?;
    let operators = operators::all(db)?;
    let (skill, language) = (ticket.skill.as_deref(), ticket.language.as_ref());
    match choose(&operators, skill, language, now_ms) {
        Some(operator) => give(db, &ticket.id, &operator.id, now_ms),
        None => Ok(()),
    }
}

/// Gives a ticket to an operator, with all that was said.
fn give(db: &Db<'_>, id: &str, operator: &str, now_ms: i64) -> Result<(), StoreError> {
    let given = db
        .prepare_cached(
            "UPDATE tickets SET operator = ?2, assigned_ms = ?3, last_ms = ?3,
                 version = version + 1
             WHERE id = ?1 AND operator IS DISTINCT FROM ?2",
        )?
        .execute(params![id, operator, now_ms])?;
    if given == 0 {
        return Ok(());
    }
    let ticket = held(db, id)?;
    let place = place_of(&ticket);
    let name = operators::name(db, operator)?;
    let assigned = json!({ "ticket": id, "operator": { "id": operator, "name": name } });
    events::write(db, EventType::AgentAssigned, &place, now_ms, assigned)?;
    let wanted = json!({ "ticket": id });
    events::write(db, EventType::GetConversation, &place, now_ms, wanted)?;
    document(db, &place, Some(id), now_ms)
}

/// Tells what was said in a conversation.
pub(super) fn document(
    db: &Db<'_>,
    place: &EventPlace,
    ticket: Option<&str>,
    now_ms: i64,
) -> Result<(), StoreError> {
    let said = match place.conversation {
        Some(conversation) => conversations::said(db, conversation, 0, DOCUMENT)?,
        None => Vec::new(),
    };
    let messages: Vec<Value> = said.iter().map(line).collect();
    let document = json!({ "ticket": ticket, "messages": messages });
    events::write(db, EventType::ConversationDocument, place, now_ms, document)
}

fn line(said: &SaidRow) -> Value {
    json!({ "from": said.author.name(), "by": said.by, "kind": said.kind, "turn": said.turn,
            "text": said.text.as_ref().map(events::words),
            "at": Timestamp::from_millisecond(said.at_ms).unwrap_or_default().to_string() })
}

/// Gives a ticket to an operator, or to whoever is free.
pub(super) fn assign(
    db: &Db<'_>,
    id: &str,
    expected: Option<u32>,
    operator: Option<&str>,
    now_ms: i64,
) -> Result<DeskChange<TicketRow>, StoreError> {
    change(db, id, expected, |ticket| match operator {
        Some(operator) => give(db, id, operator, now_ms),
        None => assign_free(db, ticket, now_ms),
    })
}

/// Closes a ticket.
pub(super) fn close(
    db: &Db<'_>,
    id: &str,
    expected: Option<u32>,
    end: TicketEnd,
    now_ms: i64,
) -> Result<DeskChange<TicketRow>, StoreError> {
    change(db, id, expected, |ticket| {
        db.prepare_cached(
            "UPDATE tickets SET closed_ms = ?2, closed_by = ?3, version = version + 1
             WHERE id = ?1",
        )?
        .execute(params![id, now_ms, end.name()])?;
        let closed = json!({ "ticket": id, "reason": end.name(), "operator": ticket.operator });
        events::write(db, EventType::TicketClosed, &place_of(ticket), now_ms, closed)
    })
}

/// Changes a ticket that is open and has the version that is expected.
fn change(
    db: &Db<'_>,
    id: &str,
    expected: Option<u32>,
    how: impl FnOnce(&TicketRow) -> Result<(), StoreError>,
) -> Result<DeskChange<TicketRow>, StoreError> {
    db.hold(Hold::Ticket(id))?;
    match one(db, id)? {
        None => Ok(DeskChange::Absent),
        Some(ticket) if ticket.closed_ms.is_some() => Ok(DeskChange::Closed),
        Some(ticket) if expected.is_some_and(|version| version != ticket.version) => {
            Ok(DeskChange::Stale(ticket.version))
        }
        Some(ticket) => {
            how(&ticket)?;
            Ok(DeskChange::Done(held(db, id)?))
        }
    }
}

/// Assigns tickets that nobody has; returns how many got somebody.
pub(super) fn assign_waiting(db: &Db<'_>, now_ms: i64) -> Result<usize, StoreError> {
    let waiting = select(db, "k.closed_ms IS NULL AND k.operator IS NULL", &[])?;
    for ticket in &waiting {
        assign_free(db, ticket, now_ms)?;
    }
    let still = select(db, "k.closed_ms IS NULL AND k.operator IS NULL", &[])?;
    Ok(waiting.len() - still.len())
}

/// Closes tickets in which nobody has written since `before_ms`; returns how many.
pub(super) fn close_idle(db: &Db<'_>, before_ms: i64, now_ms: i64) -> Result<usize, StoreError> {
    // What came at night waits for the morning, where there are people.
    let idle = "k.closed_ms IS NULL AND k.last_ms < ?1 AND NOT (k.reason = 'outside_hours'
                    AND k.operator IS NULL AND EXISTS (SELECT 1 FROM operators))";
    let idle = select(db, idle, &[&before_ms])?;
    for ticket in &idle {
        close(db, &ticket.id, None, TicketEnd::Idle, now_ms)?;
    }
    Ok(idle.len())
}

/// Notes that somebody has written to the open ticket of a contact, if there is one; returns its id.
pub(super) fn touch(
    db: &Db<'_>,
    number: &str,
    contact: i64,
    now_ms: i64,
) -> Result<Option<String>, StoreError> {
    let touch = "UPDATE tickets SET last_ms = CASE WHEN last_ms < ?3 THEN ?3 ELSE last_ms END
                 WHERE number = ?1 AND contact_id = ?2 AND closed_ms IS NULL RETURNING id";
    let mut touch = db.prepare_cached(touch)?;
    Ok(touch.query_row(params![number, contact, now_ms], |row| row.get(0)).optional()?)
}

fn select(db: &Db<'_>, where_: &str, values: &[&dyn ToDb]) -> Result<Vec<TicketRow>, StoreError> {
    let sql = format!("{TICKETS} WHERE {where_} ORDER BY k.opened_ms, k.id");
    let mut tickets = db.prepare_cached(&sql)?;
    Ok(tickets.query_map(values, ticket_row)?.collect::<Result<_, _>>()?)
}

/// Returns a ticket that is there.
fn held(db: &Db<'_>, id: &str) -> Result<TicketRow, StoreError> {
    one(db, id)?.ok_or_else(|| DbError::NoRow.into())
}

fn place_of(ticket: &TicketRow) -> EventPlace {
    EventPlace {
        number: ticket.number.0.clone(),
        contact_id: ticket.contact_id,
        conversation: Some(ticket.conversation),
    }
}

fn ticket_row(row: &DbRow<'_>) -> DbResult<TicketRow> {
    let words = |column| row.get::<Option<String>>(column).map(|words| words.map(Personal));
    let closed_by: Option<String> = row.get(16)?;
    Ok(TicketRow {
        id: row.get(0)?,
        conversation: row.get(1)?,
        number: PhoneNumberId(row.get(2)?),
        contact_id: row.get(3)?,
        contact_key: contact_key(row.get(3)?, row.get(18)?),
        contact: Personal(row.get(4)?),
        name: words(5)?,
        reason: from_word(&row.get::<String>(6)?)?,
        summary: words(7)?,
        skill: row.get(8)?,
        language: row.get::<Option<String>>(9)?.map(LanguageCode::from),
        turn: row.get(10)?,
        operator: row.get(11)?,
        opened_ms: row.get(12)?,
        assigned_ms: row.get(13)?,
        last_ms: row.get(14)?,
        closed_ms: row.get(15)?,
        closed_by: closed_by.map(|word| from_word(&word)).transpose()?,
        version: row.get(17)?,
    })
}
