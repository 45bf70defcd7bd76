//! `/v1/embeddings`: words that mean the same point the same way.

use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

/// Words, a line of them a dimension.
const MEANINGS: [&[&str]; 4] = [
    &["dog", "dogs", "puppy", "pet", "pets", "animals"],
    &["open", "hours", "nine", "morning"],
    &["cake", "cakes", "pastry", "lemon"],
    &["pay", "card", "money"],
];

/// A word that makes a text too long for the model.
pub(crate) const TOO_LONG: &str = "endless";

/// A server of embeddings.
#[derive(Clone, Default)]
pub(crate) struct Embeddings(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// What it answers instead, if not 0.
    status: AtomicU16,
    texts: AtomicUsize,
    keys: Mutex<Vec<String>>,
}

impl Embeddings {
    /// Answers everything with this status; 0 lets it work.
    pub(crate) fn fails_with(&self, status: u16) {
        self.0.status.store(status, Ordering::SeqCst);
    }

    /// How many texts it was asked about, and told of.
    pub(crate) fn texts(&self) -> usize {
        self.0.texts.load(Ordering::SeqCst)
    }

    /// The `Authorization` of each request.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.0.keys.lock().expect("no holder panics").clone()
    }
}

pub(crate) fn router(embeddings: Embeddings) -> Router {
    Router::new().route("/v1/embeddings", post(answer)).with_state(embeddings)
}

async fn answer(
    State(embeddings): State<Embeddings>,
    headers: HeaderMap,
    Json(asked): Json<Value>,
) -> Response {
    let key = headers.get("authorization").and_then(|key| key.to_str().ok()).unwrap_or_default();
    embeddings.0.keys.lock().expect("no holder panics").push(key.to_owned());
    let status = embeddings.0.status.load(Ordering::SeqCst);
    if status != 0 {
        let status = StatusCode::from_u16(status).expect("a status");
        return (status, Json(json!({ "error": { "message": "no" } }))).into_response();
    }
    let texts = asked["input"].as_array().cloned().unwrap_or_default();
    if texts.iter().any(|text| text.as_str().unwrap_or_default().contains(TOO_LONG)) {
        let message = "input is too large to process";
        let error = Json(json!({ "error": { "message": message } }));
        return (StatusCode::INTERNAL_SERVER_ERROR, error).into_response();
    }
    embeddings.0.texts.fetch_add(texts.len(), Ordering::SeqCst);
    let entry = |(index, text): (usize, &Value)| {
        let vector = meaning(text.as_str().unwrap_or_default());
        json!({ "object": "embedding", "index": index, "embedding": vector })
    };
    let data: Vec<Value> = texts.iter().enumerate().map(entry).collect();
    Json(json!({ "object": "list", "model": asked["model"], "data": data })).into_response()
}

fn meaning(text: &str) -> Vec<f64> {
    let text = text.to_lowercase();
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
    let share = |meant: &&[&str]| {
        let count = words.iter().filter(|word| meant.contains(word)).count();
        f64::from(u32::try_from(count).unwrap_or(u32::MAX))
    };
    // What means none of these means something of its own.
    MEANINGS.iter().map(share).chain([0.1]).collect()
}
