//! Configuration: the shape of `hark.toml`, its layers and its checks.
//!
//! `default.toml` < `hark.toml` < environment. Read at the start and at a SIGHUP, and checked as
//! one; only `app` and `cli` see it. Every error names the key and the file or variable it came
//! from. What may change while the service runs becomes a [`Snapshot`]; the rest is for the life of
//! the process.

mod check;
mod engines;
mod load;
mod overlay;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

pub use check::Engines;
pub use engines::{CutAudioCtx, Llm, Stt, Tts, TtsFormat};
pub use load::{ConfigError, Environment, THE_FILE, load};

use crate::registry::{Agent, Gate, Number, Override, Phrases, ProviderKind, Snapshot};
use crate::telemetry::LogFormat;

/// Everything hark can be told.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct Config {
    pub default_agent: String,
    pub server: Server,
    pub webhook: Webhook,
    #[serde(default)]
    pub numbers: Vec<Number>,
    pub agents: Vec<Agent>,
    pub gate: Gate,
    pub stt: Stt,
    pub llm: Llm,
    pub tts: Tts,
    pub store: StoreConfig,
    pub queue: Queue,
    pub limits: Limits,
    pub log: Log,
    pub messages: Phrases,
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
            phrases: Arc::new(self.messages.clone()),
            verify_token: self.webhook.verify_token.clone(),
            turn_limit: Duration::from_secs(self.limits.turn_seconds),
        }
    }
}

/// Which layer set a key.
#[derive(Clone, Debug, Default)]
pub struct Origins(pub(crate) BTreeMap<String, String>);

impl Origins {
    /// The file or variable that set `key`, or the nearest key above it.
    pub fn of(&self, key: &str) -> &str {
        let mut key = key;
        loop {
            if let Some(origin) = self.0.get(key) {
                return origin;
            }
            match key.rfind(['.', '[']) {
                Some(end) => key = &key[..end],
                // Nobody set it: the file is where it can be set.
                None => return self.0.get("").map_or("default.toml", String::as_str),
            }
        }
    }

    /// The secrets that were set, each with the file or variable it came from.
    pub fn of_secrets(&self) -> impl Iterator<Item = (&str, &str)> {
        let is_secret =
            |key: &str| key.rsplit('.').next().is_some_and(|last| load::SECRETS.contains(&last));
        let secrets = self.0.iter().filter(move |(key, _)| is_secret(key));
        secrets.map(|(key, origin)| (key.as_str(), origin.as_str()))
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct Server {
    pub listen: String,
    pub public_url: Option<Url>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct Webhook {
    pub verify_token: Option<SecretString>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct StoreConfig {
    pub url: String,
}

impl StoreConfig {
    /// The database's path, without `sqlite://`.
    pub fn path(&self) -> &Path {
        Path::new(self.url.strip_prefix("sqlite://").unwrap_or(&self.url))
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct Queue {
    pub turns: usize,
    pub burst_ms: u64,
    pub node: Option<String>,
}

impl Queue {
    /// Returns the name of this node: the configured one, else the host's.
    pub fn node(&self) -> String {
        let host = || std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let name = self.node.clone().unwrap_or_else(host).trim().to_owned();
        if name.is_empty() { "hark".to_owned() } else { name }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct Limits {
    pub audio_bytes: u64,
    pub audio_seconds: u32,
    pub turn_seconds: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct Log {
    pub format: LogFormat,
    pub level: String,
}
