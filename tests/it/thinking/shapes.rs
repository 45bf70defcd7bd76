//! Answers and errors in the shapes of many servers: what is said of them, or told.

use futures_util::StreamExt as _;
use hark::agent::{Delta, Question, Responder as _};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::responder;
use crate::openai::chat::{Chat, DONE, Script, delta, event, finish};

/// What is said of an answer, retractions done, or the error.
async fn outcome(chat: &Chat) -> String {
    outcome_of(&responder(chat).await).await
}

async fn outcome_of(responder: &hark::agent::openai::OpenAiResponder) -> String {
    let question = Question::written("What are your hours?", "en");
    let mut answer = responder.respond(question, &CancellationToken::new()).await;
    let mut said = String::new();
    while let Some(delta) = answer.next().await {
        match delta {
            Ok(Delta::Text(text)) => said.push_str(&text),
            Ok(Delta::Retract) => said.clear(),
            Ok(Delta::Usage(_) | Delta::Tool(_) | Delta::Extra(_) | Delta::Ticket(_)) => {}
            Err(error) => return format!("{said}|{error}"),
        }
    }
    said.trim().to_owned()
}

/// An answer whose chunks have these deltas.
fn deltas(deltas: &[Value]) -> Script {
    let script = deltas.iter().fold(Script::stream(""), |s, d| s.then(&event(&delta(d))));
    script.then(&finish("stop")).then(DONE)
}

fn texts(pieces: &[&str]) -> Script {
    let pieces: Vec<Value> = pieces.iter().map(|piece| json!({ "content": piece })).collect();
    deltas(&pieces)
}

async fn check(script: Script, expected: &str) {
    let shown = format!("{script:?}");
    for script in [script.clone(), script.in_pieces_of(7)] {
        assert_eq!(outcome(&Chat::new([script])).await, expected, "{shown}");
    }
}

async fn tells(script: Script, words: &[&str], not: &[&str]) {
    let told = outcome(&Chat::new([script])).await;
    assert!(words.iter().all(|word| told.contains(word)), "{words:?}: {told}");
    assert!(!not.iter().any(|word| told.contains(word)), "{not:?}: {told}");
}

const ANSWER: &str = "We open at nine.";

#[tokio::test]
async fn only_the_answer_of_each_model_is_said() {
    for pieces in [
        &["They ask for hours. ", "I should say nine.", "</think>", "\n\nWe open at nine."][..],
        &["Okay, hours.\n</thinking>\n", "We open at nine."],
        &["Okay, hours.[/THI", "NK]We open at nine."],
        &["hm<|end_of_thought|>\n<|begin_of_solution|>We open at nine.<|end_of_solution|>"],
        &["<Thought>", "hm", "</Thought>", "We open at nine."],
        &["<seed:think>hm</seed:think>", "We open at nine."],
        &[
            "<|channel|>analysis<|message|>hm<|end|><|start|>assistant",
            "<|channel|>final<|message|>We open at nine.<|return|>",
        ],
        &["<think>\n\n</think>\n\nWe open at nine."],
        &["<reasoning effort=\"low\">hm</reasoning>We open at nine."],
        &[
            "We open at nine.",
            "<|eot",
            "_id|>",
            "<|start_header_id|>user<|end_header_id|>\n\nThanks",
        ],
        &["<bos>We open at nine.<end_of_turn>\n<eos>"],
        &["We open at nine.\n\n", "<tool_call>{\"name\":\"a\",\"arguments\":{}}"],
        &[
            "We open at nine. ",
            "{\"name\": \"get_hours\", ",
            "\"parameters\": {\"day\": \"Monday\"}}",
        ],
        &["We open at nine.\n```json\n{\"name\": \"x\", \"arguments\": {}}\n```\n"],
        &[
            "<invoke name=\"get_hours\">\n<parameter name=\"day\">Monday</parameter>\n</invoke>\nWe open at nine.",
        ],
        &[
            "We open at nine.",
            "<|tool_calls_section_begin|><|tool_call_begin|>functions.a:0<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_calls_section_end|>",
        ],
        &["We", "We open", "We open at nine", "We open at nine."],
        &["We open ", "at nine.", "We open at nine."],
        &["We open\u{0} at nine.\u{fffd}"],
        &["We open at nine.", "</s>"],
    ] {
        check(texts(pieces), ANSWER).await;
    }
}

#[tokio::test]
async fn words_in_every_field_are_said() {
    for given in [
        json!([{ "refusal": "We open ", "content": null }, { "refusal": "at nine." }]),
        json!([{ "content": [{ "type": "text", "text": "We open at nine." }] }]),
        json!([{ "content": [{ "type": "output_text", "text": "We open at nine." }] }]),
        json!([{ "content": [{ "type": "refusal", "refusal": "We open at nine." }] }]),
        json!([{ "content": { "type": "text", "text": "We open at nine." } }]),
        json!([{ "reasoning_content": "hm" }, { "content": "We open at nine." }]),
        json!([{ "content": "We open at nine.", "reasoning": null, "tool_calls": [] }]),
    ] {
        check(deltas(given.as_array().unwrap()), ANSWER).await;
    }
    let whole = |choice: Value| {
        Script::status(200, "application/json", &json!({ "choices": [choice] }).to_string())
    };
    check(whole(json!({ "message": { "content": null, "refusal": ANSWER } })), ANSWER).await;
    check(whole(json!({ "text": ANSWER, "finish_reason": "stop" })), ANSWER).await;
    check(whole(json!({ "message": { "content": [{ "type": "text", "text": ANSWER }] } })), ANSWER)
        .await;
    let last = json!({ "choices": [{ "index": 0, "delta": { "content": "" }, "message": { "content": ANSWER }, "finish_reason": "stop" }] });
    check(texts(&[]).then(""), "").await;
    check(Script::stream(event(&last)).then(DONE), ANSWER).await;
    let words = Script::words(ANSWER).then(&event(&last)).then(DONE);
    check(words, ANSWER).await;
}

#[tokio::test]
async fn a_broken_character_ends_no_answer() {
    let raw = |content: &str| {
        format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{content}\"}}}}]}}\n\n")
    };
    let script = |pieces: &[&str]| {
        pieces
            .iter()
            .fold(Script::stream(""), |s, p| s.then(&raw(p)))
            .then(&finish("stop"))
            .then(DONE)
    };
    check(script(&["We open ", "\\ud83c", "\\udf5e", "at nine."]), "We open 🍞at nine.").await;
    check(script(&["We open \\ud83cat nine."]), "We open at nine.").await;
    check(script(&["We open \\udf5e", "at nine.\\ud83c"]), "We open at nine.").await;
    check(script(&["We\topen at nine."]), "We open at nine.").await;
    let mut bytes = raw("We open @at nine.").into_bytes();
    let at = bytes.iter().position(|byte| *byte == b'@').unwrap();
    bytes.splice(at..=at, [0xF0, 0x9F]);
    let broken = Script::stream(bytes).then(&finish("stop")).then(DONE);
    assert_eq!(outcome(&Chat::new([broken])).await, "We open at nine.");
}

#[tokio::test]
async fn what_comes_in_place_of_an_answer_is_named() {
    let call =
        json!({ "tool_calls": [{ "index": 0, "function": { "name": "a", "arguments": "{}" } }] });
    tells(deltas(&[call]), &["a call of a tool"], &[]).await;
    tells(texts(&["<tool_call>{}</tool_call>"]), &["a call of a tool"], &[]).await;
    tells(deltas(&[json!({ "reasoning": "hm" })]), &["thoughts alone"], &[]).await;
    for thought in ["<think>hm, hm", "<|channel|>analysis<|message|>hm"] {
        let eaten = Script::stream(event(&delta(&json!({ "content": thought }))));
        tells(eaten.then(&finish("length")).then(DONE), &["llm.max_tokens", "llm.extra"], &[])
            .await;
    }
    let hidden = Script::stream(event(&delta(&json!({ "content": "" }))));
    tells(hidden.then(&finish("length")), &["llm.max_tokens", "llm.extra"], &[]).await;
}

/// A refusal's status and body, the words that are told of it, and words that are not.
type Refusal = (u16, &'static str, &'static [&'static str], &'static str);

const REFUSALS: &[Refusal] = &[
    (
        400,
        r#"[{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT"}}]"#,
        &["key not valid", "llm.api_key"],
        "check llm.model",
    ),
    (
        401,
        r#"{"statusCode":401,"message":"Access denied due to invalid subscription key."}"#,
        &["Access denied", "llm.api_key"],
        "",
    ),
    (404, r#"{"error":"model 'x' not found"}"#, &["not found", "llm.model"], ""),
    (422, r#"{"detail":[{"loc":["body"],"msg":"Field required"}]}"#, &["Field required"], ""),
    (400, r#"{"object":"error","message":"bad template","code":400}"#, &["bad template"], ""),
    (
        403,
        r#"{"error":{"message":"Input was flagged","code":403,"metadata":{"reasons":["x"]}}}"#,
        &["flagged", "content filter"],
        "check llm.api_key",
    ),
    (
        400,
        r#"{"error":{"message":"m","innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#,
        &["content filter"],
        "check llm.model",
    ),
    (
        400,
        r#"{"error":{"message":"Provider error","metadata":{"raw":"{\"error\":\"no such\"}"}}}"#,
        &["Provider error: no such"],
        "",
    ),
    (
        400,
        r#"{"error":{"code":"context_length_exceeded","message":"maximum context length is 8"}}"#,
        &["context is too small", "history_tokens"],
        "check llm.model",
    ),
    (502, "<html><head><title>502 Bad Gateway</title></head></html>", &["502 Bad Gateway"], ""),
    (200, "<html><h1>Sign in</h1></html>", &["Sign in", "llm.url"], ""),
    (503, "no healthy upstream", &["no healthy upstream"], ""),
    (
        200,
        r#"{"error":{"message":"quota is over","code":"insufficient_quota"}}"#,
        &["quota is over", "credit"],
        "",
    ),
    (200, r#"{"detail":"not authenticated"}"#, &["not authenticated"], ""),
    (200, r#"[{"error":{"message":"in a list","code":500}}]"#, &["in a list"], ""),
];

/// What comes in place of an answer's first word, and what is told of it.
const REPORTS: &[(&str, &str)] = &[
    ("error: {\"code\":500,\"message\":\"out of memory\"}\n\n", "out of memory"),
    ("event: error\ndata: {\"error\":{\"message\":\"overloaded\"}}\n\n", "overloaded"),
    ("{\n  \"error\": {\n    \"message\": \"crashed\"\n  }\n}\n", "crashed"),
    ("data: {\"error\":\"a text\"}\n\n", "a text"),
    ("data: {\"detail\":\"a detail\"}\n\n", "a detail"),
    ("data: {\"choices\":[{\"error\":{\"message\":\"in a choice\"}}]}\n\n", "in a choice"),
    ("Internal Server Error\n", "Internal Server Error"),
    ("data: {\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}\n\n", "content filter"),
];

#[tokio::test]
async fn an_errors_words_and_advice_are_right_wherever_they_stand() {
    for (status, body, words, not) in REFUSALS {
        let not = Some(*not).filter(|not| !not.is_empty());
        tells(Script::status(*status, "application/json", body), words, not.as_slice()).await;
    }
    for (report, words) in REPORTS {
        tells(Script::words("").then(report), &[words], &[]).await;
        let spoken = Script::words("We open at nine.").then(report);
        tells(spoken, &["We open at nine.|"], &["no message"]).await;
    }
}

#[tokio::test]
async fn a_server_that_does_not_stream_is_asked_without_and_remembered() {
    let whole =
        json!({ "choices": [{ "message": { "content": ANSWER }, "finish_reason": "stop" }] });
    let whole = Script::status(200, "application/json", &whole.to_string());
    for (status, words) in [
        (400, "Streaming is not supported by this model."),
        (422, "stream must be false"),
        (501, "streaming is not implemented"),
        (200, "stream is not supported"),
    ] {
        let chat = Chat::new([Script::error(status, words)]);
        chat.answer_where_not("stream", whole.clone());
        let responder = responder(&chat).await;
        for _ in 0..2 {
            assert_eq!(outcome_of(&responder).await, ANSWER, "{words}");
        }
        let streamed: Vec<bool> =
            chat.asked().iter().map(|asked| asked.body["stream"].as_bool().unwrap()).collect();
        assert_eq!(streamed, [true, false, false], "{words}");
    }
}

#[tokio::test]
async fn a_server_that_opens_thoughts_is_known_from_its_first_answer() {
    let thinks = || texts(&["They ask. ", "Nine?", "</think>", "We open at nine."]);
    let chat = Chat::new([thinks(), thinks(), texts(&["We open ", "at nine."]), thinks()]);
    let responder = responder(&chat).await;
    let ask = async || {
        let question = Question::written("What are your hours?", "en");
        let answer = responder.respond(question, &CancellationToken::new()).await;
        let deltas: Vec<Delta> = answer.map(Result::unwrap).collect().await;
        // What it cost is estimated, since the server tells nothing.
        deltas.into_iter().filter(|delta| !matches!(delta, Delta::Usage(_))).collect::<Vec<_>>()
    };
    let text = |text: &str| Delta::Text(text.to_owned());
    // Twice no thought is given away. Then the server is taken for one that opens none.
    assert_eq!(ask().await, [text(ANSWER)]);
    assert_eq!(ask().await, [text(ANSWER)]);
    assert_eq!(ask().await, [text(ANSWER)]);
    let said = ask().await;
    assert_eq!(said.last(), Some(&text(ANSWER)));
    assert_eq!(said.iter().filter(|delta| **delta == Delta::Retract).count(), 1, "{said:?}");
}
