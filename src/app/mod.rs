//! The composition root: turns a checked configuration into running parts.
//!
//! Only this folder and `cli` name concrete backends.

mod agents;
mod keyring;
mod named;
mod nodes;
mod office;
mod pool;
mod pulse;
mod reload;
mod sound;
mod stored;
mod telling;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::future::OptionFuture;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::agents::Agents;
use self::keyring::Keyring;
pub use self::keyring::LockedError;
pub use self::named::{settle_agents, with_agent, with_known};
use self::nodes::Membership;
pub use self::office::Office;
use self::office::event_webhooks::SigningSecrets;
pub use self::pool::{EnginePool, Hearing, Keeping, Places, Unheard};
pub use self::pulse::ServicePulse;
pub use self::reload::Reloader;
pub use self::stored::Stored;
use self::telling::Telling;
use crate::audio::AudioLimits;
use crate::blobs::SoundKeeper;
use crate::clock::Clock;
use crate::config::Config;
use crate::customers::CustomerBook;
use crate::desk::{DeskKeeper, DeskTimes, RetentionKeeper, RetentionTimes};
use crate::http::api::uploads;
use crate::http::{ApiState, HealthState, Server, WebhookState, admin_router, api_router, router};
use crate::lifecycle::{Shutdown, raise_file_limit};
use crate::pipeline::{
    AgentSetup, NoteTaker, Pipeline, Routes as _, SoundMemory, TurnFailures, Unnoted, VoicePath,
    summaries,
};
use crate::queue::inbox::{EmbeddedInbox, Inbox};
use crate::queue::lanes::Lanes;
use crate::queue::{RunningTurns, Wake};
use crate::registry::Snapshot;
use crate::remote::model_client;
use crate::store::{Access, SqlStore, StoreAddress};
use crate::store::{Archive, Directory, Queue, Tokens as _};
use crate::stt::whisper::device::BACKEND;
use crate::telemetry;
use crate::threads::Threads;
use crate::turn::PhoneNumberId;

/// Pieces of audio work that may wait. Each takes milliseconds, so a full queue is seconds of delay,
/// and refusing beats adding to it.
const AUDIO_QUEUE: usize = 1024;

/// Starts what hears and speaks, with the configured limits.
///
/// # Errors
/// If the system starts no threads.
pub fn voice_path(config: &Config) -> anyhow::Result<VoicePath> {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    Ok(VoicePath {
        decoders: Threads::start("decode", cores, AUDIO_QUEUE)
            .context("starting the threads that decode")?,
        encoders: Threads::start("encode", cores, AUDIO_QUEUE)
            .context("starting the threads that encode")?,
        memory: SoundMemory::new(SoundMemory::USUAL),
        limits: AudioLimits {
            bytes: config.limits.audio_bytes,
            seconds: config.limits.audio_seconds,
        },
        redaction: config.privacy.redaction(),
    })
}

/// Returns whether a service without a number in its configuration has something to do: its store has
/// a number, or a token with which one can be added.
///
/// # Errors
/// A store that cannot be read.
pub async fn can_start_empty(config: &Config) -> anyhow::Result<bool> {
    let at = config.store.address();
    if !at.may_exist() {
        return Ok(false);
    }
    let store = SqlStore::open(&at, Access::Inspect)?;
    let has_token = store.tokens().await?.iter().any(|token| token.revoked_ms.is_none());
    Ok(has_token || !store.directory().await?.numbers.is_empty())
}

/// Makes what looks after the desk.
fn desk_keeper(config: &Config, store: &Arc<SqlStore>, clock: &Clock, wake: &Wake) -> DeskKeeper {
    let follow_up = Duration::from_mins(config.followup.minutes.into());
    let times = DeskTimes {
        conversation: Duration::from_hours(config.desk.conversation_hours.into()),
        ticket: Duration::from_mins(config.desk.idle_minutes.into()),
        events: Duration::from_hours(24 * u64::from(config.events.retention_days)),
        follow_up: Some(follow_up).filter(|after| !after.is_zero()),
    };
    DeskKeeper::new(store.clone(), store.clone(), times, clock.clone(), wake.clone())
}

/// Makes what lets go of what is old.
fn retention_keeper(config: &Config, store: &Arc<SqlStore>, clock: Clock) -> RetentionKeeper {
    let days = |days: u32| Duration::from_hours(24 * u64::from(days));
    let wanted = |time: Duration| Some(time).filter(|time| !time.is_zero());
    let times = RetentionTimes {
        words: wanted(days(config.privacy.words_days)),
        contacts: wanted(days(config.privacy.contacts_days)),
        audit: days(config.privacy.audit_days),
    };
    RetentionKeeper { old: store.clone(), people: store.clone(), times, clock }
}

/// Joins those who do what the API is asked.
fn api_state(office: &Arc<Office>, stop: &CancellationToken) -> ApiState {
    ApiState {
        numbers: office.clone(),
        agents: office.clone(),
        knowledge: office.clone(),
        customers: office.clone(),
        uploads: uploads(),
        tokens: office.clone(),
        conversations: office.clone(),
        tickets: office.clone(),
        events: office.clone(),
        commands: office.clone(),
        event_webhooks: office.clone(),
        books: office.clone(),
        record: office.clone(),
        queue: office.clone(),
        audit: office.clone(),
        stop: stop.clone(),
    }
}

/// Connections that are open at a time, if there are files for them.
const CONNECTIONS: u64 = 1024;

/// Connections of those who run the service.
const ADMIN_CONNECTIONS: usize = 32;

/// Returns how many connections may be open where a process may open `files`: half are for the store,
/// engines and calls out.
fn connections(files: u64) -> usize {
    usize::try_from(CONNECTIONS.min(files / 2)).expect("1024 fits")
}

/// Holds the service, ready to run.
pub struct App {
    agents: Arc<Agents>,
    inbox: Arc<dyn Inbox>,
    lanes: Lanes,
    keeper: SoundKeeper,
    notes: NoteTaker,
    keepers: (DeskKeeper, RetentionKeeper),
    telling: Telling,
    office: Arc<Office>,
    membership: Membership,
    here: (RunningTurns, Wake),
    metrics: PrometheusHandle,
    store: Arc<SqlStore>,
    /// The record, for what runs the service in its own process.
    pub archive: Arc<dyn Archive>,
}

impl App {
    /// Opens the configured store, loads and warms the engines of the configured numbers, and joins
    /// the parts.
    ///
    /// # Errors
    /// A [`ConfigError`](crate::config::ConfigError) for what the operator can mend in the configuration.
    pub async fn build(config: &Config, pool: EnginePool, clock: Clock) -> anyhow::Result<Self> {
        Self::build_with(config, config.snapshot(), &config.store.address(), pool, clock).await
    }

    /// Does the same for these numbers and agents and this store.
    ///
    /// # Errors
    /// As [`App::build`].
    pub async fn build_with(
        config: &Config,
        snapshot: Snapshot,
        at: &StoreAddress,
        pool: EnginePool,
        clock: Clock,
    ) -> anyhow::Result<Self> {
        let metrics = telemetry::init_metrics();
        telemetry::built_from(BACKEND.unwrap_or("none"));
        // First, so that a second service by mistake loads no model beside the first.
        let store = Arc::new(SqlStore::open(at, Access::Serve)?);
        let membership = Membership::new(config, &store, clock).await?;
        let clock = membership.clock.clone();
        let keyring = Arc::new(Keyring::new(config, at.beside()));
        let pool = pool.with_library(store.clone());
        let directory: Arc<dyn Directory> = store.clone();
        let agents = Agents::start(config, snapshot, pool, directory, keyring.clone()).await?;
        let agents = Arc::new(agents);
        let shelf = sound::shelf(config, at.beside(), &store, clock.clone())?;
        let (sounds, keeper) = shelf.keeper();
        let queue: Arc<dyn Queue> = store.clone();
        let (summaries, notes) = summaries(store.clone(), store.clone(), clock.clone());
        let connect = model_client(Duration::from_millis(config.customers.timeout_ms));
        let noticed = Arc::new(telemetry::engine_noticed);
        let customers =
            CustomerBook::new(store.clone(), &config.customers, connect, clock.clone(), noticed);
        let pipeline = Pipeline {
            path: voice_path(config)?,
            routes: agents.clone(),
            record: store.clone(),
            customers,
            sounds,
            summaries,
            unnoted: Unnoted::default(),
            failures: TurnFailures::default(),
            burst_ms: config.queue.burst_ms(),
            clock: clock.clone(),
        };
        let (wake, pipeline, turns) = (Wake::default(), Arc::new(pipeline), config.queue.turns);
        let node = (membership.node.clone(), membership.pace);
        let lanes = Lanes::new(queue.clone(), pipeline, clock.clone(), wake.clone(), turns, node);
        let here = (lanes.running(), wake.clone());
        let registry = Arc::clone(&agents.registry);
        let inbox =
            EmbeddedInbox::new(queue, clock.clone(), registry, wake.clone(), lanes.running());
        let inbox = inbox.without(config.privacy.redaction()).gathering(config.queue.burst_ms());
        let inbox = Arc::new(inbox.behind(membership.front.clone()));
        let secrets = SigningSecrets { store: store.clone(), keyring: Arc::clone(&keyring) };
        let office =
            Office::of_service(&store, keyring, &agents, shelf, clock.clone(), here.clone());
        let office = Arc::new(office);
        let old = retention_keeper(config, &store, clock.clone());
        let keepers = (desk_keeper(config, &store, &clock, &wake), old);
        let telling = Telling::new(config, &store, secrets, clock)?;
        Ok(Self {
            agents,
            inbox,
            lanes,
            keeper,
            notes,
            keepers,
            telling,
            office,
            membership,
            here,
            metrics,
            archive: store.clone(),
            store,
        })
    }

    /// Returns what reads the configuration again; `config` is the one that the service runs on.
    pub fn reloader(&self, config: Config) -> Reloader {
        Reloader { agents: Arc::clone(&self.agents), started: Box::new(config) }
    }

    /// Returns what shows that the service lives.
    pub fn pulse(&self) -> ServicePulse {
        ServicePulse { store: Arc::clone(&self.store), clock: self.membership.clock.clone() }
    }

    /// Names what hears, answers and speaks for a number; nothing of one that is not answered.
    pub fn engines(&self, number: &PhoneNumberId) -> Vec<String> {
        let Some(route) = self.agents.route(number) else { return Vec::new() };
        let AgentSetup { transcriber, responder, synthesizer, .. } = &*route.agent;
        let names = [transcriber.name(), responder.name(), synthesizer.name()];
        names.map(str::to_owned).into()
    }

    /// Serves until `shutdown` and finishes what runs; `admin` is for those who run the service.
    ///
    /// # Errors
    /// If the system starts no threads.
    pub async fn run(
        self,
        listener: TcpListener,
        admin: Option<TcpListener>,
        shutdown: Shutdown,
    ) -> anyhow::Result<()> {
        let registry = Arc::clone(&self.agents.registry);
        let webhook =
            WebhookState::new(Arc::clone(&self.inbox), registry).context("starting threads")?;
        let health =
            Arc::new(HealthState::new(self.inbox, self.metrics.clone(), shutdown.stop.clone()));
        let api = Arc::new(api_state(&self.office, &shutdown.stop));
        let telling = self.telling.run(Arc::clone(&api));
        let api = api_router(api);
        let admin = admin.map(|listener| Server {
            listener,
            router: admin_router(Arc::clone(&health)).merge(api.clone()),
            connections: ADMIN_CONNECTIONS,
        });
        let connections = connections(raise_file_limit());
        let server = Server { listener, router: router(webhook, health).merge(api), connections };
        let serve = async {
            let serve = |server: Server| server.serve(shutdown.stop.clone());
            tokio::join!(serve(server), OptionFuture::from(admin.map(serve)));
        };
        let lanes = Box::pin(self.lanes.run(shutdown.stop.clone(), shutdown.abort.clone()));
        let aborted = shutdown.abort.cancelled();
        let upkeep = telemetry::upkeep(self.metrics);
        let agents = self.agents;
        let answered = CancellationToken::new();
        let keeping = Box::pin(self.keeper.run(answered.clone()));
        let answering = async {
            tokio::join!(serve, lanes);
            answered.cancel();
        };
        let leaver = self.membership.leaver();
        let ended = tokio::select! {
            ((), ()) = async { tokio::join!(answering, keeping) } => {
                if let Err(error) = self.store.write_back().await {
                    tracing::warn!(error = %error, "the next start takes longer");
                }
                Ok(())
            }
            () = upkeep => unreachable!("it runs for ever"),
            () = Box::pin(self.notes.run()) => unreachable!("the pipeline asks for notes"),
            () = Box::pin(telling) => unreachable!("so does this"),
            () = Box::pin(self.membership.run(self.here)) => unreachable!("and this"),
            () = self.keepers.0.run() => unreachable!("it runs for ever"),
            () = self.keepers.1.run() => unreachable!("and this"),
            () = agents.pool().make_in_advance() => unreachable!("so does this"),
            () = agents.pool().learn_meanings() => unreachable!("and this"),
            () = agents.follow() => unreachable!("and this"),
            () = async { aborted.await; tokio::time::sleep(Duration::from_secs(1)).await } => {
                tracing::warn!("aborted: unfinished messages are taken up at the next start");
                Ok(())
            }
        };
        leaver.leave().await;
        telemetry::tell_left_out();
        ended
    }
}
