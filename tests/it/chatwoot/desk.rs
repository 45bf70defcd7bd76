//! A server that speaks the part of Chatwoot's API that the bridge uses, as Chatwoot does; `api` has its routes.
//!
//! Shares no code with hark. It is strict: what Chatwoot would refuse it refuses in its words, and what the
//! bridge never should ask for is kept as wrong. Webhooks go to the inbox's URL once, as of Chatwoot.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::openai::serve;

pub(super) const TOKEN: &str = "chatwoot-access-token";
pub(super) const ACCOUNT: u64 = 1;
pub(super) const INBOX: u64 = 3;
/// What the inbox signs with.
pub(super) const SECRET: &str = "inbox-signing-secret";
/// An inbox of another channel.
pub(super) const WEB_INBOX: u64 = 4;

/// What the server does with requests to its API.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Mood {
    Well,
    /// A proxy answers for it with a page.
    Away,
    /// Messages are taken, and the answer is lost.
    LosesAnswers,
}

/// A file that somebody attached.
#[derive(Clone)]
pub(super) struct DeskFile {
    pub(super) kind: String,
    pub(super) bytes: Vec<u8>,
    /// Where it lies, if not here.
    pub(super) elsewhere: Option<String>,
}

#[derive(Default)]
pub(super) struct Inner {
    pub(super) mood: Option<Mood>,
    pub(super) url: String,
    pub(super) webhook: Option<String>,
    pub(super) contacts: Vec<Value>,
    pub(super) conversations: Vec<Value>,
    pub(super) messages: Vec<Value>,
    pub(super) files: Vec<DeskFile>,
    /// What the bridge should not have asked for.
    pub(super) wrong: Vec<String>,
    /// Everything that happened, in words.
    pub(super) story: Vec<String>,
}

/// The server.
#[derive(Clone, Default)]
pub(super) struct FakeDesk(Arc<Mutex<Inner>>);

impl FakeDesk {
    pub(super) async fn start() -> Self {
        let desk = Self::default();
        let url = serve(super::api::routes(desk.clone())).await;
        let url = url.trim_end_matches("/v1").to_owned();
        desk.inner().url = url;
        desk
    }

    pub(super) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    pub(super) fn url(&self) -> String {
        self.inner().url.clone()
    }

    pub(super) fn mood(&self, mood: Mood) {
        self.inner().mood = Some(mood);
    }

    /// Sets the webhook URL of the inbox.
    pub(super) fn calls(&self, url: &str) {
        self.inner().webhook = Some(url.to_owned());
    }

    pub(super) fn wrong(&self) -> Vec<String> {
        self.inner().wrong.clone()
    }

    pub(super) fn story(&self) -> Vec<String> {
        self.inner().story.clone()
    }

    /// Adds a line to what happened.
    pub(super) fn tell(&self, line: String) {
        self.inner().story.push(line);
    }

    /// The messages of all conversations, oldest first.
    pub(super) fn messages(&self) -> Vec<Value> {
        self.inner().messages.clone()
    }

    /// What is said in all conversations: `incoming`, `outgoing` or `note`, and the words.
    pub(super) fn lines(&self) -> Vec<String> {
        self.messages().iter().map(line).collect()
    }

    pub(super) fn conversations(&self) -> Vec<Value> {
        self.inner().conversations.clone()
    }

    pub(super) fn contacts(&self) -> Vec<Value> {
        self.inner().contacts.clone()
    }

    /// The bytes that are attached to a message.
    pub(super) fn sound_of(&self, message: &Value) -> (String, Vec<u8>) {
        let id = usize::try_from(message["attachments"][0]["id"].as_u64().unwrap()).unwrap();
        let file = self.inner().files[id].clone();
        (file.kind, file.bytes)
    }

    /// An agent writes; returns what the webhook was answered, 0 if nobody answered.
    pub(super) async fn writes(&self, conversation: i64, text: &str) -> u16 {
        self.answers(conversation, text, Vec::new()).await
    }

    /// An agent records or attaches a file, perhaps with words.
    pub(super) async fn attaches(
        &self,
        conversation: i64,
        text: &str,
        kind: &str,
        bytes: &[u8],
    ) -> u16 {
        let file = DeskFile { kind: kind.to_owned(), bytes: bytes.to_vec(), elsewhere: None };
        self.answers(conversation, text, vec![file]).await
    }

    /// An agent attaches a file that Chatwoot keeps at another address.
    pub(super) async fn attaches_elsewhere(&self, conversation: i64, url: &str) -> u16 {
        let (kind, elsewhere) = ("audio/webm".to_owned(), Some(url.to_owned()));
        self.answers(conversation, "", vec![DeskFile { kind, bytes: Vec::new(), elsewhere }]).await
    }

    async fn answers(&self, conversation: i64, text: &str, files: Vec<DeskFile>) -> u16 {
        let agent = json!({ "id": 8, "name": "Ann", "email": "ann@example.com", "type": "user" });
        let message = json!({
            "message_type": "outgoing", "private": false, "sender": agent,
            "content": if text.is_empty() { Value::Null } else { json!(text) },
        });
        let message = self.add_message(conversation, message, files);
        self.call("message_created", &message).await
    }

    /// The webhook of a message is sent again.
    pub(super) async fn calls_again(&self, message: &Value) -> u16 {
        self.call("message_created", message).await
    }

    /// An agent resolves a conversation.
    pub(super) async fn resolves(&self, conversation: i64) -> u16 {
        self.tell(format!("Chatwoot: Ann resolves conversation {conversation}"));
        let changed = self.set_status(conversation, "resolved").expect("it is not resolved");
        self.call("conversation_status_changed", &changed).await
    }

    /// An agent begins a conversation that hark knows nothing of.
    pub(super) fn begins(&self) -> i64 {
        let mut inner = self.inner();
        let id = 41 + inner.conversations.len();
        let own = json!({ "id": id, "inbox_id": INBOX, "status": "open", "custom_attributes": {} });
        inner.conversations.push(own);
        i64::try_from(id).unwrap()
    }

    /// Somebody deletes every conversation and its contact.
    pub(super) fn deletes_everything(&self) {
        let mut inner = self.inner();
        inner.contacts.clear();
        // Ids go on.
        for conversation in &mut inner.conversations {
            conversation["deleted"] = json!(true);
        }
    }

    pub(super) fn set_status(&self, conversation: i64, status: &str) -> Option<Value> {
        let mut inner = self.inner();
        let mut all = inner.conversations.iter_mut();
        let found = all.find(|one| one["id"] == conversation)?;
        let changed = found["status"] != status;
        found["status"] = json!(status);
        changed.then(|| found.clone())
    }

    /// Saves a message, and returns it as a webhook has it.
    pub(super) fn add_message(
        &self,
        conversation: i64,
        mut message: Value,
        files: Vec<DeskFile>,
    ) -> Value {
        let mut inner = self.inner();
        let id = 500 + inner.messages.len();
        let mut attachments = Vec::new();
        for file in files {
            let at = inner.files.len();
            let kind = file.kind.split('/').next().unwrap().to_owned();
            let kind =
                if ["audio", "video", "image"].contains(&&*kind) { kind } else { "file".into() };
            let url = format!("{}/rails/active_storage/blobs/redirect/{at}/recording", inner.url);
            attachments.push(json!({ "id": at, "message_id": id, "file_type": kind,
                                     "account_id": ACCOUNT, "data_url": url,
                                     "file_size": file.bytes.len() }));
            inner.files.push(file);
        }
        if !attachments.is_empty() {
            message["attachments"] = json!(attachments);
        }
        message["id"] = json!(id);
        message["account"] = json!({ "id": ACCOUNT, "name": "Shop" });
        message["inbox"] = json!({ "id": INBOX, "name": "WhatsApp" });
        let mut all = inner.conversations.iter();
        let of = all
            .find(|one| one["id"] == conversation)
            .cloned()
            .unwrap_or(json!({ "id": conversation, "inbox_id": INBOX }));
        message["conversation"] = of;
        inner.messages.push(message.clone());
        let line = line(&message);
        inner.story.push(format!("Chatwoot: {line}"));
        message
    }

    /// Calls the webhook of the inbox, signed; returns the answer's status, 0 for none.
    async fn call(&self, event: &str, object: &Value) -> u16 {
        let Some(url) = self.inner().webhook.clone() else { return 0 };
        let mut body = object.clone();
        body["event"] = json!(event);
        let body = body.to_string();
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(format!("1764300000.{body}").as_bytes());
        let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
        let request = hark::remote::http_client()
            .post(url)
            .header("Content-Type", "application/json")
            .header("X-Chatwoot-Delivery", "0b5a3e0c")
            .header("X-Chatwoot-Timestamp", "1764300000")
            .header("X-Chatwoot-Signature", signature)
            .timeout(Duration::from_secs(5))
            .body(body);
        request.send().await.map_or(0, |answer| answer.status().as_u16())
    }

    /// Calls it after the request that brought it about, as a job.
    pub(super) fn call_later(&self, event: &'static str, object: Value) {
        let desk = self.clone();
        tokio::spawn(async move { desk.call(event, &object).await });
    }
}

/// A message in a line.
fn line(message: &Value) -> String {
    let kind =
        if message["private"] == true { "note" } else { message["message_type"].as_str().unwrap() };
    let files: Vec<String> = message["attachments"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|file| {
            format!(" [{} {} bytes]", file["file_type"].as_str().unwrap(), file["file_size"])
        })
        .collect();
    let words = message["content"].as_str().unwrap_or_default();
    format!("{kind}: {words}{}", files.concat()).trim_end().to_owned()
}

impl FakeDesk {
    pub(super) fn find(&self, id: i64) -> Option<Value> {
        let inner = self.inner();
        let mut all = inner.conversations.iter();
        all.find(|one| one["id"] == id && one["deleted"].is_null()).cloned()
    }
}
