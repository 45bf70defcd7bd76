//! People are told that a machine speaks: at first, again after the days, and never twice for a
//! crash; and every note says so to programs.

use std::process::Command;

use hark::simulator::CallKind;
use hark::turn::Outcome;
use serde_json::json;

use crate::harness::{NUMBER, PERSON, Setup, TestApp, update};

const ENGLISH: &str = "I am an automated assistant: you are talking to a machine, not to a person.";
const GERMAN: &str = "Ich bin ein automatischer Assistent: Sie sprechen mit einer Maschine, nicht mit einem Menschen.";
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// A word of the scripted voice lasts a third of a second.
const WORD_MS: f64 = 1000.0 / 3.0;

fn telling() -> Setup {
    TestApp::start().set("disclosure.enabled", "true").answers("hi there")
}

/// What each sent message told: the words of a text, or how many words a note has.
fn told(app: &TestApp) -> Vec<Result<String, usize>> {
    let told = app.sent().into_iter().map(|message| match (message.text, message.media) {
        (Some(text), _) => Ok(text),
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few words")]
        (None, Some(media)) => Err((media.duration_ms.unwrap() / WORD_MS).round() as usize),
        (None, None) => panic!("neither text nor note"),
    });
    told.collect()
}

fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

/// A person writes and is answered.
async fn ask(app: &TestApp, text: &str) {
    app.text(PERSON, text).await;
    app.run_until_idle().await;
}

#[tokio::test]
async fn a_person_is_told_at_first_and_again_after_the_days() {
    let app = telling().await;
    ask(&app, "hello").await;
    ask(&app, "hello").await;
    app.advance(30 * DAY_MS - 1).await;
    ask(&app, "hello").await;
    app.advance(1).await;
    ask(&app, "hello").await;
    ask(&app, "hello").await;
    app.text("15550002222", "hello").await;
    app.run_until_idle().await;
    let (with, without) = (Err(2 + words(ENGLISH)), Err(2));
    assert_eq!(
        told(&app),
        [&with, &without, &without, &with, &without, &with].map(Clone::clone),
        "the last one is another person"
    );
    let turns = app.turns().await;
    let said: Vec<_> =
        turns.iter().map(|turn| turn.report.as_ref().unwrap().disclosure.as_deref()).collect();
    let told = Some(ENGLISH);
    assert_eq!(said, [told, None, None, told, None, told]);
    assert_eq!(turns[0].report.as_ref().unwrap().reply.text, "hi there");
    let json = serde_json::to_value(&turns[..2]).unwrap();
    assert_eq!((&json[0]["disclosure"], json[1].get("disclosure")), (&json!(ENGLISH), None));
}

#[tokio::test]
async fn once_is_once_and_off_is_never() {
    for (key, value, expected) in [
        ("disclosure.every_days", "0", [2 + words(ENGLISH), 2]),
        ("disclosure.enabled", "false", [2, 2]),
        ("messages.disclosure.en", "Robot here!", [4, 2]),
        ("messages.disclosure.en", " ", [2, 2]),
    ] {
        let app = telling().set(key, value).await;
        ask(&app, "hello").await;
        app.advance(if key.starts_with("mess") { DAY_MS } else { 400 * DAY_MS }).await;
        ask(&app, "hello").await;
        assert_eq!(told(&app), expected.map(Err), "{key} {value}");
    }
}

#[tokio::test]
async fn it_is_said_in_the_persons_language_and_as_the_reply_is_sent() {
    let app = telling().set("agents.0.reply", "text").await;
    ask(&app, "Guten Tag, wann machen Sie morgen auf?").await;
    ask(&app, "Guten Tag, wann machen Sie morgen auf?").await;
    assert_eq!(app.sent_texts(), [&format!("{GERMAN}\n\nhi there"), "hi there"]);

    // A language without the sentence hears the English one, and the answer in its own voice.
    let app = telling().set("agents.0.language", "sv").await;
    ask(&app, "hej").await;
    assert_eq!(told(&app), [Err(2 + words(ENGLISH))]);
}

#[tokio::test]
async fn a_word_about_a_problem_tells_it_and_the_fallback_leaves_it_to_the_next_answer() {
    let app = telling().await;
    app.deliver(update::audio(vec![1, 2, 3], "audio/ogg; codecs=opus")).await;
    app.run_until_idle().await;
    ask(&app, "hello").await;
    let told_of = told(&app);
    let notice = told_of[0].as_ref().unwrap();
    assert!(notice.starts_with(&format!("{ENGLISH}\n\nSorry, ")), "{notice}");
    assert_eq!(told_of[1], Err(2));

    let app = telling().set("llm.first_token_ms", "60000").set("limits.turn_seconds", "1");
    let mut app = app.await;
    ask(&app, "hello").await;
    assert!(app.reload_with("[[agents]]\nname = \"hark\"\nllm = \"faq\"\n").await);
    ask(&app, "hello").await;
    let told_of = told(&app);
    assert_eq!(
        told_of[0].as_deref(),
        Ok("Sorry, we couldn't process your request. Please try again later")
    );
    assert!(told_of[1].as_ref().is_err_and(|count| *count > words(ENGLISH)), "{told_of:?}");
    assert_eq!(app.turns().await[0].report.as_ref().unwrap().outcome, Outcome::Fallback);
}

#[tokio::test]
async fn a_reply_without_a_note_tells_it_in_its_text() {
    let whole = format!("{ENGLISH}\n\nhi there");
    let app = telling().await;
    app.simulator.fail_next(CallKind::MediaUpload, 400, 131_053, 1);
    ask(&app, "hello").await;
    ask(&app, "hello").await;
    assert_eq!(told(&app), [Ok(whole.clone()), Err(2)]);

    let app = telling().await;
    app.simulator.fail_delivery(131_053, 1);
    ask(&app, "hello").await;
    ask(&app, "hello").await;
    assert_eq!(
        told(&app),
        [Err(2 + words(ENGLISH)), Err(2 + words(ENGLISH)), Err(2)],
        "the first was lost"
    );

    // There is nothing to hear in it, so that the sentence alone would be the whole note.
    let app = telling().answers("👍").await;
    ask(&app, "hello").await;
    assert_eq!(told(&app), [Ok(format!("{ENGLISH}\n\n👍"))]);
}

#[tokio::test]
async fn who_was_not_reached_is_told_the_next_time() {
    let app = telling().await;
    // The note, the text instead of it, and the fallback.
    app.simulator.fail_next(CallKind::Messages, 400, 131_026, 3);
    ask(&app, "hello").await;
    ask(&app, "hello").await;
    assert_eq!(told(&app), [Err(2 + words(ENGLISH))]);
}

/// Kills the service, and checks that the first of two answers tells it and the second does not.
async fn check_after_a_kill(mut app: TestApp) {
    app.kill().await;
    app.start_again().await;
    app.run_until_done().await;
    app.text(PERSON, "hello").await;
    app.run_until_done().await;
    assert_eq!(told(&app), [Err(2 + words(ENGLISH)), Err(2)]);
}

#[tokio::test]
async fn a_kill_neither_repeats_nor_drops_it() {
    // While the agent thinks: nothing is planned, and it is said by the answer that follows.
    let app = telling().thinks_ms(300).in_a_process().await;
    app.text(PERSON, "hello").await;
    app.wait_until("the turn runs", async || app.count(CallKind::Read) == 1).await;
    check_after_a_kill(app).await;

    // While the note is being sent: it is planned, and the same note goes out.
    let app = telling().in_a_process().await;
    app.simulator.fail_next(CallKind::Messages, 500, 131_000, 1);
    app.text(PERSON, "hello").await;
    app.wait_until("the send failed", async || app.count(CallKind::Messages) == 1).await;
    check_after_a_kill(app).await;
}

#[tokio::test]
async fn it_is_told_in_each_chat_of_a_business() {
    let app = telling().await;
    ask(&app, "hello").await;
    // The simulator plays one number; the record is that of the other chat.
    let moved = "UPDATE turns SET number = 'another'";
    app.sql(moved);
    ask(&app, "hello").await;
    assert_eq!(told(&app), [Err(2 + words(ENGLISH)), Err(2 + words(ENGLISH))]);
    assert_ne!(NUMBER, "another");
}

#[tokio::test]
async fn every_note_says_to_programs_that_a_machine_speaks() {
    let app = TestApp::start().await;
    ask(&app, "hello").await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("note.ogg");
    std::fs::write(&file, app.note_of(&app.sent_one())).unwrap();
    let said = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).arg(&file).output();
        let output = output.unwrap_or_else(|error| panic!("{program}: {error}; run `make deps`"));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let (mark, source) = ("SYNTHETIC_SPEECH=1", "digitalsourcetype/trainedAlgorithmicMedia");
    let by_opusinfo = said("opusinfo", &[]);
    assert!(by_opusinfo.contains(mark) && by_opusinfo.contains(source), "{by_opusinfo}");
    let tags = ["-v", "error", "-of", "json", "-show_entries", "stream_tags:format_tags"];
    let by_ffprobe = said("ffprobe", &tags);
    assert!(by_ffprobe.contains("\"SYNTHETIC_SPEECH\": \"1\""), "{by_ffprobe}");
    assert!(by_ffprobe.contains(source), "{by_ffprobe}");
}
