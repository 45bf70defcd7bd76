//! Chatwoot as the bridge knows it: its Application API, with the token of an agent.
//!
//! Source: Chatwoot's API documentation, and its controllers for what the documentation leaves open.

use std::time::Duration;

use reqwest::multipart::{Form, Part};
use reqwest::{Client, Method, RequestBuilder, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::error::{BridgeError, Shore, judge};
use super::hark::FetchedSound;

/// Longest wait for an answer.
const ANSWER_TIME: Duration = Duration::from_secs(30);
/// Longest upload of a sound.
const UPLOAD_TIME: Duration = Duration::from_mins(2);
/// Pages that are looked through for a message: a hundred messages.
const PAGES: usize = 5;

/// A contact of an inbox in Chatwoot.
#[derive(Clone)]
pub(super) struct DeskContact {
    pub(super) id: i64,
    /// Who they are in the inbox.
    pub(super) source: String,
}

/// A person, as hark tells of them.
pub(super) struct BridgedPerson {
    /// hark's id for the contact.
    pub(super) id: String,
    pub(super) name: Option<String>,
    /// Digits.
    pub(super) phone: Option<String>,
}

impl BridgedPerson {
    /// Reads the `contact` of an event.
    pub(super) fn read(contact: &Value) -> Self {
        let word = |key: &str| contact[key].as_str().map(str::to_owned);
        Self { id: word("id").unwrap_or_default(), name: word("name"), phone: word("phone") }
    }

    fn identifier(&self) -> String {
        format!("hark-{}", self.id)
    }

    /// The number as Chatwoot takes it: E.164.
    fn e164(&self) -> Option<String> {
        let digits = self.phone.as_deref()?;
        let fits = (2..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit());
        fits.then(|| format!("+{digits}"))
    }
}

/// What is posted into a conversation.
#[derive(Clone, Default)]
pub(super) struct DeskPost {
    /// What makes it one: the message's `source_id`.
    pub(super) source: String,
    pub(super) content: String,
    /// A note for the desk alone, else words of the person.
    pub(super) private: bool,
    /// The message that a note is about.
    pub(super) about: Option<i64>,
    pub(super) sound: Option<FetchedSound>,
}

/// Calls Chatwoot.
pub(super) struct DeskClient {
    pub(super) client: Client,
    pub(super) base: Url,
    pub(super) token: SecretString,
    pub(super) account: u64,
    pub(super) inbox: u64,
}

impl DeskClient {
    /// Looks the inbox up.
    ///
    /// # Errors
    /// `Setup` if there is no such inbox, or it is of another channel.
    pub(super) async fn inbox(&self) -> Result<Value, BridgeError> {
        let path = format!("inboxes/{}", self.inbox);
        let inbox = match self.call(Method::GET, &path, None).await {
            Err(BridgeError::Refused { shore, status, why }) => {
                return Err(BridgeError::Setup {
                    shore,
                    why: format!("has no such inbox ({status}, {why})"),
                    fix: "look at --account and --inbox: both numbers are in the address of the \
                          inbox's settings",
                });
            }
            other => other?,
        };
        if inbox["channel_type"] != "Channel::Api" {
            return Err(BridgeError::Setup {
                shore: Shore::Chatwoot,
                why: "has an inbox of another channel there".to_owned(),
                fix: "--inbox must be one of the channel API",
            });
        }
        Ok(inbox)
    }

    /// Makes a contact, or finds the one that is there.
    pub(super) async fn contact(&self, person: &BridgedPerson) -> Result<DeskContact, BridgeError> {
        let (identifier, phone) = (person.identifier(), person.e164());
        let name = person.name.clone().or_else(|| phone.clone());
        let mut new = json!({
            "inbox_id": self.inbox,
            "identifier": identifier,
            "name": name.unwrap_or_else(|| "WhatsApp".to_owned()),
        });
        if let Some(phone) = &phone {
            new["phone_number"] = json!(phone);
        }
        let refused = match self.call(Method::POST, "contacts", Some(&new)).await {
            Ok(made) => {
                let made = &made["payload"];
                let id = id_of(&made["contact"])?;
                let source = made["contact_inbox"]["source_id"].as_str();
                let source = source.map_or(identifier, str::to_owned);
                return Ok(DeskContact { id, source });
            }
            Err(error) if error.refusal().is_some_and(|(status, _)| status == 422) => error,
            Err(error) => return Err(error),
        };
        // Somebody has this identifier or this number already.
        for (key, word) in [("identifier", Some(identifier.clone())), ("phone_number", phone)] {
            let Some(word) = word else { continue };
            if let Some(found) = self.search(key, &word).await? {
                return self.known(&found, identifier);
            }
        }
        Err(refused)
    }

    async fn search(&self, key: &str, word: &str) -> Result<Option<Value>, BridgeError> {
        let mut address = self.address("contacts/search");
        address.query_pairs_mut().append_pair("q", word);
        let found = self.send(self.client.get(address).timeout(ANSWER_TIME)).await?;
        let list = found["payload"].as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(list.iter().find(|contact| contact[key] == word).cloned())
    }

    fn known(&self, contact: &Value, source: String) -> Result<DeskContact, BridgeError> {
        let inboxes = contact["contact_inboxes"].as_array().map(Vec::as_slice).unwrap_or_default();
        let ours = inboxes.iter().find(|inbox| inbox["inbox"]["id"] == self.inbox);
        let source =
            ours.and_then(|inbox| inbox["source_id"].as_str()).map_or(source, str::to_owned);
        Ok(DeskContact { id: id_of(contact)?, source })
    }

    /// Finds the conversation that was made for one of hark's.
    pub(super) async fn find_conversation(
        &self,
        contact: &DeskContact,
        hark: &str,
    ) -> Result<Option<i64>, BridgeError> {
        let path = format!("contacts/{}/conversations", contact.id);
        let found = self.call(Method::GET, &path, None).await?;
        let list = found["payload"].as_array().map(Vec::as_slice).unwrap_or_default();
        let ours = list.iter().find(|one| {
            one["inbox_id"] == self.inbox && one["custom_attributes"]["hark_conversation"] == hark
        });
        ours.map(id_of).transpose()
    }

    /// Makes a conversation.
    pub(super) async fn make_conversation(
        &self,
        contact: &DeskContact,
        hark: &str,
    ) -> Result<i64, BridgeError> {
        let new = json!({
            "source_id": contact.source,
            "inbox_id": self.inbox,
            "contact_id": contact.id,
            "status": "open",
            "custom_attributes": { "hark_conversation": hark },
        });
        id_of(&self.call(Method::POST, "conversations", Some(&new)).await?)
    }

    /// Looks up whether a conversation is `open`, `resolved`, `pending` or `snoozed`.
    pub(super) async fn status(&self, conversation: i64) -> Result<String, BridgeError> {
        let found = self.call(Method::GET, &format!("conversations/{conversation}"), None).await?;
        Ok(found["status"].as_str().unwrap_or_default().to_owned())
    }

    /// Sets it.
    pub(super) async fn set_status(
        &self,
        conversation: i64,
        status: &str,
    ) -> Result<(), BridgeError> {
        let path = format!("conversations/{conversation}/toggle_status");
        self.call(Method::POST, &path, Some(&json!({ "status": status }))).await.map(drop)
    }

    /// Posts a message.
    pub(super) async fn post(&self, to: i64, post: &DeskPost) -> Result<(), BridgeError> {
        let path = format!("conversations/{to}/messages");
        let kind = if post.private { "outgoing" } else { "incoming" };
        let Some(sound) = &post.sound else {
            let mut message = json!({
                "content": post.content,
                "message_type": kind,
                "private": post.private,
                "source_id": post.source,
            });
            if let Some(about) = post.about {
                message["content_attributes"] = json!({ "in_reply_to": about });
            }
            return self.call(Method::POST, &path, Some(&message)).await.map(drop);
        };
        // Parameters of a media type are not part of it to Chatwoot.
        let media = sound.kind.split(';').next().unwrap_or_default().trim();
        let name = if media == "audio/ogg" { "voice-note.ogg" } else { "voice-note" };
        let part = Part::bytes(sound.bytes.clone()).file_name(name);
        let part = part
            .mime_str(media)
            .unwrap_or_else(|_odd| Part::bytes(sound.bytes.clone()).file_name(name));
        let form = Form::new()
            .text("content", post.content.clone())
            .text("message_type", kind)
            .text("private", post.private.to_string())
            .text("source_id", post.source.clone())
            .part("attachments[]", part);
        let request = self.client.post(self.address(&path)).multipart(form);
        self.send(request.timeout(UPLOAD_TIME)).await.map(drop)
    }

    /// Returns whether a message is there, among the last hundred.
    pub(super) async fn has_message(&self, within: i64, source: &str) -> Result<bool, BridgeError> {
        let mut before: Option<i64> = None;
        for _ in 0..PAGES {
            let mut address = self.address(&format!("conversations/{within}/messages"));
            if let Some(before) = before {
                address.query_pairs_mut().append_pair("before", &before.to_string());
            }
            let page = self.send(self.client.get(address).timeout(ANSWER_TIME)).await?;
            let list = page["payload"].as_array().map(Vec::as_slice).unwrap_or_default();
            if list.iter().any(|message| message["source_id"] == source) {
                return Ok(true);
            }
            before = list.iter().filter_map(|message| message["id"].as_i64()).min();
            if before.is_none() {
                break;
            }
        }
        Ok(false)
    }

    fn address(&self, path: &str) -> Url {
        crate::remote::endpoint_of(&self.base, &format!("/api/v1/accounts/{}/{path}", self.account))
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, BridgeError> {
        let mut request = self.client.request(method, self.address(path));
        if let Some(body) = body {
            request = request.json(body);
        }
        self.send(request.timeout(ANSWER_TIME)).await
    }

    async fn send(&self, request: RequestBuilder) -> Result<Value, BridgeError> {
        let request = request.header("api_access_token", self.token.expose_secret());
        let response = request.send().await;
        let response = response.map_err(|error| BridgeError::unanswered(Shore::Chatwoot, error))?;
        let body = judge(Shore::Chatwoot, response).await?.bytes().await;
        let body = body.map_err(|error| BridgeError::unanswered(Shore::Chatwoot, error))?;
        serde_json::from_slice(&body)
            .map_err(|_odd| BridgeError::odd(Shore::Chatwoot, "something that is no JSON"))
    }
}

fn id_of(object: &Value) -> Result<i64, BridgeError> {
    let odd = || BridgeError::odd(Shore::Chatwoot, "JSON that is not its API's");
    object["id"].as_i64().ok_or_else(odd)
}
