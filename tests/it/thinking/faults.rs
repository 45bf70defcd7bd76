//! A language model's server that goes wrong: how often it is asked, what the record says, and what
//! the person gets all the same.

use hark::turn::Outcome;
use serde_json::json;

use super::{KEY, answered, asking, check_voice};
use crate::harness::{PERSON, Setup, TestApp, words_of};
use crate::openai::chat::{Chat, DONE, Script, event, finish, used};

const FALLBACK: &str = "Sorry, we couldn't process your request. Please try again later";

/// Checks that a written question ends in the fallback text with `reason`, that the server got so
/// many requests, and that the next question is answered.
async fn check_fallback(setup: Setup, chat: &Chat, requests: usize, reason: &str) {
    let app = setup.set("llm.retries", "1").await;
    let report = answered(&app, "what is the price").await;
    assert_eq!((report.reply.text.reveal(), report.outcome), (FALLBACK, Outcome::Fallback));
    let why = report.reason.unwrap().to_string();
    assert!(why.starts_with("llm failed: ") && why.contains(reason), "{why}");
    assert!(!why.contains(KEY) && !why.contains("price"), "{why}");
    assert_eq!(chat.asked().len(), requests);
    chat.answer_from_now_on(Script::says("Two euros."));
    assert_eq!(answered(&app, "and now").await.reply.text, "Two euros.");
    assert_eq!(app.sent().len(), 2);
}

/// As [`check_fallback`], for a script that answers every request.
pub(super) async fn check_broken(script: Script, requests: usize, reason: &str) {
    let (setup, chat) = asking([script]).await;
    check_fallback(setup, &chat, requests, reason).await;
}

#[tokio::test]
async fn what_passes_is_asked_again_and_answered() {
    let fine = || Script::says("Two euros.");
    let failing = [
        Script::error(500, "oops"),
        Script::status(502, "text/html", "<html>Bad gateway</html>"),
        Script::error(429, "slow down"),
        Script::error(429, "slow down").header("retry-after", "0"),
        Script::error(503, "loading").header("retry-after", "0.1"),
        Script::words("").then_breaks(),
        Script::stream(": keep-alive\n\n"),
        Script::words("").then(&event(&json!({ "error": { "message": "x", "code": 502 } }))),
        Script::words("").then("event: error\ndata: {\"message\": \"overloaded\"}\n\n"),
        Script::words("").then(&finish("error")),
    ];
    for script in failing {
        check_voice(vec![script, fine()], 2, "Two euros.").await;
    }
}

#[tokio::test]
async fn a_server_that_gives_no_word_in_time_is_asked_again() {
    let silent = [
        Script::says("Too late.").paced(30_000, 0.0),
        Script::words("").then_hangs(),
        Script::words("<think>hm, ").then_hangs(),
    ];
    for script in silent {
        let (setup, chat) = asking([script, Script::says("Two euros.")]).await;
        let app = setup.set("llm.first_token_timeout_ms", "200").await;
        let report = answered(&app, "what is the price").await;
        assert_eq!(report.reply.text, "Two euros.");
        assert_eq!((app.sent_one().kind, chat.asked().len()), ("audio", 2));
    }
    let (setup, chat) = asking([Script::words("").then_hangs()]).await;
    let setup = setup.set("llm.first_token_timeout_ms", "200");
    check_fallback(setup, &chat, 2, "language model gave no word within 200 ms").await;
    // The whole time ends it too.
    let (setup, chat) = asking([Script::words("").then_hangs()]).await;
    let setup = setup.set("llm.timeout_ms", "200");
    check_fallback(setup, &chat, 1, "language model gave no word within 200 ms").await;
}

#[tokio::test]
async fn what_only_an_operator_can_mend_is_not_asked_again() {
    let page = "<!doctype html><title>Welcome</title>";
    for (script, reason) in [
        (Script::error(401, &format!("Incorrect API key {KEY}")), "[removed]; check llm.api_key"),
        (Script::error(403, "no: 'what is the price'"), "(HTTP 403): no: '[removed]'"),
        (Script::error(404, "no such model"), "no such model; check llm.url and llm.model"),
        (Script::error(402, "pay"), "the account of llm.api_key has no credit left"),
        (
            Script::status(200, "text/html", page),
            "a web page: Welcome (HTTP 200); is llm.url right?",
        ),
        (
            Script::status(404, "text/html", page),
            "a web page: Welcome (HTTP 404); is llm.url right?",
        ),
        (Script::status(200, "text/plain", "hello"), "is not an event stream: hello; is llm.url"),
        (Script::status(200, "application/json", "{}"), "JSON that is not a chat completion"),
        (Script::stream("data: hello\n\n"), "an event that is not a chat completion: hello"),
        (Script::status(307, "text/plain", "").header("location", "http://127.0.0.1:9/"), "moved"),
        (Script::words("").then(&finish("content_filter")).then(DONE), "content filter"),
    ] {
        check_broken(script, 1, reason).await;
    }
}

#[tokio::test]
async fn a_line_of_ten_megabytes_is_refused() {
    let long = format!("data: {}", "x".repeat(10 << 20));
    check_broken(Script::stream(long.clone()), 1, "answered a line of over 1 MiB").await;
    let whole = format!("{{\"choices\": \"{long}");
    check_broken(Script::stream(whole), 1, "answered more than 1 MiB at once").await;
    let page = Script::status(500, "text/plain", &long);
    let (setup, chat) = asking([page, Script::says("Two euros.")]).await;
    let app = setup.await;
    assert_eq!(answered(&app, "what is the price").await.reply.text, "Two euros.");
    assert_eq!((app.sent_one().kind, chat.asked().len()), ("audio", 2));
}

/// Checks that an answer which fails after its first words is not asked for again, and that what
/// was complete reaches the person.
async fn check_broke_off(script: Script, log: &str) {
    let (setup, chat) = asking([script]).await;
    let app = setup.set("llm.stall_timeout_ms", "200").await;
    let report = answered(&app, "what is the price").await;
    let whole =
        "Two euros fifty. I'm sorry, I have to stop here. Please ask me again for the rest.";
    assert_eq!(report.reply.text, whole, "{log}");
    // Every word of it is in the note, a third of a second each.
    let words = f64::from(u32::try_from(whole.split(' ').count()).unwrap());
    let spoken_ms = report.audio.map(|audio| audio.duration_ms).unwrap_or_default();
    assert!((spoken_ms - words * 1000.0 / 3.0).abs() < 1.0, "{log}: {spoken_ms}");
    assert_eq!(report.outcome, Outcome::VoiceNote, "{log}");
    assert!(
        words_of(report.reason).is_some_and(|reason| reason.starts_with("llm_failed")),
        "{log}"
    );
    assert_eq!((app.sent_one().kind, chat.asked().len()), ("audio", 1), "{log}");
    chat.answer_from_now_on(Script::says("At noon."));
    let report = answered(&app, "and when").await;
    assert_eq!((report.reply.text.reveal(), report.reason), ("At noon.", None), "{log}");
    assert_eq!(app.sent().len(), 2);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_said_as_far_as_it_is_complete() {
    let words = || Script::words("Two euros fifty. It is ready in about");
    let error = event(&json!({ "error": { "message": "no memory", "type": "server_error" } }));
    for (script, log) in [
        (words().then_hangs(), "stall"),
        (words().then(": alive\n\n").paced(0, 50.0).then_hangs(), "comments are no words"),
        (words().then_breaks(), "break"),
        (words(), "closed without an end"),
        (words().then(&error), "error in a chunk"),
        (words().then("event: error\ndata: no memory\n\n"), "error event"),
        (words().then(&finish("error")), "error as a reason"),
        (words().then(&finish("length")).then(&used(1, 9)).then(DONE), "length"),
        (words().then(&finish("content_filter")).then(DONE), "filter"),
        (words().then("data: <html>\n\n"), "no JSON"),
        (words().then(&"x".repeat(2 << 20)), "a long line"),
    ] {
        check_broke_off(script, log).await;
    }
}

#[tokio::test]
async fn a_server_that_is_down_is_asked_again_later_and_then_given_up() {
    let app = TestApp::start().set("llm.engine", "openai").set("llm.model", "m");
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{nobody}/v1");
    let app = app.set("llm.url", &url).set("llm.retries", "0").await;
    app.text(PERSON, "hello").await;
    for wait_ms in [5_000, 20_000] {
        app.run_until_idle().await;
        assert!(app.sent().is_empty());
        app.advance(wait_ms).await;
    }
    app.run_until_idle().await;
    assert_eq!(app.sent_texts(), [FALLBACK]);
    let reason = app.report().await.reason.unwrap().to_string();
    assert!(reason.starts_with("llm failed: language model could not be reached: "), "{reason}");
    assert!(!reason.contains("127.0.0.1"), "{reason}");
}

#[tokio::test]
async fn a_server_that_asks_for_a_long_pause_gets_it_and_the_person_the_whole_answer() {
    let busy = Script::error(429, "Rate limit reached").header("retry-after", "30");
    let (setup, chat) = asking([busy, Script::says("Two euros.")]).await;
    let app = setup.await;
    app.text(PERSON, "what is the price").await;
    app.run_until_idle().await;
    assert!(app.sent().is_empty() && chat.asked().len() == 1);
    app.advance(29_999).await;
    app.run_until_idle().await;
    assert!(app.sent().is_empty() && chat.asked().len() == 1);
    app.advance(1).await;
    app.run_until_idle().await;
    assert_eq!((app.sent_one().kind, chat.asked().len()), ("audio", 2));
    assert_eq!(app.report().await.reply.text, "Two euros.");
}

#[tokio::test]
async fn nobody_is_left_without_a_word_for_an_hour() {
    let busy = Script::error(429, "Daily limit reached").header("retry-after", "3600");
    let (setup, chat) = asking([busy]).await;
    let app = setup.await;
    app.text(PERSON, "what is the price").await;
    app.run_until_idle().await;
    assert_eq!((app.sent_texts(), chat.asked().len()), (vec![FALLBACK.to_owned()], 1));
}

#[tokio::test]
async fn the_operator_is_told_and_neither_key_nor_words_are_in_the_log() {
    let refused = Script::error(401, &format!("Incorrect API key {KEY}: 'what is the price'"));
    let (setup, chat) = asking([refused]).await;
    let app = setup.in_a_process().await;
    app.text(PERSON, "what is the price").await;
    app.run_until_done().await;
    chat.answer_from_now_on(Script::says("Forty-two euros."));
    app.text(PERSON, "what is the price").await;
    app.run_until_done().await;
    assert_eq!(app.sent().len(), 2);
    let log = app.log();
    let told = |line: &str| line.contains("ERROR") && line.contains("check llm.api_key");
    assert!(log.lines().any(told), "{log}");
    for secret in [KEY, "what is the price", "Forty-two"] {
        assert!(!log.contains(secret), "{secret:?} is in the log");
    }
}
