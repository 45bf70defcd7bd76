//! The numbers and agents that answer: built from a configuration, and built again while the
//! service runs.
//!
//! Invariants: a new state is built and warm before anything of it is used; a turn keeps the route
//! it began with; a number whose messages are taken has a route.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::sync::watch;

use super::EnginePool;
use crate::config::{Config, ConfigError, ConfigErrors};
use crate::pipeline::{AgentSetup, Route, Routes};
use crate::provider::cloud::{CloudClient, CloudSettings};
use crate::registry::{Number, NumberStatus, Registry, Snapshot};
use crate::remote::http_client;
use crate::turn::PhoneNumberId;

type ByNumber = HashMap<PhoneNumberId, Arc<Route>>;

/// Holds the routes of the registry's snapshot.
pub(super) struct Agents {
    pub(super) registry: Arc<Registry>,
    routes: watch::Sender<ByNumber>,
    builder: Builder,
}

impl Agents {
    /// Builds what `snapshot` names; the engines are `config`'s.
    pub(super) async fn start(
        config: &Config,
        snapshot: Snapshot,
        pool: EnginePool,
    ) -> anyhow::Result<Self> {
        let audio_bytes = config.limits.audio_bytes;
        let builder = Builder { pool, client: http_client(), audio_bytes };
        let routes = builder.build(config, &snapshot).await?;
        let registry = Arc::new(Registry::new(snapshot));
        Ok(Self { registry, routes: watch::Sender::new(routes), builder })
    }

    /// Makes what the agents say again and again; never returns.
    pub(super) async fn make_in_advance(&self) {
        self.builder.pool.make_in_advance().await;
    }

    /// Builds what `config` names and lets it replace what runs.
    ///
    /// # Errors
    /// What cannot be built: then nothing has changed.
    async fn replace(&self, config: &Config) -> anyhow::Result<()> {
        let snapshot = config.snapshot();
        check_numbers(config, &snapshot)?;
        let routes = self.builder.build(config, &snapshot).await?;
        // A number has a route before, while and after its messages are taken.
        self.routes.send_modify(|old| old.extend(routes.clone()));
        self.registry.swap(snapshot);
        let _former_turns_keep_theirs = self.routes.send_replace(routes);
        Ok(())
    }
}

/// Refuses a service without a number.
pub(super) fn check_numbers(config: &Config, snapshot: &Snapshot) -> Result<(), ConfigError> {
    if snapshot.numbers.is_empty() {
        let problem = "no business number is configured; add a [[numbers]] table";
        return Err(config.error("numbers", problem));
    }
    Ok(())
}

impl Routes for Agents {
    fn route(&self, number: &PhoneNumberId) -> Option<Arc<Route>> {
        self.routes.borrow().get(number).cloned()
    }
}

/// Builds routes, on engines that outlive each of them.
struct Builder {
    pool: EnginePool,
    client: reqwest::Client,
    audio_bytes: u64,
}

impl Builder {
    /// Builds the routes of all active numbers, on warm engines.
    async fn build(&self, config: &Config, snapshot: &Snapshot) -> anyhow::Result<ByNumber> {
        let mut routes = ByNumber::new();
        let mut agents: HashMap<&str, Arc<AgentSetup>> = HashMap::new();
        // Messages to the others wait until their number is active again.
        let active = |number: &&Number| number.status == NumberStatus::Active;
        for number in snapshot.numbers.iter().filter(active) {
            let name = number.agent.as_deref().unwrap_or(&config.default_agent);
            if !agents.contains_key(name) {
                agents.insert(name, Arc::new(self.pool.agent(config, Some(name)).await?));
            }
            let settings = CloudSettings::from_number(number, self.audio_bytes);
            let route = Route {
                messenger: Arc::new(CloudClient::new(settings, self.client.clone())),
                agent: Arc::clone(&agents[name]),
                disclosure: snapshot.disclosure,
                turn_limit: snapshot.turn_limit,
            };
            routes.insert(number.phone_number_id.clone(), Arc::new(route));
        }
        Ok(routes)
    }
}

/// Reads the configuration again for a service that runs.
pub struct Reloader {
    pub(super) agents: Arc<Agents>,
    /// What the process was started with.
    pub(super) started: Box<Config>,
}

impl Reloader {
    /// Lets the configuration that `load` returns answer every later message, and logs how it went.
    /// Returns whether it does; if not, nothing has changed.
    pub async fn reload(
        &mut self,
        load: impl FnOnce() -> Result<Config, ConfigErrors> + Send + 'static,
    ) -> bool {
        let replaced = async {
            let config = tokio::task::spawn_blocking(load).await.context("reading it")??;
            let waiting = waiting_for_a_start(&self.started, &config);
            let (numbers, agents) = (config.numbers.len(), config.agents.len());
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
        ("store.url", started.store.url != new.store.url),
        ("queue.turns", started.queue.turns != new.queue.turns),
        ("queue.node", started.queue.node != new.queue.node),
        ("limits.audio_bytes", started.limits.audio_bytes != new.limits.audio_bytes),
        ("limits.audio_seconds", started.limits.audio_seconds != new.limits.audio_seconds),
        ("log.format", started.log.format != new.log.format),
        ("log.level", started.log.level != new.log.level),
    ];
    differ.into_iter().filter_map(|(key, differs)| differs.then_some(key)).collect()
}
