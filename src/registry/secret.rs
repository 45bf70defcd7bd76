//! Secrets of numbers.

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// Holds a secret and the file that it came from. It is read from a string, `Debug` hides it, and
/// it cannot be serialized.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "SecretString")]
pub struct Secret {
    /// The secret itself.
    pub value: SecretString,
    /// Where a newer one may be found; `None` if it was written in place.
    pub file: Option<PathBuf>,
}

impl From<SecretString> for Secret {
    fn from(value: SecretString) -> Self {
        Self { value, file: None }
    }
}

impl From<&str> for Secret {
    fn from(value: &str) -> Self {
        SecretString::from(value).into()
    }
}

impl ExposeSecret<str> for Secret {
    fn expose_secret(&self) -> &str {
        self.value.expose_secret()
    }
}
