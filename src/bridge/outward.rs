//! From Chatwoot to hark: what a person of the desk writes or says goes out as text or as a voice note.
//!
//! Invariant: each part is a command with an id of its own, which hark does once; what cannot be sent is
//! said in the conversation, beside what was written.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::Bridge;
use super::error::BridgeError;
use super::fetch::Unfetched;
use super::hark::BridgeCommand;
use super::hook::{DeskFile, DeskMessage};
use super::links::BridgedConversation;
use super::state::{BridgeItem, ItemLeaves};
use super::words::{operator, plain};
use super::work::{ItemProgress, Since};
use crate::turn::EventType;

/// How long Chatwoot may say that a file is not there yet: it is written after the message.
const SETTLE_TIME: Duration = Duration::from_secs(10);
/// Time between two tries meanwhile.
const LOOK: Duration = Duration::from_millis(300);

/// Says what became of a part.
enum PartSent {
    Yes,
    /// No, and why.
    No(String),
    /// Perhaps in a moment.
    NotYet,
}

impl Bridge {
    /// Sends what was written.
    pub(super) async fn answer(
        &self,
        item: &BridgeItem,
        since: &mut Since,
    ) -> Result<ItemProgress, BridgeError> {
        let Ok(message) = serde_json::from_str::<DeskMessage>(item.body.reveal()) else {
            self.state.done(vec![item.id], ItemLeaves::Nothing).await?;
            return Ok(ItemProgress::Done);
        };
        let patient = since.first.elapsed() < SETTLE_TIME;
        let mut problems = Vec::new();
        match self.state.by_chatwoot(message.conversation).await? {
            None => problems.push(
                "hark does not know this conversation: one begins when a person writes on WhatsApp"
                    .to_owned(),
            ),
            Some(known) => {
                for part in parts(&message) {
                    match self.send(&known, &message, part, patient).await? {
                        PartSent::Yes => {}
                        PartSent::No(problem) => problems.push(problem),
                        PartSent::NotYet => return Ok(ItemProgress::Later(LOOK)),
                    }
                }
            }
        }
        if !problems.is_empty() {
            let content = format!("Not sent: {}", problems.join("; "));
            let source = format!("hark-refused-{}", message.id);
            self.note(item, message.conversation, source, content, Some(message.id)).await?;
            self.state.said(message.id, "refused", None).await?;
        }
        self.state.done(vec![item.id], ItemLeaves::Nothing).await?;
        Ok(ItemProgress::Done)
    }

    async fn send(
        &self,
        known: &BridgedConversation,
        message: &DeskMessage,
        part: MessagePart<'_>,
        patient: bool,
    ) -> Result<PartSent, BridgeError> {
        let (name, content) = match part {
            MessagePart::Words(words) => ("text".to_owned(), json!({ "text": words })),
            MessagePart::File(file) if matches!(file.kind.as_str(), "audio" | "video") => {
                let bytes = match self.fetch(&file.url).await {
                    Ok(bytes) => bytes,
                    Err(Unfetched::Missing) if patient => return Ok(PartSent::NotYet),
                    Err(Unfetched::Missing) => {
                        let gone = format!("Chatwoot does not give out the {} file", file.kind);
                        return Ok(PartSent::No(gone));
                    }
                    Err(Unfetched::Never(problem)) => return Ok(PartSent::No(problem)),
                    Err(Unfetched::Away(error)) => return Err(error),
                };
                (file.id.to_string(), json!({ "audio": BASE64_STANDARD.encode(bytes) }))
            }
            MessagePart::File(file) => {
                let problem = format!("hark sends text and voice, and no {}", file.kind);
                return Ok(PartSent::No(problem));
            }
        };
        let mut data = content;
        data["operator"] = json!(operator(&message.sender));
        let command = BridgeCommand {
            id: format!("chatwoot {} {name}", message.id),
            kind: EventType::OperatorAnswered,
            conversation: &known.hark,
            data,
        };
        match self.hark.command(command).await {
            Ok(done) => {
                let turn = done["turn"].as_str().map(str::to_owned);
                self.state.said(message.id, &name, turn).await?;
                Ok(PartSent::Yes)
            }
            Err(error) => match error.refusal() {
                Some((_, why)) => Ok(PartSent::No(why.to_owned())),
                None => Err(error),
            },
        }
    }

    /// Closes the ticket of a conversation that was resolved.
    pub(super) async fn resolved(&self, item: &BridgeItem) -> Result<ItemProgress, BridgeError> {
        let body: Value = serde_json::from_str(item.body.reveal()).unwrap_or_default();
        let chatwoot = body["conversation"].as_i64().unwrap_or_default();
        let known = self.state.by_chatwoot(chatwoot).await?;
        let open = known.and_then(|known| Some((known.hark, known.ticket?)));
        if let Some((hark, ticket)) = open {
            let status = match self.desk.status(chatwoot).await {
                Err(error) if error.refusal().is_some_and(|(status, _)| status == 404) => {
                    "deleted".to_owned()
                }
                status => status?,
            };
            // It may have been opened again meanwhile, by a ticket that is newer than the call.
            if ["resolved", "deleted"].contains(&status.as_str()) {
                let id = format!("resolved {ticket}");
                let data = json!({ "ticket": ticket });
                self.ask(EventType::TicketClosed, id, &hark, data).await?;
            }
        }
        self.state.done(vec![item.id], ItemLeaves::Nothing).await?;
        Ok(ItemProgress::Done)
    }
}

/// A part of what was written: hark sends each as a message.
enum MessagePart<'a> {
    File(&'a DeskFile),
    Words(String),
}

/// Returns the parts of a message: the files, then the words.
fn parts(message: &DeskMessage) -> Vec<MessagePart<'_>> {
    let words = plain(&message.content);
    let words = (!words.reveal().trim().is_empty()).then_some(MessagePart::Words(words.0));
    message.files.iter().map(MessagePart::File).chain(words).collect()
}
