//! What one person sends in a short time is one turn, and what comes while it is answered has its rule.

use bytes::Bytes;
use hark::simulator::CallKind;

use crate::desk::operator_says;
use crate::harness::update::{audio, voice_note};
use crate::harness::{NUMBER, PERSON, Setup, TestApp, update};

/// As the default configuration has it.
fn gathers() -> Setup {
    TestApp::start().set("queue.burst_ms", "700").set("agents.0.reply", "text").hears("spoken")
}

/// What turns have heard, oldest first.
async fn heard(app: &TestApp) -> Vec<String> {
    let heard = |turn: hark::store::TurnRow| turn.heard.map(|words| words.reveal().to_owned());
    app.turns().await.into_iter().rev().filter_map(heard).collect()
}

/// Messages that were marked as read.
fn read(app: &TestApp) -> usize {
    app.count(CallKind::Read)
}

#[tokio::test]
async fn voice_and_text_of_one_breath_are_answered_once_and_each_is_read() {
    let app = gathers().await;
    app.text(PERSON, "one").await;
    app.deliver(voice_note("en_hours.ogg")).await;
    // Sound lets the turn begin: it is heard while more is waited for.
    app.wait_until("the note is heard", async || app.count(CallKind::MediaDownload) == 1).await;
    app.text(PERSON, "three").await;
    app.wait_until("all are read", async || read(&app) == 3).await;
    assert!(app.turns().await.iter().all(|turn| turn.report.is_none()), "it waits for more");
    app.advance(700).await;
    app.run_until_idle().await;
    assert_eq!(app.sent_texts(), ["one\nspoken\nthree"]);
    assert_eq!(heard(&app).await, ["one\nspoken\nthree"]);
    assert_eq!(
        app.sql_number("SELECT count(DISTINCT turn) FROM messages WHERE turn IS NOT NULL"),
        1
    );
    let known = "SELECT count(*) FROM events WHERE type LIKE '%with-user-info-received'";
    assert_eq!(app.sql_number(known), 3, "each part is told");
}

#[tokio::test]
async fn the_window_moves_with_what_comes_and_ends_after_four_seconds() {
    let app = gathers().await;
    for n in 0..8 {
        app.text(PERSON, &n.to_string()).await;
        app.advance(600).await;
    }
    app.advance(700).await;
    app.run_until_idle().await;
    // The first came at 0, the seventh at 3.6 s; the last at 4.2 s.
    assert_eq!(app.sent_texts(), ["0\n1\n2\n3\n4\n5\n6", "7"]);
}

#[tokio::test]
async fn a_lone_text_waits_for_the_window_and_another_persons_is_its_own() {
    let app = gathers().await;
    app.text(PERSON, "mine").await;
    app.text("34600111222", "theirs").await;
    app.advance(699).await;
    app.run_until_idle().await;
    assert_eq!(app.sent().len(), 0);
    app.advance(1).await;
    app.run_until_idle().await;
    let mut texts = app.sent_texts();
    texts.sort();
    assert_eq!(texts, ["mine", "theirs"]);
}

#[tokio::test]
async fn without_a_window_each_message_is_answered_by_itself() {
    let app = gathers().set("queue.burst_ms", "0").await;
    let both = [update::text("wamid.a", "one"), update::text("wamid.b", "two")];
    app.post_signed(&update::messages(NUMBER, &both)).await;
    app.run_until_idle().await;
    assert_eq!(app.sent_texts(), ["one", "two"]);
}

#[tokio::test]
async fn an_empty_note_beside_words_is_no_problem() {
    let app = gathers().await;
    app.deliver(audio(Bytes::new(), "audio/ogg; codecs=opus")).await;
    app.text(PERSON, "words").await;
    app.advance(700).await;
    app.run_until_idle().await;
    assert_eq!(app.sent_texts(), ["words"]);
}

/// Lets a person write twice more while the first is being answered.
async fn answers_while_two_more_come(policy: &str) -> TestApp {
    let setup = gathers().set("queue.burst_ms", "0").set("agents.0.interrupt", policy);
    let app = setup.thinks_ms(1_500).await;
    app.text(PERSON, "one").await;
    app.wait_until("it is being answered", async || read(&app) == 1).await;
    app.text(PERSON, "two").await;
    app.text(PERSON, "three").await;
    app.run_until_idle().await;
    app
}

#[tokio::test]
async fn what_comes_meanwhile_is_answered_next_one_by_one() {
    let app = answers_while_two_more_come("followup").await;
    assert_eq!(app.sent_texts(), ["one", "two", "three"]);
}

#[tokio::test]
async fn what_comes_meanwhile_is_collected() {
    let app = answers_while_two_more_come("collect").await;
    assert_eq!(app.sent_texts(), ["one", "two\nthree"]);
}

#[tokio::test]
async fn what_comes_meanwhile_interrupts() {
    let app = answers_while_two_more_come("interrupt").await;
    assert_eq!(app.sent_texts(), ["one\ntwo\nthree"]);
    assert_eq!(read(&app), 3);
}

#[test]
fn an_unknown_policy_is_named() {
    let said = toml::from_str::<hark::registry::Agent>("name = \"a\"\ninterrupt = \"sometimes\"");
    let said = said.unwrap_err().to_string();
    assert!(said.contains("followup") && said.contains("sometimes"), "{said}");
}

#[tokio::test]
async fn what_an_operator_says_is_no_part_of_a_burst() {
    let app = gathers().set("agents.0.interrupt", "collect").await;
    app.text(PERSON, "one").await;
    app.advance(100).await;
    operator_says(&app, "It is me.").await;
    app.advance(700).await;
    app.run_until_idle().await;
    let texts = app.sent_texts();
    assert!(texts.contains(&"It is me.".to_owned()), "{texts:?}");
    assert!(!texts.iter().any(|text| text.contains("me.\n")), "{texts:?}");
}
