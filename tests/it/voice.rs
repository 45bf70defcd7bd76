//! Answers: when they are spoken, what is sent, and what goes out when speaking fails.

use std::process::Command;

use hark::audio::inspect_note;
use hark::provider::TEXT_LIMIT;
use hark::simulator::CallKind;
use hark::turn::Outcome;
use insta::assert_json_snapshot;

use crate::harness::update::voice_note;
use crate::harness::{PERSON, Setup, TestApp};
use crate::program::Hark;

/// A word of the scripted voice lasts a third of a second.
const WORD_MS: f64 = 1000.0 / 3.0;

/// Runs a program on a file and returns what it says; it must be installed.
fn output(program: &str, arguments: &[&str], file: &std::path::Path) -> String {
    let output = Command::new(program).args(arguments).arg(file).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}; run `make deps`"));
    assert!(output.status.success(), "{program}: {output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[tokio::test]
async fn voice_note_gets_a_voice_reply() {
    let app = TestApp::start().hears("hello").answers("hi there").await;
    let message = app.deliver(voice_note("en_hours.ogg")).await;
    app.run_until_idle().await;
    assert_json_snapshot!(app.calls_redacted());
    let sent = app.sent_one();
    assert_eq!(sent.reply_to, Some(message));
    let report = app.report().await;
    assert_eq!((report.outcome, &report.reason), (Outcome::VoiceNote, &None));
    assert_eq!(report.transcript.unwrap().text, "hello");
    assert_eq!(report.reply.text, "hi there");
    let stages: Vec<_> = report.stages.iter().map(|stage| stage.name.name()).collect();
    for stage in ["download", "decode", "vad", "stt", "llm", "tts", "encode", "upload", "send"] {
        assert!(stages.contains(&stage), "{stage} is not in {stages:?}");
    }
}

#[tokio::test]
async fn the_note_is_what_whatsapp_and_other_players_take() {
    let text = "One two three. Four five six seven! Eight nine ten eleven twelve?";
    let app = TestApp::start().answers(text).await;
    app.text(PERSON, "count").await;
    app.run_until_idle().await;
    let sent = app.sent_one();
    let note = app.note_of(&sent);
    let expected_ms = 12.0 * WORD_MS;

    let media = sent.media.unwrap();
    assert!(media.voice);
    assert_eq!(media.mime_type, "audio/ogg; codecs=opus");
    assert!((media.duration_ms.unwrap() - expected_ms).abs() < 1.0, "{media:?}");
    let audio = app.report().await.audio.unwrap();
    assert!((audio.duration_ms - expected_ms).abs() < 1.0, "{audio:?}");
    let head = inspect_note(&note).unwrap();
    assert_eq!((head.channels, head.ends), (1, true));
    assert!((head.duration_ms - expected_ms).abs() < 1.0, "{head:?}");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("note.ogg");
    std::fs::write(&file, &note).unwrap();
    let said = output("opusinfo", &[], &file);
    assert!(said.contains("Channels: 1") && !said.to_lowercase().contains("warning"), "{said}");
    let asked = "stream=codec_name,channels:format=format_name,duration";
    let said = output("ffprobe", &["-v", "error", "-of", "flat", "-show_entries", asked], &file);
    let probed = |key: &str| {
        let value = said.lines().find_map(|line| line.strip_prefix(key)).expect(key);
        value.trim_matches(['=', '"']).to_owned()
    };
    assert_eq!(probed("streams.stream.0.codec_name"), "opus");
    assert_eq!(probed("streams.stream.0.channels"), "1");
    assert_eq!(probed("format.format_name"), "ogg");
    let seconds: f64 = probed("format.duration").parse().unwrap();
    // ffprobe counts the pre-skip, a few milliseconds.
    assert!((seconds * 1000.0 - expected_ms).abs() < 30.0, "{said}");
}

async fn check_policy(setup: Setup, to_text: &str, to_voice: &str) {
    let app = setup.hears("hello").answers("hi there").await;
    app.text(PERSON, "hello").await;
    app.deliver(voice_note("en_hours.ogg")).await;
    app.run_until_idle().await;
    let kinds: Vec<_> = app.sent().iter().map(|message| message.kind).collect();
    assert_eq!(kinds, [to_text, to_voice]);
}

#[tokio::test]
async fn a_reply_is_spoken_as_its_agent_says() {
    check_policy(TestApp::start(), "audio", "audio").await;
    let reply = |policy| TestApp::start().set("agents.0.reply", policy);
    check_policy(reply("voice"), "audio", "audio").await;
    check_policy(reply("reciprocal"), "text", "audio").await;
    check_policy(reply("text"), "text", "text").await;
}

#[tokio::test]
async fn a_text_reply_is_sent_as_text() {
    let app = TestApp::start().set("agents.0.reply", "text").answers("hi there").await;
    app.text(PERSON, "hello").await;
    app.run_until_idle().await;
    assert_json_snapshot!(app.calls_redacted());
    assert_eq!(app.sent_one().text.unwrap(), "hi there");
}

#[tokio::test]
async fn a_long_text_goes_out_in_parts_and_loses_no_word() {
    let text: Vec<String> = (0..1500).map(|n| format!("word{n}")).collect();
    let text = text.join(" ");
    let app = TestApp::start().set("agents.0.reply", "text").answers(&text).await;
    app.text(PERSON, "tell me everything").await;
    app.run_until_idle().await;
    let sent = app.sent();
    let parts: Vec<_> = sent.iter().filter_map(|message| message.text.clone()).collect();
    assert_eq!(parts.len(), text.len().div_ceil(TEXT_LIMIT));
    assert!(parts.iter().all(|part| part.chars().count() <= TEXT_LIMIT));
    assert_eq!(parts.join(" "), text);
    for (index, message) in sent.iter().enumerate() {
        let data = message.callback_data.as_ref().unwrap();
        assert!(data.ends_with(&format!(":{index}")), "{data}");
    }
}

/// Checks that a voice reply went out as this text, and why.
async fn check_text_instead(app: TestApp, reason: &str) {
    app.text(PERSON, "hello").await;
    app.run_until_idle().await;
    assert_eq!(app.sent_one().text.unwrap(), "hi there");
    let report = app.report().await;
    assert_eq!((report.outcome, report.audio), (Outcome::Text, None));
    let said = report.reason.unwrap().to_string();
    assert!(said.starts_with(reason), "{said}");
}

#[tokio::test]
async fn a_reply_that_cannot_be_spoken_goes_out_as_text() {
    let app = TestApp::start().answers("hi there").set("tts.engine", "espeak");
    // No program can be started with a zero byte among its arguments.
    let app = app.set("agents.0.voice", "no\0voice").await;
    check_text_instead(app, "tts_failed").await;
}

#[tokio::test]
async fn a_reply_longer_than_five_minutes_goes_out_as_text() {
    let digits = "1234567890".repeat(400);
    let few_letters = "a b ".repeat(1_000);
    for answer in [digits.as_str(), few_letters.trim()] {
        let app = TestApp::start().answers(answer).await;
        app.text(PERSON, "read it to me").await;
        app.run_until_idle().await;
        assert_eq!(app.sent_texts(), [answer]);
        let report = app.report().await;
        assert_eq!((report.outcome, report.audio), (Outcome::Text, None));
        let reason = report.reason.unwrap().to_string();
        assert!(reason.starts_with("tts_failed: it takes longer to say than the five"), "{reason}");
    }
    let long = "Nine of ten. ".repeat(4_600);
    let hark = Hark::new().file("hark.toml", "[tts]\nengine = \"scripted\"\n");
    let ran = hark.run(&["say", &long]).await;
    assert!(ran.code == 1 && ran.stderr.contains("its five minutes hold"), "{}", ran.stderr);
}

#[tokio::test]
async fn a_note_that_the_provider_does_not_take_goes_out_as_text() {
    let app = TestApp::start().answers("hi there").await;
    app.simulator.fail_next(CallKind::MediaUpload, 400, 131_053, 1);
    check_text_instead(app, "upload_failed").await;

    let app = TestApp::start().answers("hi there").await;
    app.simulator.fail_next(CallKind::Messages, 400, 131_051, 1);
    check_text_instead(app, "send_failed").await;
}

#[tokio::test]
async fn a_send_that_came_too_fast_is_repeated_once() {
    let app = TestApp::start().hears("hello").await;
    app.simulator.fail_next(CallKind::Messages, 400, 131_056, 1);
    app.deliver(voice_note("en_hours.ogg")).await;
    app.run_until_idle().await;
    assert!(app.sent().is_empty());
    app.advance(3_999).await;
    app.run_until_idle().await;
    assert!(app.sent().is_empty());
    app.advance(1).await;
    app.run_until_idle().await;
    assert_eq!(app.sent_one().kind, "audio");
    assert_eq!(app.count(CallKind::MediaUpload), 1);
    let report = app.report().await;
    assert_eq!((report.outcome, report.reply.text.reveal()), (Outcome::VoiceNote, "hello"));
}

#[tokio::test]
async fn a_token_that_is_refused_costs_no_answer_however_long_it_takes_to_renew() {
    let app = TestApp::start().hears("hello").await;
    app.simulator.fail_next(CallKind::MediaDownload, 401, 190, 5);
    app.simulator.fail_next(CallKind::MediaLookup, 401, 190, 5);
    app.deliver(voice_note("en_hours.ogg")).await;
    // More refusals than a message has attempts.
    for _ in 0..5 {
        app.run_until_idle().await;
        assert!(app.sent().is_empty());
        app.advance(300_000).await;
    }
    app.run_until_idle().await;
    assert_eq!(app.sent_one().kind, "audio");
    assert_eq!(app.report().await.outcome, Outcome::VoiceNote);
}

#[tokio::test]
async fn a_note_that_is_refused_when_it_is_sent_again_goes_out_as_text() {
    let app = TestApp::start().hears("hello").await;
    app.simulator.fail_next(CallKind::Messages, 400, 131_056, 1);
    app.deliver(voice_note("en_hours.ogg")).await;
    app.run_until_idle().await;
    app.simulator.fail_next(CallKind::Messages, 400, 131_009, 1);
    app.advance(4_000).await;
    app.run_until_idle().await;
    assert_eq!(app.sent_texts(), ["hello"]);
    let report = app.report().await;
    assert_eq!((report.outcome, report.audio), (Outcome::Text, None));
}

#[tokio::test]
async fn a_long_text_that_was_held_up_goes_out_once_and_in_order() {
    let text = "word ".repeat(2000);
    let app = TestApp::start().set("agents.0.reply", "text").answers(&text).await;
    app.simulator.fail_next(CallKind::Messages, 400, 131_056, 1);
    app.text(PERSON, "tell me everything").await;
    app.run_until_idle().await;
    app.advance(4_000).await;
    app.run_until_idle().await;
    let parts: Vec<_> =
        app.sent().into_iter().filter_map(|message| message.callback_data).collect();
    let indexes: Vec<_> = parts.iter().filter_map(|data| data.rsplit(':').next()).collect();
    assert_eq!(indexes, ["0", "1", "2"]);
    assert_eq!(app.sent_texts().join(" "), text.trim());
}

/// Checks that a written question ends in the fallback text, and why.
async fn check_fallback(setup: Setup, expected_reason: &str) {
    let app = setup.await;
    app.text(PERSON, "hello").await;
    app.run_until_idle().await;
    let text = app.sent_one().text.unwrap();
    assert_eq!(text, "Sorry, we couldn't process your request. Please try again later");
    let report = app.report().await;
    assert_eq!(report.outcome, Outcome::Fallback);
    let reason = report.reason.unwrap().to_string();
    assert!(reason.contains(expected_reason), "{reason}");
}

#[tokio::test]
async fn an_answer_that_never_comes_or_is_empty_becomes_the_fallback() {
    let late = TestApp::start().thinks_ms(60_000).set("limits.turn_seconds", "1");
    check_fallback(late, "the time allowed is over").await;
    check_fallback(TestApp::start().answers(" "), "the answer is empty").await;
}

#[tokio::test]
async fn a_person_who_cannot_be_reached_ends_the_turn_as_failed() {
    let app = TestApp::start().await;
    // The note, the text instead of it, and the fallback.
    app.simulator.fail_next(CallKind::Messages, 400, 131_026, 3);
    app.text(PERSON, "hello").await;
    app.run_until_idle().await;
    assert!(app.sent().is_empty());
    assert_eq!(app.count(CallKind::Messages), 3);
    let report = app.report().await;
    assert_eq!(report.outcome, Outcome::Failed);
    let reason = report.reason.unwrap().to_string();
    assert!(reason.contains("131026"), "{reason}");
}

#[tokio::test]
async fn after_three_failed_attempts_the_fallback_text_goes_out() {
    let app = TestApp::start().await;
    app.simulator.fail_next(CallKind::MediaDownload, 500, 131_000, 3);
    app.deliver(voice_note("en_hours.ogg")).await;
    for wait_ms in [2_000, 8_000] {
        app.run_until_idle().await;
        assert!(app.sent().is_empty());
        app.advance(wait_ms).await;
    }
    app.run_until_idle().await;
    let text = app.sent_one().text.unwrap();
    assert_eq!(text, "Sorry, we couldn't process your request. Please try again later");
    let report = app.report().await;
    assert_eq!(report.outcome, Outcome::Fallback);
    let reason = report.reason.unwrap().to_string();
    assert!(reason.starts_with("download failed: "), "{reason}");
}
