//! What the real program logs: for people, for machines, and never anything personal.

use std::collections::BTreeMap;

use hark::simulator::CallKind;
use serde_json::{Map, Value};

use crate::harness::update::{messages, sign, text, text_of, voice_note};
use crate::harness::{APP_SECRET, NUMBER, PERSON, TOKEN, TestApp, VERIFY_TOKEN};
use crate::program::{Hark, SCRIPTED};

const TRACE: &str = "logging.googleapis.com/trace";
const LABELS: &str = "logging.googleapis.com/labels";

/// An id in Meta's form: Base64 of a header, [`PERSON`]'s number and random digits.
const META_ID: &str = "wamid.HBgLMTU1NTAwMDExMTEVAgARGBJDQjZCMzlEQUE4OTJBQzA0RDMA";
const NUMBER_IN_BASE64: &str = "MTU1NTAwMDExMTE";

/// Checks that no word of a person, no id of theirs and no secret is in a log.
#[track_caller]
fn says_nothing_personal(log: &str) {
    let secrets = [TOKEN, APP_SECRET, VERIFY_TOKEN, "wrongtoken"];
    let personal =
        [PERSON, "15550002222", "US.4242", "heardword", "writtenword", "answerword", "Saturday"];
    let all = secrets.into_iter().chain(personal).chain([NUMBER_IN_BASE64]);
    for word in all {
        assert!(!log.contains(word), "{word} is in the log: {log}");
    }
}

/// The lines of a log for people without time and turn, in their order.
fn told(log: &str) -> Vec<String> {
    let line = |line: &str| {
        let rest = line.splitn(3, ' ').nth(2).expect(line);
        match rest.split_once("] ") {
            Some((level_and_turn, rest)) => {
                let (level, _turn) = level_and_turn.split_once('[').expect(line);
                format!("{level}{rest}")
            }
            None => rest.to_owned(),
        }
    };
    log.lines().map(line).collect()
}

/// Checks that lines begin like this, one after the other.
#[track_caller]
fn begin(lines: &[String], expected: &[&str]) {
    let fits = lines.len() == expected.len()
        && lines.iter().zip(expected).all(|(line, begin)| line.starts_with(begin));
    assert!(fits, "{lines:#?}\nis not\n{expected:#?}");
}

#[tokio::test]
async fn a_turn_is_told_in_a_few_short_lines() {
    let app = TestApp::start()
        .in_a_process()
        .set("log.level", "info")
        .hears("heardword")
        .answers("answerword")
        .await;
    let before = app.log().len();
    app.deliver(voice_note("en_hours.ogg")).await;
    app.run_until_done().await;
    assert_eq!(app.sent().len(), 1);
    let log = app.log().split_off(before);
    // Statuses come while the turn ends, or after it.
    let (statuses, lines): (Vec<_>, Vec<_>) =
        told(&log).into_iter().partition(|line| line.contains("  status "));
    begin(
        &statuses,
        &[
            "INFO  status delivered message.id=wamid.",
            "INFO  status read message.id=wamid.",
            "INFO  status played message.id=wamid.",
        ],
    );
    begin(
        &lines,
        &[
            "INFO  a webhook came accepted=1",
            "INFO  a turn begins contact.id=1 message.type=audio agent=hark queue=",
            "INFO  heard audio=2.0 s language=en words=6 confidence=1.0 took=",
            "WARN  the scripted synthesizer hums",
            "INFO  answered by=scripted characters=10 note=",
            "INFO  sent part.kind=voice message.id=wamid.",
            "INFO  a turn ended outcome=voice_note total=",
        ],
    );
    let turn = app.turns().await.remove(0).turn.0;
    let of_turn = log.lines().filter(|line| line.contains(&format!("[{}] ", &turn[..8])));
    assert_eq!(of_turn.count(), 9, "{log}");
    for line in log.lines() {
        assert!(line.len() < 130 && !line.contains('\u{1b}'), "{line:?}");
    }
    says_nothing_personal(&app.log());
}

#[tokio::test]
async fn what_starts_no_turn_and_what_is_refused_is_told_too() {
    let app = TestApp::start().in_a_process().set("log.level", "info").await;
    let id = app.text(PERSON, "writtenword").await;
    app.run_until_done().await;
    assert_eq!(app.sent().len(), 1);
    let before = app.log().len();
    app.post_signed(&messages(NUMBER, &[text(&id.0, "writtenword")])).await;
    let mut late = text(META_ID, "writtenword");
    late["timestamp"] = "1000000".into();
    app.post_signed(&messages(NUMBER, &[late])).await;
    app.post_signed(&messages("999", &[text("wamid.2", "writtenword")])).await;
    let wrong = sign("other-secret", b"{}");
    for _ in 0..50 {
        assert_eq!(app.post_webhook("/webhook", "{}", Some(&wrong)).await.0, 401);
    }
    assert_eq!(app.post_webhook("/webhook", "{}", None).await.0, 401);
    let signed = sign(APP_SECRET, b"no json");
    assert_eq!(app.post_webhook("/webhook", "no json", Some(&signed)).await.0, 400);
    let handshake = "/webhook?hub.mode=subscribe&hub.challenge=1&hub.verify_token=";
    app.get(&format!("{handshake}wrongtoken")).await;
    app.get(&format!("{handshake}{VERIFY_TOKEN}")).await;
    let log = app.log().split_off(before);
    begin(
        &told(&log),
        &[
            "INFO  a webhook came duplicates=1",
            "WARN  a message is kept and not answered message.type=text why=\"it is older than",
            "INFO  a webhook came accepted=1",
            "WARN  a message for a number that is not configured was ignored",
            "INFO  a webhook came ignored=1",
            "WARN  webhooks were refused: no app_secret of the configuration signed them.",
            "WARN  webhooks were refused: they are not signed.",
            "WARN  webhooks were refused: they are signed and not JSON",
            "WARN  a webhook handshake was refused",
            "INFO  a webhook handshake was answered",
        ],
    );
    says_nothing_personal(&app.log());
    let metrics = app.metrics().await;
    for count in [
        "{result=\"accepted\"} 2",
        "{result=\"duplicate\"} 1",
        "{result=\"ignored\"} 1",
        "{result=\"bad_signature\"} 50",
        "{result=\"no_signature\"} 1",
        "{result=\"bad_json\"} 1",
        "{result=\"handshake\"} 1",
        "{result=\"bad_verify_token\"} 1",
    ] {
        let line = format!("hark_webhook_total{count}\n");
        assert!(metrics.contains(&line), "{line} is not in {metrics}");
    }
}

#[tokio::test]
async fn debug_adds_a_line_a_stage_and_trace_nothing_personal() {
    let app = TestApp::start().in_a_process().hears("heardword").answers("answerword").await;
    app.deliver(voice_note("en_hours.ogg")).await;
    app.run_until_done().await;
    app.post_signed(&messages(NUMBER, &[text(META_ID, "writtenword")])).await;
    app.run_until_done().await;
    assert_eq!(app.sent().len(), 2);
    let log = app.log();
    for stage in ["download", "decode", "vad", "stt", "llm", "tts", "encode", "upload", "send"] {
        let line = format!("DEBUG a step stage.name={stage} start=");
        let lines = told(&log).into_iter().filter(|told| told.starts_with(&line));
        let times = lines.filter(|line| line.contains(" took=") && line.ends_with('s')).count();
        let turns = if ["download", "decode", "vad", "stt"].contains(&stage) { 1 } else { 2 };
        assert_eq!(times, turns, "{stage}: {log}");
    }
    says_nothing_personal(&log);
}

#[tokio::test]
async fn a_request_for_a_person_is_told_and_counted_and_nobody_is_promised() {
    let app = TestApp::start()
        .in_a_process()
        .set("llm.engine", "faq")
        .hears("I would like to talk to a human, heardword")
        .await;
    app.deliver(voice_note("en_person.ogg")).await;
    app.text(PERSON, "Are you a person?").await;
    app.text(PERSON, "writtenword").await;
    app.run_until_done().await;
    assert_eq!(app.sent().len(), 3);
    let (log, asks) = (app.log(), "INFO  a person asks for a person agent=hark");
    assert_eq!(told(&log).iter().filter(|line| *line == asks).count(), 1, "{log}");
    says_nothing_personal(&log);
    let metrics = app.metrics().await;
    assert!(metrics.contains("hark_person_requests_total{agent=\"hark\"} 1\n"), "{metrics}");
    for turn in app.turns().await {
        let reply = turn.report.unwrap().reply.text;
        for promise in ["colleague", "write to you", "pass you on to a person"] {
            assert!(!reply.reveal().contains(promise), "{}", reply.reveal());
        }
    }
}

#[tokio::test]
async fn colours_are_for_those_who_want_them() {
    let humming = format!("{SCRIPTED}[tts]\nengine = \"scripted\"\n");
    let log = async |variables: &[(&str, &str)]| {
        let asked = variables
            .iter()
            .fold(Hark::new().file("hark.toml", &humming), |hark, (name, value)| {
                hark.env(name, value)
            });
        asked.run(&["ask", "--text", "hello"]).await.stderr
    };
    let escape = '\u{1b}';
    let plain = log(&[]).await;
    assert!(plain.contains("WARN  ") && !plain.contains(escape), "it is no terminal: {plain:?}");
    assert!(log(&[("CLICOLOR_FORCE", "1")]).await.contains(escape));
    let refused = log(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]).await;
    assert!(!refused.contains(escape), "{refused:?}");
    assert!(log(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "")]).await.contains(escape));
}

#[tokio::test]
async fn what_a_decoder_says_of_a_sender_s_bytes_is_not_in_the_log() {
    let mut note = include_bytes!("../../fuzz/seeds/sound/flac.flac").to_vec();
    note.iter_mut().skip(9_000).step_by(97).for_each(|byte| *byte ^= 0x55);
    let hark = Hark::new().file("hark.toml", SCRIPTED).file("note.flac", note);
    let log = hark.run(&["transcribe", "note.flac"]).await.stderr;
    assert!(log.contains("WARN  the transcriber is scripted"), "{log}");
    assert!(!log.contains("symphonia") && !log.contains("log.target"), "{log}");
}

#[tokio::test]
async fn a_service_says_what_to_type_into_meta_s_form() {
    let app = TestApp::start()
        .in_a_process()
        .set("server.public_url", "https://name:password@voice.example.com/hark/")
        .await;
    let told = "callback_url=https://voice.example.com/hark/webhook\n";
    app.wait_until("it is said", async || app.log().contains(told)).await;
    let log = app.log();
    assert!(log.contains("webhook.verify_token") && !log.contains("password"), "{log}");
    says_nothing_personal(&log);
    let app = TestApp::start().in_a_process().await;
    app.wait_until("it is missed", async || app.log().contains("set server.public_url")).await;
}

/// Every line of the log; each is a JSON object.
fn parsed(log: &str) -> Vec<Map<String, Value>> {
    log.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

#[tokio::test]
async fn every_line_is_what_cloud_logging_reads_and_says_nothing_personal() {
    let app = TestApp::start()
        .in_a_process()
        .set("log.format", "json")
        .variable("GOOGLE_CLOUD_PROJECT", "")
        .hears("heardword")
        .answers("answerword")
        .await;
    // Two turns with a warning each before their end.
    app.simulator.fail_next(CallKind::MediaUpload, 400, 100, 1);
    app.deliver(voice_note("en_hours.ogg")).await;
    app.run_until_done().await;
    app.simulator.fail_next(CallKind::MediaUpload, 400, 100, 1);
    app.deliver(text_of("15550002222", Some("US.4242"), "writtenword")).await;
    app.run_until_done().await;
    app.get("/webhook?hub.mode=subscribe&hub.verify_token=wrongtoken").await;
    assert_eq!(app.sent().len(), 2);
    let log = app.log();

    let mut traces: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in parsed(&log) {
        let severity = line["severity"].as_str().expect("it has a severity");
        assert!(["DEBUG", "INFO", "WARNING", "ERROR"].contains(&severity), "{line:?}");
        let message = line["message"].as_str().expect("it has a message");
        assert!(!message.is_empty(), "{line:?}");
        let time = line["time"].as_str().expect("it has a time");
        assert!(time.len() > 20 && time.ends_with('Z') && time.contains('T'), "{line:?}");
        assert_eq!(line.contains_key(TRACE), line.contains_key("turn.id"), "{line:?}");
        assert_eq!(line.contains_key(TRACE), line.contains_key(LABELS), "{line:?}");
        if let (Some(Value::String(trace)), Some(Value::String(turn))) =
            (line.get(TRACE), line.get("turn.id"))
        {
            assert_eq!(*trace, format!("{turn:0>32}"));
            assert_eq!(line[LABELS]["turn"], *turn);
            assert!(message.starts_with("status ") || line[LABELS]["number"] == NUMBER, "{line:?}");
            traces.entry(trace.clone()).or_default().push(message.to_owned());
        }
    }
    let turns: Vec<String> = app.turns().await.into_iter().map(|row| row.turn.0).collect();
    assert_eq!(traces.len(), 2, "{traces:#?}");
    for turn in turns {
        let messages = &traces[&format!("{turn:0>32}")];
        let (warned, ended) = ("the reply goes out as text", "a turn ended");
        assert!(messages.iter().any(|message| message == warned), "{messages:?}");
        let told: Vec<_> = messages.iter().filter(|told| !told.starts_with("status ")).collect();
        assert_eq!(told.last().map(|told| told.as_str()), Some(ended), "{messages:?}");
    }

    says_nothing_personal(&log);
}

#[tokio::test]
async fn a_google_cloud_project_is_part_of_the_trace() {
    let app = TestApp::start()
        .in_a_process()
        .set("log.format", "json")
        .variable("GOOGLE_CLOUD_PROJECT", "my-project")
        .await;
    app.text(PERSON, "hello").await;
    app.run_until_done().await;
    assert_eq!(app.sent().len(), 1);
    let lines = parsed(&app.log());
    let ended = lines.iter().find(|line| line["message"] == "a turn ended").unwrap();
    let trace = ended[TRACE].as_str().unwrap();
    assert!(trace.starts_with("projects/my-project/traces/0000000000000000"), "{trace}");
}
