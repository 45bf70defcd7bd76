//! The server of `[redis]`: one that serves, one that forgets, one that lets nobody in, none.

use super::{findings, good, hark, is, whatsapp};
use crate::harness::redis::Redis;

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
