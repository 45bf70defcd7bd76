//! The desk on the `conversations`, `tickets`, `operators` and `recordings` tables.

use super::db::{Db, Hold, Lock, params};
use async_trait::async_trait;
use serde_json::json;

use super::events::{self, EventPlace};
use super::json::to_json;
use super::{SqlStore, conversations, operators, tickets};
use crate::store::rules::WINDOW_MS;
use crate::store::{
    Changed, ConversationRow, ConversationSearch, Desk, DeskChange, NewTicket, OperatorMessage,
    OperatorRow, SaidRow, StoreError, TicketRow, TicketSearch,
};
use crate::turn::{Body, EventType, PhoneNumberId, TicketEnd, TurnId};

/// The words of notes that were not played.
const FOLLOW_UP: &str = "
    INSERT INTO messages (number, provider_id, contact_id, raw_type, body, sent_ms, received_ms, state,
        available_ms, conversation)
    SELECT t.number, 'followup:' || t.id, t.contact_id, 'followup',
           json_object('kind', 'follow_up', 'text', t.report -> 'reply' ->> 'text'), ?3, ?3, 'queued', ?3,
           t.conversation
    FROM parts p JOIN turns t ON t.id = p.turn
    JOIN messages m ON m.number = t.number AND m.provider_id = t.message
    WHERE p.state = 'sent' AND p.sent_ms > ?1 AND p.sent_ms <= ?2 AND p.role = 'answer'
      AND p.content ->> 'voice' IS NOT NULL AND t.outcome = 'voice_note' AND t.operator IS NULL
      AND t.report -> 'reply' ->> 'text' <> '' AND m.received_ms > ?4
      AND NOT EXISTS (SELECT 1 FROM statuses s WHERE s.turn = p.turn AND s.idx = p.idx
                      AND s.status IN ('played', 'failed'))
      AND NOT EXISTS (SELECT 1 FROM messages o WHERE o.number = t.number
                      AND o.contact_id = t.contact_id AND o.id > m.id
                      AND o.conversation IS NOT NULL)
      AND NOT EXISTS (SELECT 1 FROM tickets k WHERE k.number = t.number
                      AND k.contact_id = t.contact_id AND k.closed_ms IS NULL)
    ON CONFLICT (number, provider_id) DO NOTHING";

#[async_trait]
impl Desk for SqlStore {
    async fn conversations(
        &self,
        search: ConversationSearch,
    ) -> Result<Vec<ConversationRow>, StoreError> {
        self.reader.call(move |db| conversations::find(db, &search)).await
    }

    async fn said(
        &self,
        conversation: i64,
        behind: usize,
        limit: usize,
    ) -> Result<Vec<SaidRow>, StoreError> {
        self.reader.call(move |db| conversations::said(db, conversation, behind, limit)).await
    }

    async fn tell_conversation(
        &self,
        conversation: i64,
        ticket: Option<String>,
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        let call = self.writer.call(move |db| {
            db.hold(Hold::Conversation(conversation))?;
            let place = EventPlace::of_conversation(db, conversation)?;
            let Some(place) = place else { return Ok(false) };
            let wanted = json!({ "ticket": ticket });
            events::write(db, EventType::GetConversation, &place, now_ms, wanted)?;
            tickets::document(db, &place, ticket.as_deref(), now_ms)?;
            Ok(true)
        });
        call.await
    }

    async fn close_conversations(&self, before_ms: i64, now_ms: i64) -> Result<usize, StoreError> {
        self.writer.call(move |db| conversations::close(db, before_ms, now_ms)).await
    }

    async fn tickets(&self, search: TicketSearch) -> Result<Vec<TicketRow>, StoreError> {
        self.reader.call(move |db| tickets::find(db, &search)).await
    }

    async fn open_ticket(
        &self,
        conversation: i64,
        new: NewTicket,
        now_ms: i64,
    ) -> Result<DeskChange<TicketRow>, StoreError> {
        let call = self.writer.call(move |db| match open_place(db, conversation)? {
            DeskChange::Done(place) => {
                tickets::open(db, &place, new.clone(), None, now_ms).map(DeskChange::Done)
            }
            other => Ok(other.without()),
        });
        call.await
    }

    async fn assign(
        &self,
        ticket: &str,
        expected: Option<u32>,
        operator: Option<String>,
        now_ms: i64,
    ) -> Result<DeskChange<TicketRow>, StoreError> {
        let id = ticket.to_owned();
        let call = self
            .writer
            .call(move |db| tickets::assign(db, &id, expected, operator.as_deref(), now_ms));
        call.await
    }

    async fn close_ticket(
        &self,
        ticket: &str,
        expected: Option<u32>,
        end: TicketEnd,
        now_ms: i64,
    ) -> Result<DeskChange<TicketRow>, StoreError> {
        let id = ticket.to_owned();
        self.writer.call(move |db| tickets::close(db, &id, expected, end, now_ms)).await
    }

    async fn assign_waiting(&self, now_ms: i64) -> Result<usize, StoreError> {
        let assign = move |db: &Db<'_>| tickets::assign_waiting(db, now_ms);
        self.writer.alone(Lock::Desk, assign).await
    }

    async fn close_idle(&self, before_ms: i64, now_ms: i64) -> Result<usize, StoreError> {
        self.writer.call(move |db| tickets::close_idle(db, before_ms, now_ms)).await
    }

    async fn say(
        &self,
        conversation: i64,
        message: OperatorMessage,
        now_ms: i64,
    ) -> Result<DeskChange<String>, StoreError> {
        let call = self.writer.call(move |db| match open_place(db, conversation)? {
            DeskChange::Done(place) => say(db, &place, &message, now_ms).map(DeskChange::Done),
            other => Ok(other.without()),
        });
        call.await
    }

    async fn follow_up(
        &self,
        since_ms: i64,
        until_ms: i64,
        now_ms: i64,
    ) -> Result<usize, StoreError> {
        let call = self.writer.call(move |db| {
            let values = params![since_ms, until_ms, now_ms, now_ms - WINDOW_MS];
            db.tell_lanes();
            Ok(db.prepare_cached(FOLLOW_UP)?.execute(values)?)
        });
        call.await
    }

    async fn operators(&self) -> Result<Vec<OperatorRow>, StoreError> {
        self.reader.call(operators::all).await
    }

    async fn put_operator(
        &self,
        operator: OperatorRow,
        now_ms: i64,
    ) -> Result<Changed<OperatorRow>, StoreError> {
        let call = self.writer.alone(Lock::Desk, move |db| {
            let put = operators::put(db, &operator, now_ms)?;
            tickets::assign_waiting(db, now_ms)?;
            Ok(put)
        });
        call.await
    }

    async fn remove_operator(&self, id: &str, now_ms: i64) -> Result<bool, StoreError> {
        let id = id.to_owned();
        let call = self.writer.alone(Lock::Desk, move |db| {
            let removed = operators::remove(db, &id)?;
            tickets::assign_waiting(db, now_ms)?;
            Ok(removed)
        });
        call.await
    }
}

/// Finds a conversation that is open.
fn open_place(db: &Db<'_>, conversation: i64) -> Result<DeskChange<EventPlace>, StoreError> {
    db.hold(Hold::Conversation(conversation))?;
    let Some(place) = EventPlace::of_conversation(db, conversation)? else {
        return Ok(DeskChange::Absent);
    };
    let open = "SELECT closed_ms IS NULL FROM conversations WHERE id = ?1";
    let open = db.prepare_cached(open)?.query_row([conversation], |row| row.get(0))?;
    Ok(if open { DeskChange::Done(place) } else { DeskChange::Closed })
}

/// Puts an operator's words into the lane. The same message is taken once.
fn say(
    db: &Db<'_>,
    place: &EventPlace,
    message: &OperatorMessage,
    now_ms: i64,
) -> Result<String, StoreError> {
    let turn = TurnId::from_message(&PhoneNumberId(place.number.clone()), &message.id);
    let body = Body::Reply { operator: message.operator.clone(), text: message.text.clone() };
    let new = db
        .prepare_cached(
            "INSERT INTO messages (number, provider_id, contact_id, raw_type, body, sent_ms,
                 received_ms, state, available_ms, conversation)
             VALUES (?1, ?2, ?3, 'operator', ?4, ?5, ?5, 'queued', ?5, ?6)
             ON CONFLICT (number, provider_id) DO NOTHING",
        )?
        .execute(params![
            place.number,
            message.id.0,
            place.contact_id,
            to_json(&body)?,
            now_ms,
            place.conversation
        ])?;
    if new == 0 {
        return Ok(turn.0);
    }
    db.tell_lanes();
    if let Some(note) = &message.note {
        let keep =
            "INSERT INTO recordings (number, message, note, made_ms) VALUES (?1, ?2, ?3, ?4)";
        db.prepare_cached(keep)?.execute(params![place.number, message.id.0, note, now_ms])?;
    }
    conversations::go_on(db, &place.number, place.contact_id, now_ms)?;
    let ticket = tickets::touch(db, &place.number, place.contact_id, now_ms)?;
    let said = json!({ "ticket": ticket, "turn": turn.0, "operator": message.operator,
                       "kind": if message.note.is_some() { "voice" } else { "text" },
                       "text": message.text.as_ref().map(events::words) });
    events::write(db, EventType::OperatorAnswered, place, now_ms, said)?;
    Ok(turn.0)
}
