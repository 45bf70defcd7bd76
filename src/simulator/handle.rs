//! Controls the simulator's people: what they say, what they got, and which faults are injected.
//!
//! Used by the demo and the tests, in the same process; the control API is built on it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Value, json};

use super::faults::FaultDice;
use super::said::SaidMessage;
use super::state::{Call, CallKind, ConversationMessage, Direction, Fault};
use super::webhook::{GivenUp, timestamp};
use super::{Simulator, WebhookTarget};
use crate::turn::{MediaId, MessageId};

/// Holds what a person says.
#[derive(Clone, Debug)]
pub enum PersonSays {
    /// A text.
    Text(String),
    /// A voice note, or an audio file if the type is not `audio/ogg`.
    Audio {
        /// The file.
        bytes: Bytes,
        /// The declared type.
        mime_type: String,
        /// Whether the webhook gives the address, as it has since 2025-11.
        with_url: bool,
    },
    /// A tap on a button or a row; [`Simulator::tap`] finds it.
    Tap {
        /// `button_reply` or `list_reply`.
        kind: &'static str,
        /// The button or row.
        reply: Value,
    },
    /// An emoji on the message that is quoted; none takes it back.
    Reaction(String),
    /// A place, in degrees.
    Location {
        /// North of the equator.
        latitude: f64,
        /// East of Greenwich.
        longitude: f64,
        /// Its name.
        name: Option<String>,
    },
    /// A picture, a film or any other file, with words under it.
    File {
        /// The file.
        bytes: Bytes,
        /// The declared type.
        mime_type: String,
        /// Its name, which only documents show.
        name: String,
        /// The words; none if empty.
        caption: String,
    },
}

/// Holds one message of a person.
#[derive(Clone, Debug)]
pub struct PersonMessage {
    /// Phone number in digits; empty for a person who shows a user id only.
    pub from: String,
    /// Business-scoped user id.
    pub user_id: Option<String>,
    /// Profile name.
    pub name: Option<String>,
    /// The message's id; `None` makes a new one. An id used before simulates a redelivery.
    pub id: Option<MessageId>,
    /// The message that it replies to, if it does.
    pub quotes: Option<MessageId>,
    /// The content.
    pub says: PersonSays,
}

impl Simulator {
    /// Sends a text from the person with this phone number; returns when its webhook is queued.
    pub async fn send_text(&self, from: &str, text: &str) -> MessageId {
        self.send(PersonMessage::new(from, PersonSays::Text(text.to_owned()))).await
    }

    /// Sends a voice note, or an audio file if the type says so, from the person with this phone
    /// number.
    pub async fn send_audio(&self, from: &str, bytes: Bytes, mime_type: &str) -> MessageId {
        let mime_type = mime_type.to_owned();
        let says = PersonSays::Audio { bytes, mime_type, with_url: true };
        self.send(PersonMessage::new(from, says)).await
    }

    /// Finds what a person taps in a message that hark sent, by its title or its id.
    #[must_use]
    pub fn tap(&self, message: &MessageId, choice: &str) -> Option<PersonSays> {
        let state = self.shared.state();
        let content = state.messages.iter().find(|kept| kept.id == *message)?.content.as_ref()?;
        let action = &content["action"];
        let buttons = action["buttons"].as_array().into_iter().flatten();
        let buttons = buttons.map(|button| ("button_reply", &button["reply"]));
        let sections = action["sections"].as_array().into_iter().flatten();
        let rows = sections.filter_map(|section| section["rows"].as_array()).flatten();
        let mut choices = buttons.chain(rows.map(|row| ("list_reply", row)));
        let is_it = |(_, reply): &(&str, &Value)| reply["title"] == choice || reply["id"] == choice;
        let (kind, reply) = choices.find(is_it)?;
        Some(PersonSays::Tap { kind, reply: reply.clone() })
    }

    /// Sends a message from a person; returns when its webhook is queued.
    pub async fn send(&self, message: PersonMessage) -> MessageId {
        let said = self.said(message);
        let id = said.id.clone();
        let _nobody_waits = self.shared.post_said(said).await;
        id
    }

    /// Sends a message beside all others; returns its id when its webhook was answered 200, and how
    /// long that took.
    ///
    /// # Errors
    /// The status it was answered with last, or none, when it was given up.
    pub async fn deliver(&self, message: PersonMessage) -> (MessageId, Result<Duration, GivenUp>) {
        let said = self.said(message);
        let (id, posted) = (said.id.clone(), Instant::now());
        let delivered = if self.shared.faults.is_some() {
            let answered = self.shared.post_said(said).await.await;
            answered.unwrap_or(Err(GivenUp { status: None }))
        } else {
            let webhook = self.shared.settings.envelope(said.webhook());
            self.shared.courier.deliver(webhook.to_string().into()).await
        };
        (id, delivered.map(|()| posted.elapsed()))
    }

    /// Keeps a message of a person.
    fn said(&self, message: PersonMessage) -> SaidMessage {
        let shared = &self.shared;
        let id = message.id.unwrap_or_else(|| MessageId(shared.new_id("wamid.sim.")));
        let at_ms = shared.now_ms();
        let mut sent = json!({ "id": id, "timestamp": timestamp(at_ms) });
        let mut contact = json!({ "profile": {} });
        if !message.from.is_empty() {
            sent["from"] = message.from.as_str().into();
            contact["wa_id"] = message.from.as_str().into();
        }
        if let Some(user_id) = &message.user_id {
            sent["from_user_id"] = user_id.as_str().into();
            contact["user_id"] = user_id.as_str().into();
        }
        if let Some(name) = &message.name {
            contact["profile"]["name"] = name.as_str().into();
        }
        if let Some(quoted) = &message.quotes {
            sent["context"] = json!({ "id": quoted });
        }
        let key = shared.know(&message.from, message.user_id.as_deref(), message.name.as_deref());
        let about = shared.faults.as_ref().map(|dice| dice.name(&key, &id.0)).unwrap_or_default();
        let mut kept = ConversationMessage {
            contact: key,
            direction: Direction::In,
            id: id.clone(),
            kind: "text",
            text: None,
            media: None,
            content: None,
            reply_to: message.quotes,
            callback_data: None,
            unanswered: false,
            at_ms,
            statuses: Vec::new(),
        };
        let body = shared.says(message.says, &mut kept, &about);
        sent[kept.kind] = body;
        sent["type"] = kept.kind.into();
        {
            let mut state = shared.state();
            if state.message_mut(&id.0).is_none() {
                state.add_message(kept);
            }
        }
        shared.changed();
        SaidMessage { id, about, message: sent, contact }
    }

    /// Sends webhooks there from now on, as who registers an address with 360dialog.
    pub fn send_webhooks_to(&self, target: WebhookTarget) {
        self.shared.courier.set_target(target);
    }

    /// Queues any webhook body, signed: for payloads that people cannot cause.
    pub async fn post_webhook(&self, body: &Value) {
        self.shared.inbound.post(body).await;
    }

    /// Waits until every queued webhook has been answered 200 or given up.
    pub async fn settled(&self) {
        let mut pending = self.shared.pending.subscribe();
        // An error means that the sender has been dropped, and with it every webhook.
        pending.wait_for(|count| *count == 0).await.ok();
    }

    /// Waits for the first message of hark that answers `message` and returns it.
    pub async fn wait_for_reply(
        &self,
        message: &MessageId,
        timeout: Duration,
    ) -> Option<ConversationMessage> {
        let mut changes = self.shared.changes.subscribe();
        let reply = async {
            loop {
                let reply = self.shared.state().reply_to(message).cloned();
                if reply.is_some() || changes.changed().await.is_err() {
                    return reply;
                }
            }
        };
        tokio::time::timeout(timeout, reply).await.ok().flatten()
    }

    /// Returns every message of hark, in order.
    #[must_use]
    pub fn sent(&self) -> Vec<ConversationMessage> {
        let mut messages = self.messages();
        messages.retain(|message| message.direction == Direction::Out);
        messages
    }

    /// Returns every message in both directions, in order.
    #[must_use]
    pub fn messages(&self) -> Vec<ConversationMessage> {
        self.shared.state().messages.iter().cloned().collect()
    }

    /// Returns every call of the API, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.shared.state().calls.iter().cloned().collect()
    }

    /// Returns the answer of `GET /sim/conversations`: messages by contact, and all calls.
    #[must_use]
    pub fn conversations(&self) -> Value {
        let state = self.shared.state();
        let mut conversations: Vec<Value> = Vec::new();
        let mut places: HashMap<&String, usize> = HashMap::new();
        for message in &state.messages {
            let contact = &message.contact;
            let place = *places.entry(contact).or_insert_with(|| {
                let name = state.names.get(contact);
                conversations.push(json!({ "contact": contact, "name": name, "messages": [] }));
                conversations.len() - 1
            });
            if let Value::Array(messages) = &mut conversations[place]["messages"] {
                messages.push(json!(message));
            }
        }
        json!({ "conversations": conversations, "calls": state.calls })
    }

    /// Returns the answer of `GET /sim/faults`: the seed, and of each kind how often it comes and came;
    /// null without faults.
    #[must_use]
    pub fn faults(&self) -> Value {
        self.shared.faults.as_ref().map_or(Value::Null, FaultDice::report)
    }

    /// Returns the bytes of a media file.
    #[must_use]
    pub fn note(&self, media: &MediaId) -> Option<Bytes> {
        self.shared.state().media(&media.0).map(|media| media.bytes.clone())
    }

    /// Makes the next `times` calls of a kind fail with this status and code.
    pub fn fail_next(&self, kind: CallKind, http_status: u16, code: i64, times: usize) {
        self.shared.state().faults.push(Fault { kind, http_status, code, times });
    }

    /// Lets the next `times` messages be accepted and then fail with a status of this code.
    pub fn fail_delivery(&self, code: i64, times: usize) {
        self.shared.state().failing_sends = (code, times);
    }

    /// Says whether people play the notes that they get; they do until they do not.
    pub fn set_plays(&self, plays: bool) {
        self.shared.state().unplayed = !plays;
    }

    /// Deletes a media file, as Meta does after 7 or 30 days. Its id must be one the simulator
    /// gave.
    pub fn drop_media(&self, media: &MediaId) {
        self.shared.state().drop_media(&media.0);
    }
}

impl PersonMessage {
    /// Makes a message of a person with a phone number.
    #[must_use]
    pub fn new(from: &str, says: PersonSays) -> Self {
        let from = from.to_owned();
        Self { from, user_id: None, name: None, id: None, quotes: None, says }
    }
}
