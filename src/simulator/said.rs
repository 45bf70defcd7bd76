//! What people say becomes what is kept of it and what its webhook holds.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Inner;
use super::handle::PersonSays;
use super::state::{ConversationMessage, MessageMedia};
use crate::turn::MessageId;

/// A message of a person on its way to hark.
pub(super) struct SaidMessage {
    pub id: MessageId,
    /// What faults know it by.
    pub about: String,
    /// The objects of its webhook.
    pub message: Value,
    pub contact: Value,
}

impl SaidMessage {
    /// Returns what the webhook's envelope holds.
    pub(super) fn webhook(&self) -> Value {
        json!({ "contacts": [self.contact], "messages": [self.message] })
    }
}

impl Inner {
    /// Remembers a person and returns the key of the conversation.
    pub(super) fn know(&self, from: &str, user_id: Option<&str>, name: Option<&str>) -> String {
        let key = if from.is_empty() { user_id.unwrap_or_default() } else { from };
        let mut state = self.state();
        if let Some(user_id) = user_id {
            state.aliases.insert(user_id.to_owned(), key.to_owned());
        }
        if let Some(name) = name {
            state.names.insert(key.to_owned(), name.to_owned());
        }
        key.to_owned()
    }

    /// Keeps what a person says; returns the webhook's object of its kind.
    pub(super) fn says(
        &self,
        says: PersonSays,
        kept: &mut ConversationMessage,
        about: &str,
    ) -> Value {
        match says {
            PersonSays::Text(text) => {
                let body = json!({ "body": text });
                kept.text = Some(text);
                body
            }
            PersonSays::Tap { kind, reply } => {
                kept.kind = "interactive";
                kept.text = reply["title"].as_str().map(str::to_owned);
                json!({ "type": kind, kind: reply })
            }
            PersonSays::Reaction(emoji) => {
                kept.kind = "reaction";
                let reaction = json!({ "message_id": kept.reply_to, "emoji": emoji });
                kept.text = Some(emoji);
                reaction
            }
            PersonSays::Location { latitude, longitude, name } => {
                kept.kind = "location";
                kept.text.clone_from(&name);
                json!({ "latitude": latitude, "longitude": longitude, "name": name })
            }
            PersonSays::Audio { bytes, mime_type, with_url } => {
                let (audio, media) = self.record(bytes, mime_type, with_url, about);
                kept.kind = "audio";
                kept.media = Some(media);
                audio
            }
            PersonSays::File { bytes, mime_type, name, caption } => {
                kept.kind = match mime_type.split('/').next() {
                    Some("image") => "image",
                    Some("video") => "video",
                    _ => "document",
                };
                let (mut file, media) = self.record(bytes, mime_type, true, about);
                file["caption"] = caption.as_str().into();
                if kept.kind == "document" {
                    file["filename"] = name.into();
                }
                kept.text = Some(caption);
                kept.media = Some(media);
                file
            }
        }
    }

    /// Stores what a person recorded; returns the webhook's `audio` and the description.
    fn record(
        &self,
        bytes: Bytes,
        mime_type: String,
        with_url: bool,
        about: &str,
    ) -> (Value, MessageMedia) {
        let sha256 = BASE64_STANDARD.encode(Sha256::digest(&bytes));
        let voice = mime_type.starts_with("audio/ogg");
        let id = self.store_media(bytes, mime_type, "recording.ogg", about.to_owned());
        let stored = self.state().media(&id.0).cloned();
        let media = MessageMedia::describe(&stored.expect("it was stored just now"), voice);
        let mut audio = json!({
            "id": id,
            "mime_type": media.mime_type,
            "sha256": sha256,
            "voice": voice,
        });
        if let (true, Some(base)) = (with_url, self.media_base()) {
            audio["url"] = self.link(&id, base).into();
        }
        (audio, media)
    }
}
