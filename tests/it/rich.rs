//! Answers that are more than words, and what people do with them.

use hark::simulator::{CallKind, ConversationMessage, PersonMessage, PersonSays};
use hark::turn::{MessageId, Outcome};
use serde_json::{Value, json};

use crate::harness::update::{self, voice_note};
use crate::harness::{NUMBER, PERSON, Setup, TestApp, words_of};
use crate::openai::chat::{Chat, Script};
use crate::openai::{router, serve};

const OFFER: &str = r#"{"say": "We are here. Tea or coffee?",
    "location": {"latitude": 40.4, "longitude": -3.7, "name": "Luz"},
    "buttons": [{"id": "t", "title": "Tea"}, {"id": "c", "title": "Coffee"}]}"#;

/// A service whose model gives these answers and may give more than words.
async fn asking<const N: usize>(answers: [&str; N]) -> (Setup, Chat) {
    let chat = Chat::new(answers.map(Script::says));
    let url = serve(router(chat.clone())).await;
    let setup = TestApp::start().hears("a drink please").set("llm.engine", "openai");
    (setup.set("llm.url", &url).set("llm.model", "m").set("agents.0.rich", "true"), chat)
}

fn kinds(sent: &[ConversationMessage]) -> Vec<&'static str> {
    sent.iter().map(|message| message.kind).collect()
}

/// Does something to a message that was sent.
async fn does(app: &TestApp, quoted: &MessageId, says: PersonSays) {
    let message =
        PersonMessage { quotes: Some(quoted.clone()), ..PersonMessage::new(PERSON, says) };
    app.deliver(message).await;
    app.run_until_idle().await;
}

/// The messages of the last request.
fn asked(chat: &Chat) -> Vec<String> {
    let asked = chat.asked();
    let messages = asked.last().expect("it was asked").body["messages"].clone();
    let content = |message: &Value| message["content"].as_str().unwrap().to_owned();
    messages.as_array().unwrap().iter().map(content).collect()
}

#[tokio::test]
async fn a_spoken_answer_is_followed_by_its_place_and_buttons_and_a_tap_is_understood() {
    let (setup, chat) = asking([OFFER, "One coffee, then."]).await;
    let app = setup.await;
    app.deliver(voice_note("en_hours.ogg")).await;
    app.run_until_idle().await;
    let sent = app.sent();
    assert_eq!(kinds(&sent), ["audio", "location", "interactive"]);
    let buttons = sent[2].content.as_ref().unwrap();
    assert_eq!(buttons["body"]["text"], "Tea or coffee?");
    assert_eq!(buttons["action"]["buttons"][1]["reply"], json!({ "id": "c", "title": "Coffee" }));
    assert!(asked(&chat)[0].contains("\"maxItems\":3"), "the model is told the format");
    assert_eq!(chat.asked()[0].body["tools"][0]["function"]["name"], "reply");
    let report = app.report().await;
    assert_eq!(report.reply.text, "We are here. Tea or coffee?");
    assert_eq!((report.outcome, report.reply.extras.len()), (Outcome::VoiceNote, 2));

    let tap = app.simulator.tap(&sent[2].id, "Coffee").expect("it is there to tap");
    does(&app, &sent[2].id, tap).await;
    let asked = asked(&chat);
    let last = asked.last().unwrap();
    let told = r#"[in reply to your message "Tea or coffee?"] [chosen, with "c"] Coffee"#;
    assert!(last.ends_with(told), "{last}");
    let before: Value = serde_json::from_str(&asked[2]).expect("it sees what it gave");
    assert_eq!(before["buttons"][0]["title"], "Tea");
    let answer = app.sent().pop().unwrap();
    assert_eq!((answer.kind, app.turns().await.len()), ("audio", 2));
}

#[tokio::test]
async fn a_written_answer_stands_above_its_buttons() {
    let (setup, _chat) = asking([OFFER]).await;
    let app = setup.set("agents.0.reply", "text").await;
    app.text(PERSON, "a drink please").await;
    app.run_until_idle().await;
    let sent = app.sent();
    assert_eq!(kinds(&sent), ["interactive", "location"]);
    let buttons = sent[0].content.as_ref().unwrap();
    assert_eq!(buttons["body"]["text"], "We are here. Tea or coffee?");
    assert_eq!(app.report().await.outcome, Outcome::Text);
}

#[tokio::test]
async fn a_reaction_may_be_the_whole_answer() {
    let (setup, _chat) = asking([r#"{"reaction": "👍"}"#]).await;
    let app = setup.await;
    let id = app.text(PERSON, "thanks").await;
    app.run_until_idle().await;
    let sent = app.sent();
    assert_eq!(kinds(&sent), ["reaction"]);
    assert_eq!(sent[0].content.as_ref().unwrap()["message_id"], id.0);
    assert_eq!(app.turns().await[0].attempt, 1);
}

#[tokio::test]
async fn a_file_of_the_agents_is_sent_and_one_that_is_gone_costs_only_itself() {
    let folder = tempfile::tempdir().unwrap();
    let (menu, photo) = (folder.path().join("menu.pdf"), folder.path().join("shop.png"));
    std::fs::write(&menu, "%PDF-1.4").unwrap();
    std::fs::write(&photo, "a picture").unwrap();
    let answer = r#"{"say": "Here it is.", "media": [{"kind": "image", "url": "menu.pdf",
        "caption": "Today"}, {"kind": "image", "url": "shop.png"}, {"url": "/etc/passwd"}],
        "reaction": "👍"}"#;
    let (setup, _chat) = asking([answer, answer]).await;
    let app = setup
        .set("agents.0.files.0", menu.to_str().unwrap())
        .set("agents.0.files.1", photo.to_str().unwrap())
        .await;
    app.text(PERSON, "the menu?").await;
    app.run_until_idle().await;
    let sent = app.sent();
    assert_eq!(kinds(&sent), ["audio", "document", "image", "reaction"]);
    let document = sent[1].content.as_ref().unwrap();
    assert_eq!(
        (&document["filename"], &document["caption"]),
        (&json!("menu.pdf"), &json!("Today"))
    );

    std::fs::remove_file(&photo).unwrap();
    app.text(PERSON, "again?").await;
    app.run_until_idle().await;
    assert_eq!(kinds(&app.sent()[4..]), ["audio", "document", "reaction"]);
    let report = app.turns().await.pop().unwrap().report.unwrap();
    assert_eq!(report.outcome, Outcome::VoiceNote);
    let reason = words_of(report.reason).unwrap();
    assert!(reason.starts_with("extras_failed: ") && reason.contains("shop.png"), "{reason}");
}

#[tokio::test]
async fn a_file_that_was_all_there_was_to_say_and_is_gone_is_no_silence() {
    let folder = tempfile::tempdir().unwrap();
    let menu = folder.path().join("menu.pdf");
    std::fs::write(&menu, "%PDF-1.4").unwrap();
    let (setup, _chat) = asking([r#"{"media": [{"url": "menu.pdf"}]}"#]).await;
    let app = setup.set("agents.0.files.0", menu.to_str().unwrap()).await;
    std::fs::remove_file(&menu).unwrap();
    app.text(PERSON, "the menu?").await;
    app.run_until_idle().await;
    assert_eq!(app.sent_one().kind, "text");
    assert_eq!(app.report().await.outcome, Outcome::Fallback);
}

#[tokio::test]
async fn what_is_refused_beside_an_answer_costs_only_itself() {
    let long = format!("https://shop.example/{}", "a".repeat(3000));
    let answer =
        json!({ "say": "See.", "link": { "url": long, "title": "Shop" }, "reaction": "👍" });
    let (setup, _chat) = asking([&answer.to_string()]).await;
    let app = setup.await;
    app.text(PERSON, "where?").await;
    app.run_until_idle().await;
    let mut sent = kinds(&app.sent());
    sent.sort_unstable();
    assert_eq!(sent, ["audio", "reaction"]);
    let report = app.report().await;
    assert_eq!(report.outcome, Outcome::VoiceNote);
    assert!(words_of(report.reason).unwrap().starts_with("extras_failed: "));
}

#[tokio::test]
async fn what_follows_an_answer_is_sent_once_also_through_a_kill() {
    let answer = r#"{"say": "Here.", "location": {"latitude": 1, "longitude": 2},
        "buttons": ["Tea"], "reaction": "👍", "contact": {"name": "Ada", "phones": ["+4930"]}}"#;
    let setup = TestApp::start().in_a_process().answers(answer).set("agents.0.rich", "true");
    let mut app = setup.await;
    app.text(PERSON, "hello").await;
    app.wait_until("some of it is sent", async || app.count(CallKind::Messages) >= 2).await;
    app.kill().await;
    app.start_again().await;
    app.run_until_done().await;
    let mut sent = kinds(&app.sent());
    sent.sort_unstable();
    assert_eq!(sent, ["audio", "contacts", "interactive", "location", "reaction"]);
}

#[tokio::test]
async fn what_a_person_did_to_messages_is_told_with_the_next_one() {
    let (setup, chat) = asking(["At nine?", "Good.", "Two beers."]).await;
    let app = setup.await;
    let own = app.text(PERSON, "a beer").await;
    app.run_until_idle().await;
    let ours = app.sent_one().id;
    does(&app, &ours, PersonSays::Reaction("👍".to_owned())).await;
    assert_eq!(chat.asked().len(), 1, "an emoji asks for no answer");
    app.text(PERSON, "so?").await;
    app.run_until_idle().await;
    let told = asked(&chat).pop().unwrap();
    assert!(told.contains(r#"[before that they put 👍 on your message "At nine?"] so?"#), "{told}");

    let changed = json!({ "type": "text", "text": { "body": "two beers" } });
    let edit = json!({ "id": "wamid.edit", "from": PERSON, "type": "edit",
        "edit": { "original_message_id": own, "message": changed } });
    app.post_signed(&update::messages(NUMBER, &[edit])).await;
    app.run_until_idle().await;
    app.text(PERSON, "better?").await;
    app.run_until_idle().await;
    let told = asked(&chat).pop().unwrap();
    let note = r#"[before that they changed their own message "a beer" to "two beers"] better?"#;
    assert!(told.ends_with(note) && !told.contains("👍"), "{told}");
    assert_eq!(app.sent().len(), 3);
}

#[tokio::test]
async fn a_picture_without_words_reaches_a_model_and_is_declined_without_one() {
    let picture = || PersonSays::File {
        bytes: "a picture".into(),
        mime_type: "image/jpeg".to_owned(),
        name: "a.jpg".to_owned(),
        caption: String::new(),
    };
    let (setup, chat) = asking(["I cannot see pictures."]).await;
    let app = setup.await;
    app.deliver(PersonMessage::new(PERSON, picture())).await;
    app.run_until_idle().await;
    let told = asked(&chat).pop().unwrap();
    assert!(told.ends_with("[came with a file that you cannot open: image] 🖼"), "{told}");
    assert_eq!(app.report().await.reply.text, "I cannot see pictures.");
    assert_eq!(app.sent_one().kind, "audio");

    let (setup, chat) = asking(["A red bag."]).await;
    let app = setup.set("llm.images", "true").await;
    let PersonSays::File { mime_type, name, caption, .. } = picture() else { unreachable!() };
    let bytes = b"\xff\xd8\xff a photograph".as_slice().into();
    let photograph = PersonSays::File { bytes, mime_type, name, caption };
    app.deliver(PersonMessage::new(PERSON, photograph)).await;
    app.run_until_idle().await;
    let content = chat.asked()[0].body["messages"][1]["content"].clone();
    let words = content[0]["text"].as_str().unwrap();
    assert!(words.ends_with("[came with the image that you see] 🖼"), "{words}");
    let url = content[1]["image_url"]["url"].as_str().unwrap();
    assert_eq!(url, "data:image/jpeg;base64,/9j/IGEgcGhvdG9ncmFwaA==");
    assert_eq!(app.sent_one().kind, "audio");

    let app = TestApp::start().answers("never said").await;
    app.deliver(PersonMessage::new(PERSON, picture())).await;
    app.run_until_idle().await;
    let report = app.report().await;
    assert_eq!(words_of(report.reason).unwrap(), "unsupported_type: image");
    assert_eq!(app.sent_one().kind, "text");
}

#[tokio::test]
async fn answers_on_file_may_be_rich_without_a_model() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("faq.csv");
    let rich = r#"{"say": "Tea or coffee?", "buttons": ["Tea", "Coffee"]}"#.replace('"', "\"\"");
    let csv = format!("question,answer\nWhat drinks do you have?,\"{rich}\"\nCoffee,Two euros.\n");
    std::fs::write(&file, csv).unwrap();
    let app = TestApp::start()
        .set("llm.engine", "faq")
        .set("agents.0.rich", "true")
        .set("agents.0.knowledge.0", file.to_str().unwrap())
        .await;
    app.text(PERSON, "what drinks do you have").await;
    app.run_until_idle().await;
    let sent = app.sent();
    assert_eq!(kinds(&sent), ["audio", "interactive"]);
    let tap = app.simulator.tap(&sent[1].id, "Coffee").unwrap();
    does(&app, &sent[1].id, tap).await;
    assert_eq!(app.turns().await.pop().unwrap().report.unwrap().reply.text, "Two euros.");
    assert_eq!(app.sent().len(), 3);
}
