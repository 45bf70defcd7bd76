//! What Chatwoot calls: the webhook of an inbox of the channel API.
//!
//! Chatwoot waits five seconds, and a message whose call fails is marked as failed and not told again.
//! Invariant: what is answered 200 is in the state file; only who knows the path, and the signature if it
//! is checked, is listened to. A call that is sent again is known by its message, so that its age is
//! not looked at. Source: Chatwoot's webhook documentation and `Webhooks::Trigger`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use super::state::NewItem;
use super::{Bridge, LANE_OF_CHATWOOT};

/// Longest body: a message has at most 150,000 characters.
const BODY_BYTES: usize = 4 << 20;

/// A message that a person wrote in Chatwoot: what is kept of a call.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct DeskMessage {
    pub(super) id: i64,
    pub(super) conversation: i64,
    pub(super) sender: String,
    pub(super) content: String,
    pub(super) files: Vec<DeskFile>,
}

/// A file of it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct DeskFile {
    pub(super) id: i64,
    /// `audio`, `video`, `image`, `file`, ...
    pub(super) kind: String,
    pub(super) url: String,
}

pub(super) fn router(bridge: Arc<Bridge>) -> Router {
    Router::new()
        .route("/chatwoot/{key}", post(receive))
        .route("/health", get(async || "ok"))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .with_state(bridge)
}

async fn receive(
    State(bridge): State<Arc<Bridge>>,
    Path(key): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let refuse = |status: StatusCode, error: &str| {
        tracing::warn!(http.status = status.as_u16(), "a call was refused: {error}");
        (status, Json(json!({ "error": error }))).into_response()
    };
    if !bool::from(bridge.key.expose_secret().as_bytes().ct_eq(key.as_bytes())) {
        return refuse(StatusCode::NOT_FOUND, "this is not the address that the bridge printed");
    }
    if let Some(secret) = &bridge.signing
        && !is_signed(secret, &headers, &body)
    {
        let error = "the signature is not that of CHATWOOT_WEBHOOK_SECRET";
        return refuse(StatusCode::UNAUTHORIZED, error);
    }
    let Ok(call) = serde_json::from_slice::<Value>(&body) else {
        return refuse(StatusCode::BAD_REQUEST, "the body is not JSON");
    };
    let Some((item, message)) = read(&call, &bridge) else {
        return Json(json!({ "taken": false })).into_response();
    };
    match bridge.state.take_webhook(item, message).await {
        Ok(new) => {
            if new {
                bridge.came.notify_one();
            }
            Json(json!({ "taken": true })).into_response()
        }
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "a call was not kept");
            refuse(StatusCode::SERVICE_UNAVAILABLE, "it could not be kept: try again")
        }
    }
}

/// Returns whether the inbox signed the call.
fn is_signed(secret: &SecretString, headers: &HeaderMap, body: &[u8]) -> bool {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let (Some(time), Some(signature)) =
        (header("x-chatwoot-timestamp"), header("x-chatwoot-signature"))
    else {
        return false;
    };
    let signature = hex::decode(signature.strip_prefix("sha256=").unwrap_or(signature));
    let mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes());
    let mut mac = mac.expect("HMAC takes keys of any length");
    mac.update(time.as_bytes());
    mac.update(b".");
    mac.update(body);
    signature.is_ok_and(|signature| mac.verify_slice(&signature).is_ok())
}

/// Reads what there is to do: words of a person to a person, or a conversation that was resolved.
fn read(call: &Value, bridge: &Bridge) -> Option<(NewItem, Option<i64>)> {
    let (account, inbox) = (bridge.desk.account, bridge.desk.inbox);
    let item = |conversation: i64, kind: &str, origin: String, body: String| NewItem {
        origin,
        lane: format!("{LANE_OF_CHATWOOT}{conversation}"),
        kind: kind.to_owned(),
        about: None,
        body,
        always: true,
    };
    match call["event"].as_str()? {
        "message_created" => {
            let own = call["account"]["id"] == account
                && [&call["inbox"]["id"], &call["conversation"]["inbox_id"]]
                    .into_iter()
                    .any(|id| *id == inbox);
            let message = message(call).filter(|_| own)?;
            let body = serde_json::to_string(&message).ok()?;
            let (id, origin) = (message.id, format!("chatwoot message {}", message.id));
            Some((item(message.conversation, "message", origin, body), Some(id)))
        }
        "conversation_status_changed" if call["status"] == "resolved" => {
            let id = call["id"].as_i64().filter(|_| call["inbox_id"] == inbox)?;
            let body = json!({ "conversation": id }).to_string();
            Some((item(id, "resolved", format!("chatwoot resolved {id}"), body), None))
        }
        _ => None,
    }
}

/// Reads a message, if a person of the desk wrote it and the person on WhatsApp is to have it. Notes
/// are for the desk; what comes in is the bridge's own; campaigns, rules and bots have no sender, or
/// one that is no user.
fn message(call: &Value) -> Option<DeskMessage> {
    let outgoing = call["message_type"] == "outgoing" || call["message_type"] == 1;
    let human = call["sender"]["type"] == "user";
    if !outgoing || !human || call["private"] == true {
        return None;
    }
    let files = call["attachments"].as_array().map(Vec::as_slice).unwrap_or_default();
    let file = |file: &Value| DeskFile {
        id: file["id"].as_i64().unwrap_or_default(),
        kind: file["file_type"].as_str().unwrap_or("file").to_owned(),
        url: file["data_url"].as_str().unwrap_or_default().to_owned(),
    };
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Some(DeskMessage {
        id: call["id"].as_i64()?,
        conversation: call["conversation"]["id"].as_i64()?,
        sender: word(&call["sender"]["name"]),
        content: word(&call["content"]),
        files: files.iter().map(file).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_signed_as_chatwoot_does() {
        let secret = SecretString::from("s3cret");
        let mut mac = Hmac::<Sha256>::new_from_slice(b"s3cret").unwrap();
        mac.update(b"1700000000.{}");
        let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
        let mut headers = HeaderMap::new();
        headers.insert("x-chatwoot-timestamp", "1700000000".parse().unwrap());
        assert!(!is_signed(&secret, &headers, b"{}"));
        headers.insert("x-chatwoot-signature", signature.parse().unwrap());
        assert!(is_signed(&secret, &headers, b"{}"));
        assert!(!is_signed(&secret, &headers, b"{ }"));
        headers.insert("x-chatwoot-timestamp", "1700000001".parse().unwrap());
        assert!(!is_signed(&secret, &headers, b"{}"));
    }

    #[test]
    fn only_what_people_write_to_people_counts() {
        let call = |kind: &str, private: bool, sender: &str| {
            json!({ "id": 5, "message_type": kind, "private": private, "content": "Hi",
                    "sender": { "type": sender, "name": "Ann" }, "conversation": { "id": 9 } })
        };
        let written = message(&call("outgoing", false, "user")).unwrap();
        assert_eq!((written.id, written.conversation, &*written.sender), (5, 9, "Ann"));
        for other in [
            call("outgoing", true, "user"),
            call("incoming", false, "contact"),
            call("outgoing", false, "agent_bot"),
            call("template", false, "user"),
            json!({ "id": 5, "message_type": "outgoing", "conversation": { "id": 9 } }),
        ] {
            assert!(message(&other).is_none(), "{other}");
        }
    }
}
