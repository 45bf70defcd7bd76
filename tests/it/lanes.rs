//! Order: one contact's messages one at a time, different contacts side by side.

use hark::simulator::{Call, CallKind};
use serde_json::Value;

use crate::harness::{PERSON, TestApp, update::text_of};

/// `r` for each turn's read mark and `m` for each message, in the order of the calls.
fn rhythm(app: &TestApp) -> String {
    let letter = |call: Call| match call.kind {
        CallKind::Read => Some('r'),
        CallKind::Messages => Some('m'),
        _ => None,
    };
    app.calls().into_iter().filter_map(letter).collect()
}

/// The JSON of each message that was sent.
fn messages(app: &TestApp) -> Vec<Value> {
    let calls = app.calls().into_iter();
    calls.filter(|call| call.kind == CallKind::Messages).map(|call| call.body).collect()
}

#[tokio::test]
async fn messages_of_one_contact_are_answered_in_order_and_one_at_a_time() {
    let app = TestApp::start().set("agents.0.reply", "text").thinks_ms(60).await;
    for text in ["one", "two", "three"] {
        app.text(PERSON, text).await;
    }
    app.run_until_idle().await;
    assert_eq!(app.sent_texts(), ["one", "two", "three"]);
    assert_eq!(rhythm(&app), "rmrmrm");
}

#[tokio::test]
async fn contacts_do_not_wait_for_each_other() {
    let app = TestApp::start().set("agents.0.reply", "text").thinks_ms(400).await;
    for person in ["15550000001", "15550000002", "15550000003", "15550000004"] {
        app.text(person, "hello").await;
    }
    app.run_until_idle().await;
    assert_eq!(rhythm(&app), "rrrrmmmm");
    assert_eq!(app.sent().len(), 4);
}

#[tokio::test]
async fn a_message_waiting_to_be_tried_again_holds_its_lane_only() {
    let app = TestApp::start().set("agents.0.reply", "text").await;
    app.simulator.fail_next(CallKind::Messages, 500, 131_000, 1);
    app.text(PERSON, "one").await;
    app.run_until_idle().await;
    app.text(PERSON, "two").await;
    app.text("15550000002", "other").await;
    app.run_until_idle().await;
    assert_eq!(app.sent_texts(), ["other"]);
    app.advance(2_000).await;
    app.run_until_idle().await;
    assert_eq!(app.sent_texts(), ["other", "one", "two"]);
}

#[tokio::test]
async fn a_phone_number_and_its_user_id_are_one_lane() {
    let app = TestApp::start().set("agents.0.reply", "text").thinks_ms(60).await;
    app.deliver(text_of(PERSON, None, "by phone")).await;
    app.deliver(text_of(PERSON, Some("US.1349"), "by both")).await;
    app.deliver(text_of("", Some("US.1349"), "by id")).await;
    app.run_until_idle().await;
    assert_eq!(app.sent_texts(), ["by phone", "by both", "by id"]);
    assert_eq!(rhythm(&app), "rmrmrm");
    let turns = app.turns().await;
    assert!(turns.iter().all(|turn| turn.contact == "US.1349"), "{turns:#?}");
}

#[tokio::test]
async fn contacts_seen_apart_become_one_when_a_message_names_both() {
    let app = TestApp::start().set("agents.0.reply", "text").thinks_ms(60).await;
    app.deliver(text_of(PERSON, None, "by phone")).await;
    app.deliver(text_of("", Some("US.1349"), "by id")).await;
    app.deliver(text_of(PERSON, Some("US.1349"), "by both")).await;
    app.run_until_idle().await;
    assert_eq!(app.sent_texts().last().unwrap(), "by both");
    assert_eq!(app.sent().len(), 3);
    let turns = app.turns().await;
    assert!(turns.iter().all(|turn| turn.contact == "US.1349"), "{turns:#?}");
}

#[tokio::test]
async fn a_person_without_a_phone_number_is_answered_by_user_id() {
    let app = TestApp::start().set("agents.0.reply", "text").await;
    app.deliver(text_of("", Some("US.1349"), "hello")).await;
    app.run_until_idle().await;
    app.sent_one();
    let message = &messages(&app)[0];
    assert_eq!((&message["recipient"], &message["to"]), (&"US.1349".into(), &Value::Null));
}

#[tokio::test]
async fn more_people_than_turns_fit_side_by_side_are_all_answered() {
    let app = TestApp::start().set("agents.0.reply", "text").thinks_ms(50).await;
    for person in 0..100 {
        app.simulator.send_text(&format!("1555000{person:04}"), "hello").await;
    }
    app.run_until_idle().await;
    assert_eq!(app.sent().len(), 100);
}
