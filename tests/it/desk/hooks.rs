//! Events by HTTP: signed, in order, at least once, over a server that fails and a process that dies.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use axum::routing::post;
use hark::events::post::sign;
use serde_json::{Value, json};

use super::{Tokens, asked_for, writes};
use crate::harness::TestApp;
use crate::openai::serve;

/// What a receiver does with the next request.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Does {
    Takes,
    FailsHalf,
    Page,
    Redirects,
    Gone,
}

/// A receiver of events.
#[derive(Clone)]
struct Receiver(Arc<Mutex<Received>>);

struct Received {
    does: Does,
    requests: usize,
    taken: Vec<(HeaderMap, Value)>,
}

impl Receiver {
    async fn start(does: Does) -> (Self, String) {
        let this = Self(Arc::new(Mutex::new(Received { does, requests: 0, taken: Vec::new() })));
        let take = this.clone();
        let routes = Router::new().route(
            "/events",
            post(async move |headers: HeaderMap, body: Bytes| take.take(headers, &body)),
        );
        let url = serve(routes).await;
        (this, format!("{}/events", url.trim_end_matches("/v1")))
    }

    fn take(&self, headers: HeaderMap, body: &Bytes) -> Response {
        let mut received = self.0.lock().unwrap();
        received.requests += 1;
        match received.does {
            Does::FailsHalf if fails(received.requests) => StatusCode::BAD_GATEWAY.into_response(),
            Does::Page => Html("<h1>Log in</h1>").into_response(),
            Does::Redirects => Redirect::temporary("http://elsewhere.example/").into_response(),
            Does::Gone => StatusCode::GONE.into_response(),
            Does::Takes | Does::FailsHalf => {
                received.taken.push((headers, serde_json::from_slice(body).unwrap()));
                StatusCode::NO_CONTENT.into_response()
            }
        }
    }

    fn does(&self, does: Does) {
        self.0.lock().unwrap().does = does;
    }

    fn taken(&self) -> Vec<(HeaderMap, Value)> {
        self.0.lock().unwrap().taken.clone()
    }
}

/// Whether a request fails: half of them do, in no order.
fn fails(request: usize) -> bool {
    request.wrapping_mul(2_654_435_761) >> 31 & 1 == 1
}

async fn add(app: &TestApp, token: &str, url: &str) -> Value {
    app.api_post(token, "/event-webhooks", &json!({ "url": url })).send().await.expect(201)
}

async fn look(app: &TestApp, token: &str, hook: &Value) -> Value {
    let path = format!("/event-webhooks/{}", hook["id"].as_str().unwrap());
    app.api_get(token, &path).send().await.expect(200)
}

async fn fails_with(app: &TestApp, token: &str, hook: &Value, words: &str) {
    let told = async || {
        look(app, token, hook).await["error"].as_str().is_some_and(|error| error.contains(words))
    };
    app.wait_until(words, &told).await;
}

/// Checks that events of each contact came in order, and returns how many different ones came.
fn in_order(taken: &[(HeaderMap, Value)]) -> usize {
    let mut last: HashMap<&str, i64> = HashMap::new();
    for (_, event) in taken {
        let id = event["id"].as_str().unwrap().parse().unwrap();
        let before = last.insert(event["source"].as_str().unwrap(), id);
        assert!(before.is_none_or(|before| before < id), "{event}");
    }
    let ids: HashSet<_> = taken.iter().map(|(_, event)| &event["id"]).collect();
    ids.len()
}

#[tokio::test]
async fn events_are_signed_and_come_once_and_in_order_over_a_server_that_fails() {
    let app = TestApp::start().await;
    let tokens = Tokens::of(&app).await;
    let (receiver, url) = Receiver::start(Does::FailsHalf).await;
    let hook = add(&app, &tokens.admin, &url).await;
    let secret = hook["secret"].as_str().unwrap().to_owned();
    assert!(look(&app, &tokens.operator, &hook).await.get("secret").is_none());
    for person in 0..5 {
        for text in 0..3 {
            app.text(&format!("1555000100{person}"), &format!("question {text}")).await;
        }
    }
    app.run_until_idle().await;
    let all = app.sent().len();
    // Received, known, asked, answered, sent twice, ended; and each note is played.
    let expected = 15 * 8;
    app.wait_until("all events", &async || receiver.taken().len() >= expected).await;
    let taken = receiver.taken();
    assert_eq!((in_order(&taken), taken.len(), all), (expected, expected, 15));
    let (headers, event) = &taken[0];
    assert_eq!(headers["content-type"], "application/cloudevents+json");
    let word = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert_eq!(word("webhook-id"), format!("evt_{}", event["id"].as_str().unwrap()));
    let seconds = word("webhook-timestamp").parse().unwrap();
    let signed = sign(&secret.as_str().into(), &word("webhook-id"), seconds, &event.to_string());
    assert_eq!(word("webhook-signature"), signed.unwrap());
}

#[tokio::test]
async fn what_is_no_receiver_is_named_and_nothing_is_lost() {
    let mut app = TestApp::start().await;
    let tokens = Tokens::of(&app).await;
    let (receiver, url) = Receiver::start(Does::Page).await;
    let hook = add(&app, &tokens.admin, &url).await;
    writes(&app, "Hello").await;
    fails_with(&app, &tokens.operator, &hook, "web page").await;
    receiver.does(Does::Redirects);
    fails_with(&app, &tokens.operator, &hook, "redirects elsewhere").await;
    app.restart().await;
    receiver.does(Does::Takes);
    app.wait_until("all events", &async || receiver.taken().len() >= 8).await;
    assert_eq!(in_order(&receiver.taken()), 8);
    let well = async || look(&app, &tokens.operator, &hook).await["error"] == Value::Null;
    app.wait_until("it is well", &well).await;
    receiver.does(Does::Gone);
    writes(&app, "Hello again").await;
    let ended = async || look(&app, &tokens.operator, &hook).await["active"] == false;
    app.wait_until("it is switched off", &ended).await;
    app.sent();
}

#[tokio::test]
async fn an_event_that_is_not_taken_for_a_day_is_given_up_and_told_again_when_asked() {
    let app = TestApp::start().await;
    let tokens = Tokens::of(&app).await;
    let (receiver, url) = Receiver::start(Does::Page).await;
    let hook = add(&app, &tokens.admin, &url).await;
    writes(&app, "Hello").await;
    fails_with(&app, &tokens.operator, &hook, "web page").await;
    app.advance(25 * 60 * 60 * 1000).await;
    let id = hook["id"].as_str().unwrap();
    let dead = async || look(&app, &tokens.operator, &hook).await["dead"].as_u64() >= Some(8);
    app.wait_until("they are given up", &dead).await;
    let list = app.api_get(&tokens.operator, &format!("/event-webhooks/{id}/dead")).send().await;
    let list = list.expect(200);
    assert_eq!(list["items"][0]["event"]["type"], "whatsapp-business-text-message-received");
    receiver.does(Does::Takes);
    let path = format!("/event-webhooks/{id}/replay");
    app.api_post(&tokens.admin, &path, &json!({})).send().await.expect(200);
    app.wait_until("all events", &async || receiver.taken().len() >= 8).await;
    let none = async || look(&app, &tokens.operator, &hook).await["dead"] == 0;
    app.wait_until("none is left", &none).await;
    app.sent();
}

/// Messages that are told of, unless `HARK_EVENT_MESSAGES` says how many; each is eight events.
const MESSAGES: usize = 40;

/// A server that fails half the time, and a service that is killed again and again: every event comes,
/// in the order of its contact. After a kill some come again.
#[tokio::test]
async fn every_event_is_told_over_kills_and_failures() {
    let mut app = TestApp::start().in_a_process().await;
    let tokens = Tokens::of(&app).await;
    let (receiver, url) = Receiver::start(Does::FailsHalf).await;
    add(&app, &tokens.admin, &url).await;
    let messages = asked_for("HARK_EVENT_MESSAGES").unwrap_or(MESSAGES);
    for message in 0..messages {
        app.text(&format!("15550{:06}", message % 40), &format!("question {message}")).await;
        if message % (messages / 4) == messages / 8 {
            app.kill().await;
            app.start_again().await;
        }
    }
    app.run_until_done().await;
    assert_eq!(app.sent().len(), messages);
    let all = app.sql_number("SELECT count(*) FROM events");
    let told =
        || receiver.taken().iter().map(|(_, event)| event["id"].clone()).collect::<HashSet<_>>();
    let mut reached = told().len();
    while reached < all {
        app.wait_until("more events", &async || told().len() > reached).await;
        reached = told().len();
    }
    // The first time that each came.
    let mut seen = HashSet::new();
    let mut first = receiver.taken();
    let taken = first.len();
    first.retain(|(_, event)| seen.insert(event["id"].clone()));
    assert_eq!(in_order(&first), all);
    println!("{all} events, {taken} taken, {} times again after 4 kills", taken - all);
}

#[tokio::test]
async fn a_webhook_that_cannot_be_is_refused() {
    let app = TestApp::start().await;
    let tokens = Tokens::of(&app).await;
    let input = |url: &str, secret: Value| json!({ "url": url, "secret": secret });
    let refused = async |input: &Value| {
        app.api_post(&tokens.admin, "/event-webhooks", input).send().await.problem(422, "invalid")
    };
    assert!(refused(&input("ftp://a.example", Value::Null)).await.contains("url"));
    assert!(refused(&input("http://a.example", json!("whsec_c2hvcnQ="))).await.contains("secret"));
    let good = input("http://127.0.0.1:9/", Value::Null);
    let denied = app.api_post(&tokens.operator, "/event-webhooks", &good).send().await;
    denied.problem(403, "forbidden");
    let hook = add(&app, &tokens.admin, "http://127.0.0.1:9/").await;
    let path = format!("/event-webhooks/{}", hook["id"].as_str().unwrap());
    let stale = app.api(&tokens.admin, reqwest::Method::PUT, &path).json(&good).of_version(7);
    stale.send().await.problem(412, "stale");
    let changed = app.api(&tokens.admin, reqwest::Method::PUT, &path).json(&good).of_version(1);
    assert_eq!(changed.send().await.expect(200)["version"], 2);
    app.api(&tokens.admin, reqwest::Method::DELETE, &path).send().await;
    app.api_get(&tokens.admin, &path).send().await.problem(404, "not-found");
}
