//! Stores what the simulator remembers: contacts, messages, media, calls and pending faults.
//!
//! Plain data under one lock. Invariant: every list has a limit; the oldest entries are dropped
//! first.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

use crate::turn::{MediaId, MessageId};

/// Messages kept, both directions together.
const MESSAGES: usize = 20_000;
/// Media files kept.
const MEDIA: usize = 2_000;
/// Bytes of media files kept.
const MEDIA_BYTES: usize = 512 << 20;
/// Media addresses kept.
const LINKS: usize = 10_000;
/// Calls kept.
const CALLS: usize = 50_000;
/// Lifetime of a media address, as at Meta.
const LINK_MS: i64 = 5 * 60 * 1000;

/// Names a call of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum CallKind {
    /// `POST /{number}/messages` with `status: read`, with or without typing.
    #[serde(rename = "read")]
    Read,
    /// `POST /{number}/messages` with a message.
    #[serde(rename = "messages")]
    Messages,
    /// `POST /{number}/media`.
    #[serde(rename = "media.upload")]
    MediaUpload,
    /// `GET /{media}`.
    #[serde(rename = "media.lookup")]
    MediaLookup,
    /// `GET` of a media address.
    #[serde(rename = "media.download")]
    MediaDownload,
    /// `DELETE /{media}`.
    #[serde(rename = "media.delete")]
    MediaDelete,
    /// `GET /{number}`, or of 360dialog `GET /v1/configs/webhook`.
    #[serde(rename = "number")]
    NumberInfo,
    /// `GET /{app}` with the app's own token.
    #[serde(rename = "app")]
    AppInfo,
    /// `POST /{account}/subscribed_apps`.
    #[serde(rename = "subscribe")]
    Subscribe,
    /// `POST /v1/configs/webhook` of 360dialog.
    #[serde(rename = "webhook")]
    WebhookSetting,
}

/// Holds one call of the API as it came; headers with secrets are not kept.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Call {
    /// HTTP method.
    pub method: String,
    /// The call.
    pub kind: CallKind,
    /// The JSON body, or a description of an upload's parts or of the media asked for.
    pub body: Value,
    /// `Content-Type` of the request.
    pub content_type: Option<String>,
    /// `Content-Length` of the request; `None` if it was chunked or had no body.
    pub content_length: Option<u64>,
    /// Time of arrival, Unix milliseconds.
    pub at_ms: i64,
}

/// Names the sender of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the person to hark.
    In,
    /// From hark to the person.
    Out,
}

/// Holds one message of a conversation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConversationMessage {
    /// The person: phone number, or user id of a person without one.
    pub contact: String,
    /// The sender.
    pub direction: Direction,
    /// The message id.
    pub id: MessageId,
    /// Its type: `text`, `audio`, `image`, `interactive`, `location` and so on.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The words of a text, or under a file.
    pub text: Option<String>,
    /// The file of any other.
    pub media: Option<MessageMedia>,
    /// The object of a message that is more than text and sound, as it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<Value>,
    /// The message it answers.
    pub reply_to: Option<MessageId>,
    /// `biz_opaque_callback_data`.
    pub callback_data: Option<String>,
    /// Whether hark was not told that it was taken: a fault that was asked for.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unanswered: bool,
    /// Time of sending, Unix milliseconds.
    pub at_ms: i64,
    /// Events of the message, in order.
    pub statuses: Vec<MessageStatus>,
}

/// Describes the file of a message.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MessageMedia {
    /// The media id.
    pub id: MediaId,
    /// The declared type.
    pub mime_type: String,
    /// Size in bytes.
    pub bytes: usize,
    /// Duration, if the file is a valid voice note.
    pub duration_ms: Option<f64>,
    /// Whether it is a voice note.
    pub voice: bool,
}

/// Holds one event of a message.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MessageStatus {
    /// `sent`, `delivered`, `read`, `played` or `failed`; `typing` on a message of the person.
    pub status: &'static str,
    /// Time, Unix milliseconds.
    pub at_ms: i64,
    /// The error code of `failed`.
    pub error_code: Option<i64>,
    /// When hark took the webhook that says so, Unix milliseconds; known where faults are asked for.
    #[serde(skip)]
    pub told_at_ms: Option<i64>,
}

/// Holds a stored media file.
#[derive(Clone)]
pub(super) struct StoredMedia {
    pub id: MediaId,
    pub bytes: Bytes,
    pub mime_type: String,
    /// What faults know it by.
    pub about: String,
    /// Duration in ms, or the reason why it is not a voice note.
    pub voice: Result<f64, String>,
}

struct MediaLink {
    token: String,
    media: MediaId,
    expires_at_ms: i64,
}

/// Describes a fault to inject.
#[derive(Clone)]
pub(super) struct Fault {
    pub kind: CallKind,
    pub http_status: u16,
    pub code: i64,
    pub times: usize,
}

#[derive(Default)]
pub(super) struct SimulatorState {
    numbers: u64,
    /// Profile names by contact.
    pub names: HashMap<String, String>,
    /// Contacts by user id, for people who also have a phone number.
    pub aliases: HashMap<String, String>,
    pub messages: VecDeque<ConversationMessage>,
    media: VecDeque<StoredMedia>,
    media_bytes: usize,
    links: VecDeque<MediaLink>,
    pub calls: VecDeque<Call>,
    pub faults: Vec<Fault>,
    /// Error code and number of the next messages to accept and let fail.
    pub failing_sends: (i64, usize),
    /// People leave the notes that they get unplayed.
    pub unplayed: bool,
}

impl SimulatorState {
    pub(super) fn next_number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    pub(super) fn add_call(&mut self, call: Call) {
        keep_below(&mut self.calls, CALLS);
        self.calls.push_back(call);
    }

    /// Takes one fault of this kind.
    pub(super) fn take_fault(&mut self, kind: CallKind) -> Option<Fault> {
        let fault = self.faults.iter_mut().find(|fault| fault.kind == kind && fault.times > 0)?;
        fault.times -= 1;
        let fault = fault.clone();
        self.faults.retain(|fault| fault.times > 0);
        Some(fault)
    }

    /// Adds a message with a new id.
    pub(super) fn add_message(&mut self, message: ConversationMessage) {
        keep_below(&mut self.messages, MESSAGES);
        self.messages.push_back(message);
    }

    /// Returns the first message of hark that answers `id`. Searches from the end, since a caller
    /// that waits for a reply waits for a recent one.
    pub(super) fn reply_to(&self, id: &MessageId) -> Option<&ConversationMessage> {
        let later = self.messages.iter().rev().take_while(|message| message.id != *id);
        later.filter(|message| message.reply_to.as_ref() == Some(id)).last()
    }

    pub(super) fn message_mut(&mut self, id: &str) -> Option<&mut ConversationMessage> {
        self.messages.iter_mut().rev().find(|message| message.id.0 == id)
    }

    pub(super) fn add_media(&mut self, media: StoredMedia) {
        self.media_bytes += media.bytes.len();
        self.media.push_back(media);
        while self.media_bytes > MEDIA_BYTES || self.media.len() > MEDIA {
            let oldest = self.media.pop_front().map_or(0, |media| media.bytes.len());
            self.media_bytes -= oldest;
        }
    }

    pub(super) fn media(&self, id: &str) -> Option<&StoredMedia> {
        self.media.iter().rev().find(|media| media.id.0 == id)
    }

    /// Removes a media file; `false` if there was none.
    pub(super) fn drop_media(&mut self, id: &str) -> bool {
        let Some(place) = self.media.iter().position(|media| media.id.0 == id) else {
            return false;
        };
        let dropped = self.media.remove(place);
        self.media_bytes -= dropped.map_or(0, |media| media.bytes.len());
        true
    }

    pub(super) fn add_link(&mut self, token: String, media: MediaId, now_ms: i64) {
        keep_below(&mut self.links, LINKS);
        self.links.push_back(MediaLink { token, media, expires_at_ms: now_ms + LINK_MS });
    }

    /// Returns the media file of an address that is still valid.
    pub(super) fn linked(&self, token: &str, now_ms: i64) -> Option<&StoredMedia> {
        let link = self.links.iter().rev().find(|link| link.token == token)?;
        (now_ms < link.expires_at_ms).then(|| self.media(&link.media.0)).flatten()
    }
}

impl MessageStatus {
    pub(super) fn new(status: &'static str, at_ms: i64) -> Self {
        Self { status, at_ms, error_code: None, told_at_ms: None }
    }
}

fn keep_below<T>(list: &mut VecDeque<T>, limit: usize) {
    while list.len() >= limit {
        list.pop_front();
    }
}
