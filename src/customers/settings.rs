//! `[customers]`: which server is asked who somebody is, and for how long its answer holds.

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::engine::{self, Wrong};
use crate::registry::AddressTemplate;

/// Longest time that a person may wait for who they are.
const LONGEST_MS: u64 = 10_000;
/// Longest time that an answer may hold: a year.
const MOST_MINUTES: u64 = 525_600;

/// The places of an address.
pub(super) const PHONE: &str = "phone";
pub(super) const USER_ID: &str = "user_id";

/// Describes the server that is asked, if any.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct CustomerSettings {
    pub url: Option<String>,
    #[serde(default, deserialize_with = "engine::secret")]
    pub token: Option<SecretString>,
    pub timeout_ms: u64,
    pub cache_minutes: u64,
}

impl CustomerSettings {
    /// Checks what types cannot; returns those keys that cannot be used.
    #[must_use]
    pub fn check(&self) -> Vec<Wrong> {
        let mut all = Vec::new();
        match self.url.as_deref().map(address) {
            Some(Err(problem)) => all.push(Wrong::new("url", problem)),
            None if self.token.is_some() => {
                all.push(Wrong::new("url", "is missing: the token is for nobody"));
            }
            Some(Ok(_)) | None => {}
        }
        if !self.token().chars().all(|c| c.is_ascii_graphic()) {
            all.push(Wrong::new("token", "has a character that no token has, such as a space"));
        }
        if !(1..=LONGEST_MS).contains(&self.timeout_ms) {
            all.push(Wrong::new("timeout_ms", format!("must be from 1 to {LONGEST_MS}")));
        }
        if self.cache_minutes > MOST_MINUTES {
            all.push(Wrong::new("cache_minutes", format!("must be from 0 to {MOST_MINUTES}")));
        }
        all
    }

    /// Returns whether both say the same.
    #[must_use]
    pub fn are_as(&self, other: &Self) -> bool {
        self.url == other.url
            && self.token() == other.token()
            && self.timeout_ms == other.timeout_ms
            && self.cache_minutes == other.cache_minutes
    }

    /// Returns the token; empty if there is none.
    pub(super) fn token(&self) -> &str {
        self.token.as_ref().map_or("", |token| token.expose_secret())
    }
}

/// Reads the address that a server is asked at.
pub(super) fn address(url: &str) -> Result<AddressTemplate, String> {
    let address = AddressTemplate::parse(url)?;
    if address.arguments().next().is_none() {
        return Err(
            "asks the same of everybody; write {phone} or {user_id} where it belongs, such \
                    as https://crm.example/customers/{phone}"
                .to_owned(),
        );
    }
    let other = address.arguments().find(|name| ![PHONE, USER_ID].contains(name));
    let other =
        other.map(|other| format!("has {{{other}}}: only {{phone}} and {{user_id}} are known"));
    other.map_or(Ok(address), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_cannot_be_used_are_named() {
        let check = |toml: &str| {
            let toml = format!("timeout_ms = 800\ncache_minutes = 60\n{toml}");
            let settings: CustomerSettings = toml::from_str(&toml).unwrap();
            settings.check().into_iter().map(|wrong| wrong.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(check(""), [""; 0]);
        assert_eq!(check("url = \"http://a/{phone}?u={user_id}\"\ntoken = \"t\""), [""; 0]);
        for (toml, words) in [
            ("url = \"http://a/customers\"", "url: asks the same of everybody"),
            ("url = \"http://a/{name}/{phone}\"", "url: has {name}"),
            ("url = \"http://{phone}/\"", "url: lets an argument choose the host"),
            ("url = \"ftp://a/{phone}\"", "url: must begin with http"),
            ("url = \"http://me:x@a/{phone}\"", "url: holds a name or a password"),
            ("token = \"t\"", "url: is missing"),
            ("url = \"http://a/{phone}\"\ntoken = \"a b\"", "token: has a character"),
        ] {
            let found = check(toml);
            assert!(found.len() == 1 && found[0].starts_with(words), "{toml}: {found:?}");
        }
        let wrong: CustomerSettings =
            toml::from_str("timeout_ms = 0\ncache_minutes = 525601").unwrap();
        assert_eq!(wrong.check().len(), 2);
    }
}
