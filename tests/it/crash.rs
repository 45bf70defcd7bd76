//! Crashes: the real program is killed at the worst moments; nothing is lost or said twice.

use std::collections::HashMap;

use hark::provider::simulator::CallKind;
use hark::turn::Outcome;

use crate::harness::update::{self, voice_note};
use crate::harness::{NUMBER, PERSON, TestApp};

/// Checks that each of these messages was answered by exactly one message.
#[track_caller]
fn check_answered_once(app: &TestApp, ids: &[String]) {
    let mut answers: HashMap<String, usize> = HashMap::new();
    for message in app.sent() {
        *answers.entry(message.reply_to.unwrap().0).or_default() += 1;
    }
    let expected: HashMap<String, usize> = ids.iter().map(|id| (id.clone(), 1)).collect();
    assert_eq!(answers, expected);
}

#[tokio::test]
async fn what_was_answered_200_survives_a_kill() {
    let mut app = TestApp::start().as_process().thinks_ms(300).await;
    let ids: Vec<String> = (0..5).map(|n| format!("wamid.{n}")).collect();
    let texts: Vec<_> = ids.iter().map(|id| update::text(id, "hello")).collect();
    let (status, _) = app.post_signed(&update::messages(NUMBER, &texts)).await;
    app.kill().await;
    assert_eq!(status, 200);
    app.start_again().await;
    app.run_until_done().await;
    check_answered_once(&app, &ids);
}

#[tokio::test]
async fn a_turn_that_was_killed_in_its_middle_is_answered_once() {
    let mut app = TestApp::start().as_process().thinks_ms(300).await;
    let mut ids = Vec::new();
    for person in ["15550000001", "15550000002", "15550000003"] {
        ids.push(app.text(person, "hello").await.0);
    }
    app.wait_until("all turns run", async || app.count(CallKind::Read) == 3).await;
    app.kill().await;
    assert!(app.sent().is_empty());
    ids.push(app.simulator.send(voice_note("en_hours.ogg")).await.0);
    app.start_again().await;
    app.run_until_done().await;
    check_answered_once(&app, &ids);
    assert!(app.turns().await.iter().all(|turn| turn.attempt <= 2));
}

#[tokio::test]
async fn a_part_that_was_refused_before_a_kill_is_sent_once_after_it() {
    let mut app = TestApp::start().as_process().await;
    app.simulator.fail_next(CallKind::Messages, 500, 131_000, 1);
    let id = app.text(PERSON, "hello").await.0;
    app.wait_until("the send failed", async || app.count(CallKind::Messages) == 1).await;
    app.kill().await;
    app.start_again().await;
    app.run_until_done().await;
    check_answered_once(&app, &[id]);
    // The note that was uploaded before the kill is the one that is sent.
    assert_eq!(app.count(CallKind::MediaUpload), 1);
    assert_eq!(app.turns().await[0].report.as_ref().unwrap().reply.text, "hello");
}

#[tokio::test]
async fn a_part_that_was_sent_but_not_noted_is_known_by_its_status() {
    let mut app = TestApp::start().as_process().await;
    let mut ids = Vec::new();
    for person in ["15550000001", "15550000002", "15550000003"] {
        ids.push(app.simulator.send_text(person, "hello").await.0);
    }
    app.wait_until("something was sent", async || !app.simulator.sent().is_empty()).await;
    app.kill().await;
    app.start_again().await;
    app.run_until_done().await;
    check_answered_once(&app, &ids);
}

#[tokio::test]
async fn a_message_that_kills_the_service_three_times_gets_the_fallback() {
    let mut app = TestApp::start().as_process().thinks_ms(60_000).await;
    let id = app.text(PERSON, "poison").await.0;
    for attempt in 1..=3 {
        app.wait_until("the turn runs", async || app.count(CallKind::Read) == attempt).await;
        app.kill().await;
        app.start_again().await;
    }
    app.run_until_done().await;
    check_answered_once(&app, &[id]);
    let report = app.report().await;
    assert_eq!(report.outcome, Outcome::Fallback);
    assert_eq!(report.reason.as_deref(), Some("gave up after 3 attempts"));
}
