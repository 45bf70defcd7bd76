//! A model's answer on its way through the whole service: taken back, shortened, asked with more.

use futures_util::StreamExt as _;
use hark::agent::{Delta, Question, Responder as _};
use hark::turn::Outcome;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{answered, asking, messages, responder};
use crate::openai::chat::{Chat, DONE, Script, delta, event, finish};

fn words(text: &str) -> String {
    event(&delta(&json!({ "content": text })))
}

#[tokio::test]
async fn a_thought_that_was_spoken_already_is_in_neither_note_nor_text() {
    // The first answer shows a server that opens no thoughts, so the second is spoken as it comes.
    let thinks = Script::words("I wonder about the hours. It may be nine, or perhaps ten. ")
        .paced(0, 50.0)
        .then(&words("</think>\n\nWe open "))
        .then(&words("at nine."))
        .then(&finish("stop"))
        .then(DONE);
    let (setup, _) = asking([Script::says("Hello."), thinks]).await;
    let app = setup.await;
    answered(&app, "hello").await;
    let report = answered(&app, "what are your hours").await;
    assert_eq!(report.reply.text, "We open at nine.");
    assert_eq!((report.outcome, report.reason), (Outcome::VoiceNote, None));
    // Four words, a third of a second each.
    let spoken_ms = report.audio.unwrap().duration_ms;
    assert!((spoken_ms - 4000.0 / 3.0).abs() < 1.0, "{spoken_ms}");
    assert_eq!(app.sent().len(), 2);
}

#[tokio::test]
async fn a_context_that_is_too_small_gets_less_of_the_past() {
    let full = || Script::error(400, "the request exceeds the available context size");
    let says = Script::says;
    let (setup, chat) =
        asking([says("One."), says("Two."), says("Three."), full(), full(), says("Four.")]).await;
    let app = setup.set("llm.retries", "0").await;
    for (question, answer) in [("a", "One."), ("b", "Two."), ("c", "Three."), ("d", "Four.")] {
        assert_eq!(answered(&app, question).await.reply.text, answer);
    }
    assert_eq!(app.sent().len(), 4);
    let lengths: Vec<usize> = chat.asked().iter().map(|asked| messages(asked).len()).collect();
    assert_eq!(lengths, [2, 4, 6, 8, 4, 2]);
}

#[tokio::test]
async fn what_the_operator_adds_is_in_each_request() {
    let (setup, chat) = asking([Script::says("Hello.")]).await;
    let app = setup
        .set("llm.extra.reasoning_effort", "low")
        .set("llm.extra.chat_template_kwargs.enable_thinking", "false")
        .set("llm.extra.top_k", "5")
        .await;
    answered(&app, "hello").await;
    app.sent_one();
    let body = &chat.asked()[0].body;
    let added = [&body["reasoning_effort"], &body["chat_template_kwargs"], &body["top_k"]];
    assert_eq!(added, [&json!("low"), &json!({ "enable_thinking": false }), &Value::from(5)]);
}

#[tokio::test]
async fn time_spent_on_thoughts_is_no_silence() {
    let slow = Script::words("<think>hm hm hm hm hm hm</think>Two euros.").paced(0, 8.0);
    let (setup, chat) = asking([slow.then(&finish("stop")).then(DONE)]).await;
    let app = setup.set("llm.first_token_timeout_ms", "500").await;
    assert_eq!(answered(&app, "what is the price").await.reply.text, "Two euros.");
    assert_eq!((app.sent().len(), chat.asked().len()), (1, 1));
}

#[tokio::test]
async fn an_answer_may_be_the_arguments_of_a_call_and_comes_as_it_is_written() {
    let piece = |name: &str, arguments: &str| {
        let function = json!({ "name": name, "arguments": arguments });
        event(&delta(&json!({ "tool_calls": [{ "index": 0, "id": "c1", "function": function }] })))
    };
    let calls = Script::words("")
        .then(&piece("reply", ""))
        .then(&piece("", "{\"say\": \"At "))
        .then(&piece("", "nine.\"}"))
        .then(&finish("tool_calls"))
        .then(DONE);
    let chat = Chat::new([calls]);
    let schema = json!({ "type": "object", "properties": { "say": { "type": "string" } } });
    let responder = responder(&chat).await.with_reply(&schema);
    let question = Question::written("when do you open", "en");
    let answer = responder.respond(question, &CancellationToken::new()).await;
    let deltas: Vec<_> = answer.map(Result::unwrap).collect().await;
    let text = |text: &str| Delta::Text(text.to_owned());
    assert_eq!(deltas[..2], [text("{\"say\": \"At "), text("nine.\"}")]);
    let [Delta::Usage(cost)] = &deltas[2..] else { panic!("{deltas:?}") };
    assert!(cost.estimated && cost.completion_tokens > 3, "the server tells none: {cost:?}");
    let [asked] = &chat.asked()[..] else { panic!("one request") };
    assert_eq!(asked.body["tools"][0]["function"]["parameters"], schema);
}
