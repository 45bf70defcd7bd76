//! What belongs to a person: kept out of every log line.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// Keys the hashes: a phone number has so few digits that who could compute its hash could try
/// all of them. The key is random and lives as long as the process.
static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// Holds a person's identifier or words, and keeps them out of every log line.
///
/// `Debug` shows a short keyed hash, so that two log lines of one process about one person can be
/// matched.
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Personal(pub String);

impl Personal {
    /// Returns the value itself, for the provider, the store and the person's own agent.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "user:{:06x}", KEY.hash_one(&self.0) >> 40)
    }
}

impl From<&str> for Personal {
    fn from(value: &str) -> Self {
        Self(value.to_owned())
    }
}

impl PartialEq<str> for Personal {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for Personal {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl PartialEq<String> for Personal {
    fn eq(&self, other: &String) -> bool {
        self.0 == *other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn personal_data_does_not_print() {
        let printed = format!("{:?}", Personal::from("15551234567"));
        assert!(printed.starts_with("user:") && printed.len() == 11, "{printed}");
        assert_eq!(printed, format!("{:?}", Personal::from("15551234567")));
        assert!(printed != format!("{:?}", Personal::from("15551234568")), "{printed}");
    }
}
