//! Credits: the last answer is given, the next one is not asked for, and a crash costs nothing twice.

use hark::turn::Outcome;
use reqwest::Method;
use serde_json::{Value, json};

use super::{answered, asking, counted, usage, voice_note, words_of};
use crate::harness::{NUMBER, PERSON, TestApp};

const SORRY: &str =
    "Sorry, I can't answer right now. A person from our team will look at your message.";

/// Changes the account of the test's number, of this version.
async fn put(app: &TestApp, admin: &str, version: u64, change: &Value) -> Value {
    let path = format!("/credits/numbers/{NUMBER}");
    app.api(admin, Method::PUT, &path).json(change).of_version(version).send().await.expect(200)
}

/// Balance, reserved and spent, as the list has them.
async fn books(app: &TestApp, token: &str) -> [i64; 3] {
    let list = app.api_get(token, "/credits").send().await.expect(200);
    ["balance", "reserved", "spent"].map(|key| list["items"][0][key].as_i64().unwrap())
}

#[tokio::test]
async fn when_credits_are_spent_the_person_is_told_and_no_model_is_asked() {
    let (setup, chat) = asking([counted("Two euros fifty.")]).await;
    let app = setup.hears("one more question").set("agents.0.memory.summary", "false").await;
    let (admin, operator) = (app.token("admin").await, app.token("operator").await);
    let account = put(&app, &admin, 0, &json!({ "balance": 1, "warn_below": 1 })).await;
    assert_eq!((&account["version"], &account["available"]), (&json!(1), &json!(1)));
    let report = answered(&app, PERSON, "what is the price").await;
    assert_eq!((report.outcome, report.reason), (Outcome::VoiceNote, None));
    assert_eq!((chat.asked().len(), books(&app, &operator).await), (1, [0, 0, 1]));
    let list = app.api_get(&operator, "/credits").send().await.expect(200);
    assert!(list["items"][0]["warned_at"].is_string(), "{list}");
    assert!(app.metrics().await.contains("hark_credits_low_total{scope=\"number\"} 1"));

    // Heard, so that a person who takes over knows what it is about; and answered by nobody.
    app.deliver(voice_note("en_hours.ogg")).await;
    app.run_until_idle().await;
    let turn = app.turns().await.pop().unwrap();
    let report = turn.report.unwrap();
    assert_eq!(turn.heard, Some("one more question".into()));
    assert_eq!((report.reply.text.reveal(), report.outcome), (SORRY, Outcome::VoiceNote));
    assert_eq!(words_of(report.reason), Some("credits_spent".to_owned()));
    assert!(report.sources.is_empty() && report.engines.llm.is_empty());
    assert_eq!((chat.asked().len(), books(&app, &operator).await), (1, [0, 0, 1]));
    assert!(app.metrics().await.contains("hark_credits_refused_total{scope=\"number\"} 1"));
    let sum = usage(&app, &operator, "by=").await.remove(0);
    assert_eq!(
        (&sum["turns"], &sum["credits"], &sum["prompt_tokens"]),
        (&json!(2), &json!(1), &json!(1000))
    );

    // Some more, and it answers.
    let account = put(&app, &admin, 1, &json!({ "add": 2 })).await;
    assert_eq!((&account["balance"], &account["warned_at"]), (&json!(2), &Value::Null));
    answered(&app, PERSON, "and now").await;
    assert_eq!((chat.asked().len(), books(&app, &operator).await), (2, [1, 0, 2]));
    assert_eq!(app.sent().len(), 3);
    // Without an account there is no end.
    let path = format!("/credits/numbers/{NUMBER}");
    app.api(&admin, Method::DELETE, &path).of_version(2).send().await.expect(204);
    app.api_get(&admin, &path).send().await.problem(404, "not-found");
}

#[tokio::test]
async fn people_side_by_side_spend_no_more_than_there_is() {
    let (setup, chat) = asking([counted("Yes.").paced(20, 0.0)]).await;
    let app = setup.set("agents.0.reply", "text").set("agents.0.memory.summary", "false").await;
    let made = app.hark(&["usage", "credits", "set", "--agent", "hark", "--balance", "7"]).await;
    assert_eq!(made[0]["available"], 7);
    let people: Vec<String> = (0..40).map(|person| format!("155500010{person:02}")).collect();
    let texts = people.iter().map(|person| app.text(person, "is it open"));
    futures_util::future::join_all(texts).await;
    app.run_until_idle().await;
    let mut texts = app.sent_texts();
    texts.sort();
    let [sorry, yes] = [SORRY, "Yes."].map(|text| texts.iter().filter(|t| *t == text).count());
    assert_eq!((sorry, yes, chat.asked().len()), (33, 7, 7));
    let list = app.hark(&["usage", "credits", "list"]).await;
    assert_eq!((&list[0]["spent"], &list[0]["reserved"]), (&json!(7), &json!(0)));
    let more = app.hark(&["usage", "credits", "add", "--agent", "hark", "3"]).await;
    assert_eq!(more[0]["available"], 3);
    answered(&app, PERSON, "and now").await;
    assert_eq!(app.sent_texts().last().unwrap(), "Yes.");
}

#[tokio::test]
async fn a_turn_that_dies_is_paid_once() {
    let mut app = TestApp::start().in_a_process().thinks_ms(300).await;
    let set = ["usage", "credits", "set", "--number", NUMBER, "--balance", "1"];
    app.hark(&set).await;
    app.text(PERSON, "hello").await;
    let reserved = |app: &TestApp| app.sql_number("SELECT reserved FROM credits");
    app.wait_until("the credit is reserved", async || reserved(&app) == 1).await;
    app.kill().await;
    assert_eq!(reserved(&app), 1);
    app.start_again().await;
    app.run_until_done().await;
    assert_eq!(app.sent_one().kind, "audio");
    let list = app.hark(&["usage", "credits", "list"]).await;
    let left = ["balance", "reserved", "spent"].map(|key| list[0][key].as_i64().unwrap());
    assert_eq!(left, [0, 0, 1]);
}

#[tokio::test]
async fn where_credits_cost_nothing_they_stop_nothing() {
    let app = TestApp::start().set("credits.per_turn", "0").set("agents.0.reply", "text").await;
    app.hark(&["usage", "credits", "set", "--number", NUMBER, "--balance", "0"]).await;
    let report = answered(&app, PERSON, "hello").await;
    assert_eq!((report.outcome, report.reason), (Outcome::Text, None));
    app.sent();
}
