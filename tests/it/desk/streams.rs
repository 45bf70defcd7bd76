//! Events and commands on streams of a real Redis: once, in order, over a server that goes away and a
//! person who is forgotten.

use redis::streams::{StreamId, StreamRangeReply};
use serde_json::{Value, json};

use super::{Tokens, conversation, operator, writes};
use crate::harness::redis::Redis;
use crate::harness::{PERSON, TestApp};

/// Starts hark with a Redis.
async fn with(redis: &Redis) -> TestApp {
    TestApp::start().set("redis.url", &redis.url()).await
}

/// What is on a stream.
async fn on(redis: &Redis, stream: &str) -> Vec<StreamId> {
    redis.ask::<StreamRangeReply>(&["XRANGE", stream, "-", "+"]).await.unwrap().ids
}

/// The events on the stream, which must be those that the store has.
async fn events(redis: &Redis) -> Vec<Value> {
    let entries = on(redis, "hark:events").await;
    let event = |entry: &StreamId| {
        let event: Value = serde_json::from_str(&entry.get::<String>("event").unwrap()).unwrap();
        assert_eq!(entry.id, format!("{}-0", event["id"].as_str().unwrap()));
        assert_eq!(entry.get::<String>("type").as_deref(), event["type"].as_str());
        event
    };
    entries.iter().map(event).collect()
}

/// Waits until the stream has the events of the store, and no other.
async fn is_told(app: &TestApp, redis: &Redis) {
    let kept = || app.sql("SELECT id FROM events ORDER BY id").concat();
    let same = async || {
        let told = events(redis).await;
        told.iter().map(|event| event["id"].as_str().unwrap()).eq(kept())
    };
    app.wait_until("the stream has the events of the store", &same).await;
}

/// Sends a command on the only conversation, and returns its outcome.
async fn command(app: &TestApp, redis: &Redis, event: &Value) -> (u16, Value) {
    let id: String =
        redis.ask(&["XADD", "hark:commands", "*", "event", &event.to_string()]).await.unwrap();
    outcome(app, redis, &id).await
}

async fn outcome(app: &TestApp, redis: &Redis, id: &str) -> (u16, Value) {
    let of = async || {
        let done = on(redis, "hark:commands:done").await;
        done.into_iter().find(|entry| entry.get::<String>("command").as_deref() == Some(id))
    };
    app.wait_until("the command has an outcome", &async || of().await.is_some()).await;
    let done = of().await.unwrap();
    let answer = serde_json::from_str(&done.get::<String>("answer").unwrap()).unwrap();
    (done.get("status").unwrap(), answer)
}

async fn event(app: &TestApp, token: &str, id: &str, kind: &str, data: Value) -> Value {
    let subject = conversation(app, token).await["id"].clone();
    json!({ "specversion": "1.0", "id": id, "source": "/desk", "type": kind, "subject": subject,
            "data": data })
}

#[tokio::test]
async fn every_event_is_on_the_stream_once_over_a_redis_that_is_killed_and_empty() {
    let mut redis = Redis::start(&[]);
    let app = with(&redis).await;
    writes(&app, "Hello").await;
    is_told(&app, &redis).await;
    redis.kill();
    // Nobody waits for it.
    writes(&app, "Are you there?").await;
    redis.start_again();
    is_told(&app, &redis).await;
    assert_eq!(events(&redis).await.len(), 16);
    assert_eq!(app.sent().len(), 2);
}

#[tokio::test]
async fn a_service_that_is_killed_goes_on_where_it_was() {
    let redis = Redis::start(&[]);
    let mut app = TestApp::start().set("redis.url", &redis.url()).in_a_process().await;
    for message in 0..12 {
        app.text(&format!("1555000100{}", message % 4), &format!("question {message}")).await;
        if message % 4 == 3 {
            app.kill().await;
            app.start_again().await;
        }
    }
    app.run_until_done().await;
    is_told(&app, &redis).await;
    assert_eq!(app.sent().len(), 12);
}

#[tokio::test]
async fn who_is_forgotten_is_on_no_stream_even_if_redis_was_away() {
    let mut redis = Redis::start(&["--appendonly", "yes"]);
    let app = with(&redis).await;
    let tokens = Tokens::of(&app).await;
    writes(&app, "Hello").await;
    app.text("15550009999", "Hello from me").await;
    app.run_until_idle().await;
    is_told(&app, &redis).await;
    redis.kill();
    let contacts = app.api_get(&tokens.admin, "/contacts").send().await.expect(200);
    let of = |phone: &str| {
        let items = contacts["items"].as_array().unwrap();
        items.iter().find(|contact| contact["phone"] == phone).unwrap()["id"].clone()
    };
    let path = format!("/contacts/{}", of(PERSON).as_str().unwrap());
    app.api(&tokens.admin, reqwest::Method::DELETE, &path).send().await.expect(204);
    redis.start_again();
    is_told(&app, &redis).await;
    let left = events(&redis).await;
    assert!(!left.is_empty() && !format!("{left:?}").contains(PERSON), "{left:?}");
    app.sent();
}

#[tokio::test]
async fn another_help_desk_works_by_streams_alone() {
    let redis = Redis::start(&[]);
    let app = with(&redis).await;
    let Tokens { admin, operator: token } = Tokens::of(&app).await;
    writes(&app, "Hello").await;
    let event = async |id, kind, data| event(&app, &token, id, kind, data).await;
    let open = event("1", "open-ticket", json!({ "operator": "zoe" })).await;
    let (status, opened) = command(&app, &redis, &open).await;
    assert_eq!((status, &opened["type"]), (202, &json!("open-ticket")));
    let says = event("2", "agent-answer-generated", json!({ "text": "Zoe here" })).await;
    let (_, first) = command(&app, &redis, &says).await;
    let (_, again) = command(&app, &redis, &says).await;
    assert_eq!(first, again);
    app.run_until_idle().await;
    assert_eq!(app.sent_texts().last().map(String::as_str), Some("Zoe here"));
    let close = event("3", "ticket-closed", json!({})).await;
    assert_eq!(command(&app, &redis, &close).await.0, 202);
    let (status, closed) =
        command(&app, &redis, &event("4", "ticket-closed", json!({})).await).await;
    assert_eq!(status, 409, "{closed}");
    assert!(closed["detail"].as_str().unwrap().contains("no open ticket"));
    let (status, odd) = command(&app, &redis, &json!("make tea")).await;
    assert_eq!((status, &odd["type"]), (422, &json!("urn:hark:problem:invalid")));
    let deeds = app.api_get(&admin, "/audit").send().await.expect(200);
    let closing = json!("command ticket-closed");
    let done: Vec<_> = deeds["items"].as_array().unwrap().iter().collect();
    assert_eq!((&done[1]["deed"], &done[1]["status"]), (&closing, &json!(409)));
    assert_eq!((&done[2]["deed"], &done[2]["token"]), (&closing, &json!("@redis")));
    // Nothing of what was said stays there.
    assert!(on(&redis, "hark:commands").await.is_empty());
    assert_eq!(app.sent().len(), 2);
}

#[tokio::test]
async fn one_of_several_processes_adds_each_event_once_and_none_stands_still() {
    let redis = Redis::start(&[]);
    // One that is no more did it before.
    let gone = ["SET", "hark:events:node", "gone", "PX", "3000"];
    let _: String = redis.ask(&gone).await.unwrap();
    let setup = TestApp::start().set("redis.url", &redis.url()).set("queue.node", "one");
    let app = setup.in_a_process().on_postgres().await;
    let _others = [
        app.another_node(&[("HARK__QUEUE__NODE", "two")]).await,
        app.another_node(&[("HARK__QUEUE__NODE", "three")]).await,
    ];
    for _ in 0..10 {
        app.text(PERSON, "Hello").await;
    }
    app.run_until_done().await;
    is_told(&app, &redis).await;
    assert_eq!(app.sent().len(), 10);
    let whose: String = redis.ask(&["GET", "hark:events:node"]).await.unwrap();
    assert!(["one", "two", "three"].contains(&&*whose), "{whose}");
    assert!(!app.log().contains("stands still"), "a process waits for no other");
}

#[tokio::test]
async fn commands_that_came_while_hark_was_away_are_done_once() {
    let redis = Redis::start(&[]);
    let mut app = TestApp::start().set("redis.url", &redis.url()).in_a_process().await;
    let token = Tokens::of(&app).await.admin;
    operator(&app, &token, "Ann").await;
    app.text(PERSON, "Hello").await;
    app.run_until_done().await;
    let says = event(&app, &token, "1", "agent-answer-generated", json!({ "text": "Hi" })).await;
    let says = says.to_string();
    app.kill().await;
    let ids: [String; 2] = [
        redis.ask(&["XADD", "hark:commands", "*", "event", &says]).await.unwrap(),
        redis.ask(&["XADD", "hark:commands", "*", "event", &says]).await.unwrap(),
    ];
    app.start_again().await;
    for id in &ids {
        assert_eq!(outcome(&app, &redis, id).await.0, 202);
    }
    app.run_until_done().await;
    assert_eq!(app.sent().len(), 2);
}

#[tokio::test]
async fn a_stream_of_another_store_is_left_alone_and_named() {
    let redis = Redis::start(&[]);
    let theirs = ["XADD", "hark:events", "7000-0", "type", "x", "event", "{}"];
    redis.ask::<String>(&theirs).await.unwrap();
    let app = TestApp::start().set("redis.url", &redis.url()).in_a_process().await;
    app.text(PERSON, "Hello").await;
    app.run_until_done().await;
    let named = async || app.log().contains("has the events of another store");
    app.wait_until("it is named", &named).await;
    assert_eq!(on(&redis, "hark:events").await.len(), 1);
    app.sent();
}

#[tokio::test]
async fn a_redis_that_lets_nobody_in_is_named_and_people_are_answered() {
    let redis = Redis::start(&["--requirepass", "right"]);
    let setup = TestApp::start().set("redis.url", &redis.url()).set("redis.password", "wrong-one");
    let app = setup.in_a_process().await;
    app.text(PERSON, "Hello").await;
    app.run_until_done().await;
    assert_eq!(app.sent().len(), 1);
    let named = async || app.log().contains("lets nobody in with this user and password");
    app.wait_until("it is named", &named).await;
    assert!(!app.log().contains("wrong-one"));
}
