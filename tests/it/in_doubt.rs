//! A provider that refuses for ever, breaks off or lies: how often a person gets what, and when the
//! next message has its turn.

use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use bytes::Bytes;
use hark::turn::{Outcome, TurnReport};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::harness::{NUMBER, PERSON, Setup, TestApp, update, words_of};

/// What a Graph does with a message; each is a way to answer its call.
#[derive(Clone, Copy, PartialEq)]
enum Does {
    Takes,
    /// Takes it and breaks off in its answer.
    Breaks,
    /// Takes it and answers a 500 that says nothing.
    Fails,
    /// Takes it and answers something senseless.
    Babbles,
    /// Refuses it with this status and code.
    Refuses(u16, i64),
    /// Is a page that says 503.
    Away,
}

/// A Graph API of this test's own.
#[derive(Clone)]
struct Graph {
    url: String,
    /// What it does with sounds and with texts.
    does: Arc<Mutex<(Does, Does)>>,
    /// Kind and callback data of every message that it was sent.
    sends: Arc<Mutex<Vec<(String, String)>>>,
    /// Each answer to a message takes one.
    may_answer: Arc<Semaphore>,
}

impl Graph {
    async fn start(sounds: Does, texts: Does) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (does, may_answer) = (Arc::new(Mutex::new((sounds, texts))), Semaphore::new(1000));
        let graph = Self { url, does, sends: Arc::default(), may_answer: Arc::new(may_answer) };
        let router = Router::new().fallback(answer).with_state(graph.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        graph
    }

    fn does(&self, sounds: Does, texts: Does) {
        *self.does.lock().unwrap() = (sounds, texts);
    }

    fn service(&self) -> Setup {
        TestApp::start().answers("At nine.").set("numbers.0.api_url", &self.url)
    }

    fn kinds(&self) -> Vec<String> {
        self.sends.lock().unwrap().iter().map(|(kind, _)| kind.clone()).collect()
    }
}

async fn answer(State(graph): State<Graph>, uri: Uri, body: Bytes) -> Response {
    if uri.path().ends_with("/media") {
        return Json(json!({ "id": "media-out" })).into_response();
    }
    let body: Value = serde_json::from_slice(&body).unwrap();
    if body["status"] == "read" {
        return Json(json!({ "success": true })).into_response();
    }
    let text = |key: &str| body[key].as_str().unwrap().to_owned();
    let (kind, data) = (text("type"), text("biz_opaque_callback_data"));
    let (sounds, texts) = *graph.does.lock().unwrap();
    let does = if kind == "audio" { sounds } else { texts };
    let count = {
        let mut sends = graph.sends.lock().unwrap();
        sends.push((kind, data));
        sends.len()
    };
    graph.may_answer.acquire().await.unwrap().forget();
    match does {
        Does::Takes => {
            Json(json!({ "messages": [{ "id": format!("wamid.{count}") }] })).into_response()
        }
        Does::Breaks => {
            let pieces = [Ok("{\"messages\":"), Err(std::io::Error::other("gone"))];
            Body::from_stream(futures_util::stream::iter(pieces)).into_response().into_response()
        }
        Does::Fails => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Does::Babbles => "<html>".into_response(),
        Does::Refuses(status, code) => {
            let error = json!({ "error": { "code": code, "message": "no" } });
            (StatusCode::from_u16(status).unwrap(), Json(error)).into_response()
        }
        Does::Away => (StatusCode::SERVICE_UNAVAILABLE, "<html>503</html>").into_response(),
    }
}

/// Lets a person write, and everything happen that happens at once.
async fn write(app: &TestApp, id: &str) {
    app.post_signed(&update::messages(NUMBER, &[update::text(id, "hello")])).await;
    app.run_until_idle().await;
}

async fn later(app: &TestApp, ms: i64) {
    app.advance(ms).await;
    app.run_until_idle().await;
}

/// The reports of all turns that are over.
async fn reports(app: &TestApp) -> Vec<TurnReport> {
    app.turns().await.into_iter().filter_map(|turn| turn.report).collect()
}

const HOUR_MS: i64 = 60 * 60 * 1000;

#[tokio::test]
async fn a_note_that_is_refused_for_ever_is_followed_by_its_text_after_the_third_try() {
    for refusal in [
        Does::Refuses(500, 131_000),
        Does::Refuses(503, 131_016),
        Does::Refuses(400, 130_429),
        Does::Away,
    ] {
        let graph = Graph::start(refusal, Does::Takes).await;
        let app = graph.service().await;
        write(&app, "wamid.1").await;
        for _ in 0..3 {
            later(&app, 10_000).await;
        }
        assert_eq!(graph.kinds(), ["audio", "audio", "audio", "text"]);
        let report = app.report().await;
        assert_eq!((report.outcome, report.audio), (Outcome::Text, None));
        let reason = words_of(report.reason).unwrap();
        assert!(reason.starts_with("send_failed: provider refused"), "{reason}");
        // The note is not taken up again, and the next message is answered as if nothing was.
        graph.does(Does::Takes, Does::Takes);
        write(&app, "wamid.2").await;
        assert_eq!(graph.kinds()[4..], ["audio"]);
    }
}

#[tokio::test]
async fn a_text_that_is_refused_for_ever_holds_its_lane_for_an_hour() {
    let refusal = Does::Refuses(503, 131_016);
    let graph = Graph::start(refusal, refusal).await;
    let app = graph.service().await;
    write(&app, "wamid.1").await;
    write(&app, "wamid.2").await;
    let first = async || app.turns().await[0].report.as_ref().is_none_or(|r| r.reason.is_none());
    for _ in 0..3 {
        later(&app, 10_000).await;
    }
    assert_eq!(graph.kinds(), ["audio", "audio", "audio", "text"]);
    for _ in 0..5 {
        later(&app, 11 * 60_000).await;
        assert!(first().await, "it is tried for an hour");
    }
    assert_eq!(app.turns().await.len(), 1);
    later(&app, 15 * 60_000).await;
    assert_eq!(reports(&app).await[0].outcome, Outcome::Failed);
    graph.does(Does::Takes, Does::Takes);
    later(&app, 15 * 60_000).await;
    assert_eq!(graph.kinds().last().map(String::as_str), Some("audio"));
    assert_eq!(reports(&app).await[1].outcome, Outcome::VoiceNote);
}

#[tokio::test]
async fn what_may_have_arrived_is_sent_a_few_times_and_counts_as_sent() {
    for (does, said) in [
        (Does::Breaks, "broke off"),
        (Does::Fails, "HTTP 500"),
        (Does::Babbles, "something unexpected"),
    ] {
        let graph = Graph::start(does, Does::Takes).await;
        let app = graph.service().await;
        write(&app, "wamid.1").await;
        later(&app, 4_900).await;
        assert_eq!(graph.kinds(), ["audio"], "{said}: a status may still come");
        later(&app, 3_100).await;
        assert_eq!(graph.kinds(), ["audio", "audio"], "{said}");
        for (sends, wait_s) in [(2, 15), (3, 31), (4, 63), (5, 127)] {
            later(&app, wait_s * 1_000).await;
            assert_eq!(graph.kinds().len(), sends, "{said}: each wait is longer");
            later(&app, 1_000).await;
        }
        later(&app, HOUR_MS).await;
        assert_eq!(graph.kinds(), ["audio"; 6], "{said}");
        let report = app.report().await;
        assert_eq!(report.outcome, Outcome::VoiceNote);
        let reason = words_of(report.reason).unwrap();
        assert!(reason.starts_with("unclear_send: ") && reason.contains(said), "{reason}");
    }
}

#[tokio::test]
async fn a_status_before_the_second_try_is_proof_and_a_late_failure_brings_the_text() {
    let graph = Graph::start(Does::Fails, Does::Takes).await;
    let app = graph.service().await;
    let status = |word: &str, id: &str, part: usize| {
        let data = graph.sends.lock().unwrap()[part].1.clone();
        let mut status = json!({ "id": id, "status": word, "timestamp": "100",
            "recipient_id": PERSON, "biz_opaque_callback_data": data });
        if word == "failed" {
            status["errors"] = json!([{ "code": 131_026, "title": "Lost" }]);
        }
        update::statuses(NUMBER, &[status])
    };
    write(&app, "wamid.1").await;
    app.post_signed(&status("sent", "wamid.a", 0)).await;
    later(&app, 10_000).await;
    assert_eq!(graph.kinds(), ["audio"]);
    assert_eq!(app.report().await.outcome, Outcome::VoiceNote);
    // One that counts as sent without proof, and was lost.
    write(&app, "wamid.2").await;
    for wait_s in [8, 16, 32, 64, 128] {
        later(&app, wait_s * 1_000).await;
    }
    assert_eq!(graph.kinds(), ["audio"; 7]);
    app.post_signed(&status("failed", "wamid.b", 6)).await;
    app.run_until_idle().await;
    assert_eq!(graph.kinds()[7..], ["text"]);
    assert_eq!(reports(&app).await[1].outcome, Outcome::Text);
}

#[tokio::test]
async fn what_was_sent_while_the_store_could_not_be_written_is_sent_once() {
    let graph = Graph::start(Does::Takes, Does::Takes).await;
    graph.may_answer.forget_permits(1000);
    let app = graph.service().await;
    app.post_signed(&update::messages(NUMBER, &[update::text("wamid.1", "hello")])).await;
    app.wait_until("it is sent", async || graph.kinds().len() == 1).await;
    let full = "CREATE TRIGGER full BEFORE UPDATE ON parts
                BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END";
    app.database().execute_batch(full).unwrap();
    graph.may_answer.add_permits(1000);
    // Longer than the half minute after which the note was once forgotten.
    tokio::time::sleep(std::time::Duration::from_secs(33)).await;
    app.advance(60_000).await;
    app.database().execute_batch("DROP TRIGGER full").unwrap();
    app.wait_until("it is noted", async || app.counts().await.leased == 0).await;
    later(&app, 60_000).await;
    assert_eq!(graph.kinds(), ["audio"]);
    assert_eq!(app.report().await.outcome, Outcome::VoiceNote);
}
