//! Serves the control API: makes people of the simulator speak and shows what they got.
//!
//! `POST /sim/messages`, `POST /sim/faults`, `GET /sim/faults` and `GET /sim/conversations`. It reads files of the
//! machine it runs on and asks for no token: listen only where nobody else can reach it.

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
use crate::provider;
use crate::turn::MessageId;

/// Largest file a person can send, as at WhatsApp.
const FILE_LIMIT: u64 = 100 << 20;

/// Holds the body of `POST /sim/messages`: `from` or `user_id`, and one of `text`, `file`, which is
/// sent as a voice note or with a `caption` as what its name says, `location`, and, of the message
/// that `quote` names, `tap` and `react`.
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
    caption: Option<String>,
    /// Title or id of a button or row.
    tap: Option<String>,
    /// An emoji.
    react: Option<String>,
    location: Option<SharedPlace>,
    /// The id of the message it replies to.
    quote: Option<MessageId>,
    /// Whether an audio webhook gives the address.
    #[serde(default = "yes")]
    with_url: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SharedPlace {
    latitude: f64,
    longitude: f64,
    name: Option<String>,
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
        .route("/sim/faults", get(faults).post(fault))
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
    let given = [
        speak.text.is_some(),
        speak.file.is_some(),
        speak.tap.is_some(),
        speak.react.is_some(),
        speak.location.is_some(),
    ];
    if given.into_iter().filter(|given| *given).count() != 1 {
        let one = "exactly one of text, file, tap, react and location is required";
        return Err(BadRequest(one.to_owned()));
    }
    let quote = || BadRequest("tap and react need quote: the id of a message".to_owned());
    let says = match (speak.text, speak.file, speak.caption) {
        _ if let Some(SharedPlace { latitude, longitude, name }) = speak.location => {
            PersonSays::Location { latitude, longitude, name }
        }
        _ if let Some(emoji) = speak.react => {
            speak.quote.as_ref().ok_or_else(quote)?;
            PersonSays::Reaction(emoji)
        }
        _ if let Some(choice) = speak.tap => {
            let message = speak.quote.as_ref().ok_or_else(quote)?;
            let none = || BadRequest(format!("message {} has no {choice} to tap", message.0));
            simulator.tap(message, &choice).ok_or_else(none)?
        }
        (Some(text), None, None) => PersonSays::Text(text),
        (None, Some(file), None) => {
            let (path, with_url) = (Path::new(&file), speak.with_url);
            let mime_type = mime_type_of(path).unwrap_or(NOTE).to_owned();
            PersonSays::Audio { bytes: read_file(path).await?, mime_type, with_url }
        }
        (None, Some(file), Some(caption)) => {
            let path = Path::new(&file);
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let mime_type = mime_type_of(path).unwrap_or("application/octet-stream").to_owned();
            PersonSays::File { bytes: read_file(path).await?, mime_type, name, caption }
        }
        _ => return Err(BadRequest("a caption stands under a file".to_owned())),
    };
    let (user_id, name, id, quotes) = (speak.user_id, speak.name, speak.id, speak.quote);
    let id = simulator.send(PersonMessage { from, user_id, name, id, quotes, says }).await;
    Ok(Json(json!({ "id": id })))
}

/// Holds the body of `POST /sim/faults`: the next messages are taken and then fail with this code.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeliveryFault {
    code: i64,
    #[serde(default = "once")]
    times: usize,
}

fn once() -> usize {
    1
}

async fn fault(State(simulator): State<Simulator>, body: Bytes) -> Result<Json<Value>, BadRequest> {
    let DeliveryFault { code, times } =
        serde_json::from_slice(&body).map_err(|error| BadRequest(error.to_string()))?;
    simulator.fail_delivery(code, times);
    Ok(Json(json!({})))
}

async fn faults(State(simulator): State<Simulator>) -> Json<Value> {
    Json(simulator.faults())
}

async fn read_file(path: &Path) -> Result<Bytes, BadRequest> {
    let unreadable = |error: std::io::Error| BadRequest(format!("file cannot be read: {error}"));
    let about = tokio::fs::metadata(path).await.map_err(unreadable)?;
    if !about.is_file() || about.len() > FILE_LIMIT {
        return Err(BadRequest("file must be a plain file of at most 100 MB".to_owned()));
    }
    Ok(tokio::fs::read(path).await.map_err(unreadable)?.into())
}

/// The type of a voice note.
const NOTE: &str = "audio/ogg; codecs=opus";

/// Returns the type WhatsApp declares for a file with this ending, if it is known.
pub fn mime_type_of(path: &Path) -> Option<&'static str> {
    match path.extension()?.to_str()? {
        // People record sound in it too.
        "mp4" => Some("audio/mp4"),
        // A person's phone takes more than a business may send.
        "wav" => Some("audio/wav"),
        _ => provider::mime_type_of(path),
    }
}
