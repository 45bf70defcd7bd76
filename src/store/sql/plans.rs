//! Plans what is sent: parts are written down before their calls, with the time at which they may go.
//!
//! Invariant: whoever plans has the turn's lease, no person has the conversation, and WhatsApp delivers
//! to whom it is planned for.

use super::db::{Db, DbResult, DbRow, Hold, OptionalRow as _, params};
use super::events::{self, EventPlace};
use super::json::{from_json, from_word, to_json};
use super::{bursts, leases, steps};
use crate::store::pace::{LONGEST_US, PAIR_MEMORY_MS, every_us, number_times, pair_times};
use crate::store::rules::WINDOW_MS;
use crate::store::{Lease, SendPlan, StoreError};
use crate::turn::{Body, Content, MessageId, Part, PartState, Role, TurnId};

/// What goes or went to the person of a turn lately. A turn whose parts are planned an hour after its
/// begin is rare, and WhatsApp's own limit stands behind this one.
const LATELY: &str = "
    SELECT p.due_ms FROM turns own
    JOIN turns t ON t.contact_id = own.contact_id AND t.number = own.number
        AND t.created_ms > ?2
    JOIN parts p ON p.turn = t.id
    WHERE own.id = ?1 AND p.due_ms > ?3 AND p.due_ms < ?4 ORDER BY p.due_ms";
/// How old a turn may be whose parts count.
const LATELY_MS: i64 = 60 * 60 * 1000;

/// Moves the time at which a number's bucket is full. One that is so far ahead that nothing was planned
/// for it is of a clock that was set back.
const TAKE: &str = "
    INSERT INTO paces (number, full_us) VALUES (?1, CAST(?2 AS BIGINT) + ?3)
    ON CONFLICT (number) DO UPDATE SET full_us = ?3 + CASE
        WHEN paces.full_us BETWEEN ?2 AND ?4 THEN paces.full_us ELSE ?2 END
    RETURNING full_us";

/// When the person last wrote to the number.
const LAST_WRITTEN: &str = "
    SELECT max(m.received_ms) FROM turns t
    JOIN messages m ON m.contact_id = t.contact_id AND m.number = t.number
    WHERE t.id = ?1 AND m.body ->> 'kind' NOT IN ('reply', 'follow_up')";

/// Writes parts down; `own` is when their number may send each, if that is known.
pub(super) fn plan(
    db: &Db<'_>,
    lease: &Lease,
    plan: &SendPlan,
    own: Option<&[i64]>,
    now_ms: i64,
) -> Result<Vec<Part>, StoreError> {
    let (turn, first) = (&lease.turn, lease.first());
    db.hold(Hold::Turn(&turn.0))?;
    leases::check_held(db, first.row, lease.attempt, &lease.node.0)?;
    let place = steps::place_to_send(db, turn)?;
    if plan.unless_more && bursts::more_waits(db, first.row)? {
        return Err(StoreError::MoreCame);
    }
    let templates = plan.parts.iter().all(|(_, part)| matches!(part, Content::Template { .. }));
    if !templates && !may_write(db, lease, now_ms)? {
        return Err(StoreError::WindowShut);
    }
    let (number, count) = (&lease.lane.number.0, plan.parts.len());
    let own = match own {
        Some(own) => own.to_vec(),
        None => pace(db, number, (count, plan.per_second), now_ms)?,
    };
    let pair = pair_pace(db, turn, count, now_ms)?;
    let times = pair.into_iter().zip(own).map(|(pair_ms, own_ms)| pair_ms.max(own_ms));
    let parts = plan.parts.iter().zip(times);
    let planned = parts.map(|((role, content), due_ms)| {
        write(db, lease, &place, (*role, content), due_ms, now_ms)
    });
    let planned = planned.collect::<Result<_, StoreError>>()?;
    db.prepare_cached(
        "UPDATE turns SET disclosed_ms = ?2
         WHERE id = ?1 AND report ->> 'disclosure' IS NOT NULL",
    )?
    .execute(params![turn.0, now_ms])?;
    Ok(planned)
}

/// Writes one part down, at the turn's next index.
fn write(
    db: &Db<'_>,
    lease: &Lease,
    place: &EventPlace,
    (role, content): (Role, &Content),
    due_ms: i64,
    now_ms: i64,
) -> Result<Part, StoreError> {
    let turn = &lease.turn.0;
    let mut insert = db.prepare_cached(
        "INSERT INTO parts (turn, idx, role, state, content, planned_ms, due_ms)
         SELECT id, (SELECT coalesce(max(idx) + 1, 0) FROM parts WHERE turn = ?1), ?3,
             'planned', ?4, ?5, ?6
         FROM turns WHERE id = ?1 AND attempt = ?2 RETURNING idx",
    )?;
    let values = params![turn, lease.attempt, role.name(), to_json(content)?, now_ms, due_ms];
    let index = insert.query_row(values, |row| row.get(0)).optional()?;
    let index = index.ok_or(StoreError::LeaseLost)?;
    events::planned(db, place, (turn, index), (role, content), now_ms)?;
    let (content, state) = (content.clone(), PartState::Planned);
    Ok(Part { index, role, content, state, due_ms })
}

/// Returns whether WhatsApp delivers what is no template: the person has written within 24 hours.
fn may_write(db: &Db<'_>, lease: &Lease, now_ms: i64) -> Result<bool, StoreError> {
    let first = lease.first();
    let theirs = !matches!(first.body, Body::Reply { .. } | Body::FollowUp { .. });
    if theirs && now_ms - first.received_ms <= WINDOW_MS {
        return Ok(true);
    }
    let written: Option<i64> =
        db.prepare_cached(LAST_WRITTEN)?.query_row([&lease.turn.0], |row| row.get(0))?;
    Ok(written.is_some_and(|written_ms| now_ms - written_ms <= WINDOW_MS))
}

/// Returns when a number may send so many messages at so many a second, and keeps that it will.
pub(super) fn pace(
    db: &Db<'_>,
    number: &str,
    (count, per_second): (usize, u32),
    now_ms: i64,
) -> Result<Vec<i64>, StoreError> {
    let (now_us, count) = (now_ms * 1_000, i64::try_from(count).unwrap_or(i64::MAX));
    let (take_us, latest_us) = (count * every_us(per_second), now_us + LONGEST_US);
    let full_us = db
        .prepare_cached(TAKE)?
        .query_row(params![number, now_us, take_us, latest_us], |row| row.get(0))?;
    Ok(number_times(full_us, count, per_second, now_ms))
}

/// Returns when so many messages may go to the person of a turn.
fn pair_pace(
    db: &Db<'_>,
    turn: &TurnId,
    count: usize,
    now_ms: i64,
) -> Result<Vec<i64>, StoreError> {
    let lately: Vec<i64> = db
        .prepare_cached(LATELY)?
        .query_map(
            params![turn.0, now_ms - LATELY_MS, now_ms - PAIR_MEMORY_MS, now_ms + LATELY_MS],
            |row| row.get(0),
        )?
        .collect::<Result<_, _>>()?;
    Ok(pair_times(&lately, count, now_ms))
}

/// Reads a part.
pub(super) fn part(row: &DbRow<'_>) -> DbResult<Part> {
    let (id, error): (Option<String>, Option<String>) = (row.get(4)?, row.get(5)?);
    Ok(Part {
        index: row.get(0)?,
        role: from_word(&row.get::<String>(1)?)?,
        content: from_json(&row.get::<String>(2)?)?,
        state: match (row.get::<String>(3)?.as_str(), id, error) {
            ("sent", None, Some(error)) => PartState::Assumed(error),
            ("sent", id, _) => PartState::Sent(MessageId(id.unwrap_or_default())),
            ("failed", ..) => PartState::Failed,
            (_, _, Some(error)) => PartState::InDoubt { error, sends: row.get::<u32>(7)?.max(1) },
            (_, _, None) => PartState::Planned,
        },
        due_ms: row.get::<Option<i64>>(6)?.unwrap_or_default(),
    })
}
