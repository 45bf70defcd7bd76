//! `hark queue` and `/api/v1/queue`: what waits, what gave up, and both again.

use serde_json::{Value, json};

use hark::simulator::CallKind;

use crate::harness::{PERSON, TestApp};

/// A message that was answered with the fallback text, since the agent failed.
async fn gave_up() -> TestApp {
    let app = TestApp::start().set("agents.0.reply", "text").answers("At nine.").await;
    app.simulator.fail_next(CallKind::Messages, 400, 131_026, 1);
    app.text(PERSON, "hello").await;
    app.run_until_idle().await;
    app
}

fn lines(printed: &str) -> Vec<Value> {
    printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn dead(app: &TestApp) -> Vec<Value> {
    lines(&app.command(&["queue", "list", "--state", "dead", "--json"]))
}

#[tokio::test]
async fn a_dead_letter_is_listed_shown_and_answered_anew() {
    let app = gave_up().await;
    assert_eq!(app.sent_texts().len(), 1, "the fallback text");
    let letter = dead(&app).remove(0);
    assert_eq!((&letter["state"], &letter["attempts"]), (&json!("dead"), &json!(1)));
    assert_eq!((&letter["contact"], &letter["due_at"]), (&json!(PERSON), &Value::Null));
    assert!(letter["reason"].as_str().unwrap().contains("131026"), "{letter}");
    let id = letter["id"].as_str().unwrap();
    let shown = app.command(&["queue", "show", id]);
    assert!(shown.contains("gave up") && shown.contains("131026"), "{shown}");
    let again = lines(&app.command(&["queue", "replay", id, "--json"])).remove(0);
    assert_ne!(again["turn"], letter["turn"], "what was sent is another turn's");
    // The command goes by the system's clock, which is ahead of this one.
    app.advance(60_000).await;
    app.run_until_idle().await;
    assert_eq!(app.sent_texts()[1..], ["At nine."]);
    assert!(dead(&app).is_empty());
    assert_eq!(app.turns().await.len(), 2, "both are in the record");
}

#[tokio::test]
async fn a_dead_letter_is_dropped_by_the_api() {
    let app = gave_up().await;
    app.sent();
    let admin = app.token("admin").await;
    let operator = app.token("operator").await;
    let listed = app.api_get(&operator, "/queue?state=dead").send().await.expect(200);
    let path = format!("/queue/{}", listed["items"][0]["id"].as_str().unwrap());
    app.api(&operator, reqwest::Method::DELETE, &path).send().await.problem(403, "forbidden");
    app.api(&admin, reqwest::Method::DELETE, &path).send().await.expect(204);
    app.api(&admin, reqwest::Method::DELETE, &path).send().await.problem(404, "not-found");
    assert!(dead(&app).is_empty());
    let nodes = app.api_get(&operator, "/nodes").send().await.expect(200);
    assert_eq!(
        (nodes["items"].as_array().unwrap().len(), &nodes["items"][0]["alive"]),
        (1, &json!(true))
    );
}

#[tokio::test]
async fn what_waits_is_dropped_and_the_lane_goes_on() {
    let app = TestApp::start().set("agents.0.reply", "text").answers("At nine.").await;
    app.simulator.fail_next(CallKind::Messages, 400, 131_056, 1);
    app.text(PERSON, "first").await;
    app.text(PERSON, "second").await;
    app.run_until_idle().await;
    assert!(app.sent().is_empty(), "the first waits for its person's pace, the second behind it");
    let waiting = lines(&app.command(&["queue", "list", "--json"]));
    let states: Vec<_> = waiting.iter().map(|one| (&one["state"], &one["attempts"])).collect();
    assert_eq!(states, [(&json!("waiting"), &json!(1)), (&json!("waiting"), &json!(0))]);
    app.command(&["queue", "drop", waiting[0]["id"].as_str().unwrap()]);
    app.advance(1).await;
    app.run_until_idle().await;
    assert_eq!(app.sent_texts(), ["At nine."]);
    let dropped = "SELECT count(*) FROM turns WHERE reason = 'dropped' AND heard = 'first'";
    assert_eq!(app.sql_number(dropped), 1, "the record says what became of it");
    assert!(lines(&app.command(&["queue", "list", "--json"])).is_empty());
}

#[tokio::test]
async fn what_waits_is_tried_at_once() {
    let app = TestApp::start().set("agents.0.reply", "text").answers("At nine.").await;
    app.simulator.fail_next(CallKind::Messages, 400, 131_056, 1);
    app.text(PERSON, "first").await;
    app.run_until_idle().await;
    let waiting = lines(&app.command(&["queue", "list", "--json"])).remove(0);
    let path = format!("/queue/{}/replay", waiting["id"].as_str().unwrap());
    let admin = app.token("admin").await;
    app.api_post(&admin, &path, &json!({})).send().await.expect(200);
    app.run_until_idle().await;
    assert_eq!(app.sent_texts(), ["At nine."]);
}
