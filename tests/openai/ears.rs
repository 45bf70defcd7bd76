//! The hearing half of the fake: `/v1/audio/transcriptions`, with every fault.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::{Multipart, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use bytes::Bytes;
use futures_util::stream;
use serde_json::{Value, json};

/// How the next request is answered.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    /// These words, as sure as words are.
    Words(String),
    /// This, whatever was asked for.
    Json(Value),
    /// This body.
    Body(Bytes),
    /// This status and body, perhaps with `Retry-After` in seconds.
    Status(u16, Option<u32>, String),
    /// A body that has no end.
    Endless,
    /// Never; the connection stays open.
    Never,
}

/// One request as it came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sound {
    /// The sound file.
    pub(crate) file: Bytes,
    /// Its name and its type.
    pub(crate) named: (String, String),
    /// The other fields.
    pub(crate) fields: BTreeMap<String, String>,
    pub(crate) authorization: Option<String>,
}

#[derive(Default)]
struct Record {
    told: VecDeque<Told>,
    requests: Vec<Sound>,
    active: usize,
}

/// The server.
#[derive(Clone, Default)]
pub(crate) struct Ears {
    record: Arc<Mutex<Record>>,
    /// What is heard unless something else is told.
    text: String,
    /// What of a request it refuses: a field, or the format of that name.
    refuses: &'static [&'static str],
}

impl Ears {
    /// Hears this in every sound.
    pub(crate) fn hearing(text: &str) -> Self {
        Self { text: text.to_owned(), ..Self::default() }
    }

    /// The same, refusing these fields, or formats as `gpt-4o-transcribe` does.
    pub(crate) fn refusing(self, refuses: &'static [&'static str]) -> Self {
        Self { refuses, ..self }
    }

    /// Its route.
    pub(crate) fn router(&self) -> Router {
        Router::new().route("/v1/audio/transcriptions", post(hear)).with_state(self.clone())
    }

    /// How the next requests are answered, one after the other; all others are heard.
    pub(crate) fn tells(&self, told: impl IntoIterator<Item = Told>) {
        self.record.lock().unwrap().told.extend(told);
    }

    pub(crate) fn requests(&self) -> Vec<Sound> {
        self.record.lock().unwrap().requests.clone()
    }

    /// Requests that are being answered now.
    pub(crate) fn active(&self) -> usize {
        self.record.lock().unwrap().active
    }
}

/// What a server that tells everything tells of these words.
pub(crate) fn verbose(text: &str, language: &str, logprob: f64, no_speech: f64) -> Value {
    json!({
        "task": "transcribe", "language": language, "duration": 2.0, "text": text,
        "segments": [{
            "id": 0, "seek": 0, "start": 0.0, "end": 1.5, "text": text, "tokens": [50364, 1, 2],
            "temperature": 0.0, "avg_logprob": logprob, "compression_ratio": 1.1,
            "no_speech_prob": no_speech,
        }],
    })
}

/// A request that is being answered; dropped when it is, or when the other side has gone.
struct Active(Ears);

impl Drop for Active {
    fn drop(&mut self) {
        self.0.record.lock().unwrap().active -= 1;
    }
}

async fn hear(State(ears): State<Ears>, headers: HeaderMap, form: Multipart) -> Response {
    ears.record.lock().unwrap().active += 1;
    let _active = Active(ears.clone());
    let mut sound = read(form).await;
    sound.authorization =
        headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
    let wanted = sound.fields.get("response_format").cloned().unwrap_or_default();
    let refuses = |name: &&&str| **name == wanted || sound.fields.contains_key(**name);
    let refused = ears.refuses.iter().find(refuses).copied();
    let told = {
        let mut record = ears.record.lock().unwrap();
        record.requests.push(sound);
        let refused = refused.map(|name| refusal(&format!("'{name}' is not compatible with it")));
        let refused = refused.map(|words| Told::Status(400, None, words));
        refused.or_else(|| record.told.pop_front())
    };
    match told.unwrap_or_else(|| Told::Words(ears.text.clone())) {
        Told::Words(text) if wanted == "verbose_json" => {
            Json(verbose(&text, "english", -0.2, 0.01)).into_response()
        }
        Told::Words(text) => Json(json!({ "text": text })).into_response(),
        Told::Json(json) => Json(json).into_response(),
        Told::Body(body) => body.into_response(),
        Told::Status(status, after, words) => {
            let mut answer = (StatusCode::from_u16(status).unwrap(), words).into_response();
            if let Some(after) = after {
                answer.headers_mut().insert("retry-after", after.into());
            }
            answer
        }
        Told::Endless => {
            let spaces = Bytes::from(vec![b' '; 1 << 16]);
            let endless = stream::repeat_with(move || Ok::<_, std::io::Error>(spaces.clone()));
            Body::from_stream(endless).into_response()
        }
        Told::Never => std::future::pending().await,
    }
}

/// An error as `OpenAI` writes it.
pub(crate) fn refusal(message: &str) -> String {
    json!({ "error": { "message": message, "type": "invalid_request_error" } }).to_string()
}

async fn read(mut form: Multipart) -> Sound {
    let mut sound = Sound::default();
    while let Some(field) = form.next_field().await.unwrap() {
        let name = field.name().unwrap().to_owned();
        if name == "file" {
            let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
            sound.named = (text(field.file_name()), text(field.content_type()));
            sound.file = field.bytes().await.unwrap();
        } else {
            sound.fields.insert(name, field.text().await.unwrap());
        }
    }
    sound
}
