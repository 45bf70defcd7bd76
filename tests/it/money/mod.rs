//! Money: what turns of the real service use and cost, and where credits end them.

mod credits;
mod refused;

use hark::turn::{Outcome, TurnReport};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::update::voice_note;
use crate::harness::{PERSON, Setup, TestApp, words_of};
use crate::openai::chat::{Chat, DONE, Script, event, finish};
use crate::openai::{router, serve};

/// A service whose model has these scripts, and whose agent writes.
async fn asking(scripts: impl IntoIterator<Item = Script>) -> (Setup, Chat) {
    let chat = Chat::new(scripts);
    let url = serve(router(chat.clone())).await;
    let setup = TestApp::start().set("llm.engine", "openai").set("llm.url", &url);
    (setup.set("llm.model", "m"), chat)
}

/// An answer that cost 1,000 tokens in, 600 of them cached, and 100 out.
fn counted(text: &str) -> Script {
    let usage = json!({
        "prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100,
        "prompt_tokens_details": { "cached_tokens": 600 },
    });
    let usage = event(&json!({ "choices": [], "usage": usage }));
    Script::words(text).then(&finish("stop")).then(&usage).then(DONE)
}

/// Prices of all that these services use; 15 and 6 millionths a character and 1/10 s, 4,100 a message.
fn prices() -> Value {
    json!({
        "currency": "USD", "note": "of a test",
        "llm": { "m": { "input": "0.15", "cached_input": "0.075", "output": "0.6" } },
        "stt": { "scripted": { "minute": "0.0036" } },
        "tts": { "scripted": { "million_chars": "15" } },
        "message": "0.0041", "tool_call": "0",
    })
}

async fn answered(app: &TestApp, from: &str, question: &str) -> TurnReport {
    app.text(from, question).await;
    app.run_until_idle().await;
    app.turns().await.pop().expect("a turn").report.expect("it is finished")
}

/// The sums that a query asks for.
async fn usage(app: &TestApp, token: &str, query: &str) -> Vec<Value> {
    let list = app.api_get(token, &format!("/usage?{query}")).send().await.expect(200);
    list["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_turn_is_metered_and_keeps_its_price() {
    let (setup, _chat) = asking([counted("Two euros fifty.")]).await;
    let app = setup.hears("what is the price").await;
    let (admin, operator) = (app.token("admin").await, app.token("operator").await);
    let set = app.api_post(&admin, "/prices", &prices()).send().await.expect(201);
    assert_eq!((&set["version"], &set["in_use"]), (&json!(1), &json!(true)));
    assert_eq!(set["prices"], prices());
    app.deliver(voice_note("en_hours.ogg")).await;
    app.run_until_idle().await;
    assert_eq!(app.sent_one().kind, "audio");
    let [sum] = &usage(&app, &operator, "by=agent,contact").await[..] else { panic!("one sum") };
    let keys = ["day", "number", "agent", "contact"].map(|key| sum[key].clone());
    assert_eq!(keys, [Value::Null, Value::Null, json!("hark"), json!(PERSON)]);
    let tokens = ["turns", "prompt_tokens", "cached_tokens", "completion_tokens", "messages"];
    assert_eq!(tokens.map(|key| sum[key].as_u64().unwrap()), [1, 1000, 600, 100, 1]);
    let characters = sum["spoken_chars"].as_u64().unwrap();
    let heard_ms = (sum["heard_s"].as_f64().unwrap() * 1000.0).round();
    assert!(characters > 9 && heard_ms > 500.0 && sum["spoken_s"].as_f64().unwrap() > 0.1, "{sum}");
    // Whole millionths: 400 x 0.15 + 600 x 0.075 + 100 x 0.60, and 0.06 a millisecond that was heard.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few seconds")]
    let heard = (heard_ms * 0.06 + 0.5) as u64;
    let first = 165 + heard + 15 * characters + 4_100;
    assert_eq!((&sum["cost"], &sum["currency"]), (&json!(format!("0.{first:06}")), &json!("USD")));
    assert_eq!((&sum["certainty"], &sum["unpriced"]), (&json!("exact"), &json!([])));

    // Dearer from now on: what was is as it was.
    let mut dearer = prices();
    dearer["message"] = json!("1");
    app.api_post(&admin, "/prices", &dearer).send().await.expect(201);
    answered(&app, PERSON, "and tea").await;
    app.sent();
    let priced = app.sql("SELECT prices, cost FROM usage ORDER BY prices");
    let second = 165 + 15 * characters + 1_000_000;
    assert_eq!(priced, [["1".to_owned(), first.to_string()], ["2".to_owned(), second.to_string()]]);
    let all = &usage(&app, &operator, "by=").await[0];
    assert_eq!(all["cost"], format!("1.{:06}", first + second - 1_000_000));
    let versions = app.api_get(&operator, "/prices").send().await.expect(200);
    assert_eq!(versions["items"][1]["note"], "of a test");
    let one = app.api_get(&operator, "/prices/1").send().await.expect(200);
    assert_eq!((&one["prices"], &one["in_use"]), (&prices(), &json!(false)));
    assert!(app.metrics().await.contains("kind=\"cached\"} 1200"));
    let lines = app.hark(&["usage", "--by", "number", "--zone", "Asia/Kathmandu"]).await;
    assert_eq!((lines.len(), &lines[0]["turns"]), (1, &json!(2)));
    let shown = app.hark(&["usage", "prices", "show", "1"]).await;
    assert_eq!(shown[0]["prices"], prices());
}

#[tokio::test]
async fn what_is_not_known_is_said() {
    // One that tells no cost, and one of another model that has no price.
    let silent = Script::words("Two euros fifty.").then(&finish("stop")).then(DONE);
    let (setup, _chat) = asking([silent, counted("Three euros.")]).await;
    let app = setup.set("agents.0.reply", "text").await;
    let admin = app.token("admin").await;
    answered(&app, PERSON, "before there are prices").await;
    let sum = usage(&app, &admin, "by=").await.remove(0);
    assert_eq!((&sum["cost"], &sum["certainty"]), (&Value::Null, &json!("unknown")));
    assert!(sum["prompt_tokens"].as_u64().unwrap() > 50, "an estimate: {sum}");
    let only_messages = json!({ "currency": "EUR", "message": "0.01" });
    app.api_post(&admin, "/prices", &only_messages).send().await.expect(201);
    answered(&app, PERSON, "and now").await;
    app.sent();
    let sums = usage(&app, &admin, "by=day").await;
    let [unpriced, priced] = &sums[..] else { panic!("{sums:?}") };
    assert_eq!(unpriced["currency"], Value::Null);
    assert_eq!((&priced["cost"], &priced["certainty"]), (&json!("0.010000"), &json!("unknown")));
    assert_eq!((&priced["unpriced"], &priced["unknown"]), (&json!(["llm openai/m"]), &json!(1)));
}

#[tokio::test]
async fn an_estimate_is_one_and_what_was_thought_for_nothing_is_paid() {
    let silent = Script::words("Two euros fifty.").then(&finish("stop")).then(DONE);
    let thought = json!({ "prompt_tokens": 50, "completion_tokens": 400, "total_tokens": 450 });
    let thought = event(&json!({ "choices": [], "usage": thought }));
    let only_thoughts = Script::words("").then(&finish("length")).then(&thought).then(DONE);
    let (setup, _chat) = asking([silent, only_thoughts]).await;
    let app = setup.set("agents.0.reply", "text").await;
    let admin = app.token("admin").await;
    app.api_post(&admin, "/prices", &prices()).send().await.expect(201);
    let account = format!("/credits/numbers/{}", crate::harness::NUMBER);
    let nine = json!({ "balance": 9 });
    app.api(&admin, Method::PUT, &account).json(&nine).of_version(0).send().await.expect(200);
    answered(&app, PERSON, "what is the price").await;
    let sum = usage(&app, &admin, "by=").await.remove(0);
    assert_eq!((&sum["certainty"], &sum["estimated"]), (&json!("estimated"), &json!(1)));
    let report = answered(&app, "15550002222", "what is the meaning of it all").await;
    app.sent();
    assert_eq!(report.outcome, Outcome::Fallback);
    let sum = usage(&app, &admin, "by=contact&contact=15550002222").await.remove(0);
    let attempts = sum["prompt_tokens"].as_u64().unwrap() / 50;
    assert!(attempts >= 1 && sum["completion_tokens"] == 400 * attempts, "{sum}");
    assert_eq!((&sum["certainty"], &sum["credits"]), (&json!("exact"), &json!(0)));
    let left = app.api_get(&admin, &account).send().await.expect(200);
    let left = ["balance", "reserved", "spent"].map(|key| left[key].as_i64().unwrap());
    assert_eq!(left, [8, 0, 1], "a fallback is no answer");
}

#[tokio::test]
async fn a_table_holds_no_formula() {
    let app = TestApp::start()
        .set("agents.0.name", "=HYPERLINK(\"a\")")
        .set("agents.0.reply", "text")
        .set("default_agent", "=HYPERLINK(\"a\")")
        .await;
    let operator = app.token("operator").await;
    answered(&app, PERSON, "hello").await;
    app.sent();
    let (status, kind, body) = {
        let url = app.address("/api/v1/usage?by=agent&format=csv");
        let client = hark::remote::http_client();
        let answer = client.get(url).bearer_auth(&operator).send().await.unwrap();
        let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
        (answer.status().as_u16(), kind, answer.text().await.unwrap())
    };
    assert_eq!((status, kind.as_str()), (200, "text/csv; charset=utf-8; header=present"));
    let mut table = csv::Reader::from_reader(body.as_bytes());
    assert_eq!(table.headers().unwrap().len(), 20);
    let row = table.records().next().unwrap().unwrap();
    assert_eq!((&row[2], &row[4]), ("'=HYPERLINK(\"a\")", "1"));
    assert!(body.ends_with("\r\n"));
}

#[tokio::test]
async fn days_begin_where_somebody_lives() {
    let app = TestApp::start().set("agents.0.reply", "text").await;
    let token = app.token("operator").await;
    answered(&app, PERSON, "hello").await;
    app.sent();
    let at = jiff::Timestamp::from_millisecond(app.now_ms()).unwrap();
    for zone in ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"] {
        let day = at.in_tz(zone).unwrap().date().to_string();
        let sums = usage(&app, &token, &format!("by=day&zone={zone}&from={day}&to={day}")).await;
        assert_eq!((sums.len(), &sums[0]["day"]), (1, &json!(day)), "{zone}");
        let before = at.in_tz(zone).unwrap().date().yesterday().unwrap();
        let sums = usage(&app, &token, &format!("zone={zone}&from={before}&to={before}")).await;
        assert!(sums.is_empty(), "{zone}: {sums:?}");
    }
    // A time as an end is not included.
    let sums = usage(&app, &token, &format!("by=&from=2020-01-01&to={at}")).await;
    assert!(sums.is_empty(), "{sums:?}");
}
