//! The server of `[redis]`: it answers, is new enough, and forgets nothing by itself.

use tokio::time::timeout;

use super::TIME_LIMIT;
use crate::config::Config;
use crate::engine::Check;
use crate::queue::front::oddities;
use crate::remote::redis::{RedisServer, RedisTrouble};

pub(super) async fn check(config: &Config) -> Check {
    let mut check = Check::new("redis");
    let redis = &config.redis;
    let Some(url) = &redis.url else {
        check.skipped("no Redis: events go to no stream, and the store alone knows what it has");
        return check;
    };
    // A wrong address is said of the configuration.
    let Ok(server) = RedisServer::new(url, redis.password.as_ref()) else { return check };
    let asked = async {
        let mut server = server.connect().await?;
        oddities(&mut server).await
    };
    let late = || RedisTrouble("the server of [redis] does not answer in time".to_owned());
    match timeout(TIME_LIMIT, asked).await.unwrap_or_else(|_| Err(late())) {
        Ok(odd) if odd.is_empty() => check.well("the server of [redis] answers".to_owned()),
        Ok(odd) => {
            for odd in odd {
                check.warning(
                    "redis.url",
                    odd,
                    "change the server's configuration, or use another",
                );
            }
        }
        Err(trouble) => check.error(
            "redis.url",
            trouble.to_string(),
            "start the server, or correct [redis] url, password or SSL_CERT_FILE",
        ),
    }
    check
}
