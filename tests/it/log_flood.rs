//! The log under floods: it grows by less than 1 MB a minute, and says how much it left out.

use std::time::Instant;

use futures_util::StreamExt as _;
use futures_util::stream;
use hark::simulator::CallKind;
use regex::Regex;
use serde_json::Value;

use crate::harness::update::{messages, sign, text};
use crate::harness::{NUMBER, PERSON, TestApp};

/// Webhooks that are sent at a time.
const AT_A_TIME: usize = 16;

/// Posts `count` webhooks of which each has `body`.
async fn flood(app: &TestApp, count: usize, body: impl Fn(usize) -> Value) {
    let bodies: Vec<Value> = (0..count).map(body).collect();
    let posts = stream::iter(&bodies).map(|body| app.post_signed(body));
    posts.buffer_unordered(AT_A_TIME).for_each(async |_| ()).await;
}

/// Adds up the lines that begin so, and those that are said to have been left out.
fn told(log: &str, message: &str) -> (usize, usize) {
    let left_out =
        Regex::new(r#"lines were left out of the log count=(\d+) like="([^"]+)""#).unwrap();
    let written = log.lines().filter(|line| line.contains(&format!("  {message}"))).count();
    let counted = left_out.captures_iter(log).filter(|found| &found[2] == message);
    (written, counted.map(|found| found[1].parse::<usize>().unwrap()).sum())
}

/// Checks that a log that began then has less than 1 MB for each minute.
#[track_caller]
fn check_size(log: &str, began: Instant) {
    let minutes = began.elapsed().as_secs().div_ceil(60).max(1);
    assert!((log.len() as u64) < minutes * 1_000_000, "{} bytes in {minutes} min", log.len());
}

#[tokio::test]
async fn a_flood_of_signed_webhooks_is_counted_and_hides_no_error() {
    let mut app = TestApp::start().in_a_process().set("log.level", "info").await;
    let began = Instant::now();
    let (before, webhooks) = (app.log().len(), 4_000);
    let known = messages(NUMBER, &[text("wamid.known", "hi")]);
    flood(&app, webhooks, |_| known.clone()).await;
    let file = app.folder().join("hark.db");
    std::fs::rename(&file, file.with_extension("away")).unwrap();
    app.wait_until("it is not ready", async || app.get("/readyz").await.0 == 503).await;
    std::fs::rename(file.with_extension("away"), &file).unwrap();
    app.wait_until("it is ready", async || app.get("/readyz").await.0 == 200).await;
    app.run_until_done().await;
    assert_eq!(app.sent().len(), 1);
    app.terminate().await;
    let log = app.log().split_off(before);
    check_size(&log, began);
    let (written, left_out) = told(&log, "a webhook came");
    assert!(written > 100 && left_out > 0, "{written} written, {left_out} left out");
    assert_eq!(written + left_out, webhooks);
    assert!(log.contains("ERROR the store cannot be written"), "{log}");
}

#[tokio::test]
async fn floods_of_all_kinds_together_stay_below_a_megabyte_a_minute() {
    let mut app =
        TestApp::start().in_a_process().set("log.level", "info").set("log.format", "json").await;
    let began = Instant::now();
    let before = app.log().len();
    app.simulator.fail_next(CallKind::MediaUpload, 400, 100, 100_000);
    // Each a person of their own: one gets 45 messages at once.
    flood(&app, 400, |at| {
        let mut one = text(&format!("wamid.{at}"), "hi");
        one["from"] = format!("1555{at:07}").into();
        messages(NUMBER, &[one])
    })
    .await;
    flood(&app, 1_500, |at| {
        let mut late = text(&format!("wamid.late.{at}"), "hi");
        (late["timestamp"], late["type"]) = ("1000000".into(), PERSON.into());
        messages(NUMBER, &[late])
    })
    .await;
    flood(&app, 1_500, |at| messages(&format!("anna{at}"), &[text("wamid.x", "hi")])).await;
    let wrong = sign("other-secret", b"{}");
    for _ in 0..500 {
        assert_eq!(app.post_webhook("/webhook", "{}", Some(&wrong)).await.0, 401);
        assert_eq!(app.get("/webhook?hub.mode=subscribe&hub.verify_token=no").await.0, 403);
    }
    app.run_until_done().await;
    assert_eq!(app.sent().len(), 400);
    app.terminate().await;
    let log = app.log().split_off(before);
    check_size(&log, began);
    assert!(log.contains("lines were left out of the log"), "{} bytes", log.len());
    assert!(log.contains("number that is not configured") && log.contains("older than 24 hours"));
    assert!(!log.contains("anna") && !log.contains(PERSON), "a sender's own words are in it");
}
