//! Model servers: one that answers, and each way in which one does not.

use super::{findings, good, hark, is, whatsapp};
use crate::openai::chat::{Chat, Script};
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
