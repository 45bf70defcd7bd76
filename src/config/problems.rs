//! What is wrong with a configuration: all of it, each with the key and where it was set.

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
pub struct ConfigErrors(Vec<ConfigError>);

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
            self.0.push(error);
        }
    }

    /// Adds all of `others`.
    pub(super) fn extend(&mut self, others: Self) {
        others.0.into_iter().for_each(|error| self.add(error));
    }

    /// Returns `value` if nothing is wrong.
    pub(super) fn or<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() { Ok(value) } else { Err(self) }
    }

    /// Returns whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether a key of `section`, or the file as a whole, cannot be used.
    pub fn concern(&self, section: &str) -> bool {
        let concerns = |key: &str| key == THE_FILE || key.split('.').next() == Some(section);
        self.iter().any(|error| concerns(&error.key))
    }

    /// Returns the problems.
    pub fn iter(&self) -> impl Iterator<Item = &ConfigError> {
        self.0.iter()
    }
}

impl From<ConfigError> for ConfigErrors {
    fn from(error: ConfigError) -> Self {
        Self(vec![error])
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.iter().map(ToString::to_string).collect();
        f.write_str(&all.join("; "))
    }
}

impl std::error::Error for ConfigErrors {}
