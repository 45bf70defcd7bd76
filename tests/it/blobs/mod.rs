//! The sound of turns: kept where the operator wants it, for as long as it may be, and given out.

mod cloud;

use std::path::{Path, PathBuf};

use hark::audio::{AudioLimits, decode};
use hark::remote::http_client;
use hark::simulator::CallKind;
use reqwest::{Method, StatusCode};
use serde_json::Value;
use tokio::process::Command;

use crate::harness::update::{fixture, voice_note};
use crate::harness::{NUMBER, PERSON, Setup, TestApp};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// A service that hears and speaks.
fn speaking() -> Setup {
    TestApp::start().hears("hello").answers("hi there")
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect();
    files.sort();
    files
}

/// Asks for the sound of a turn.
async fn audio(
    app: &TestApp,
    token: &str,
    turn: &str,
    side: &str,
    header: Option<(&str, &str)>,
) -> reqwest::Response {
    let url = app.address(&format!("/api/v1/turns/{turn}/audio/{side}"));
    let request = http_client().get(url).bearer_auth(token);
    let request =
        header.into_iter().fold(request, |request, (name, value)| request.header(name, value));
    request.send().await.unwrap()
}

fn named<'a>(answer: &'a reqwest::Response, name: &str) -> &'a str {
    answer.headers()[name].to_str().unwrap()
}

/// The words of a problem.
async fn problem(answer: reqwest::Response, status: u16) -> String {
    assert_eq!(answer.status(), status);
    assert_eq!(named(&answer, "content-type"), "application/problem+json");
    answer.json::<Value>().await.unwrap()["detail"].as_str().unwrap().to_owned()
}

/// Waits until so many files are kept: they are written when the turn is over.
async fn kept(app: &TestApp, count: usize) -> Vec<PathBuf> {
    let folder = app.folder().join("sound");
    let written = "SELECT count(*) FROM sounds WHERE written_ms IS NOT NULL";
    app.wait_until("sound is kept", async || {
        app.sql_number(written) == count && files(&folder).len() == count
    })
    .await;
    files(&folder)
}

async fn one_turn(app: &TestApp) -> String {
    app.turns().await.pop().unwrap().turn.0
}

#[tokio::test]
async fn notes_that_are_answered_together_are_kept_as_one_file() {
    let app = speaking().set("queue.burst_ms", "700").await;
    let operator = app.token("operator").await;
    let notes = ["en_yes.ogg", "en_hours.ogg"];
    for note in notes {
        app.deliver(voice_note(note)).await;
    }
    app.wait_until("both come", async || app.count(CallKind::MediaDownload) == 2).await;
    app.advance(700).await;
    app.run_until_idle().await;
    app.sent_one();
    kept(&app, 2).await;
    let whole = audio(&app, &operator, &one_turn(&app).await, "in", None).await;
    let whole = whole.bytes().await.unwrap();
    let length_ms = |file: &[u8]| decode(file, AudioLimits::default()).unwrap().duration_ms();
    let wanted: f64 = notes.map(|note| length_ms(&fixture(note))).iter().sum();
    let seam = length_ms(&whole) - wanted;
    assert!((0.0..100.0).contains(&seam), "a packet's padding and a pre-skip: {seam} ms");
    let file = app.folder().join("whole.ogg");
    std::fs::write(&file, whole).unwrap();
    let judged = Command::new("opusinfo").arg(&file).output().await.expect("opusinfo is there");
    let said = String::from_utf8(judged.stdout).unwrap();
    assert!(judged.status.success() && !said.contains("WARNING"), "{said}");
    assert!(!said.contains("SYNTHETIC"), "a person spoke: {said}");
}

#[tokio::test]
async fn both_sounds_of_a_turn_are_given_out_whole_and_in_ranges() {
    let app = speaking().await;
    let operator = app.token("operator").await;
    app.deliver(voice_note("en_hours.ogg")).await;
    app.run_until_idle().await;
    let note = app.note_of(&app.sent_one());
    let turn = one_turn(&app).await;
    for path in kept(&app, 2).await {
        let path = path.display().to_string();
        assert!(path.contains(&format!("{NUMBER}/")) && !path.contains(PERSON), "{path}");
    }
    for (side, expected) in [("in", fixture("en_hours.ogg")), ("out", note.to_vec())] {
        let whole = audio(&app, &operator, &turn, side, None).await;
        assert_eq!(whole.status(), 200, "{side}");
        assert_eq!(named(&whole, "content-type"), "audio/ogg");
        assert_eq!(named(&whole, "content-length"), expected.len().to_string());
        assert_eq!(named(&whole, "accept-ranges"), "bytes");
        assert_eq!(named(&whole, "cache-control"), "no-store");
        let tag = named(&whole, "etag").to_owned();
        assert!(whole.bytes().await.unwrap() == expected, "{side}: other bytes");

        let part = audio(&app, &operator, &turn, side, Some(("range", "bytes=4-9"))).await;
        assert_eq!(part.status(), 206);
        assert_eq!(named(&part, "content-range"), format!("bytes 4-9/{}", expected.len()));
        assert_eq!(part.bytes().await.unwrap(), expected[4..10]);
        let end = audio(&app, &operator, &turn, side, Some(("range", "bytes=-5"))).await;
        assert_eq!(end.bytes().await.unwrap(), expected[expected.len() - 5..]);
        let beyond = audio(&app, &operator, &turn, side, Some(("range", "bytes=99999999-"))).await;
        assert_eq!(named(&beyond, "content-range"), format!("bytes */{}", expected.len()));
        let said = problem(beyond, 416).await;
        assert!(said.contains(&expected.len().to_string()), "{said}");
        let same = audio(&app, &operator, &turn, side, Some(("if-none-match", &tag))).await;
        assert_eq!((same.status(), named(&same, "etag")), (StatusCode::NOT_MODIFIED, &*tag));
    }
    // Who may not see the turn does not hear it.
    assert_eq!(audio(&app, "hark_wrong", &turn, "in", None).await.status(), 401);
    problem(audio(&app, &operator, "0123456789abcdef", "in", None).await, 404).await;
    problem(audio(&app, &operator, &turn, "both", None).await, 404).await;
    let sounds = app.metrics().await;
    assert!(sounds.contains("hark_sounds_total{side=\"in\",result=\"kept\"}"), "{sounds}");

    let written = app.folder().join("written.ogg");
    let mut hark = Command::new(env!("CARGO_BIN_EXE_hark"));
    hark.arg("--config").arg(app.folder().join("hark.toml"));
    let ran =
        hark.args(["turns", "audio", &turn, "in", "-o"]).arg(&written).output().await.unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert!(std::fs::read(written).unwrap() == fixture("en_hours.ogg"));
}

#[tokio::test]
async fn sound_goes_when_its_time_is_over() {
    let app = speaking().set("blobs.retention_days", "7").await;
    let operator = app.token("operator").await;
    app.deliver(voice_note("en_hours.ogg")).await;
    app.run_until_idle().await;
    let turn = one_turn(&app).await;
    let old = kept(&app, 2).await;
    app.advance(7 * DAY_MS - 1).await;
    assert_eq!(audio(&app, &operator, &turn, "in", None).await.status(), 200);
    app.advance(DAY_MS).await;
    for side in ["in", "out"] {
        let said = problem(audio(&app, &operator, &turn, side, None).await, 404).await;
        assert!(said.contains("any more") && said.contains("7 days"), "{said}");
    }
    // The next sound that is kept has the sweep look again.
    app.text(PERSON, "hello again").await;
    app.run_until_idle().await;
    let left = kept(&app, 1).await;
    assert!(!old.contains(&left[0]), "{left:?}");
    let turns = app.turns().await;
    let text = problem(audio(&app, &operator, &turns[1].turn.0, "in", None).await, 404).await;
    assert!(text.contains("came in with this turn"), "{text}");
    assert_eq!(app.sent().len(), 2);
}

#[tokio::test]
async fn where_none_is_kept_nothing_is_written_and_what_was_kept_goes() {
    let mut app = speaking().await;
    let operator = app.token("operator").await;
    app.deliver(voice_note("en_hours.ogg")).await;
    app.run_until_idle().await;
    kept(&app, 2).await;
    assert!(app.reload_with("[blobs]\nretention_days = 0\n").await, "it waits for the next start");
    app.restart().await;
    kept(&app, 0).await;
    app.deliver(voice_note("en_hours.ogg")).await;
    app.run_until_idle().await;
    let turn = one_turn(&app).await;
    let said = problem(audio(&app, &operator, &turn, "out", None).await, 404).await;
    assert!(said.contains("retention_days is 0"), "{said}");
    // A stop writes what waits.
    app.restart().await;
    kept(&app, 0).await;
    assert_eq!(app.sent().len(), 2);
}

#[tokio::test]
async fn a_stop_keeps_the_sound_of_the_last_turns() {
    let mut app = speaking().await;
    app.deliver(voice_note("en_hours.ogg")).await;
    app.run_until_idle().await;
    app.restart().await;
    assert_eq!(files(&app.folder().join("sound")).len(), 2);
    assert_eq!(app.sent().len(), 1);
}

#[tokio::test]
async fn the_sound_of_who_is_forgotten_is_gone_with_them() {
    let app = speaking().await;
    let operator = app.token("operator").await;
    app.text("15550002222", "the other one").await;
    app.run_until_idle().await;
    let others = kept(&app, 1).await;
    app.deliver(voice_note("en_hours.ogg")).await;
    app.run_until_idle().await;
    assert_eq!(app.sent().len(), 2);
    kept(&app, 3).await;
    let contacts = app.api_get(&operator, "/contacts").send().await.expect(200);
    let contacts = contacts["items"].as_array().unwrap();
    let one = contacts.iter().find(|contact| contact["phone"] == PERSON).unwrap();
    let path = format!("/contacts/{}", one["id"].as_str().unwrap());
    app.api(&operator, Method::DELETE, &path).send().await.expect(204);
    assert_eq!(files(&app.folder().join("sound")), others);
    assert_eq!(kept(&app, 1).await, others);
}

#[tokio::test]
async fn people_are_answered_while_the_place_of_the_sound_is_away() {
    let app = speaking().in_a_process().await;
    // A file where the folder should be.
    let away = app.folder().join("sound");
    std::fs::write(&away, "no folder").unwrap();
    let lost = async |count: usize| {
        let line = format!("hark_sounds_total{{side=\"out\",result=\"lost\"}} {count}");
        app.wait_until("sound is lost", async || app.metrics().await.contains(&line)).await;
    };
    for count in [1, 2] {
        app.text(PERSON, "hello").await;
        app.run_until_done().await;
        lost(count).await;
    }
    assert_eq!(app.sent().len(), 2);
    assert_eq!(app.log().matches("sound cannot be kept or deleted").count(), 1, "said once");
    std::fs::remove_file(&away).unwrap();
    app.text(PERSON, "hello").await;
    app.run_until_done().await;
    app.wait_until("it is kept again", async || files(&away).len() == 1).await;
    app.wait_until("it is said", async || app.log().contains("sound can be kept again")).await;
    assert_eq!(app.sent().len(), 3);
}
