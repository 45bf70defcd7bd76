//! Agents that are set up while the service runs: every version kept, each change live at once.

use hark::simulator::CallKind;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::api::holds;
use crate::harness::{PERSON, TestApp};

/// An agent that writes one answer.
fn says(text: &str) -> Value {
    json!({ "reply": "text", "llm": { "text": text } })
}

/// A service whose second number is answered by an agent of the store.
async fn with_agent(app: &TestApp, admin: &str, agent: &Value) -> hark::simulator::Simulator {
    let mut agent = agent.clone();
    agent["name"] = json!("desk");
    app.api_post(admin, "/agents", &agent).send().await.expect(201);
    let (second, mut number) = app.second_number("200", "secret-200", "token-200").await;
    number["agent"] = json!("desk");
    number["messages_per_second"] = json!(1_000);
    app.api_post(admin, "/numbers", &number).send().await.expect(201);
    second
}

fn person(n: usize) -> String {
    format!("1555{n:07}")
}

#[tokio::test]
async fn an_agent_is_changed_and_rolled_back_under_load_and_no_turn_is_lost() {
    let app = TestApp::start().thinks_ms(5).await;
    let admin = app.token("admin").await;
    let second = with_agent(&app, &admin, &says("version 1")).await;
    let people = second.clone();
    let writing = tokio::spawn(async move {
        for n in 0..200 {
            people.send_text(&person(n), "hello").await;
            tokio::task::yield_now().await;
        }
    });
    let mut version = 1;
    for _ in 0..4 {
        let next = says(&format!("version {}", version + 1));
        let put = app.api(&admin, Method::PUT, "/agents/desk").json(&next).of_version(version);
        assert_eq!(put.send().await.expect(200)["version"], version + 1);
        let back = json!({ "version": 1 });
        let back = app.api_post(&admin, "/agents/desk/rollback", &back).of_version(version + 1);
        let back = back.send().await.expect(200);
        assert_eq!((&back["version"], &back["restores"]), (&json!(version + 2), &json!(1)));
        version += 2;
    }
    writing.await.unwrap();
    second.settled().await;
    app.run_until_idle().await;
    second.settled().await;
    assert_eq!(second.sent().len(), 200);
    let turns = app.turns().await;
    assert_eq!(turns.len(), 200);
    for turn in &turns {
        assert_eq!(turn.attempt, 1, "none found its number without an agent");
        let used = turn.agent_version.expect("it is of the store");
        let said = turn.report.as_ref().unwrap().reply.text.reveal().to_owned();
        let expected = if used % 2 == 1 { 1 } else { used };
        assert_eq!(said, format!("version {expected}"), "the record names the version it used");
    }
    let versions = app.api_get(&admin, "/agents/desk/versions").send().await.expect(200);
    assert_eq!(versions["items"].as_array().unwrap().len(), 9);
}

#[tokio::test]
async fn an_agent_that_cannot_answer_is_refused_with_the_reason() {
    let app = TestApp::start().await;
    let admin = app.token("admin").await;
    let refused = async |agent: Value| {
        let answer = app.api_post(&admin, "/agents", &agent).send().await;
        answer.problem(422, "invalid");
        let error = &answer.body["errors"][0];
        (error["key"].as_str().unwrap().to_owned(), error["problem"].as_str().unwrap().to_owned())
    };
    let (key, problem) = refused(json!({ "name": "a", "llm": "openai" })).await;
    assert!(key == "llm" && problem.contains("url: is missing"), "{key}: {problem}");
    let (key, problem) =
        refused(json!({ "name": "a", "stt": { "engine": "whisper", "model": "none" } })).await;
    assert!(key.contains("model") && problem.contains("hark models pull"), "{key}: {problem}");
    let (_, problem) = refused(json!({ "name": "a", "language": "no language!" })).await;
    assert!(problem.contains("no language"), "{problem}");
    let (key, _) = refused(json!({ "name": "a", "knowledge": ["faq.csv"] })).await;
    assert_eq!(key, "knowledge[0]");
    let (key, _) = refused(json!({ "name": "a", "gate": { "no_speech": "shout" } })).await;
    assert_eq!(key, "gate");
    assert_eq!(refused(json!({ "name": "a/b" })).await.0, "name");
    let file = app.api(&admin, Method::PUT, "/agents/hark").json(&says("x")).of_version(0);
    file.send().await.problem(409, "read-only");
    assert_eq!(app.api_get(&admin, "/agents").send().await.expect(200)["items"][1], Value::Null);
}

#[tokio::test]
async fn an_agent_that_is_deleted_while_it_answers_answers() {
    let app = TestApp::start().await;
    let admin = app.token("admin").await;
    let llm = json!({ "text": "to the end", "first_token_ms": 500 });
    let second = with_agent(&app, &admin, &json!({ "reply": "text", "llm": llm })).await;
    let id = second.send_text(&person(1), "hello").await;
    let begun = async || second.calls().iter().any(|call| call.kind == CallKind::Read);
    app.wait_until("the turn runs", begun).await;
    app.hark(&["numbers", "remove", "200"]).await;
    app.api(&admin, Method::DELETE, "/agents/desk").of_version(1).send().await.expect(204);
    let patience = std::time::Duration::from_secs(10);
    let reply = second.wait_for_reply(&id, patience).await.expect("an answer");
    assert_eq!(reply.text.as_deref(), Some("to the end"));
    app.run_until_idle().await;
    let turns = app.turns().await;
    assert_eq!((turns[0].agent.as_str(), turns[0].agent_version), ("desk", Some(1)));
}

#[tokio::test]
async fn an_agents_key_is_kept_without_being_shown_and_its_versions_outlive_it() {
    let app = TestApp::start().await;
    let admin = app.token("admin").await;
    let llm = json!({ "text": "hi", "api_key": "sk-very-secret" });
    let second = with_agent(&app, &admin, &json!({ "reply": "text", "llm": llm })).await;
    let shown = app.api_get(&admin, "/agents/desk").send().await.expect(200);
    assert_eq!(shown["secrets"], json!(["/llm/api_key"]));
    assert!(!shown.to_string().contains("sk-very") && !holds(&app.store_bytes(), "sk-very"));
    let put = |body: Value, version| {
        app.api(&admin, Method::PUT, "/agents/desk").json(&body).of_version(version).send()
    };
    assert_eq!(put(says("two"), 1).await.expect(200)["secrets"], json!(["/llm/api_key"]));
    let without = json!({ "reply": "text", "llm": { "text": "x", "api_key": null } });
    assert_eq!(put(without, 2).await.expect(200)["secrets"], json!([]));
    let used = app.api(&admin, Method::DELETE, "/agents/desk").of_version(3).send().await;
    assert!(used.problem(409, "conflict").contains("200"));
    app.hark(&["numbers", "remove", "200"]).await;
    app.api(&admin, Method::DELETE, "/agents/desk").of_version(3).send().await.expect(204);
    app.api_get(&admin, "/agents/desk").send().await.problem(404, "not-found");
    let mut again = says("anew");
    again["name"] = json!("desk");
    let again = app.api_post(&admin, "/agents", &again).send().await.expect(201);
    assert_eq!(again["version"], 5, "the record names versions: none comes twice");
    drop(second);
}

#[tokio::test]
async fn an_agent_that_breaks_stops_no_start_and_its_messages_wait() {
    let mut app = TestApp::start().set("agents.0.reply", "text").answers("here").await;
    let admin = app.token("admin").await;
    let faq = app.folder().join("faq.csv");
    std::fs::write(&faq, "question,answer\nWhen do you open?,At nine.\n").unwrap();
    let agent = json!({ "reply": "text", "llm": "faq", "knowledge": [faq.display().to_string()] });
    let second = with_agent(&app, &admin, &agent).await;
    std::fs::remove_file(&faq).unwrap();
    app.restart().await;
    app.text(PERSON, "hello").await;
    app.run_until_idle().await;
    assert_eq!(app.sent_texts(), ["here"], "the others are answered");
    let findings = app.api_get(&admin, "/findings").send().await.expect(200);
    assert_eq!(findings["items"][0]["key"], "agents/desk", "{findings}");
    let asked = second.send_text(PERSON, "When do you open?").await;
    second.settled().await;
    std::fs::write(&faq, "question,answer\nWhen do you open?,At ten.\n").unwrap();
    // A change of anything has what failed tried again.
    let other = json!({ "name": "other", "reply": "text" });
    app.api_post(&admin, "/agents", &other).send().await.expect(201);
    let findings = app.api_get(&admin, "/findings").send().await.expect(200);
    assert_eq!(findings["items"], json!([]));
    app.advance(10_000).await;
    let reply = second.wait_for_reply(&asked, std::time::Duration::from_secs(20)).await;
    assert_eq!(reply.unwrap().text.as_deref(), Some("At ten."));
    second.settled().await;
    app.run_until_idle().await;
}

#[tokio::test]
async fn agents_are_set_up_from_a_terminal() {
    let app = TestApp::start().await;
    let file = app.folder().join("desk.toml");
    std::fs::write(&file, "reply = \"text\"\nllm = { text = \"one\" }\n").unwrap();
    let file = file.display().to_string();
    assert_eq!(app.hark(&["agents", "add", "desk", "--file", &file]).await[0]["version"], 1);
    assert_eq!(app.hark(&["agents", "add", "desk", "--file", &file]).await[0]["version"], 2);
    assert_eq!(app.hark(&["agents", "rollback", "desk", "1"]).await[0]["restores"], 1);
    assert_eq!(app.hark(&["agents", "versions", "desk"]).await.len(), 3);
    assert_eq!(app.hark(&["agents", "show", "desk"]).await[0]["agent"]["llm"]["text"], "one");
    assert_eq!(app.hark(&["agents", "list"]).await.len(), 2);
    app.hark(&["agents", "remove", "desk"]).await;
    assert_eq!(app.hark(&["agents", "list"]).await.len(), 1);
}
