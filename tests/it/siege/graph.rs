//! A Graph API that lies: it shares no code with hark, keeps what it took, and says something else.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use bytes::Bytes;
use fastrand::Rng;
use futures_util::stream;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::CANARY;
use crate::harness::{NUMBER, update};

/// A round trip to Graph: the time in which a kill can cost a second copy.
const ROUND_TRIP: Duration = Duration::from_millis(40);
/// Statuses that may wait to be posted.
const STATUSES: usize = 100_000;

/// A message that the Graph took.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    pub(super) at: Instant,
    /// The message that it answers.
    pub(super) answers: String,
    /// The turn and part, as hark names them.
    pub(super) part: String,
}

/// The server; its clones are the same.
#[derive(Clone)]
pub(super) struct LyingGraph {
    pub(super) url: String,
    inside: Arc<Records>,
}

struct Records {
    random: Mutex<Rng>,
    taken: Mutex<Vec<Taken>>,
    /// Lies told about each part.
    told: Mutex<HashMap<String, usize>>,
    /// Files of hostile senders by name.
    files: Mutex<HashMap<String, Bytes>>,
    lies: AtomicUsize,
    /// Lies that one part may meet; 0 for an honest time.
    lies_a_part: AtomicUsize,
    with_statuses: AtomicBool,
    statuses: mpsc::Sender<Value>,
}

/// What it says of a message.
enum Said {
    Taken,
    /// Taken, and answered as if it were not known.
    Unclear(Response),
    Refused(Response),
}

impl LyingGraph {
    /// Starts it; what it would post as a webhook comes out of the channel.
    pub(super) async fn start(seed: u64) -> (Self, mpsc::Receiver<Value>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (statuses, posted) = mpsc::channel(STATUSES);
        let inside = Arc::new(Records {
            random: Mutex::new(Rng::with_seed(seed)),
            taken: Mutex::default(),
            told: Mutex::default(),
            files: Mutex::default(),
            lies: AtomicUsize::new(0),
            lies_a_part: AtomicUsize::new(0),
            with_statuses: AtomicBool::new(true),
            statuses,
        });
        let graph = Self { url, inside };
        let router = Router::new().fallback(answer).with_state(graph.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (graph, posted)
    }

    /// From now on each part meets up to so many lies.
    pub(super) fn lie(&self, lies_a_part: usize) {
        self.inside.lies_a_part.store(lies_a_part, Ordering::Relaxed);
    }

    /// From now on statuses follow what is taken, or do not.
    pub(super) fn post_statuses(&self, whether: bool) {
        self.inside.with_statuses.store(whether, Ordering::Relaxed);
    }

    /// Everything it took so far, in order.
    pub(super) fn taken(&self) -> Vec<Taken> {
        self.inside.taken.lock().unwrap().clone()
    }

    pub(super) fn lies(&self) -> usize {
        self.inside.lies.load(Ordering::Relaxed)
    }

    /// Keeps a file; returns its address.
    pub(super) fn keep(&self, name: &str, file: impl Into<Bytes>) -> String {
        self.inside.files.lock().unwrap().insert(name.to_owned(), file.into());
        format!("{}/files/{name}", self.url)
    }

    fn take(&self, body: &Value) -> (String, Taken) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let taken = Taken {
            at: Instant::now(),
            answers: text(&body["context"]["message_id"]),
            part: text(&body["biz_opaque_callback_data"]),
        };
        let mut all = self.inside.taken.lock().unwrap();
        all.push(taken.clone());
        (format!("wamid.out.{}", all.len()), taken)
    }

    fn follow_up(&self, id: &str, to: &Value, taken: &Taken) {
        if !self.inside.with_statuses.load(Ordering::Relaxed) {
            return;
        }
        let status = |status: &str| {
            json!({
                "id": id, "status": status, "timestamp": "100", "recipient_id": to,
                "biz_opaque_callback_data": taken.part,
            })
        };
        let body = update::statuses(NUMBER, &[status("sent"), status("delivered")]);
        self.inside.statuses.try_send(body).expect("the channel has room for all statuses");
    }

    /// Chooses what to say of a message.
    fn say(&self, part: &str) -> Said {
        let most = self.inside.lies_a_part.load(Ordering::Relaxed);
        let mut told = self.inside.told.lock().unwrap();
        let told = told.entry(part.to_owned()).or_default();
        let mut random = self.inside.random.lock().unwrap();
        if *told >= most || random.bool() {
            return Said::Taken;
        }
        *told += 1;
        self.inside.lies.fetch_add(1, Ordering::Relaxed);
        // Words that must not reach a log, and bytes that a terminal would obey.
        let words = format!("{CANARY} said \"come home\" \u{1b}[2J\r\n2026 ERROR forged");
        let error = |status: u16, code: u32| {
            let body = json!({ "error": { "message": words, "code": code, "type": words } });
            (StatusCode::from_u16(status).unwrap(), Json(body)).into_response()
        };
        let page = format!("<html><body>{words}</body></html>");
        match random.u8(0..7) {
            0 => Said::Refused(error(400, 131_000)),
            1 => Said::Refused(error(500, 131_016)),
            2 => Said::Refused(error(429, 130_429)),
            3 => Said::Refused((StatusCode::SERVICE_UNAVAILABLE, page).into_response()),
            4 => Said::Unclear((StatusCode::INTERNAL_SERVER_ERROR, page).into_response()),
            5 => Said::Unclear(page.into_response()),
            _ => {
                let broken = stream::iter([Err::<Bytes, _>(std::io::Error::other("gone"))]);
                Said::Unclear(Body::from_stream(broken).into_response())
            }
        }
    }

    async fn message(&self, body: &Bytes) -> Response {
        let body: Value = serde_json::from_slice(body).expect("hark sends JSON");
        if body["status"] == "read" {
            return Json(json!({ "success": true })).into_response();
        }
        let part = body["biz_opaque_callback_data"].as_str().unwrap_or_default();
        let said = self.say(part);
        if let Said::Refused(response) = said {
            return response;
        }
        tokio::time::sleep(ROUND_TRIP / 2).await;
        let (id, taken) = self.take(&body);
        self.follow_up(&id, &body["to"], &taken);
        tokio::time::sleep(ROUND_TRIP / 2).await;
        match said {
            Said::Unclear(response) => response,
            _ => Json(json!({
                "messaging_product": "whatsapp",
                "contacts": [{ "input": body["to"], "wa_id": body["to"] }],
                "messages": [{ "id": id }],
            }))
            .into_response(),
        }
    }
}

async fn answer(
    State(graph): State<LyingGraph>,
    method: Method,
    uri: Uri,
    body: Bytes,
) -> Response {
    let path = uri.path();
    if method == Method::POST {
        if path.ends_with("/messages") {
            return graph.message(&body).await;
        }
        return Json(json!({ "id": "media-out" })).into_response();
    }
    let file = path.rsplit('/').next().and_then(|name| {
        let files = graph.inside.files.lock().unwrap();
        files.get(name).cloned()
    });
    file.map_or_else(|| StatusCode::NOT_FOUND.into_response(), IntoResponse::into_response)
}
