//! Whoever is told of events, and whose commands are taken: webhooks, and the streams of Redis.

use std::sync::Arc;

use futures_util::future::OptionFuture;

use super::office::event_webhooks::SigningSecrets;
use crate::clock::Clock;
use crate::config::Config;
use crate::events::hooks::HookTeller;
use crate::events::streams::{CommandIntake, EventOutlet, RedisStreams};
use crate::http::ApiState;
use crate::http::api::StreamCommands;
use crate::remote::http_client;
use crate::remote::redis::RedisServer;
use crate::store::SqlStore;

/// Tells events and takes commands.
pub(super) struct Telling {
    hooks: HookTeller,
    streams: Option<RedisStreams>,
}

impl Telling {
    /// Makes the one of a store.
    pub(super) fn new(
        config: &Config,
        store: &Arc<SqlStore>,
        secrets: SigningSecrets,
        clock: Clock,
    ) -> anyhow::Result<Self> {
        let hooks = HookTeller {
            hooks: store.clone(),
            log: store.clone(),
            secrets: Arc::new(secrets),
            client: http_client(),
            clock,
        };
        Ok(Self { hooks, streams: streams(config)? })
    }

    /// Tells and takes for ever.
    pub(super) async fn run(self, api: Arc<ApiState>) {
        let log = Arc::clone(&self.hooks.log);
        let outlet = self.streams.clone().map(|streams| EventOutlet { streams, log }.run());
        let desk = Arc::new(StreamCommands(api));
        let intake = self.streams.map(|streams| CommandIntake { streams, desk }.run());
        tokio::join!(self.hooks.run(), OptionFuture::from(outlet), OptionFuture::from(intake));
    }
}

/// Names the streams, if there is a server for them.
fn streams(config: &Config) -> anyhow::Result<Option<RedisStreams>> {
    let redis = &config.redis;
    let Some(server) = redis_server(config)? else { return Ok(None) };
    Ok(Some(RedisStreams {
        server,
        events: redis.events.clone(),
        events_kept: redis.events_kept,
        commands: redis.commands.clone(),
        node: config.queue.node(),
    }))
}

/// Returns the configured server, if there is one.
pub(super) fn redis_server(config: &Config) -> anyhow::Result<Option<RedisServer>> {
    let redis = &config.redis;
    let Some(url) = &redis.url else { return Ok(None) };
    let server = RedisServer::new(url, redis.password.as_ref());
    Ok(Some(server.map_err(|problem| config.error("redis.url", problem))?))
}
