//! The queue on the `messages` table: accept, lease, renew, reclaim and release.

use async_trait::async_trait;
use rusqlite::{Connection, Row, ToSql, params};
use serde_json::{Value, json};

use super::events::{self, EventPlace};
use super::json::{from_json, from_word, to_json};
use super::{SqliteStore, contacts, conversations, statuses, tickets};
use crate::store::rules::{due_after_reclaim, first_state};
use crate::store::{
    Disposition, Lane, Lapsed, Lease, LeaseKey, LeasedMessage, Lessee, Queue, StatusEffect,
    StoreError, Tenure,
};
use crate::turn::{
    Accepted, Body, ContactRef, Echo, EventType, Inbound, LanguageCode, MessageId, Personal,
    PhoneNumberId, StatusUpdate, TurnId,
};

/// The numbers with free lanes, one look at the index each.
const NUMBERS: &str = "
    WITH RECURSIVE numbers (number) AS (
        SELECT min(number) FROM lanes
        UNION ALL
        SELECT (SELECT min(number) FROM lanes WHERE number > n.number)
        FROM numbers n WHERE n.number IS NOT NULL)";

/// The first messages of each number's free lanes, those that have been due for longest first.
const LEASABLE: &str = "
    SELECT m.id, m.number, m.provider_id, m.raw_type, m.body, m.received_ms, m.attempts, m.turn,
           c.id, c.user_id, c.phone, c.profile_name, c.language, c.reply_mode, m.about,
           c.asked_language
    FROM numbers n
    JOIN messages m ON m.id IN (
        SELECT head FROM lanes WHERE number = n.number AND available_ms <= ?1
        ORDER BY available_ms, head LIMIT ?2)
    JOIN contacts c ON c.id = m.contact_id
    WHERE n.number NOT IN (SELECT value FROM json_each(?3))
    ORDER BY m.available_ms, m.id LIMIT ?2";

/// Leased messages whose time is over, and whether a part of their turn may have been sent.
const LAPSED: &str = "
    SELECT m.id, EXISTS (SELECT 1 FROM parts p WHERE p.turn = m.turn AND p.state = 'planned')
    FROM messages m WHERE m.state = 'leased' AND (?1 IS NULL OR m.lease_until_ms <= ?1)";

/// When the first message of a free lane is due.
const NEXT_DUE: &str = "
    SELECT min((SELECT min(available_ms) FROM lanes WHERE number = n.number)) FROM numbers n";

#[async_trait]
impl Queue for SqliteStore {
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
        let record = move |db: &Connection| {
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
            let leases: Vec<Lease> = db
                .prepare_cached(&format!("{NUMBERS}{LEASABLE}"))?
                .query_map(params![now_ms, limit, without], |row| leasable(row, &lessee))?
                .collect::<Result<_, _>>()?;
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
        // One process serves from the file: at its start every lease is a predecessor's.
        let until_ms = (lapsed == Lapsed::Expired).then_some(now_ms);
        let call = self.writer.call(move |db| {
            let rows: Vec<(i64, bool)> = db
                .prepare_cached(LAPSED)?
                .query_map([until_ms], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<Result<_, _>>()?;
            let mut free = db.prepare_cached(
                "UPDATE messages SET state = 'queued', available_ms = ?2, lease_owner = NULL,
                     lease_until_ms = NULL WHERE id = ?1",
            )?;
            for (row, maybe_sent) in &rows {
                free.execute([*row, due_after_reclaim(*maybe_sent, now_ms, retry_ms)])?;
            }
            Ok(rows.len())
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
        let next = |db: &Connection| {
            let next = format!("{NUMBERS}{NEXT_DUE}");
            Ok(db.prepare_cached(&next)?.query_row([], |row| row.get(0))?)
        };
        self.reader.call(next).await
    }

    async fn probe(&self, now_ms: i64) -> Result<(), StoreError> {
        let probe = move |db: &Connection| {
            db.prepare_cached("INSERT OR REPLACE INTO probe (id, at_ms) VALUES (1, ?1)")?
                .execute([now_ms])?;
            Ok(())
        };
        self.writer.call(probe).await
    }

    async fn ack(&self, lease: &LeaseKey) -> Result<Tenure, StoreError> {
        let lease = lease.clone();
        // A reason without an end: a status has opened the turn again while this lease ended it.
        let done = "state = iif(EXISTS (SELECT 1 FROM turns t WHERE t.id = messages.turn
                        AND t.finished_ms IS NULL AND t.reason IS NOT NULL), 'queued', 'done'),
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
        let queued = "state = 'queued', available_ms = ?4, attempts = attempts - iif(?5, 0, 1),
                      lease_owner = NULL, lease_until_ms = NULL";
        let values = (at_ms, was_attempt);
        self.writer.call(move |db| update_held(db, &lease, queued, &[&values.0, &values.1])).await
    }
}

/// Stores one message unless its id is known.
fn accept(
    db: &Connection,
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
    let asks = disposition != Disposition::Expire && message.body != Body::Silent;
    let conversation = contact
        .filter(|_| asks)
        .map(|contact| conversations::go_on(db, &message.number.0, contact, now_ms))
        .transpose()?;
    db.prepare_cached(
        "INSERT INTO messages (number, provider_id, contact_id, raw_type, body, about, sent_ms,
             received_ms, state, available_ms, conversation)
         VALUES (?1, ?2, ?3, ?4, ?5, ?9, ?6, ?7, ?8, ?7, ?10)",
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
        conversation
    ])?;
    if let (Some(contact_id), Some(_)) = (contact, conversation) {
        let place = EventPlace { number: message.number.0.clone(), contact_id, conversation };
        received(db, &place, message, now_ms)?;
    }
    Ok(Accepted::New)
}

/// Tells that a message came, and whoever has the contact's ticket.
fn received(
    db: &Connection,
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

/// Makes a lease of one message: each has a turn of its own.
fn leasable(row: &Row<'_>, lessee: &Lessee) -> rusqlite::Result<Lease> {
    let personal = |index| row.get::<_, Option<String>>(index).map(|value| value.map(Personal));
    let (number, id) = (PhoneNumberId(row.get(1)?), MessageId(row.get(2)?));
    let turn = row.get::<_, Option<String>>(7)?.map(TurnId);
    let message = LeasedMessage {
        row: row.get(0)?,
        attempt: row.get::<_, u32>(6)? + 1,
        raw_type: row.get(3)?,
        // A row of another version must not stop every lane: it is answered by a hint.
        body: from_json(&row.get::<_, String>(4)?).unwrap_or(Body::Unsupported),
        // Nor must what such a row refers to.
        about: row
            .get::<_, Option<String>>(14)?
            .and_then(|about| from_json(&about).ok())
            .unwrap_or_default(),
        received_ms: row.get(5)?,
        id,
    };
    Ok(Lease {
        turn: turn.unwrap_or_else(|| TurnId::from_message(&number, &message.id)),
        lane: Lane { number, contact_id: row.get(8)? },
        node: lessee.node.clone(),
        contact: ContactRef {
            user_id: personal(9)?,
            phone: personal(10)?,
            profile_name: personal(11)?,
        },
        contact_language: row.get::<_, Option<String>>(12)?.map(LanguageCode::from),
        asked_language: row.get::<_, Option<String>>(15)?.map(LanguageCode::from),
        reply_mode: row.get::<_, Option<String>>(13)?.and_then(|word| from_word(&word).ok()),
        attempt: message.attempt,
        messages: vec![message],
    })
}

/// Sets columns of each message of a lease; `?4` and on are `values`. Messages of one lease are
/// leased, given back and reclaimed together.
fn update_held(
    db: &Connection,
    lease: &LeaseKey,
    set: &str,
    values: &[&dyn ToSql],
) -> Result<Tenure, StoreError> {
    let mut update = db.prepare_cached(&format!(
        "UPDATE messages SET {set} WHERE id = ?1 AND attempts = ?2 AND lease_owner = ?3"
    ))?;
    let mut changed = 0;
    for (row, attempt) in &lease.held {
        let key: [&dyn ToSql; 3] = [row, attempt, &lease.node.0];
        changed += update.execute(&*[&key[..], values].concat())?;
    }
    Ok(if changed == lease.held.len() { Tenure::Held } else { Tenure::Lost })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_is_read_without_what_waits_behind_its_lanes_heads() {
        let db = Connection::open_in_memory().unwrap();
        super::super::migrate(&db).unwrap();
        let lanes = |sql: &str| format!("{NUMBERS}{sql}");
        for (sql, index) in [
            (lanes(LEASABLE), "lanes_due"),
            (lanes(NEXT_DUE), "lanes_due"),
            (LAPSED.to_owned(), "messages_leased"),
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
