//! What is spoken of what a model's server answers, or what is told of its error.

use std::sync::LazyLock;

use serde_json::Value;
use tokio::runtime::Runtime;

use super::Case;
use crate::openai::chat::{Chat, Script};
use crate::openai::speech::Speech;
use crate::openai::{router, serve};
use crate::program::{Hark, Ran};

kinds!("llm", asked, {
    thoughts_are_not_spoken:
        "thoughts of a reasoning model are spoken: other tag names, or only the closing tag",
    control_tokens_and_calls_are_not_spoken:
        "control tokens and tool calls written into the text are spoken",
    what_the_last_chunk_repeats_is_spoken_once:
        "an answer that the last chunk repeats is spoken twice",
    a_broken_character_costs_only_itself: "one broken character ends the answer",
    an_error_keeps_its_words_and_gets_its_advice:
        "an error's words are lost or its advice is wrong, because of where the server puts it",
    words_in_another_field_are_spoken: "words of an answer in another field are lost",
    thoughts_that_eat_all_tokens_are_named:
        "a reasoning model's thoughts eat llm.max_tokens (400): no answer ever, and the advice is wrong",
    a_server_that_does_not_stream_is_asked_without: "no second try without streaming",
    what_was_right: "control",
});

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

fn asked(case: &Case) -> String {
    RUNTIME.block_on(async {
        let (chat, speech) = (Chat::new([script(case)]), Speech::start().await);
        if let Ok(refused) = serde_json::from_value::<String>(case.value("refuse_if").clone()) {
            let whole = Script::status(200, "application/json", case.text("whole"));
            chat.answer_where_not(&refused, whole);
        }
        let hark = with_servers(&serve(router(chat)).await, &speech.url);
        if case.text("told_by") == "doctor" {
            return told(&hark.run(&["doctor", "--json"]).await);
        }
        let ran = hark.run(&["ask", "--text", "What are your hours?", "-o", "reply.ogg"]).await;
        // Sentences may be asked for side by side; the answer's order is that of its text.
        let mut said: Vec<String> = speech
            .requests()
            .iter()
            .map(|request| request.json["input"].as_str().unwrap().to_owned())
            .collect();
        said.sort_by_key(|sentence| ran.text().find(sentence.as_str()));
        if ran.code == 0 { format!("said: {}", said.join(" ")) } else { told(&ran) }
    })
}

/// What the server answers.
fn script(case: &Case) -> Script {
    let status = case.value("status").as_u64().map_or(200, |status| status.try_into().unwrap());
    match case.value("chunks") {
        Value::Array(chunks) => {
            let stream = chunks.iter().map(|chunk| chunk.as_str().unwrap());
            stream.fold(Script::stream(""), Script::then)
        }
        _ => Script::status(status, "application/json", case.text("body")),
    }
}

fn with_servers(llm: &str, tts: &str) -> Hark {
    let server = |section: &str, url: &str| {
        format!("[{section}]\nengine = \"openai\"\nurl = \"{url}\"\nmodel = \"m\"\nretries = 0\n")
    };
    let toml = server("llm", llm) + "max_tokens = 400\n" + &server("tts", tts);
    Hark::new().file("hark.toml", toml)
}

/// Everything that a command said.
fn told(ran: &Ran) -> String {
    format!("{}{}", ran.text(), ran.stderr)
}
