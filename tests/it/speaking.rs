//! Answers spoken through a server: every format, every fault, and whole notes in order.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use hark::audio::inspect_note;
use hark::remote::http_client;
use hark::threads::Threads;
use hark::tts::openai::{OpenAiSynthesizer, Settings, SpeechFormat};
use hark::tts::{Sentence, Synthesizer as _, TtsError};
use hark::turn::Outcome;
use serde_json::json;

use crate::harness::{PERSON, Setup, TestApp, words_of};
use crate::openai::speech::{Answer, Request, Speech, converted, pitch_hz, pitches, seconds};
use crate::program::Hark;

/// Three sentences of three pitches.
const TEXT: &str = "Early birds catch all the worms. Anna sings a song for us. Clouds come and go.";
const SENTENCES: [&str; 3] =
    ["Early birds catch all the worms.", "Anna sings a song for us.", "Clouds come and go."];
const ONE: &str = "Dolphins swim around the boat.";

/// A service that speaks through `speech`.
fn through(speech: &Speech, text: &str) -> Setup {
    TestApp::start()
        .answers(text)
        .set("tts.engine", "openai")
        .set("tts.url", &speech.url)
        .set("tts.model", "tts-1")
        .set("tts.api_key", "sk-secret")
}

/// Asks for an answer; returns the note that came.
async fn note(app: &TestApp) -> Bytes {
    app.text(PERSON, "hello").await;
    app.run_until_idle().await;
    let sent = app.sent_one();
    assert_eq!(sent.kind, "audio", "{sent:?}");
    app.note_of(&sent)
}

/// Checks that a note has these sentences in this order, and its length.
#[track_caller]
fn check_note(note: &[u8], sentences: &[&str]) {
    assert_eq!(pitches(note), sentences.iter().map(|text| pitch_hz(text)).collect::<Vec<_>>());
    let expected_ms: f64 = sentences.iter().map(|text| seconds(text) * 1000.0).sum();
    let head = inspect_note(note).unwrap();
    // A join of Opus adds up to 27 ms of silence, and MP3 and AAC have some around them.
    assert!((head.duration_ms - expected_ms).abs() < 100.0, "{head:?}, not {expected_ms}");
    assert_eq!((head.channels, head.ends), (1, true));
}

#[tokio::test]
async fn every_format_becomes_a_whole_note_in_order() {
    for format in ["pcm", "wav", "opus"] {
        let speech = Speech::start_paced(0.05).await;
        let app = through(&speech, TEXT).set("tts.format", format).await;
        let note = note(&app).await;
        check_note(&note, &SENTENCES);
        let mut requests = speech.requests();
        requests.sort_by_key(|request| request.json["input"].to_string());
        let expected = [SENTENCES[1], SENTENCES[2], SENTENCES[0]].map(|input| {
            json!({ "model": "tts-1", "input": input, "voice": "alloy", "response_format": format })
        });
        assert!(requests.iter().map(|request| &request.json).eq(&expected), "{requests:?}");
        for Request { authorization, .. } in requests {
            assert_eq!(authorization.as_deref(), Some("Bearer sk-secret"));
        }
        let report = app.report().await;
        assert_eq!((report.outcome, &report.reason), (Outcome::VoiceNote, &None));
    }
}

#[tokio::test]
async fn voice_and_speed_are_the_agents() {
    let speech = Speech::start().await;
    let app = through(&speech, ONE)
        .set("agents.0.tts.speed", "1.25")
        .set("agents.0.tts.voice", "nova")
        .set("tts.url", &format!("{}/audio/speech/", speech.url))
        .await;
    check_note(&note(&app).await, &[ONE]);
    let sent = &speech.requests()[0].json;
    assert_eq!((&sent["speed"], &sent["voice"]), (&json!(1.25), &json!("nova")));

    let app = through(&speech, ONE).set("agents.0.voice.en", "shimmer").await;
    check_note(&note(&app).await, &[ONE]);
    assert_eq!(speech.requests()[1].json["voice"], "shimmer");
}

#[tokio::test]
async fn opus_is_sent_on_packet_by_packet() {
    for (text, sentences) in [(ONE, &[ONE][..]), (TEXT, &SENTENCES)] {
        let speech = Speech::start().await;
        // Another encoder than ours, in packets of 60 ms, among those of 20 ms.
        let other =
            converted(sentences[0], "-c:a libopus -ac 1 -b:a 32k -frame_duration 60 -f ogg");
        speech.answers([Answer::Body(other)]);
        let app = through(&speech, text).set("tts.format", "opus").set("tts.parallel", "1").await;
        let note = note(&app).await;
        check_note(&note, sentences);
        let of_server: Vec<_> = speech.bodies().iter().flat_map(|file| packets(file)).collect();
        assert_eq!(packets(&note), of_server);
        check_with_other_players(&note);
    }
}

/// The packets of an Ogg file, read by a crate that hark does not read them with.
fn packets(file: &[u8]) -> Vec<Vec<u8>> {
    let mut reader = ogg::PacketReader::new(std::io::Cursor::new(file));
    let packets = std::iter::from_fn(|| reader.read_packet().unwrap());
    packets.skip(2).map(|packet| packet.data).collect()
}

/// opusinfo and ffprobe find nothing wrong with a note.
fn check_with_other_players(note: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("note.ogg");
    std::fs::write(&file, note).unwrap();
    let said = output("opusinfo", &[], &file);
    assert!(said.contains("Channels: 1") && !said.to_lowercase().contains("warning"), "{said}");
    let asked = ["-v", "error", "-of", "csv=p=0", "-show_entries", "format=duration"];
    let seconds: f64 = output("ffprobe", &asked, &file).trim().parse().unwrap();
    let head = inspect_note(note).unwrap();
    // ffprobe counts the pre-skip.
    let expected = head.duration_ms / 1000.0 + f64::from(head.pre_skip) / 48_000.0;
    assert!((seconds - expected).abs() < 0.01, "{seconds} {head:?}");
}

/// Runs a program on a file and returns what it says; it must be installed.
fn output(program: &str, arguments: &[&str], file: &Path) -> String {
    let output = Command::new(program).args(arguments).arg(file).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}; run `make deps`"));
    assert!(output.status.success(), "{program}: {output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[tokio::test]
async fn sentences_are_asked_for_side_by_side_and_heard_in_order() {
    for (parallel, at_once) in [("1", 1), ("2", 2), ("3", 3)] {
        let speech = Speech::start().await;
        // The first is the last to be done.
        speech.answers([600, 300, 100].map(Answer::Late));
        let app = through(&speech, TEXT).set("tts.parallel", parallel).await;
        check_note(&note(&app).await, &SENTENCES);
        assert_eq!(speech.active().1, at_once);
    }
}

#[tokio::test]
async fn a_body_is_what_its_bytes_say() {
    for (arguments, format) in [
        ("-c:a libmp3lame -b:a 64k -write_xing 0 -id3v2_version 0 -f mp3", "pcm"),
        ("-c:a libmp3lame -ar 24000 -f mp3", "opus"),
        ("-c:a aac -f adts", "pcm"),
        ("-c:a flac -f flac", "wav"),
        ("-c:a pcm_s24le -ac 2 -ar 44100 -f wav", "pcm"),
        ("-c:a pcm_f32le -ar 16000 -f wav", "opus"),
        ("-c:a libopus -ac 1 -f ogg", "pcm"),
        ("-c:a libopus -ac 2 -f ogg", "opus"),
        ("-c:a libvorbis -f ogg", "opus"),
    ] {
        let speech = Speech::start().await;
        speech.answers([Answer::Body(converted(ONE, arguments))]);
        let app = through(&speech, ONE).set("tts.format", format).await;
        check_note(&note(&app).await, &[ONE]);
        assert_eq!(speech.requests().len(), 1, "{arguments}");
    }
}

#[tokio::test]
async fn bytes_may_come_in_any_pieces() {
    for format in ["pcm", "wav", "opus"] {
        for bytes in [1, 7, 1 << 20] {
            let speech = Speech::start().await;
            speech.answers([Answer::Pieces(bytes)]);
            let app = through(&speech, "Gone.").set("tts.format", format).await;
            check_note(&note(&app).await, &["Gone."]);
        }
    }
}

#[tokio::test]
async fn rates_may_change_from_sentence_to_sentence() {
    let speech = Speech::start().await;
    speech.answers([16_000, 44_100, 8_000].map(Answer::Rate));
    let app = through(&speech, TEXT).set("tts.format", "wav").set("tts.parallel", "1").await;
    check_note(&note(&app).await, &SENTENCES);
}

#[tokio::test]
async fn opus_that_is_too_large_to_pass_is_encoded_anew() {
    let speech = Speech::start().await;
    let text = "Frogs ".repeat(30) + "leap.";
    let large = converted(&text, "-c:a libopus -ac 1 -b:a 256k -vbr off -f ogg");
    assert!(large.len() > 300_000, "{}", large.len());
    speech.answers([Answer::Body(large)]);
    let app = through(&speech, &text).set("tts.format", "opus").await;
    let note = note(&app).await;
    check_note(&note, &[&text]);
    assert!(note.len() < 60_000, "{}", note.len());
}

/// Checks what becomes of an answer after these, and how often the server was asked.
async fn check_fault(format: &str, answers: &[Answer], spoken: bool, asked: usize) {
    let speech = Speech::start().await;
    speech.answers(answers.iter().cloned());
    let mut setup = through(&speech, ONE).set("tts.format", format).set("tts.retries", "2");
    if answers.iter().any(|answer| matches!(answer, Answer::Never | Answer::Stall(_))) {
        setup = setup.set("tts.first_audio_timeout_ms", "1000");
    }
    let app = setup.await;
    app.text(PERSON, "hello").await;
    app.run_until_idle().await;
    let sent = app.sent_one();
    let report = app.report().await;
    if spoken {
        check_note(&app.note_of(&sent), &[ONE]);
        assert_eq!((report.outcome, report.reason), (Outcome::VoiceNote, None), "{answers:?}");
    } else {
        assert_eq!(sent.text.as_deref(), Some(ONE), "{answers:?}");
        let why = words_of(report.reason);
        assert_eq!(
            (report.outcome, why.as_deref()),
            (Outcome::Text, Some("tts_failed")),
            "{answers:?}"
        );
    }
    assert_eq!(speech.requests().len(), asked, "{answers:?}");
}

fn status(status: u16, after: Option<u32>) -> Answer {
    Answer::Status(status, after, r#"{"error":{"message":"no"}}"#.to_owned())
}

fn body(body: &'static str) -> Answer {
    Answer::Body(Bytes::from_static(body.as_bytes()))
}

#[tokio::test]
async fn what_the_operator_has_to_mend_is_asked_once_and_answered_as_text() {
    for fault in [status(401, None), status(403, None), status(404, None), status(400, None)] {
        check_fault("pcm", &[fault], false, 1).await;
    }
    for page in ["<!doctype html><html>Log in</html>", "\n {\"error\": \"no credit\"}", "nonsense"]
    {
        for format in ["pcm", "opus"] {
            check_fault(format, &[body(page)], false, 1).await;
        }
    }
}

#[tokio::test]
async fn what_may_pass_is_asked_again() {
    check_fault("pcm", &[status(429, Some(1))], true, 2).await;
    check_fault("wav", &[status(503, None), status(500, None)], true, 3).await;
    check_fault("opus", &[status(500, None), status(502, None), status(408, None)], false, 3).await;
    // Who asks for a long rest is not waited for.
    check_fault("pcm", &[status(429, Some(60))], false, 1).await;
}

#[tokio::test]
async fn a_server_that_falls_silent_is_asked_again_until_something_was_heard() {
    check_fault("pcm", &[Answer::Never], true, 2).await;
    check_fault("pcm", &[Answer::Never, Answer::Never, Answer::Never], false, 3).await;
    check_fault("pcm", &[Answer::Stall(20)], true, 2).await;
    check_fault("pcm", &[Answer::Stall(30_000)], false, 1).await;
    check_fault("pcm", &[Answer::Break(1_000)], true, 2).await;
    check_fault("wav", &[Answer::Break(30_000)], false, 1).await;
    // Nothing of a file is heard before it is whole.
    check_fault("opus", &[Answer::Stall(2_000)], true, 2).await;
    check_fault("opus", &[Answer::Break(2_000)], true, 2).await;
}

#[tokio::test]
async fn empty_sound_is_asked_for_once_more() {
    check_fault("pcm", &[body("")], true, 2).await;
    check_fault("pcm", &[body(""), body("")], false, 2).await;
    check_fault("wav", &[Answer::Body(bare_header()), body("")], false, 2).await;
    check_fault("opus", &[body(""), body("")], false, 2).await;
}

/// A WAV file without a sample.
fn bare_header() -> Bytes {
    crate::openai::speech::sound(ONE, "wav", 24_000).slice(..44)
}

#[tokio::test]
async fn a_server_that_is_not_there_leaves_the_text() {
    let mut nobody = Speech::start().await;
    nobody.url = "http://127.0.0.1:1/v1".to_owned();
    let app = through(&nobody, ONE).await;
    app.text(PERSON, "hello").await;
    app.run_until_idle().await;
    assert_eq!(app.sent_texts(), [ONE]);
}

#[tokio::test]
async fn one_failed_sentence_makes_the_whole_reply_a_text() {
    let speech = Speech::start().await;
    speech.answers([Answer::Fine, status(400, None), Answer::Late(60_000)]);
    let app = through(&speech, TEXT).await;
    app.text(PERSON, "hello").await;
    app.run_until_idle().await;
    assert_eq!(app.sent_texts(), [TEXT]);
    app.wait_until("the third is given up", async || speech.active().0 == 0).await;
}

#[tokio::test]
async fn neither_text_nor_key_is_logged() {
    let speech = Speech::start().await;
    let echo = format!(r#"{{"error":{{"message":"key sk-secret: cannot say {ONE}"}}}}"#);
    speech.answers([Answer::Status(401, None, echo)]);
    let app = through(&speech, ONE).set("log.level", "trace").in_a_process().await;
    app.text(PERSON, "hello").await;
    app.run_until_idle().await;
    assert_eq!(app.sent_texts(), [ONE]);
    let log = app.log();
    assert!(log.contains("the speech server refuses the key"), "{log}");
    assert!(!log.contains("sk-secret") && !log.contains("Dolphins"), "{log}");
}

#[tokio::test]
async fn samples_at_another_rate_than_configured_are_warned_of() {
    let text = "Elephants never forget the way to the river, however far away it is.";
    for (rate, warned) in [("24000", false), ("48000", false), ("96000", true)] {
        let speech = Speech::start().await;
        let app = through(&speech, text).set("tts.sample_rate", rate).in_a_process().await;
        note(&app).await;
        assert_eq!(app.log().contains("tts.sample_rate"), warned, "{rate}");
    }
}

#[tokio::test]
async fn espeak_takes_the_speed_and_the_voice_it_is_told() {
    let text = "The shop is open from nine to five, every day of the week.";
    // Each voice and pace takes its own time, to the sample.
    let say_ms = async |variables: &[(&str, &str)], more: &[&str]| {
        let hark = Hark::new().env("HARK__TTS__ENGINE", "espeak");
        let hark = variables.iter().fold(hark, |hark, (name, value)| hark.env(name, value));
        let ran = hark.run(&[&["say", text, "--json"], more].concat()).await;
        ran.json(0)[0]["duration_ms"].as_f64().unwrap().round()
    };
    let usual = say_ms(&[], &[]).await;
    let fast = say_ms(&[("HARK__TTS__SPEED", "2")], &[]).await;
    let slow = say_ms(&[("HARK__TTS__SPEED", "0.5")], &[]).await;
    assert!(fast < 0.7 * usual && slow > 1.5 * usual, "{fast} {usual} {slow}");

    let german = say_ms(&[], &["--voice", "de"]).await;
    assert!((german - usual).abs() > 10.0, "a voice that is asked for is taken: {german}");
    let section = say_ms(&[("HARK__TTS__VOICE", "de")], &[]).await;
    assert!((section - usual).abs() < 1.0, "the section's voice is for its language: {section}");
}

#[tokio::test]
async fn nobody_listening_ends_the_request() {
    let speech = Speech::start_paced(10.0).await;
    let settings = Settings {
        url: Some(speech.url.parse().unwrap()),
        model: "tts-1".to_owned(),
        api_key: None,
        voice: "alloy".to_owned(),
        speed: 1.0,
        format: SpeechFormat::Pcm,
        sample_rate: 24_000,
        parallel: 1,
        connect_timeout_ms: 3_000,
        first_audio_timeout_ms: 30_000,
        timeout_ms: 60_000,
        retries: 2,
    };
    let threads = Threads::start("test", 1, 1).unwrap();
    let voice = OpenAiSynthesizer::new(settings, http_client(), threads).unwrap();
    let sentence = || Sentence { text: ONE.to_owned(), language: "en".into(), voice: None };
    let gone = async || {
        let ended = async {
            while speech.active().0 > 0 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), ended).await.expect("the request has ended");
    };
    let cancel = tokio_util::sync::CancellationToken::new();
    let mut sound = voice.speak(sentence(), &cancel).await;
    assert!(sound.next().await.unwrap().is_ok());
    cancel.cancel();
    let rest: Vec<_> = sound.collect().await;
    assert!(matches!(rest.last(), Some(Err(TtsError::Cancelled))));
    gone().await;

    let mut sound = voice.speak(sentence(), &tokio_util::sync::CancellationToken::new()).await;
    assert!(sound.next().await.unwrap().is_ok());
    drop(sound);
    gone().await;
    assert_eq!(speech.requests().len(), 2);
}
