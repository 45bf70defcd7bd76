//! Bursts: what one person sends in a short time becomes one turn.
//!
//! A turn takes what waits behind its own messages into its lease, one after the other. Invariant:
//! what was tried in a turn of its own stays in that, and nothing is taken past it.

use super::db::{Db, Hold, params};
use super::events::EventPlace;
use super::{leases, steps};
use crate::store::queue::MOST_MESSAGES;
use crate::store::{Burst, Lease, LeasedMessage, StoreError};
use crate::turn::{Body, PhoneNumberId};

/// What waits behind a message, first to last.
const BEHIND: &str = "
    , m.turn FROM messages m JOIN messages f ON f.id = ?1
    WHERE m.number = f.number AND m.contact_id = f.contact_id AND m.id > f.id
        AND m.state IN ('queued', 'leased') AND m.state = 'queued' ORDER BY m.id LIMIT ?2";

/// Makes the first message of a lane due, where it only waits for more to come: sound came.
pub(super) fn hear_at_once(
    db: &Db<'_>,
    number: &PhoneNumberId,
    contact: i64,
    now_ms: i64,
) -> Result<(), StoreError> {
    db.prepare_cached(
        "UPDATE messages SET available_ms = ?3
         WHERE id = (SELECT head FROM lanes WHERE number = ?1 AND contact_id = ?2)
             AND available_ms > ?3 AND turn IS NULL",
    )?
    .execute(params![number.0, contact, now_ms])?;
    Ok(())
}

/// Takes what belongs to a burst into the lease of its first message.
pub(super) fn gather(
    db: &Db<'_>,
    lease: &Lease,
    mut burst: Burst,
    now_ms: i64,
) -> Result<Vec<LeasedMessage>, StoreError> {
    let row = lease.first().row;
    db.hold(Hold::Message(row))?;
    leases::check_held(db, row, lease.attempt, &lease.node.0)?;
    let held = lease.key.held().len();
    let mut taken = behind(db, row, MOST_MESSAGES.saturating_sub(held))?;
    let first_of_others = taken.iter().position(|message| !burst.takes(message));
    taken.truncate(first_of_others.unwrap_or(taken.len()));
    let mut take = db.prepare_cached(
        "UPDATE messages SET state = 'leased', attempts = ?2, lease_owner = ?3, turn = ?4,
             lease_until_ms = (SELECT f.lease_until_ms FROM messages f WHERE f.id = ?5)
         WHERE id = ?1",
    )?;
    let place = EventPlace::of_turn(db, &lease.turn.0)?;
    for message in &taken {
        take.execute(params![message.row, message.attempt, lease.node.0, lease.turn.0, row])?;
        if let Some(place) = &place {
            steps::known(db, place, &lease.turn, message, now_ms)?;
        }
    }
    Ok(taken)
}

/// Returns whether something waits that a turn would take.
pub(super) fn more_waits(db: &Db<'_>, row: i64) -> Result<bool, StoreError> {
    Ok(!behind(db, row, 1)?.is_empty())
}

/// Returns up to `most` messages that wait behind one, up to the first that is not to be joined: one of
/// an operator, or one that has a turn.
fn behind(db: &Db<'_>, row: i64, most: usize) -> Result<Vec<LeasedMessage>, StoreError> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let messages: Vec<(LeasedMessage, bool)> = db
        .prepare_cached(&format!("SELECT {}{BEHIND}", leases::MESSAGE))?
        .query_map(params![row, most], |row| {
            Ok((leases::message(row)?, row.get::<Option<String>>(7)?.is_some()))
        })?
        .collect::<Result<_, _>>()?;
    let joins = |(message, tried): &(LeasedMessage, bool)| {
        !tried && !matches!(message.body, Body::Reply { .. } | Body::FollowUp { .. })
    };
    Ok(messages.into_iter().take_while(joins).map(|(message, _)| message).collect())
}
