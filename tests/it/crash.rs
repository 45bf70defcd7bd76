//! Crashes: the real program is killed at the worst moments; nothing is lost or said twice.

use std::collections::HashMap;

use hark::simulator::CallKind;
use hark::turn::Outcome;
use serde_json::json;

use crate::harness::update::{self, voice_note};
use crate::harness::{NUMBER, PERSON, TestApp, words_of};

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
    let mut app = TestApp::start().in_a_process().thinks_ms(300).await;
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
    let mut app = TestApp::start().in_a_process().thinks_ms(300).await;
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
    let mut app = TestApp::start().in_a_process().await;
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
    let mut app = TestApp::start().in_a_process().await;
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

/// Answers one message, then puts the record back to the instant before a send was noted.
async fn sent_but_not_noted() -> TestApp {
    sent_but_part_not_noted("hello", 0).await
}

/// The same with this answer, for the send of this part.
async fn sent_but_part_not_noted(answer: &str, part: u32) -> TestApp {
    let mut app = TestApp::start().answers(answer).await;
    app.post_signed(&update::messages(NUMBER, &[update::text("wamid.1", "hello")])).await;
    app.run_until_idle().await;
    app.sent();
    app.rewind(part, part).await;
    app.wait_until("it was recovered", async || app.counts().await.queued == 1).await;
    app.advance(4_999).await;
    app.run_until_idle().await;
    app
}

#[tokio::test]
async fn a_status_within_five_seconds_stops_a_second_send() {
    let app = sent_but_not_noted().await;
    let sent = app.sent_one();
    let status = json!({
        "id": sent.id, "status": "delivered", "timestamp": "100", "recipient_id": PERSON,
        "biz_opaque_callback_data": sent.callback_data,
    });
    app.post_signed(&update::statuses(NUMBER, &[status])).await;
    app.advance(1).await;
    app.run_until_idle().await;
    app.sent_one();
    assert_eq!(app.report().await.outcome, Outcome::VoiceNote);
}

#[tokio::test]
async fn without_a_status_the_same_note_is_sent_again_rather_than_never() {
    let app = sent_but_not_noted().await;
    app.sent_one();
    app.advance(1).await;
    app.run_until_idle().await;
    let sent = app.sent();
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0].media, sent[1].media);
    assert_eq!(sent[0].callback_data, sent[1].callback_data);
    assert_eq!(app.report().await.outcome, Outcome::VoiceNote);
}

#[tokio::test]
async fn links_that_were_not_noted_are_sent_again_without_their_note() {
    let link = "https://shop.example.com/orders/4711/track?code=ab12cd34ef56&lang=en";
    let app = sent_but_part_not_noted(&format!("Look here: {link}"), 1).await;
    app.advance(1).await;
    app.run_until_idle().await;
    let kinds: Vec<String> = app.sent().into_iter().map(|sent| sent.kind.to_owned()).collect();
    assert_eq!(kinds, ["audio", "text", "text"]);
    assert_eq!(app.sent_texts(), [link, link]);
    assert_eq!(app.report().await.outcome, Outcome::VoiceNote);
}

#[tokio::test]
async fn a_stop_finishes_the_turns_that_run() {
    let mut app = TestApp::start().thinks_ms(200).await;
    app.text(PERSON, "hello").await;
    app.wait_until("the turn runs", async || app.count(CallKind::Read) == 1).await;
    app.restart().await;
    app.sent_one();
    assert_eq!(app.turns().await[0].attempt, 1);
    app.run_until_idle().await;
}

#[tokio::test]
async fn a_message_that_kills_the_service_three_times_gets_the_fallback() {
    let mut app = TestApp::start().in_a_process().thinks_ms(60_000).await;
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
    assert_eq!(words_of(report.reason).as_deref(), Some("gave up after 3 attempts"));
    let letters = app.command(&["queue", "list", "--state", "dead"]);
    assert!(
        letters.lines().count() == 1 && letters.contains("gave up after 3 attempts"),
        "{letters}"
    );
}

#[tokio::test]
async fn kills_make_a_pause_that_the_provider_asks_for_no_longer() {
    let mut app = TestApp::start().in_a_process().thinks_ms(60_000).await;
    let id = app.text(PERSON, "poison").await.0;
    for attempt in 1..=3 {
        app.wait_until("the turn runs", async || app.count(CallKind::Read) == attempt).await;
        app.kill().await;
        if attempt == 3 {
            // The fallback text goes out in the fourth attempt, of which the first refusal is this one.
            app.simulator.fail_next(CallKind::Messages, 429, 130_429, 1);
        }
        app.start_again().await;
    }
    app.run_until_done().await;
    check_answered_once(&app, &[id]);
    let log = app.log();
    assert!(log.contains("retry.after=1.0 s"), "{log}");
}
