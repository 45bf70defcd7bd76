//! Agents of the store that the configuration names, and one that takes the built-in agent's place.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::harness::{NUMBER, PERSON, TestApp};
use crate::program::{Hark, SCRIPTED};

/// An agent that writes one answer.
fn says(name: &str, text: &str) -> Value {
    json!({ "name": name, "reply": "text", "llm": { "text": text } })
}

const DESK: &str = "reply = \"text\"\nllm = { text = \"the desk\" }\n";

/// Lets `app` answer a text; returns all it has sent.
async fn answers(app: &TestApp) -> Vec<String> {
    app.text(PERSON, "hello").await;
    app.run_until_idle().await;
    app.sent_texts()
}

async fn refused_removal(app: &TestApp, admin: &str, version: u64) -> String {
    let removed = app.api(admin, Method::DELETE, "/agents/desk").of_version(version).send().await;
    removed.problem(409, "conflict")
}

async fn findings(app: &TestApp, admin: &str) -> Vec<Value> {
    let findings = app.api_get(admin, "/findings").send().await.expect(200);
    findings["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_number_of_the_file_is_answered_by_an_agent_of_the_store() {
    let mut app = TestApp::start().await;
    let admin = app.token("admin").await;
    assert!(!app.reload_with("agent = \"desk\"").await, "it is nowhere yet");
    app.api_post(&admin, "/agents", &says("desk", "one")).send().await.expect(201);
    assert!(app.reload_with("agent = \"desk\"").await);
    assert_eq!(answers(&app).await, ["one"]);
    let two = app.api(&admin, Method::PUT, "/agents/desk").json(&says("desk", "two"));
    two.of_version(1).send().await.expect(200);
    assert_eq!(answers(&app).await, ["one", "two"], "a change is live");
    app.restart().await;
    assert_eq!(answers(&app).await, ["one", "two", "two"]);
    assert_eq!(app.turns().await[2].agent_version, Some(2));
    assert!(refused_removal(&app, &admin, 2).await.contains(NUMBER));
    assert!(app.reload_with("").await);
    app.api(&admin, Method::DELETE, "/agents/desk").of_version(2).send().await.expect(204);
}

#[tokio::test]
async fn the_default_agent_may_be_one_of_the_store() {
    let mut app = TestApp::start().await;
    let admin = app.token("admin").await;
    app.api_post(&admin, "/agents", &says("desk", "here")).send().await.expect(201);
    let file = app.folder().join("hark.toml");
    let toml = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("default_agent = \"desk\"\n{toml}")).unwrap();
    assert!(app.reload_with("").await);
    assert_eq!(answers(&app).await, ["here"]);
    let refused = refused_removal(&app, &admin, 1).await;
    assert!(refused.contains("default_agent of hark.toml"), "{refused}");
    app.restart().await;
    assert_eq!(answers(&app).await, ["here", "here"]);
}

#[tokio::test]
async fn messages_wait_for_an_agent_that_another_process_removed() {
    let mut app = TestApp::start().await;
    let admin = app.token("admin").await;
    app.api_post(&admin, "/agents", &says("desk", "back")).send().await.expect(201);
    assert!(app.reload_with("agent = \"desk\"").await);
    // On the same store, with a configuration that does not name it.
    let other = app.folder().join("other.toml");
    std::fs::write(&other, "[store]\nurl = \"hark.db\"\n").unwrap();
    let removed = Command::new(env!("CARGO_BIN_EXE_hark"))
        .arg("--config")
        .arg(&other)
        .args(["agents", "remove", "desk"])
        .output()
        .await
        .unwrap();
    assert!(removed.status.success(), "{}", String::from_utf8_lossy(&removed.stderr));
    let is_gone = async || !findings(&app, &admin).await.is_empty();
    app.wait_until("the service sees it", is_gone).await;
    let found = findings(&app, &admin).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["key"], format!("numbers/{NUMBER}"));
    let message = found[0]["message"].as_str().unwrap();
    assert!(message.contains("numbers[0].agent: there is no agent \"desk\""), "{message}");
    assert!(message.contains("hark agents add"), "{message}");
    assert_eq!(answers(&app).await, [""; 0], "it waits");
    assert_eq!(app.get("/health").await.0, 200);
    app.api_post(&admin, "/agents", &says("desk", "back")).send().await.expect(201);
    assert_eq!(findings(&app, &admin).await, [] as [Value; 0]);
    app.advance(10_000).await;
    app.run_until_idle().await;
    assert_eq!(app.sent_texts(), ["back"]);
}

#[tokio::test]
async fn an_agent_of_the_store_takes_the_place_of_the_built_in_one() {
    let mut app = TestApp::start().answers("built in").await;
    let admin = app.token("admin").await;
    let delete = |version| app.api(&admin, Method::DELETE, "/agents/hark").of_version(version);
    let built_in = delete(0).send().await.problem(409, "read-only");
    assert!(built_in.contains("built in"), "{built_in}");
    let added = app.api_post(&admin, "/agents", &says("hark", "mine")).send().await.expect(201);
    assert_eq!((&added["source"], &added["version"]), (&json!("store"), &json!(1)));
    app.api_post(&admin, "/agents", &says("hark", "x")).send().await.problem(409, "conflict");
    let listed = app.api_get(&admin, "/agents").send().await.expect(200);
    assert_eq!(listed["items"], json!([added]), "one agent of the name");
    assert_eq!(answers(&app).await, ["mine"]);
    app.restart().await;
    assert_eq!(answers(&app).await, ["mine", "mine"]);
    let delete = app.api(&admin, Method::DELETE, "/agents/hark").of_version(1);
    delete.send().await.expect(204);
    let shown = app.api_get(&admin, "/agents/hark").send().await.expect(200);
    assert_eq!((&shown["source"], &shown["version"]), (&json!("file"), &json!(0)));
    app.text(PERSON, "hello").await;
    app.run_until_idle().await;
    let last = app.sent().pop().unwrap();
    assert!(last.media.is_some(), "the built-in one speaks: {last:?}");
    let versions = app.api_get(&admin, "/agents/hark/versions").send().await.expect(200);
    assert_eq!(versions["items"].as_array().unwrap().len(), 2, "added and removed");

    let file = app.folder().join("desk.toml");
    std::fs::write(&file, DESK).unwrap();
    let file = file.display().to_string();
    for version in [3, 4] {
        let added = app.hark(&["agents", "add", "hark", "--file", &file]).await;
        assert_eq!(added[0]["version"], version);
    }
    let own = "[[agents]]\nname = \"hark\"\n";
    assert!(!app.reload_with(own).await, "it is in both now");
    app.hark_fails(&["doctor"], "agents[0].name").await;
}

#[tokio::test]
async fn an_agent_that_the_configuration_sets_itself_is_not_replaced() {
    let app = TestApp::start().set("agents.0.reply", "text").await;
    let admin = app.token("admin").await;
    let refused = app.api_post(&admin, "/agents", &says("hark", "mine")).send().await;
    refused.problem(409, "read-only");
}

#[tokio::test]
async fn a_stored_agent_that_breaks_lets_the_files_numbers_wait() {
    let mut app = TestApp::start().await;
    let admin = app.token("admin").await;
    let faq = app.folder().join("faq.csv");
    std::fs::write(&faq, "question,answer\nhello,At nine.\n").unwrap();
    let agent = json!({ "name": "desk", "reply": "text", "llm": "faq",
        "knowledge": [faq.display().to_string()] });
    app.api_post(&admin, "/agents", &agent).send().await.expect(201);
    assert!(app.reload_with("agent = \"desk\"").await);
    std::fs::remove_file(&faq).unwrap();
    app.restart().await;
    let found = findings(&app, &admin).await;
    assert_eq!((found.len(), &found[0]["key"]), (1, &json!("agents/desk")), "{found:?}");
    let message = found[0]["message"].as_str().unwrap();
    assert!(message.contains("agents/desk.knowledge: "), "{message}");
    assert!(app.reload_with("").await);
}

#[tokio::test]
async fn commands_answer_with_an_agent_of_the_store_and_make_none() {
    let toml = format!("default_agent = \"desk\"\n{SCRIPTED}[llm]\nengine = \"scripted\"\n");
    let table =
        "[[conversations]]\nname = \"a\"\nturns = [{ written = \"hi\", must = [\"desk\"] }]\n";
    let hark = Hark::new()
        .file("hark.toml", toml)
        .file("desk.toml", DESK)
        .file("other.toml", "reply = \"text\"\nllm = { text = \"the other\" }\n")
        .file("table.toml", table);
    let unknown = "hark: hark.toml: default_agent: there is no agent \"desk\"; agents are: hark";
    for command in [&["ask", "--text", "hi"][..], &["doctor"], &["say", "--print", "hi"]] {
        let ran = hark.run(command).await;
        let said = format!("{}{}", ran.text(), ran.stderr);
        assert_eq!(ran.code, 64, "{said}");
        assert!(
            said.contains("there is no agent \"desk\"") && !said.contains("agents add"),
            "{said}"
        );
    }
    assert_eq!(
        hark.run(&["serve"]).await.stderr.trim_end(),
        unknown,
        "there is no store to look at"
    );
    assert!(!hark.path("hark.db").exists());

    // Whoever adds it needs a configuration that names it.
    assert_eq!(hark.run(&["agents", "add", "other", "--file", "other.toml"]).await.code, 0);
    let ran = hark.run(&["serve"]).await;
    let now = format!("{unknown}, other; `hark agents add` puts one of that name into the store\n");
    assert_eq!((ran.code, ran.stderr), (64, now));
    assert_eq!(hark.run(&["agents", "add", "desk", "--file", "desk.toml"]).await.code, 0);
    let reply = async |arguments: &[&str]| {
        let ran = hark.run(&[&["ask", "--text", "hi", "--json"], arguments].concat()).await;
        ran.json(0)[0]["reply"]["text"].as_str().unwrap().to_owned()
    };
    assert_eq!(reply(&[]).await, "the desk");
    assert_eq!(reply(&["--agent", "other"]).await, "the other");
    assert_eq!(hark.run(&["eval", "table.toml"]).await.code, 0);
    let ran = hark.run(&["eval", "table.toml", "--agent", "other"]).await;
    assert!(ran.code == 1 && ran.text().contains("the other"), "{}{}", ran.text(), ran.stderr);
    assert_eq!(hark.run(&["say", "--print", "hi"]).await.text(), "hi\n");
    let ran = hark.run(&["ask", "--text", "hi", "--agent", "nobody"]).await;
    let nobody = "no agent \"nobody\"; agents are: hark, desk, other; `hark agents add`";
    assert!(ran.code == 1 && ran.stderr.contains(nobody), "{}", ran.stderr);
    // The built-in one, until the store has one of its name.
    assert_eq!(hark.run(&["agents", "add", "hark", "--file", "other.toml"]).await.code, 0);
    assert_eq!(reply(&["--agent", "hark"]).await, "the other");
}
