//! From hark to Chatwoot: tickets become conversations, what people say becomes messages.
//!
//! Invariant: a ticket is taken only once its conversation is there, so that hark's agent is not silenced
//! for a desk that is away.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::Bridge;
use super::desk::{BridgedPerson, DeskContact, DeskPost};
use super::error::{BridgeError, Shore};
use super::hark::BridgeCommand;
use super::links::BridgedConversation;
use super::state::{BridgeItem, ItemLeaves};
use super::words::{self, DESK};
use super::work::{ItemProgress, Since};
use crate::turn::EventType;

/// How long the words of a voice note are waited for.
const WORDS_TIME: Duration = Duration::from_mins(2);
/// How long its sound is, once the turn is over: hark keeps it then.
const SOUND_TIME: Duration = Duration::from_secs(15);
/// Time between two looks for either.
const LOOK: Duration = Duration::from_millis(200);

/// An event of hark, as it was kept.
struct KeptEvent {
    id: String,
    conversation: String,
    data: Value,
}

impl KeptEvent {
    fn read(item: &BridgeItem) -> Self {
        let mut body: Value = serde_json::from_str(item.body.reveal()).unwrap_or_default();
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (id, conversation) = (word(&body["event"]), word(&body["conversation"]));
        Self { id, conversation, data: body["data"].take() }
    }

    fn word(&self, key: &str) -> Option<&str> {
        self.data[key].as_str()
    }

    /// What makes a message of Chatwoot the one of this event.
    fn source(&self) -> String {
        format!("hark-event-{}", self.id)
    }
}

impl Bridge {
    /// Tells Chatwoot of an event.
    pub(super) async fn told(
        &self,
        item: &BridgeItem,
        since: &mut Since,
    ) -> Result<ItemProgress, BridgeError> {
        let event = KeptEvent::read(item);
        let known = self.state.conversation(&event.conversation).await?;
        let kind: Option<EventType> =
            super::hark::FOLLOWED.into_iter().find(|followed| followed.name() == item.kind);
        let told = match kind {
            Some(EventType::TicketOpened) => self.opened(item, &event, known.as_ref()).await,
            Some(EventType::VoiceReceived) => self.voice(item, &event, known, since).await,
            Some(EventType::TextReceived | EventType::MediaReceived) => {
                self.received(item, &event, known).await
            }
            Some(EventType::Transcribed) => self.transcribed(item, &event, known).await,
            Some(EventType::ConversationDocument) => self.document(item, &event, known).await,
            Some(EventType::OperatorAnswered) => self.answered(item, &event, known).await,
            Some(EventType::TicketClosed) => self.closed(item, &event, known).await,
            Some(EventType::MessageFailed | EventType::TurnEnded) => {
                self.failed(item, &event, known).await
            }
            _ => self.finish(item, ItemLeaves::Nothing).await,
        };
        // Somebody deleted the conversation or the person in Chatwoot: both are made again, once.
        if let Err(BridgeError::Refused { shore: Shore::Chatwoot, status: 404, .. }) = &told
            && since.refused == 0
        {
            self.state.forget(&event.conversation).await?;
        }
        told
    }

    async fn finish(
        &self,
        item: &BridgeItem,
        leaves: ItemLeaves,
    ) -> Result<ItemProgress, BridgeError> {
        self.state.done(vec![item.id], leaves).await?;
        Ok(ItemProgress::Done)
    }

    async fn opened(
        &self,
        item: &BridgeItem,
        event: &KeptEvent,
        known: Option<&BridgedConversation>,
    ) -> Result<ItemProgress, BridgeError> {
        let ticket = event.word("ticket").unwrap_or_default();
        self.take_ticket(item, event, known, ticket).await?;
        self.finish(item, ItemLeaves::Nothing).await
    }

    /// Makes a ticket's conversation, and takes the ticket: hark's agent is silent from then on.
    async fn take_ticket(
        &self,
        item: &BridgeItem,
        event: &KeptEvent,
        known: Option<&BridgedConversation>,
        ticket: &str,
    ) -> Result<(), BridgeError> {
        let hark = event.conversation.as_str();
        let chatwoot = match known {
            Some(known) => {
                self.desk.set_status(known.chatwoot, "open").await?;
                known.chatwoot
            }
            None => self.make_conversation(item, event).await?,
        };
        let why = |key: &str| event.word(key).map(str::to_owned);
        self.state.opened(hark, ticket, (why("reason"), why("summary"))).await?;
        let data = json!({ "ticket": ticket, "operator": DESK });
        self.ask(EventType::AgentAssigned, format!("assign {ticket}"), hark, data).await?;
        let (id, data) = (format!("document {ticket} {chatwoot}"), json!({ "ticket": ticket }));
        self.ask(EventType::GetConversation, id, hark, data).await
    }

    /// Sends a command that has no sense any more if the ticket or the conversation is over.
    pub(super) async fn ask(
        &self,
        kind: EventType,
        id: String,
        conversation: &str,
        data: Value,
    ) -> Result<(), BridgeError> {
        match self.hark.command(BridgeCommand { id, kind, conversation, data }).await {
            Err(error) if error.refusal().is_some_and(|(status, _)| status == 409) => {
                tracing::info!("a command came too late: {error}");
                Ok(())
            }
            done => done.map(drop),
        }
    }

    async fn make_conversation(
        &self,
        item: &BridgeItem,
        event: &KeptEvent,
    ) -> Result<i64, BridgeError> {
        let person = BridgedPerson::read(&event.data["contact"]);
        let contact = if let Some((id, source)) = self.state.contact(&person.id).await? {
            DeskContact { id, source }
        } else {
            let contact = self.desk.contact(&person).await?;
            self.state.keep_contact(&person.id, contact.id, &contact.source).await?;
            contact
        };
        let hark = event.conversation.as_str();
        let begun = self.state.begin(&format!("conversation {hark}"), item.id).await?;
        let found = if begun { self.desk.find_conversation(&contact, hark).await? } else { None };
        let chatwoot = match found {
            Some(found) => found,
            None => match self.desk.make_conversation(&contact, hark).await {
                Ok(made) => made,
                // The contact may have been deleted there.
                Err(error) if error.refusal().is_some() => {
                    self.state.forget_contact(&person.id).await?;
                    return Err(error);
                }
                Err(error) => return Err(error),
            },
        };
        self.state.link(hark, &person.id, chatwoot).await?;
        Ok(chatwoot)
    }

    /// Finds the conversation whose ticket a message belongs to; takes a ticket that is not known, as one
    /// that was opened before there was a bridge.
    async fn ticketed(
        &self,
        item: &BridgeItem,
        event: &KeptEvent,
        known: Option<BridgedConversation>,
    ) -> Result<Option<BridgedConversation>, BridgeError> {
        if known.as_ref().is_some_and(|known| known.ticket.is_some()) {
            return Ok(known);
        }
        let Some(ticket) = event.word("ticket") else { return Ok(None) };
        self.take_ticket(item, event, known.as_ref(), ticket).await?;
        self.state.conversation(&event.conversation).await
    }

    async fn received(
        &self,
        item: &BridgeItem,
        event: &KeptEvent,
        known: Option<BridgedConversation>,
    ) -> Result<ItemProgress, BridgeError> {
        if let Some(known) = self.ticketed(item, event, known).await? {
            let content = words::received(&event.data);
            let post = DeskPost { source: event.source(), content, ..DeskPost::default() };
            self.post_once(item, known.chatwoot, post).await?;
        }
        self.finish(item, ItemLeaves::Nothing).await
    }

    /// Posts a voice note with its sound and its words, once there are both or neither will come.
    async fn voice(
        &self,
        item: &BridgeItem,
        event: &KeptEvent,
        known: Option<BridgedConversation>,
        since: &mut Since,
    ) -> Result<ItemProgress, BridgeError> {
        let Some(known) = self.ticketed(item, event, known).await? else {
            return self.finish(item, ItemLeaves::Nothing).await;
        };
        let heard = self.state.later(item, EventType::Transcribed.name()).await?;
        let ended = self.state.later(item, EventType::TurnEnded.name()).await?.is_some();
        if ended {
            since.ended.get_or_insert_with(Instant::now);
        } else if since.first.elapsed() < WORDS_TIME {
            return Ok(ItemProgress::Later(LOOK));
        }
        let turn = event.word("turn").unwrap_or_default();
        let sound = self.hark.sound(turn).await?;
        let waited = since.ended.unwrap_or(since.first).elapsed();
        if sound.is_none() && waited < SOUND_TIME {
            return Ok(ItemProgress::Later(LOOK));
        }
        let text = heard.as_ref().map(KeptEvent::read);
        let text = text.as_ref().and_then(|heard| heard.word("text"));
        let problem = sound.is_none().then_some("hark has not kept its sound");
        let content = words::voice(text, problem);
        let post = DeskPost { source: event.source(), content, sound, ..DeskPost::default() };
        match self.post_once(item, known.chatwoot, post.clone()).await {
            Err(error) if post.sound.is_some() && error.refusal().is_some_and(is_of_the_file) => {
                let (status, why) = error.refusal().unwrap_or_default();
                let problem = format!("Chatwoot did not take its sound: {why}, {status}");
                let content = words::voice(text, Some(&problem));
                self.post_once(item, known.chatwoot, DeskPost { content, sound: None, ..post })
                    .await?;
            }
            posted => posted?,
        }
        let (mut items, mut leaves) = (vec![item.id], ItemLeaves::Wordless(turn.to_owned()));
        if let Some(heard) = heard {
            items.push(heard.id);
            leaves = ItemLeaves::Nothing;
        }
        self.state.done(items, leaves).await?;
        Ok(ItemProgress::Done)
    }

    /// Posts words that came after their voice note.
    async fn transcribed(
        &self,
        item: &BridgeItem,
        event: &KeptEvent,
        known: Option<BridgedConversation>,
    ) -> Result<ItemProgress, BridgeError> {
        let turn = event.word("turn").unwrap_or_default();
        if let Some(known) = known
            && self.state.is_wordless(turn).await?
        {
            let content = words::voice(event.word("text"), None);
            self.note(item, known.chatwoot, event.source(), content, None).await?;
            return self.finish(item, ItemLeaves::Worded(turn.to_owned())).await;
        }
        self.finish(item, ItemLeaves::Nothing).await
    }

    async fn document(
        &self,
        item: &BridgeItem,
        event: &KeptEvent,
        known: Option<BridgedConversation>,
    ) -> Result<ItemProgress, BridgeError> {
        let Some(known) = known else { return self.finish(item, ItemLeaves::Nothing).await };
        let ticket = event.word("ticket").filter(|ticket| known.ticket.as_deref() == Some(*ticket));
        let Some(ticket) = ticket.filter(|ticket| known.documented.as_deref() != Some(*ticket))
        else {
            return self.finish(item, ItemLeaves::Nothing).await;
        };
        let content = words::history(&known, &event.data["messages"]);
        self.note(item, known.chatwoot, event.source(), content, None).await?;
        self.finish(item, ItemLeaves::Documented(known.hark, ticket.to_owned())).await
    }

    /// Tells what somebody answered past the desk.
    async fn answered(
        &self,
        item: &BridgeItem,
        event: &KeptEvent,
        known: Option<BridgedConversation>,
    ) -> Result<ItemProgress, BridgeError> {
        let operator = event.word("operator").unwrap_or_default();
        if let Some(known) = known
            && !words::is_ours(operator)
        {
            let words = event.word("text").unwrap_or("a voice note");
            let content = format!("Answered outside Chatwoot ({operator}): {words}");
            self.note(item, known.chatwoot, event.source(), content, None).await?;
        }
        self.finish(item, ItemLeaves::Nothing).await
    }

    async fn closed(
        &self,
        item: &BridgeItem,
        event: &KeptEvent,
        known: Option<BridgedConversation>,
    ) -> Result<ItemProgress, BridgeError> {
        let Some(known) = known.filter(|known| known.ticket.as_deref() == event.word("ticket"))
        else {
            return self.finish(item, ItemLeaves::Nothing).await;
        };
        let reason = event.word("reason").unwrap_or_default();
        // Who resolved the conversation here knows it.
        if reason != "command" {
            let content = format!("hark: the ticket is closed ({reason}), the agent answers again");
            self.note(item, known.chatwoot, event.source(), content, None).await?;
        }
        self.desk.set_status(known.chatwoot, "resolved").await?;
        self.finish(item, ItemLeaves::Closed(known.hark)).await
    }

    /// Tells that something was not delivered: what was written in Chatwoot, or said while a ticket is open.
    async fn failed(
        &self,
        item: &BridgeItem,
        event: &KeptEvent,
        known: Option<BridgedConversation>,
    ) -> Result<ItemProgress, BridgeError> {
        let turn = event.word("turn").unwrap_or_default();
        let (said, Some(known)) = (self.state.said_by(turn).await?, known) else {
            return self.finish(item, ItemLeaves::Nothing).await;
        };
        let content = match said {
            _ if item.kind == EventType::MessageFailed.name() => Some(words::failed(&event.data)),
            Some((_, false)) if event.word("outcome") == Some("failed") => {
                let why = event.word("reason").unwrap_or("no reason is given");
                Some(format!("Not sent: {why}"))
            }
            _ => None,
        };
        let Some(content) = content.filter(|_| said.is_some() || known.ticket.is_some()) else {
            return self.finish(item, ItemLeaves::Nothing).await;
        };
        let about = said.map(|(message, _)| message);
        self.note(item, known.chatwoot, event.source(), content, about).await?;
        self.finish(item, ItemLeaves::FailureTold(turn.to_owned())).await
    }

    /// Posts a note for the desk alone.
    pub(super) async fn note(
        &self,
        item: &BridgeItem,
        to: i64,
        source: String,
        content: String,
        about: Option<i64>,
    ) -> Result<(), BridgeError> {
        let post = DeskPost { source, content, private: true, about, sound: None };
        self.post_once(item, to, post).await
    }

    /// Posts something, unless it is there: after a crash, or an answer that did not come, it may be.
    async fn post_once(
        &self,
        item: &BridgeItem,
        to: i64,
        post: DeskPost,
    ) -> Result<(), BridgeError> {
        let begun = self.state.begin(&post.source, item.id).await?;
        if begun && self.desk.has_message(to, &post.source).await? {
            return Ok(());
        }
        self.desk.post(to, &post).await
    }
}

/// Returns whether a refusal is of a file: too large, or of a kind that is not taken.
fn is_of_the_file((status, _): (u16, &str)) -> bool {
    matches!(status, 413 | 415 | 422)
}
