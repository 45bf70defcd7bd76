//! Delivery statuses: what became of what was sent.

use hark::turn::{Outcome, TurnId};
use serde_json::{Value, json};

use crate::harness::{NUMBER, PERSON, TestApp, update};

/// A status of the part `index` of the turn that answers `message`.
fn status(message: &str, index: u32, id: &str, word: &str, at_s: i64) -> Value {
    let turn = TurnId::from_message(&NUMBER.into(), &message.into());
    let mut status = json!({
        "id": id, "status": word, "timestamp": at_s.to_string(), "recipient_id": PERSON,
        "biz_opaque_callback_data": turn.callback_data(index),
    });
    if word == "failed" {
        status["errors"] = json!([{ "code": 131_026, "title": "Message undeliverable" }]);
    }
    status
}

/// Word and time of every stored status, in the order they came, also of those without a turn,
/// which no port shows.
fn stored(app: &TestApp) -> Vec<(String, i64)> {
    let rows = app.sql("SELECT status, at_ms FROM statuses ORDER BY id");
    rows.into_iter().map(|row| (row[0].clone(), row[1].parse().unwrap())).collect()
}

#[tokio::test]
async fn statuses_are_kept_with_their_times() {
    let app = TestApp::start().await;
    app.text(PERSON, "hello").await;
    app.run_until_idle().await;
    app.sent_one();
    let at_ms = app.now_ms() / 1000 * 1000;
    let words = ["sent", "delivered", "read", "played"];
    let expected: Vec<_> = words.iter().map(|word| ((*word).to_owned(), at_ms)).collect();
    assert_eq!(stored(&app), expected);
    assert_eq!(app.turns().await[0].statuses, words);
}

#[tokio::test]
async fn statuses_that_overtake_each_other_are_shown_by_their_times() {
    let app = TestApp::start().await;
    app.post_signed(&update::messages(NUMBER, &[update::text("wamid.1", "hello")])).await;
    app.run_until_idle().await;
    let id = app.sent_one().id.0;
    // One part later, so that the simulator's own statuses do not mix with these.
    let late: Vec<_> = [("read", 300), ("delivered", 200), ("sent", 100), ("delivered", 200)]
        .map(|(word, at_s)| status("wamid.1", 1, &format!("{id}.other"), word, at_s))
        .to_vec();
    app.post_signed(&update::statuses(NUMBER, &late)).await;
    let statuses = app.turns().await[0].statuses.clone();
    assert_eq!(statuses[4..], ["sent", "delivered", "read"]);
    assert_eq!(app.report().await.outcome, Outcome::VoiceNote);
}

#[tokio::test]
async fn statuses_of_other_senders_are_kept_and_change_nothing() {
    let app = TestApp::start().await;
    let mut foreign = status("wamid.x", 0, "wamid.foreign", "failed", 100);
    foreign["biz_opaque_callback_data"] = "another system's".into();
    let unknown = status("wamid.never-received", 0, "wamid.y", "failed", 100);
    let (code, _) = app.post_signed(&update::statuses(NUMBER, &[foreign, unknown])).await;
    assert_eq!((code, stored(&app).len(), app.turns().await.len()), (200, 2, 0));
}
