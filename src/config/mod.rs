//! Configuration: the shape of `hark.toml`, its layers and its checks.
//!
//! `default.toml` < `hark.toml` < environment. Read once, checked once; only `app` and `cli` see
//! it. Every error names the key and the file or variable it came from.

mod agents;
mod check;
mod engines;
mod load;
mod overlay;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

pub use agents::{Agent, Gate, GateAction, GateOverride, Override, Reply, Voice};
pub use engines::Engines;
pub use load::{ConfigError, Environment, THE_FILE, load};

use crate::engine::EngineSpec;
use crate::turn::PhoneNumberId;

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
    pub stt: EngineSpec,
    pub llm: EngineSpec,
    pub tts: EngineSpec,
    pub store: StoreConfig,
    pub queue: Queue,
    pub limits: Limits,
    pub log: Log,
    pub messages: Messages,
    /// Where each key came from, for messages about it.
    #[serde(skip)]
    pub origins: Origins,
    /// The files of secrets that came from one, by key, e.g. `numbers[0].access_token`.
    #[serde(skip)]
    pub secret_files: BTreeMap<String, PathBuf>,
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

/// Which API a number is reached through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "each is the name of a provider")]
pub enum ProviderKind {
    #[default]
    #[serde(rename = "meta")]
    Meta,
    #[serde(rename = "360dialog")]
    D360,
    #[serde(rename = "simulator")]
    Simulator,
}

/// Whether a number answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "default.toml documents every value")]
pub enum NumberStatus {
    #[default]
    Active,
    Paused,
}

/// Graph versions age out after two years; v25.0 is of 2026.
const API_VERSION: &str = "v25.0";

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct Number {
    pub phone_number_id: PhoneNumberId,
    pub display_number: Option<String>,
    pub display_name: Option<String>,
    #[serde(default)]
    pub provider: ProviderKind,
    pub access_token: Option<SecretString>,
    pub app_id: Option<String>,
    pub app_secret: Option<SecretString>,
    pub business_id: Option<String>,
    pub api_url: Option<Url>,
    pub api_version: Option<String>,
    pub media_hosts: Option<Vec<String>>,
    pub agent: Option<String>,
    #[serde(default)]
    pub status: NumberStatus,
}

impl Number {
    /// Where its calls go.
    ///
    /// # Panics
    /// Never: the addresses are constants.
    pub fn api_url(&self) -> Url {
        self.api_url.clone().unwrap_or_else(|| {
            let url = match self.provider {
                ProviderKind::Meta => "https://graph.facebook.com",
                ProviderKind::D360 => "https://waba-v2.360dialog.io",
                ProviderKind::Simulator => "http://127.0.0.1:8090",
            };
            Url::parse(url).expect("a constant")
        })
    }

    /// The version segment of its calls.
    pub fn api_version(&self) -> String {
        self.api_version.clone().unwrap_or_else(|| API_VERSION.to_owned())
    }

    /// Hosts, beside the API's own, that may see the token when media is downloaded.
    pub fn media_hosts(&self) -> Vec<String> {
        self.media_hosts.clone().unwrap_or_else(|| vec!["lookaside.fbsbx.com".to_owned()])
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct StoreConfig {
    pub engine: String,
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
    pub engine: String,
    pub url: Option<String>,
    pub burst_ms: u64,
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "default.toml documents every value")]
pub enum LogFormat {
    Human,
    Json,
}

/// A sentence people are told: one for all languages, or one each.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
#[expect(missing_docs, reason = "the two ways to write it")]
pub enum Phrase {
    One(String),
    ByLanguage(BTreeMap<String, String>),
}

impl Phrase {
    /// The sentence by language; one for all languages stands under `en`, where all end.
    pub fn by_language(&self) -> BTreeMap<String, String> {
        match self {
            Self::One(text) => BTreeMap::from([("en".to_owned(), text.clone())]),
            Self::ByLanguage(texts) => texts.clone(),
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct Messages {
    pub fallback: Phrase,
    pub no_speech: Phrase,
    pub too_long: Phrase,
    pub unsupported: Phrase,
    pub unreadable: Phrase,
    pub media_gone: Phrase,
    pub confirm: Phrase,
    pub repeat: Phrase,
    pub broke_off: Phrase,
    pub text_mode: Phrase,
    pub voice_mode: Phrase,
    pub dont_know: Phrase,
}
