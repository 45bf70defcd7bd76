//! What goes out: in order, at WhatsApp's pace, within its 24 hours, and once more where a note was lost.

use hark::simulator::CallKind;
use hark::turn::{Outcome, Reason};

use crate::desk::operator_says;
use crate::harness::update::voice_note;
use crate::harness::{PERSON, TestApp};

const HOUR_MS: i64 = 60 * 60 * 1000;

#[tokio::test]
async fn an_upload_that_met_a_bad_moment_is_tried_once_more() {
    let app = TestApp::start().hears("hello").answers("At nine.").await;
    app.simulator.fail_next(CallKind::MediaUpload, 503, 0, 1);
    app.deliver(voice_note("en_hours.ogg")).await;
    app.run_until_idle().await;
    assert_eq!((app.sent_one().kind, app.count(CallKind::MediaUpload)), ("audio", 2));
}

#[tokio::test]
async fn a_note_that_whatsapp_cannot_use_is_made_once_more_and_then_goes_out_as_text() {
    for (failures, kinds, outcome) in [
        (1, &["audio", "audio"][..], Outcome::VoiceNote),
        (2, &["audio", "audio", "text"], Outcome::Text),
    ] {
        let app = TestApp::start().hears("hello").answers("At nine.").await;
        app.simulator.fail_delivery(131_053, failures);
        app.deliver(voice_note("en_hours.ogg")).await;
        app.run_until_idle().await;
        let sent: Vec<_> = app.sent().iter().map(|message| message.kind).collect();
        assert_eq!(sent, kinds);
        let uploads = app.count(CallKind::MediaUpload);
        assert_eq!(uploads, 2, "the second note is a file of its own");
        assert_eq!(app.report().await.outcome, outcome);
    }
}

#[tokio::test]
async fn who_has_not_written_for_a_day_gets_the_numbers_template() {
    let setup = TestApp::start().set("agents.0.reply", "text").answers("At nine.");
    let setup = setup.set("numbers.0.template.name", "we_called");
    let setup = setup.set("numbers.0.template.language", "en_US");
    let app = setup.set("numbers.0.template.words", "true").await;
    app.text(PERSON, "hello").await;
    app.run_until_idle().await;
    app.pass(25 * HOUR_MS);
    operator_says(&app, "We found it:\nyour coat.").await;
    app.run_until_idle().await;
    let sent = app.sent();
    assert_eq!(sent.iter().map(|message| message.kind).collect::<Vec<_>>(), ["text", "template"]);
    let content = sent[1].content.clone().unwrap();
    assert_eq!(
        (&content["name"], &content["language"]["code"]),
        (&"we_called".into(), &"en_US".into())
    );
    assert_eq!(sent[1].text.as_deref(), Some("We found it: your coat."), "without line breaks");
    let report = app.turns().await.pop().unwrap().report.unwrap();
    assert_eq!((report.outcome, report.reason), (Outcome::Text, Some(Reason::WindowShut)));
}

#[tokio::test]
async fn without_a_template_nothing_is_sent_and_the_turn_says_so() {
    let app = TestApp::start().set("agents.0.reply", "text").answers("At nine.").await;
    app.text(PERSON, "hello").await;
    app.run_until_idle().await;
    app.pass(25 * HOUR_MS);
    operator_says(&app, "We found it.").await;
    app.run_until_idle().await;
    assert_eq!(app.sent_texts(), ["At nine."]);
    let report = app.turns().await.pop().unwrap().report.unwrap();
    assert_eq!((report.outcome, report.reason), (Outcome::Failed, Some(Reason::WindowShut)));
}

#[tokio::test]
async fn a_number_sends_at_its_pace_and_holds_nobody_elses() {
    let setup = TestApp::start().set("agents.0.reply", "text");
    let app = setup.set("numbers.0.messages_per_second", "1").await;
    // The last two would wait in their places for longer than a second.
    for (n, person) in ["34600000001", "34600000002", "34600000003"].into_iter().enumerate() {
        app.text(person, &n.to_string()).await;
        app.run_until_idle().await;
    }
    assert_eq!(app.sent_texts(), ["0", "1"]);
    app.advance(1_999).await;
    app.run_until_idle().await;
    assert_eq!(app.sent().len(), 2);
    app.advance(1).await;
    app.run_until_idle().await;
    assert_eq!(app.sent_texts(), ["0", "1", "2"]);
    assert!(app.turns().await.iter().all(|turn| turn.attempt == 1), "a wait is no attempt");
}

#[tokio::test]
async fn a_pace_beyond_whatsapps_is_refused() {
    let app = TestApp::start().await;
    let admin = app.token("admin").await;
    let number = serde_json::json!({ "phone_number_id": "77", "access_token": "t", "app_secret": "s",
        "provider": "simulator", "messages_per_second": 5000 });
    let refused = app.api_post(&admin, "/numbers", &number).send().await.expect(422);
    assert!(refused.to_string().contains("messages_per_second"), "{refused}");
}

#[tokio::test]
async fn the_next_part_goes_out_when_a_status_says_that_the_one_before_was_sent() {
    let long = format!("{}. {}.", "a".repeat(4_000), "b".repeat(4_000));
    let app = TestApp::start().set("agents.0.reply", "text").answers(&long).await;
    app.text(PERSON, "hello").await;
    app.run_until_idle().await;
    let (sent, calls) = (app.sent(), app.calls());
    assert_eq!(sent.len(), 2);
    let sends = calls.iter().filter(|call| call.kind == CallKind::Messages);
    let second_ms = sends.map(|call| call.at_ms).nth(1).unwrap();
    let first = &sent[0];
    assert!(first.statuses.iter().any(|status| status.status == "sent"), "{:?}", first.statuses);
    assert!(second_ms >= first.at_ms);
    let statuses = "SELECT count(*) FROM statuses WHERE status = 'sent'";
    assert_eq!(app.sql_number(statuses), 2);
}
