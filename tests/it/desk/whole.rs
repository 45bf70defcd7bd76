//! The whole story of a customer, as it is told to whoever follows: run with `--no-capture` it prints.

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use super::follow::read;
use super::{Tokens, close, operator, speaks, writes};
use crate::harness::update::{fixture, voice_note};
use crate::harness::{NUMBER, PERSON, TestApp};

const KNOWN: &str = "question,answer\nHow much is the lemon cake?,The lemon cake is four euros.\n\
    When do you open?,We open at nine.\n";

/// What has to be told, in this order.
const STEPS: [&str; 15] = [
    "whatsapp-business-voice-message-with-user-info-received",
    "generate-ai-agent-answer-with-user-info",
    "ai-agent-answer-generated",
    "whatsapp-business-text-message-received",
    "whatsapp-business-text-message-with-user-info-received",
    "open-ticket",
    "ticket-opened",
    "agent-assigned",
    "get-conversation",
    "conversation-document",
    "agent-answer-generated",
    "ticket-closed",
    "credits-low",
    "ai-agent-answer-generated",
    "ticket-opened",
];

/// What is told of one event, in a line.
fn line(event: &Value) -> String {
    let data = &event["data"];
    let word = |key: &str| data[key].as_str().map(|word| format!(" {key}={word:?}"));
    let said = ["text", "reason", "outcome"].map(word).into_iter().flatten().collect::<String>();
    let operator = data["operator"]["name"].as_str().map(|name| format!(" operator={name:?}"));
    let known = data["user_info"]["name"].as_str().map(|name| format!(" known={name:?}"));
    let balance = data["balance"].as_i64().map(|balance| format!(" balance={balance}"));
    let more = [operator, known, balance].into_iter().flatten().collect::<String>();
    format!("{:<58}{said}{more}", event["type"].as_str().unwrap())
}

async fn hears_a_note(app: &TestApp) {
    app.deliver(voice_note("en_price.ogg")).await;
    app.run_until_idle().await;
}

#[tokio::test]
async fn a_known_customer_is_answered_handed_over_and_answered_again_until_credits_end() {
    let app = TestApp::start().set("llm.engine", "faq").hears("How much is the lemon cake?").await;
    let Tokens { admin, operator: token } = Tokens::of(&app).await;
    let file = Part::bytes(KNOWN.as_bytes().to_vec()).file_name("luz.csv");
    let known = app.api(&admin, Method::POST, "/agents/hark/knowledge");
    known.form(Form::new().part("file", file)).send().await.expect(201);
    let customers = format!("phone,name,city\n{PERSON},Ana,Lisbon\n");
    let import = app.api(&admin, Method::POST, "/customers/import");
    let import = import.header("Content-Type", "text/csv").body(customers);
    assert_eq!(import.send().await.expect(200)["imported"], 1);
    operator(&app, &admin, "Ann").await;
    let account = format!("/credits/numbers/{NUMBER}");
    let account = app.api(&admin, Method::PUT, &account).of_version(0);
    let credits = json!({ "balance": 3, "warn_below": 2 });
    account.json(&credits).send().await.expect(200);

    hears_a_note(&app).await;
    writes(&app, "I want to talk to a human").await;
    speaks(&app, &token, &fixture("en_delivery.ogg")).await.expect(202);
    app.run_until_idle().await;
    let tickets = app.api_get(&token, "/tickets?state=open").send().await.expect(200);
    close(&app, &token, &tickets["items"][0]).await.expect(200);
    hears_a_note(&app).await;
    writes(&app, "When do you open?").await;
    writes(&app, "How much is the lemon cake?").await;

    let said: Vec<String> = app
        .turns()
        .await
        .iter()
        .map(|turn| turn.report.as_ref().unwrap().reply.text.0.clone())
        .collect();
    assert_eq!(said[0], "The lemon cake is four euros.");
    assert!(said[1].starts_with("I'll get a colleague"), "{said:#?}");
    assert_eq!(said[3..5], ["The lemon cake is four euros.", "We open at nine."]);
    assert!(said[5].starts_with("Sorry, I can't answer right now."), "{said:#?}");
    let tickets = app.api_get(&token, "/tickets?state=open").send().await.expect(200);
    assert_eq!(tickets["items"][0]["reason"], "credits_spent");
    assert_eq!(app.sent().len(), 6);

    let count = app.sql_number("SELECT count(*) FROM events");
    let events = read(&app, &token, "0", count).await;
    for event in &events {
        println!("{}", line(event));
    }
    let mut story = events.iter().map(line);
    for step in STEPS {
        assert!(story.any(|line| line.split(' ').next() == Some(step)), "{step} comes too late");
    }
    let asked =
        events.iter().find(|event| event["type"] == "generate-ai-agent-answer-with-user-info");
    let known = json!({ "known": true, "name": "Ana", "fields": { "city": "Lisbon" } });
    assert_eq!(asked.unwrap()["data"]["user_info"], known);
}
