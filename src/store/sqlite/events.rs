//! Events, on the `events` table: written beside what makes them true, read by whoever tells them on.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde_json::{Map, Value, json};
use tokio::sync::watch;

use super::json::{from_word, to_json};
use super::{SqliteStore, customers};
use crate::store::{ErasedEvents, EventLog, EventPage, EventRow, EventSearch, StoreError};
use crate::turn::{Content, EventType, Personal, Role};

/// Most characters of words in an event; the record has all of them.
const MOST_CHARS: usize = 4_000;

/// What [`event_row`] reads, of an event `e` and its contact `c`.
pub(super) const COLUMNS: &str = "
    SELECT e.id, e.type, e.number, c.id || '-' || printf('%x', c.created_ms), e.conversation, e.at_ms,
           e.data, c.user_id, c.phone, c.profile_name, c.id";

const EVENTS: &str = "
    FROM events e JOIN contacts c ON c.id = e.contact_id
    WHERE e.id > ?1 AND (?2 = '[]' OR e.type IN (SELECT value FROM json_each(?2)))
      AND (?3 IS NULL OR e.number = ?3) AND (?4 IS NULL OR e.conversation = ?4)
    ORDER BY e.id LIMIT ?5";

/// Says where something happened.
#[derive(Clone, Debug)]
pub(super) struct EventPlace {
    pub(super) number: String,
    pub(super) contact_id: i64,
    pub(super) conversation: Option<i64>,
}

impl EventPlace {
    /// Finds that of a turn; `None` if it is gone, as a forgotten person's is.
    pub(super) fn of_turn(db: &Connection, turn: &str) -> Result<Option<Self>, StoreError> {
        let mut place =
            db.prepare_cached("SELECT number, contact_id, conversation FROM turns WHERE id = ?1")?;
        Ok(place.query_row([turn], Self::read).optional()?)
    }

    /// Finds that of a conversation.
    pub(super) fn of_conversation(db: &Connection, id: i64) -> Result<Option<Self>, StoreError> {
        let mut place =
            db.prepare_cached("SELECT number, contact_id, id FROM conversations WHERE id = ?1")?;
        Ok(place.query_row([id], Self::read).optional()?)
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { number: row.get(0)?, contact_id: row.get(1)?, conversation: row.get(2)? })
    }
}

/// Writes an event. `data` is an object; what is `null` in it is left out.
pub(super) fn write(
    db: &Connection,
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
    db: &Connection,
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
    db: &Connection,
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
impl EventLog for SqliteStore {
    async fn events(&self, search: EventSearch) -> Result<EventPage, StoreError> {
        let types = to_json(&search.types)?;
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
        self.reader.call(|db| Ok(newest(db)?)).await
    }

    async fn drop_events(&self, until_ms: i64, limit: usize) -> Result<usize, StoreError> {
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
                "DELETE FROM erased_events WHERE event IN (SELECT value FROM json_each(?1))",
            )?
            .execute([ids])?;
            Ok(())
        });
        call.await
    }

    fn events_written(&self) -> watch::Receiver<u64> {
        self.events.subscribe()
    }
}

/// Returns the id of the latest event that there has been.
pub(super) fn newest(db: &Connection) -> rusqlite::Result<i64> {
    db.prepare_cached("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'events'")?
        .query_row([], |row| row.get(0))
}

/// Returns the id of the oldest event that is kept; of the next, if there is none.
fn oldest(db: &Connection) -> rusqlite::Result<i64> {
    let oldest: Option<i64> =
        db.prepare_cached("SELECT min(id) FROM events")?.query_row([], |row| row.get(0))?;
    oldest.map_or_else(|| Ok(newest(db)? + 1), Ok)
}

/// Reads an event, with who it is about: what is known of them is read now, so that what is forgotten is
/// in no event.
pub(super) fn event_row(db: &Connection, row: &Row<'_>) -> rusqlite::Result<EventRow> {
    let (name, data): (String, String) = (row.get(1)?, row.get(6)?);
    let id: String = row.get(3)?;
    let mut data: Map<String, Value> = serde_json::from_str(&data).unwrap_or_default();
    let [user_id, phone, profile] = [7, 8, 9].map(|column| row.get::<_, Option<String>>(column));
    let mut contact = json!({ "id": id });
    for (key, value) in [("user_id", user_id?), ("phone", phone?), ("name", profile?)] {
        if let Some(value) = value {
            contact[key] = json!(value);
        }
    }
    data.insert("contact".to_owned(), contact);
    let kind: Option<EventType> = from_word(&name).ok();
    if kind.is_some_and(EventType::has_user_info) {
        let mut known = customers::user_info(db, row.get(10)?)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
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
