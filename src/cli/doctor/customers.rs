//! Who tells who writes: does the server answer about somebody whom it does not know?

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::config::Config;
use crate::customers::{Lookup, LookupError};
use crate::engine::{Check, Level};
use crate::remote::model_client;
use crate::turn::ContactRef;

/// A number that nobody has: of those that are kept for films.
const NOBODY: &str = "15550100000";

pub(super) async fn check(config: &Config) -> Check {
    let mut check = Check::new("customers");
    let (settings, quiet) = (&config.customers, Arc::new(|_: &'static str, _: &str, _| {}));
    let client = model_client(Duration::from_millis(settings.timeout_ms));
    let Some(lookup) = Lookup::new(settings, client, Clock::System, quiet) else {
        check.skipped("no server is asked who writes: customers are those of the store");
        return check;
    };
    let (user_id, phone) = (Some("US.0".into()), Some(NOBODY.into()));
    let nobody = ContactRef { user_id, phone, profile_name: None };
    let host = lookup.host();
    let url = lookup.address_of(&nobody).expect("both ids are there");
    match lookup.fetch(url, &nobody).await {
        Ok(None) => check.well(format!("{host} answers, and does not know a person made up")),
        Ok(Some(_)) => check.warning(
            "customers.url",
            format!("{host} knows a person made up, who has no such number"),
            "let the server answer 404 where it knows nobody, or correct customers.url",
        ),
        Err(error) => {
            let (level, key, fix) = fix(&error);
            let (key, message) = (format!("customers.{key}"), format!("{host} {error}"));
            check.found(level, key, message, fix.to_owned());
        }
    }
    check
}

/// Returns how bad it is, the key that mends it, and how.
fn fix(error: &LookupError) -> (Level, &'static str, &'static str) {
    match (error.status(), error) {
        (Some(401 | 403), _) => (
            Level::Error,
            "token",
            "set customers.token, or its file, to a token that the server accepts",
        ),
        (Some(429 | 500..), _) => {
            (Level::Warning, "url", "look at the server's log, and run hark doctor again")
        }
        (_, LookupError::TooSlow(_)) => (
            Level::Warning,
            "timeout_ms",
            "raise customers.timeout_ms, or let the server answer sooner: until then people are \
             answered as unknown",
        ),
        _ => (
            Level::Error,
            "url",
            "start the server, or correct customers.url: it answers a JSON object, or 404",
        ),
    }
}
