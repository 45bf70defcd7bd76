//! Messages that cannot be heard: each gets a sentence that says what is wrong, and no panic.

use hark::audio::{NoteEncoder, Pcm, SampleRate};
use hark::simulator::{CallKind, PersonMessage};
use hark::turn::Outcome;
use serde_json::{Value, json};

use crate::harness::update::{self, audio, fixture, voice_note};
use crate::harness::{APP_SECRET, NUMBER, PERSON, Setup, TOKEN, TestApp, VERIFY_TOKEN, words_of};

const OGG: &str = "audio/ogg; codecs=opus";
const NO_SPEECH: &str =
    "Sorry, I couldn't hear anything in your voice message. Could you say that again?";
const TOO_LONG: &str = "Sorry, your voice message is too long for me. Please send a shorter one.";
const UNSUPPORTED: &str =
    "Sorry, I can't open this kind of message yet. Please send a voice message or a text.";
const UNREADABLE: &str =
    "Sorry, your voice message arrived damaged and I couldn't play it. Please send it again.";
const FALLBACK: &str = "Sorry, we couldn't process your request. Please try again later";
const MEDIA_GONE: &str =
    "Sorry, I couldn't download your voice message any more. Please send it again.";

/// Checks the one answer of a service and what its record says.
async fn check_answer(app: &TestApp, text: &str, outcome: Outcome, reason: &str) {
    app.run_until_idle().await;
    assert_eq!(app.sent_one().text.as_deref(), Some(text));
    let report = app.report().await;
    assert_eq!((report.outcome, words_of(report.reason).as_deref()), (outcome, Some(reason)));
    assert_eq!((report.reply.text.reveal(), report.audio), (text, None));
}

async fn check(setup: Setup, note: PersonMessage, text: &str, outcome: Outcome, reason: &str) {
    let app = setup.await;
    app.deliver(note).await;
    check_answer(&app, text, outcome, reason).await;
}

/// A real voice note in which nobody speaks.
fn silence(seconds: usize) -> Vec<u8> {
    let rate = SampleRate(16_000);
    let mut encoder = NoteEncoder::new(rate).unwrap();
    let samples = vec![0.0; seconds * 16_000];
    let mut note = encoder.push(&Pcm { samples, rate }).unwrap();
    note.extend(encoder.finish().unwrap());
    note
}

#[tokio::test]
async fn notes_without_speech_get_a_question() {
    let app = TestApp::start;
    let question = Outcome::Question;
    check(app(), audio(Vec::new(), OGG), NO_SPEECH, question, "empty_audio").await;
    check(app(), audio(silence(3), OGG), NO_SPEECH, question, "no_speech").await;
    // Speech, and a transcriber that finds no words in it.
    check(app().hears(" "), voice_note("en_hours.ogg"), NO_SPEECH, question, "no_speech").await;
}

#[tokio::test]
async fn notes_over_a_limit_are_declined() {
    let seconds = TestApp::start().set("limits.audio_seconds", "2");
    check(seconds, voice_note("en_long.ogg"), TOO_LONG, Outcome::Text, "too_long").await;
    let bytes = TestApp::start().set("limits.audio_bytes", "1000");
    check(bytes, voice_note("en_hours.ogg"), TOO_LONG, Outcome::Text, "too_long").await;
}

#[tokio::test]
async fn files_that_are_no_sound_get_a_hint() {
    let app = TestApp::start;
    let mut caf = b"caff\0\x01\0\0".to_vec();
    caf.extend([0; 320]);
    let reason = "unsupported_format: CAF";
    check(app(), audio(caf, "audio/x-caf"), UNSUPPORTED, Outcome::Text, reason).await;
    let text = audio("Dear sir or madam, ".repeat(50), OGG);
    check(app(), text, UNSUPPORTED, Outcome::Text, "unsupported_format: unknown").await;
}

#[tokio::test]
async fn an_ogg_cut_in_its_first_page_gets_a_text_hint() {
    let note = audio(fixture("en_hours.ogg")[..40].to_vec(), OGG);
    check(TestApp::start(), note, UNREADABLE, Outcome::Text, "corrupt_audio").await;
}

#[tokio::test]
async fn truncated_ogg_is_answered_as_far_as_it_goes() {
    let app = TestApp::start().hears("hello").await;
    let note = fixture("en_long.ogg");
    app.deliver(audio(note[..note.len() / 2].to_vec(), OGG)).await;
    app.run_until_idle().await;
    assert_eq!(app.sent_one().kind, "audio");
}

#[tokio::test]
async fn a_file_that_is_gone_is_asked_for_again() {
    let app = TestApp::start().thinks_ms(200).await;
    app.text(PERSON, "hello").await;
    // Waits behind the text, so its file can go first.
    app.deliver(voice_note("en_hours.ogg")).await;
    app.simulator.fail_next(CallKind::MediaDownload, 404, 0, 2);
    app.run_until_idle().await;
    assert_eq!(app.sent().last().unwrap().text.as_deref(), Some(MEDIA_GONE));
    let report = app.turns().await.remove(1).report.unwrap();
    let expected = (Outcome::Text, Some("media_gone"));
    assert_eq!((report.outcome, words_of(report.reason).as_deref()), expected);
}

#[tokio::test]
async fn a_file_that_may_not_be_seen_is_no_fault_of_the_person() {
    let app = TestApp::start().thinks_ms(200).await;
    app.text(PERSON, "hello").await;
    app.deliver(voice_note("en_hours.ogg")).await;
    let media = app.simulator.messages().into_iter().find_map(|message| message.media).unwrap();
    app.simulator.drop_media(&media.id);
    app.run_until_idle().await;
    assert_eq!(app.sent().last().unwrap().text.as_deref(), Some(FALLBACK));
    let report = app.turns().await.remove(1).report.unwrap();
    assert_eq!(report.outcome, Outcome::Fallback);
    let reason = words_of(report.reason).unwrap();
    assert!(reason.starts_with("download failed: provider refused with code 100"), "{reason}");
}

#[tokio::test]
async fn a_wrong_hash_does_not_stop_an_answer() {
    let app = TestApp::start().hears("hello").await;
    app.deliver(voice_note("en_hours.ogg")).await;
    let media = app.simulator.messages()[0].media.clone().unwrap();
    let hash = hex::encode([7; 32]);
    let sound = json!({ "id": media.id, "mime_type": OGG, "sha256": hash, "voice": true });
    let note = json!({ "id": "wamid.hash", "from": PERSON, "type": "audio", "audio": sound });
    app.post_signed(&update::messages(NUMBER, &[note])).await;
    app.run_until_idle().await;
    let kinds: Vec<_> = app.sent().iter().map(|message| message.kind).collect();
    assert_eq!(kinds, ["audio", "audio"]);
    // Without an address in the webhook the file is looked up first.
    assert_eq!(app.count(CallKind::MediaLookup), 1);
}

#[tokio::test]
async fn types_that_cannot_be_opened_get_a_hint() {
    let media = || json!({ "id": "1", "mime_type": "image/webp" });
    let cases: [(&str, Value); 6] = [
        ("image", media()),
        ("video", media()),
        ("document", media()),
        ("sticker", media()),
        ("order", json!({ "catalog_id": "1" })),
        ("hologram", json!({})),
    ];
    for (kind, content) in cases {
        let app = TestApp::start().await;
        let mut message = json!({ "id": "wamid.1", "from": PERSON, "type": kind });
        message[kind] = content;
        app.post_signed(&update::messages(NUMBER, &[message])).await;
        let reason = format!("unsupported_type: {kind}");
        check_answer(&app, UNSUPPORTED, Outcome::Text, &reason).await;
    }
}

#[tokio::test]
async fn a_place_and_a_card_are_words_to_the_agent() {
    for (kind, content, heard) in [
        (
            "location",
            json!({ "latitude": 1.5, "longitude": 2.5, "name": "Luz" }),
            "📍 Luz (1.5, 2.5)",
        ),
        ("contacts", json!([{ "name": { "formatted_name": "Ada" } }]), "👤 Ada"),
    ] {
        let app = TestApp::start().set("agents.0.reply", "text").await;
        let mut message = json!({ "id": "wamid.1", "from": PERSON, "type": kind });
        message[kind] = content;
        app.post_signed(&update::messages(NUMBER, &[message])).await;
        app.run_until_idle().await;
        // The scripted agent repeats what it understood.
        let said = app.sent_texts();
        assert!(said.len() == 1 && said[0].contains(heard), "{kind}: {said:?}");
    }
}

/// Pseudo-random numbers, the same for the same seed.
fn numbers(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % below
    }
}

/// Flips, removes, repeats and overwrites pieces of a note.
fn mutated(note: &[u8], seed: u64) -> Vec<u8> {
    let (mut note, mut random) = (note.to_vec(), numbers(seed));
    for _ in 0..=random(6) {
        let start = random(note.len());
        let end = (start + 1 + random(200)).min(note.len());
        match random(4) {
            0 => note[start] ^= 1 << random(8),
            1 if end - start < note.len() => drop(note.drain(start..end)),
            2 => note.extend_from_within(start..end),
            _ => note[start..end].fill(0xFF),
        }
    }
    note
}

#[tokio::test]
async fn every_mutilated_note_gets_an_answer() {
    let app = TestApp::start().hears("hello").await;
    let note = fixture("en_hours.ogg");
    for seed in 1..=10 {
        app.deliver(audio(mutated(&note, seed), OGG)).await;
    }
    app.run_until_idle().await;
    assert_eq!(app.sent().len(), 10);
    for turn in app.turns().await {
        let report = turn.report.unwrap();
        let answered =
            matches!(report.outcome, Outcome::VoiceNote | Outcome::Text | Outcome::Question);
        assert!(answered, "{report:#?}");
    }
}

#[tokio::test]
async fn logs_hold_no_words_phone_numbers_or_secrets() {
    let app = TestApp::start().in_a_process().hears("heardword").await;
    app.text(PERSON, "writtenword").await;
    app.deliver(voice_note("en_price.ogg")).await;
    app.deliver(update::text_of("", Some("US.4242"), "writtenword")).await;
    app.post_webhook("/webhook", "writtenword", Some("sha256=00")).await;
    let junk = format!("writtenword {PERSON}");
    let signature = update::sign(APP_SECRET, junk.as_bytes());
    app.post_webhook("/webhook", junk, Some(&signature)).await;
    app.get("/webhook?hub.mode=subscribe&hub.verify_token=wrongtoken").await;
    app.simulator.fail_next(CallKind::Messages, 400, 131_026, 1);
    app.simulator.fail_next(CallKind::MediaDownload, 500, 131_000, 1);
    app.text("15550002222", "writtenword").await;
    app.deliver(audio("writtenword".repeat(9), OGG)).await;
    app.run_until_done().await;
    assert_eq!(app.sent().len(), 5);
    let log = app.log();
    assert!(log.contains("a turn ended"), "{log}");
    let secrets = [TOKEN, APP_SECRET, VERIFY_TOKEN, "wrongtoken"];
    let personal = [PERSON, "15550002222", "US.4242", "heardword", "writtenword", "How much"];
    for word in secrets.into_iter().chain(personal) {
        let lines: Vec<_> = log.lines().filter(|line| line.contains(word)).collect();
        assert!(lines.is_empty(), "{word} is in the log: {lines:#?}");
    }
}
