//! The real service between a fake Graph API and a fake language model, as cases see it.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use hark::clock::Clock;
use hark::remote::http_client;
use hark::store::Archive as _;
use hark::store::{Access, SqlStore};
use serde_json::{Value, json};

use super::Case;
use crate::harness::update;
use crate::openai::chat::{self, Chat, Script};
use crate::program::{Hark, PATIENCE, Running};

const SECRET: &str = "s3cret";
const NUMBER: &str = "106";
pub(super) const PERSON: &str = "4915550001";
/// What the model says unless a case says otherwise, and what is heard in every sound.
const ANSWER: &str = "We open at nine.";
const HEARD: &str = "when do you open on Saturday";

/// A refusal of one kind of call: the look-up of a file, its download or the send of a note.
type Fault = (String, Value);

/// What was sent, and what it was refused.
#[derive(Clone, Default)]
struct Graph {
    url: String,
    sent: Arc<Mutex<Vec<Value>>>,
    fault: Option<Fault>,
}

/// A service that runs.
pub(super) struct WhatsApp {
    hark: Hark,
    service: Running,
    graph: Graph,
    model: Chat,
}

impl WhatsApp {
    /// Starts it; the model answers `answer`, the Graph API refuses as `fault` says.
    pub(super) async fn start(answer: &str, fault: Option<Fault>) -> Self {
        let answer = if answer.is_empty() { ANSWER } else { answer };
        let model = Chat::new([Script::says(answer)]);
        let model_url = crate::openai::serve(chat::router(model.clone())).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let graph = Graph { url, fault, ..Graph::default() };
        let router = Router::new().fallback(answer_call).with_state(graph.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let toml = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\n[queue]\nburst_ms = 0\n[stt]\nengine = \"scripted\"\ntext = \"{HEARD}\"\n\
             [llm]\nengine = \"openai\"\nurl = \"{model_url}\"\nmodel = \"m\"\n\
             [tts]\nengine = \"scripted\"\n[[numbers]]\nphone_number_id = \"{NUMBER}\"\n\
             access_token = \"t0ken\"\napp_secret = \"{SECRET}\"\napi_url = \"{}\"\n",
            graph.url
        );
        let hark = Hark::new().file("hark.toml", toml);
        let service = hark.start(&["serve"]).await;
        Self { hark, service, graph, model }
    }

    /// Delivers a message of [`PERSON`], and waits until it is answered or waits for a later time.
    pub(super) async fn answer(&self, id: &str, mut message: Value) {
        message["id"] = id.into();
        message["from"] = PERSON.into();
        message["timestamp"] = (Clock::System.now_ms() / 1000).to_string().into();
        self.post(&update::messages(NUMBER, &[message])).await;
    }

    /// Delivers a status of a message, and waits until nothing is left to do.
    pub(super) async fn status(&self, id: &str, mut status: Value) {
        status["id"] = id.into();
        status["timestamp"] = (Clock::System.now_ms() / 1000).to_string().into();
        self.post(&update::statuses(NUMBER, &[status])).await;
    }

    async fn post(&self, body: &Value) {
        let body = body.to_string();
        let signature = update::sign(SECRET, body.as_bytes());
        let request = http_client().post(self.service.url("/webhook")).body(body);
        let taken = request.header("x-hub-signature-256", signature).send().await.unwrap();
        assert_eq!(taken.status(), 200);
        let store = SqlStore::open(self.hark.path("hark.db"), Access::Inspect).unwrap();
        let done = async {
            loop {
                let counts = store.messages(Clock::System.now_ms()).await.unwrap();
                if counts.due + counts.leased == 0 {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, done).await.expect("it is answered");
    }

    /// Everything that was sent: `(type, words)`.
    pub(super) fn sent(&self) -> Vec<(String, String)> {
        let sent = self.graph.sent.lock().unwrap();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        sent.iter().map(|body| (text(&body["type"]), text(&body["text"]["body"]))).collect()
    }

    /// The id of the last message that was sent.
    pub(super) fn last_id(&self) -> String {
        format!("wamid.out.{}", self.graph.sent.lock().unwrap().len())
    }

    /// What came of it in words: what was sent, the end of the last prompt, and the log.
    pub(super) fn outcome(&self) -> String {
        let mut words = String::new();
        for (kind, text) in self.sent() {
            writeln!(words, "('{kind}', '{text}')").unwrap();
        }
        if let Some(asked) = self.model.asked().last() {
            let messages = asked.body["messages"].as_array().unwrap();
            let last = messages.last().unwrap()["content"].as_str().unwrap();
            writeln!(words, "prompt ends {}", last.replace('\n', " / ")).unwrap();
        }
        let said = self.service.said();
        let log: Vec<&str> = said.lines().filter(|line| is_trouble(line)).collect();
        writeln!(words, "log {log:?}").unwrap();
        if log.is_empty() {
            words += "log ''\n";
        }
        words
    }
}

fn is_trouble(line: &str) -> bool {
    line.contains("WARN") || line.contains("ERROR")
}

async fn answer_call(State(graph): State<Graph>, request: Request) -> Response {
    let (path, is_get) = (request.uri().path().to_owned(), request.method() == "GET");
    let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let call = match path.as_str() {
        "/file" => "download",
        _ if is_get => "lookup",
        _ if body["type"] == "audio" => "voice",
        _ => "",
    };
    if let Some((_, refusal)) = graph.fault.as_ref().filter(|(on, _)| on == call) {
        let status = u16::try_from(refusal["http"].as_u64().unwrap()).unwrap();
        let status = StatusCode::from_u16(status).unwrap();
        return (status, Json(refusal["json"].clone())).into_response();
    }
    match (call, path.rsplit('/').next()) {
        ("download", _) => update::fixture("en_hours.ogg").into_response(),
        ("lookup", _) => Json(json!({ "url": format!("{}/file", graph.url) })).into_response(),
        (_, Some("media")) => Json(json!({ "id": "media-out" })).into_response(),
        _ if body["status"] == "read" => Json(json!({ "success": true })).into_response(),
        _ => {
            let mut sent = graph.sent.lock().unwrap();
            sent.push(body);
            let id = format!("wamid.out.{}", sent.len());
            Json(json!({ "messages": [{ "id": id }] })).into_response()
        }
    }
}

/// Runs a case to its outcome.
pub(super) fn run(outcome: impl Future<Output = String>) -> String {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(outcome)
}

/// A note as webhooks bring it, without the file's address.
pub(super) fn note() -> Value {
    json!({ "type": "audio", "audio": { "id": "900001", "mime_type": "audio/ogg", "voice": true } })
}

/// The answer of the model in a case, if it gives one.
pub(super) fn answer_of(case: &Case) -> &str {
    case.text("answer")
}
