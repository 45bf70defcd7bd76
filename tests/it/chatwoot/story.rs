//! The whole way, both ways, printed: a person asks for a person by voice and is answered from Chatwoot.

use hark::audio::inspect_note;
use serde_json::{Value, json};

use super::{Between, staff};
use crate::harness::sound::converted;
use crate::harness::update::{fixture, voice_note};
use crate::harness::{PERSON, TestApp};

const QUESTION: &str = "I would like to talk to a person, please.";

/// Adds what hark has sent since to the story.
fn sent(between: &Between, from: usize) -> usize {
    let sent = between.app.sent();
    for message in &sent[from..] {
        let words = message.text.clone().unwrap_or_else(|| {
            let note = inspect_note(&between.app.note_of(message)).unwrap();
            format!("a voice note of {:.1} s", note.duration_ms / 1000.0)
        });
        between.desk.tell(format!("WhatsApp: hark sends {}: {words}", message.kind));
    }
    sent.len()
}

async fn speaks(between: &Between, name: &str) {
    between.desk.tell(format!("WhatsApp: the person sends {name}"));
    between.app.deliver(voice_note(name)).await;
    between.app.run_until_done().await;
}

#[tokio::test]
async fn a_person_asks_by_voice_and_is_answered_from_chatwoot_by_text_and_voice() {
    let app = TestApp::start().in_a_process().await;
    staff(&app).await;
    let between = Between::of(app).await;
    let bridge = between.bridge().await;
    let desk = &between.desk;

    speaks(&between, "en_person.ogg").await;
    let lines = between.desk_has(1).await;
    let told = sent(&between, 0);
    assert!(
        lines[0].starts_with("note: hark: a person is wanted (asked_for_person)"),
        "{lines:#?}"
    );
    assert!(lines[0].contains(&format!("Person (audio): {QUESTION}")), "{lines:#?}");
    let conversation = desk.conversations()[0].clone();
    assert_eq!(conversation["custom_attributes"], json!({ "hark_conversation": "1" }));
    assert_eq!(desk.contacts()[0]["phone_number"], format!("+{PERSON}"));
    let id = conversation["id"].as_i64().unwrap();
    let taken = async || between.tickets().await[0]["operator"] == "Chatwoot";
    between.app.wait_until("the ticket is taken", &taken).await;

    // The next voice note arrives with sound and words, and hark's agent is silent.
    speaks(&between, "en_hours.ogg").await;
    between.desk_has(2).await;
    let note = desk.messages()[1].clone();
    assert_eq!(
        (&note["message_type"], &note["content"]),
        (&json!("incoming"), &json!("Voice note: When do you open on Saturday?"))
    );
    assert_eq!(desk.sound_of(&note), ("audio/ogg".to_owned(), fixture("en_hours.ogg")));
    assert_eq!(sent(&between, told), told);

    assert_eq!(desk.writes(id, "At **ten**.\\\nAnn").await, 200);
    between.person_has(told + 1).await;
    let told = sent(&between, told);
    let webm = converted(&fixture("en_delivery.ogg"), "-c:a libopus -f webm").await;
    assert_eq!(desk.attaches(id, "And this", "audio/webm", &webm).await, 200);
    between.person_has(told + 2).await;
    let all = between.app.sent();
    assert_eq!(all[told - 1].text.as_deref(), Some("At *ten*.\nAnn"));
    assert_eq!((all[told].kind, all[told + 1].text.as_deref()), ("audio", Some("And this")));
    assert!(all[told].media.as_ref().is_some_and(|media| media.voice), "{:?}", all[told]);
    let told = sent(&between, told);

    assert_eq!(desk.resolves(id).await, 200);
    between.wait_for_ticket("closed").await;
    assert_eq!(between.tickets().await[0]["closed_by"], "command");
    speaks(&between, "en_price.ogg").await;
    between.person_has(told + 1).await;
    sent(&between, told);
    let said = between.app.api_get(&between.token, "/conversations/1/messages").send().await;
    let said = said.expect(200);
    let by: Vec<&Value> = said["items"].as_array().unwrap().iter().map(|one| &one["by"]).collect();
    assert!(by.contains(&&json!("Ann (Chatwoot)")), "{said:#}");
    println!("{}", desk.story().join("\n"));
    between.logs_nothing_personal(&bridge);
    assert_eq!(desk.messages().len(), 4, "nothing of it went round: {:#?}", desk.lines());
    between.ends_well();
}

#[tokio::test]
async fn a_second_ticket_opens_the_same_conversation_again_and_what_hark_closes_is_resolved() {
    let between = Between::of(TestApp::start().await).await;
    let _bridge = between.bridge().await;
    let id = between.ticket().await;
    let taken = async || between.tickets().await[0]["operator"] == "Chatwoot";
    between.app.wait_until("the ticket is taken", &taken).await;
    let ticket = between.tickets().await[0]["id"].as_str().unwrap().to_owned();
    let close = format!("/tickets/{ticket}/close");
    between.app.api_post(&between.token, &close, &json!({})).send().await.expect(200);
    let resolved = async || between.desk.conversations()[0]["status"] == "resolved";
    between.app.wait_until("it is resolved", &resolved).await;
    let lines = between.desk.lines();
    assert!(lines.last().unwrap().contains("the ticket is closed (operator)"), "{lines:#?}");

    // Somebody of the desk writes once more: that is a ticket of its own.
    assert_eq!(between.desk.writes(id, "One more thing").await, 200);
    let open = async || between.desk.conversations()[0]["status"] == "open";
    between.app.wait_until("it is open again", &open).await;
    between.wait_for_ticket("open").await;
    let noted = async || {
        between.desk.lines().iter().filter(|l| l.contains("a person is wanted")).count() == 2
    };
    between.app.wait_until("its history", &noted).await;
    between.app.run_until_idle().await;
    assert_eq!(between.app.sent_texts(), ["One more thing"]);
    assert_eq!(between.desk.conversations().len(), 1);
    between.ends_well();
}
