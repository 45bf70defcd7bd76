//! The server of `[redis]`: one that serves, one that forgets, one that lets nobody in, none.

use tokio::net::TcpListener;

use super::{findings, good, hark, is, whatsapp};
use crate::harness::redis::Redis;
use crate::harness::redis_cluster::RedisCluster;

#[tokio::test]
async fn the_server_of_redis_is_asked_who_it_is() {
    let (_simulator, api) = whatsapp().await;
    let toml = |url: &str| format!("{}[redis]\nurl = \"{url}\"\n", good(&api));
    let server = Redis::start(&[]);
    let _up: String = server.ask(&["PING"]).await.unwrap();
    let ran = hark(&toml(&server.url())).run(&["doctor"]).await;
    assert!(ran.text().contains("the server of [redis] answers"), "{}", ran.text());
    let forgets = Redis::start(&["--maxmemory", "10mb", "--maxmemory-policy", "allkeys-lru"]);
    let _up: String = forgets.ask(&["PING"]).await.unwrap();
    let found = findings(&hark(&toml(&forgets.url())), 1).await;
    is(&found, &[("redis.url", "warning", "maxmemory-policy allkeys-lru", "configuration")]);
    let locked = Redis::start(&["--requirepass", "x"]);
    // It answers, and says so.
    let _refused = locked.ask::<String>(&["PING"]).await.unwrap_err();
    let found = findings(&hark(&toml(&locked.url())), 1).await;
    is(&found, &[("redis.url", "error", "lets nobody in", "password")]);
    let found = findings(&hark(&toml("redis+unix:///nowhere.sock")), 1).await;
    is(&found, &[("redis.url", "error", "is away", "start the server")]);
}

#[tokio::test]
async fn each_server_of_a_cluster_is_asked() {
    let (_simulator, api) = whatsapp().await;
    let toml = |url: &str| format!("{}[redis]\nurl = \"{url}\"\n", good(&api));
    let cluster = RedisCluster::start().await;
    let ran = hark(&toml(&cluster.url())).run(&["doctor"]).await;
    assert!(ran.text().contains("the server of [redis] answers"), "{}", ran.text());
    let forgets = ["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"];
    let _set: () = cluster.primary().ask(&forgets).await.unwrap();
    let found = findings(&hark(&toml(&cluster.url())), 1).await;
    is(&found, &[("redis.url", "warning", "maxmemory-policy allkeys-lru", "configuration")]);
    // Others are named beside one that is alone.
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = free.local_addr().unwrap().port().to_string();
    drop(free);
    let alone = Redis::start(&["--bind", "127.0.0.1", "--port", &port]);
    let _up: String = alone.ask(&["PING"]).await.unwrap();
    let found = findings(&hark(&toml(&format!("redis://127.0.0.1:{port},127.0.0.1:1"))), 1).await;
    is(&found, &[("redis.url", "error", "of no cluster: name one", "correct [redis] url")]);
}
