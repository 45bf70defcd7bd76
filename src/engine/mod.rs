//! What all engines share: how one is written down, or several in order; what may be wrong with it;
//! what a look at it finds; and when one that fails is left alone.
//!
//! Ground floor: knows no engine. `stt`, `agent` and `tts` each declare theirs with `engines!`,
//! the only list of them; their settings are the only list of keys. Invariant: no value of a key is
//! in `Debug` output or in an error, since some of them are secrets.

mod breaker;
mod findings;
mod lineup;
mod read;
mod several;

use std::fmt;
use std::time::Duration;

use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use toml::{Table, Value};

pub use breaker::EngineFault;
pub use findings::{Check, CheckLine, EngineUser, Finding, Level, TRIAL_LIMIT, TrialError};
pub use lineup::{Circuit, EngineCall, Lineup, Member, Notice, Noticed};
pub use read::{check, check_keys, check_list, read, unknown_key};
pub(crate) use read::{engines, fields, typed};
pub use several::{EngineList, OneEngine};

/// Makes a client that calls model servers; a connection takes at most so long to open, and the
/// caller bounds every other wait.
pub type Connect<'a> = &'a (dyn Fn(Duration) -> reqwest::Client + Send + Sync);

/// Describes one engine, or several that are asked in order: the keys of its section, those of other
/// engines included, with an agent's own in their place. The key `engine` names it, or lists them.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct EngineSpec(Table);

impl EngineSpec {
    /// Returns the engine's name, such as `espeak`; empty for several.
    pub fn engine(&self) -> &str {
        self.text("engine").unwrap_or_default()
    }

    /// Returns the value of a key, if it is set.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// Returns the text of a key, if it is set and is a text.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Value::as_str)
    }

    /// Returns the same with other values for some keys.
    #[must_use]
    pub fn with<K: Into<String>>(&self, keys: impl IntoIterator<Item = (K, Value)>) -> Self {
        let mut table = self.0.clone();
        table.extend(keys.into_iter().map(|(key, value)| (key.into(), value)));
        Self(table)
    }

    /// Returns the same with the keys of `own` in place of some.
    #[must_use]
    pub fn overridden_by(&self, own: &Self) -> Self {
        self.with(own.0.clone())
    }

    /// Returns the same with the keys in `names`, the engine's name and no others.
    #[must_use]
    pub fn only(&self, names: &[&str]) -> Self {
        let mut table = self.0.clone();
        table.retain(|key, _| key == "engine" || names.contains(&key));
        Self(table)
    }
}

impl fmt::Debug for EngineSpec {
    /// Shows the engine and the names of the keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entry(&self.engine()).entries(self.0.keys()).finish()
    }
}

impl Serialize for EngineSpec {
    /// Leaves secrets out.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(several::without_secrets(&self.0))
    }
}

/// Names a key that cannot be used, and says how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {problem}")]
pub struct Wrong {
    /// The key, within its section or from the root: whoever returns it says which.
    pub key: String,
    /// What is wrong with its value.
    pub problem: String,
}

impl Wrong {
    /// Makes one.
    pub fn new(key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { key: key.into(), problem: problem.into() }
    }

    /// Returns the same with the key named from the root; it is of the section of `R`.
    #[must_use]
    pub fn in_section<R: EngineRole>(self) -> Self {
        Self { key: format!("{}.{}", R::SECTION, self.key), ..self }
    }
}

/// Checks how a model server is reached: `url` is there and of HTTP, and `api_key` can be sent.
/// Returns the keys that cannot be used.
pub fn check_server(url: Option<&Url>, api_key: Option<&SecretString>) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    match url.map(Url::scheme) {
        None => wrong.push(("url", "is missing; set the server's address, e.g. with /v1")),
        Some("http" | "https") => {}
        Some(_) => wrong.push(("url", "must begin with http:// or https://")),
    }
    let odd = |key: &SecretString| !key.expose_secret().chars().all(|c| c.is_ascii_graphic());
    if api_key.is_some_and(odd) {
        wrong.push(("api_key", "has a character that no key has, such as a space"));
    }
    wrong.into_iter().map(|(key, problem)| Wrong::new(key, problem)).collect()
}

/// Checks the settings of one engine, whatever its role.
pub trait EngineSettings {
    /// Checks what types cannot; returns those of the engine's own keys that cannot be used.
    fn check(&self) -> Vec<Wrong> {
        Vec::new()
    }

    /// Names the keys that decide what the doctor sees: agents whose engines agree in them are
    /// looked at together. `None` if each agent is looked at by itself.
    fn seen_by(&self) -> Option<&'static [&'static str]> {
        None
    }
}

/// Holds the settings of one engine of a role; `engines!` declares the enums that implement it.
pub trait EngineRole: Sized + 'static {
    /// The section of the configuration, such as `tts`.
    const SECTION: &'static str;
    /// Most engines of a list of them; 1 where there is no list.
    const MOST: usize;
    /// Keys of the section that belong to no engine, beside its name; their values are texts.
    const SHARED: &'static [&'static str];
    /// The engines.
    const ENGINES: &'static [EngineEntry<Self>];
    /// What the settings of every engine of the role can do.
    type Settings: EngineSettings + ?Sized;

    /// Returns the settings of the engine that was chosen.
    fn settings(&self) -> &Self::Settings;
}

/// Describes one engine of the role `R`.
pub struct EngineEntry<R> {
    /// Its name.
    pub name: &'static str,
    /// Returns the names of its keys.
    pub keys: fn() -> &'static [&'static str],
    /// Reads its settings; keys of other engines do not matter.
    pub read: fn(&Table) -> Result<R, Wrong>,
}

/// Reads a secret; unlike serde's own, its error does not quote the value.
///
/// # Errors
/// A value that is not a text.
pub fn secret<'de, D>(deserializer: D) -> Result<Option<SecretString>, D::Error>
where
    D: Deserializer<'de>,
{
    match Value::deserialize(deserializer)? {
        Value::String(text) => Ok(Some(text.into())),
        _ => Err(D::Error::custom("must be a text in quotes")),
    }
}
