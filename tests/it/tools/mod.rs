//! Tools: what a model calls, over HTTP and at MCP servers, on its way through the whole service.

mod failing;
mod kept;
mod mcp;
mod shop;

use hark::turn::{Outcome, ToolOutcome, ToolUse, TurnReport};
use serde_json::{Value, json};

use self::shop::Shop;
use crate::harness::update::voice_note;
use crate::harness::{PERSON, Setup, TestApp};
use crate::openai::chat::{Asked, Chat, DONE, Script, delta, event, finish, used};
use crate::openai::{router, serve};

const KEY: &str = "Bearer k3y-of-the-shop";

/// A service whose model has these scripts.
async fn asking(scripts: impl IntoIterator<Item = Script>) -> (Setup, Chat) {
    let chat = Chat::new(scripts);
    let url = serve(router(chat.clone())).await;
    let setup = TestApp::start().set("llm.engine", "openai").set("llm.url", &url);
    (setup.set("llm.model", "m"), chat)
}

/// The same with a tool `find_order`, which takes an `id`, at this address.
async fn with_tool(scripts: impl IntoIterator<Item = Script>, url: &str) -> (Setup, Chat) {
    let (setup, chat) = asking(scripts).await;
    (tool(setup, 0, "find_order", url), chat)
}

fn tool(setup: Setup, place: usize, name: &str, url: &str) -> Setup {
    let key = |key: &str| format!("agents.0.tools.{place}.{key}");
    setup
        .set(&key("name"), name)
        .set(&key("description"), "Finds an order by its number.")
        .set(&key("url"), url)
        .set(&key("parameters.type"), "object")
        .set(&key("parameters.properties.id.type"), "string")
        .set(&key("parameters.required.0"), "id")
}

/// An answer that says something and then calls tools: each with its id, name and arguments.
fn calls(words: &str, calls: &[(&str, &str, &str)]) -> Script {
    let calls = calls.iter().enumerate().map(|(index, (id, name, arguments))| {
        let function = json!({ "name": name, "arguments": arguments });
        json!({ "index": index, "id": id, "type": "function", "function": function })
    });
    let calls: Vec<Value> = calls.collect();
    Script::words(words)
        .then(&event(&delta(&json!({ "tool_calls": calls }))))
        .then(&finish("tool_calls"))
        .then(&used(20, 7))
        .then(DONE)
}

fn call(arguments: &str) -> Script {
    calls("", &[("c1", "find_order", arguments)])
}

async fn answered(app: &TestApp, question: &str) -> TurnReport {
    app.text(PERSON, question).await;
    app.run_until_idle().await;
    app.turns().await.pop().expect("a turn").report.expect("it is finished")
}

fn roles(asked: &Asked) -> Vec<String> {
    let messages = asked.body["messages"].as_array().unwrap();
    messages.iter().map(|message| message["role"].as_str().unwrap().to_owned()).collect()
}

/// What the model was told of its last call.
fn told(asked: &Asked) -> String {
    asked.body["messages"].as_array().unwrap().last().unwrap()["content"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn a_spoken_question_is_answered_with_what_a_tool_said() {
    let shop = Shop::start().await;
    let scripts = [
        calls("One moment, I look that up.", &[("c1", "find_order", "{\"id\":\"A 7/1\"}")]),
        Script::says("It is on its way."),
    ];
    let (setup, chat) = with_tool(scripts, &shop.url("/orders/{id}")).await;
    let app = setup.hears("where is my order").set("agents.0.tools.0.headers.authorization", KEY);
    let app = app.await;
    app.deliver(voice_note("en_hours.ogg")).await;
    app.run_until_idle().await;
    assert_eq!(app.sent_one().kind, "audio");
    let report = app.report().await;
    assert_eq!(report.reply.text, "One moment, I look that up.\n\nIt is on its way.");
    assert_eq!((report.outcome, &report.reason), (Outcome::VoiceNote, &None));

    // What was asked: the argument encoded, the header with the key, nothing else.
    let [asked] = &shop.asked()[..] else { panic!("one request") };
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("GET", "/orders/A%207%2F1"));
    assert_eq!(asked.headers["authorization"], KEY);

    // What the model was offered, and what it was told.
    let [first, second] = &chat.asked()[..] else { panic!("two requests") };
    let function = &first.body["tools"][0]["function"];
    assert_eq!(
        (&function["name"], &first.body["tools"][0]["type"]),
        (&json!("find_order"), &json!("function"))
    );
    assert_eq!(function["parameters"]["required"], json!(["id"]));
    assert_eq!(roles(second), ["system", "user", "assistant", "tool"]);
    let messages = second.body["messages"].as_array().unwrap();
    assert_eq!(messages[2]["content"], "One moment, I look that up.");
    assert_eq!(messages[2]["tool_calls"][0]["id"], "c1");
    assert_eq!(messages[3]["tool_call_id"], "c1");
    assert_eq!(messages[3]["content"], r#"{"state":"sent","id":"A 7/1"}"#);

    // The record, the waterfall and the metrics have it.
    let [ToolUse { name, arguments, result, outcome, ms, .. }] = &report.tools[..] else {
        panic!("{:?}", report.tools)
    };
    assert_eq!((name.as_str(), *outcome), ("find_order", ToolOutcome::Answered));
    assert_eq!(
        (arguments.reveal(), result.reveal()),
        ("{\"id\":\"A 7/1\"}", r#"{"state":"sent","id":"A 7/1"}"#)
    );
    assert!(*ms > 0.0);
    assert!(report.stages.iter().any(|stage| stage.name.name() == "tools"));
    let metrics = app.metrics().await;
    assert!(
        metrics.contains("hark_tool_seconds_count{tool=\"find_order\",outcome=\"answered\"}"),
        "{metrics}"
    );
    let token = app.token("operator").await;
    let turns = app.api_get(&token, "/turns").send().await.expect(200);
    let path = format!("/turns/{}", turns["items"][0]["id"].as_str().unwrap());
    let turn = app.api_get(&token, &path).send().await.expect(200);
    assert_eq!(turn["report"]["tools"][0]["outcome"], "answered", "{turn}");
    assert!(!turn.to_string().contains("k3y-of-the-shop"));
    // Both rounds cost.
    assert_eq!(app.turns().await[0].report.as_ref().unwrap().tools.len(), 1);
}

#[tokio::test]
async fn several_calls_are_made_side_by_side_and_each_gets_its_answer() {
    // The shop answers two at once or neither.
    let shop = Shop::start().await;
    let both = calls(
        "",
        &[("c1", "find_order", "{\"id\":\"1\"}"), ("c2", "find_order", "{\"id\":\"2\"}")],
    );
    let (setup, chat) =
        with_tool([both, Script::says("Both are sent.")], &shop.url("/together/{id}")).await;
    let app = setup.await;
    let report = answered(&app, "where are my orders").await;
    app.sent();
    assert_eq!(report.reply.text, "Both are sent.");
    let asked = chat.asked();
    let messages = asked[1].body["messages"].as_array().unwrap();
    let ids: Vec<_> = messages[3..].iter().map(|m| m["tool_call_id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["c1", "c2"]);
    for (message, id) in messages[3..].iter().zip(["1", "2"]) {
        assert_eq!(message["content"], format!("order {id}"));
    }
    assert_eq!(report.tools.len(), 2);
}

#[tokio::test]
async fn arguments_that_do_not_fit_go_back_to_the_model_which_corrects_them() {
    let shop = Shop::start().await;
    let scripts = [
        call("{\"id\":7}"),
        call("{\"id\":"),
        calls("", &[("c3", "find_orders", "{}")]),
        call("{\"id\":\"7\"}"),
        Script::says("It is sent."),
    ];
    let (setup, chat) = with_tool(scripts, &shop.url("/orders/{id}")).await;
    let app = setup.set("llm.max_rounds", "9").await;
    let report = answered(&app, "where is order 7").await;
    app.sent();
    assert_eq!(report.reply.text, "It is sent.");
    let asked = chat.asked();
    assert_eq!(
        told(&asked[1]),
        "{\"error\":\"the arguments do not fit: id must be of type string\"}"
    );
    assert!(told(&asked[2]).starts_with("{\"error\":\"the arguments are no JSON: "));
    assert_eq!(
        told(&asked[3]),
        "{\"error\":\"there is no tool find_orders; tools are: find_order\"}"
    );
    let outcomes: Vec<_> = report.tools.iter().map(|tool| tool.outcome.name()).collect();
    assert_eq!(outcomes, ["wrong_arguments", "wrong_arguments", "unknown", "answered"]);
    assert_eq!(shop.asked().len(), 1, "what does not fit is not sent");
}

#[tokio::test]
async fn after_the_last_round_the_model_is_asked_without_tools() {
    let shop = Shop::start().await;
    let again = || call("{\"id\":\"7\"}");
    let scripts = [again(), again(), Script::says("I could not find out.")];
    let (setup, chat) = with_tool(scripts, &shop.url("/orders/{id}")).await;
    let app = setup.set("llm.max_rounds", "2").await;
    let report = answered(&app, "where is order 7").await;
    app.sent();
    assert_eq!(report.reply.text, "I could not find out.");
    let asked = chat.asked();
    let offered: Vec<_> = asked.iter().map(|asked| asked.body["tools"].is_array()).collect();
    assert_eq!(offered, [true, true, false]);
    assert_eq!(shop.asked().len(), 2);
}

#[tokio::test]
async fn a_server_that_takes_no_tools_is_asked_without_them_from_then_on() {
    let scripts = [
        Script::error(400, "registry.ollama.ai/library/tiny does not support tools"),
        Script::says("I do not know."),
    ];
    let (setup, chat) = with_tool(scripts, "http://127.0.0.1:1/{id}").await;
    let app = setup.set("llm.retries", "0").await;
    assert_eq!(answered(&app, "one").await.reply.text, "I do not know.");
    answered(&app, "two").await;
    app.sent();
    let offered: Vec<_> = chat.asked().iter().map(|a| a.body["tools"].is_array()).collect();
    assert_eq!(offered, [true, false, false]);
}

#[tokio::test]
async fn arguments_without_a_place_go_into_the_query_or_the_body() {
    let shop = Shop::start().await;
    let arguments = "{\"id\":\"7\",\"note\":\"a & b\",\"n\":2}";
    for (method, path, body) in [
        ("GET", "/orders/7?n=2&note=a+%26+b", Value::Null),
        ("DELETE", "/orders/7?n=2&note=a+%26+b", Value::Null),
        ("POST", "/orders/7", json!({ "note": "a & b", "n": 2 })),
        ("PATCH", "/orders/7", json!({ "note": "a & b", "n": 2 })),
    ] {
        let scripts = [call(arguments), Script::says("Done.")];
        let (setup, _) = with_tool(scripts, &shop.url("/orders/{id}")).await;
        let app = setup.set("agents.0.tools.0.method", method).await;
        answered(&app, "change it").await;
        app.sent();
        let asked = shop.asked().pop().unwrap();
        assert_eq!((asked.method.as_str(), asked.path.as_str()), (method, path));
        assert_eq!(asked.body, body, "{method}");
    }
}

#[tokio::test]
async fn calls_are_read_however_a_server_sends_them() {
    let shop = Shop::start().await;
    let function = json!({ "name": "find_order", "arguments": { "id": "7" } });
    let whole = json!({
        "choices": [{
            "message": { "role": "assistant", "content": null, "tool_calls": [{ "function": function }] },
            "finish_reason": "tool_calls",
        }],
    });
    let whole = Script::status(200, "application/json", &whole.to_string());
    // No [DONE], an end that says "stop", and no id.
    let bare = calls("", &[("", "find_order", "{\"id\":\"7\"}")]);
    let stops = Script::words("")
        .then(&event(&delta(&json!({ "tool_calls": [{ "function": {
            "name": "find_order", "arguments": "{\"id\":\"7\"}",
        } }] }))))
        .then(&finish("stop"));
    let thinks = Script::words("<think>An order. I look it up.</think>")
        .then(&event(&delta(&json!({ "tool_calls": [{ "index": 0, "id": "x", "function": {
            "name": "find_order", "arguments": "{\"id\":\"7\"}",
        } }] }))))
        .then(&finish("tool_calls"))
        .then(DONE);
    for script in [whole, call("{\"id\":\"7\"}").in_pieces_of(1), bare, stops, thinks] {
        let scripts = [script, Script::says("It is sent.")];
        let (setup, chat) = with_tool(scripts, &shop.url("/orders/{id}")).await;
        let app = setup.await;
        let report = answered(&app, "where is order 7").await;
        app.sent();
        assert_eq!((report.reply.text.reveal(), report.reason), ("It is sent.", None));
        let [_, second] = &chat.asked()[..] else { panic!("two requests") };
        let messages = second.body["messages"].as_array().unwrap();
        let id = &messages[2]["tool_calls"][0]["id"];
        assert!(id.as_str().is_some_and(|id| !id.is_empty()) && *id == messages[3]["tool_call_id"]);
    }
}

#[tokio::test]
async fn a_model_that_fails_after_a_call_keeps_its_words_and_the_call_on_record() {
    let shop = Shop::start().await;
    let look = calls("One moment, I look.", &[("c1", "find_order", "{\"id\":\"7\"}")]);
    let (setup, _) = with_tool([look, Script::error(400, "no")], &shop.url("/orders/{id}")).await;
    let app = setup.await;
    let report = answered(&app, "where is order 7").await;
    app.sent();
    assert!(report.reply.text.reveal().starts_with("One moment, I look. "), "{:?}", report.outcome);
    assert_eq!(report.tools[0].outcome, ToolOutcome::Answered);
    // Without words the person gets the fallback, and the record still says what was called.
    let scripts = [call("{\"id\":\"7\"}"), Script::error(400, "no")];
    let (setup, _) = with_tool(scripts, &shop.url("/orders/{id}")).await;
    let app = setup.await;
    let report = answered(&app, "where is order 7").await;
    app.sent();
    assert_eq!((report.outcome, report.tools.len()), (Outcome::Fallback, 1));
}
