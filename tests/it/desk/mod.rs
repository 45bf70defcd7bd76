//! People who take over: tickets, operators, what they say, and the agent that is silent meanwhile.

mod commands;
mod follow;
mod hooks;
mod hours;
mod race;
mod story;
mod streams;
mod unplayed;
mod whole;

use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::harness::api::ApiAnswer;
use crate::harness::{PERSON, TestApp};
use crate::siege::number;

/// The tokens of an admin and of an operator.
struct Tokens {
    admin: String,
    operator: String,
}

impl Tokens {
    async fn of(app: &TestApp) -> Self {
        Self { admin: app.token("admin").await, operator: app.token("operator").await }
    }
}

/// Adds an operator; returns their id.
async fn operator(app: &TestApp, admin: &str, name: &str) -> String {
    let added = app.api_post(admin, "/operators", &json!({ "name": name })).send().await;
    added.expect(201)["id"].as_str().unwrap().to_owned()
}

/// The only conversation.
async fn conversation(app: &TestApp, token: &str) -> Value {
    let list = app.api_get(token, "/conversations").send().await.expect(200);
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{list}");
    items[0].clone()
}

/// The path of the only conversation, with this behind it.
async fn path(app: &TestApp, token: &str, rest: &str) -> String {
    let id = conversation(app, token).await["id"].as_str().unwrap().to_owned();
    format!("/conversations/{id}{rest}")
}

/// Takes the only conversation over.
async fn take_over(app: &TestApp, token: &str) -> Value {
    let id = conversation(app, token).await["id"].clone();
    app.api_post(token, "/tickets", &json!({ "conversation": id })).send().await.expect(201)
}

/// Closes a ticket.
async fn close(app: &TestApp, token: &str, ticket: &Value) -> ApiAnswer {
    let path = format!("/tickets/{}/close", ticket["id"].as_str().unwrap());
    app.api_post(token, &path, &json!({})).send().await
}

/// Says something as a person.
async fn says(app: &TestApp, token: &str, text: &str) -> ApiAnswer {
    let path = path(app, token, "/messages").await;
    app.api_post(token, &path, &json!({ "text": text })).send().await
}

/// Says something as a person whom everybody believes.
pub(crate) async fn operator_says(app: &TestApp, text: &str) {
    let token = Tokens::of(app).await.operator;
    says(app, &token, text).await.expect(202);
}

/// Says something by voice.
async fn speaks(app: &TestApp, token: &str, recording: &[u8]) -> ApiAnswer {
    let path = path(app, token, "/messages").await;
    let form = Form::new().part("audio", Part::bytes(recording.to_vec()).file_name("a.webm"));
    app.api(token, reqwest::Method::POST, &path).form(form).send().await
}

/// A count that the environment asks for, for a long run that prints what came of it.
fn asked_for(name: &str) -> Option<usize> {
    number(name).map(|count| usize::try_from(count).unwrap())
}

/// The person of the tests writes, and is answered or not.
async fn writes(app: &TestApp, text: &str) {
    app.text(PERSON, text).await;
    app.run_until_idle().await;
}
