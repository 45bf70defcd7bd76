//! An agent's hours: outside of them a ticket is opened, and the person is told.

use serde_json::{Value, json};

use super::{Tokens, close, operator, writes};
use crate::harness::TestApp;

const NOBODY: &str =
    "Nobody of us is here right now. Your message is kept, and a person will answer you here.";

/// Starts hark with an agent whose hours are these spans of every day, in UTC.
async fn open_at(spans: &[&str]) -> TestApp {
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let days: Value = days.map(|day| (day.to_owned(), json!(spans))).into_iter().collect();
    let hours =
        json!({ "name": "hark", "reply": "text", "hours": { "timezone": "UTC", "days": days } });
    let app = TestApp::start().set("desk.conversation_hours", "72").await;
    let admin = app.token("admin").await;
    app.api_post(&admin, "/agents", &hours).send().await.expect(201);
    app
}

#[tokio::test]
async fn outside_its_hours_an_agent_says_so_once_and_the_ticket_waits_for_the_morning() {
    let app = open_at(&[]).await;
    let tokens = Tokens::of(&app).await;
    operator(&app, &tokens.admin, "Ann").await;
    let path = "/operators";
    let ann = app.api_get(&tokens.admin, path).send().await.expect(200)["items"][0].clone();
    let away = json!({ "name": "Ann", "available": false });
    let path = format!("{path}/{}", ann["id"].as_str().unwrap());
    let put = app.api(&tokens.admin, reqwest::Method::PUT, &path).json(&away).of_version(1);
    put.send().await.expect(200);
    writes(&app, "Is anybody there?").await;
    writes(&app, "Hello?").await;
    assert_eq!(app.sent_texts(), [NOBODY]);
    let ticket = async || {
        app.api_get(&tokens.operator, "/tickets").send().await.expect(200)["items"][0].clone()
    };
    let opened = ticket().await;
    assert_eq!((&opened["reason"], &opened["operator"]), (&json!("outside_hours"), &Value::Null));
    app.advance(10 * 60 * 60 * 1000).await;
    app.run_until_idle().await;
    assert_eq!(ticket().await["state"], "open");
    let back = app.api(&tokens.admin, reqwest::Method::PUT, &path).json(&json!({ "name": "Ann" }));
    back.of_version(2).send().await.expect(200);
    assert_eq!(ticket().await["operator"], ann["id"]);
    close(&app, &tokens.operator, &opened).await.expect(200);
    let turns = app.turns().await;
    let reasons = turns.iter().map(|turn| turn.report.as_ref().unwrap().reason.clone());
    assert_eq!(reasons.flatten().count(), 1);
    app.sent();
}

#[tokio::test]
async fn within_its_hours_an_agent_answers() {
    let app = open_at(&["00:00-24:00"]).await;
    writes(&app, "Hello").await;
    assert_eq!(app.sent_texts(), ["Hello"]);
}
