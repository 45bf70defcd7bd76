//! Notes heard through a server: what it is asked, what it may tell, and every fault.

use std::process::Command;
use std::time::Duration;

use bytes::Bytes;
use hark::audio::{AudioLimits, decode};
use hark::remote::http_client;
use hark::stt::openai::{OpenAiTranscriber, Settings};
use hark::stt::{LanguageHint, SttError, Transcriber as _, Utterance};
use hark::turn::{Outcome, TurnReport};
use tokio_util::sync::CancellationToken;

use crate::harness::update::{fixture, voice_note};
use crate::harness::{Setup, TestApp, words_of};
use crate::openai::ears::{Ears, Told, refusal, verbose};
use crate::openai::serve;

const HEARD: &str = "when do you open";
const KEY: &str = "k3y-of-the-test";

/// A service that hears through `ears`; paused between tries as little as can be.
async fn through(ears: &Ears) -> Setup {
    let url = serve(ears.router()).await;
    TestApp::start()
        .set("stt.engine", "openai")
        .set("stt.url", &url)
        .set("stt.model", "whisper-1")
        .set("stt.api_key", KEY)
        .answers("At nine.")
}

/// The report of one voice note and what was sent for it.
async fn heard(app: &TestApp) -> (TurnReport, Option<String>) {
    app.deliver(voice_note("en_hours.ogg")).await;
    app.run_until_idle().await;
    let sent = app.sent().pop().expect("something is sent");
    let turn = app.turns().await.pop().expect("a turn");
    (turn.report.expect("it is finished"), sent.text)
}

#[tokio::test]
async fn a_server_hears_a_note_and_is_told_what_is_known() {
    let ears = Ears::hearing(HEARD);
    let setup = through(&ears).await.set("agents.0.language", "en-GB");
    let app = setup.set("agents.0.vocabulary", "[\"Lumivelo X2\", \"Özdemir\"]").await;
    let (report, _) = heard(&app).await;
    let transcript = report.transcript.expect("it was heard");
    assert_eq!((transcript.text.reveal(), transcript.language.as_str()), (HEARD, "en-GB"));
    assert_eq!((report.outcome, report.reason), (Outcome::VoiceNote, None));
    assert_eq!(report.engines.stt, ["openai/whisper-1"]);
    assert_eq!(report.engines.tts, ["scripted"]);

    let [sound] = &ears.requests()[..] else { panic!("one utterance") };
    let fields: Vec<_> =
        sound.fields.iter().map(|(key, text)| (key.as_str(), text.as_str())).collect();
    let expected = [
        ("language", "en"),
        ("model", "whisper-1"),
        ("prompt", "Lumivelo X2, Özdemir."),
        ("response_format", "verbose_json"),
        ("temperature", "0"),
    ];
    assert_eq!(fields, expected);
    assert_eq!(sound.authorization.as_deref(), Some(&*format!("Bearer {KEY}")));
    assert_eq!(sound.named, ("utterance.wav".to_owned(), "audio/wav".to_owned()));
    assert_eq!(probed(&sound.file), "pcm_s16le,16000,1");

    let metrics = app.metrics().await;
    let line = "hark_engine_turns_total{role=\"stt\",engine=\"openai/whisper-1\"}";
    assert!(metrics.contains(line), "{metrics}");
}

/// What ffprobe says of a file: codec, rate, channels.
fn probed(file: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("utterance.wav");
    std::fs::write(&path, file).unwrap();
    let entries = "stream=codec_name,sample_rate,channels";
    let mut command = Command::new("ffprobe");
    command.args(["-loglevel", "error", "-show_entries", entries, "-of", "csv=p=0"]).arg(path);
    let output = command.output().unwrap_or_else(|e| panic!("ffprobe: {e}; run `make deps`"));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn what_a_server_does_not_take_is_left_out_from_then_on() {
    let refuses = &["verbose_json", "temperature", "prompt"];
    let ears = Ears::hearing("hola, ¿cuándo abren?").refusing(refuses);
    let app = through(&ears).await.set("agents.0.vocabulary", "[\"Klarvo\"]").await;
    for asked in [4, 5] {
        let (report, _) = heard(&app).await;
        assert_eq!(report.transcript.expect("it was heard").language, "es");
        assert_eq!(ears.requests().len(), asked);
        let fields = ears.requests().pop().expect("a request").fields;
        let left: Vec<_> = fields.iter().map(|(key, text)| (key.as_str(), text.as_str())).collect();
        assert_eq!(left, [("model", "whisper-1"), ("response_format", "json")]);
    }
}

#[tokio::test]
async fn what_a_server_doubts_is_asked_back() {
    for (told, expected) in [
        (verbose("a table", "english", -1.3, 0.1), Some("confirm: low_probability")),
        (verbose("a table", "english", -1.3, 0.9), Some("repeat: no_speech")),
        (verbose("ein Tisch", "german", -0.2, 0.1), Some("repeat: other_language")),
        (verbose("a table", "english", -0.2, 0.1), None),
    ] {
        let ears = Ears::hearing(HEARD);
        ears.tells([Told::Json(told)]);
        let app = through(&ears).await.set("agents.0.languages", "[\"en\", \"es\"]").await;
        let (report, _) = heard(&app).await;
        assert_eq!(words_of(report.reason).as_deref(), expected);
    }
}

#[tokio::test]
async fn words_that_are_only_said_back_are_heard_again_without() {
    let ears = Ears::hearing(HEARD);
    ears.tells([Told::Words("Klarvo, Hark, Lumivelo.".to_owned())]);
    let words = "[\"Klarvo\", \"Hark\", \"Lumivelo\"]";
    let app = through(&ears).await.set("agents.0.vocabulary", words).await;
    let (report, _) = heard(&app).await;
    assert_eq!(report.transcript.expect("it was heard").text, HEARD);
    let asked = ears.requests();
    assert!(asked[0].fields.contains_key("prompt") && !asked[1].fields.contains_key("prompt"));
}

fn status(status: u16, after: Option<u32>) -> Told {
    Told::Status(status, after, refusal("no"))
}

/// Checks how often a server that tells this is asked in the first attempt at a turn, and whether the
/// note is heard in it.
async fn check_fault(told: &[Told], hears: bool, asked: usize) {
    let ears = Ears::hearing(HEARD);
    ears.tells(told.iter().cloned());
    let app = through(&ears).await.set("stt.timeout_ms", "2500").await;
    app.deliver(voice_note("en_hours.ogg")).await;
    app.run_until_idle().await;
    assert_eq!(ears.requests().len(), asked, "{told:?}");
    let answered = app.turns().await[0].report.as_ref().map(|report| report.outcome);
    assert_eq!(answered == Some(Outcome::VoiceNote), hears, "{told:?}: {answered:?}");
    // What was not heard is heard in a later attempt, or was given up.
    while app.turns().await[0].report.is_none() {
        app.advance(60_000).await;
        app.run_until_idle().await;
    }
    app.sent();
}

#[tokio::test]
async fn what_the_operator_has_to_mend_is_asked_once() {
    for fault in [status(401, None), status(403, None), status(404, None), status(400, None)] {
        check_fault(&[fault], false, 1).await;
    }
    for body in ["<!doctype html><title>Log in</title>", "{\"error\":\"x\"}", "hello", ""] {
        check_fault(&[Told::Body(Bytes::from_static(body.as_bytes()))], false, 1).await;
    }
    check_fault(&[Told::Endless], false, 1).await;
}

#[tokio::test]
async fn what_may_pass_is_asked_again() {
    check_fault(&[status(429, Some(1))], true, 2).await;
    check_fault(&[status(503, None), status(500, None)], true, 3).await;
    check_fault(&[status(500, None), status(502, None), status(408, None)], false, 3).await;
    // Who asks for a long rest is not waited for.
    check_fault(&[status(429, Some(60))], false, 1).await;
    check_fault(&[Told::Never], false, 1).await;
}

#[tokio::test]
async fn neither_words_nor_key_are_logged() {
    let ears = Ears::hearing(HEARD);
    let echo = refusal(&format!("key {KEY} may not hear Lumivelo, Özdemir, Klarvo"));
    ears.tells([Told::Status(401, None, echo)]);
    let setup = through(&ears).await.set("log.level", "trace");
    let app = setup.set("agents.0.vocabulary", "[\"Lumivelo\", \"Özdemir\", \"Klarvo\"]");
    let app = app.in_a_process().await;
    app.deliver(voice_note("en_hours.ogg")).await;
    app.run_until_done().await;
    app.sent();
    let log = app.log();
    assert!(log.contains("the transcription server refuses the key"), "{log}");
    for secret in [KEY, "Lumivelo", "Özdemir", HEARD] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}

#[tokio::test]
async fn nobody_waiting_ends_the_request() {
    let ears = Ears::hearing(HEARD);
    ears.tells([Told::Never, Told::Never]);
    let settings = Settings {
        url: Some(serve(ears.router()).await.parse().unwrap()),
        model: "whisper-1".to_owned(),
        api_key: None,
        connect_timeout_ms: 3_000,
        timeout_ms: 60_000,
        retries: 2,
    };
    let transcriber = OpenAiTranscriber::new(settings, http_client()).unwrap();
    let speech = decode(&fixture("en_hours.ogg"), AudioLimits::default()).unwrap();
    let utterance = || Utterance::alone(speech.clone(), LanguageHint::ANY);
    let reached = async |active: usize| {
        let reached = async {
            while ears.active() != active {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), reached).await.expect("it is reached");
    };
    let cancel = CancellationToken::new();
    let cancelling = async {
        reached(1).await;
        cancel.cancel();
    };
    let (heard, ()) = tokio::join!(transcriber.transcribe(utterance(), &cancel), cancelling);
    assert!(matches!(heard, Err(SttError::Cancelled)), "{heard:?}");
    reached(0).await;

    let never = CancellationToken::new();
    tokio::select! {
        _ = transcriber.transcribe(utterance(), &never) => panic!("it never ends"),
        () = reached(1) => {}
    }
    reached(0).await;
}
