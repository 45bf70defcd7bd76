//! What is kept of people and of those who look after them: handed out, taken out, let go, and noted.

mod table;

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::api::holds;
use crate::harness::update::voice_note;
use crate::harness::{PERSON, TestApp};
use crate::openai::chat::{Chat, Script};
use crate::openai::{router, serve};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
const OTHER: &str = "15550002222";

/// The deeds that are kept, newest first: who, what and how it was answered.
async fn deeds(app: &TestApp, admin: &str) -> Vec<(String, String, u64)> {
    let list = app.api_get(admin, "/audit").send().await.expect(200);
    let word = |deed: &Value, key: &str| deed[key].as_str().unwrap().to_owned();
    let deeds = list["items"].as_array().unwrap().iter();
    deeds.map(|d| (word(d, "role"), word(d, "deed"), d["status"].as_u64().unwrap())).collect()
}

#[tokio::test]
async fn what_a_token_did_is_kept_and_what_it_looked_at_is_not() {
    let app = TestApp::start().set("agents.0.reply", "text").await;
    let (admin, operator) = (app.token("admin").await, app.token("operator").await);
    app.text(PERSON, "hello").await;
    app.run_until_idle().await;
    app.sent();
    let contacts = app.api_get(&operator, "/contacts").send().await.expect(200);
    let path = format!("/contacts/{}", contacts["items"][0]["id"].as_str().unwrap());
    app.api_get(&operator, &format!("{path}/export")).send().await.expect(200);
    app.api_post(&operator, "/agents", &json!({ "name": "x" })).send().await.expect(403);
    app.api(&operator, Method::DELETE, &path).send().await.expect(204);
    // Without a token it is nobody's.
    app.api("hark_x", Method::DELETE, &path).send().await.expect(401);
    let deed = |role: &str, deed: &str, status| (role.to_owned(), deed.to_owned(), status);
    let expected = [
        deed("operator", "DELETE /api/v1/contacts/{id}", 204),
        deed("operator", "POST /api/v1/agents", 403),
        deed("operator", "GET /api/v1/contacts/{id}/export", 200),
    ];
    assert_eq!(deeds(&app, &admin).await, expected);
    app.api_get(&operator, "/audit").send().await.problem(403, "forbidden");
    let part = app.api_get(&admin, "/audit?limit=2").send().await.expect(200);
    let next = part["next"].as_str().unwrap();
    let rest = app.api_get(&admin, &format!("/audit?cursor={next}")).send().await.expect(200);
    assert_eq!(rest["items"].as_array().unwrap().len(), 1);
    assert!(!part.to_string().contains(PERSON));
}

#[tokio::test]
async fn numbers_of_cards_and_papers_are_neither_kept_nor_told() {
    let chat = Chat::new([Script::words("Thanks."), Script::words("Thanks.")]);
    let url = serve(router(chat.clone())).await;
    let app = TestApp::start()
        .set("llm.engine", "openai")
        .set("llm.url", &url)
        .set("llm.model", "m")
        .set("agents.0.memory.summary", "false")
        .set("privacy.redact", "[\"cards\", \"ids\"]")
        .hears("my identity card says 12345678Z")
        .await;
    app.text(PERSON, "pay with 4242 4242 4242 4242 please").await;
    app.run_until_idle().await;
    app.deliver(voice_note("en_hours.ogg")).await;
    app.run_until_idle().await;
    assert_eq!(app.sent().len(), 2);
    let asked: Vec<String> = chat.asked().iter().map(|asked| asked.body.to_string()).collect();
    assert!(asked[0].contains("pay with [card number] please"), "{}", asked[0]);
    assert!(asked[1].contains("my identity card says [id number]"), "{}", asked[1]);
    for number in ["4242 4242", "4242424242424242", "12345678Z"] {
        assert!(!format!("{asked:?}").contains(number), "{number}");
        assert!(!holds(&app.store_bytes(), number), "{number} is in the store");
    }
    let heard: Vec<String> =
        app.turns().await.into_iter().filter_map(|turn| Some(turn.heard?.0)).collect();
    assert!(heard.iter().any(|heard| heard == "my identity card says [id number]"), "{heard:?}");
}

#[tokio::test]
async fn words_go_after_their_days_and_the_rest_stays() {
    let mut app = TestApp::start()
        .set("agents.0.reply", "text")
        .set("privacy.words_days", "30")
        .set("events.retention_days", "20")
        .await;
    let admin = app.token("admin").await;
    app.text(PERSON, "an old secret word").await;
    app.run_until_idle().await;
    app.advance(25 * DAY_MS).await;
    app.text(OTHER, "a young secret word").await;
    app.run_until_idle().await;
    app.advance(10 * DAY_MS).await;
    app.restart().await;
    let old =
        "SELECT (SELECT count(*) FROM turns WHERE CAST(report AS TEXT) LIKE '%an old secret%')
                   + (SELECT count(*) FROM messages WHERE CAST(body AS TEXT) LIKE '%an old secret%')
                   + (SELECT count(*) FROM parts WHERE CAST(content AS TEXT) LIKE '%an old secret%')
                   + (SELECT count(*) FROM events WHERE data LIKE '%an old secret%')";
    let gone = async || app.sql_number(old) == 0;
    app.wait_until("the words are gone", &gone).await;
    let turns = app.api_get(&admin, "/turns").send().await.expect(200);
    let turns = turns["items"].as_array().unwrap().clone();
    assert_eq!((turns.len(), &turns[1]["outcome"]), (2, &json!("text")));
    assert_eq!(
        (&turns[0]["heard"], &turns[1]["heard"]),
        (&json!("a young secret word"), &Value::Null)
    );
    app.sent();
}

#[tokio::test]
async fn who_is_silent_for_long_is_forgotten() {
    let setup = TestApp::start().set("agents.0.reply", "text");
    let mut app = setup.set("privacy.contacts_days", "60").await;
    let admin = app.token("admin").await;
    app.text(OTHER, "an old secret word").await;
    app.run_until_idle().await;
    app.sent();
    // That moves the clock by a message of the person of the tests.
    app.advance(70 * DAY_MS).await;
    app.restart().await;
    let left = async || {
        let contacts = app.api_get(&admin, "/contacts").send().await.expect(200);
        let contacts = contacts["items"].as_array().unwrap().clone();
        contacts.len() == 1 && contacts[0]["phone"] == PERSON
    };
    app.wait_until("one is left", &left).await;
    // The file of commits is written back just after the rows are gone.
    let gone = async || !holds(&app.store_bytes(), "an old secret word");
    app.wait_until("nothing is left of the other", &gone).await;
}

#[tokio::test]
async fn a_person_is_handed_out_and_forgotten_from_a_terminal() {
    let app = TestApp::start().hears("a secret word").await;
    let folder = tempfile::tempdir().unwrap();
    let sound = folder.path().join("sound");
    app.deliver(voice_note("en_hours.ogg")).await;
    app.run_until_idle().await;
    assert_eq!(app.sent().len(), 1);
    let files = || std::fs::read_dir(app.folder().join("sound")).map_or(0, Iterator::count);
    app.wait_until("sound is kept", &async || files() > 0).await;
    let who = format!("+{PERSON}");
    let arguments = ["contacts", "export", &who, "--sound", sound.to_str().unwrap()];
    let export = app.hark(&arguments).await.remove(0);
    assert_eq!(export["contact"]["phone"], PERSON);
    let kept = &export["conversations"][0];
    assert_eq!(kept["said"].as_array().unwrap().len(), 2);
    let events = kept["events"].as_array().unwrap();
    assert!(events.iter().any(|event| event["type"] == "voice-message-transcribed"), "{kept}");
    assert_eq!(std::fs::read_dir(&sound).unwrap().count(), 2);
    let forgot = app.hark(&["contacts", "forget", &who, "--yes"]).await.remove(0);
    assert_eq!(forgot, json!({ "contacts": 1, "customers": 0 }));
    for word in [PERSON, "a secret word"] {
        assert!(!holds(&app.store_bytes(), word), "{word} is in the store");
    }
    assert_eq!(app.sql_number("SELECT count(*) FROM events"), 0);
}
