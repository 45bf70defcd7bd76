//! The queue on the `messages` table: accept, lease, renew, reclaim and release.

use super::db::{Db, Hold, ToDb, params};
use async_trait::async_trait;
use serde_json::{Value, json};

use super::events::{self, EventPlace};
use super::json::to_json;
use super::{SqlStore, bursts, contacts, conversations, leases, statuses, tickets};
use crate::store::rules::{due_after_reclaim, first_state};
use crate::store::{
    Disposition, Lane, Lapsed, Lease, LeaseKey, LeasedMessage, Lessee, Queue, StatusEffect,
    StoreError, Tenure,
};
use crate::turn::{Accepted, Body, Echo, EventType, Inbound, PhoneNumberId, StatusUpdate, TurnId};

/// Leased messages whose time is over, and whether a part of their turn may have been sent.
pub(super) const LAPSED: &str = "
    SELECT m.id, EXISTS (SELECT 1 FROM parts p WHERE p.turn = m.turn AND p.state = 'planned')
    FROM messages m WHERE m.state = 'leased' AND (m.lease_until_ms <= ?1 OR ?1 IS NULL)
        AND (m.lease_owner = ?2 OR ?2 IS NULL)";

/// Frees one of them, unless somebody else has, or has leased it again.
const FREE: &str = "
    UPDATE messages SET state = 'queued', available_ms = ?4, lease_owner = NULL, lease_until_ms = NULL
    WHERE id = ?3 AND state = 'leased' AND (lease_until_ms <= ?1 OR ?1 IS NULL)
        AND (lease_owner = ?2 OR ?2 IS NULL)";

#[async_trait]
impl Queue for SqlStore {
    async fn accept(
        &self,
        messages: Vec<(Inbound, Disposition)>,
        now_ms: i64,
    ) -> Result<Vec<Accepted>, StoreError> {
        let call = self.writer.call(move |db| {
            messages.iter().map(|(message, to)| accept(db, message, *to, now_ms)).collect()
        });
        call.await
    }

    async fn record_statuses(
        &self,
        statuses: Vec<StatusUpdate>,
        now_ms: i64,
    ) -> Result<Vec<StatusEffect>, StoreError> {
        let record = move |db: &Db<'_>| {
            statuses.iter().map(|status| statuses::record(db, status, now_ms)).collect()
        };
        self.writer.call(record).await
    }

    async fn answered_elsewhere(
        &self,
        echoes: Vec<Echo>,
        now_ms: i64,
    ) -> Result<Vec<Lane>, StoreError> {
        let call = self.writer.call(move |db| {
            let lanes = echoes.iter().map(|echo| tickets::answered_elsewhere(db, echo, now_ms));
            let lanes: Vec<Option<Lane>> = lanes.collect::<Result<_, _>>()?;
            Ok(lanes.into_iter().flatten().collect())
        });
        call.await
    }

    async fn lease_without(
        &self,
        numbers: &[PhoneNumberId],
        lessee: &Lessee,
        limit: usize,
        now_ms: i64,
    ) -> Result<Vec<Lease>, StoreError> {
        let (lessee, limit) = (lessee.clone(), i64::try_from(limit).unwrap_or(i64::MAX));
        let without = to_json(&numbers)?;
        let call = self.writer.call(move |db| {
            let due = params![now_ms, limit, without];
            let leases: Vec<Lease> = leases::due(db, due, &lessee)?;
            let mut take = db.prepare_cached(
                "UPDATE messages SET state = 'leased', attempts = ?2, lease_owner = ?3,
                     lease_until_ms = ?4, turn = ?5 WHERE id = ?1",
            )?;
            for lease in &leases {
                for LeasedMessage { row, attempt, .. } in &lease.messages {
                    let (node, turn) = (&lessee.node.0, &lease.turn.0);
                    take.execute(params![row, attempt, node, lessee.until_ms, turn])?;
                }
            }
            Ok(leases)
        });
        call.await
    }

    async fn renew(&self, lessee: &Lessee, leases: &[LeaseKey]) -> Result<Vec<Tenure>, StoreError> {
        let (until_ms, leases) = (lessee.until_ms, leases.to_vec());
        let call = self.writer.call(move |db| {
            let renew = |lease| update_held(db, lease, "lease_until_ms = ?4", &[&until_ms]);
            leases.iter().map(renew).collect()
        });
        call.await
    }

    async fn reclaim(
        &self,
        lapsed: Lapsed,
        now_ms: i64,
        retry_ms: i64,
    ) -> Result<usize, StoreError> {
        let (until_ms, node) = match lapsed {
            Lapsed::Expired => (Some(now_ms), None),
            Lapsed::Predecessor(node) => (None, Some(node.0)),
        };
        let call = self.writer.call(move |db| {
            // One process serves from a file: at its start every lease is a predecessor's.
            let node = node.as_ref().filter(|_| db.is_shared());
            let rows: Vec<(i64, bool)> = db
                .prepare_cached(LAPSED)?
                .query_map(params![until_ms, node], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<Result<_, _>>()?;
            let (mut free, mut freed) = (db.prepare_cached(FREE)?, 0);
            for (row, maybe_sent) in &rows {
                db.hold(Hold::Message(*row))?;
                let at_ms = due_after_reclaim(*maybe_sent, now_ms, retry_ms);
                freed += free.execute(params![until_ms, node, row, at_ms])?;
            }
            db.tell_lanes();
            Ok(freed)
        });
        call.await
    }

    async fn cut_waits(&self, latest_ms: i64, now_ms: i64) -> Result<usize, StoreError> {
        let cut = "UPDATE messages SET available_ms = ?2
                   WHERE state IN ('queued', 'leased') AND state = 'queued' AND available_ms > ?1";
        let call =
            self.writer.call(move |db| Ok(db.prepare_cached(cut)?.execute([latest_ms, now_ms])?));
        call.await
    }

    async fn next_due_ms(&self) -> Result<Option<i64>, StoreError> {
        let next = |db: &Db<'_>| {
            Ok(db.prepare_cached(&leases::next_due())?.query_row(params![], |row| row.get(0))?)
        };
        self.reader.call(next).await
    }

    async fn probe(&self, now_ms: i64) -> Result<(), StoreError> {
        let probe = move |db: &Db<'_>| {
            db.prepare_cached(
                "INSERT INTO probe (id, at_ms) VALUES (1, ?1)
                ON CONFLICT (id) DO UPDATE SET at_ms = excluded.at_ms",
            )?
            .execute([now_ms])?;
            Ok(())
        };
        self.writer.call(probe).await
    }

    async fn ack(&self, lease: &LeaseKey) -> Result<Tenure, StoreError> {
        let lease = lease.clone();
        // A reason without an end: a status has opened the turn again while this lease ended it.
        let done = "state = CASE WHEN EXISTS (SELECT 1 FROM turns t WHERE t.id = messages.turn
                        AND t.finished_ms IS NULL AND t.reason IS NOT NULL) THEN 'queued' ELSE 'done' END,
                    lease_owner = NULL, lease_until_ms = NULL";
        self.writer.call(move |db| update_held(db, &lease, done, &[])).await
    }

    async fn release(
        &self,
        lease: &LeaseKey,
        at_ms: i64,
        was_attempt: bool,
    ) -> Result<Tenure, StoreError> {
        let lease = lease.clone();
        let queued = "state = 'queued', available_ms = ?4, attempts = attempts - CASE WHEN ?5 THEN 0 ELSE 1 END,
                      lease_owner = NULL, lease_until_ms = NULL";
        let values = (at_ms, was_attempt);
        self.writer.call(move |db| update_held(db, &lease, queued, &[&values.0, &values.1])).await
    }
}

/// Stores one message unless its id is known.
fn accept(
    db: &Db<'_>,
    message: &Inbound,
    disposition: Disposition,
    now_ms: i64,
) -> Result<Accepted, StoreError> {
    let known = db
        .prepare_cached("SELECT 1 FROM messages WHERE number = ?1 AND provider_id = ?2")?
        .exists([&message.number.0, &message.id.0])?;
    if known {
        return Ok(Accepted::Duplicate);
    }
    let from = message.from.as_ref();
    let contact = from.map(|from| contacts::resolve(db, from, now_ms)).transpose()?;
    db.tell_lanes();
    let due_ms = match (disposition, contact) {
        // What is spoken is heard while more is waited for.
        (Disposition::QueueIn(_), Some(contact)) if has_sound(&message.body) => {
            bursts::hear_at_once(db, &message.number, contact, now_ms)?;
            now_ms
        }
        (Disposition::QueueIn(ms), _) => now_ms + ms,
        _ => now_ms,
    };
    let asks = disposition != Disposition::Expire && message.body != Body::Silent;
    let conversation = contact
        .filter(|_| asks)
        .map(|contact| conversations::go_on(db, &message.number.0, contact, now_ms))
        .transpose()?;
    db.prepare_cached(
        "INSERT INTO messages (number, provider_id, contact_id, raw_type, body, about, sent_ms,
             received_ms, state, available_ms, conversation)
         VALUES (?1, ?2, ?3, ?4, ?5, ?9, ?6, ?7, ?8, ?11, ?10)",
    )?
    .execute(params![
        message.number.0,
        message.id.0,
        contact,
        message.raw_type,
        to_json(&message.body)?,
        message.sent_at_ms,
        now_ms,
        first_state(disposition, contact.is_some()),
        (!message.about.is_empty()).then(|| to_json(&message.about)).transpose()?,
        conversation,
        due_ms
    ])?;
    if let (Some(contact_id), Some(_)) = (contact, conversation) {
        let place = EventPlace { number: message.number.0.clone(), contact_id, conversation };
        received(db, &place, message, now_ms)?;
    }
    Ok(Accepted::New)
}

/// Returns whether it takes time to learn what a message says.
fn has_sound(body: &Body) -> bool {
    matches!(body, Body::Audio { .. })
}

/// Tells that a message came, and whoever has the contact's ticket.
fn received(
    db: &Db<'_>,
    place: &EventPlace,
    message: &Inbound,
    now_ms: i64,
) -> Result<(), StoreError> {
    let ticket = tickets::touch(db, &place.number, place.contact_id, now_ms)?;
    let (kind, text) = match &message.body {
        Body::Text { text } => (EventType::TextReceived, events::words(text)),
        Body::Audio { .. } | Body::Lost => (EventType::VoiceReceived, Value::Null),
        _ => (EventType::MediaReceived, Value::Null),
    };
    let turn = TurnId::from_message(&message.number, &message.id);
    let came = json!({ "turn": turn.0, "ticket": ticket, "text": text,
                       "message": { "id": message.id.0, "kind": message.raw_type } });
    events::write(db, kind, place, now_ms, came)
}

/// Sets columns of each message of a lease; `?4` and on are `values`. Messages of one lease are
/// leased, given back and reclaimed together.
fn update_held(
    db: &Db<'_>,
    lease: &LeaseKey,
    set: &str,
    values: &[&dyn ToDb],
) -> Result<Tenure, StoreError> {
    let mut update = db.prepare_cached(&format!(
        "UPDATE messages SET {set} WHERE id = ?1 AND attempts = ?2 AND lease_owner = ?3"
    ))?;
    let mut changed = 0;
    let held = lease.held();
    for (row, attempt) in &held {
        db.hold(Hold::Message(*row))?;
        let key: [&dyn ToDb; 3] = [row, attempt, &lease.node.0];
        changed += update.execute(&[&key[..], values].concat()[..])?;
    }
    db.tell_lanes();
    Ok(if changed == held.len() { Tenure::Held } else { Tenure::Lost })
}
