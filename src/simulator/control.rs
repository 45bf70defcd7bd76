//! Serves the control API: makes people of the simulator speak and shows what they got.
//!
//! `POST /sim/messages` and `GET /sim/conversations`. It reads files of the machine it runs on and
//! asks for no token: listen only where nobody else can reach it.

use std::path::Path;

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{PersonMessage, PersonSays, Simulator};
use crate::turn::MessageId;

/// Largest file a person can send, as at WhatsApp.
const FILE_LIMIT: u64 = 100 << 20;

/// Holds the body of `POST /sim/messages`: `from` or `user_id`, and `text` or `file`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Speak {
    #[serde(default)]
    from: String,
    user_id: Option<String>,
    name: Option<String>,
    id: Option<MessageId>,
    text: Option<String>,
    /// A path on the simulator's machine.
    file: Option<String>,
    /// Whether an audio webhook gives the address.
    #[serde(default = "yes")]
    with_url: bool,
}

fn yes() -> bool {
    true
}

/// Answers an invalid request with the reason.
struct BadRequest(String);

impl IntoResponse for BadRequest {
    fn into_response(self) -> Response {
        (StatusCode::BAD_REQUEST, Json(json!({ "error": self.0 }))).into_response()
    }
}

/// Builds the routes.
pub(super) fn router(simulator: Simulator) -> Router {
    Router::new()
        .route("/sim/messages", post(speak))
        .route("/sim/conversations", get(conversations))
        .with_state(simulator)
}

async fn conversations(State(simulator): State<Simulator>) -> Json<Value> {
    Json(simulator.conversations())
}

/// Handles `POST /sim/messages` with any content type, so that plain `curl -d` works.
async fn speak(State(simulator): State<Simulator>, body: Bytes) -> Result<Json<Value>, BadRequest> {
    let speak: Speak =
        serde_json::from_slice(&body).map_err(|error| BadRequest(error.to_string()))?;
    let from: String = speak.from.chars().filter(char::is_ascii_digit).collect();
    if from.is_empty() && speak.user_id.is_none() {
        return Err(BadRequest("from (a phone number) or user_id is required".to_owned()));
    }
    let says = match (speak.text, speak.file) {
        (Some(text), None) => PersonSays::Text(text),
        (None, Some(file)) => read_file(Path::new(&file), speak.with_url).await?,
        _ => return Err(BadRequest("exactly one of text and file is required".to_owned())),
    };
    let (user_id, name, id) = (speak.user_id, speak.name, speak.id);
    let id = simulator.send(PersonMessage { from, user_id, name, id, says }).await;
    Ok(Json(json!({ "id": id })))
}

async fn read_file(path: &Path, with_url: bool) -> Result<PersonSays, BadRequest> {
    let unreadable = |error: std::io::Error| BadRequest(format!("file cannot be read: {error}"));
    let about = tokio::fs::metadata(path).await.map_err(unreadable)?;
    if !about.is_file() || about.len() > FILE_LIMIT {
        return Err(BadRequest("file must be a plain file of at most 100 MB".to_owned()));
    }
    let bytes = tokio::fs::read(path).await.map_err(unreadable)?.into();
    Ok(PersonSays::Audio { bytes, mime_type: mime_type_of(path).to_owned(), with_url })
}

/// Returns the type WhatsApp declares for a file with this extension; any other is sent as a voice
/// note.
fn mime_type_of(path: &Path) -> &'static str {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("mp3") => "audio/mpeg",
        Some("m4a" | "mp4") => "audio/mp4",
        Some("aac") => "audio/aac",
        Some("amr") => "audio/amr",
        Some("wav") => "audio/wav",
        _ => "audio/ogg; codecs=opus",
    }
}
