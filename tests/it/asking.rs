//! The gate and the person's wishes: words that may be misheard are asked about, and whoever wants
//! to read is written to.

use hark::simulator::CallKind;
use hark::turn::Outcome;
use serde_json::json;

use crate::harness::update::{self, voice_note};
use crate::harness::{NUMBER, PERSON, Setup, TestApp, words_of};

/// A transcriber that is unsure of everything it hears.
fn mishears(text: &str) -> Setup {
    TestApp::start().hears(text).set("stt.uncertain", "low_probability")
}

/// Each turn's outcome, reason and words, oldest first.
async fn ends(app: &TestApp) -> Vec<(Outcome, Option<String>, String)> {
    app.sent();
    let reports = app.turns().await.into_iter().map(|turn| turn.report.expect("it is finished"));
    reports.map(|report| (report.outcome, words_of(report.reason), report.reply.text.0)).collect()
}

fn said(outcome: Outcome, text: &str) -> (Outcome, Option<String>, String) {
    (outcome, None, text.to_owned())
}

fn asked(reason: &str, text: &str) -> (Outcome, Option<String>, String) {
    (Outcome::Question, Some(reason.to_owned()), text.to_owned())
}

#[tokio::test]
async fn uncertain_words_are_confirmed_and_then_answered_even_after_a_restart() {
    let mut app = mishears("a table for two.").await;
    app.deliver(voice_note("en_hours.ogg")).await;
    app.run_until_idle().await;
    assert!(app.sent_one().media.is_some_and(|media| media.voice), "the question is spoken");
    app.restart().await;
    app.text(PERSON, "Yes, please!").await;
    app.run_until_idle().await;
    let question = asked("confirm: low_probability", "Did you say: a table for two?");
    assert_eq!(ends(&app).await, [question, said(Outcome::VoiceNote, "a table for two.")]);
}

#[tokio::test]
async fn a_no_asks_again_and_other_words_are_a_new_question() {
    let app = mishears("a table for two").await;
    app.deliver(voice_note("en_hours.ogg")).await;
    app.run_until_idle().await;
    app.text(PERSON, "No.").await;
    app.run_until_idle().await;
    app.text(PERSON, "yes").await;
    app.run_until_idle().await;
    let again = "Sorry, I didn't quite catch that. Could you say it again?";
    let expected = [
        asked("confirm: low_probability", "Did you say: a table for two?"),
        asked("not_confirmed", again),
        said(Outcome::VoiceNote, "yes"),
    ];
    assert_eq!(ends(&app).await, expected);
}

#[tokio::test]
async fn each_agent_has_its_own_rules() {
    for (key, value, outcome, reason) in [
        ("agents.0.gate", "answer", Outcome::VoiceNote, "uncertain: low_probability"),
        ("agents.0.gate", "repeat", Outcome::Question, "repeat: low_probability"),
        ("agents.0.gate.low_probability", "answer", Outcome::VoiceNote, "uncertain: low_"),
        ("agents.0.gate.repetition", "answer", Outcome::Question, "confirm: low_probability"),
        ("gate.low_probability", "repeat", Outcome::Question, "repeat: low_probability"),
    ] {
        let app = mishears("a table").set(key, value).await;
        app.deliver(voice_note("en_hours.ogg")).await;
        app.run_until_idle().await;
        let ended = ends(&app).await.remove(0);
        assert_eq!(ended.0, outcome, "{key} = {value}");
        assert!(ended.1.as_ref().is_some_and(|why| why.starts_with(reason)), "{key}: {ended:?}");
    }
}

#[tokio::test]
async fn who_speaks_to_a_model_that_does_not_hear_them_is_told_what_to_run() {
    let app = TestApp::start().hears("is the London").set("stt.uncertain", "beyond_model").await;
    app.deliver(voice_note("en_hours.ogg")).await;
    app.run_until_idle().await;
    let (outcome, reason, text) = ends(&app).await.remove(0);
    assert_eq!((outcome, reason.as_deref()), (Outcome::Question, Some("repeat: beyond_model")));
    assert!(text.contains("run `hark models pull base`"), "{text}");
}

#[tokio::test]
async fn who_wants_to_read_is_written_to_until_they_ask_for_the_voice() {
    let mut app = TestApp::start().await;
    let says = async |app: &TestApp, text: &str| {
        app.text(PERSON, text).await;
        app.run_until_idle().await;
        let last = app.sent().pop().expect("it was answered");
        last.text.unwrap_or_else(|| "a voice note".to_owned())
    };
    assert_eq!(says(&app, "When do you open?").await, "a voice note");
    let agreed = says(&app, "Answer in text from now on, please.").await;
    assert!(agreed.starts_with("All right, I'll write"), "{agreed}");
    assert_eq!(says(&app, "When do you open?").await, "When do you open?");
    app.restart().await;
    app.deliver(voice_note("en_hours.ogg")).await;
    app.run_until_idle().await;
    assert!(app.sent().pop().is_some_and(|last| last.text.is_some()), "a spoken question too");
    // A question beside the wish is answered, in the form that is wished for.
    assert_eq!(says(&app, "Answer by voice: when do you open?").await, "a voice note");
    let question = "Reply in text: when do you open?";
    assert_eq!(says(&app, question).await, question);
    assert_eq!(says(&app, "Send voice notes again, please: answer by voice").await, "a voice note");
    app.text("15550002222", "When do you open?").await;
    app.run_until_idle().await;
    assert!(app.sent().pop().is_some_and(|last| last.media.is_some()), "others are spoken to");
}

#[tokio::test]
async fn a_person_is_answered_in_their_language_if_the_agent_has_it() {
    let app = TestApp::start()
        .set("agents.0.languages.0", "en")
        .set("agents.0.languages.1", "es")
        .set("agents.0.reply", "text")
        .await;
    for (person, text, answer) in [
        (PERSON, "Responde por escrito, por favor", "De acuerdo, a partir de ahora escribo."),
        (PERSON, "Bitte antworten Sie mir schriftlich.", "De acuerdo, a partir de ahora"),
        ("15550002222", "Bitte antworten Sie mir schriftlich.", "All right, I'll write from now"),
    ] {
        app.text(person, text).await;
        app.run_until_idle().await;
        let last = app.sent().pop().and_then(|last| last.text).expect("a text");
        assert!(last.starts_with(answer), "{text}: {last}");
    }
}

#[tokio::test]
async fn a_question_back_is_forgotten_after_an_hour() {
    let app = mishears("a table for two").await;
    app.deliver(voice_note("en_hours.ogg")).await;
    app.run_until_idle().await;
    app.advance(2 * 60 * 60 * 1000).await;
    app.text(PERSON, "yes").await;
    app.run_until_idle().await;
    assert_eq!(ends(&app).await[1], said(Outcome::VoiceNote, "yes"));
}

#[tokio::test]
async fn what_people_write_in_is_remembered_if_it_tells() {
    let app = TestApp::start().await;
    // Who may be answered by language is leased, not archived: only the column shows it.
    let language = || app.sql("SELECT language FROM contacts")[0][0].clone();
    app.text(PERSON, "ok").await;
    app.run_until_idle().await;
    assert_eq!(language(), "");
    for text in ["¿A qué hora abren mañana por la tarde?", "ok"] {
        app.text(PERSON, text).await;
        app.run_until_idle().await;
        assert_eq!(language(), "es", "{text}");
    }
    app.sent();
}

#[tokio::test]
async fn an_agent_that_only_writes_promises_no_voice() {
    let app = TestApp::start().set("agents.0.reply", "text").await;
    app.text(PERSON, "Answer by voice, please").await;
    app.run_until_idle().await;
    assert_eq!(app.sent_texts(), ["Answer by voice, please"]);
}

#[tokio::test]
async fn a_link_that_is_lost_on_its_way_fails_no_note() {
    let link = "https://shop.example.com/orders/4711/track?code=ab12cd34ef56&lang=en";
    let app = TestApp::start().answers(&format!("Look here: {link}")).await;
    app.text(PERSON, "where is it?").await;
    app.run_until_idle().await;
    let lost = app.sent().pop().expect("the link");
    let status = json!({
        "id": lost.id, "status": "failed", "timestamp": "100", "recipient_id": PERSON,
        "errors": [{ "code": 131_026, "title": "Undeliverable" }],
        "biz_opaque_callback_data": lost.callback_data,
    });
    app.post_signed(&update::statuses(NUMBER, &[status])).await;
    app.run_until_idle().await;
    assert_eq!(ends(&app).await[0].0, Outcome::VoiceNote);
}

#[tokio::test]
async fn a_long_link_goes_out_as_text_beside_the_note() {
    let link = "https://shop.example.com/orders/4711/track?code=ab12cd34ef56&lang=en";
    let app = TestApp::start().answers(&format!("Your parcel is here: [track it]({link}).")).await;
    app.text(PERSON, "where is it?").await;
    app.run_until_idle().await;
    let sent = app.sent();
    assert_eq!(sent.len(), 2, "{sent:#?}");
    assert!(sent[0].media.as_ref().is_some_and(|media| media.voice));
    assert_eq!(sent[1].text.as_deref(), Some(link));
    assert_eq!(ends(&app).await[0].0, Outcome::VoiceNote);
}

#[tokio::test]
async fn a_link_that_is_refused_after_a_restart_is_not_replaced_by_the_whole_answer() {
    let link = "https://shop.example.com/orders/4711/track?code=ab12cd34ef56&lang=en";
    let mut app = TestApp::start().answers(&format!("It is here: {link}")).await;
    app.text(PERSON, "where is it?").await;
    app.run_until_idle().await;
    assert_eq!(app.sent().len(), 2);
    app.simulator.fail_next(CallKind::Messages, 400, 131_051, 1);
    // As if the process had ended between the note and the link.
    app.rewind(1, u32::MAX).await;
    app.wait_until("it was recovered", async || app.counts().await.queued == 1).await;
    app.advance(5_000).await;
    app.run_until_idle().await;
    assert_eq!(app.sent().len(), 2, "{:#?}", app.sent());
    assert_eq!(ends(&app).await[0].0, Outcome::VoiceNote);
}

#[tokio::test]
async fn a_reply_that_goes_as_text_has_its_link_only_once() {
    let link = "https://shop.example.com/orders/4711/track?code=ab12cd34ef56&lang=en";
    let answer = format!("Look here: {link}");
    let app = TestApp::start().answers(&answer).set("agents.0.reply", "text").await;
    app.text(PERSON, "where is it?").await;
    app.run_until_idle().await;
    assert_eq!(app.sent_texts(), [answer]);
}
