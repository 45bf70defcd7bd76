//! What the steps of a turn mean for the desk and for events: told in the transaction of each.

use super::db::{Db, OptionalRow as _};
use serde_json::{Value, json};

use super::events::{self, EventPlace};
use super::json::from_word;
use super::tickets;
use crate::store::{CreditWarning, DeskState, Draft, Lease, LeasedMessage, NewTicket, StoreError};
use crate::turn::{Body, EventType, Outcome, Personal, Reason, TicketReason, TurnId};

/// Most characters of what a person said that stand for a summary.
const SUMMARY: usize = 300;

/// Tells that a turn has begun, in its first attempt and if it is `fresh`: nothing of it is planned.
/// Returns what the desk has to do with it.
pub(super) fn begun(
    db: &Db<'_>,
    lease: &Lease,
    fresh: bool,
    now_ms: i64,
) -> Result<DeskState, StoreError> {
    let Some(place) = EventPlace::of_turn(db, &lease.turn.0)? else {
        return Ok(DeskState::default());
    };
    if fresh && lease.attempt == 1 {
        known(db, &place, &lease.turn, lease.first(), now_ms)?;
    }
    tickets::state(db, &place.number, place.contact_id, now_ms)
}

/// Tells that it is known who wrote a message of a turn.
pub(super) fn known(
    db: &Db<'_>,
    place: &EventPlace,
    turn: &TurnId,
    message: &LeasedMessage,
    now_ms: i64,
) -> Result<(), StoreError> {
    let (kind, text) = match &message.body {
        Body::Text { text } => (EventType::TextKnown, events::words(text)),
        Body::Audio { .. } | Body::Lost => (EventType::VoiceKnown, Value::Null),
        Body::Unsupported | Body::Silent => (EventType::MediaKnown, Value::Null),
        Body::Reply { .. } | Body::FollowUp { .. } => return Ok(()),
    };
    let known = json!({ "turn": turn.0, "text": text,
                        "message": { "id": message.id.0, "kind": message.raw_type } });
    events::write(db, kind, place, now_ms, known)
}

/// Returns where a turn sends to.
///
/// # Errors
/// `TakenOver` while a person has the conversation, unless an operator says it.
pub(super) fn place_to_send(db: &Db<'_>, turn: &TurnId) -> Result<EventPlace, StoreError> {
    let place = EventPlace::of_turn(db, &turn.0)?.ok_or(StoreError::LeaseLost)?;
    let theirs: bool = db
        .prepare_cached("SELECT operator IS NOT NULL FROM turns WHERE id = ?1")?
        .query_row([&turn.0], |row| row.get(0))?;
    if !theirs && tickets::with_person(db, &place.number, place.contact_id)? {
        return Err(StoreError::TakenOver);
    }
    Ok(place)
}

/// Tells what was heard and answered, before anything of it is sent; once a turn.
pub(super) fn drafted(db: &Db<'_>, turn: &TurnId, draft: &Draft) -> Result<(), StoreError> {
    let fresh: Option<(bool, i64)> = db
        .prepare_cached(
            "SELECT report IS NULL AND operator IS NULL, created_ms FROM turns WHERE id = ?1",
        )?
        .query_row([&turn.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some(reason) = draft.report.ticket {
        db.prepare_cached("UPDATE turns SET ticket = ?2 WHERE id = ?1")?
            .execute([&turn.0, reason.name()])?;
    }
    let Some((true, began_ms)) = fresh else { return Ok(()) };
    let Some(place) = EventPlace::of_turn(db, &turn.0)? else { return Ok(()) };
    #[expect(clippy::cast_possible_truncation, reason = "a turn lasts minutes")]
    let now_ms = began_ms + draft.report.total_ms as i64;
    heard(db, &place, turn, draft, now_ms)?;
    let reply = &draft.report.reply;
    let answered = json!({ "turn": turn.0, "text": events::words(&reply.text),
                           "outcome": draft.report.outcome.name(),
                           "open_ticket": reply.open_ticket.as_ref().map(events::words) });
    events::write(db, EventType::AgentAnswered, &place, now_ms, answered)
}

/// Tells what was heard, and that the agent was asked.
fn heard(
    db: &Db<'_>,
    place: &EventPlace,
    turn: &TurnId,
    draft: &Draft,
    now_ms: i64,
) -> Result<(), StoreError> {
    let Some(words) = &draft.heard else { return Ok(()) };
    if let Some(transcript) = &draft.report.transcript {
        let heard = json!({ "turn": turn.0, "text": events::words(words),
                            "language": transcript.language.as_str() });
        events::write(db, EventType::Transcribed, place, now_ms, heard)?;
    }
    // A sentence of ours asks nobody.
    if draft.report.spent.answers == 0 {
        return Ok(());
    }
    let agent: String = db
        .prepare_cached("SELECT agent FROM turns WHERE id = ?1")?
        .query_row([&turn.0], |row| row.get(0))?;
    let asked = json!({ "turn": turn.0, "agent": agent, "text": events::words(words) });
    events::write(db, EventType::AgentAsked, place, now_ms, asked)
}

/// Tells how a turn ended and whose credits it has nearly spent, and opens the ticket that it wants.
pub(super) fn ended(
    db: &Db<'_>,
    turn: &TurnId,
    ended: &Draft,
    warnings: &[CreditWarning],
    now_ms: i64,
) -> Result<(), StoreError> {
    let Some(place) = EventPlace::of_turn(db, &turn.0)? else { return Ok(()) };
    let report = &ended.report;
    if report.outcome == Outcome::Ticket {
        heard(db, &place, turn, ended, now_ms)?;
    }
    let reason = report.reason.as_ref().map(Reason::without_error);
    let end = json!({ "turn": turn.0, "outcome": report.outcome.name(), "reason": reason,
                      "total_ms": report.total_ms });
    events::write(db, EventType::TurnEnded, &place, now_ms, end)?;
    for CreditWarning { scope, name, balance, warn_below } in warnings {
        let low = json!({ "scope": scope.name(), "name": name, "balance": balance,
                          "warn_below": warn_below });
        events::write(db, EventType::CreditsLow, &place, now_ms, low)?;
    }
    let sent = "DELETE FROM recordings
                WHERE (number, message) = (SELECT number, message FROM turns WHERE id = ?1)";
    db.prepare_cached(sent)?.execute([&turn.0])?;
    let agents =
        report.reply.open_ticket.as_ref().map(|summary| (TicketReason::Agent, Some(summary)));
    let ruled = report.ticket.map_or_else(|| kept_ticket(db, turn).transpose(), |it| Some(Ok(it)));
    let ruled = ruled.transpose()?.map(|reason| (reason, ended.heard.as_ref()));
    // A conversation of before there were any has no ticket.
    if let (Some((reason, summary)), Some(_)) = (ruled.or(agents), place.conversation) {
        let agent: String = db
            .prepare_cached("SELECT agent FROM turns WHERE id = ?1")?
            .query_row([&turn.0], |row| row.get(0))?;
        let summary = summary.map(|words| Personal(words.reveal().chars().take(SUMMARY).collect()));
        let new = NewTicket {
            // One a turn, however often its end is noted.
            id: turn.0.clone(),
            reason,
            summary,
            skill: Some(agent),
            operator: None,
        };
        tickets::open(db, &place, new, Some(&turn.0), now_ms)?;
    }
    Ok(())
}

/// Returns why an earlier attempt of a turn wanted a ticket.
fn kept_ticket(db: &Db<'_>, turn: &TurnId) -> Result<Option<TicketReason>, StoreError> {
    let kept: Option<String> = db
        .prepare_cached("SELECT ticket FROM turns WHERE id = ?1")?
        .query_row([&turn.0], |row| row.get(0))
        .optional()?
        .flatten();
    Ok(kept.map(|word| from_word(&word)).transpose()?)
}
