//! The service as the bridge knows it: events, commands and the sound of turns, over HTTP with a token.

use std::time::Duration;

use reqwest::{Client, Response, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::error::{BridgeError, Shore, judge};
use crate::remote::{SILENCE, endpoint_of};
use crate::turn::EventType;

/// Longest wait for the answer to a command: a recording of five minutes is made a voice note first.
const COMMAND_TIME: Duration = Duration::from_secs(130);
/// Longest download of a sound.
const SOUND_TIME: Duration = Duration::from_mins(1);
/// Largest sound that WhatsApp carries.
const SOUND_BYTES: usize = 16 << 20;

/// What the bridge wants to know.
pub(super) const FOLLOWED: [EventType; 10] = [
    EventType::TextReceived,
    EventType::VoiceReceived,
    EventType::MediaReceived,
    EventType::Transcribed,
    EventType::TicketOpened,
    EventType::ConversationDocument,
    EventType::OperatorAnswered,
    EventType::TicketClosed,
    EventType::MessageFailed,
    EventType::TurnEnded,
];

/// A command to hark.
pub(super) struct BridgeCommand<'a> {
    /// What makes it one.
    pub(super) id: String,
    pub(super) kind: EventType,
    pub(super) conversation: &'a str,
    pub(super) data: Value,
}

/// A sound as hark gives it out.
#[derive(Clone)]
pub(super) struct FetchedSound {
    pub(super) bytes: Vec<u8>,
    /// Its media type.
    pub(super) kind: String,
}

/// Calls hark.
pub(super) struct HarkClient {
    pub(super) client: Client,
    pub(super) base: Url,
    pub(super) token: SecretString,
    /// In the `source` of commands: which inbox they come from.
    pub(super) source: String,
    /// The number whose events are wanted.
    pub(super) number: Option<String>,
}

impl HarkClient {
    /// Opens the stream of events behind a position, or from now on.
    pub(super) async fn events(&self, after: Option<i64>) -> Result<Response, BridgeError> {
        let mut address = endpoint_of(&self.base, "/api/v1/events");
        let types = FOLLOWED.map(EventType::name).join(",");
        address.query_pairs_mut().append_pair("types", &types);
        if let Some(number) = &self.number {
            address.query_pairs_mut().append_pair("number", number);
        }
        let mut request = self.client.get(address).bearer_auth(self.token.expose_secret());
        if let Some(after) = after {
            request = request.header("Last-Event-ID", after.to_string());
        }
        let sent = timeout(SILENCE, request.send()).await;
        let response = sent.map_err(|_late| late())?;
        let response = response.map_err(|error| BridgeError::unanswered(Shore::Hark, error))?;
        let response = judge(Shore::Hark, response).await?;
        let kind = response.headers().get("content-type").and_then(|kind| kind.to_str().ok());
        if kind.is_none_or(|kind| !kind.starts_with("text/event-stream")) {
            return Err(BridgeError::odd(Shore::Hark, "something that is no stream of events"));
        }
        Ok(response)
    }

    /// Sends a command; returns what was done.
    pub(super) async fn command(&self, command: BridgeCommand<'_>) -> Result<Value, BridgeError> {
        let event = json!({
            "specversion": "1.0",
            "id": command.id,
            "source": self.source,
            "type": command.kind.name(),
            "subject": command.conversation,
            "data": command.data,
        });
        let request = self
            .client
            .post(endpoint_of(&self.base, "/api/v1/events"))
            .bearer_auth(self.token.expose_secret())
            .timeout(COMMAND_TIME)
            .json(&event);
        let response = request.send().await;
        let response = response.map_err(|error| BridgeError::unanswered(Shore::Hark, error))?;
        let done = judge(Shore::Hark, response).await?.json().await;
        done.map_err(|error| BridgeError::unanswered(Shore::Hark, error))
    }

    /// Fetches what a person sent with a turn; `None` if it is not there, or not yet.
    pub(super) async fn sound(&self, turn: &str) -> Result<Option<FetchedSound>, BridgeError> {
        let mut address = endpoint_of(&self.base, "/api/v1/turns");
        if let Ok(mut path) = address.path_segments_mut() {
            path.extend([turn, "audio", "in"]);
        }
        let request = self.client.get(address).bearer_auth(self.token.expose_secret());
        let response = request.timeout(SOUND_TIME).send().await;
        let response = response.map_err(|error| BridgeError::unanswered(Shore::Hark, error))?;
        let mut response = match judge(Shore::Hark, response).await {
            Err(BridgeError::Refused { status: 404, .. }) => return Ok(None),
            other => other?,
        };
        let kind = response.headers().get("content-type").and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or("audio/ogg").to_owned();
        let mut bytes = Vec::new();
        while let Some(piece) =
            response.chunk().await.map_err(|error| BridgeError::unanswered(Shore::Hark, error))?
        {
            bytes.extend_from_slice(&piece);
            if bytes.len() > SOUND_BYTES {
                return Ok(None);
            }
        }
        Ok(Some(FetchedSound { bytes, kind }))
    }
}

fn late() -> BridgeError {
    BridgeError::Away { shore: Shore::Hark, why: "it does not answer".to_owned(), after: None }
}
