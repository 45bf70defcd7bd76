//! The record: turns, contacts and findings, as the API shows them.

use std::ops::Range;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;

use super::conversations::{conversation_view, said_view};
use super::customers::customer_view;
use super::desk::ticket_view;
use super::{Office, time};
use crate::events::cloud_event;
use crate::http::api::{
    ApiRefusal, AudioBytes, AudioFile, ContactView, DeliveryView, ExportView, FindingView,
    KeptConversation, ListPart, MessageView, NotesView, PageQuery, RecordApi, TurnQuery, TurnView,
    limit,
};
use crate::store::{
    Archive as _, ContactRow, ConversationSearch, Customers as _, Desk as _, EventLog as _,
    EventSearch, Memories as _, MessageRow, PartStatus, People as _, SummaryRow, TicketSearch,
    TurnRow, TurnSearch,
};
use crate::turn::{Personal, SoundSide};

pub(super) const TURN: &str = "turn of this id";
const CONTACT: &str = "contact of this id";

#[async_trait]
impl RecordApi for Office {
    async fn turns(&self, query: TurnQuery) -> Result<ListPart<TurnView>, ApiRefusal> {
        let limit = limit(query.limit)?;
        let search = TurnSearch {
            contact: query.contact,
            number: query.number,
            agent: query.agent,
            outcome: query.outcome,
            words: query.q.filter(|words| !words.is_empty()),
            before: query.cursor.as_deref().map(uncursor).transpose()?,
            since_ms: query.from.as_deref().map(|at| instant("from", at)).transpose()?,
            until_ms: query.to.as_deref().map(|at| instant("to", at)).transpose()?,
            // One more tells whether the list goes on.
            limit: limit + 1,
            ..TurnSearch::default()
        };
        let rows = self.store.find(search).await?;
        Ok(page(rows, limit, |row| row.turn.0.clone(), turn_view))
    }

    async fn turn(&self, id: &str) -> Result<TurnView, ApiRefusal> {
        let search = TurnSearch { turn: Some(id.to_owned()), limit: 1, ..TurnSearch::default() };
        let found = self.store.find(search).await?.pop();
        found.map(turn_view).ok_or_else(|| ApiRefusal::NotFound(TURN.to_owned()))
    }

    async fn audio(&self, turn: &str, side: SoundSide) -> Result<AudioFile, ApiRefusal> {
        self.find_audio(turn, side).await
    }

    async fn audio_bytes(
        &self,
        file: &AudioFile,
        range: Range<u64>,
    ) -> Result<AudioBytes, ApiRefusal> {
        self.read_audio(file, range).await
    }

    async fn contacts(&self, query: PageQuery) -> Result<ListPart<ContactView>, ApiRefusal> {
        let limit = limit(query.limit)?;
        let before = query.cursor.as_deref().map(uncursor).transpose()?;
        let before = before.map(|row| row.parse().map_err(|_| odd_cursor())).transpose()?;
        let rows = self.store.contacts(before, limit + 1).await?;
        Ok(page(rows, limit, |row| row.id.to_string(), contact_view))
    }

    async fn contact(&self, id: &str) -> Result<ContactView, ApiRefusal> {
        self.find_contact(id).await.map(contact_view)
    }

    async fn export(&self, id: &str) -> Result<ExportView, ApiRefusal> {
        let contact = self.find_contact(id).await?;
        let messages = self.store.messages_of(contact.id).await?;
        let notes = self.store.notes_on(contact.id).await?;
        let customer = self.store.customer_of(contact.id).await?;
        let mut turns = Vec::new();
        if let Some(key) = contact.user_id.as_ref().or(contact.phone.as_ref()) {
            turns = self.store.turns(Some(key.reveal().to_owned()), usize::MAX).await?;
        }
        let conversations = self.kept_conversations(&contact).await?;
        Ok(ExportView {
            contact: contact_view(contact),
            messages: messages.into_iter().map(message_view).collect(),
            turns: turns.into_iter().map(turn_view).collect(),
            notes: notes.into_iter().map(notes_view).collect(),
            customer: customer.map(customer_view),
            conversations,
        })
    }

    async fn forget(&self, id: &str) -> Result<(), ApiRefusal> {
        let contact = self.find_contact(id).await?;
        if self.store.forget(contact.id).await? {
            self.forget_sound().await;
            return Ok(());
        }
        Err(ApiRefusal::NotFound(CONTACT.to_owned()))
    }

    async fn findings(&self) -> Result<Vec<FindingView>, ApiRefusal> {
        Ok(self.findings_now())
    }
}

impl Office {
    /// Returns the ids of the contacts that have this phone number, WhatsApp's id or id here.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub async fn contacts_of(&self, who: &str) -> Result<Vec<String>, ApiRefusal> {
        if let Ok(contact) = self.find_contact(who).await {
            return Ok(vec![contact.key()]);
        }
        let rows = self.store.contacts_like(who.to_owned()).await?;
        Ok(rows.iter().map(ContactRow::key).collect())
    }

    /// Returns everything that is known of a contact's conversations.
    async fn kept_conversations(
        &self,
        contact: &ContactRow,
    ) -> Result<Vec<KeptConversation>, ApiRefusal> {
        let key = contact.user_id.as_ref().or(contact.phone.as_ref());
        let Some(key) = key.map(|key| key.reveal().to_owned()) else { return Ok(Vec::new()) };
        let search = ConversationSearch {
            contact: Some(key),
            limit: usize::MAX,
            ..ConversationSearch::default()
        };
        let mut kept = Vec::new();
        for row in self.store.conversations(search).await? {
            let (id, limit) = (row.id, usize::MAX);
            let tickets = TicketSearch { conversation: Some(id), limit, ..TicketSearch::default() };
            let events = EventSearch { conversation: Some(id), limit, ..EventSearch::default() };
            let said = self.store.said(id, 0, limit).await?;
            let tickets = self.store.tickets(tickets).await?;
            let events = self.store.events(events).await?.events;
            kept.push(KeptConversation {
                conversation: conversation_view(row),
                said: said.into_iter().map(said_view).collect(),
                tickets: tickets.into_iter().map(ticket_view).collect(),
                events: events.iter().map(cloud_event).collect(),
            });
        }
        Ok(kept)
    }

    /// Finds a contact by the id that the API shows.
    async fn find_contact(&self, id: &str) -> Result<ContactRow, ApiRefusal> {
        let unknown = || ApiRefusal::NotFound(CONTACT.to_owned());
        let row = id.split_once('-').and_then(|(row, _)| row.parse().ok()).ok_or_else(unknown)?;
        let found = self.store.contact(row).await?;
        // A row may be used again once its contact is forgotten: the time tells them apart.
        found.filter(|contact| contact.key() == id).ok_or_else(unknown)
    }
}

/// Makes a part of a list, and where it goes on if there are more than `limit`.
pub(super) fn page<R, V>(
    mut rows: Vec<R>,
    limit: usize,
    key: impl Fn(&R) -> String,
    view: impl Fn(R) -> V,
) -> ListPart<V> {
    let goes_on = rows.len() > limit;
    rows.truncate(limit);
    let last = rows.last().filter(|_| goes_on).map(key);
    let next = last.map(|key| cursor(&key));
    ListPart { items: rows.into_iter().map(view).collect(), next }
}

/// Writes where a list goes on.
pub(super) fn cursor(key: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(key)
}

pub(super) fn uncursor(cursor: &str) -> Result<String, ApiRefusal> {
    let key = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok();
    key.and_then(|key| String::from_utf8(key).ok()).ok_or_else(odd_cursor)
}

pub(super) fn odd_cursor() -> ApiRefusal {
    ApiRefusal::Malformed("cursor must be the `next` of a list".to_owned())
}

fn instant(key: &str, text: &str) -> Result<i64, ApiRefusal> {
    let odd = |_error| {
        ApiRefusal::Malformed(format!("{key} must be a time such as 2026-11-27T10:00:00Z"))
    };
    text.parse::<jiff::Timestamp>().map(jiff::Timestamp::as_millisecond).map_err(odd)
}

fn turn_view(row: TurnRow) -> TurnView {
    let report = row.report.as_ref();
    let word = |value: Option<Value>| Some(value?.as_str()?.to_owned());
    let outcome = word(report.and_then(|report| serde_json::to_value(report.outcome).ok()));
    TurnView {
        id: row.turn.0,
        number: row.number.0,
        contact: row.contact.0,
        name: row.name.map(|name| name.0),
        agent: row.agent,
        agent_version: row.agent_version,
        attempt: row.attempt,
        created_at: time(row.created_ms),
        queue_ms: row.queue_ms,
        heard: row.heard.map(|heard| heard.0),
        reply: report.map(|report| report.reply.text.reveal().to_owned()),
        outcome,
        reason: report.and_then(|report| Some(report.reason.as_ref()?.to_string())),
        total_ms: report.map(|report| report.total_ms),
        report: report.and_then(|report| serde_json::to_value(report).ok()),
        messages: row.messages,
        played_ms: played_ms(&row.deliveries),
        deliveries: row.deliveries.into_iter().map(delivery_view).collect(),
    }
}

/// Returns how long a note lay there before it was played.
fn played_ms(deliveries: &[PartStatus]) -> Option<f64> {
    let at = |part: u32, status: &str| {
        let told = deliveries.iter().filter(|told| told.part == part && told.status == status);
        told.map(|told| told.at_ms).min()
    };
    let played = deliveries.iter().find(|told| told.status == "played")?;
    let sent = at(played.part, "sent")?;
    // Statuses may come in any order, and their clock has seconds.
    let lay = u64::try_from(at(played.part, "played")? - sent).unwrap_or(0);
    Some(Duration::from_millis(lay).as_secs_f64() * 1000.0)
}

fn delivery_view(status: PartStatus) -> DeliveryView {
    let PartStatus { part, status, at_ms, code, details } = status;
    DeliveryView { part, status, at: time(at_ms), code, details }
}

fn contact_view(row: ContactRow) -> ContactView {
    ContactView {
        id: row.key(),
        user_id: row.user_id.map(|id| id.0),
        phone: row.phone.map(|phone| phone.0),
        name: row.name.map(|Personal(name)| name),
        language: row.language.map(|language| language.to_string()),
        asked_language: row.asked_language.map(|language| language.to_string()),
        reply_mode: row.reply_mode.map(|mode| mode.name().to_owned()),
        created_at: time(row.created_ms),
    }
}

fn notes_view(SummaryRow { number, text, made_ms }: SummaryRow) -> NotesView {
    NotesView { number, text: text.0, made_at: time(made_ms) }
}

fn message_view(row: MessageRow) -> MessageView {
    MessageView {
        number: row.number,
        id: row.id,
        kind: row.kind,
        body: serde_json::from_str(&row.body).unwrap_or(Value::Null),
        sent_at: (row.sent_ms > 0).then(|| time(row.sent_ms)),
        received_at: time(row.received_ms),
    }
}
