//! The log as a machine reads it: the real program with `[log] format = "json"`.

use std::collections::BTreeMap;

use hark::simulator::CallKind;
use serde_json::{Map, Value};

use crate::harness::update::{text_of, voice_note};
use crate::harness::{APP_SECRET, PERSON, TOKEN, TestApp, VERIFY_TOKEN};

const TRACE: &str = "logging.googleapis.com/trace";

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
        if let (Some(Value::String(trace)), Some(Value::String(turn))) =
            (line.get(TRACE), line.get("turn.id"))
        {
            assert_eq!(*trace, format!("{turn:0>32}"));
            traces.entry(trace.clone()).or_default().push(message.to_owned());
        }
    }
    let turns: Vec<String> = app.turns().await.into_iter().map(|row| row.turn.0).collect();
    assert_eq!(traces.len(), 2, "{traces:#?}");
    for turn in turns {
        let messages = &traces[&format!("{turn:0>32}")];
        let (warned, ended) = ("the reply goes out as text", "a turn ended");
        assert!(messages.iter().any(|message| message == warned), "{messages:?}");
        assert_eq!(messages.last().map(String::as_str), Some(ended), "{messages:?}");
    }

    let secrets = [TOKEN, APP_SECRET, VERIFY_TOKEN, "wrongtoken"];
    let personal = [PERSON, "15550002222", "US.4242", "heardword", "writtenword", "answerword"];
    for word in secrets.into_iter().chain(personal) {
        assert!(!log.contains(word), "{word} is in the log: {log}");
    }
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
