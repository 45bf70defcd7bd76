//! The JSON of an outgoing message, as `POST /{number}/messages` takes it.

use serde_json::{Value, json};

use crate::provider::{Outgoing, ProviderError};
use crate::turn::{Content, Personal, Retry};

/// Writes a message.
///
/// # Errors
/// If nobody would get it, and `NotBuilt` for a kind that cannot be sent yet.
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
    if let Some(reply_to) = &message.reply_to {
        body["context"] = json!({ "message_id": reply_to });
    }
    match &message.content {
        Content::Text(text) => {
            body["type"] = "text".into();
            body["text"] = json!({ "body": text });
        }
        Content::Voice(media) => {
            body["type"] = "audio".into();
            body["audio"] = json!({ "id": media, "voice": true });
        }
        // The one place that knows what cannot be sent yet.
        other => return Err(ProviderError::NotBuilt { kind: other.kind() }),
    }
    Ok(body)
}

/// Answers as Graph would to a message without a recipient, without asking it.
fn nobody() -> ProviderError {
    let title = "contact has neither phone number nor user id".to_owned();
    ProviderError::Refused { code: 100, http_status: 400, title, retry: Retry::Never, fix: None }
}
