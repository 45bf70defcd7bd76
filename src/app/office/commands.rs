//! Commands of other systems: the desk's own deeds, asked for by events.

use async_trait::async_trait;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::Office;
use super::conversations::conversation_id;
use crate::http::api::{
    ApiRefusal, AssignInput, Caller, CommandDone, CommandInput, CommandsApi, ConversationsApi,
    PersonSaid, TicketsApi,
};
use crate::store::{Desk as _, TicketRow, TicketSearch};
use crate::turn::{EventType, Personal, TicketEnd, TicketReason};

/// What a command may be.
const COMMANDS: [EventType; 5] = [
    EventType::OpenTicket,
    EventType::AgentAssigned,
    EventType::GetConversation,
    EventType::OperatorAnswered,
    EventType::TicketClosed,
];

#[async_trait]
impl CommandsApi for Office {
    async fn command(
        &self,
        caller: &Caller,
        input: CommandInput,
    ) -> Result<CommandDone, ApiRefusal> {
        if input.specversion != "1.0" {
            return Err(ApiRefusal::invalid("specversion", "must be 1.0"));
        }
        let kind = COMMANDS.into_iter().find(|kind| kind.name() == input.r#type);
        let kind = kind.ok_or_else(|| {
            let names: Vec<&str> = COMMANDS.iter().map(|kind| kind.name()).collect();
            ApiRefusal::invalid("type", format!("is no command: send {}", names.join(", ")))
        })?;
        let word = |key: &str| input.data[key].as_str().map(str::to_owned);
        // Both forms that `agent-assigned` has when hark tells it.
        let operator =
            word("operator").or_else(|| input.data["operator"]["id"].as_str().map(str::to_owned));
        let named = input.subject.clone().or_else(|| word("conversation"));
        let ticket = self.named_ticket(named.as_deref(), word("ticket")).await?;
        let conversation = match (named, &ticket) {
            (Some(id), _) => conversation_id(&id)?,
            (None, Some(ticket)) => ticket.conversation,
            (None, None) => {
                return Err(ApiRefusal::invalid("subject", "is missing: name the conversation"));
            }
        };
        let mut done = CommandDone {
            r#type: input.r#type.clone(),
            conversation: conversation.to_string(),
            ticket: ticket.as_ref().map(|ticket| ticket.id.clone()),
            turn: None,
        };
        let open = || ticket.as_ref().map(|ticket| ticket.id.clone()).ok_or_else(no_ticket);
        match kind {
            EventType::OpenTicket => {
                let summary = word("summary").map(Personal);
                let (reason, skill) = (TicketReason::Command, word("skill"));
                let opened = self.take_over(conversation, reason, summary, skill, operator).await?;
                done.ticket = Some(opened.id);
            }
            EventType::AgentAssigned => {
                self.assign_ticket(&open()?, None, AssignInput { operator }).await?;
            }
            EventType::TicketClosed => {
                self.end_ticket(&open()?, None, TicketEnd::Command).await?;
            }
            EventType::OperatorAnswered => {
                let said = said(&input.data)?;
                let taken = self
                    .say(caller, &done.conversation, said, operator, Some(&input.key()))
                    .await?;
                (done.ticket, done.turn) = (Some(taken.ticket), Some(taken.turn));
            }
            _ => self.tell_conversation(conversation, done.ticket.clone()).await?,
        }
        Ok(done)
    }
}

impl Office {
    /// Finds the ticket that a command names, or the open one of its conversation.
    async fn named_ticket(
        &self,
        conversation: Option<&str>,
        ticket: Option<String>,
    ) -> Result<Option<TicketRow>, ApiRefusal> {
        let named = ticket.is_some();
        let conversation = conversation.map(conversation_id).transpose()?;
        if !named && conversation.is_none() {
            return Ok(None);
        }
        let open = (!named).then_some(true);
        let search =
            TicketSearch { id: ticket, open, conversation, limit: 1, ..TicketSearch::default() };
        let found = self.store.tickets(search).await?.pop();
        if named && found.is_none() {
            return Err(ApiRefusal::NotFound("ticket of this id in the conversation".to_owned()));
        }
        Ok(found)
    }
}

fn no_ticket() -> ApiRefusal {
    ApiRefusal::Conflict("the conversation has no open ticket: open one first".to_owned())
}

/// Reads what an operator says.
fn said(data: &Value) -> Result<PersonSaid, ApiRefusal> {
    match (data["text"].as_str(), data["audio"].as_str()) {
        (Some(text), None) => Ok(PersonSaid::Text(text.to_owned())),
        (None, Some(audio)) => {
            let bytes = BASE64_STANDARD.decode(audio.trim());
            let bytes = bytes.map_err(|_| ApiRefusal::invalid("data.audio", "must be Base64"))?;
            Ok(PersonSaid::Recording(bytes))
        }
        _ => Err(ApiRefusal::invalid("data", "must have a text, or an audio in Base64")),
    }
}
