//! The composition root: turns a checked configuration into running parts.
//!
//! Only this folder and `cli` name concrete backends.

mod pool;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use metrics_exporter_prometheus::PrometheusHandle;
use secrecy::ExposeSecret as _;
use tokio::net::TcpListener;
use tokio::sync::Notify;

pub(crate) use self::pool::voice;
pub use self::pool::{Hearing, Places, Pool};
use crate::audio::Limits;
use crate::clock::Clock;
use crate::config::{self, Config, NumberStatus};
use crate::http::{AppSecret, HttpState, Readiness};
use crate::lifecycle::Shutdown;
use crate::pipeline::{Phrase, Phrases, Pipeline, Route, VoicePath, Workers};
use crate::provider::cloud::{MetaCloud, MetaSettings};
use crate::provider::http_client;
use crate::queue::inbox::{EmbeddedInbox, NumberState};
use crate::queue::lanes::Lanes;
use crate::store::Store;
use crate::store::sqlite::{Access, SqliteStore};
use crate::telemetry;

/// What hears and speaks, from the configuration.
///
/// # Errors
/// If the system starts no threads.
pub fn voice_path(config: &Config) -> anyhow::Result<VoicePath> {
    let phrase = |phrase: &config::Phrase| Phrase(phrase.by_language());
    let messages = &config.messages;
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    Ok(VoicePath {
        workers: Workers::start(cores).context("starting audio threads")?,
        limits: Limits { bytes: config.limits.audio_bytes, seconds: config.limits.audio_seconds },
        phrases: Phrases {
            fallback: phrase(&messages.fallback),
            no_speech: phrase(&messages.no_speech),
            too_long: phrase(&messages.too_long),
            unsupported: phrase(&messages.unsupported),
            unreadable: phrase(&messages.unreadable),
            media_gone: phrase(&messages.media_gone),
            confirm: phrase(&messages.confirm),
            repeat: phrase(&messages.repeat),
            broke_off: phrase(&messages.broke_off),
            text_mode: phrase(&messages.text_mode),
            voice_mode: phrase(&messages.voice_mode),
        },
    })
}

/// The service, ready to run.
pub struct App {
    router: Router,
    lanes: Lanes,
    ready: Readiness,
    metrics: PrometheusHandle,
    /// The record, for what runs the service in its own process.
    pub store: Arc<dyn Store>,
}

impl App {
    /// Opens the store, loads and warms the engines, and joins the parts.
    ///
    /// # Errors
    /// A [`ConfigError`](crate::config::ConfigError) for what the operator can mend in the configuration.
    pub async fn build(
        config: &Config,
        places: &Places,
        hearing: &Hearing,
        clock: Clock,
    ) -> anyhow::Result<Self> {
        if config.numbers.is_empty() {
            let problem = "no business number is configured; add a [[numbers]] table";
            return Err(config.error("numbers", problem).into());
        }
        let store: Arc<dyn Store> =
            Arc::new(SqliteStore::open(config.store.path(), Access::Serve)?);
        let routes = routes(config, &Pool::new(places.clone(), hearing.clone())).await?;
        let pipeline = Pipeline {
            path: voice_path(config)?,
            routes,
            store: Arc::clone(&store),
            clock: clock.clone(),
            turn_limit: Duration::from_secs(config.limits.turn_seconds),
        };
        let wake = Arc::new(Notify::new());
        let numbers = config.numbers.iter().map(|number| {
            let state = match number.status {
                NumberStatus::Active => NumberState::Active,
                NumberStatus::Paused => NumberState::Paused,
            };
            (number.phone_number_id.clone(), state)
        });
        let inbox = EmbeddedInbox::new(
            Arc::clone(&store),
            clock.clone(),
            numbers.collect(),
            Arc::clone(&wake),
        );
        let (ready, metrics) = (Readiness::default(), telemetry::init_metrics());
        let router = crate::http::router(HttpState {
            inbox: Arc::new(inbox),
            secrets: secrets(config),
            verify_token: config.webhook.verify_token.clone(),
            metrics: metrics.clone(),
            ready: ready.clone(),
        });
        let lanes = Lanes::new(Arc::clone(&store), Arc::new(pipeline), clock, wake);
        Ok(Self { router, lanes, ready, metrics, store })
    }

    /// Serves until `shutdown` and finishes what runs.
    ///
    /// # Errors
    /// If the listener fails.
    pub async fn run(self, listener: TcpListener, shutdown: Shutdown) -> anyhow::Result<()> {
        self.ready.set(true);
        let stop = shutdown.stop.clone();
        let server = axum::serve(listener, self.router).with_graceful_shutdown(async move {
            stop.cancelled().await;
        });
        let lanes = self.lanes.run(shutdown.stop.clone(), shutdown.abort.clone());
        let serve = async {
            let served = server.await;
            // A server that died must not leave lanes running behind a dead port.
            shutdown.stop.cancel();
            served
        };
        let aborted = shutdown.abort.cancelled();
        let upkeep = telemetry::upkeep(self.metrics);
        tokio::select! {
            (served, ()) = async { tokio::join!(serve, lanes) } => served.context("serving HTTP"),
            () = upkeep => unreachable!("it runs for ever"),
            () = async { aborted.await; tokio::time::sleep(Duration::from_secs(1)).await } => {
                tracing::warn!("aborted: unfinished messages are taken up at the next start");
                Ok(())
            }
        }
    }
}

async fn routes(
    config: &Config,
    pool: &Pool,
) -> anyhow::Result<HashMap<crate::turn::PhoneNumberId, Route>> {
    let client = http_client();
    let mut routes = HashMap::new();
    // Messages to the others wait until their number is active again.
    let numbers = config.numbers.iter().enumerate();
    for (index, number) in numbers.filter(|(_, number)| number.status == NumberStatus::Active) {
        let token_key = format!("numbers[{index}].access_token");
        let settings = MetaSettings {
            api_url: number.api_url(),
            api_version: number.api_version(),
            phone_number_id: number.phone_number_id.clone(),
            access_token: number.access_token.clone().unwrap_or_default(),
            access_token_file: config.secret_files.get(&token_key).cloned(),
            media_hosts: number.media_hosts(),
            audio_bytes_limit: config.limits.audio_bytes,
        };
        let route = Route {
            messenger: Arc::new(MetaCloud::new(settings, client.clone())),
            agent: Arc::new(pool.agent(config, number.agent.as_deref()).await?),
        };
        routes.insert(number.phone_number_id.clone(), route);
    }
    Ok(routes)
}

/// The distinct app secrets with their numbers.
fn secrets(config: &Config) -> Vec<AppSecret> {
    let mut secrets: Vec<AppSecret> = Vec::new();
    for number in &config.numbers {
        let Some(secret) = &number.app_secret else { continue };
        let same = |known: &&mut AppSecret| known.secret.expose_secret() == secret.expose_secret();
        match secrets.iter_mut().find(same) {
            Some(known) => known.numbers.push(number.phone_number_id.clone()),
            None => secrets.push(AppSecret {
                secret: secret.clone(),
                numbers: vec![number.phone_number_id.clone()],
            }),
        }
    }
    secrets
}
