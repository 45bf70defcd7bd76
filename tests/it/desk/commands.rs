//! A help desk that is somebody else's: nothing but events out and commands in.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::{Tokens, conversation, writes};
use crate::harness::TestApp;
use crate::harness::api::ApiAnswer;

const NOTE: &[u8] = include_bytes!("../../../audio-fixtures/en_delivery.ogg");

/// Sends a command on the only conversation.
async fn command(app: &TestApp, token: &str, id: &str, kind: &str, data: Value) -> ApiAnswer {
    let subject = conversation(app, token).await["id"].clone();
    let event = json!({ "specversion": "1.0", "id": id, "source": "/desk", "type": kind,
                        "subject": subject, "data": data });
    let call = app.api_post(token, "/events", &event);
    call.header("Content-Type", "application/cloudevents+json").send().await
}

#[tokio::test]
async fn another_help_desk_takes_over_answers_and_gives_back() {
    let app = TestApp::start().await;
    let token = Tokens::of(&app).await.operator;
    writes(&app, "Hello").await;
    let opened = command(&app, &token, "1", "open-ticket", json!({ "summary": "angry" })).await;
    let ticket = opened.expect(202)["ticket"].clone();
    let again = command(&app, &token, "1", "open-ticket", json!({ "summary": "angry" })).await;
    assert_eq!(again.expect(202)["ticket"], ticket);
    let zoe = json!({ "operator": { "id": "zoe", "name": "Zoe" } });
    command(&app, &token, "2", "agent-assigned", zoe).await.expect(202);
    let shown = app.api_get(&token, "/tickets").send().await.expect(200)["items"][0].clone();
    assert_eq!((&shown["operator"], &shown["reason"]), (&json!("zoe"), &json!("command")));
    writes(&app, "Are you there?").await;
    assert_eq!(app.sent().len(), 1);
    command(&app, &token, "3", "get-conversation", json!({})).await.expect(202);
    let answer = json!({ "text": "Zoe here" });
    command(&app, &token, "4", "agent-answer-generated", answer.clone()).await.expect(202);
    command(&app, &token, "4", "agent-answer-generated", answer).await.expect(202);
    let audio = json!({ "audio": BASE64_STANDARD.encode(NOTE) });
    command(&app, &token, "5", "agent-answer-generated", audio).await.expect(202);
    app.run_until_idle().await;
    let sent = app.sent();
    assert_eq!((sent.len(), sent[1].text.as_deref(), sent[2].kind), (3, Some("Zoe here"), "audio"));
    // A crash of hark may take the answer to a command along: what it said is not said again.
    app.sql("DELETE FROM idempotency");
    let answer = json!({ "text": "Zoe here" });
    command(&app, &token, "4", "agent-answer-generated", answer).await.expect(202);
    app.run_until_idle().await;
    assert_eq!(app.sent().len(), 3);
    command(&app, &token, "6", "ticket-closed", json!({})).await.expect(202);
    writes(&app, "Thanks").await;
    assert_eq!(app.sent().len(), 4);
}

#[tokio::test]
async fn a_command_that_cannot_be_done_is_named() {
    let app = TestApp::start().await;
    let token = Tokens::of(&app).await.operator;
    writes(&app, "Hello").await;
    let none = command(&app, &token, "1", "ticket-closed", json!({})).await;
    assert!(none.problem(409, "conflict").contains("no open ticket"));
    let unknown = command(&app, &token, "2", "make-tea", json!({})).await;
    assert!(unknown.problem(422, "invalid").contains("open-ticket"));
    let opened = command(&app, &token, "3", "open-ticket", json!({})).await.expect(202);
    command(&app, &token, "4", "ticket-closed", json!({})).await.expect(202);
    let closed = json!({ "ticket": opened["ticket"], "operator": "zoe" });
    let late = command(&app, &token, "5", "agent-assigned", closed).await;
    assert!(late.problem(409, "conflict").contains("closed"));
    let empty = command(&app, &token, "6", "agent-answer-generated", json!({})).await;
    empty.problem(422, "invalid");
    let odd = json!({ "audio": "?" });
    command(&app, &token, "7", "agent-answer-generated", odd).await.problem(422, "invalid");
    app.sent();
}
