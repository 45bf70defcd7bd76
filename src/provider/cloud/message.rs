//! The JSON of an outgoing message, as `POST /{number}/messages` takes it.

use serde_json::{Value, json};

use super::rich;
use crate::provider::{Outgoing, ProviderError};
use crate::turn::{Content, Personal, Retry};

/// Writes a message.
///
/// # Errors
/// If nobody would get it.
pub(super) fn message_body(message: &Outgoing) -> Result<Value, ProviderError> {
    let mut body = json!({
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "biz_opaque_callback_data": message.callback_data,
    });
    let (key, value) = match (&message.to.phone, &message.to.user_id) {
        (Some(phone), _) => ("to", phone),
        (None, Some(user_id)) => ("recipient", user_id),
        (None, None) => return Err(nobody()),
    };
    body[key] = Personal::reveal(value).into();
    let is_reaction = matches!(message.content, Content::Reaction { .. });
    if let Some(reply_to) = message.reply_to.as_ref().filter(|_| !is_reaction) {
        body["context"] = json!({ "message_id": reply_to });
    }
    let (kind, object) = typed(&message.content);
    body["type"] = kind.into();
    body[kind] = object;
    Ok(body)
}

/// Writes the content: its type, and the object of that type.
fn typed(content: &Content) -> (&'static str, Value) {
    match content {
        Content::Text(text) => ("text", json!({ "body": text })),
        Content::Voice(media) => ("audio", json!({ "id": media, "voice": true })),
        Content::Audio(source) => rich::file("audio", source, None, None),
        Content::Image { source, caption } => rich::file("image", source, caption.as_ref(), None),
        Content::Video { source, caption } => rich::file("video", source, caption.as_ref(), None),
        Content::Document { source, caption, file_name } => {
            rich::file("document", source, caption.as_ref(), file_name.as_ref())
        }
        Content::Sticker(source) => rich::file("sticker", source, None, None),
        Content::Location { latitude, longitude, name, address } => {
            rich::location(*latitude, *longitude, name.as_ref(), address.as_ref())
        }
        Content::Contact { name, phones } => rich::contact(name.reveal(), phones),
        Content::Buttons { text, buttons } => rich::buttons(text.reveal(), buttons),
        Content::List { text, button, rows } => rich::list(text.reveal(), button.reveal(), rows),
        Content::Link { text, url, title } => {
            rich::link(text.reveal(), url.reveal(), title.reveal())
        }
        Content::Reaction { message, emoji } => {
            ("reaction", json!({ "message_id": message, "emoji": emoji }))
        }
        Content::Template { name, language, words } => {
            rich::template(name, language, words.as_ref().map(Personal::reveal))
        }
    }
}

/// Answers as Graph would to a message without a recipient, without asking it.
fn nobody() -> ProviderError {
    let title = "contact has neither phone number nor user id".to_owned();
    ProviderError::Refused { code: 100, http_status: 400, title, retry: Retry::Never, fix: None }
}
