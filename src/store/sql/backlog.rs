//! The backlog, on the `messages` and `turns` tables.

use async_trait::async_trait;

use super::SqlStore;
use super::db::{Db, DbResult, DbRow, Hold, OptionalRow as _, params};
use crate::store::{Backlog, BacklogChange, BacklogRow, BacklogSearch, BacklogState, StoreError};
use crate::turn::{Personal, PhoneNumberId, Reason, TurnId};

/// Messages that wait or are answered, and those whose turn gave up. Each is found by an index that
/// holds nothing else.
const BACKLOG: &str = "
    SELECT m.id, m.number, coalesce(c.phone, c.user_id, ''), m.raw_type, m.state, m.attempts,
           m.received_ms, m.available_ms, m.lease_owner, m.turn, t.reason, t.dead_ms
    FROM (
        SELECT id FROM messages WHERE state IN ('queued', 'leased')
            AND (state = ?1 OR ?1 IS NULL)
        UNION
        SELECT d.id FROM turns g JOIN messages d ON d.number = g.number AND d.turn = g.id
            AND d.provider_id = g.message
        WHERE g.dead_ms IS NOT NULL AND d.state = 'done' AND ('done' = ?1 OR ?1 IS NULL)
    ) q
    JOIN messages m ON m.id = q.id
    JOIN contacts c ON c.id = m.contact_id
    LEFT JOIN turns t ON t.id = m.turn
    WHERE m.id > ?2 AND (m.id = ?3 OR ?3 IS NULL)
    ORDER BY m.id LIMIT ?4";

/// A message and those that are answered with it: what becomes of one becomes of all.
const OF_ITS_TURN: &str = "id IN (
    SELECT o.id FROM messages m JOIN messages o ON o.contact_id = m.contact_id
        AND o.number = m.number AND (o.id = m.id OR o.turn = m.turn)
    WHERE m.id = ?1)";

#[async_trait]
impl Backlog for SqlStore {
    async fn backlog(&self, search: BacklogSearch) -> Result<Vec<BacklogRow>, StoreError> {
        let call = self.reports.call(move |db| {
            let BacklogSearch { state, row, after, limit } = &search;
            let state = state.map(|state| match state {
                BacklogState::Waiting => "queued",
                BacklogState::Running => "leased",
                BacklogState::Dead => "done",
            });
            let limit = i64::try_from(*limit).unwrap_or(i64::MAX);
            let rows = db
                .prepare_cached(BACKLOG)?
                .query_map(params![state, after, row, limit], backlog_row)?
                .collect::<Result<_, _>>()?;
            Ok(rows)
        });
        call.await
    }

    async fn replay(&self, row: i64, now_ms: i64) -> Result<BacklogChange, StoreError> {
        let call = self.writer.call(move |db| {
            let Some((state, turn, dead)) = found(db, row)? else {
                return Ok(BacklogChange::Unknown);
            };
            match (state.as_str(), turn) {
                ("leased", _) => return Ok(BacklogChange::Running),
                ("queued", _) => {
                    let due = "UPDATE messages SET available_ms = ?2 WHERE state = 'queued'";
                    let due = format!("{due} AND {OF_ITS_TURN}");
                    db.prepare_cached(&due)?.execute([row, now_ms])?;
                }
                ("done", Some(turn)) if dead => {
                    settle(db, &turn)?;
                    // What is sent of it is another turn's than what was.
                    let again = TurnId(turn).replayed(now_ms);
                    db.prepare_cached(&format!(
                        "UPDATE messages SET state = 'queued', available_ms = ?2, attempts = 0,
                             turn = ?3 WHERE state = 'done' AND {OF_ITS_TURN}"
                    ))?
                    .execute(params![row, now_ms, again.0])?;
                }
                _ => return Ok(BacklogChange::Unknown),
            }
            db.tell_lanes();
            Ok(BacklogChange::Done)
        });
        call.await
    }

    async fn give_up(&self, row: i64, now_ms: i64) -> Result<BacklogChange, StoreError> {
        let call = self.writer.call(move |db| {
            let Some((state, turn, dead)) = found(db, row)? else {
                return Ok(BacklogChange::Unknown);
            };
            match (state.as_str(), turn) {
                ("leased", _) => return Ok(BacklogChange::Running),
                ("queued", turn) => {
                    let kept = "UPDATE messages SET state = 'stored' WHERE state = 'queued'";
                    db.prepare_cached(&format!("{kept} AND {OF_ITS_TURN}"))?.execute([row])?;
                    turn.map_or(Ok(()), |turn| drop_turn(db, &turn, now_ms))?;
                }
                ("done", Some(turn)) if dead => settle(db, &turn)?,
                _ => return Ok(BacklogChange::Unknown),
            }
            db.tell_lanes();
            Ok(BacklogChange::Done)
        });
        call.await
    }
}

/// Finds a message, whose contact is held: its state, its turn, and whether that gave up.
fn found(db: &Db<'_>, row: i64) -> Result<Option<(String, Option<String>, bool)>, StoreError> {
    db.hold(Hold::Message(row))?;
    let message = "SELECT m.state, m.turn, t.dead_ms IS NOT NULL FROM messages m
                   LEFT JOIN turns t ON t.id = m.turn WHERE m.id = ?1";
    let mut message = db.prepare_cached(message)?;
    let message =
        message.query_row([row], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
    Ok(message)
}

/// Takes a turn that gave up from the list of those that did.
fn settle(db: &Db<'_>, turn: &str) -> Result<(), StoreError> {
    db.prepare_cached("UPDATE turns SET dead_ms = NULL WHERE id = ?1")?.execute([turn])?;
    Ok(())
}

/// Ends a turn whose message was dropped before it could end by itself, and gives back its credits.
fn drop_turn(db: &Db<'_>, turn: &str, now_ms: i64) -> Result<(), StoreError> {
    db.prepare_cached(
        "UPDATE turns SET outcome = 'failed', reason = ?2, finished_ms = ?3
         WHERE id = ?1 AND finished_ms IS NULL",
    )?
    .execute(params![turn, Reason::Dropped.to_string(), now_ms])?;
    db.prepare_cached("DELETE FROM reservations WHERE turn = ?1")?.execute([turn])?;
    Ok(())
}

fn backlog_row(row: &DbRow<'_>) -> DbResult<BacklogRow> {
    Ok(BacklogRow {
        row: row.get(0)?,
        number: PhoneNumberId(row.get(1)?),
        contact: Personal(row.get(2)?),
        kind: row.get(3)?,
        state: match row.get::<String>(4)?.as_str() {
            "queued" => BacklogState::Waiting,
            "leased" => BacklogState::Running,
            _ => BacklogState::Dead,
        },
        attempts: row.get(5)?,
        received_ms: row.get(6)?,
        due_ms: row.get(7)?,
        node: row.get(8)?,
        turn: row.get::<Option<String>>(9)?.map(TurnId),
        reason: row.get(10)?,
        dead_ms: row.get(11)?,
    })
}
