//! What is remembered of a conversation: for how long, in which words, and which language was asked for.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{PERSON, Setup, TestApp};
use crate::openai::chat::{Asked, Chat, Script};
use crate::openai::{router, serve};

const MINUTE_MS: i64 = 60_000;

/// A service whose agent asks a server with these scripts.
async fn asking(answers: &[&str]) -> (Setup, Chat) {
    asking_of(answers.iter().map(|answer| Script::says(answer)).collect()).await
}

async fn asking_of(scripts: Vec<Script>) -> (Setup, Chat) {
    let chat = Chat::new(scripts);
    let url = serve(router(chat.clone())).await;
    let setup = TestApp::start().set("llm.engine", "openai").set("llm.url", &url);
    let setup = setup.set("llm.model", "test-model").set("agents.0.reply", "text");
    (setup, chat)
}

async fn says(app: &TestApp, words: &str) {
    app.text(PERSON, words).await;
    app.run_until_idle().await;
}

/// What a model was asked, the system's part first.
fn asked(asked: &Asked) -> Vec<String> {
    let messages = asked.body["messages"].as_array().unwrap().iter();
    messages.map(|message| message["content"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn after_a_silence_a_conversation_begins_anew() {
    let (setup, chat) = asking(&["One.", "Two.", "Three."]).await;
    let app = setup.set("agents.0.memory.session_minutes", "30").await;
    says(&app, "first").await;
    app.advance(29 * MINUTE_MS).await;
    says(&app, "second").await;
    app.advance(31 * MINUTE_MS).await;
    says(&app, "third").await;
    assert_eq!(app.sent().len(), 3);
    let lengths: Vec<usize> = chat.asked().iter().map(|one| asked(one).len()).collect();
    assert_eq!(lengths, [2, 4, 2], "system, history, question");
}

#[tokio::test]
async fn what_no_longer_fits_is_noted_after_the_answer() {
    let long = "I would like to order twenty kilograms of the dark roast for the office".to_owned();
    let answers =
        ["All right.", "Wants 20 kg dark roast.", "Noted.", "Wants 20 kg, on Monday.", "Yes."];
    let (setup, chat) = asking(&answers).await;
    // The exchanges count as 36, 44 and 21 tokens.
    let app = setup.set("llm.history_tokens", "70").await;
    let count = async |count: usize| {
        app.wait_until("it is asked", async || chat.asked().len() == count).await;
    };
    says(&app, &long).await;
    count(1).await;
    assert_eq!(app.sent_texts(), ["All right."]);
    app.advance(MINUTE_MS).await;
    says(&app, &format!("{long}, on Monday")).await;
    count(3).await;
    let notes = asked(&chat.asked()[2]).pop().unwrap();
    assert!(
        notes.contains("Write notes for yourself") && notes.contains(&format!("Person: {long}")),
        "{notes}"
    );
    assert!(!notes.contains("on Monday"), "the last exchange stays as it is: {notes}");
    let kept = || {
        let text = "SELECT text FROM summaries";
        app.sql(text).concat().concat()
    };
    app.wait_until("it is kept", async || kept() == "Noted.").await;
    app.advance(MINUTE_MS).await;
    says(&app, "and on Tuesday?").await;
    count(4).await;
    let told = asked(&chat.asked()[3]);
    assert!(
        told.last().unwrap().contains("Your notes on the conversation before: \"Noted.\""),
        "{told:?}"
    );
    assert!(told.iter().any(|message| message.contains("on Monday")), "{told:?}");
    assert_eq!(app.sent().len(), 3);

    let operator = app.token("operator").await;
    let contacts = app.api_get(&operator, "/contacts").send().await.expect(200);
    let path = format!("/contacts/{}", contacts["items"][0]["id"].as_str().unwrap());
    let export = app.api_get(&operator, &format!("{path}/export")).send().await.expect(200);
    assert_eq!(export["notes"][0]["text"], "Noted.");
    app.api(&operator, Method::DELETE, &path).send().await.expect(204);
    assert_eq!(kept(), "");
}

#[tokio::test]
async fn notes_that_fail_cost_nobody_an_answer() {
    let broken = Script::error(500, "out of memory");
    let (setup, chat) = asking_of(vec![Script::says("One."), Script::says("Two."), broken]).await;
    let app = setup.set("llm.history_tokens", "10").set("llm.retries", "0").await;
    for words in ["first words that are long enough", "second words that are long enough"] {
        says(&app, words).await;
    }
    assert_eq!(app.sent_texts(), ["One.", "Two."]);
    app.wait_until("it was tried", async || chat.asked().len() == 3).await;
    let notes = "SELECT count(*) FROM summaries";
    assert_eq!(app.sql_number(notes), 0);
}

#[tokio::test]
async fn who_asks_for_a_language_is_answered_in_it_from_then_on() {
    let (setup, chat) = asking(&["Claro.", "A las nueve.", "At nine."]).await;
    let app = setup.await;
    says(&app, "Please answer in Spanish").await;
    says(&app, "When do you open tomorrow?").await;
    says(&app, "Answer in English again, please. When do you open?").await;
    assert_eq!(app.sent().len(), 3);
    let languages: Vec<String> = chat.asked().iter().map(|one| asked(one).remove(0)).collect();
    for (system, language) in languages.iter().zip(["Spanish", "Spanish", "English"]) {
        assert!(system.contains(&format!("Answer in {language}.")), "{language}: {system}");
    }
    let operator = app.token("operator").await;
    let contacts = app.api_get(&operator, "/contacts").send().await.expect(200);
    let one = &contacts["items"][0];
    assert_eq!((&one["asked_language"], &one["language"]), (&json!("en"), &json!("en")));
}

#[tokio::test]
async fn a_language_that_the_agent_does_not_have_is_not_promised() {
    let (setup, chat) = asking(&["Hello."]).await;
    let app = setup.set("agents.0.language", "en").await;
    says(&app, "Please answer in Spanish").await;
    assert_eq!(app.sent().len(), 1);
    assert!(asked(&chat.asked()[0])[0].contains("Answer in English."));
    let operator = app.token("operator").await;
    let contacts = app.api_get(&operator, "/contacts").send().await.expect(200);
    assert_eq!(contacts["items"][0]["asked_language"], Value::Null);
}
