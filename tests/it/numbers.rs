//! Numbers that are set up while the service runs, over HTTP and from a terminal.

use hark::simulator::{CallKind, Door, Simulator};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::api::holds;
use crate::harness::{APP_SECRET, NUMBER, PERSON, TestApp, update};
use crate::program::{Hark, SCRIPTED};

const SECRET: &str = "second-app-secret";
const TOKEN: &str = "second-access-token";

/// What a person gets who writes to a number.
async fn answer(app: &TestApp, simulator: &Simulator, from: &str) -> Option<String> {
    let id = simulator.send_text(from, "hello").await;
    let reply = simulator.wait_for_reply(&id, std::time::Duration::from_secs(10)).await?;
    simulator.settled().await;
    app.run_until_idle().await;
    reply.text
}

#[tokio::test]
async fn a_number_added_over_http_answers_at_once_and_outlives_a_restart() {
    let app = TestApp::start().set("agents.0.reply", "text").answers("here");
    let mut app = app.set("server.public_url", "https://bot.example").await;
    let admin = app.token("admin").await;
    let (second, mut number) = app.second_number("200", SECRET, TOKEN).await;
    (number["subscribe"], number["business_id"]) = (json!(true), json!("4711"));
    let added = app.api_post(&admin, "/numbers", &number).send().await;
    assert_eq!(added.headers["etag"], "\"1\"");
    let added = added.expect(201);
    assert_eq!(answer(&app, &second, PERSON).await.as_deref(), Some("here"));
    let subscribed = second.calls().into_iter().find(|call| call.kind == CallKind::Subscribe);
    assert_eq!(subscribed.expect("the app is subscribed").body, json!({ "id": "4711" }));
    assert_eq!(added["webhook_url"], "https://bot.example/webhook");
    assert_eq!(added["verify_token"], crate::harness::VERIFY_TOKEN);
    app.restart().await;
    assert_eq!(answer(&app, &second, PERSON).await.as_deref(), Some("here"));
    let shown = app.api_get(&admin, "/numbers/200").send().await.expect(200);
    assert_eq!(shown, added, "as it was");
    for secret in [SECRET, TOKEN] {
        assert!(!added.to_string().contains(secret), "{added}");
        assert!(!holds(&app.store_bytes(), secret), "the store's files have it in the clear");
    }
    let removed = app.api(&admin, Method::DELETE, "/numbers/200").of_version(1).send().await;
    removed.expect(204);
    assert_eq!(app.post_text("200", SECRET, "wamid.gone").await.0, 401, "nobody's any more");
}

#[tokio::test]
async fn a_number_at_360dialog_is_added_with_the_secret_that_signs_its_webhooks() {
    let app = TestApp::start().set("agents.0.reply", "text").answers("here");
    let app = app.set("server.public_url", "https://bot.example").await;
    let admin = app.token("admin").await;
    let (second, number) = app.other_number(Door::D360, "200", SECRET, TOKEN).await;
    let mut unproven = number.clone();
    unproven.as_object_mut().unwrap().remove("signature_secret");
    let refused = app.api_post(&admin, "/numbers", &unproven).send().await;
    refused.problem(422, "invalid");
    assert_eq!(refused.body["errors"][0]["key"], "webhook_secret");
    let added = app.api_post(&admin, "/numbers", &number).send().await.expect(201);
    assert_eq!(added["webhook_url"], "https://bot.example/webhook/360dialog");
    assert_eq!(answer(&app, &second, PERSON).await.as_deref(), Some("here"));
    let names: Vec<_> = added["secrets"].as_array().unwrap().iter().map(|s| &s["name"]).collect();
    assert_eq!(names, ["access_token", "signature_secret"]);
    assert!(!added.to_string().contains(SECRET) && !holds(&app.store_bytes(), SECRET));
}

#[tokio::test]
async fn no_secret_that_is_set_over_http_is_in_the_log() {
    let app = TestApp::start().in_a_process().await;
    let admin = app.token("admin").await;
    let llm = json!({ "text": "here", "api_key": "sk-very-secret" });
    let agent = json!({ "name": "desk", "reply": "text", "llm": llm });
    app.api_post(&admin, "/agents", &agent).send().await.expect(201);
    let (second, mut number) = app.second_number("200", SECRET, TOKEN).await;
    number["agent"] = json!("desk");
    app.api_post(&admin, "/numbers", &number).send().await.expect(201);
    let id = second.send_text(PERSON, "hello").await;
    second.wait_for_reply(&id, std::time::Duration::from_secs(10)).await.expect("an answer");
    app.run_until_done().await;
    let log = app.log();
    assert!(log.contains(" DEBUG ") && log.contains("200"), "it is a log of everything: {log}");
    for secret in [SECRET, TOKEN, "sk-very-secret", admin.as_str()] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[tokio::test]
async fn what_the_provider_does_not_know_is_not_added() {
    let app = TestApp::start().await;
    let admin = app.token("admin").await;
    let (_second, number) = app.second_number("200", SECRET, TOKEN).await;
    let refused = async |key: &str, value: Value| {
        let mut number = number.clone();
        number[key] = value;
        let answer = app.api_post(&admin, "/numbers", &number).send().await;
        answer.problem(422, "invalid");
        answer.body["errors"][0]["key"].as_str().unwrap().to_owned()
    };
    assert_eq!(refused("access_token", json!("wrong")).await, "access_token");
    assert_eq!(refused("phone_number_id", json!("201")).await, "phone_number_id");
    assert_eq!(refused("api_url", json!("http://127.0.0.1:9")).await, "api_url");
    assert_eq!(refused("api_url", json!("gopher://x")).await, "api_url");
    assert_eq!(refused("agent", json!("nobody")).await, "agent");
    assert_eq!(refused("app_secret", json!("")).await, "app_secret");
    assert_eq!(refused("subscribe", json!(true)).await, "business_id");
    let listed = app.api_get(&admin, "/numbers").send().await.expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    let file = app.api(&admin, Method::DELETE, &format!("/numbers/{NUMBER}")).of_version(0);
    let problem = file.send().await.problem(409, "read-only");
    assert!(problem.contains("hark.toml"), "{problem}");
    let twin = json!({ "phone_number_id": NUMBER, "access_token": "a", "app_secret": "b" });
    app.api_post(&admin, "/numbers", &twin).send().await.problem(409, "read-only");
    let path = format!("/numbers/{NUMBER}/check");
    let checked = app.api(&admin, Method::POST, &path).send().await.expect(200);
    assert_eq!((&checked["ok"], &checked["quality"]), (&json!(true), &json!("GREEN")));
}

#[tokio::test]
async fn two_numbers_with_different_secrets_never_see_each_others_messages() {
    let app = TestApp::start().set("agents.0.reply", "text").await;
    let admin = app.token("admin").await;
    let (second, number) = app.second_number("200", SECRET, TOKEN).await;
    app.api_post(&admin, "/numbers", &number).send().await.expect(201);
    assert_eq!(app.post_text(NUMBER, SECRET, "wamid.1").await, (200, 0), "signed by the other");
    assert_eq!(app.post_text("200", APP_SECRET, "wamid.2").await, (200, 0));
    assert!(answer(&app, &second, "15550002222").await.is_some());
    app.text(PERSON, "hello").await;
    app.run_until_idle().await;
    assert_eq!(app.sent().len(), 1);
    for (number, contact) in [(NUMBER, PERSON), ("200", "15550002222")] {
        let turns = app.api_get(&admin, &format!("/turns?number={number}")).send().await;
        let turns = turns.expect(200);
        let of: Vec<_> = turns["items"].as_array().unwrap().iter().map(|t| &t["contact"]).collect();
        assert_eq!(of, [contact]);
    }
}

#[tokio::test]
async fn an_old_secret_and_a_new_one_are_valid_until_the_old_one_is_removed() {
    let app = TestApp::start().set("agents.0.reply", "text").await;
    let admin = app.token("admin").await;
    let (second, mut number) = app.second_number("200", SECRET, TOKEN).await;
    number["status"] = json!("paused");
    app.api_post(&admin, "/numbers", &number).send().await.expect(201);
    let add = json!({ "name": "app_secret", "value": "a-newer-one" });
    let late = app.api_post(&admin, "/numbers/200/secrets", &add).of_version(7).send().await;
    late.problem(412, "stale");
    let path = "/numbers/200/secrets";
    let rotated = app.api_post(&admin, path, &add).of_version(1).send().await.expect(201);
    assert_eq!(rotated["version"], 2);
    for (secret, id) in [(SECRET, "wamid.1"), ("a-newer-one", "wamid.2")] {
        assert_eq!(app.post_text("200", secret, id).await, (200, 1), "{id}");
        assert_eq!(app.post_text(NUMBER, secret, id).await, (200, 0), "not the other number's");
    }
    let secrets = rotated["secrets"].as_array().unwrap();
    let old = secrets.iter().find(|secret| secret["name"] == "app_secret").unwrap();
    let remove = format!("{path}/{}", old["id"].as_str().unwrap());
    let removed = app.api(&admin, Method::DELETE, &remove).of_version(2).send().await.expect(200);
    assert_eq!(app.post_text("200", SECRET, "wamid.3").await.0, 401);
    assert_eq!(app.post_text("200", "a-newer-one", "wamid.4").await, (200, 1));
    let only = removed["secrets"].as_array().unwrap().iter().find(|s| s["name"] == "app_secret");
    let remove = format!("{path}/{}", only.unwrap()["id"].as_str().unwrap());
    let last = app.api(&admin, Method::DELETE, &remove).of_version(3).send().await;
    last.problem(409, "conflict");
    drop(second);
}

#[tokio::test]
async fn a_new_token_that_the_provider_refuses_is_not_kept() {
    let app = TestApp::start().set("agents.0.reply", "text").answers("here").await;
    let admin = app.token("admin").await;
    let (second, number) = app.second_number("200", SECRET, TOKEN).await;
    app.api_post(&admin, "/numbers", &number).send().await.expect(201);
    let add = json!({ "name": "access_token", "value": "wrong" });
    let refused = app.api_post(&admin, "/numbers/200/secrets", &add).of_version(1).send().await;
    refused.problem(422, "invalid");
    let count = app.sql_number("SELECT count(*) FROM secrets WHERE owner = '200'");
    assert_eq!(count, 2, "nothing is kept");
    assert_eq!(answer(&app, &second, PERSON).await.as_deref(), Some("here"));
}

#[tokio::test]
async fn what_a_terminal_changes_is_in_use_within_a_second() {
    let app = TestApp::start().set("agents.0.reply", "text").answers("here").await;
    let (second, number) = app.second_number("200", SECRET, TOKEN).await;
    let file = |name: &str, text: &str| {
        let path = app.folder().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (token, secret) = (file("token", TOKEN), file("secret", SECRET));
    let url = number["api_url"].as_str().unwrap();
    let add = ["numbers", "add", "200", "--provider", "simulator", "--api-url", url];
    let files = ["--access-token-file", &token, "--app-secret-file", &secret];
    let added = app.hark(&[&add[..], &files[..]].concat()).await;
    let is_ours = async || app.post_text("200", SECRET, "wamid.probe").await.0 == 200;
    app.wait_until("the number is ours", is_ours).await;
    app.run_until_idle().await;
    assert_eq!(added[0]["version"], 1);
    let paused = app.hark(&["numbers", "pause", "200"]).await;
    assert_eq!((&paused[0]["status"], &paused[0]["version"]), (&json!("paused"), &json!(2)));
    let stored = async || {
        let id = format!("wamid.{}", next());
        app.post_text("200", SECRET, &id).await;
        app.run_until_idle().await;
        app.counts().await.stored > 0
    };
    app.wait_until("it is paused", stored).await;
    let resumed = app.hark(&["numbers", "resume", "200"]).await;
    assert_eq!(resumed[0]["status"], "active");
    let listed = app.hark(&["numbers", "list"]).await;
    let ids: Vec<_> = listed.iter().map(|number| &number["phone_number_id"]).collect();
    assert_eq!(ids, [NUMBER, "200"]);
    app.hark(&["numbers", "remove", "200"]).await;
    // Without a message, which nobody would answer any more.
    let body = update::statuses("200", &[]).to_string();
    let signature = update::sign(SECRET, body.as_bytes());
    let is_gone =
        async || app.post_webhook("/webhook", body.clone(), Some(&signature)).await.0 == 401;
    app.wait_until("it is gone", is_gone).await;
    drop(second);
}

fn next() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

#[tokio::test]
async fn the_key_of_the_secrets_is_changed_and_a_wrong_one_stops_the_start() {
    let mut app = TestApp::start().set("agents.0.reply", "text").answers("here").await;
    let admin = app.token("admin").await;
    let (second, number) = app.second_number("200", SECRET, TOKEN).await;
    app.api_post(&admin, "/numbers", &number).send().await.expect(201);
    let path = app.folder().join("hark.db.key");
    let mode = std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let before = std::fs::read_to_string(&path).unwrap();
    let rotated = app.hark(&["secrets", "rotate"]).await;
    // Two of the number.
    assert_eq!(rotated[0]["encrypted"], 2);
    assert_ne!(std::fs::read_to_string(&path).unwrap(), before);
    assert_eq!(answer(&app, &second, PERSON).await.as_deref(), Some("here"));
    app.restart().await;
    assert_eq!(answer(&app, &second, PERSON).await.as_deref(), Some("here"));
    // A rotation that was cut off before its end: the new key lies beside the old one.
    let new = std::fs::read_to_string(&path).unwrap();
    std::fs::write(app.folder().join("hark.db.key.new"), &new).unwrap();
    std::fs::write(&path, &before).unwrap();
    app.restart().await;
    assert_eq!(std::fs::read_to_string(&path).unwrap(), new);
    assert_eq!(answer(&app, &second, PERSON).await.as_deref(), Some("here"));
    // The same store with another key, and with none.
    let copy = Hark::new().file("hark.toml", SCRIPTED).env("HARK_SECRET_KEY", before.trim());
    app.database().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let copy = copy.file("hark.db", std::fs::read(app.folder().join("hark.db")).unwrap());
    let wrong = copy.run(&["serve", "--listen", "127.0.0.1:0"]).await;
    assert_eq!(wrong.code, 64, "{}", wrong.stderr);
    assert!(
        wrong.stderr.contains("encrypted with another key than HARK_SECRET_KEY"),
        "{}",
        wrong.stderr
    );
    let short =
        copy.env("HARK_SECRET_KEY", "1234").run(&["serve", "--listen", "127.0.0.1:0"]).await;
    assert!(short.stderr.contains("HARK_SECRET_KEY is not a key"), "{}", short.stderr);
}

#[tokio::test]
async fn a_service_starts_empty_once_there_is_a_token_and_grows_over_http() {
    let hark = Hark::new().file("hark.toml", SCRIPTED);
    let empty = hark.run(&["serve", "--listen", "127.0.0.1:0"]).await;
    assert_eq!(empty.code, 64);
    assert!(empty.stderr.contains("hark token create"), "{}", empty.stderr);
    let made = hark.run(&["token", "create", "--role", "admin", "--name", "me", "--json"]).await;
    let token = made.json(0)[0]["token"].as_str().unwrap().to_owned();
    let hark = hark.env("HARK__SERVER__ADMIN_LISTEN", "");
    let service = hark.start(&["serve", "--listen", "127.0.0.1:0"]).await;
    let client = hark::remote::http_client();
    let answer = client.get(service.url("/api/v1/numbers")).bearer_auth(&token).send().await;
    let answer: Value = answer.unwrap().json().await.unwrap();
    assert_eq!(answer, json!({ "items": [], "next": null }));
    assert!(!service.said().contains(&token));
    assert_eq!(service.stop().await, 0);
}

#[tokio::test]
async fn a_number_in_the_file_and_in_the_store_is_refused_and_both_are_named() {
    let mut app = TestApp::start().await;
    let admin = app.token("admin").await;
    let (_second, number) = app.second_number("200", SECRET, TOKEN).await;
    app.api_post(&admin, "/numbers", &number).send().await.expect(201);
    let twin = "[[numbers]]\nphone_number_id = \"200\"\nprovider = \"simulator\"\n\
                access_token = \"a\"\napp_secret = \"b\"\nstatus = \"paused\"\n";
    assert!(!app.reload_with(twin).await);
    assert_eq!(app.post_text("200", SECRET, "wamid.1").await.0, 200, "nothing has changed");
    assert!(app.reload_with("").await);
    app.run_until_idle().await;
}
