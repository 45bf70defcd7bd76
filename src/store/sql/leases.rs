//! What is due to be leased: the first messages of free lanes.

use super::db::{Db, DbResult, DbRow, ToDb, params};
use super::json::{from_json, from_word, to_json};
use crate::store::{Lane, Lease, LeaseKey, LeaseTime, LeasedMessage, Lessee, StoreError};
use crate::turn::{Body, ContactRef, LanguageCode, MessageId, Personal, PhoneNumberId, TurnId};

/// The numbers with free lanes, one look at the index each.
const NUMBERS: &str = "
    WITH RECURSIVE numbers (number) AS (
        SELECT min(number) FROM lanes
        UNION ALL
        SELECT (SELECT min(number) FROM lanes WHERE number > n.number)
        FROM numbers n WHERE n.number IS NOT NULL)";

/// The columns of a message that [`message`] reads.
pub(super) const MESSAGE: &str =
    "m.id, m.provider_id, m.raw_type, m.body, m.received_ms, m.attempts, m.about";

/// What [`leasable`] reads behind them.
const COLUMNS: &str = ", m.number, m.turn, c.id, c.user_id, c.phone, c.profile_name, c.language,
           c.reply_mode, c.asked_language";

/// The first messages of each number's free lanes, those that have been due for longest first.
const LEASABLE: &str = "
    FROM numbers n
    JOIN messages m ON m.id IN (
        SELECT head FROM lanes WHERE number = n.number AND available_ms <= ?1
        ORDER BY available_ms, head LIMIT ?2)
    JOIN contacts c ON c.id = m.contact_id
    WHERE n.number NOT IN (SELECT value FROM json_each(?3))";
const FIRST: &str = " ORDER BY m.available_ms, m.id LIMIT ?2";
/// The messages that were answered with the first of a lane before, in a turn that has not ended.
const WITH_FIRST: &str = "
    FROM messages m WHERE m.number = ?1 AND m.contact_id = ?2 AND m.id > ?3 AND m.turn = ?4
        AND m.state IN ('queued', 'leased') AND m.state = 'queued' ORDER BY m.id";

/// Holds the contacts of the same messages, but for those that somebody else holds: PostgreSQL.
const HOLD_LEASABLE: &str = "
    SELECT c.id FROM numbers n
    CROSS JOIN LATERAL (
        SELECT contact_id, available_ms, head FROM lanes
        WHERE number = n.number AND available_ms <= ?1
        ORDER BY available_ms, head LIMIT ?2) l
    JOIN contacts c ON c.id = l.contact_id
    WHERE n.number NOT IN (SELECT value FROM json_each(?3))
    ORDER BY l.available_ms, l.head LIMIT ?2 FOR NO KEY UPDATE OF c SKIP LOCKED";

/// The first messages of the free lanes of contacts that are held. Lanes first: of each message that a
/// contact has, PostgreSQL would look at all that are due.
const LEASABLE_OF_HELD: &str = "
    FROM numbers n
    CROSS JOIN LATERAL (
        SELECT head FROM lanes
        WHERE number = n.number AND available_ms <= ?1
            AND contact_id IN (SELECT CAST(value AS BIGINT) FROM json_each(?4))) l
    JOIN messages m ON m.id = l.head
    JOIN contacts c ON c.id = m.contact_id
    WHERE n.number NOT IN (SELECT value FROM json_each(?3))";

/// When the first message of a free lane is due.
const NEXT_DUE: &str = "
    SELECT min((SELECT min(available_ms) FROM lanes WHERE number = n.number)) FROM numbers n";

/// Returns the statement that finds when the first message of a free lane is due.
pub(super) fn next_due() -> String {
    format!("{NUMBERS}{NEXT_DUE}")
}

/// Returns leases of what is due, at most one a lane. `due` is the time, the most leases and the
/// numbers without which, a list as JSON.
pub(super) fn due(db: &Db<'_>, due: &[&dyn ToDb], lessee: &Lessee) -> DbResult<Vec<Lease>> {
    let until = |shared| {
        if shared { LeaseTime::until(lessee.until_ms) } else { LeaseTime::unlimited() }
    };
    let lease = |row: &DbRow<'_>| leasable(row, lessee, until(db.is_shared()));
    if !db.is_shared() {
        let leasable = format!("{NUMBERS} SELECT {MESSAGE}{COLUMNS}{LEASABLE}{FIRST}");
        let mut leases = db.prepare_cached(&leasable)?;
        return leases.query_map(due, lease)?.map(|lease| whole(db, lease?)).collect();
    }
    let mut hold = db.prepare_cached(&format!("{NUMBERS}{HOLD_LEASABLE}"))?;
    let held: Vec<i64> = hold.query_map(due, |row| row.get(0))?.collect::<DbResult<_>>()?;
    if held.is_empty() {
        return Ok(Vec::new());
    }
    // What somebody leased before it was held has no free lane any more.
    let mut leases = db
        .prepare_cached(&format!("{NUMBERS} SELECT {MESSAGE}{COLUMNS}{LEASABLE_OF_HELD}{FIRST}"))?;
    let held = to_json(&held)?;
    let due = [due, params![held]].concat();
    leases.query_map(&due[..], lease)?.map(|lease| whole(db, lease?)).collect()
}

/// Adds the messages that an earlier attempt of the turn had gathered.
fn whole(db: &Db<'_>, (mut lease, tried): (Lease, bool)) -> DbResult<Lease> {
    if tried {
        let mut others = db.prepare_cached(&format!("SELECT {MESSAGE}{WITH_FIRST}"))?;
        let (number, contact) = (&lease.lane.number.0, lease.lane.contact_id);
        let values = params![number, contact, lease.first().row, lease.turn.0];
        let others: Vec<_> = others.query_map(values, message)?.collect::<DbResult<_>>()?;
        lease.key.join(&others);
        lease.messages.extend(others);
    }
    Ok(lease)
}

/// Checks whether a node has a message's lease, in this attempt: nobody else plans what is sent.
///
/// # Errors
/// `LeaseLost`.
pub(super) fn check_held(
    db: &Db<'_>,
    row: i64,
    attempt: u32,
    node: &str,
) -> Result<(), StoreError> {
    let held = "SELECT 1 FROM messages WHERE id = ?1 AND attempts = ?2 AND lease_owner = ?3
                    AND state = 'leased'";
    let held = db.prepare_cached(held)?.exists(params![row, attempt, node])?;
    if held { Ok(()) } else { Err(StoreError::LeaseLost) }
}

/// Reads [`MESSAGE`] as it is in its next attempt.
pub(super) fn message(row: &DbRow<'_>) -> DbResult<LeasedMessage> {
    Ok(LeasedMessage {
        row: row.get(0)?,
        id: MessageId(row.get(1)?),
        raw_type: row.get(2)?,
        // A row of another version must not stop every lane: it is answered by a hint.
        body: from_json(&row.get::<String>(3)?).unwrap_or(Body::Unsupported),
        received_ms: row.get(4)?,
        attempt: row.get::<u32>(5)? + 1,
        // Nor must what such a row refers to.
        about: row
            .get::<Option<String>>(6)?
            .and_then(|about| from_json(&about).ok())
            .unwrap_or_default(),
    })
}

/// Makes a lease of the first message of a lane; returns with it whether it was tried before.
fn leasable(row: &DbRow<'_>, lessee: &Lessee, time: LeaseTime) -> DbResult<(Lease, bool)> {
    let personal = |index| row.get::<Option<String>>(index).map(|value| value.map(Personal));
    let (first, number) = (message(row)?, PhoneNumberId(row.get(7)?));
    let turn = row.get::<Option<String>>(8)?.map(TurnId);
    let (tried, attempt, messages) = (turn.is_some(), first.attempt, vec![first]);
    let lease = Lease {
        turn: turn.unwrap_or_else(|| TurnId::from_message(&number, &messages[0].id)),
        lane: Lane { number, contact_id: row.get(9)? },
        node: lessee.node.clone(),
        contact: ContactRef {
            user_id: personal(10)?,
            phone: personal(11)?,
            profile_name: personal(12)?,
        },
        contact_language: row.get::<Option<String>>(13)?.map(LanguageCode::from),
        reply_mode: row.get::<Option<String>>(14)?.and_then(|word| from_word(&word).ok()),
        asked_language: row.get::<Option<String>>(15)?.map(LanguageCode::from),
        attempt,
        key: LeaseKey::new(&lessee.node, &messages),
        messages,
        time,
    };
    Ok((lease, tried))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_is_read_without_what_waits_behind_its_lanes_heads() {
        let db = crate::store::sqlite::in_memory();
        let lanes = |sql: &str| format!("{NUMBERS}{sql}");
        for (sql, index) in [
            (lanes(&format!(" SELECT {MESSAGE}{COLUMNS}{LEASABLE}{FIRST}")), "lanes_due"),
            (lanes(NEXT_DUE), "lanes_due"),
            (super::super::queue::LAPSED.to_owned(), "messages_leased"),
        ] {
            let mut plan = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let wanted = plan.parameter_count();
            let values = std::iter::repeat_n(1, wanted);
            let steps = plan.query_map(rusqlite::params_from_iter(values), |row| row.get(3));
            let steps: Vec<String> = steps.unwrap().collect::<Result<_, _>>().unwrap();
            assert!(steps.iter().any(|step| step.contains(index)), "{steps:#?}");
            let whole = |step: &&String| {
                step.starts_with("SCAN")
                    && !step.contains("messages_leased")
                    && !step.contains("json_each")
                    && !step.ends_with(" n")
            };
            assert_eq!(steps.iter().find(whole), None, "{steps:#?}");
        }
    }
}
