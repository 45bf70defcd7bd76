//! Notes that nobody plays are followed by their words.

use super::writes;
use crate::harness::TestApp;

/// Moves the clock by minutes and waits until what follows is sent.
async fn after_minutes(app: &TestApp, minutes: i64, sent: usize) {
    app.advance(minutes * 60_000).await;
    app.wait_until("the words follow", &async || app.simulator.sent().len() >= sent).await;
    app.run_until_idle().await;
}

#[tokio::test]
async fn a_note_that_is_not_played_is_followed_by_its_words_once() {
    let app = TestApp::start().set("followup.minutes", "10").await;
    app.simulator.set_plays(false);
    writes(&app, "Hello there").await;
    assert_eq!(app.sent_one().kind, "audio");
    after_minutes(&app, 11, 2).await;
    let sent = app.sent();
    assert_eq!((sent.len(), sent[1].text.as_deref()), (2, Some("Hello there")));
    assert_eq!(sent[1].reply_to, None);
    app.advance(60 * 60_000).await;
    app.run_until_idle().await;
    // What comes next is answered as ever.
    writes(&app, "And again").await;
    assert_eq!(app.sent().len(), 3);
}

#[tokio::test]
async fn a_note_that_is_played_or_answered_is_not_followed() {
    let app = TestApp::start().set("followup.minutes", "10").await;
    writes(&app, "Hello there").await;
    app.advance(11 * 60_000).await;
    app.simulator.set_plays(false);
    writes(&app, "One more").await;
    app.advance(5 * 60_000).await;
    writes(&app, "And one more").await;
    app.advance(9 * 60_000).await;
    app.run_until_idle().await;
    assert_eq!(app.sent().len(), 3);
}
