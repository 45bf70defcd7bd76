//! What operators and people do, one after the other.

use hark::turn::Outcome;
use serde_json::{Value, json};

use super::{Tokens, close, conversation, operator, path, says, speaks, take_over, writes};
use crate::harness::update::voice_note;
use crate::harness::{NUMBER, PERSON, TestApp};

const NOTE: &[u8] = include_bytes!("../../../audio-fixtures/en_delivery.ogg");

/// Who said what, as the API has it.
fn lines(said: &Value) -> Vec<String> {
    let items = said["items"].as_array().unwrap();
    let line = |said: &Value| {
        let word = |key: &str| said[key].as_str().unwrap_or("-").to_owned();
        format!("{} {}: {}", word("from"), word("kind"), word("text"))
    };
    items.iter().map(line).collect()
}

#[tokio::test]
async fn a_person_asks_for_a_person_is_answered_by_one_and_then_by_the_agent_again() {
    let app = TestApp::start().hears("When are you open?").await;
    let tokens = Tokens::of(&app).await;
    let ann = operator(&app, &tokens.admin, "Ann").await;
    writes(&app, "Hello").await;
    assert_eq!(app.sent().pop().unwrap().kind, "audio");

    writes(&app, "I want to talk to a human").await;
    let told = app.turns().await.pop().unwrap().report.unwrap();
    assert!(told.reply.text.reveal().starts_with("I'll get a colleague"), "{told:?}");
    let tickets = app.api_get(&tokens.operator, "/tickets?state=open").send().await.expect(200);
    let ticket = &tickets["items"][0];
    assert_eq!((&ticket["reason"], &ticket["operator"]), (&json!("asked_for_person"), &json!(ann)));
    assert_eq!(ticket["summary"], "I want to talk to a human");
    assert_eq!(conversation(&app, &tokens.operator).await["ticket"], ticket["id"]);

    // The agent is silent, and what is said is heard all the same.
    app.deliver(voice_note("en_hours.ogg")).await;
    app.run_until_idle().await;
    assert_eq!(app.sent().len(), 2);
    let heard = app.turns().await.pop().unwrap();
    assert_eq!(heard.report.unwrap().outcome, Outcome::Ticket);
    assert_eq!(heard.heard.unwrap().reveal(), "When are you open?");

    let taken = says(&app, &tokens.operator, "At ten. Ann").await.expect(202);
    assert_eq!(taken["ticket"], ticket["id"]);
    speaks(&app, &tokens.operator, NOTE).await.expect(202);
    app.run_until_idle().await;
    let sent = app.sent();
    assert_eq!((sent[2].kind, sent[2].text.as_deref()), ("text", Some("At ten. Ann")));
    assert_eq!(sent[3].kind, "audio");
    assert!(sent[3].media.as_ref().is_some_and(|media| media.voice), "{:?}", sent[3]);
    assert_eq!(sent[2].reply_to, None, "an operator's words answer no message in particular");

    close(&app, &tokens.operator, ticket).await.expect(200);
    writes(&app, "Thanks").await;
    assert_eq!(app.sent().len(), 5);
    assert_eq!(app.turns().await.pop().unwrap().report.unwrap().outcome, Outcome::VoiceNote);

    let said = path(&app, &tokens.operator, "/messages").await;
    let said = app.api_get(&tokens.operator, &said).send().await.expect(200);
    let coming = told.reply.text.reveal();
    let expected = [
        "contact text: Hello",
        "agent voice: Hello",
        "contact text: I want to talk to a human",
        &format!("agent voice: {coming}"),
        "contact audio: When are you open?",
        "operator text: At ten. Ann",
        "operator voice: When are you open?",
        "contact text: Thanks",
        "agent voice: Thanks",
    ];
    assert_eq!(lines(&said), expected);
}

#[tokio::test]
async fn an_agent_opens_a_ticket_and_nobody_is_there() {
    let app = TestApp::start().await;
    let tokens = Tokens::of(&app).await;
    let asleep = json!({ "name": "Ann", "available": false });
    app.api_post(&tokens.admin, "/operators", &asleep).send().await.expect(201);
    writes(&app, "human please").await;
    let told = app.report().await;
    assert!(told.reply.text.reveal().starts_with("Nobody of us is here"), "{told:?}");
    let tickets = app.api_get(&tokens.operator, "/tickets").send().await.expect(200);
    assert_eq!(tickets["items"][0]["operator"], Value::Null);
    // Ann comes, and gets what waits.
    let ann = app.api_get(&tokens.admin, "/operators").send().await.expect(200)["items"][0].clone();
    let here = app.api(
        &tokens.operator,
        reqwest::Method::PUT,
        &format!("/operators/{}", ann["id"].as_str().unwrap()),
    );
    here.json(&json!({ "name": "Ann" })).of_version(1).send().await.expect(200);
    let tickets = app.api_get(&tokens.operator, "/tickets").send().await.expect(200);
    assert_eq!(tickets["items"][0]["operator"], ann["id"]);
    app.sent();
}

#[tokio::test]
async fn a_ticket_that_nobody_writes_in_gives_the_conversation_back() {
    let app = TestApp::start().set("desk.idle_minutes", "1").await;
    let tokens = Tokens::of(&app).await;
    writes(&app, "Hello").await;
    let ticket = take_over(&app, &tokens.operator).await;
    assert_eq!(ticket["reason"], "operator");
    writes(&app, "Are you there?").await;
    assert_eq!(app.sent().len(), 2, "without an operator who has it the agent goes on");
    let assign = format!("/tickets/{}/assign", ticket["id"].as_str().unwrap());
    let bea = json!({ "operator": "bea" });
    app.api_post(&tokens.operator, &assign, &bea).send().await.expect(200);
    writes(&app, "Are you there?").await;
    assert_eq!(app.sent().len(), 2);
    app.advance(61_000).await;
    let closed = async || {
        let list = app.api_get(&tokens.operator, "/tickets").send().await.expect(200);
        list["items"][0]["closed_by"] == "idle"
    };
    app.wait_until("the ticket is closed", &closed).await;
    writes(&app, "Hello again").await;
    assert_eq!(app.sent().len(), 3);
}

#[tokio::test]
async fn somebody_who_answers_on_the_phone_silences_the_agent() {
    let app = TestApp::start().set("desk.idle_minutes", "5").await;
    let tokens = Tokens::of(&app).await;
    writes(&app, "Hello").await;
    let echo = json!({ "id": "wamid.echo", "from": "15550100000", "to": PERSON, "type": "text",
                       "text": { "body": "Ann here" } });
    let value = json!({ "metadata": { "phone_number_id": NUMBER }, "message_echoes": [echo] });
    let changes = json!([{ "field": "smb_message_echoes", "value": value }]);
    let body = json!({ "entry": [{ "id": "1", "changes": changes }] });
    let (status, answer) = app.post_signed(&body).await;
    assert_eq!((status, &answer["ignored"]), (200, &json!(1)));
    assert_eq!(app.post_signed(&body).await.0, 200, "it may come twice");
    let list = app.api_get(&tokens.operator, "/tickets").send().await.expect(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 1, "{list}");
    let ticket = &list["items"][0];
    assert_eq!((&ticket["reason"], &ticket["operator"]), (&json!("phone"), &json!("phone")));
    writes(&app, "Thanks, Ann").await;
    assert_eq!(app.sent().len(), 1);
    app.advance(6 * 60_000).await;
    let closed = async || {
        let list = app.api_get(&tokens.operator, "/tickets").send().await.expect(200);
        list["items"][0]["state"] == "closed"
    };
    app.wait_until("the agent has it again", &closed).await;
    writes(&app, "Hello again").await;
    assert_eq!(app.sent().len(), 2);
}

#[tokio::test]
async fn what_cannot_be_done_at_the_desk_is_named() {
    let app = TestApp::start().await;
    let tokens = Tokens::of(&app).await;
    writes(&app, "Hello").await;
    let token = &tokens.operator;
    let silence = [&wav_head(32_000)[..], &vec![0; 32_000]].concat();
    let said = speaks(&app, token, &silence).await.problem(422, "invalid");
    assert!(said.contains("nobody speaks"), "{said}");
    let long = [&wav_head(16_000 * 2 * 2400)[..], &vec![1; 16_000 * 2 * 301]].concat();
    let said = speaks(&app, token, &long).await.problem(422, "invalid");
    assert!(said.contains("longer than 300 s"), "{said}");
    let film = [b"\0\0\0\x18ftypisom\0\0\0\0", &b"....hdlr....vide"[..]].concat();
    let said = speaks(&app, token, &film).await.problem(422, "invalid");
    assert!(said.contains("it is a video"), "{said}");
    speaks(&app, token, b"no sound at all").await.problem(422, "invalid");
    says(&app, token, " ").await.problem(422, "invalid");
    let unknown = json!({ "conversation": "99" });
    app.api_post(token, "/tickets", &unknown).send().await.problem(404, "not-found");

    let ticket = take_over(&app, token).await;
    close(&app, token, &ticket).await.expect(200);
    let said = close(&app, token, &ticket).await.problem(409, "conflict");
    assert!(said.contains("closed"), "{said}");
    let wrong = json!({ "name": "Ann", "hours": { "timezone": "Mars", "days": {} } });
    let said = app.api_post(&tokens.admin, "/operators", &wrong).send().await;
    assert!(said.problem(422, "invalid").contains("hours.timezone"));
    app.api_post(token, "/operators", &json!({ "name": "Ann" }))
        .send()
        .await
        .problem(403, "forbidden");
    assert_eq!(app.sent().len(), 1, "nothing of it reached the person: {PERSON}");
}

/// The head of a WAV file of so many bytes, 16 kHz mono.
fn wav_head(bytes: u32) -> Vec<u8> {
    let fmt = b"fmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data";
    [&b"RIFF"[..], &(bytes + 36).to_le_bytes(), b"WAVE", fmt, &bytes.to_le_bytes()].concat()
}
