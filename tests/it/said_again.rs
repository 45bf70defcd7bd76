//! Fixed sentences are made once: before anybody asks, over a restart, and from a damaged folder.

use std::path::{Path, PathBuf};

use hark::audio::inspect_note;
use hark::simulator::ConversationMessage;

use crate::harness::{PERSON, Setup, TestApp};
use crate::openai::speech::Speech;

const QUESTION: &str = "When do you open?";
const ANSWER: &str = "We open at nine in the morning. On Sunday we are closed.";
const SENTENCES: [&str; 2] = ["We open at nine in the morning.", "On Sunday we are closed."];

/// A shop that answers from a file, speaks through a server and keeps what it says in `folder`.
fn shop(speech: &Speech, folder: &Path) -> Setup {
    let faq = folder.join("faq.csv");
    std::fs::write(&faq, format!("question,answer\n{QUESTION},{ANSWER}\n")).unwrap();
    TestApp::start()
        .set("llm.engine", "faq")
        .set("tts.engine", "openai")
        .set("tts.url", &speech.url)
        .set("tts.model", "tts-1")
        .set("agents.0.language", "en")
        .set("agents.0.knowledge.0", faq.to_str().unwrap())
        .set("cache.megabytes", "1")
        .set("cache.folder", folder.join("spoken").to_str().unwrap())
}

/// How often the server was asked for one of the answer's sentences.
fn asked(speech: &Speech) -> usize {
    let texts = speech.requests();
    let texts = texts.iter().filter_map(|request| request.json["input"].as_str());
    texts.filter(|text| SENTENCES.contains(text)).count()
}

fn kept(folder: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder.join("spoken")).unwrap();
    let files = files.map(|file| file.unwrap().path());
    files.filter(|file| file.extension().is_some_and(|ending| ending == "sound")).collect()
}

/// What an agent says in English that is the service's own: another number if they change.
const OWN: usize = 12;

/// Waits until these sentences are kept: a pause on a busy machine does not mean that all are made.
async fn all_made(app: &TestApp, folder: &Path, sentences: usize) {
    app.wait_until("all is made", async || kept(folder).len() == sentences).await;
}

async fn ask(app: &TestApp) -> ConversationMessage {
    app.text(PERSON, QUESTION).await;
    app.run_until_idle().await;
    app.sent().pop().unwrap()
}

/// Checks that a note is the answer, and plays.
#[track_caller]
fn check(app: &TestApp, message: &ConversationMessage) -> f64 {
    let head = inspect_note(&app.note_of(message)).unwrap();
    assert!((3_000.0..5_000.0).contains(&head.duration_ms), "{head:?}");
    assert_eq!((head.channels, head.ends, head.comments.len()), (1, true, 2));
    head.duration_ms
}

#[tokio::test]
async fn an_answer_on_file_is_made_once_for_everybody_and_over_a_restart() {
    let (speech, folder) = (Speech::start().await, tempfile::tempdir().unwrap());
    let mut app = shop(&speech, folder.path()).await;
    let first = check(&app, &ask(&app).await);
    all_made(&app, folder.path(), OWN + SENTENCES.len()).await;
    // Each of the answer's sentences may have been begun in advance when the person came.
    assert!((2..=4).contains(&asked(&speech)), "{}", asked(&speech));
    let before = speech.requests().len();
    let second = check(&app, &ask(&app).await);
    let spent = app.turns().await.pop().unwrap().report.unwrap().spent;
    assert_eq!(spent.spoken_chars, 0, "its sound was at hand, and costs nothing");
    assert!((first - second).abs() < 60.0, "{first} {second}");
    app.restart().await;
    check(&app, &ask(&app).await);
    assert_eq!(speech.requests().len(), before, "nothing is made again");
    let metrics = app.metrics().await;
    let counts = |line: &str| metrics.lines().any(|has| has.starts_with(line));
    assert!(counts("hark_cache_sentences_total{result=\"hit\"}"), "{metrics}");
    assert!(counts("hark_cache_sentences_total{result=\"miss\"}"), "{metrics}");
    assert!(counts("hark_cache_bytes ") && counts("hark_cache_entries "), "{metrics}");
    assert!(counts("hark_cache_evictions_total "), "{metrics}");
}

#[tokio::test]
async fn what_was_made_in_advance_needs_no_server_when_it_is_asked_for() {
    let (speech, folder) = (Speech::start().await, tempfile::tempdir().unwrap());
    let app = shop(&speech, folder.path()).set("disclosure.enabled", "true").await;
    all_made(&app, folder.path(), OWN + SENTENCES.len()).await;
    let before = speech.requests().len();
    app.text(PERSON, QUESTION).await;
    app.run_until_idle().await;
    let sent = app.sent_one();
    assert_eq!(sent.kind, "audio");
    let report = app.report().await;
    assert!(report.disclosure.is_some() && report.audio.unwrap().duration_ms > 6_000.0);
    assert_eq!(speech.requests().len(), before, "the disclosure was made, too");
    app.text(PERSON, "Who won the world cup?").await;
    app.run_until_idle().await;
    assert_eq!(app.sent().len(), 2);
    assert_eq!(speech.requests().len(), before, "and that it does not know");
}

#[tokio::test]
async fn what_a_language_model_says_to_somebody_is_never_kept() {
    let (speech, folder) = (Speech::start().await, tempfile::tempdir().unwrap());
    let own = "Dear Ann, your order of three lamps has been sent to Harbour Street.";
    let app = shop(&speech, folder.path()).set("llm.engine", "scripted").answers(own).await;
    all_made(&app, folder.path(), OWN).await;
    for _ in 0..2 {
        app.text(PERSON, "Where is my order?").await;
        app.run_until_idle().await;
    }
    assert_eq!((app.sent().len(), kept(folder.path()).len()), (2, OWN));
    let inputs: Vec<_> =
        speech.requests().iter().map(|request| request.json["input"].clone()).collect();
    assert_eq!(inputs.iter().filter(|input| **input == own).count(), 2, "{inputs:?}");
    assert_eq!(asked(&speech), 0, "answers on file are not this agent's to say");
}

#[tokio::test]
async fn a_folder_that_is_damaged_or_refuses_costs_no_answer() {
    let (speech, folder) = (Speech::start().await, tempfile::tempdir().unwrap());
    let mut app = shop(&speech, folder.path()).await;
    check(&app, &ask(&app).await);
    all_made(&app, folder.path(), OWN + SENTENCES.len()).await;
    for (at, file) in kept(folder.path()).into_iter().enumerate() {
        let mut bytes = std::fs::read(&file).unwrap();
        if at % 2 == 0 {
            bytes.truncate(200);
        } else {
            let last = bytes.len() - 1;
            bytes[last] ^= 1;
        }
        std::fs::write(&file, bytes).unwrap();
    }
    app.restart().await;
    check(&app, &ask(&app).await);
    all_made(&app, folder.path(), OWN + SENTENCES.len()).await;
    std::fs::remove_dir_all(folder.path().join("spoken")).unwrap();
    std::fs::write(folder.path().join("spoken"), "a file").unwrap();
    check(&app, &ask(&app).await);
    app.restart().await;
    check(&app, &ask(&app).await);
}

#[tokio::test]
async fn nothing_is_kept_where_that_is_switched_off() {
    let (speech, folder) = (Speech::start().await, tempfile::tempdir().unwrap());
    let app = shop(&speech, folder.path()).set("cache.megabytes", "0").await;
    for _ in 0..2 {
        check(&app, &ask(&app).await);
    }
    assert_eq!(asked(&speech), 4);
    assert!(!folder.path().join("spoken").exists());
}
