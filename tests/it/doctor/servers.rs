//! Model servers: one that answers, and each way in which one does not.

use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use super::{findings, good, hark, is, whatsapp};
use crate::openai::chat::{Chat, Script, finish};
use crate::openai::ears::{Ears, Told, refusal};
use crate::openai::speech::{Answer, Speech};
use crate::openai::{router, serve};

/// Nothing to mend, with both servers in use.
fn with_servers(api: &str, llm: &str, tts: &str) -> String {
    let server = |section: &str, url: &str| {
        format!("[{section}]\nengine = \"openai\"\nurl = \"{url}\"\nmodel = \"m\"\nretries = 0\n")
    };
    good(api) + &server("llm", llm) + "api_key = \"the-llm-key\"\n" + &server("tts", tts)
}

#[tokio::test]
async fn servers_that_answer_are_well_and_asked_once() {
    let (_simulator, api) = whatsapp().await;
    let (chat, speech) = (Chat::new([Script::says("Yes.")]), Speech::start().await);
    let llm = serve(router(chat.clone())).await;
    let hark = hark(&with_servers(&api, &llm, &speech.url));
    assert!(findings(&hark, 0).await.is_empty());
    assert_eq!((chat.asked().len(), speech.requests().len()), (1, 1));
}

#[tokio::test]
async fn a_context_that_is_too_small_is_found_where_the_server_tells_it() {
    let (_simulator, api) = whatsapp().await;
    for (path, answer) in [
        ("/v1/models", json!({ "data": [{ "id": "x" }, { "id": "m", "max_model_len": 2048 }] })),
        ("/v1/models", json!({ "data": [{ "id": "a-file", "meta": { "n_ctx": 2048 } }] })),
        ("/props", json!({ "default_generation_settings": { "n_ctx": 2048 } })),
        ("/api/ps", json!({ "models": [{ "name": "m", "context_length": 2048 }] })),
    ] {
        let (chat, speech) = (Chat::new([Script::says("Yes.")]), Speech::start().await);
        let told = Router::new().route(path, get(async move || Json(answer)));
        let llm = serve(router(chat).merge(told)).await;
        let found = findings(&hark(&with_servers(&api, &llm, &speech.url)), 1).await;
        let expected =
            [("llm.history_tokens", "warning", "context of 2048 tokens", "llama.cpp -c")];
        is(&found, &expected);
    }
}

#[tokio::test]
async fn what_no_other_address_mends_is_told_with_its_own_key() {
    let (_simulator, api) = whatsapp().await;
    let full = Script::error(400, "the request exceeds the available context size");
    let eaten = Script::words("<think>hm").then(&finish("length"));
    let call = Script::says("<tool_call>{}</tool_call>");
    for (script, key, words, fix) in [
        (full, "llm.history_tokens", "context is too small", "larger context"),
        (eaten, "llm.max_tokens", "used up llm.max_tokens", "raise llm.max_tokens, or switch"),
        (call, "llm.model", "a call of a tool", "answers in text"),
    ] {
        let (chat, speech) = (Chat::new([script]), Speech::start().await);
        let llm = serve(router(chat)).await;
        let found = findings(&hark(&with_servers(&api, &llm, &speech.url)), 1).await;
        is(&found, &[(key, "error", words, fix)]);
    }
}

#[tokio::test]
async fn each_refusal_of_a_model_server_names_its_key_and_fix() {
    let (_simulator, api) = whatsapp().await;
    let page = Script::status(200, "text/html", "<!doctype html><title>Log in</title>");
    for (script, key, words, fix) in [
        (Script::error(401, "bad key"), "llm.api_key", "401", "to a key that the server accepts"),
        (Script::error(404, "no such model"), "llm.model", "404", "to a model that the server has"),
        (page, "llm.url", "web page", "correct llm.url"),
    ] {
        let (chat, speech) = (Chat::new([script]), Speech::start().await);
        let llm = serve(router(chat)).await;
        let found = findings(&hark(&with_servers(&api, &llm, &speech.url)), 1).await;
        is(&found, &[(key, "error", words, fix)]);
    }
    let refused = Answer::Status(401, None, "{}".to_owned());
    for (answer, key, words, fix) in [
        (refused, "tts.api_key", "401", "to a key that the server accepts"),
        (Answer::Body("<html>Log in</html>".into()), "tts.url", "", "correct tts.url"),
    ] {
        let (chat, speech) = (Chat::new([Script::says("Yes.")]), Speech::start().await);
        speech.answers([answer]);
        let llm = serve(router(chat)).await;
        let found = findings(&hark(&with_servers(&api, &llm, &speech.url)), 1).await;
        is(&found, &[(key, "error", words, fix)]);
    }
}

#[tokio::test]
async fn servers_that_are_not_there_are_both_found() {
    let (_simulator, api) = whatsapp().await;
    let nobody = "http://127.0.0.1:1/v1";
    let found = findings(&hark(&with_servers(&api, nobody, nobody)), 1).await;
    let url = |key, fix| (key, "error", "could not be reached", fix);
    is(&found, &[url("llm.url", "start the server"), url("tts.url", "start the server")]);
}

#[tokio::test]
async fn every_engine_of_a_list_is_looked_at_and_their_order_said() {
    let (_simulator, api) = whatsapp().await;
    let (ears, speech) = (Ears::hearing("hello"), Speech::start().await);
    let hears = serve(ears.router()).await;
    let server = |url: &str| format!("{{ engine = \"openai\", url = \"{url}\", model = \"m\" }}");
    let lists = |ears: &str| {
        let (ears, speech) = (server(ears), server(&speech.url));
        format!("{}[stt]\nengine = [{ears}, \"whisper\"]\n", good(&api))
            + &format!("[tts]\nengine = [{speech}, \"espeak\"]\n")
    };
    let ran = hark(&lists(&hears)).run(&["doctor"]).await;
    assert_eq!(ran.code, 0, "{}", ran.text());
    let host = |url: &str| url.replace("http://", "").replace("/v1", "");
    for line in [
        "agent hark: openai/m hears".to_owned(),
        format!("agent hark: hears with openai@{}, then whisper", host(&hears)),
        "agent hark: openai speaks".to_owned(),
        format!("agent hark: speaks with openai@{}, then espeak", host(&speech.url)),
        "hark-micro-en (agents: hark): whole".to_owned(),
        "espeak-ng".to_owned(),
    ] {
        assert!(ran.text().contains(&line), "{line}: {}", ran.text());
    }
    let found = findings(&hark(&lists("http://127.0.0.1:1/v1")), 1).await;
    is(&found, &[("stt.engine[0].url", "error", "could not be reached", "start the server")]);
    ears.tells([Told::Status(404, None, refusal("no such model"))]);
    let found = findings(&hark(&lists(&hears)), 1).await;
    is(&found, &[("stt.engine[0].model", "error", "404", "to a model that the server has")]);
}
