//! What the provider says of messages that were sent, and what it means for their turns.
//!
//! A turn whose note was lost is opened again: it has no end but a reason, and its message is
//! leased like one that is new, in the order of its lane. Its next attempt sends the text.

use super::db::{Db, DbResult, DbRow, Hold, OptionalRow as _, params};

use super::events::{self, PartTold};
use super::json::{from_json, from_word};
use crate::store::rules::{LostPart, loss_of, settled_by};
use crate::store::{Loss, StatusEffect, StoreError};
use crate::turn::{
    Content, DeliveryStatus, Outcome, PartState, PhoneNumberId, Reason, StatusUpdate, TurnId,
};

/// What decides on a part that was not delivered.
const LOST_PART: &str = "
    SELECT p.role, p.content,
           EXISTS (SELECT 1 FROM statuses s WHERE s.turn = p.turn AND s.idx = p.idx
                   AND s.status IN ('delivered', 'read', 'played')),
           EXISTS (SELECT 1 FROM parts o WHERE o.turn = p.turn AND o.idx > p.idx
                   AND o.role NOT IN ('beside', 'extra')),
           coalesce(t.report -> 'reply' ->> 'text', '') <> '',
           (SELECT m.received_ms FROM messages m
            WHERE m.number = t.number AND m.provider_id = t.message)
    FROM parts p JOIN turns t ON t.id = p.turn WHERE p.turn = ?1 AND p.idx = ?2";

/// Keeps one status and applies it to the part it names.
pub(super) fn record(
    db: &Db<'_>,
    update: &StatusUpdate,
    now_ms: i64,
) -> Result<StatusEffect, StoreError> {
    let named = update.callback_data.as_deref().and_then(TurnId::parse_callback_data);
    let place = match named {
        Some((turn, index)) => Some((turn, index)),
        None => db
            .prepare_cached(
                "SELECT turn, idx FROM parts WHERE provider_id = ?1 ORDER BY planned_ms DESC",
            )?
            .query_row([&update.message.0], |row| Ok((TurnId(row.get(0)?), row.get(1)?)))
            .optional()?,
    };
    if let Some((turn, _)) = &place {
        db.hold(Hold::Turn(&turn.0))?;
    }
    let place = match place {
        Some((turn, _)) if is_of_another(db, &turn, &update.number)? => None,
        place => place,
    };
    let new = db
        .prepare_cached(
            "INSERT INTO statuses (number, provider_id, status, at_ms, error_code, error_title,
                 turn, idx) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            update.number.0,
            update.message.0,
            update.status.name(),
            update.at_ms,
            update.error_code,
            update.error_title,
            place.as_ref().map(|(turn, _)| &turn.0),
            place.as_ref().map(|(_, index)| index)
        ])?;
    let failed = update.status == DeliveryStatus::Failed;
    let Some((turn, index)) = place else {
        return Ok(match (new, failed) {
            (0, _) => StatusEffect::Known,
            (_, true) => StatusEffect::Failed(Loss::Foreign),
            (_, false) => StatusEffect::Kept,
        });
    };
    let state = match settled_by(update) {
        PartState::Failed => "failed",
        _ => "sent",
    };
    db.prepare_cached(
        "UPDATE parts SET state = ?5, provider_id = ?3, sent_ms = ?4, error = NULL
         WHERE turn = ?1 AND idx = ?2
           AND (state = 'planned' OR state = 'sent' AND provider_id IS NULL)",
    )?
    .execute(params![turn.0, index, update.message.0, update.at_ms, state])?;
    if let Some(told) = told(update).filter(|_| new > 0) {
        events::told_of_part(db, (&turn.0, index), told, now_ms)?;
    }
    match (new, failed) {
        (0, _) => Ok(StatusEffect::Known),
        (_, false) => Ok(StatusEffect::Kept),
        (_, true) => {
            let (code, title) = (update.error_code, update.error_title.clone());
            Ok(StatusEffect::Failed(lose(db, &turn, index, code, title, now_ms)?))
        }
    }
}

/// Returns what there is to tell of a status.
fn told(update: &StatusUpdate) -> Option<PartTold<'_>> {
    match update.status {
        DeliveryStatus::Played => Some(PartTold::Played),
        DeliveryStatus::Failed => {
            Some(PartTold::Failed { code: update.error_code, title: update.error_title.as_deref() })
        }
        _ => None,
    }
}

/// Returns whether a turn is another number's: whoever signs for one says nothing about it.
fn is_of_another(db: &Db<'_>, turn: &TurnId, number: &PhoneNumberId) -> Result<bool, StoreError> {
    let of_another = "SELECT EXISTS (SELECT 1 FROM turns WHERE id = ?1 AND number <> ?2)";
    Ok(db.prepare_cached(of_another)?.query_row([&turn.0, &number.0], |row| row.get(0))?)
}

/// Gives a part the statuses that came before anybody knew its message's id, and without our data.
pub(super) fn adopt(
    db: &Db<'_>,
    turn: &TurnId,
    index: u32,
    message: &str,
) -> Result<(), StoreError> {
    db.prepare_cached(
        "UPDATE statuses SET turn = ?1, idx = ?2 WHERE provider_id = ?3 AND turn IS NULL
         AND number = (SELECT number FROM turns WHERE id = ?1)",
    )?
    .execute(params![turn.0, index, message])?;
    Ok(())
}

/// Applies the failed statuses of a turn that has just finished, which came before its end.
pub(super) fn apply_early_failures(
    db: &Db<'_>,
    turn: &TurnId,
    now_ms: i64,
) -> Result<(), StoreError> {
    let failed: Vec<(u32, Option<i64>, Option<String>)> = db
        .prepare_cached(
            "SELECT idx, error_code, error_title FROM statuses
             WHERE turn = ?1 AND status = 'failed' ORDER BY id",
        )?
        .query_map([&turn.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    for (index, code, title) in failed {
        lose(db, turn, index, code, title, now_ms)?;
    }
    Ok(())
}

/// Decides what follows from the loss of a part, and does it if its turn has finished; one that
/// still runs gets it at its end.
fn lose(
    db: &Db<'_>,
    turn: &TurnId,
    index: u32,
    code: Option<i64>,
    title: Option<String>,
    now_ms: i64,
) -> Result<Loss, StoreError> {
    let part =
        db.prepare_cached(LOST_PART)?.query_row(params![turn.0, index], lost_part).optional()?;
    let Some(part) = part else { return Ok(Loss::Foreign) };
    let loss = loss_of(&part, code, now_ms);
    let reason = Reason::Undelivered { code, title }.to_string();
    match loss {
        Loss::Resend => open_again(db, turn, index, &reason, now_ms)?,
        Loss::Reply | Loss::WindowShut => {
            db.prepare_cached(
                "UPDATE turns SET outcome = ?2, reason = ?3, dead_ms = ?4
                 WHERE id = ?1 AND finished_ms IS NOT NULL",
            )?
            .execute(params![turn.0, Outcome::Failed.name(), reason, now_ms])?;
        }
        Loss::Beside | Loss::Replaced | Loss::Arrived | Loss::Foreign => {}
    }
    Ok(loss)
}

/// Puts a finished turn back into its lane, without the part that was lost. Where its message is
/// still leased, the end of the lease does so: see `ack`.
fn open_again(
    db: &Db<'_>,
    turn: &TurnId,
    index: u32,
    reason: &str,
    now_ms: i64,
) -> Result<(), StoreError> {
    let opened = db
        .prepare_cached(
            "UPDATE turns SET outcome = NULL, reason = ?2, finished_ms = NULL
             WHERE id = ?1 AND finished_ms IS NOT NULL",
        )?
        .execute([&turn.0, reason])?;
    if opened == 0 {
        return Ok(());
    }
    db.prepare_cached(
        "UPDATE parts SET state = 'failed', error = ?3 WHERE turn = ?1 AND idx = ?2",
    )?
    .execute(params![turn.0, index, reason])?;
    db.prepare_cached(
        "UPDATE messages SET state = 'queued', available_ms = ?2
         WHERE state = 'done' AND (number, provider_id) =
             (SELECT number, message FROM turns WHERE id = ?1)",
    )?
    .execute(params![turn.0, now_ms])?;
    db.tell_lanes();
    Ok(())
}

fn lost_part(row: &DbRow<'_>) -> DbResult<LostPart> {
    let content: Content = from_json(&row.get::<String>(1)?)?;
    Ok(LostPart {
        role: from_word(&row.get::<String>(0)?)?,
        is_note: matches!(content, Content::Voice(_)),
        arrived: row.get(2)?,
        replaced: row.get(3)?,
        has_text: row.get(4)?,
        asked_ms: row.get::<Option<i64>>(5)?.unwrap_or_default(),
    })
}
