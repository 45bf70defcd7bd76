//! What is wrong with a configuration: all of it, each with the key and where it was set.

use std::collections::BTreeMap;
use std::fmt;

/// The key of errors about a whole file.
pub const THE_FILE: &str = "the file";

/// How the problem of a key begins that must be set and is not.
pub(super) const MISSING: &str = "is missing";

/// Describes a key that cannot be used. Exit code 64.
#[derive(Debug, thiserror::Error)]
#[error("{origin}: {key}: {problem}")]
pub struct ConfigError {
    /// The file or variable.
    pub origin: String,
    /// The key.
    pub key: String,
    /// What is wrong with it and how to correct it.
    pub problem: String,
}

impl ConfigError {
    pub(super) fn new(
        origin: impl Into<String>,
        key: impl Into<String>,
        problem: impl Into<String>,
    ) -> Self {
        Self { origin: origin.into(), key: key.into(), problem: problem.into() }
    }

    /// Returns whether the key must be set and is not.
    pub fn is_missing(&self) -> bool {
        self.problem.starts_with(MISSING)
    }
}

/// Holds every key that cannot be used, in the order they were found. Exit code 64.
#[derive(Debug, Default)]
pub struct ConfigErrors {
    all: Vec<ConfigError>,
    /// Agents that no layer has and the store may have, by the keys that name them.
    agents: BTreeMap<String, String>,
}

impl ConfigErrors {
    /// Adds a problem that is not known yet. What was left out because it, or its file, could not
    /// be used is not missing, too.
    pub fn add(&mut self, error: ConfigError) {
        let file = format!("{}_file", error.key);
        let missing = error.is_missing();
        let known = self.iter().any(|known| {
            let same = known.key == error.key && (missing || known.problem == error.problem);
            same || (missing && known.key == file)
        });
        if !known {
            self.all.push(error);
        }
    }

    /// Adds that a key names an agent of the store, if it has one of this name.
    pub(super) fn add_unknown_agent(&mut self, error: ConfigError, name: &str) {
        self.agents.insert(error.key.clone(), name.to_owned());
        self.add(error);
    }

    /// Returns whether a key names an agent that only the store may have.
    pub fn name_unknown_agents(&self) -> bool {
        !self.agents.is_empty()
    }

    /// Takes out what is no problem, since the store has these agents; of the others says how one is
    /// added to it.
    pub fn settle_agents(&mut self, stored: &[String]) {
        let agents = std::mem::take(&mut self.agents);
        let name = |error: &ConfigError| agents.get(&error.key);
        self.all.retain(|error| name(error).is_none_or(|name| !stored.contains(name)));
        for error in &mut self.all {
            if agents.contains_key(&error.key) {
                // The problem ends in the names of those that there are.
                for name in stored {
                    error.problem.push_str(", ");
                    error.problem.push_str(name);
                }
                error.problem.push_str("; `hark agents add` puts one of that name into the store");
            }
        }
    }

    /// Takes out which agents are not known, for who works with the store itself.
    pub fn forgive_agents(&mut self) {
        let agents = std::mem::take(&mut self.agents);
        self.all.retain(|error| !agents.contains_key(&error.key));
    }

    /// Adds all of `others`.
    pub(super) fn extend(&mut self, others: Self) {
        others.all.into_iter().for_each(|error| self.add(error));
        self.agents.extend(others.agents);
    }

    /// Returns `value`.
    ///
    /// # Errors
    /// All of this, if something is wrong.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.all.is_empty() { Ok(value) } else { Err(self) }
    }

    /// Returns whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Returns whether a key of `section`, or the file as a whole, cannot be used.
    pub fn concern(&self, section: &str) -> bool {
        let concerns = |key: &str| key == THE_FILE || key.split('.').next() == Some(section);
        self.iter().any(|error| concerns(&error.key))
    }

    /// Returns whether what says where the store and its sound are can be used.
    pub fn spare_the_store(&self) -> bool {
        !self.concern("store") && !self.concern("blobs")
    }

    /// Returns the problems.
    pub fn iter(&self) -> impl Iterator<Item = &ConfigError> {
        self.all.iter()
    }
}

impl IntoIterator for ConfigErrors {
    type Item = ConfigError;
    type IntoIter = std::vec::IntoIter<ConfigError>;

    fn into_iter(self) -> Self::IntoIter {
        self.all.into_iter()
    }
}

impl From<ConfigError> for ConfigErrors {
    fn from(error: ConfigError) -> Self {
        Self { all: vec![error], ..Self::default() }
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.iter().map(ToString::to_string).collect();
        f.write_str(&all.join("; "))
    }
}

impl std::error::Error for ConfigErrors {}
