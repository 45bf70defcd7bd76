//! Serves `POST /{version}/{number}/messages` of the fake Graph API: messages, read marks, typing.
//!
//! A good message is answered 200 and followed by its statuses; a bad voice note is answered 200
//! too and followed by `failed`, as at Meta.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use serde_json::{Value, json};

use super::rules::{GraphError, Head};
use super::state::{
    CallKind, ConversationMessage, Direction, MessageMedia, MessageStatus, StoredMedia,
};
use super::webhook::timestamp;
use super::{Inner, rich};
use crate::provider::TEXT_LIMIT;
use crate::turn::MessageId;

/// Longest `biz_opaque_callback_data`, in characters.
const CALLBACK_LIMIT: usize = 512;

/// Handles the call.
pub(super) async fn post(
    State(shared): State<Arc<Inner>>,
    Path((version, number)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, GraphError> {
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let marks_read = body.get("status").is_some();
    let kind = if marks_read { CallKind::Read } else { CallKind::Messages };
    shared.admit(kind, &Head { method: &Method::POST, headers: &headers }, body.clone())?;
    shared.check_path(&Method::POST, &version, Some(&number))?;
    if body["messaging_product"] != "whatsapp" {
        return Err(GraphError::parameter("The parameter messaging_product is required."));
    }
    if marks_read {
        return Ok(shared.mark_read(&body)?.into_response());
    }
    let about = shared.name_of_send(&body);
    shared.disturb_send(&about)?;
    let (mut message, to, mut fate) = shared.take(&body)?;
    if message.media.as_ref().is_some_and(|media| media.voice) && shared.refuses_note(&about) {
        fate = Fate::Failed(131_053, "Media upload error".to_owned());
    }
    let answer = json!({
        "messaging_product": "whatsapp",
        "contacts": [to.answered()],
        "messages": [{ "id": message.id }],
    });
    let statuses = shared.follow_up(&mut message, &to, &fate);
    let silence = shared.silence_of(&about);
    message.unanswered = silence.is_some();
    shared.state().add_message(message);
    shared.changed();
    shared.post_statuses(statuses, &about).await;
    shared.delay_answer(&about).await;
    Ok(silence.unwrap_or_else(|| Json(answer).into_response()))
}

/// Names the recipient of a message.
enum Recipient {
    Phone(String),
    UserId(String),
}

/// Names what will happen to an accepted message.
enum Fate {
    /// Delivered, read and played.
    Played,
    /// Delivered and read.
    Read,
    /// Fails with this code and title.
    Failed(i64, String),
}

impl Recipient {
    fn read(body: &Value) -> Result<Self, GraphError> {
        let text = |key: &str| body[key].as_str().filter(|text| !text.is_empty());
        match (text("to"), text("recipient")) {
            (Some(to), _) => Ok(Self::Phone(to.chars().filter(char::is_ascii_digit).collect())),
            (None, Some(recipient)) => Ok(Self::UserId(recipient.to_owned())),
            (None, None) => Err(GraphError::parameter("The parameter to is required.")),
        }
    }

    fn answered(&self) -> Value {
        match self {
            Self::Phone(phone) => json!({ "input": phone, "wa_id": phone }),
            Self::UserId(id) => json!({ "input": id, "user_id": id }),
        }
    }
}

impl Inner {
    /// Marks a message of a person as read.
    fn mark_read(&self, body: &Value) -> Result<Json<Value>, GraphError> {
        let typing = &body["typing_indicator"];
        if body["status"] != "read" || !(typing.is_null() || typing["type"] == "text") {
            return Err(GraphError::parameter("Invalid parameter"));
        }
        let now_ms = self.now_ms();
        let id = body["message_id"].as_str().unwrap_or_default();
        let known = self.faults.as_ref().and_then(|dice| dice.name_of(id));
        known.map_or(Ok(()), |about| self.disturb_call(&format!("{about}/read")))?;
        let mut state = self.state();
        let message = state
            .message_mut(id)
            .filter(|message| message.direction == Direction::In)
            .ok_or_else(|| GraphError::parameter("Invalid parameter: message_id is unknown"))?;
        message.statuses.push(MessageStatus::new("read", now_ms));
        if !typing.is_null() {
            message.statuses.push(MessageStatus::new("typing", now_ms));
        }
        drop(state);
        self.changed();
        Ok(Json(json!({ "success": true })))
    }

    /// Checks a message and decides what happens to it.
    fn take(&self, body: &Value) -> Result<(ConversationMessage, Recipient, Fate), GraphError> {
        let recipient = Recipient::read(body)?;
        if !(body["recipient_type"].is_null() || body["recipient_type"] == "individual") {
            return Err(GraphError::parameter("recipient_type must be individual"));
        }
        let callback_data = body["biz_opaque_callback_data"].as_str().map(str::to_owned);
        if callback_data.as_ref().is_some_and(|data| data.chars().count() > CALLBACK_LIMIT) {
            return Err(GraphError::parameter("biz_opaque_callback_data is longer than 512"));
        }
        let kind = body["type"].as_str().unwrap_or("text");
        let (kind, text, media, fate) = match kind {
            "text" => ("text", Some(read_text(body)?), None, Fate::Read),
            "audio" if body["audio"]["link"].is_string() => {
                rich::check("audio", &body["audio"])?;
                ("audio", None, None, Fate::Read)
            }
            "audio" => {
                let (media, fate) = self.read_audio(&body["audio"])?;
                ("audio", None, Some(media), fate)
            }
            kind => {
                let kind = rich::known(kind)?;
                rich::check(kind, &body[kind])?;
                if kind == "reaction" && !body["context"].is_null() {
                    return Err(GraphError::parameter("a reaction cannot be a reply"));
                }
                (kind, rich::words(&body[kind]), None, Fate::Read)
            }
        };
        let message = ConversationMessage {
            contact: self.contact_of(&recipient),
            direction: Direction::Out,
            id: MessageId(self.new_id("wamid.sim.")),
            kind,
            text,
            content: (!matches!(kind, "text" | "audio")).then(|| body[kind].clone()),
            media,
            reply_to: body["context"]["message_id"].as_str().map(MessageId::from),
            callback_data,
            unanswered: false,
            at_ms: self.now_ms(),
            statuses: Vec::new(),
        };
        Ok((message, recipient, self.planned_failure().unwrap_or(fate)))
    }

    fn read_audio(&self, audio: &Value) -> Result<(MessageMedia, Fate), GraphError> {
        let id = audio["id"].as_str().unwrap_or_default();
        let media = self.state().media(id).cloned().ok_or_else(|| {
            GraphError::parameter(format!("Invalid parameter: media {id} does not exist"))
        })?;
        let voice = audio["voice"].as_bool().unwrap_or(false);
        let fate = match &media.voice {
            Err(_) if voice => Fate::Failed(131_053, "Media upload error".to_owned()),
            Ok(_) if voice && !self.state().unplayed => Fate::Played,
            _ => Fate::Read,
        };
        Ok((MessageMedia::describe(&media, voice), fate))
    }

    /// Returns the conversation a message belongs to.
    fn contact_of(&self, recipient: &Recipient) -> String {
        match recipient {
            Recipient::Phone(phone) => phone.clone(),
            Recipient::UserId(id) => self.state().aliases.get(id).unwrap_or(id).clone(),
        }
    }

    /// Takes one of the failures that were requested.
    fn planned_failure(&self) -> Option<Fate> {
        let (code, times) = &mut self.state().failing_sends;
        *times = times.checked_sub(1)?;
        Some(Fate::Failed(*code, "Failure injected by the simulator".to_owned()))
    }

    /// Records what happens to a message and builds the webhooks that report it to hark.
    fn follow_up(
        &self,
        message: &mut ConversationMessage,
        to: &Recipient,
        fate: &Fate,
    ) -> Vec<Value> {
        let (steps, error): (&[&'static str], _) = match fate {
            Fate::Played => (&["sent", "delivered", "read", "played"], None),
            Fate::Read => (&["sent", "delivered", "read"], None),
            Fate::Failed(code, title) => (&["sent", "failed"], Some((*code, title.as_str()))),
        };
        let steps = steps.iter().map(|step| (*step, error.filter(|_| *step == "failed")));
        message.statuses = steps
            .clone()
            .map(|(step, error)| MessageStatus {
                error_code: error.map(|(code, _)| code),
                ..MessageStatus::new(step, self.now_ms())
            })
            .collect();
        steps.map(|(step, error)| self.status(message, to, step, error)).collect()
    }

    fn status(
        &self,
        message: &ConversationMessage,
        to: &Recipient,
        step: &str,
        error: Option<(i64, &str)>,
    ) -> Value {
        let mut status = json!({
            "id": message.id,
            "status": step,
            "timestamp": timestamp(self.now_ms()),
        });
        match to {
            Recipient::Phone(phone) => status["recipient_id"] = phone.as_str().into(),
            Recipient::UserId(id) => status["recipient_user_id"] = id.as_str().into(),
        }
        if let Some(data) = &message.callback_data {
            status["biz_opaque_callback_data"] = data.as_str().into();
        }
        if let Some((code, title)) = error {
            status["errors"] = json!([{
                "code": code,
                "title": title,
                "message": title,
                "error_data": { "details": title },
            }]);
        }
        self.settings.envelope(json!({ "statuses": [status] }))
    }
}

impl MessageMedia {
    /// Describes a stored file.
    pub(super) fn describe(media: &StoredMedia, voice: bool) -> Self {
        Self {
            id: media.id.clone(),
            mime_type: media.mime_type.clone(),
            bytes: media.bytes.len(),
            duration_ms: media.voice.as_ref().ok().copied(),
            voice,
        }
    }
}

fn read_text(body: &Value) -> Result<String, GraphError> {
    let text = body["text"]["body"].as_str().unwrap_or_default();
    if text.trim().is_empty() {
        return Err(GraphError::parameter("The parameter text['body'] is required."));
    }
    if text.chars().count() > TEXT_LIMIT {
        return Err(GraphError::parameter(format!(
            "Param text['body'] must be at most {TEXT_LIMIT} characters long."
        )));
    }
    Ok(text.to_owned())
}
