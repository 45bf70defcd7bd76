//! The office: does what the API and the commands ask of numbers, agents, tokens and the record.
//!
//! Works on the store, whether a service runs in this process, in another one, or not at all: with a
//! service here a change is in use when a call returns, elsewhere within a second. Invariant: what
//! cannot answer is refused before it is kept.

mod agents;
mod audit;
mod books;
mod commands;
mod conversations;
mod customers;
mod desk;
pub(super) mod event_webhooks;
mod events;
mod knowledge;
mod numbers;
mod queue;
mod record;
mod secrets;
mod sound;
mod tokens;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use super::EnginePool;
use super::agents::Agents;
use super::keyring::{Keyring, LockedError};
use super::stored::Stored;
use crate::blobs::SoundShelf;
use crate::clock::Clock;
use crate::config::{Config, ConfigError, ConfigErrors};
use crate::http::api::{ApiRefusal, FieldProblem, FindingView};
use crate::knowledge::{Embedder, Knowledge};
use crate::pipeline::AgentSetup;
use crate::queue::{RunningTurns, Wake};
use crate::registry::Agent;
use crate::store::Changed;
use crate::store::vault::random;
use crate::store::{Access, SqlStore};

/// Does what is asked.
pub struct Office {
    store: Arc<SqlStore>,
    keyring: Arc<Keyring>,
    behind: Behind,
    clock: Clock,
    client: reqwest::Client,
    pub(super) sounds: Arc<SoundShelf>,
    /// The turns that run in this process.
    running: Option<RunningTurns>,
    /// Lets them begin.
    wake: Option<Wake>,
}

/// Says what runs in this process.
enum Behind {
    /// A service, whose next message is answered by what was changed.
    Service(Arc<Agents>),
    /// None; a change is seen by the service on the same store, if there is one.
    Nothing { config: Box<Config>, pool: Box<EnginePool> },
}

impl Office {
    /// Opens the configured store, beside a service or without one.
    ///
    /// # Errors
    /// `StoreError::Open`, or a [`ConfigError`].
    pub fn open(config: Config, pool: EnginePool, clock: Clock) -> anyhow::Result<Self> {
        let at = config.store.address();
        let store = Arc::new(SqlStore::open(&at, Access::Inspect)?);
        // That of all who share it, if it has one.
        let clock = store.clock().unwrap_or(clock);
        let pool = pool.with_library(store.clone());
        let keyring = Arc::new(Keyring::new(&config, at.beside()));
        let sounds = super::sound::shelf(&config, at.beside(), &store, clock.clone())?;
        let behind = Behind::Nothing { config: Box::new(config), pool: Box::new(pool) };
        let client = crate::remote::http_client();
        let (running, wake) = (None, None);
        Ok(Self { store, keyring, behind, clock, client, sounds, running, wake })
    }

    /// Makes the one of a service.
    pub(super) fn of_service(
        store: &Arc<SqlStore>,
        keyring: Arc<Keyring>,
        agents: &Arc<Agents>,
        sounds: Arc<SoundShelf>,
        clock: Clock,
        (running, wake): (RunningTurns, Wake),
    ) -> Self {
        let behind = Behind::Service(Arc::clone(agents));
        let client = crate::remote::http_client();
        Self {
            store: Arc::clone(store),
            keyring,
            behind,
            clock,
            client,
            sounds,
            running: Some(running),
            wake: Some(wake),
        }
    }

    /// Returns the configuration, without what the store has.
    async fn config(&self) -> Config {
        match &self.behind {
            Behind::Service(agents) => agents.config().await,
            Behind::Nothing { config, .. } => (**config).clone(),
        }
    }

    /// Reads what the store has.
    async fn stored(&self) -> Result<Stored, LockedError> {
        Stored::read(self.store.as_ref(), &self.keyring).await
    }

    /// Builds an agent without letting it answer.
    async fn try_agent(&self, agent: Agent) -> Result<Arc<AgentSetup>, ApiRefusal> {
        let (config, name) = (self.config().await, agent.name.clone());
        let joined = config.with_stored(Vec::new(), vec![agent.clone()]);
        let index = joined.agent_index(&name).expect("it is joined");
        let problems = joined.agent_problems(index);
        if !problems.is_empty() {
            return Err(invalid(&problems));
        }
        let built = match &self.behind {
            Behind::Service(agents) => agents.try_agent(agent).await,
            Behind::Nothing { pool, .. } => pool.agent(&joined, Some(&name)).await.map(Arc::new),
        };
        built.map_err(|error| match error.downcast::<ConfigError>() {
            Ok(wrong) => ApiRefusal::Invalid(vec![field(&wrong)]),
            Err(error) => ApiRefusal::invalid("", format!("it cannot answer now: {error:#}")),
        })
    }

    /// Returns what an agent knows.
    async fn known(&self, agent: &Agent) -> Result<Option<Arc<Knowledge>>, ApiRefusal> {
        let known = match &self.behind {
            Behind::Service(agents) => agents.pool().known(&agents.config().await, agent).await,
            Behind::Nothing { config, pool } => pool.known(config, agent).await,
        };
        known.map_err(|error| ApiRefusal::Unreadable(format!("{error:#}")))
    }

    /// Returns who tells what questions mean, if the configuration names one.
    async fn embedder(&self) -> Option<Arc<Embedder>> {
        match &self.behind {
            Behind::Service(agents) => {
                agents.pool().embedder(&agents.config().await.embeddings).await
            }
            Behind::Nothing { config, pool } => pool.embedder(&config.embeddings).await,
        }
    }

    /// Lets a change be in use.
    async fn live(&self) {
        if let Behind::Service(agents) = &self.behind
            && let Err(error) = agents.refresh().await
        {
            // It is kept, and tried again with the store's next revision.
            tracing::error!("a change is kept and not in use: {error:#}");
        }
    }

    fn findings_now(&self) -> Vec<FindingView> {
        match &self.behind {
            Behind::Service(agents) => agents.findings(),
            Behind::Nothing { .. } => Vec::new(),
        }
    }
}

/// Says what is wrong with an entry of the store, by the entry's own keys.
fn invalid(problems: &ConfigErrors) -> ApiRefusal {
    ApiRefusal::Invalid(problems.iter().map(field).collect())
}

fn field(error: &ConfigError) -> FieldProblem {
    let own = error
        .key
        .split_once("].")
        .filter(|(list, _)| list.starts_with("agents[") || list.starts_with("numbers["));
    let key = own.map_or(error.key.as_str(), |(_, key)| key).to_owned();
    FieldProblem { key, problem: error.problem.clone() }
}

/// Reads what became of a change.
fn changed<T>(what: &str, changed: Changed<T>) -> Result<T, ApiRefusal> {
    match changed {
        Changed::Now(now) => Ok(now),
        Changed::Stale(now) => Err(ApiRefusal::Stale { now }),
        Changed::Absent => Err(ApiRefusal::NotFound(what.to_owned())),
    }
}

/// Writes a time as RFC 3339 has it.
fn time(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).unwrap_or_default().to_string()
}

/// Makes an id; later ones of this process sort behind.
fn new_id(now_ms: i64) -> String {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{now_ms:012x}{next:04x}{}", hex::encode(random::<6>()))
}

/// Names a file for a message.
fn name_of(path: &str) -> String {
    Path::new(path).file_name().map_or_else(|| path.to_owned(), |n| n.to_string_lossy().into())
}
