//! What all engines share: how one is written down, what may be wrong with it, and what a look at
//! it finds.
//!
//! Ground floor: knows no engine. `stt`, `agent` and `tts` each declare theirs with [`engines`], the
//! only list of them; their settings are the only list of keys. Invariant: no value of a key is in `Debug` output or in an error, since some of them are secrets.

mod findings;
mod read;

use std::fmt;
use std::time::Duration;

use secrecy::SecretString;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use toml::{Table, Value};

pub use findings::{Check, EngineUser, Finding, Level, Line, Refusal, TRIAL_LIMIT};
pub use read::{check, check_keys, read, unknown_key};
pub(crate) use read::{engines, fields, typed, unknown};

/// Makes a client that calls model servers; a connection takes at most so long to open, and the
/// caller bounds every other wait.
pub type Connect<'a> = &'a (dyn Fn(Duration) -> reqwest::Client + Send + Sync);

/// Describes one engine: its name, and the keys of its section with an agent's own in their place.
#[derive(Clone, PartialEq)]
pub struct EngineSpec {
    /// Its name, such as `espeak`.
    pub engine: String,
    /// The other keys of the section, those of other engines included.
    pub keys: Table,
}

impl EngineSpec {
    /// Returns the text of a key, if it is set and is a text.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.keys.get(key).and_then(Value::as_str)
    }

    /// Returns the same with an agent's own keys in the place of the section's.
    ///
    /// # Errors
    /// An engine's name that is not a text.
    pub fn overridden(&self, own: &Table) -> Result<Self, Wrong> {
        let mut spec = self.clone();
        for (key, value) in own {
            match value {
                Value::String(engine) if key == "engine" => engine.clone_into(&mut spec.engine),
                _ if key == "engine" => return Err(Wrong::new(key, "must be a text in quotes")),
                value => drop(spec.keys.insert(key.clone(), value.clone())),
            }
        }
        Ok(spec)
    }

    /// Returns the same with the keys in `names` and no others.
    #[must_use]
    pub fn only(&self, names: &[&str]) -> Self {
        let own = self.keys.iter().filter(|(key, _)| names.contains(&key.as_str()));
        let keys = own.map(|(key, value)| (key.clone(), value.clone())).collect();
        Self { engine: self.engine.clone(), keys }
    }
}

impl fmt::Debug for EngineSpec {
    /// Shows the names of the keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<&String> = self.keys.keys().collect();
        f.debug_struct("EngineSpec").field("engine", &self.engine).field("keys", &keys).finish()
    }
}

impl<'de> Deserialize<'de> for EngineSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Section;

        impl<'de> Visitor<'de> for Section {
            type Value = EngineSpec;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table with an engine and its keys")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<EngineSpec, A::Error> {
                let (mut engine, mut keys) = (None, Table::new());
                while let Some(key) = map.next_key::<String>()? {
                    if key == "engine" {
                        engine = Some(map.next_value()?);
                    } else {
                        keys.insert(key, map.next_value()?);
                    }
                }
                let engine = engine.ok_or_else(|| de::Error::missing_field("engine"))?;
                Ok(EngineSpec { engine, keys })
            }
        }

        deserializer.deserialize_map(Section)
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
    pub fn of<R: Role>(self) -> Self {
        Self { key: format!("{}.{}", R::SECTION, self.key), ..self }
    }
}

/// Checks the settings of one engine, whatever its role.
pub trait EngineSettings {
    /// Checks what types cannot; the key of an error is one of the engine's own.
    ///
    /// # Errors
    /// The first key that cannot be used.
    fn check(&self) -> Result<(), Wrong> {
        Ok(())
    }

    /// Names the keys that decide what the doctor sees: agents whose engines agree in them are
    /// looked at together. `None` if each agent is looked at by itself.
    fn seen_by(&self) -> Option<&'static [&'static str]> {
        None
    }
}

/// Holds the settings of one engine of a role; `engines!` declares the enums that implement it.
pub trait Role: Sized {
    /// The section of the configuration, such as `tts`.
    const SECTION: &'static str;
    /// Keys of the section that belong to no engine; their values are texts.
    const SHARED: &'static [&'static str];
    /// The names of the engines.
    const NAMES: &'static [&'static str];
    /// What the settings of every engine of the role can do.
    type Settings: EngineSettings + ?Sized;

    /// Names the keys of the engine `name`; none if there is no such engine.
    fn keys(name: &str) -> &'static [&'static str];

    /// Reads the settings of the engine `name` from its own keys.
    ///
    /// # Errors
    /// An engine that does not exist, or a key of the wrong type.
    fn typed(name: &str, keys: Table) -> Result<Self, Wrong>;

    /// Returns the settings of the engine that was chosen.
    fn settings(&self) -> &Self::Settings;
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
        _ => Err(de::Error::custom("must be a text in quotes")),
    }
}
