//! What nobody may ask, and what nobody can mean: each thing is named.

use reqwest::Method;
use serde_json::{Value, json};

use super::prices;
use crate::harness::{NUMBER, TestApp};
use crate::program::Hark;

#[tokio::test]
async fn an_operator_sees_the_books_and_changes_nothing() {
    let app = TestApp::start().await;
    let operator = app.token("operator").await;
    for path in ["/usage", "/usage?format=csv", "/credits", "/prices"] {
        app.api_get(&operator, path).send().await.expect(200);
    }
    let account = format!("/credits/numbers/{NUMBER}");
    for (method, path) in [
        (Method::POST, "/prices"),
        (Method::PUT, account.as_str()),
        (Method::DELETE, &account),
        (Method::PUT, "/credits/agents/hark"),
        (Method::DELETE, "/credits/agents/hark"),
    ] {
        let refused = app.api(&operator, method, path).json(&json!({})).of_version(0).send().await;
        refused.problem(403, "forbidden");
    }
    for path in ["/usage", "/credits", "/prices", "/prices/1"] {
        let (status, body) = app.get(&format!("/api/v1{path}")).await;
        assert!(status == 401 && body.contains("hark token create"), "{path}: {body}");
    }
}

#[tokio::test]
async fn wrong_prices_are_named_by_their_place() {
    let app = TestApp::start().await;
    let admin = app.token("admin").await;
    let with = |pointer: &str, value: Value| {
        let mut book = prices();
        *book.pointer_mut(pointer).expect(pointer) = value;
        book
    };
    for (book, said) in [
        (with("/stt/scripted/minute", json!("-0.1")), "stt.scripted.minute: is negative"),
        (with("/stt/scripted/minute", json!("NaN")), "stt.scripted.minute: is no price"),
        (with("/stt/scripted/minute", json!("1e400")), "stt.scripted.minute: is no price"),
        (with("/llm/m/output", json!("9".repeat(400))), "llm.m.output: is more than 1000000"),
        (with("/llm/m/output", json!(0.6)), "llm.m.output: has the wrong type: expected a string"),
        (with("/message", json!("0.0000000000001")), "message: has more than 12 digits"),
        (with("/currency", json!("XXX")), "currency: is no currency"),
        (with("/tts/scripted", json!({})), "tts.scripted: has no price"),
        (with("/note", json!("x".repeat(201))), "note: has more than 200"),
        (json!({ "currency": "USD", "sms": "1" }), "unknown field `sms`"),
        (json!({}), "missing field `currency`"),
    ] {
        let refused = app.api_post(&admin, "/prices", &book).send().await;
        let detail = refused.problem(422, "invalid");
        assert!(detail.contains(said), "{said}: {detail}");
    }
    let none = app.api_get(&admin, "/prices").send().await.expect(200);
    assert_eq!(none["items"], json!([]));
    for version in ["1", "0", "-1", "latest"] {
        let path = format!("/prices/{version}");
        app.api_get(&admin, &path).send().await.problem(404, "not-found");
    }
    // The same request with a key is one version.
    for _ in 0..2 {
        let once = app.api_post(&admin, "/prices", &prices()).header("Idempotency-Key", "a");
        assert_eq!(once.send().await.expect(201)["version"], 1);
    }
}

#[tokio::test]
async fn wrong_credits_are_named() {
    let app = TestApp::start().await;
    let admin = app.token("admin").await;
    let path = format!("/credits/numbers/{NUMBER}");
    let put = async |path: &str, version: u64, body: &str| {
        let request = app.api(&admin, Method::PUT, path).header("Content-Type", "application/json");
        request.of_version(version).body(body.to_owned()).send().await
    };
    for (body, said) in [
        ("{}", "changes nothing"),
        (r#"{"balance": -1}"#, "balance: must be from 0"),
        (r#"{"balance": 1000000001}"#, "balance: must be from 0"),
        (r#"{"balance": 1e300}"#, "balance: has the wrong type"),
        (r#"{"balance": 1.5}"#, "balance: has the wrong type"),
        (r#"{"balance": "many"}"#, "balance: has the wrong type"),
        (r#"{"balance": 1, "add": 1}"#, "add: balance is set too"),
        (r#"{"add": -1000000001}"#, "add: must be from"),
        (r#"{"balance": 1, "warn_below": -1}"#, "warn_below: must be from 0"),
        (r#"{"credits": 1}"#, "unknown field"),
    ] {
        let detail = put(&path, 0, body).await.problem(422, "invalid");
        assert!(detail.contains(said), "{body}: {detail}");
    }
    put(&path, 0, r#"{"balance": NaN}"#).await.problem(400, "malformed");
    let one = r#"{"balance": 1}"#;
    let detail = put("/credits/numbers/47", 0, one).await.problem(404, "not-found");
    assert_eq!(detail, format!("there is no such number; numbers are: {NUMBER}"));
    let detail = put("/credits/agents/nobody", 0, one).await.problem(404, "not-found");
    assert_eq!(detail, "there is no such agent; agents are: hark");
    app.api(&admin, Method::PUT, &path).json(&json!({})).send().await.problem(428, "no-version");
    put(&path, 0, one).await.expect(200);
    put(&path, 0, one).await.problem(412, "stale");
    app.api(&admin, Method::DELETE, &path).of_version(3).send().await.problem(412, "stale");
    put("/credits/agents/hark", 3, one).await.problem(404, "not-found");
    let warned = put(&path, 1, r#"{"warn_below": 5}"#).await.expect(200);
    assert_eq!((&warned["balance"], &warned["warn_below"]), (&json!(1), &json!(5)));
    let unwarned = put(&path, 2, r#"{"warn_below": null}"#).await.expect(200);
    assert_eq!((&unwarned["warn_below"], &unwarned["version"]), (&Value::Null, &json!(3)));
}

#[tokio::test]
async fn a_wrong_question_is_named() {
    let app = TestApp::start().await;
    let token = app.token("operator").await;
    for (query, said) in [
        ("from=yesterday", "from must be a day"),
        ("from=2026-13-01", "from must be a day"),
        ("from=2026-02-30", "from must be a day"),
        ("from=NaN", "from must be a day"),
        ("to=2026-1-1", "to must be a day"),
        ("to=99999999999", "to must be a day"),
        ("to=9999-12-31", "to is out of time"),
        ("from=2026-11-02&to=2026-11-01", "to must be after from"),
        ("from=2000-01-01&to=2026-11-01", "more than 1100 days apart"),
        ("by=week", "by must name some of day"),
        ("by=day,day", "by names day twice"),
        ("zone=Atlantis", "zone must be a time zone"),
        ("zone=", "zone must be a time zone"),
        ("format=xlsx", "format"),
        ("limit=0", "limit must be"),
        ("cursor=x", "cursor must be"),
        ("format=csv&limit=9", "a table is whole"),
        ("colour=red", "colour"),
    ] {
        let answer = app.api_get(&token, &format!("/usage?{query}")).send().await;
        let detail = answer.problem(400, "malformed");
        assert!(detail.contains(said), "{query}: {detail}");
    }
    let early = app.api_get(&token, "/usage?by=&from=0001-01-01&to=2026-11-01").send().await;
    assert_eq!(early.expect(200), json!({ "items": [], "next": null }));
}

#[tokio::test]
async fn a_command_that_cannot_be_meant_says_so() {
    let hark = Hark::new().file("book.json", r#"{"currency":"USD","message":1}"#).file("odd", "{");
    for (arguments, code, said) in [
        (&["usage", "prices", "set", "book.json"][..], 1, "book.json: message: has the wrong type"),
        (&["usage", "prices", "set", "odd"], 1, "odd: it is not JSON: line 1, column 1"),
        (&["usage", "prices", "set", "nothing.json"], 1, "nothing.json"),
        (&["usage", "prices", "show"], 1, "there is no version of the prices yet"),
        (&["usage", "--by", "week"], 1, "by must name some of"),
        (&["usage", "--from", "soon"], 1, "from must be a day"),
        (&["usage", "--csv", "--json"], 2, "cannot be used with"),
        (&["usage", "credits", "set", "--balance", "1"], 2, "required"),
        (&["usage", "credits", "set", "--agent", "x", "--balance", "1"], 1, "no such agent"),
        (&["usage", "credits", "set", "--agent", "hark", "--balance", "-1"], 2, "-1"),
        (&["usage", "credits", "add", "--agent", "hark", "1.5"], 2, "1.5"),
        (&["usage", "credits", "remove", "--agent", "hark"], 1, "answers without limit"),
    ] {
        let ran = hark.run(arguments).await;
        assert_eq!(ran.code, code, "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(said), "{arguments:?}: {}", ran.stderr);
    }
    let ran = hark.run(&["usage"]).await;
    assert_eq!((ran.code, ran.text()), (0, ""));
    assert!(ran.stderr.contains("nothing was used"), "{}", ran.stderr);
    let table = hark.run(&["usage", "--csv"]).await;
    assert!(table.text().starts_with("day,number,agent,contact,turns,"), "{}", table.text());
}
