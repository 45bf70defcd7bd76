//! The service against a Graph API that is not the simulator: a server of this test's own, which
//! shares no code with hark and records every request as it came.

use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use bytes::Bytes;
use hark::provider::door;
use hark::remote::http_client;
use hark::turn::TurnId;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::program::{Hark, PATIENCE, SCRIPTED};

const NOTE: &[u8] = include_bytes!("../../audio-fixtures/en_hours.ogg");
const SECRET: &str = "s3cret";

/// One request as it came.
#[derive(Clone, Debug)]
struct Call {
    line: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Call {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// The server.
#[derive(Clone)]
struct Graph {
    url: String,
    calls: Arc<Mutex<Vec<Call>>>,
    sent: watch::Sender<bool>,
}

impl Graph {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let graph = Self { url, calls: Arc::default(), sent: watch::Sender::new(false) };
        let router = Router::new().fallback(answer).with_state(graph.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        graph
    }

    /// Waits until a message was sent; returns the calls, those that mark as read apart.
    async fn calls(&self) -> (Vec<Call>, Vec<Call>) {
        let mut sent = self.sent.subscribe();
        tokio::time::timeout(PATIENCE, sent.wait_for(|sent| *sent)).await.expect("sent").unwrap();
        let calls = self.calls.lock().unwrap().clone();
        calls.into_iter().partition(|call| {
            call.line == "POST /v25.0/106/messages" && call.json()["status"] == "read"
        })
    }
}

async fn answer(
    State(graph): State<Graph>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let line = format!("{method} {uri}");
    graph.calls.lock().unwrap().push(Call { line: line.clone(), headers, body: body.clone() });
    match line.as_str() {
        "GET /v25.0/media-in?phone_number_id=106" => Json(json!({
            "messaging_product": "whatsapp", "url": format!("{}/files/1?mid=2", graph.url),
            "mime_type": "audio/ogg", "sha256": "0", "file_size": NOTE.len().to_string(),
            "id": "media-in",
        }))
        .into_response(),
        "GET /files/1?mid=2" => NOTE.into_response(),
        "POST /v25.0/106/media" => Json(json!({ "id": "media-out" })).into_response(),
        "POST /v25.0/106/messages" => {
            if serde_json::from_slice::<Value>(&body).unwrap()["status"] == "read" {
                return Json(json!({ "success": true })).into_response();
            }
            graph.sent.send_replace(true);
            Json(json!({
                "messaging_product": "whatsapp",
                "contacts": [{ "input": "4915550001", "wa_id": "4915550001" }],
                "messages": [{ "id": "wamid.out" }],
            }))
            .into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// A voice note's webhook as Meta posts it; since 2025-11 with the address of the file.
fn webhook(url: Option<String>) -> Vec<u8> {
    let mut audio = json!({
        "mime_type": "audio/ogg; codecs=opus", "sha256": "", "id": "media-in", "voice": true,
    });
    if let Some(url) = url {
        audio["url"] = url.into();
    }
    let message = json!({
        "from": "4915550001", "id": "wamid.in", "timestamp": now(), "type": "audio",
        "audio": audio,
    });
    let value = json!({
        "messaging_product": "whatsapp",
        "metadata": { "display_phone_number": "15550783881", "phone_number_id": "106" },
        "contacts": [{ "profile": { "name": "Ann" }, "wa_id": "4915550001" }],
        "messages": [message],
    });
    let body = json!({
        "object": "whatsapp_business_account",
        "entry": [{ "id": "1", "changes": [{ "value": value, "field": "messages" }] }],
    });
    serde_json::to_vec_pretty(&body).unwrap()
}

fn now() -> String {
    (hark::clock::Clock::System.now_ms() / 1000).to_string()
}

/// Runs `hark serve` on a webhook and returns what it asked for, in order.
async fn answered(graph: &Graph, body: Vec<u8>) -> (Vec<Call>, Vec<Call>) {
    let toml = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[[numbers]]\nphone_number_id = \"106\"\n\
         access_token = \"t0ken\"\napp_secret = \"{SECRET}\"\napi_url = \"{}\"\n{SCRIPTED}",
        graph.url
    );
    let hark = Hark::new().file("hark.toml", toml);
    let service = hark.start(&["serve"]).await;
    let signature = door::sign(&SECRET.into(), &body);
    let request = http_client().post(service.url("/webhook")).body(body);
    let request = request.header("content-type", "application/json");
    let taken = request.header("x-hub-signature-256", signature).send().await.unwrap();
    assert_eq!(taken.status(), 200);
    let taken: Value = taken.json().await.unwrap();
    let counts = json!({ "status": "accepted", "accepted": 1, "duplicates": 0, "ignored": 0 });
    assert_eq!(taken, counts);
    let calls = graph.calls().await;
    assert_eq!(service.stop().await, 0);
    calls
}

fn lines(calls: &[Call]) -> Vec<&str> {
    calls.iter().map(|call| call.line.as_str()).collect()
}

#[tokio::test]
async fn a_voice_note_is_looked_up_fetched_and_answered_as_documented() {
    let graph = Graph::start().await;
    let (read, calls) = answered(&graph, webhook(None)).await;
    let [lookup, download, upload, send] = &calls[..] else { panic!("{:?}", lines(&calls)) };
    assert_eq!(lookup.line, "GET /v25.0/media-in?phone_number_id=106");
    assert_eq!(download.line, "GET /files/1?mid=2");
    assert_eq!(upload.line, "POST /v25.0/106/media");
    assert_eq!(send.line, "POST /v25.0/106/messages");
    for call in calls.iter().chain(&read) {
        assert_eq!(call.header("authorization"), "Bearer t0ken", "{}", call.line);
        assert!(call.header("user-agent").starts_with("hark/"), "{}", call.line);
        if call.line.starts_with("POST") {
            assert_eq!(call.header("transfer-encoding"), "", "{}", call.line);
            assert_eq!(call.header("content-length"), call.body.len().to_string());
        }
    }
    let [read] = &read[..] else { panic!("read and typing is one call: {:?}", lines(&read)) };
    let expected = json!({
        "messaging_product": "whatsapp", "status": "read", "message_id": "wamid.in",
        "typing_indicator": { "type": "text" },
    });
    assert_eq!(read.json(), expected);
    let turn = TurnId::from_message(&"106".into(), &"wamid.in".into());
    let expected = json!({
        "messaging_product": "whatsapp", "recipient_type": "individual", "to": "4915550001",
        "type": "audio", "audio": { "id": "media-out", "voice": true },
        "context": { "message_id": "wamid.in" },
        "biz_opaque_callback_data": format!("hark:{turn}:0"),
    });
    assert_eq!(send.json(), expected);
    uploads_a_voice_note(upload);
}

#[tokio::test]
async fn the_address_of_a_webhook_saves_the_look_up() {
    let graph = Graph::start().await;
    let url = format!("{}/files/1?mid=2", graph.url);
    let (_, calls) = answered(&graph, webhook(Some(url))).await;
    let expected = ["GET /files/1?mid=2", "POST /v25.0/106/media", "POST /v25.0/106/messages"];
    assert_eq!(lines(&calls), expected);
}

#[tokio::test]
async fn an_expired_address_is_looked_up_again() {
    let graph = Graph::start().await;
    let url = format!("{}/files/expired", graph.url);
    let (_, calls) = answered(&graph, webhook(Some(url))).await;
    let expected =
        ["GET /files/expired", "GET /v25.0/media-in?phone_number_id=106", "GET /files/1?mid=2"];
    assert_eq!(lines(&calls)[..3], expected);
    assert_eq!(calls.len(), 5);
}

/// Reads the multipart body by hand.
#[track_caller]
fn uploads_a_voice_note(upload: &Call) {
    let boundary = upload.header("content-type").strip_prefix("multipart/form-data; boundary=");
    let delimiter = format!("--{}", boundary.expect("a multipart body"));
    let mut parts = Vec::new();
    let mut rest = &upload.body[delimiter.len()..];
    while let Some(end) = position(rest, format!("\r\n{delimiter}").as_bytes()) {
        let (part, after) = (&rest[2..end], &rest[end + 2 + delimiter.len()..]);
        let head = position(part, b"\r\n\r\n").expect("a part has headers");
        let headers = std::str::from_utf8(&part[..head]).unwrap().to_ascii_lowercase();
        parts.push((headers, &part[head + 4..]));
        rest = after;
    }
    let part = |name: &str| {
        let name = format!("name=\"{name}\"");
        parts.iter().find(|(headers, _)| headers.contains(&name)).expect("the part is there")
    };
    assert_eq!(part("messaging_product").1, b"whatsapp");
    assert_eq!(part("type").1, b"audio/ogg");
    let (headers, file) = part("file");
    assert!(headers.contains("filename=\"voice-note.ogg\""), "{headers}");
    assert!(headers.contains("content-type: audio/ogg; codecs=opus"), "{headers}");
    assert!(file.starts_with(b"OggS"));
    // The first page's body: RFC 7845 section 5.1, version 1, then the channel count.
    assert_eq!(&file[28..38], b"OpusHead\x01\x01");
    assert!(file.len() < 512 * 1024);
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
