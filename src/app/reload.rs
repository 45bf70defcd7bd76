//! The configuration, read again for a service that runs.

use std::sync::Arc;

use anyhow::Context as _;

use super::agents::Agents;
use crate::config::{Config, ConfigErrors};

/// Reads the configuration again for a service that runs.
pub struct Reloader {
    pub(super) agents: Arc<Agents>,
    /// What the process was started with.
    pub(super) started: Box<Config>,
}

impl Reloader {
    /// Lets the configuration that `read` returns answer every later message, and logs how it went.
    /// Returns whether it does; if not, nothing has changed.
    pub async fn reload(
        &mut self,
        read: impl FnOnce() -> (Option<Config>, ConfigErrors) + Send + 'static,
    ) -> bool {
        let replaced = async {
            let reading = tokio::task::spawn_blocking(read).await;
            let (config, mut problems) = reading.context("reading it")?;
            self.agents.settle(&mut problems).await?;
            let config = problems.or(config)?.context("nothing can be made of it")?;
            let waiting = waiting_for_a_start(&self.started, &config);
            let (numbers, agents) = (config.numbers.len(), config.agents.len());
            self.agents.check_numbers(&config).await?;
            self.agents.replace(&config).await?;
            anyhow::Ok((waiting, numbers, agents))
        };
        match replaced.await {
            Ok((waiting, numbers, agents)) => {
                tracing::info!(numbers, agents, "the configuration was read again");
                if !waiting.is_empty() {
                    let keys = waiting.join(", ");
                    tracing::warn!(keys, "some changed keys wait for the next start");
                }
                true
            }
            Err(error) => {
                tracing::error!("the configuration was not read again: {error:#}");
                false
            }
        }
    }
}

/// Returns the keys that differ and cannot change while the process runs.
fn waiting_for_a_start(started: &Config, new: &Config) -> Vec<&'static str> {
    let differ = [
        ("server.listen", started.server.listen != new.server.listen),
        ("server.admin_listen", started.server.admin_listen != new.server.admin_listen),
        ("cache", started.cache != new.cache),
        ("embeddings", !started.embeddings.are_as(&new.embeddings)),
        ("customers", !started.customers.are_as(&new.customers)),
        ("blobs", !started.blobs.are_as(&new.blobs)),
        ("store.url", !started.store.is_as(&new.store)),
        ("queue.turns", started.queue.turns != new.queue.turns),
        ("queue.node", started.queue.node != new.queue.node),
        ("limits.audio_bytes", started.limits.audio_bytes != new.limits.audio_bytes),
        ("limits.audio_seconds", started.limits.audio_seconds != new.limits.audio_seconds),
        ("log.format", started.log.format != new.log.format),
        ("log.level", started.log.level != new.log.level),
    ];
    differ.into_iter().filter_map(|(key, differs)| differs.then_some(key)).collect()
}
