//! `/v1/chat/completions`: paced answers, and every way in which such a server goes wrong.
//!
//! Each request takes the next script, the last one again and again. Requests are recorded.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::{Extensions, HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use futures_util::stream::{self, StreamExt as _};
use serde_json::{Value, json};

/// One request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// The client's end of the connection, where the server is told.
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

/// What happens at one moment of an answer.
#[derive(Clone, Debug)]
enum Step {
    /// Bytes go out.
    Bytes(Bytes),
    Pause(Duration),
    /// The connection breaks.
    Break,
    /// Nothing more comes, and the connection stays open.
    Hang,
}

/// How one request is answered.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    status: StatusCode,
    headers: Vec<(&'static str, String)>,
    /// Before the headers.
    silence: Duration,
    steps: Vec<Step>,
}

impl Script {
    /// A status and a body.
    pub(crate) fn status(status: u16, kind: &str, body: &str) -> Self {
        Self {
            status: StatusCode::from_u16(status).expect("a status"),
            headers: vec![("content-type", kind.to_owned())],
            silence: Duration::ZERO,
            steps: vec![Step::Bytes(body.to_owned().into())],
        }
    }

    /// An error as `OpenAI` writes it.
    pub(crate) fn error(status: u16, message: &str) -> Self {
        let error = json!({ "message": message, "type": "test", "param": null, "code": null });
        Self::status(status, "application/json", &json!({ "error": error }).to_string())
    }

    /// An event stream of these bytes.
    pub(crate) fn stream(bytes: impl Into<Bytes>) -> Self {
        Self {
            steps: vec![Step::Bytes(bytes.into())],
            ..Self::status(200, "text/event-stream", "")
        }
    }

    /// A whole answer, streamed word by word, at once.
    pub(crate) fn says(text: &str) -> Self {
        Self::words(text).then(&finish("stop")).then(&used(20, 7)).then(DONE)
    }

    /// The words alone: without an end.
    pub(crate) fn words(text: &str) -> Self {
        let mut script = Self::stream(": keep-alive\n\n");
        script = script.then(&event(&delta(&json!({ "role": "assistant", "content": "" }))));
        for word in text.split_inclusive(' ') {
            script = script.then(&event(&delta(&json!({ "content": word }))));
        }
        script
    }

    /// Sends this after what comes so far.
    pub(crate) fn then(self, text: &str) -> Self {
        self.step(Step::Bytes(text.to_owned().into()))
    }

    pub(crate) fn then_breaks(self) -> Self {
        self.step(Step::Break)
    }

    pub(crate) fn then_hangs(self) -> Self {
        self.step(Step::Hang)
    }

    /// Waits `first_token_ms` before the headers and sends each event after a pause.
    pub(crate) fn paced(mut self, first_token_ms: u64, tokens_per_s: f64) -> Self {
        self.silence = Duration::from_millis(first_token_ms);
        if tokens_per_s > 0.0 {
            let pause = Step::Pause(Duration::from_secs_f64(1.0 / tokens_per_s));
            self.steps = self.steps.into_iter().flat_map(|step| [step, pause.clone()]).collect();
        }
        self
    }

    /// Cuts all bytes anew, so that they arrive in pieces of this length.
    pub(crate) fn in_pieces_of(mut self, length: usize) -> Self {
        let bytes = self.steps.iter().flat_map(|step| match step {
            Step::Bytes(bytes) => bytes.to_vec(),
            _ => Vec::new(),
        });
        let bytes: Vec<u8> = bytes.collect();
        let pieces = bytes.chunks(length).map(|piece| Step::Bytes(piece.to_vec().into()));
        self.steps = pieces.collect();
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    async fn answer(self, open: Open) -> Response {
        tokio::time::sleep(self.silence).await;
        // The stream keeps `open`, and is dropped at its end or when the client hangs up.
        let steps = stream::iter(self.steps).inspect(move |_| _ = &open);
        let steps = steps.filter_map(|step| async {
            match step {
                Step::Bytes(bytes) => Some(Ok(bytes)),
                Step::Pause(pause) => {
                    tokio::time::sleep(pause).await;
                    None
                }
                Step::Break => {
                    // What came so far is to arrive.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    Some(Err("the script breaks the connection"))
                }
                Step::Hang => std::future::pending().await,
            }
        });
        let mut response = (self.status, Body::from_stream(steps)).into_response();
        for (name, value) in self.headers {
            response.headers_mut().insert(name, value.parse().expect("a header"));
        }
        response
    }
}

/// The end of a stream.
pub(crate) const DONE: &str = "data: [DONE]\n\n";

/// One event of a stream.
pub(crate) fn event(chunk: &Value) -> String {
    format!("data: {chunk}\n\n")
}

/// A chunk with this delta.
pub(crate) fn delta(delta: &Value) -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "fake",
        "choices": [{ "index": 0, "delta": delta, "logprobs": null, "finish_reason": null }],
    })
}

/// The event that says how the answer ended.
pub(crate) fn finish(reason: &str) -> String {
    let mut chunk = delta(&json!({}));
    chunk["choices"][0]["finish_reason"] = reason.into();
    event(&chunk)
}

/// The event that says what it cost.
pub(crate) fn used(prompt_tokens: u64, completion_tokens: u64) -> String {
    let usage = json!({
        "prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
    });
    event(&json!({ "choices": [], "usage": usage }))
}

/// The chat half of the server: its scripts, and what it was asked.
#[derive(Clone, Default)]
pub(crate) struct Chat {
    scripts: Arc<Mutex<VecDeque<Script>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
    open: Arc<AtomicUsize>,
    /// Where a request's key of this name is false, or is not there, this is the answer.
    without: Arc<Mutex<Option<(String, Script)>>>,
}

/// An answer under way.
struct Open(Arc<AtomicUsize>);

impl Open {
    fn count(open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(open))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Chat {
    /// Answers with these scripts, one a request; the last one also answers all that follow.
    pub(crate) fn new(scripts: impl IntoIterator<Item = Script>) -> Self {
        let scripts = Mutex::new(scripts.into_iter().collect());
        Self { scripts: Arc::new(scripts), ..Self::default() }
    }

    /// Every request so far, in order.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("no holder panics").clone()
    }

    /// Answers that are neither at their end nor hung up on.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }

    /// Forgets the scripts and answers every request with this one.
    pub(crate) fn answer_from_now_on(&self, script: Script) {
        *self.scripts.lock().expect("no holder panics") = VecDeque::from([script]);
    }

    /// Answers with `script` where a request does without `key`.
    pub(crate) fn answer_where_not(&self, key: &str, script: Script) {
        *self.without.lock().expect("no holder panics") = Some((key.to_owned(), script));
    }

    fn next(&self, body: &Value) -> Script {
        let without = self.without.lock().expect("no holder panics").clone();
        if let Some((_, script)) = without.filter(|(key, _)| !body[key].as_bool().unwrap_or(false))
        {
            return script;
        }
        let mut scripts = self.scripts.lock().expect("no holder panics");
        let only = scripts.len() < 2;
        let next = if only { scripts.front().cloned() } else { scripts.pop_front() };
        next.expect("a script is given")
    }
}

/// The route of [`Chat`].
pub(crate) fn router(chat: Chat) -> Router {
    Router::new().route("/v1/chat/completions", post(answer)).with_state(chat)
}

async fn answer(
    State(chat): State<Chat>,
    extensions: Extensions,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Infallible> {
    let open = Open::count(&chat.open);
    let json = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    let Some(body) = serde_json::from_slice(&body).ok().filter(|_| json) else {
        return Ok(Script::error(400, "the body is no JSON").answer(open).await);
    };
    let peer = extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0);
    let script = chat.next(&body);
    chat.asked.lock().expect("no holder panics").push(Asked { peer, headers, body });
    Ok(script.answer(open).await)
}
