//! Webhooks of events, on the `event_webhooks` and `dead_events` tables.

use super::db::{Db, DbResult, DbRow, Lock, OptionalRow as _, params};
use async_trait::async_trait;

use super::SqlStore;
use super::events::{self, event_row};
use super::json::{from_json, to_json};
use crate::store::{Changed, DeadEventRow, EventHookRow, EventHooks, StoreError};

const HOOKS: &str = "
    SELECT h.id, h.url, h.types, h.number, h.active, h.delivered, h.error, h.failed_ms, h.version,
           h.created_ms, (SELECT count(*) FROM dead_events d WHERE d.webhook = h.id)
    FROM event_webhooks h";

#[async_trait]
impl EventHooks for SqlStore {
    async fn event_hooks(&self) -> Result<Vec<EventHookRow>, StoreError> {
        let call = self.reader.call(|db| {
            let mut hooks = db.prepare_cached(&format!("{HOOKS} ORDER BY h.created_ms, h.id"))?;
            Ok(hooks.query_map(params![], hook_row)?.collect::<Result<_, _>>()?)
        });
        call.await
    }

    async fn put_event_hook(
        &self,
        row: EventHookRow,
        now_ms: i64,
    ) -> Result<Changed<EventHookRow>, StoreError> {
        let call = self.writer.alone(Lock::Setup, move |db| {
            match one(db, &row.id)? {
                None if row.version == 0 => {}
                None => return Ok(Changed::Absent),
                Some(now) if now.version != row.version => {
                    return Ok(Changed::Stale(now.version));
                }
                Some(_) => {}
            }
            db.prepare_cached(
                "INSERT INTO event_webhooks (id, url, types, number, active, delivered, version,
                     created_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7)
                 ON CONFLICT (id) DO UPDATE SET url = ?2, types = ?3, number = ?4, active = ?5,
                     error = NULL, failed_ms = NULL, version = event_webhooks.version + 1",
            )?
            .execute(params![
                row.id,
                row.url,
                to_json(&row.types)?,
                row.number,
                row.active,
                row.delivered,
                now_ms
            ])?;
            Ok(one(db, &row.id)?.map_or(Changed::Absent, Changed::Now))
        });
        call.await
    }

    async fn remove_event_hook(&self, id: &str) -> Result<bool, StoreError> {
        let (id, owner) = (id.to_owned(), EventHookRow::owner(id));
        let call = self.writer.alone(Lock::Setup, move |db| {
            db.prepare_cached("DELETE FROM secrets WHERE owner = ?1")?.execute([&owner])?;
            Ok(db.prepare_cached("DELETE FROM event_webhooks WHERE id = ?1")?.execute([&id])? > 0)
        });
        call.await
    }

    async fn event_hook_reached(
        &self,
        id: &str,
        delivered: i64,
        error: Option<String>,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let id = id.to_owned();
        let call = self.writer.call(move |db| {
            db.prepare_cached(
                "UPDATE event_webhooks SET delivered = CASE WHEN delivered < ?2 THEN ?2 ELSE delivered END,
                     error = ?3,
                     failed_ms = CASE WHEN CAST(?3 AS TEXT) IS NULL THEN NULL ELSE coalesce(failed_ms, ?4) END
                 WHERE id = ?1",
            )?
            .execute(params![id, delivered, error, now_ms])?;
            Ok(())
        });
        call.await
    }

    async fn bury_event(
        &self,
        hook: &str,
        event: i64,
        error: &str,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let (hook, error) = (hook.to_owned(), error.to_owned());
        let call = self.writer.call(move |db| {
            db.prepare_cached(
                "INSERT INTO dead_events (webhook, event, error, at_ms, again)
                 SELECT id, ?2, ?3, ?4, 0 FROM event_webhooks WHERE id = ?1
                 ON CONFLICT (webhook, event) DO UPDATE SET error = ?3, at_ms = ?4, again = 0",
            )?
            .execute(params![hook, event, error, now_ms])?;
            Ok(())
        });
        call.await
    }

    async fn dead_events(
        &self,
        hook: &str,
        again: bool,
        limit: usize,
    ) -> Result<Vec<DeadEventRow>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let hook = hook.to_owned();
        let call = self.reader.call(move |db| {
            let mut dead = db.prepare_cached(&format!(
                "{}, d.error, d.at_ms FROM dead_events d JOIN events e ON e.id = d.event
                 JOIN contacts c ON c.id = e.contact_id
                 WHERE d.webhook = ?1 AND d.again = ?2 ORDER BY d.event LIMIT ?3",
                events::COLUMNS
            ))?;
            let row = |row: &DbRow<'_>| {
                Ok(DeadEventRow {
                    event: event_row(db, row)?,
                    error: row.get(11)?,
                    at_ms: row.get(12)?,
                })
            };
            Ok(dead.query_map(params![hook, again, limit], row)?.collect::<Result<_, _>>()?)
        });
        call.await
    }

    async fn replay_dead(&self, hook: &str) -> Result<usize, StoreError> {
        let hook = hook.to_owned();
        let call = self.writer.call(move |db| {
            let again = "UPDATE dead_events SET again = 1 WHERE webhook = ?1 AND again = 0";
            Ok(db.prepare_cached(again)?.execute([&hook])?)
        });
        call.await
    }

    async fn raise_event(&self, hook: &str, event: i64) -> Result<(), StoreError> {
        let hook = hook.to_owned();
        let call = self.writer.call(move |db| {
            db.prepare_cached("DELETE FROM dead_events WHERE webhook = ?1 AND event = ?2")?
                .execute(params![hook, event])?;
            Ok(())
        });
        call.await
    }
}

fn one(db: &Db<'_>, id: &str) -> Result<Option<EventHookRow>, StoreError> {
    let mut hook = db.prepare_cached(&format!("{HOOKS} WHERE h.id = ?1"))?;
    Ok(hook.query_row([id], hook_row).optional()?)
}

fn hook_row(row: &DbRow<'_>) -> DbResult<EventHookRow> {
    Ok(EventHookRow {
        id: row.get(0)?,
        url: row.get(1)?,
        types: from_json(&row.get::<String>(2)?)?,
        number: row.get(3)?,
        active: row.get(4)?,
        delivered: row.get(5)?,
        error: row.get(6)?,
        failed_ms: row.get(7)?,
        version: row.get(8)?,
        created_ms: row.get(9)?,
        dead: row.get(10)?,
    })
}
