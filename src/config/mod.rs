//! Configuration: the shape of `hark.toml`, its layers and its checks.
//!
//! `default.toml` < `hark.toml` < environment. Read at the start and at a SIGHUP, and checked as
//! one; only `app` and `cli` see it. All that is wrong is found at once, each with its key and the
//! file or variable it came from. What may change while the service runs becomes a [`Snapshot`]; the
//! rest is for the life of the process.

mod check;
mod engines;
mod load;
mod overlay;
mod problems;
mod stored;
mod typed;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use url::Url;

pub use engines::EngineSpecs;
pub use load::{Environment, USUAL_FILE, load, read};
pub use overlay::Origins;
pub use problems::{ConfigError, ConfigErrors, THE_FILE};

use crate::blobs::BlobSettings;
use crate::customers::CustomerSettings;
use crate::engine::{self, EngineSpec};
use crate::knowledge::EmbeddingSettings;
use crate::registry::{Agent, Disclosure, Gate, Number, Phrases, Snapshot};
use crate::store::{StoreAddress, StoreError, check_address};
use crate::telemetry::LogFormat;
use crate::written::{Redacted, Redaction};

/// Holds everything hark can be configured with.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct Config {
    pub default_agent: String,
    pub server: ServerConfig,
    pub webhook: WebhookConfig,
    #[serde(default)]
    pub numbers: Vec<Number>,
    pub agents: Vec<Agent>,
    pub gate: Gate,
    pub disclosure: Disclosure,
    pub stt: EngineSpec,
    pub llm: EngineSpec,
    pub tts: EngineSpec,
    pub embeddings: EmbeddingSettings,
    pub customers: CustomerSettings,
    pub cache: CacheConfig,
    pub store: StoreConfig,
    pub blobs: BlobSettings,
    pub queue: QueueConfig,
    pub desk: DeskConfig,
    pub events: EventsConfig,
    pub redis: RedisConfig,
    pub privacy: PrivacyConfig,
    pub followup: FollowUpConfig,
    pub limits: LimitsConfig,
    pub credits: CreditsConfig,
    pub log: LogConfig,
    pub messages: Arc<Phrases>,
    /// Where each key came from, for messages about it.
    #[serde(skip)]
    pub origins: Origins,
}

impl Config {
    /// Returns what the registry holds of this configuration.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            numbers: self.numbers.iter().cloned().collect(),
            agents: self.agents.clone(),
            default_agent: self.default_agent.clone(),
            gate: self.gate,
            disclosure: self.disclosure,
            phrases: Arc::clone(&self.messages),
            verify_token: self.webhook.verify_token.clone(),
            turn_limit: Duration::from_secs(self.limits.turn_seconds),
            credits: self.credits.per_turn,
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct ServerConfig {
    pub listen: String,
    pub admin_listen: String,
    pub public_url: Option<Url>,
}

impl ServerConfig {
    /// Returns the address for those who run the service; `None` if there is none.
    pub fn admin(&self) -> Option<&str> {
        Some(self.admin_listen.trim()).filter(|address| !address.is_empty())
    }

    /// Returns the address of the webhook as the provider sees it: what goes into Meta's form.
    /// `None` without a public address, or if it can have no path.
    pub fn callback_url(&self) -> Option<Url> {
        let mut url = self.public_url.clone()?;
        url.path_segments_mut().ok()?.pop_if_empty().push("webhook");
        url.set_query(None);
        // A name and a password are nobody's business who reads a log.
        url.set_username("").ok()?;
        url.set_password(None).ok()?;
        Some(url)
    }

    /// Returns the address of 360dialog's webhook, likewise.
    pub fn callback_url_360dialog(&self) -> Option<Url> {
        let mut url = self.callback_url()?;
        url.path_segments_mut().ok()?.push("360dialog");
        Some(url)
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct WebhookConfig {
    #[serde(default, deserialize_with = "engine::secret")]
    pub verify_token: Option<SecretString>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct CacheConfig {
    pub megabytes: u64,
    pub entries: u64,
    pub folder: Option<PathBuf>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct StoreConfig {
    pub url: SecretString,
    pub password: Option<SecretString>,
    pub connections: u32,
    /// Beside which files lie that go with a server's store: in the configuration's folder.
    #[serde(skip)]
    pub beside: PathBuf,
    /// `HARK_SECRET_KEY`, with which secrets in the store are encrypted.
    #[serde(skip)]
    pub secret_key: Option<SecretString>,
}

impl StoreConfig {
    /// Returns where the store is: a path, without `sqlite://`, or a server.
    pub fn address(&self) -> StoreAddress {
        let url = self.url.expose_secret();
        if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
            return StoreAddress::File(url.strip_prefix("sqlite://").unwrap_or(url).into());
        }
        let mut address = Url::parse(url).ok();
        if let (Some(address), Some(password)) = (&mut address, &self.password) {
            // An address that names a socket has no host, and no place before it for a password.
            if address.set_password(Some(password.expose_secret())).is_err() {
                address.query_pairs_mut().append_pair("password", password.expose_secret());
            }
        }
        let url = address.map_or_else(|| self.url.clone(), |url| String::from(url).into());
        StoreAddress::Postgres { url, connections: self.connections, beside: self.beside.clone() }
    }

    /// Returns the same for another address.
    #[must_use]
    pub fn elsewhere(&self, url: &str, password: Option<SecretString>) -> Self {
        Self { url: url.into(), password, ..self.clone() }
    }

    /// Returns what is wrong with the address, if something is.
    pub fn odd(&self) -> Option<String> {
        match self.url.expose_secret().split_once("://") {
            None | Some(("sqlite", _)) => None,
            Some(("postgres" | "postgresql", _)) => match check_address(&self.address()) {
                Ok(()) => None,
                Err(StoreError::Open { cause, .. }) => Some(cause),
                Err(error) => Some(error.to_string()),
            },
            Some((scheme, _)) => Some(format!(
                "unknown store \"{scheme}\"; use a path, sqlite://path or postgres://"
            )),
        }
    }

    /// Returns whether both name the same database.
    pub fn is_as(&self, other: &Self) -> bool {
        self.url.expose_secret() == other.url.expose_secret()
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct DeskConfig {
    pub conversation_hours: u32,
    pub idle_minutes: u32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct EventsConfig {
    pub retention_days: u32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct PrivacyConfig {
    pub redact: Vec<Redacted>,
    pub words_days: u32,
    pub contacts_days: u32,
    pub audit_days: u32,
}

impl PrivacyConfig {
    /// Returns what is taken out of people's words.
    pub fn redaction(&self) -> Redaction {
        Redaction::new(&self.redact)
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct RedisConfig {
    pub url: Option<SecretString>,
    pub password: Option<SecretString>,
    pub events: String,
    pub events_kept: u32,
    pub commands: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct FollowUpConfig {
    pub minutes: u32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct QueueConfig {
    pub turns: usize,
    pub burst_ms: u64,
    pub node: Option<String>,
}

impl QueueConfig {
    /// Returns how long more of the same person is waited for, milliseconds.
    pub fn burst_ms(&self) -> i64 {
        i64::try_from(self.burst_ms).unwrap_or(i64::MAX)
    }

    /// Returns the name of this node: the configured one, else the host's.
    pub fn node(&self) -> String {
        self.node.clone().map_or_else(|| self.host(), |name| name.trim().to_owned())
    }

    /// Returns the host's name.
    pub fn host(&self) -> String {
        let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        if name.trim().is_empty() { "hark".to_owned() } else { name.trim().to_owned() }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct LimitsConfig {
    pub audio_bytes: u64,
    pub audio_seconds: u32,
    pub turn_seconds: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct CreditsConfig {
    pub per_turn: u32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct LogConfig {
    pub format: LogFormat,
    pub level: String,
}
