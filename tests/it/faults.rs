//! Faults of the simulator that meet in one answer: each message gets one, whatever comes together.

use crate::harness::{PERSON, TestApp};

/// Lets a person write under these faults; returns kind and fate of what they got.
async fn answered(faults: &str) -> Vec<(&'static str, &'static str)> {
    let app = TestApp::start().answers("At nine.").faults(faults).await;
    app.text(PERSON, "hello").await;
    for _ in 0..6 {
        app.run_until_idle().await;
        app.advance(10_000).await;
    }
    app.run_until_idle().await;
    let last = |message: hark::simulator::ConversationMessage| {
        (message.kind, message.statuses.last().unwrap().status)
    };
    app.sent().into_iter().map(last).collect()
}

#[tokio::test]
async fn a_note_whose_failure_is_told_before_its_send_is_answered_is_followed_by_its_words() {
    let faults = "[sends]\nslow = 1\nslow_ms = 200\nmedia_refused = 1";
    let twice = ("audio", "failed");
    assert_eq!(answered(faults).await, [twice, twice, ("text", "read")]);
}

#[tokio::test]
async fn a_note_that_fails_after_a_hang_up_is_followed_by_its_words() {
    for after in ["hang_up_after = 1", "error_after = 1"] {
        let faults = format!("[sends]\nmedia_refused = 1\n{after}");
        let got = answered(&faults).await;
        assert_eq!(got.first(), Some(&("audio", "failed")), "{after}: {got:?}");
        assert!(got.contains(&("text", "read")), "{after}: {got:?}");
    }
}
