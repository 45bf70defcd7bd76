//! Several processes on one PostgreSQL: killed, stopped, cut off, joined and asked to go. Each message
//! is answered once, and each person's in order.

mod store;

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::{Value, json};

use crate::harness::postgres::Postgres;
use crate::harness::update;
use crate::harness::{Setup, TestApp};

/// People who write, and how many messages each sends.
const PEOPLE: usize = 6;
const EACH: usize = 3;

/// Three nodes whose agent thinks for a while; the first is the app's own.
fn three(thinks_ms: u64) -> Setup {
    TestApp::start().in_a_process().on_postgres().set("queue.node", "one").thinks_ms(thinks_ms)
}

fn named(name: &str) -> [(&str, &str); 1] {
    [("HARK__QUEUE__NODE", name)]
}

/// The `n`th message of each person: its id says who and which.
fn texts(n: usize) -> Vec<Value> {
    let text = |person| {
        let id = format!("wamid.{person}.{n}");
        let mut text = update::text(&id, &id);
        text["from"] = json!(format!("1555000{person:04}"));
        text
    };
    (0..PEOPLE).map(text).collect()
}

/// Checks that each message was answered once, and each person's in order.
#[track_caller]
fn check_books(app: &TestApp, each: usize) {
    let mut answered: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for message in app.sent() {
        let to = message.reply_to.expect("it answers a message").0;
        answered.entry(message.contact).or_default().push(to);
    }
    let person = |person: usize| {
        let ids = (0..each).map(|n| format!("wamid.{person}.{n}")).collect();
        (format!("1555000{person:04}"), ids)
    };
    let expected: BTreeMap<String, Vec<String>> = (0..PEOPLE).map(person).collect();
    assert_eq!(answered, expected);
}

#[tokio::test]
async fn the_turns_of_a_node_that_dies_go_on_elsewhere_in_order() {
    let mut app = three(700).await;
    let mut two = app.another_node(&named("two")).await;
    let three = app.another_node(&named("three")).await;
    for n in 0..EACH {
        assert_eq!(app.post_to(&app.address(""), &texts(n)).await, 200);
    }
    app.wait_until("turns run", async || app.counts().await.leased > 0).await;
    app.kill().await;
    let killed = Instant::now();
    let before = app.sent().len();
    app.wait_until("somebody goes on", async || app.sent().len() > before).await;
    println!("taken over {:.1} s after the kill", killed.elapsed().as_secs_f64());
    // The simulator's statuses wait for the node that is gone.
    let all_done = async || {
        let counts = app.counts().await;
        counts.queued + counts.leased == 0
    };
    app.wait_until("all are answered", all_done).await;
    check_books(&app, EACH);
    app.start_again().await;
    app.run_until_done().await;
    check_books(&app, EACH);
    two.kill().await;
    drop(three);
}

#[tokio::test]
async fn a_node_that_stood_still_past_its_lease_sends_nothing_more() {
    let app = three(1_500).await;
    let two = app.another_node(&named("two")).await;
    // The app's own node hears of nothing: it is the other that has the turns.
    let own = app.process().to_string();
    let stop = |signal: &'static str| {
        let mut kill = std::process::Command::new("kill");
        assert!(kill.args([signal, &own]).status().unwrap().success());
    };
    stop("-STOP");
    assert_eq!(app.post_to(&two.address(""), &texts(0)).await, 200);
    app.wait_until("turns run", async || app.counts().await.leased > 0).await;
    two.signal("STOP").await;
    stop("-CONT");
    app.wait_until("all are answered", async || app.sent().len() >= PEOPLE).await;
    two.signal("CONT").await;
    assert_eq!(app.post_to(&two.address(""), &texts(1)).await, 200);
    app.run_until_done().await;
    check_books(&app, 2);
}

#[tokio::test]
async fn a_node_that_is_asked_to_go_and_one_that_joins_lose_and_reorder_nothing() {
    let app = three(200).await;
    let mut two = app.another_node(&named("two")).await;
    for n in 0..EACH {
        assert_eq!(app.post_to(&two.address(""), &texts(n)).await, 200);
    }
    two.signal("TERM").await;
    let joined = app.another_node(&named("three")).await;
    two.ended().await;
    let listed = async || {
        let listed = app.command(&["nodes", "--json"]);
        let id = |line| serde_json::from_str::<Value>(line).unwrap()["id"].clone();
        listed.lines().map(id).collect::<Vec<_>>() == ["one", "three"]
    };
    app.wait_until("one has left the list, another has come", listed).await;
    app.run_until_done().await;
    check_books(&app, EACH);
    drop(joined);
}

#[tokio::test]
async fn a_database_that_dies_and_comes_back_costs_no_message() {
    let mut server = Postgres::start();
    let url = server.database();
    let app = TestApp::start().in_a_process().on_database(&url).thinks_ms(300).await;
    let two = app.another_node(&named("two")).await;
    assert_eq!(app.post_to(&app.address(""), &texts(0)).await, 200);
    server.kill();
    assert_eq!(app.post_to(&two.address(""), &texts(1)).await, 503, "nothing is taken");
    assert_eq!(app.get("/readyz").await.0, 503);
    server.start_again();
    let taken = async || app.post_to(&two.address(""), &texts(1)).await == 200;
    app.wait_until("it is taken again", taken).await;
    app.run_until_done().await;
    check_books(&app, 2);
}

#[tokio::test]
async fn two_nodes_of_one_name_and_other_numbers_are_said_on_both() {
    let app = three(0).await;
    let same = app.another_node(&[("HARK__AGENTS__0__PROMPT", "other words")]).await;
    let said = |words: &str| app.log().matches(words).count();
    // Both processes log into the same file.
    let both = async || {
        said("another process has this node's name") == 2
            && said("a node has other numbers or agents") == 2
    };
    app.wait_until("both say both", both).await;
    assert_eq!(app.post_to(&same.address(""), &texts(0)).await, 200);
    app.run_until_done().await;
    check_books(&app, 1);
}
