//! Messages that WhatsApp took and did not deliver: the person gets the words of a lost note.

use hark::simulator::{CallKind, ConversationMessage};
use hark::turn::{Outcome, TurnId};
use serde_json::{Value, json};

use crate::harness::{NUMBER, PERSON, TestApp, update, words_of};

const HOUR_MS: i64 = 60 * 60 * 1000;
const LOST: &str = "provider status failed 131026: Failure injected by the simulator";

/// A status of a sent message, as the simulator does not post it by itself.
fn status(message: &ConversationMessage, word: &str, code: i64) -> Value {
    let mut status = json!({
        "id": message.id, "status": word, "timestamp": "100", "recipient_id": PERSON,
        "biz_opaque_callback_data": message.callback_data,
    });
    if word == "failed" {
        let details = json!({ "details": "in more words" });
        status["errors"] = json!([{ "code": code, "title": "Lost", "error_data": details }]);
    }
    status
}

async fn tell(app: &TestApp, statuses: &[Value]) {
    app.post_signed(&update::statuses(NUMBER, statuses)).await;
    app.run_until_idle().await;
}

/// Forgets that a message was delivered, as if no status but `sent` had come.
fn undelivered(app: &TestApp) {
    app.sql("DELETE FROM statuses WHERE status <> 'sent'");
}

/// Type and words of everything that was sent.
fn sent(app: &TestApp) -> Vec<(&'static str, Option<String>)> {
    app.sent().into_iter().map(|message| (message.kind, message.text)).collect()
}

fn text(words: &str) -> (&'static str, Option<String>) {
    ("text", Some(words.to_owned()))
}

const NOTE: (&str, Option<String>) = ("audio", None);

/// A service that has answered "hello" by a note, which nobody knows delivered.
async fn answered() -> TestApp {
    let app = TestApp::start().answers("At nine.").await;
    app.post_signed(&update::messages(NUMBER, &[update::text("wamid.1", "hello")])).await;
    app.run_until_idle().await;
    undelivered(&app);
    app
}

#[tokio::test]
async fn the_words_of_a_lost_note_are_sent_once_and_the_record_says_why() {
    let app = TestApp::start().answers("At nine.").await;
    app.simulator.fail_delivery(131_026, 1);
    app.text(PERSON, "hello").await;
    app.run_until_idle().await;
    assert_eq!(sent(&app), [NOTE, text("At nine.")]);
    let report = app.report().await;
    assert_eq!((report.outcome, words_of(report.reason).as_deref()), (Outcome::Text, Some(LOST)));
    assert_eq!((report.reply.text.reveal(), report.audio), ("At nine.", None));
    let row = app.turns().await.remove(0);
    assert_eq!(row.statuses, ["sent", "failed", "sent", "delivered", "read"]);
    let metrics = app.metrics().await;
    assert!(
        metrics.contains("hark_statuses_total{status=\"failed\",code=\"131026\"}"),
        "{metrics}"
    );
}

#[tokio::test]
async fn a_lost_text_is_not_sent_again() {
    let app = TestApp::start().answers("At nine.").await;
    app.simulator.fail_delivery(131_026, 9);
    app.text(PERSON, "hello").await;
    app.run_until_idle().await;
    assert_eq!(sent(&app), [NOTE, text("At nine.")]);
    let report = app.report().await;
    assert_eq!((report.outcome, words_of(report.reason).as_deref()), (Outcome::Failed, Some(LOST)));
}

#[tokio::test]
async fn a_note_that_is_lost_while_its_links_go_out_is_followed_by_all_words() {
    let link = "https://shop.example.com/orders/4711/track?code=ab12cd34ef56&lang=en";
    let answer = format!("Look here: {link}");
    let app = TestApp::start().answers(&answer).await;
    app.simulator.fail_delivery(131_026, 1);
    app.text(PERSON, "hello").await;
    app.run_until_idle().await;
    assert_eq!(sent(&app), [NOTE, text(link), text(&answer)]);
    assert_eq!(app.report().await.outcome, Outcome::Text);
}

#[tokio::test]
async fn lost_links_beside_a_note_change_nothing() {
    let link = "https://shop.example.com/orders/4711/track?code=ab12cd34ef56&lang=en";
    let app = TestApp::start().answers(&format!("Look here: {link}")).await;
    app.text(PERSON, "hello").await;
    app.run_until_idle().await;
    undelivered(&app);
    let links = app.sent().remove(1);
    tell(&app, &[status(&links, "failed", 131_026)]).await;
    assert_eq!(sent(&app), [NOTE, text(link)]);
    assert_eq!(app.report().await.outcome, Outcome::VoiceNote);
}

#[tokio::test]
async fn a_status_of_every_code_but_that_of_a_shut_window_is_followed_by_the_words() {
    for (code, follows) in [
        (131_000, true),
        (131_026, true),
        (131_049, true),
        (131_051, true),
        (130_472, true),
        (999_999, true),
        (131_047, false),
    ] {
        let app = answered().await;
        tell(&app, &[status(&app.sent_one(), "failed", code)]).await;
        let (expected, outcome) = if follows {
            (vec![NOTE, text("At nine.")], Outcome::Text)
        } else {
            (vec![NOTE], Outcome::Failed)
        };
        assert_eq!(sent(&app), expected, "{code}");
        let report = app.report().await;
        let reason = format!("provider status failed {code}: Lost: in more words");
        assert_eq!((report.outcome, words_of(report.reason)), (outcome, Some(reason)), "{code}");
    }
}

#[tokio::test]
async fn a_status_without_errors_is_followed_by_the_words() {
    let app = answered().await;
    let mut failed = status(&app.sent_one(), "failed", 1);
    failed.as_object_mut().unwrap().remove("errors");
    tell(&app, &[failed]).await;
    assert_eq!(sent(&app), [NOTE, text("At nine.")]);
}

#[tokio::test]
async fn nothing_is_sent_after_twenty_four_hours() {
    for (after_ms, expected) in
        [(24 * HOUR_MS, Outcome::Text), (24 * HOUR_MS + 1_000, Outcome::Failed)]
    {
        let app = answered().await;
        let note = app.sent_one();
        app.advance(after_ms).await;
        tell(&app, &[status(&note, "failed", 131_026)]).await;
        assert_eq!(app.report().await.outcome, expected);
        assert_eq!(app.sent().len(), if expected == Outcome::Text { 2 } else { 1 });
    }
}

#[tokio::test]
async fn a_note_that_was_delivered_cannot_be_lost() {
    for word in ["delivered", "read", "played"] {
        let app = answered().await;
        let note = app.sent_one();
        tell(&app, &[status(&note, word, 0), status(&note, "failed", 131_026)]).await;
        assert_eq!(sent(&app), [NOTE], "{word}");
        assert_eq!(app.report().await.outcome, Outcome::VoiceNote, "{word}");
    }
}

#[tokio::test]
async fn two_statuses_of_one_note_or_of_its_copies_are_followed_by_one_text() {
    let app = answered().await;
    let note = app.sent_one();
    let copy = ConversationMessage { id: "wamid.copy".into(), ..note.clone() };
    let failed = |message: &ConversationMessage| status(message, "failed", 131_026);
    tell(&app, &[failed(&note), failed(&note), failed(&copy)]).await;
    tell(&app, &[failed(&copy), failed(&note)]).await;
    let other = ConversationMessage { id: "wamid.copy.2".into(), ..note };
    tell(&app, &[failed(&other)]).await;
    assert_eq!(sent(&app), [NOTE, text("At nine.")]);
    assert_eq!(app.report().await.outcome, Outcome::Text);
}

#[tokio::test]
async fn a_failure_that_overtakes_the_other_statuses_is_followed_by_one_text() {
    for code in [131_000, 131_026] {
        let app = answered().await;
        app.sql("DELETE FROM statuses");
        let note = app.sent_one();
        let (failed, accepted) = (status(&note, "failed", code), status(&note, "sent", 0));
        tell(&app, &[failed.clone(), failed.clone(), accepted.clone()]).await;
        tell(&app, &[accepted]).await;
        tell(&app, &[failed]).await;
        assert_eq!(sent(&app), [NOTE, text("At nine.")], "{code}");
        assert_eq!(app.report().await.outcome, Outcome::Text);
    }
}

#[tokio::test]
async fn the_words_go_out_between_the_turn_that_runs_and_the_next() {
    let app = TestApp::start().thinks_ms(300).await;
    app.post_signed(&update::messages(NUMBER, &[update::text("wamid.1", "one")])).await;
    app.run_until_idle().await;
    undelivered(&app);
    let note = app.sent_one();
    for (id, words) in [("wamid.2", "two"), ("wamid.3", "three")] {
        app.post_signed(&update::messages(NUMBER, &[update::text(id, words)])).await;
    }
    app.wait_until("the second turn runs", async || app.count(CallKind::Read) == 2).await;
    tell(&app, &[status(&note, "failed", 131_026)]).await;
    assert_eq!(sent(&app), [NOTE, NOTE, text("one"), NOTE]);
    let answered: Vec<_> =
        app.sent().into_iter().map(|message| message.reply_to.unwrap().0).collect();
    assert_eq!(answered, ["wamid.1", "wamid.2", "wamid.1", "wamid.3"]);
}

#[tokio::test]
async fn a_question_back_stays_one_when_its_note_is_lost() {
    let app =
        TestApp::start().hears("a table for two.").set("stt.uncertain", "low_probability").await;
    app.simulator.fail_delivery(131_026, 1);
    app.deliver(update::voice_note("en_hours.ogg")).await;
    app.run_until_idle().await;
    assert_eq!(sent(&app), [NOTE, text("Did you say: a table for two?")]);
    let report = app.report().await;
    let reason = Some("confirm: low_probability");
    assert_eq!((report.outcome, words_of(report.reason).as_deref()), (Outcome::Question, reason));
    app.text(PERSON, "yes").await;
    app.run_until_idle().await;
    assert_eq!(app.sent().len(), 3);
    assert_eq!(app.turns().await[1].report.as_ref().unwrap().reply.text, "a table for two.");
}

#[tokio::test]
async fn what_was_answered_200_about_a_lost_note_survives_a_kill() {
    let mut app = TestApp::start().in_a_process().answers("At nine.").await;
    app.text(PERSON, "hello").await;
    app.run_until_done().await;
    undelivered(&app);
    let note = app.sent_one();
    // The text cannot be sent before the kill.
    app.simulator.fail_next(CallKind::Messages, 500, 131_000, 1);
    let failed = status(&note, "failed", 131_026);
    let (code, _) = app.post_signed(&update::statuses(NUMBER, std::slice::from_ref(&failed))).await;
    assert_eq!(code, 200);
    app.kill().await;
    app.start_again().await;
    app.post_signed(&update::statuses(NUMBER, &[failed])).await;
    app.run_until_done().await;
    assert_eq!(sent(&app), [NOTE, text("At nine.")]);
    let log = app.log();
    let lines: Vec<&str> =
        log.lines().filter(|line| line.contains("a status says failed")).collect();
    assert_eq!(lines.len(), 1, "{log}");
    let turn = TurnId::from_message(&NUMBER.into(), note.reply_to.as_ref().unwrap());
    for part in ["WARN", "131026", "Lost: in more words", "the reply goes out again", &turn.0[..8]]
    {
        assert!(lines[0].contains(part), "{part}: {}", lines[0]);
    }
    for personal in [PERSON, "At nine"] {
        assert!(!log.contains(personal), "{personal} is in the log");
    }
}
