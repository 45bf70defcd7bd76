//! Events, on the `events` table: written beside what makes them true, read by whoever tells them on.

use super::db::{Db, DbResult, DbRow, Lock, OptionalRow as _, params};
use async_trait::async_trait;
use serde_json::{Map, Value, json};
use tokio::sync::watch;

use super::json::{from_word, to_json};
use super::{SqlStore, customers};
use crate::store::people::contact_key;
use crate::store::{ErasedEvents, EventLog, EventPage, EventRow, EventSearch, StoreError};
use crate::turn::{Content, EventType, Personal, Role};

/// Most characters of words in an event; the record has all of them.
const MOST_CHARS: usize = 4_000;

/// What [`event_row`] reads, of an event `e` and its contact `c`.
pub(super) const COLUMNS: &str = "
    SELECT e.id, e.type, e.number, c.created_ms, e.conversation, e.at_ms,
           e.data, c.user_id, c.phone, c.profile_name, c.id";

const EVENTS: &str = "
    FROM events e JOIN contacts c ON c.id = e.contact_id
    WHERE e.id > ?1 AND (CAST(?2 AS TEXT) = '[]' OR e.type IN (SELECT value FROM json_each(?2)))
      AND (e.number = ?3 OR ?3 IS NULL) AND (e.conversation = ?4 OR ?4 IS NULL)
    ORDER BY e.id LIMIT ?5";

/// Gives places to events that have none, in the order in which they were written.
const NUMBER: &str = "
    UPDATE events SET id = fresh.place FROM (
        SELECT e.written, n.last + row_number() OVER (ORDER BY e.written) AS place
        FROM events e CROSS JOIN events_numbered n WHERE e.id IS NULL) fresh
    WHERE events.written = fresh.written";

/// Says where something happened.
#[derive(Clone, Debug)]
pub(super) struct EventPlace {
    pub(super) number: String,
    pub(super) contact_id: i64,
    pub(super) conversation: Option<i64>,
}

impl EventPlace {
    /// Finds that of a turn; `None` if it is gone, as a forgotten person's is.
    pub(super) fn of_turn(db: &Db<'_>, turn: &str) -> Result<Option<Self>, StoreError> {
        let mut place =
            db.prepare_cached("SELECT number, contact_id, conversation FROM turns WHERE id = ?1")?;
        Ok(place.query_row([turn], Self::read).optional()?)
    }

    /// Finds that of a conversation.
    pub(super) fn of_conversation(db: &Db<'_>, id: i64) -> Result<Option<Self>, StoreError> {
        let mut place =
            db.prepare_cached("SELECT number, contact_id, id FROM conversations WHERE id = ?1")?;
        Ok(place.query_row([id], Self::read).optional()?)
    }

    fn read(row: &DbRow<'_>) -> DbResult<Self> {
        Ok(Self { number: row.get(0)?, contact_id: row.get(1)?, conversation: row.get(2)? })
    }
}

/// Writes an event. `data` is an object; what is `null` in it is left out.
pub(super) fn write(
    db: &Db<'_>,
    kind: EventType,
    place: &EventPlace,
    at_ms: i64,
    mut data: Value,
) -> Result<(), StoreError> {
    leave_nulls_out(&mut data);
    db.prepare_cached(
        "INSERT INTO events (type, number, contact_id, conversation, at_ms, data)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        kind.name(),
        place.number,
        place.contact_id,
        place.conversation,
        at_ms,
        data.to_string()
    ])?;
    db.tell_events();
    Ok(())
}

fn leave_nulls_out(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, value| !value.is_null());
            members.values_mut().for_each(leave_nulls_out);
        }
        Value::Array(items) => items.iter_mut().for_each(leave_nulls_out),
        _ => {}
    }
}

/// Shortens words for an event.
pub(super) fn words(text: &Personal) -> Value {
    json!(text.reveal().chars().take(MOST_CHARS).collect::<String>())
}

/// Writes that a message of ours is about to be sent.
pub(super) fn planned(
    db: &Db<'_>,
    place: &EventPlace,
    (turn, index): (&str, u32),
    (role, content): (Role, &Content),
    now_ms: i64,
) -> Result<(), StoreError> {
    let kind = match content {
        Content::Text(_) => EventType::SendText,
        Content::Voice(_) => EventType::SendVoice,
        _ => EventType::SendMedia,
    };
    let text = match content {
        Content::Text(text) => words(text),
        _ => Value::Null,
    };
    let data = json!({ "turn": turn, "part": index, "role": role.name(), "kind": content.kind(),
                       "text": text });
    write(db, kind, place, now_ms, data)
}

/// Writes what became of a message of ours, if it is known which one.
pub(super) fn told_of_part(
    db: &Db<'_>,
    (turn, index): (&str, u32),
    told: PartTold<'_>,
    at_ms: i64,
) -> Result<(), StoreError> {
    let Some(place) = EventPlace::of_turn(db, turn)? else { return Ok(()) };
    let content: Option<String> = db
        .prepare_cached("SELECT content FROM parts WHERE turn = ?1 AND idx = ?2")?
        .query_row(params![turn, index], |row| row.get(0))
        .optional()?;
    let Some(content) = content.and_then(|json| serde_json::from_str::<Content>(&json).ok()) else {
        return Ok(());
    };
    let mut data = json!({ "turn": turn, "part": index, "kind": content.kind() });
    let kind = match (told, &content) {
        (PartTold::Sent(message), _) => {
            data["message"] = json!(message);
            match content {
                Content::Text(_) => EventType::TextSent,
                Content::Voice(_) => EventType::VoiceSent,
                _ => EventType::MediaSent,
            }
        }
        (PartTold::Played, Content::Voice(_)) => EventType::VoicePlayed,
        (PartTold::Played, _) => return Ok(()),
        (PartTold::Failed { code, title }, _) => {
            data["code"] = json!(code);
            data["error"] = json!(title);
            EventType::MessageFailed
        }
    };
    write(db, kind, &place, at_ms, data)
}

/// Says what became of a message of ours.
#[derive(Clone, Copy)]
pub(super) enum PartTold<'a> {
    /// The provider gave it this id.
    Sent(&'a str),
    /// The person played it.
    Played,
    /// It was not delivered, or the provider refused it.
    Failed { code: Option<i64>, title: Option<&'a str> },
}

#[async_trait]
impl EventLog for SqlStore {
    async fn events(&self, search: EventSearch) -> Result<EventPage, StoreError> {
        let types = to_json(&search.types)?;
        self.number_events().await?;
        let call = self.reader.call(move |db| {
            // First: what is written from here on is read next time.
            let newest = newest(db)?;
            let limit = i64::try_from(search.limit).unwrap_or(i64::MAX);
            let values = params![search.after, types, search.number, search.conversation, limit];
            let mut statement = db.prepare_cached(&format!("{COLUMNS}{EVENTS}"))?;
            let rows = statement.query_map(values, |row| event_row(db, row))?;
            let events: Vec<EventRow> = rows.collect::<Result<_, _>>()?;
            let last = events.last().map_or(search.after, |event| event.id);
            let upto = if events.len() < search.limit { last.max(newest) } else { last };
            Ok(EventPage { events, upto })
        });
        call.await
    }

    async fn newest_event(&self) -> Result<i64, StoreError> {
        self.number_events().await?;
        self.reader.call(|db| Ok(newest(db)?)).await
    }

    async fn drop_events(&self, until_ms: i64, limit: usize) -> Result<usize, StoreError> {
        // Where nobody reads them they have no places yet, by which they are dropped.
        self.number_events().await?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let call = self.writer.call(move |db| {
            let drop = "DELETE FROM events WHERE id IN
                            (SELECT id FROM events WHERE at_ms < ?1 ORDER BY at_ms LIMIT ?2)";
            let dropped = db.prepare_cached(drop)?.execute([until_ms, limit])?;
            // Whoever has copies deletes them by the oldest that is left.
            db.prepare_cached("DELETE FROM erased_events WHERE event < ?1")?
                .execute([oldest(db)?])?;
            Ok(dropped)
        });
        call.await
    }

    async fn erased_events(&self, limit: usize) -> Result<ErasedEvents, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let call = self.reader.call(move |db| {
            let before = oldest(db)?;
            let mut erased =
                db.prepare_cached("SELECT event FROM erased_events ORDER BY event LIMIT ?1")?;
            let ids = erased.query_map([limit], |row| row.get(0))?.collect::<Result<_, _>>()?;
            Ok(ErasedEvents { ids, before })
        });
        call.await
    }

    async fn events_erased(&self, ids: Vec<i64>) -> Result<(), StoreError> {
        if ids.is_empty() {
            return Ok(());
        }
        let ids = to_json(&ids)?;
        let call = self.writer.call(move |db| {
            db.prepare_cached(
                "DELETE FROM erased_events
                 WHERE event IN (SELECT CAST(value AS BIGINT) FROM json_each(?1))",
            )?
            .execute([&ids])?;
            Ok(())
        });
        call.await
    }

    fn events_written(&self) -> watch::Receiver<u64> {
        self.events.subscribe()
    }
}

impl SqlStore {
    /// Gives events their places where several processes write them: SQLite does so itself. One at a
    /// time and after their commits, so that whoever reads on from an event misses none.
    async fn number_events(&self) -> Result<(), StoreError> {
        let unnumbered = |db: &Db<'_>| {
            let waiting = "SELECT 1 FROM events WHERE id IS NULL LIMIT 1";
            Ok(db.prepare_cached(waiting)?.exists(params![])?)
        };
        if !self.is_shared() || !self.reader.call(unnumbered).await? {
            return Ok(());
        }
        let number = |db: &Db<'_>| {
            let numbered = db.prepare_cached(NUMBER)?.execute(params![])?;
            let last = "UPDATE events_numbered SET last = last + ?1";
            db.prepare_cached(last)?.execute([i64::try_from(numbered).unwrap_or(i64::MAX)])?;
            Ok(())
        };
        self.writer.alone(Lock::Events, number).await
    }
}

/// Returns the id of the latest event that there has been.
pub(super) fn newest(db: &Db<'_>) -> DbResult<i64> {
    let newest = if db.is_shared() {
        "SELECT last FROM events_numbered"
    } else {
        "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'events'"
    };
    db.prepare_cached(newest)?.query_row(params![], |row| row.get(0))
}

/// Returns the id of the oldest event that is kept; of the next, if there is none.
fn oldest(db: &Db<'_>) -> DbResult<i64> {
    let oldest: Option<i64> =
        db.prepare_cached("SELECT min(id) FROM events")?.query_row(params![], |row| row.get(0))?;
    oldest.map_or_else(|| Ok(newest(db)? + 1), Ok)
}

/// Reads an event, with who it is about: what is known of them is read now, so that what is forgotten is
/// in no event.
pub(super) fn event_row(db: &Db<'_>, row: &DbRow<'_>) -> DbResult<EventRow> {
    let (name, data): (String, String) = (row.get(1)?, row.get(6)?);
    let id = contact_key(row.get(10)?, row.get(3)?);
    let mut data: Map<String, Value> = serde_json::from_str(&data).unwrap_or_default();
    let [user_id, phone, profile] = [7, 8, 9].map(|column| row.get::<Option<String>>(column));
    let mut contact = json!({ "id": id });
    for (key, value) in [("user_id", user_id?), ("phone", phone?), ("name", profile?)] {
        if let Some(value) = value {
            contact[key] = json!(value);
        }
    }
    data.insert("contact".to_owned(), contact);
    let kind: Option<EventType> = from_word(&name).ok();
    if kind.is_some_and(EventType::has_user_info) {
        let mut known = customers::user_info(db, row.get(10)?)?;
        leave_nulls_out(&mut known);
        data.insert("user_info".to_owned(), known);
    }
    Ok(EventRow {
        id: row.get(0)?,
        name,
        number: row.get(2)?,
        contact: id,
        conversation: row.get(4)?,
        at_ms: row.get(5)?,
        data: Personal(Value::Object(data).to_string()),
    })
}
