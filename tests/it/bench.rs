//! `hark bench`: the real program measures the real program.

use serde_json::Value;

use crate::program::{Hark, SCRIPTED};

const NOTE: &[u8] = include_bytes!("../../audio-fixtures/en_yes.ogg");
const STAGES: [&str; 9] =
    ["download", "decode", "vad", "stt", "llm", "tts", "encode", "upload", "send"];

/// Answers at once, in a note.
fn quick() -> Hark {
    let engines = "[llm]\nengine = \"scripted\"\n[tts]\nengine = \"scripted\"\n";
    Hark::new().file("hark.toml", format!("{SCRIPTED}{engines}"))
}

fn read(hark: &Hark, name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(hark.path(name)).unwrap()).unwrap()
}

#[tokio::test]
async fn a_bench_measures_every_stage_of_every_turn() {
    let hark = quick();
    let typed = ["bench", "--turns", "12", "--warm-up", "2", "--concurrency", "1..4"];
    let ran = hark.run(&[&typed[..], &["--json", "b.json"]].concat()).await;
    assert_eq!(ran.code, 0, "{}{}", ran.text(), ran.stderr);
    let report = read(&hark, "b.json");
    assert_eq!((&report["schema"], &report["problems"]), (&1.into(), &Value::Array(Vec::new())));
    let turns = report["turns"].as_array().unwrap();
    assert_eq!(turns.len(), 36, "three steps of twelve");
    for turn in turns {
        let outcome = (&turn["outcome"], &turn["error"]);
        assert_eq!(outcome, (&"voice_note".into(), &Value::Null), "{turn}");
        // The end of a turn is known a moment after WhatsApp has its note.
        let stages = turn["stages"].as_array().unwrap();
        let send = stages.iter().rfind(|stage| stage["name"] == "send").unwrap();
        let sent = send["start_ms"].as_f64();
        assert!(turn["answer_ms"].as_f64() >= sent, "a person waits for the webhook, too: {turn}");
    }
    let mut names = STAGES.to_vec();
    names.extend(["note", "overhead", "total", "answer", "webhook", "queue"]);
    for name in names {
        let spread = &report["summary"][name];
        let part = |key| spread[key].as_f64().expect(name);
        let rising = ["p50", "p90", "p95", "p99", "max"].map(part).is_sorted();
        assert!(rising && part("p50") >= 0.0, "{name}: {spread}");
        assert!(ran.text().contains(name), "{name} is not in the table");
    }
    let steps = report["steps"].as_array().unwrap();
    let people: Vec<_> = steps.iter().map(|step| step["concurrency"].as_u64().unwrap()).collect();
    assert_eq!(people, [1, 2, 4]);
    if cfg!(target_os = "linux") {
        assert!(steps[0]["cpu"]["own_ms"].as_f64().unwrap() > 0.0, "{}", steps[0]);
        assert!(steps[0]["memory"]["peak_mib"].as_f64().unwrap() > 1.0, "{}", steps[0]);
    }
    assert_eq!(report["words"]["wer"].as_f64(), Some(0.0), "the scripted ears know the words");
    assert!(ran.text().contains("word error rate 0.00 %"));
}

#[tokio::test]
async fn notes_come_at_a_rate_and_a_folder_of_ones_own_is_sent() {
    let hark =
        quick().file("notes/a.ogg", NOTE).file("notes/a.txt", "No.").file("notes/b.wav", "?");
    let typed =
        ["bench", "--fixtures", "notes", "--turns", "5", "--rate", "20", "--json", "b.json"];
    let ran = hark.run(&typed).await;
    assert_eq!(ran.code, 1, "{}{}", ran.text(), ran.stderr);
    let report = read(&hark, "b.json");
    let turns = report["turns"].as_array().unwrap();
    assert!(turns.len() == 5 && turns.iter().all(|turn| turn["fixture"] == "a.ogg"), "{report}");
    let problems = report["problems"].as_array().unwrap();
    assert!(problems.len() == 1 && problems[0].as_str().unwrap().starts_with("b.wav: "));
    let due = turns.iter().map(|turn| turn["due_ms"].as_f64().unwrap().round());
    let mut due: Vec<f64> = due.collect();
    due.sort_by(f64::total_cmp);
    assert_eq!(due, [0.0, 50.0, 100.0, 150.0, 200.0]);
}

#[tokio::test]
async fn an_answer_that_is_no_note_is_counted_and_said() {
    let hark = quick().file("notes/silence.wav", silence());
    let typed = ["bench", "--fixtures", "notes", "--turns", "2", "--warm-up", "1"];
    let ran = hark.run(&[&typed[..], &["--json", "b.json"]].concat()).await;
    assert_eq!(ran.code, 1, "{}{}", ran.text(), ran.stderr);
    assert!(ran.text().contains("2 turns, 2 errors"), "{}", ran.text());
    let error = &read(&hark, "b.json")["turns"][0]["error"];
    assert!(error.as_str().unwrap().starts_with("answered by text"), "{error}");
}

/// A second of nothing, 16 kHz.
fn silence() -> Vec<u8> {
    let head: &[u8] = b"RIFF\x24\x7d\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data\0\x7d\0\0";
    [head, &vec![0; 32_000]].concat()
}

#[tokio::test]
async fn an_interrupted_bench_prints_what_there_is() {
    let hark = quick();
    let typed = ["bench", "--turns", "100000", "--warm-up", "1", "--json", "b.json"];
    let running = hark.spawn(&typed);
    running.said_one_of(&[" of 100001 notes"]).await;
    let said = running.interrupt().await;
    assert!(said.contains("problem: interrupted") && said.contains("overhead"), "{said}");
    let report = read(&hark, "b.json");
    assert!(report["turns"].as_array().unwrap().len() < 100_000);
}

#[tokio::test]
async fn a_service_that_is_not_there_is_named() {
    let hark = quick();
    let typed = ["bench", "serve", "http://127.0.0.1:9/webhook", "--app-secret", "s"];
    let rest = ["--phone-number-id", "1", "--listen", "127.0.0.1:0", "--json", "b.json"];
    let ran = hark.run(&[&typed[..], &rest].concat()).await;
    assert_eq!(ran.code, 1, "{}{}", ran.text(), ran.stderr);
    assert!(ran.text().contains("problem: the service went away"), "{}", ran.text());
    let report = read(&hark, "b.json");
    assert!(!report["command"].as_str().unwrap().contains("--app-secret s"), "{report}");
}

#[tokio::test]
async fn a_bench_is_kept_as_a_page_and_compared_with_an_earlier_one() {
    let hark = quick().file("new.json", r#"{ "schema": 7 }"#);
    let typed = ["bench", "--turns", "4", "--warm-up", "1"];
    let ran = hark.run(&[&typed[..], &["--json", "a.json", "--report", "a.html"]].concat()).await;
    assert_eq!(ran.code, 0, "{}{}", ran.text(), ran.stderr);
    let page = std::fs::read_to_string(hark.path("a.html")).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("overhead"), "{page}");
    for elsewhere in ["http://", "https://", "<script"] {
        assert!(!page.contains(elsewhere), "{elsewhere} is in the page");
    }

    let compared = hark.run(&[&typed[..], &["--compare", "a.json"]].concat()).await;
    assert!(compared.text().contains("verdict"), "{}{}", compared.text(), compared.stderr);
    // Four turns say nothing.
    assert_eq!(compared.code, 0, "{}", compared.text());

    let ran = hark.run(&[&typed[..], &["--compare", "new.json"]].concat()).await;
    assert_eq!((ran.code, ran.text()), (1, ""), "nothing was measured");
    assert!(ran.stderr.contains("new.json (--compare): schema 7: this hark reads 1"));
}
