//! Known message ids in a real Redis: duplicates are answered without the store, and whatever is wrong
//! with Redis changes no answer.

use redis::RedisResult;
use serde_json::{Value, json};

use crate::harness::redis::Redis;
use crate::harness::redis_cluster::RedisCluster;
use crate::harness::{NUMBER, TestApp, update};

async fn post(app: &TestApp, id: &str) -> (u16, Value) {
    app.post_signed(&update::messages(NUMBER, &[update::text(id, "hello")])).await
}

/// Whether it was taken as new, or as known.
fn was(answer: &(u16, Value), new: bool) -> bool {
    answer.0 == 200 && answer.1["status"] == json!(if new { "accepted" } else { "duplicate" })
}

/// Waits until Redis is asked, or is not.
async fn redis_is(app: &TestApp, word: &str) {
    let said = async || app.admin("/readyz").await.1.contains(&format!("\"redis\":\"{word}\""));
    app.wait_until(word, &said).await;
}

/// How many messages were answered without the store, by all services of the process.
async fn known(app: &TestApp) -> u64 {
    let metrics = app.metrics().await;
    let line = metrics.lines().find(|line| line.starts_with("hark_known_in_redis_total"));
    line.and_then(|line| line.rsplit(' ').next()).map_or(0, |count| count.parse().unwrap())
}

#[tokio::test]
async fn what_redis_knows_is_a_duplicate_without_the_store() {
    let redis = Redis::start(&[]);
    let app = TestApp::start().set("redis.url", &redis.url()).await;
    redis_is(&app, "up").await;
    assert!(was(&post(&app, "wamid.1").await, true));
    let keys = async || redis.ask::<Vec<String>>(&["KEYS", "hark:*:seen:*"]).await.unwrap();
    app.wait_until("the id is there", async || !keys().await.is_empty()).await;
    let keys = keys().await;
    assert_eq!(keys.len(), 1, "{keys:?}");
    let left: u64 = redis.ask(&["TTL", &keys[0]]).await.unwrap();
    assert!((604_700..=604_800).contains(&left), "{left}");
    let before = known(&app).await;
    assert!(was(&post(&app, "wamid.1").await, false));
    assert!(known(&app).await > before);
    // A batch with both.
    let both = [update::text("wamid.1", "hello"), update::text("wamid.2", "hello")];
    let (_, answer) = app.post_signed(&update::messages(NUMBER, &both)).await;
    assert_eq!((&answer["accepted"], &answer["duplicates"]), (&json!(1), &json!(1)));
    app.run_until_idle().await;
    assert_eq!(app.sent().len(), 2);
}

#[tokio::test]
async fn a_redis_that_goes_away_or_comes_back_empty_changes_no_answer() {
    let mut redis = Redis::start(&[]);
    let app = TestApp::start().set("redis.url", &redis.url()).await;
    redis_is(&app, "up").await;
    assert!(was(&post(&app, "wamid.1").await, true));
    redis.kill();
    assert!(was(&post(&app, "wamid.1").await, false), "the store knows it");
    assert!(was(&post(&app, "wamid.2").await, true));
    redis_is(&app, "away").await;
    assert!(app.metrics().await.contains("hark_redis_up 0"));
    assert_eq!(app.get("/readyz").await.0, 200, "everything goes on");
    redis.start_again();
    redis_is(&app, "up").await;
    for id in ["wamid.1", "wamid.2"] {
        assert!(was(&post(&app, id).await, false), "{id}: the store knows it");
    }
    app.run_until_idle().await;
    assert_eq!(app.sent().len(), 2);
}

#[tokio::test]
async fn a_redis_that_stands_still_or_is_full_costs_a_moment_and_no_message() {
    let redis = Redis::start(&[]);
    let app = TestApp::start().set("redis.url", &redis.url()).await;
    redis_is(&app, "up").await;
    // No command is answered for a second.
    let _: () = redis.ask(&["CLIENT", "PAUSE", "1000", "ALL"]).await.unwrap();
    assert!(was(&post(&app, "wamid.1").await, true));
    assert!(was(&post(&app, "wamid.1").await, false), "the store knows it");
    redis_is(&app, "up").await;
    let _: () = redis.ask(&["CONFIG", "SET", "maxmemory", "1"]).await.unwrap();
    for id in ["wamid.2", "wamid.3"] {
        assert!(was(&post(&app, id).await, true));
        assert!(was(&post(&app, id).await, false));
    }
    redis_is(&app, "up").await;
    app.run_until_idle().await;
    assert_eq!(app.sent().len(), 3);
}

#[tokio::test]
async fn what_another_store_has_is_not_known() {
    let redis = Redis::start(&[]);
    let one = TestApp::start().set("redis.url", &redis.url()).await;
    redis_is(&one, "up").await;
    assert!(was(&post(&one, "wamid.1").await, true));
    let other = TestApp::start().set("redis.url", &redis.url()).set("redis.events", "others");
    let other = other.set("redis.commands", "others:commands").await;
    redis_is(&other, "up").await;
    assert!(was(&post(&other, "wamid.1").await, true));
    one.run_until_idle().await;
    other.run_until_idle().await;
    assert_eq!((one.sent().len(), other.sent().len()), (1, 1));
}

#[tokio::test]
async fn a_cluster_has_ids_events_and_commands_and_may_lose_a_server() {
    let mut cluster = RedisCluster::start().await;
    let app = TestApp::start().set("redis.url", &cluster.url()).await;
    redis_is(&app, "up").await;
    assert!(was(&post(&app, "wamid.1").await, true));
    let both = [update::text("wamid.1", "hello"), update::text("wamid.2", "hello")];
    let both = update::messages(NUMBER, &both);
    let (_, answer) = app.post_signed(&both).await;
    assert_eq!((&answer["accepted"], &answer["duplicates"]), (&json!(1), &json!(1)));
    // An id is put there a moment after the store has it.
    let before = known(&app).await;
    let known = async || {
        app.post_signed(&both).await;
        known(&app).await > before
    };
    app.wait_until("a message is known", &known).await;
    let told = async || {
        let there: usize = cluster.ask(&["XLEN", "hark:events"]).await.unwrap();
        app.sql("SELECT count(*) FROM events")[0][0] == there.to_string()
    };
    app.run_until_idle().await;
    app.wait_until("the events are told", &told).await;
    let _: String = cluster.ask(&["XADD", "hark:commands", "*", "event", "{}"]).await.unwrap();
    let done = async || {
        let done = ["XLEN", "{hark:commands}:done"];
        cluster.ask::<usize>(&done).await.unwrap() == 1
    };
    app.wait_until("the command has an outcome", &done).await;
    cluster.kill_that_has("hark:events").await;
    for id in ["wamid.2", "wamid.3"] {
        assert!(was(&post(&app, id).await, id == "wamid.3"), "{id}");
    }
    app.run_until_idle().await;
    let told = async || {
        let there: RedisResult<usize> = cluster.ask(&["XLEN", "hark:events"]).await;
        app.sql("SELECT count(*) FROM events")[0][0] == there.unwrap_or(0).to_string()
    };
    app.wait_until("its replica has the events, and the new ones", &told).await;
    redis_is(&app, "up").await;
    assert_eq!(app.sent().len(), 3);
}
