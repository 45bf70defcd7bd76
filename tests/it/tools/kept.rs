//! Tools of agents that the store has, of the configuration file, and before the doctor.

use serde_json::{Value, json};

use super::shop::Shop;
use super::{asking, call, tool};
use crate::harness::{NUMBER, PERSON, TestApp};
use crate::openai::chat::{Chat, Script};
use crate::openai::{router, serve};
use crate::program::Hark;

/// An agent with one tool at this address.
fn agent(url: &str, headers: &Value) -> Value {
    let id = json!({ "type": "string" });
    json!({
        "name": "shop",
        "tools": [{
            "name": "find_order", "description": "Finds an order.", "url": url, "headers": headers,
            "parameters": { "type": "object", "properties": { "id": id }, "required": ["id"] },
        }],
    })
}

#[tokio::test]
async fn a_stored_agents_tools_are_called_and_their_headers_are_never_shown() {
    let shop = Shop::start().await;
    let scripts = [call("{\"id\":\"7\"}"), Script::says("Sent.")];
    let (setup, _) = asking([scripts.clone(), scripts].concat()).await;
    let app = setup.set("default_agent", "hark").await;
    let admin = app.token("admin").await;
    let url = shop.url("/orders/{id}");
    let sent = agent(&url, &json!({ "X-Key": "k3y-of-the-shop" }));
    let shown = app.api_post(&admin, "/agents", &sent).send().await.expect(201);
    assert_eq!(shown["secrets"], json!(["/tools/0/headers/x-key"]));
    assert!(!shown.to_string().contains("k3y-of"), "{shown}");
    assert_eq!(shown["agent"]["tools"][0]["url"], url);
    assert!(!crate::harness::api::holds(&app.store_bytes(), "k3y-of-the-shop"));

    // A PUT of what was shown keeps the key; one that sends it elsewhere does not.
    let put = |body: &Value, version| {
        app.api(&admin, reqwest::Method::PUT, "/agents/shop").json(body).of_version(version).send()
    };
    let same = put(&shown["agent"], 1).await.expect(200);
    assert_eq!(same["secrets"], json!(["/tools/0/headers/x-key"]));
    let moved = put(&agent("https://evil.example/{id}", &json!({})), 2).await.expect(200);
    assert_eq!(moved["secrets"], json!([]));
    let back = json!({ "version": 2 });
    let path = "/agents/shop/rollback";
    let back = app.api_post(&admin, path, &back).of_version(3).send().await.expect(200);
    assert_eq!(back["secrets"], json!(["/tools/0/headers/x-key"]));
}

#[tokio::test]
async fn a_tool_that_cannot_be_used_is_refused_with_its_key() {
    let (setup, _) = asking([]).await;
    let app = setup.await;
    let admin = app.token("admin").await;
    for (change, place, words) in [
        (json!({ "name": "a b" }), "tools[0].name", "A to Z"),
        (json!({ "url": "https://{id}.example/" }), "tools[0].url", "choose the host"),
        (json!({ "parameters": { "type": "string" } }), "tools[0].parameters", "an object"),
        (json!({ "timeout_ms": 600_000 }), "tools[0].timeout_ms", "from 1 to 60000"),
        (json!({ "method": "TRACE" }), "tools[0].method", "unknown variant"),
        (json!({ "colour": "red" }), "tools[0].colour", "unknown field"),
        (json!({ "headers": { "x-key": 7 } }), "tools[0].headers", "text in quotes"),
    ] {
        let mut sent = agent("https://a.example/{id}", &json!({}));
        sent["tools"][0].as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let refused = app.api_post(&admin, "/agents", &sent).send().await;
        refused.problem(422, "invalid");
        let error = &refused.body["errors"][0];
        assert!(
            error["key"].as_str().is_some_and(|key| key.starts_with(place))
                && error["problem"].as_str().is_some_and(|problem| problem.contains(words)),
            "{error}"
        );
    }
    let mut two = agent("https://a.example/{id}", &json!({}));
    let again = two["tools"][0].clone();
    two["tools"].as_array_mut().unwrap().push(again);
    let refused = app.api_post(&admin, "/agents", &two).send().await;
    assert_eq!(refused.body["errors"][0]["key"], "tools[1].name", "{}", refused.body);
}

#[tokio::test]
async fn a_header_may_come_from_a_file_or_a_variable() {
    let shop = Shop::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key.txt");
    std::fs::write(&file, "k3y-of-the-shop\n").unwrap();
    let (setup, _) = asking([call("{\"id\":\"7\"}"), Script::says("Sent.")]).await;
    let setup = tool(setup, 0, "find_order", &shop.url("/orders/{id}"));
    let app = setup
        .set("agents.0.tools.0.headers.x_api_key_file", file.to_str().unwrap())
        .set("agents.0.tools.0.headers.x_shop", "12345")
        .await;
    app.text(PERSON, "where is order 7").await;
    app.run_until_idle().await;
    app.sent();
    let admin = app.token("admin").await;
    let shown = app.api_get(&admin, "/agents/hark").send().await.expect(200);
    assert_eq!(shown["agent"]["tools"][0]["name"], "find_order", "{shown}");
    assert!(!shown.to_string().contains("k3y-of-the-shop"), "{shown}");
    let asked = shop.asked().pop().unwrap();
    assert_eq!(
        (&asked.headers["x-api-key"], &asked.headers["x-shop"]),
        (&"k3y-of-the-shop".parse().unwrap(), &"12345".parse().unwrap())
    );
}

#[tokio::test]
async fn a_file_with_a_tool_that_cannot_be_used_is_refused_with_key_and_fix() {
    let tools = "[[agents]]\nname = \"hark\"\n[[agents.tools]]\nname = \"find\"\n\
                 description = \"Finds.\"\nurl = \"orders/{id}\"\nheaders = { host = \"s3cr3t\" }\n\
                 [[agents.mcp]]\nname = \"crm\"\nurl = \"https://me:s3cr3t@crm.example\"\n";
    let ran = Hark::new().file("hark.toml", tools).run(&["ask", "--text", "hello"]).await;
    assert_eq!(ran.code, 64, "{}", ran.stderr);
    for words in [
        "agents[0].tools[0].url is no whole address",
        "agents[0].tools[0].headers.host is a header that hark sets itself",
        "agents[0].mcp[0].url holds a name or a password",
    ] {
        assert!(ran.stderr.replace(": ", " ").contains(words), "no {words:?} in {}", ran.stderr);
    }
    assert!(!ran.stderr.contains("s3cr3t"), "{}", ran.stderr);
}

#[tokio::test]
async fn the_doctor_looks_whether_tools_are_there() {
    let shop = Shop::start().await;
    let file = format!(
        "[llm]\nengine = \"scripted\"\n[stt]\nengine = \"scripted\"\n[tts]\nengine = \"scripted\"\n\
         [[agents]]\nname = \"hark\"\n\
         [[agents.tools]]\nname = \"find\"\ndescription = \"Finds.\"\nurl = \"{}\"\n\
         headers = {{ authorization = \"Bearer k3y-of-the-shop\" }}\n\
         [[agents.tools]]\nname = \"lost\"\ndescription = \"Lost.\"\nurl = \"http://127.0.0.1:1/x\"\n",
        shop.url("/orders")
    );
    let ran = Hark::new().file("hark.toml", &file).run(&["doctor", "--json"]).await;
    let findings = ran.json(1)[0]["findings"].clone();
    let of = |key: &str| {
        let found = findings.as_array().unwrap().iter().find(|one| one["key"] == key);
        found.unwrap_or_else(|| panic!("no {key} in {findings}")).clone()
    };
    let lost = of("agents[0].tools[1].url");
    assert!(
        lost["message"].as_str().unwrap().contains("127.0.0.1:1 could not be reached"),
        "{lost}"
    );
    assert!(of("agents[0].tools")["message"].as_str().unwrap().contains("\"scripted\" calls none"));
    assert!(!findings.to_string().contains("tools[0].url"), "{findings}");
    let [asked] = &shop.asked()[..] else { panic!("one request") };
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("HEAD", "/"));
    assert!(asked.headers.get("authorization").is_none(), "a look carries no key");
}

/// A configuration whose model, a server at `llm`, has a tool of the shop.
fn with_model(llm: &str, shop: &Shop) -> String {
    format!(
        "[stt]\nengine = \"scripted\"\n[tts]\nengine = \"scripted\"\n\
         [llm]\nengine = \"openai\"\nurl = \"{llm}\"\nmodel = \"m\"\nretries = 0\n\
         [[agents]]\nname = \"hark\"\n[[agents.tools]]\nname = \"find_order\"\n\
         description = \"Finds.\"\nurl = \"{}\"\nparameters = {{ type = \"object\", properties = \
         {{ id = {{ type = \"string\" }} }}, required = [\"id\"] }}\n",
        shop.url("/orders/{id}")
    )
}

#[tokio::test]
async fn asking_from_a_terminal_shows_the_tools_that_were_used() {
    let shop = Shop::start().await;
    for json in [false, true] {
        let chat = Chat::new([call("{\"id\":\"7\"}"), Script::says("It is sent.")]);
        let llm = serve(router(chat)).await;
        let hark = Hark::new().file("hark.toml", with_model(&llm, &shop));
        let ask = ["ask", "--text", "where is order 7", "--json"];
        let ran = hark.run(&ask[..if json { 4 } else { 3 }]).await;
        if json {
            let tool = &ran.json(0)[0]["tools"][0];
            assert_eq!(
                (&tool["name"], &tool["outcome"]),
                (&json!("find_order"), &json!("answered"))
            );
            assert_eq!(tool["arguments"], "{\"id\":\"7\"}");
        } else {
            let line = "  tool      find_order {\"id\":\"7\"} -> answered, ";
            assert!(ran.text().contains(line) && ran.text().contains("tools "), "{}", ran.text());
        }
    }
}

#[tokio::test]
async fn the_doctor_asks_the_model_server_whether_it_takes_the_tools() {
    let shop = Shop::start().await;
    let refusal = "tools param requires --jinja flag";
    for (second, found) in [(Script::says("ok"), false), (Script::error(500, refusal), true)] {
        let chat = Chat::new([Script::says("Yes."), second]);
        let llm = serve(router(chat.clone())).await;
        let hark = Hark::new().file("hark.toml", with_model(&llm, &shop));
        let findings = hark.run(&["doctor", "--json"]).await.json(1)[0]["findings"].clone();
        let about = findings.as_array().unwrap().iter().find(|one| one["key"] == "llm.model");
        assert_eq!(about.is_some(), found, "{findings}");
        assert!(about.is_none_or(|one| one["message"].as_str().unwrap().contains("--jinja")));
        let offered: Vec<_> = chat.asked().iter().map(|a| a.body["tools"].is_array()).collect();
        assert_eq!(offered, [false, true]);
    }
    assert!(shop.asked().iter().all(|asked| asked.method == reqwest::Method::HEAD));
}

#[tokio::test]
async fn what_a_tool_said_is_gone_with_its_person() {
    let shop = Shop::start().await;
    let (setup, _) = asking([call("{\"id\":\"tulips\"}"), Script::says("Sent.")]).await;
    let app: TestApp = tool(setup, 0, "find_order", &shop.url("/orders/{id}")).await;
    app.text(PERSON, "where is it").await;
    app.run_until_idle().await;
    app.sent();
    let admin = app.token("admin").await;
    let contacts = app.api_get(&admin, "/contacts").send().await.expect(200);
    let path = format!("/contacts/{}", contacts["items"][0]["id"].as_str().unwrap());
    let export = app.api_get(&admin, &format!("{path}/export")).send().await.expect(200);
    assert!(export.to_string().contains("tulips"), "{NUMBER}: {export}");
    app.api(&admin, reqwest::Method::DELETE, &path).send().await.expect(204);
    assert!(!crate::harness::api::holds(&app.store_bytes(), "tulips"));
}
