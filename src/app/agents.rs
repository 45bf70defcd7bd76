//! The numbers and agents that answer: built from the configuration and the store, and built again
//! while the service runs.
//!
//! Invariants: a new state is built and warm before anything of it is used; a turn keeps the route
//! it began with; a number whose messages are taken has a route, unless its agent cannot be built:
//! then they wait. Where a configuration names an agent that is nowhere it is refused; one that goes
//! later lets its numbers' messages wait.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as AsyncMutex, watch};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::EnginePool;
use super::keyring::Keyring;
use super::named::{Missing, names, obstacle, version_of};
use super::stored::{Stored, finding};
use crate::config::{Config, ConfigErrors};
use crate::http::api::FindingView;
use crate::pipeline::{AgentSetup, Route, Routes};
use crate::provider::cloud::{CloudClient, CloudSettings};
use crate::registry::{Agent, Number, NumberStatus, Registry, Snapshot, USUAL_PACE};
use crate::remote::http_client;
use crate::store::Directory;
use crate::turn::PhoneNumberId;

type ByNumber = HashMap<PhoneNumberId, Arc<Route>>;

/// Between two looks at the store for changes of other processes.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// Between two tries to build what could not be built.
const TRY_AGAIN: Duration = Duration::from_secs(30);

/// Holds the routes of the registry's snapshot.
pub(super) struct Agents {
    pub(super) registry: Arc<Registry>,
    routes: watch::Sender<ByNumber>,
    builder: Builder,
    store: Arc<dyn Directory>,
    keyring: Arc<Keyring>,
    /// Held while a new state is made, so that the last to begin is the last to end.
    state: AsyncMutex<AgentsState>,
    findings: Mutex<Vec<FindingView>>,
}

/// Holds what the state in use was made of.
struct AgentsState {
    /// The configuration, without what the store has.
    config: Config,
    /// What the registry has beside numbers and agents.
    base: Snapshot,
    /// The revision of the store.
    revision: i64,
    /// Every agent that was built, and of which version.
    built: HashMap<String, Built>,
    /// The version of each number's route.
    versions: HashMap<PhoneNumberId, Option<u32>>,
}

#[derive(Clone)]
struct Built {
    version: Option<u32>,
    /// Which files of the store it knows.
    sources: Vec<i64>,
    setup: Arc<AgentSetup>,
}

/// Holds a state that may be put in the place of the one in use.
struct NextState {
    snapshot: Snapshot,
    revision: i64,
    routes: ByNumber,
    built: HashMap<String, Built>,
    findings: Vec<FindingView>,
}

impl Agents {
    /// Builds what `base` and the store name; the engines are `config`'s.
    pub(super) async fn start(
        config: &Config,
        base: Snapshot,
        pool: EnginePool,
        store: Arc<dyn Directory>,
        keyring: Arc<Keyring>,
    ) -> anyhow::Result<Self> {
        let audio_bytes = config.limits.audio_bytes;
        let builder = Builder { pool, client: http_client(), audio_bytes };
        let mut config = config.clone();
        config.numbers = base.numbers.iter().cloned().collect();
        let state = AgentsState::new(config, base);
        let stored = Stored::read(store.as_ref(), &keyring).await;
        let stored = stored.map_err(|error| error.into_start_error(&keyring))?;
        let next = builder.next(&state, &ByNumber::new(), stored, Missing::Refused).await?;
        let registry = Arc::new(Registry::new(next.snapshot.clone()));
        let agents = Self {
            registry,
            routes: watch::Sender::new(ByNumber::new()),
            builder,
            store,
            keyring,
            findings: Mutex::default(),
            state: AsyncMutex::new(state),
        };
        agents.put(&mut *agents.state.lock().await, next);
        Ok(agents)
    }

    /// Returns what makes the engines.
    pub(super) fn pool(&self) -> &EnginePool {
        &self.builder.pool
    }

    /// Returns the configuration in use, without what the store has.
    pub(super) async fn config(&self) -> Config {
        self.state.lock().await.config.clone()
    }

    /// Returns what cannot answer, and why.
    pub(super) fn findings(&self) -> Vec<FindingView> {
        self.findings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Builds an agent without letting it answer.
    ///
    /// # Errors
    /// Why it cannot be built.
    pub(super) async fn try_agent(&self, agent: Agent) -> anyhow::Result<Arc<AgentSetup>> {
        let (config, name) = (self.config().await, agent.name.clone());
        let joined = config.with_stored(Vec::new(), vec![agent]);
        Ok(Arc::new(self.builder.pool.agent(&joined, Some(&name)).await?))
    }

    /// Lets what the store has now answer every later message.
    ///
    /// # Errors
    /// What cannot be read: then nothing has changed.
    pub(super) async fn refresh(&self) -> anyhow::Result<()> {
        let mut state = self.state.lock().await;
        let stored = Stored::read(self.store.as_ref(), &self.keyring).await?;
        let routes = self.routes.borrow().clone();
        let next = self.builder.next(&state, &routes, stored, Missing::Waits).await?;
        self.put(&mut state, next);
        Ok(())
    }

    /// Follows the store's changes; never returns.
    pub(super) async fn follow(&self) {
        let mut looks = interval(LOOK_AGAIN);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut tried, mut failed) = (Instant::now(), None);
        loop {
            looks.tick().await;
            // That the store is away is told by who writes to it.
            let Ok(revision) = self.store.revision().await else { continue };
            let known = self.state.lock().await.revision;
            let again = tried.elapsed() >= TRY_AGAIN && !self.findings().is_empty();
            if (revision == known || failed == Some(revision)) && !again {
                continue;
            }
            tried = Instant::now();
            match self.refresh().await {
                Ok(()) => failed = None,
                Err(error) => {
                    failed = Some(revision);
                    tracing::error!("a change in the store was not taken: {error:#}");
                }
            }
        }
    }

    /// Refuses a configuration that has lost all its numbers, where the store has none either.
    pub(super) async fn check_numbers(&self, config: &Config) -> anyhow::Result<()> {
        let had_some = !self.config().await.numbers.is_empty();
        if had_some && config.numbers.is_empty() && self.store.revision().await? == 0 {
            let problem = "no business number is configured; add a [[numbers]] table";
            return Err(config.error("numbers", problem).into());
        }
        Ok(())
    }

    /// Takes out of `problems` which agents a configuration names that the store has.
    pub(super) async fn settle(&self, problems: &mut ConfigErrors) -> anyhow::Result<()> {
        if problems.name_unknown_agents() {
            problems.settle_agents(&names(self.store.as_ref()).await?);
        }
        Ok(())
    }

    /// Builds what `config` and the store name and lets it replace what runs.
    ///
    /// # Errors
    /// What cannot be built: then nothing has changed.
    pub(super) async fn replace(&self, config: &Config) -> anyhow::Result<()> {
        let mut state = self.state.lock().await;
        let mut fresh = AgentsState::new(config.clone(), config.snapshot());
        let stored = Stored::read(self.store.as_ref(), &self.keyring).await?;
        let next = self.builder.next(&fresh, &ByNumber::new(), stored, Missing::Refused).await?;
        self.put(&mut fresh, next);
        *state = fresh;
        Ok(())
    }

    /// Puts a state in the place of the one in use.
    fn put(&self, state: &mut AgentsState, next: NextState) {
        let NextState { snapshot, revision, routes, built, findings } = next;
        let versions = snapshot.numbers.iter().map(|n| (n.phone_number_id.clone(), n.version));
        (state.revision, state.built, state.versions) = (revision, built, versions.collect());
        // A number has a route before, while and after its messages are taken.
        self.routes.send_modify(|old| old.extend(routes.clone()));
        self.registry.swap(snapshot);
        let _former_turns_keep_theirs = self.routes.send_replace(routes);
        let mut known = self.findings.lock().unwrap_or_else(PoisonError::into_inner);
        for finding in findings.iter().filter(|finding| !known.contains(finding)) {
            let FindingView { key, message, .. } = finding;
            tracing::error!(
                key,
                message,
                "an entry of the store cannot be used: its messages wait"
            );
        }
        *known = findings;
    }
}

impl AgentsState {
    /// Begins with nothing built.
    fn new(config: Config, base: Snapshot) -> Self {
        let (built, versions) = (HashMap::new(), HashMap::new());
        Self { config, base, revision: 0, built, versions }
    }
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
    /// Builds the routes of all active numbers, on warm engines. What has not changed since `state`
    /// and its `routes` is used again. What only the store names and cannot be built is a finding.
    async fn next(
        &self,
        state: &AgentsState,
        routes: &ByNumber,
        stored: Stored,
        missing: Missing,
    ) -> anyhow::Result<NextState> {
        let Stored { revision, numbers, agents, sources, verify_token, unreadable: mut findings } =
            stored;
        state.config.refuse_twins(&numbers, &agents)?;
        let of_file = state.config.numbers.len();
        let joined = state.config.with_stored(numbers, agents);
        let mut next = NextState {
            snapshot: Snapshot {
                numbers: joined.numbers.iter().cloned().collect(),
                agents: joined.agents.clone(),
                verify_token: state.base.verify_token.clone().or(verify_token),
                ..state.base.clone()
            },
            revision,
            routes: ByNumber::new(),
            built: HashMap::new(),
            findings: Vec::new(),
        };
        for (index, number) in joined.numbers.iter().enumerate() {
            // Messages to the others wait until their number is active again.
            if number.status != NumberStatus::Active {
                continue;
            }
            let name = number.agent.as_deref().unwrap_or(&joined.default_agent);
            let entry = format!("agents/{name}");
            // Why it cannot answer is said once.
            if findings.iter().any(|finding| finding.key == entry) {
                continue;
            }
            let is_stored = index >= of_file;
            if let Some(problem) = obstacle(&joined, index, is_stored, missing)? {
                let key = format!("numbers/{}", number.phone_number_id);
                findings.push(finding(key, problem, "change the number, or add what it names"));
                continue;
            }
            let known = sources.get(name).into_iter().flatten().map(|row| row.id).collect();
            let built = match next.built.get(name) {
                Some(built) => built.clone(),
                None => match self.agent(state, &joined, name, known).await {
                    Ok(built) => built,
                    Err(error) if !is_stored && version_of(&joined, name).is_none() => {
                        return Err(error);
                    }
                    Err(error) => {
                        let fix = "mend what it needs; it is tried again every 30 s";
                        findings.push(finding(entry, format!("{error:#}"), fix));
                        continue;
                    }
                },
            };
            let route = self.route(state, routes, &next.snapshot, number, &built.setup);
            next.built.insert(name.to_owned(), built);
            next.routes.insert(number.phone_number_id.clone(), route);
        }
        next.findings = findings;
        Ok(next)
    }

    /// Builds an agent, unless it is built.
    async fn agent(
        &self,
        state: &AgentsState,
        joined: &Config,
        name: &str,
        sources: Vec<i64>,
    ) -> anyhow::Result<Built> {
        let version = version_of(joined, name);
        let same = |built: &&Built| built.version == version && built.sources == sources;
        if let Some(built) = state.built.get(name).filter(same) {
            return Ok(built.clone());
        }
        Ok(Built { version, sources, setup: Arc::new(self.pool.agent(joined, Some(name)).await?) })
    }

    /// Builds a route, unless it is built.
    fn route(
        &self,
        state: &AgentsState,
        routes: &ByNumber,
        snapshot: &Snapshot,
        number: &Number,
        agent: &Arc<AgentSetup>,
    ) -> Arc<Route> {
        let id = &number.phone_number_id;
        let same = |route: &&Arc<Route>| {
            Arc::ptr_eq(&route.agent, agent) && state.versions.get(id) == Some(&number.version)
        };
        if let Some(route) = routes.get(id).filter(same) {
            return Arc::clone(route);
        }
        let settings = CloudSettings::from_number(number, self.audio_bytes);
        Arc::new(Route {
            messenger: Arc::new(CloudClient::new(settings, self.client.clone())),
            agent: Arc::clone(agent),
            disclosure: snapshot.disclosure,
            turn_limit: snapshot.turn_limit,
            credits: snapshot.credits,
            per_second: number.messages_per_second.unwrap_or(USUAL_PACE),
            template: number.template.clone(),
        })
    }
}
