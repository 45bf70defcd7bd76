//! What the provider says of messages that were sent, and what it means for their turns.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::json::from_word;
use crate::store::StoreError;
use crate::store::rules::{settled_by, undelivered};
use crate::turn::{DeliveryStatus, Outcome, PartState, Reason, Role, StatusUpdate, TurnId};

/// Keeps one status and applies it to the part it names.
pub(super) fn record(db: &Connection, update: &StatusUpdate) -> Result<(), StoreError> {
    let named = update.callback_data.as_deref().and_then(TurnId::parse_callback_data);
    let place = match named {
        Some((turn, index)) => Some((turn, index)),
        None => db
            .prepare_cached("SELECT turn, idx FROM parts WHERE provider_id = ?1")?
            .query_row([&update.message.0], |row| Ok((TurnId(row.get(0)?), row.get(1)?)))
            .optional()?,
    };
    db.prepare_cached(
        "INSERT INTO statuses (number, provider_id, status, at_ms, error_code, error_title, turn,
             idx) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
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
    let Some((turn, index)) = place else { return Ok(()) };
    let state = match settled_by(update) {
        PartState::Failed => "failed",
        PartState::Planned | PartState::Sent(_) => "sent",
    };
    db.prepare_cached(
        "UPDATE parts SET state = ?5, provider_id = ?3, sent_ms = ?4
         WHERE turn = ?1 AND idx = ?2 AND state = 'planned'",
    )?
    .execute(params![turn.0, index, update.message.0, update.at_ms, state])?;
    if update.status != DeliveryStatus::Failed {
        return Ok(());
    }
    let role: Option<String> = db
        .prepare_cached("SELECT role FROM parts WHERE turn = ?1 AND idx = ?2")?
        .query_row(params![turn.0, index], |row| row.get(0))
        .optional()?;
    let role: Option<Role> = role.map(|role| from_word(&role)).transpose()?;
    match undelivered(role, update.error_code, update.error_title.clone()) {
        Some(reason) => fail_turn(db, &turn, &reason),
        None => Ok(()),
    }
}

/// Fails a turn that has just finished for a status that came before its end.
pub(super) fn apply_early_failure(db: &Connection, turn: &TurnId) -> Result<(), StoreError> {
    let failed: Vec<(String, Option<i64>, Option<String>)> = db
        .prepare_cached(
            "SELECT p.role, s.error_code, s.error_title FROM statuses s
             JOIN parts p ON p.turn = s.turn AND p.idx = s.idx
             WHERE s.turn = ?1 AND s.status = 'failed' ORDER BY s.id",
        )?
        .query_map([&turn.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    for (role, code, title) in failed {
        if let Some(reason) = undelivered(Some(from_word(&role)?), code, title) {
            return fail_turn(db, turn, &reason);
        }
    }
    Ok(())
}

/// Sets a finished turn's outcome to `failed`; one still running is failed when it finishes.
fn fail_turn(db: &Connection, turn: &TurnId, reason: &Reason) -> Result<(), StoreError> {
    db.prepare_cached(
        "UPDATE turns SET outcome = ?2, reason = ?3 WHERE id = ?1 AND finished_ms IS NOT NULL",
    )?
    .execute(params![turn.0, Outcome::Failed.name(), reason.to_string()])?;
    Ok(())
}
