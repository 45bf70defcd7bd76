//! A server that is asked who writes: one that knows, one that does not, and each way to go wrong.

use serde_json::{Value, json};

use super::crm::{Answers, Crm, ann};
use super::{asking, asks};
use crate::harness::api::holds;
use crate::harness::{PERSON, Setup, TestApp};
use crate::openai::chat::Chat;

/// A service that asks the server.
async fn looking(answers: Answers) -> (Setup, Chat, Crm) {
    let (setup, chat) = asking().await;
    let crm = Crm::start(answers).await;
    let setup = setup.set("customers.url", &format!("{}/customers/{{phone}}", crm.url));
    (
        setup.set("customers.token", "t0ken-of-the-crm").set("customers.timeout_ms", "5000"),
        chat,
        crm,
    )
}

/// Waits until so many answers are kept.
async fn kept(app: &TestApp, count: usize) {
    let rows = async || {
        let sql = "SELECT count(*) FROM customers WHERE source = 'lookup'";
        app.sql_number(sql) == count
    };
    app.wait_until("the answer is kept", rows).await;
}

/// Checks that a lookup was counted so.
async fn counted(app: &TestApp, result: &str) {
    let line = format!("hark_customer_lookups_total{{result=\"{result}\"}}");
    let metrics = app.metrics().await;
    assert!(metrics.contains(&line), "no {line}");
}

#[tokio::test]
async fn a_customer_who_is_looked_up_is_told_and_kept_for_every_node() {
    let (setup, chat, crm) = looking(ann()).await;
    let mut app = setup.await;
    let (system, last) = asks(&app, &chat, PERSON).await;
    assert!(system.contains("is \"Ann Lee\"."), "{system}");
    assert!(
        last.contains("\"language\": \"German\"; \"plan\": \"gold\"; \"open\": \"4711\""),
        "{last}"
    );
    assert_eq!(crm.asked(), [(PERSON.to_owned(), "Bearer t0ken-of-the-crm".to_owned())]);
    kept(&app, 1).await;
    app.restart().await;
    assert!(asks(&app, &chat, PERSON).await.1.contains("gold"));
    assert_eq!(crm.asked().len(), 1, "it is on file");
    // What is imported goes before it, and what is out of date is asked for again.
    let listed = app.hark(&["contacts", "list"]).await;
    assert_eq!((listed.len(), &listed[0]["source"]), (1, &json!("lookup")));
    app.advance(60 * 60 * 1000).await;
    crm.answers(Answers::With(200, "application/json", json!({ "plan": "silver" }).to_string()));
    assert!(asks(&app, &chat, PERSON).await.1.contains("silver"));
    assert_eq!(crm.asked().len(), 2);
    kept(&app, 1).await;
    counted(&app, "known").await;
    assert!(!holds(&app.store_bytes(), "t0ken-of-the-crm"));
}

#[tokio::test]
async fn whom_the_server_does_not_know_is_asked_about_once_an_hour() {
    let (setup, chat, crm) = looking(Answers::With(404, "application/json", "{}".to_owned())).await;
    let app = setup.await;
    assert!(!asks(&app, &chat, PERSON).await.1.contains("on file"));
    kept(&app, 1).await;
    assert!(!asks(&app, &chat, PERSON).await.1.contains("on file"));
    assert_eq!(crm.asked().len(), 1);
    let listed = app.hark(&["contacts", "list"]).await;
    assert_eq!(listed, [Value::Null; 0], "nobody is no customer");
    // Somebody who is imported meanwhile is known at once.
    let file = app.folder().join("c.csv");
    std::fs::write(&file, format!("phone,plan\n{PERSON},gold\n")).unwrap();
    app.hark(&["contacts", "import", file.to_str().unwrap()]).await;
    assert!(asks(&app, &chat, PERSON).await.1.contains("gold"));
    counted(&app, "unknown").await;
}

#[tokio::test]
async fn without_a_cache_the_server_is_asked_each_time_and_nothing_is_kept() {
    let (setup, chat, crm) = looking(ann()).await;
    let app = setup.set("customers.cache_minutes", "0").await;
    for _ in 0..2 {
        assert!(asks(&app, &chat, PERSON).await.1.contains("gold"));
    }
    assert_eq!(crm.asked().len(), 2);
    kept(&app, 0).await;
}

#[tokio::test]
async fn whatever_the_server_does_the_person_is_answered() {
    let other = Crm::start(ann()).await;
    let page = "<!doctype html><title>Login</title>";
    let long = json!({ "plan": "x".repeat(300_000) }).to_string();
    for (answers, result) in [
        (Answers::With(200, "text/html", page.to_owned()), "unreadable"),
        (Answers::With(200, "application/json", page.to_owned()), "unreadable"),
        (Answers::With(200, "application/json", "[1]".to_owned()), "unreadable"),
        (Answers::With(200, "application/json", long), "unreadable"),
        (Answers::With(500, "text/plain", format!("no {PERSON}")), "refused"),
        (Answers::With(401, "text/plain", "t0ken-of-the-crm".to_owned()), "refused"),
        (Answers::MovesTo(format!("{}/customers/1", other.url)), "unreadable"),
    ] {
        let said = format!("{answers:?}");
        let (setup, chat, crm) = looking(answers).await;
        let app = setup.await;
        let (system, last) = asks(&app, &chat, PERSON).await;
        assert!(!last.contains("on file") && !system.contains("on file"), "{said}: {last}");
        assert_eq!(crm.asked().len(), 1, "{said}");
        counted(&app, result).await;
        kept(&app, 0).await;
    }
    assert!(other.asked().is_empty(), "nobody is sent on to another host");
}

#[tokio::test]
async fn a_server_that_hangs_is_left_alone() {
    let (setup, chat, crm) = looking(Answers::Never).await;
    let app = setup.set("customers.timeout_ms", "50").await;
    for _ in 0..3 {
        assert!(!asks(&app, &chat, PERSON).await.1.contains("on file"));
    }
    assert_eq!(crm.asked().len(), 1, "nobody else waits for it");
    counted(&app, "timed_out").await;
    counted(&app, "left_alone").await;
    crm.answers(ann());
    app.advance(60 * 1000).await;
    assert!(asks(&app, &chat, PERSON).await.1.contains("gold"), "it is asked again");
}

#[tokio::test]
async fn the_log_names_the_server_and_nobody() {
    let (setup, chat, _crm) =
        looking(Answers::With(500, "text/plain", format!("no {PERSON}"))).await;
    let app = setup.in_a_process().await;
    app.text(PERSON, "When do you open?").await;
    app.run_until_done().await;
    assert_eq!(app.sent_texts(), ["At nine."]);
    assert_eq!(chat.asked().len(), 1);
    let log = app.log();
    let line = log.lines().find(|line| line.contains("did not say who writes"));
    let line = line.unwrap_or_else(|| panic!("{log}"));
    assert!(line.contains("HTTP 500") && line.contains("127.0.0.1"), "{line}");
    assert!(!log.contains("t0ken-of-the-crm") && !log.contains(PERSON), "{line}");
}
