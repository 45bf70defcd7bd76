//! The store: it can be written to, also beside a service that runs on it.

use super::TIME_LIMIT;
use crate::config::Config;
use crate::engine::Check;
use crate::store::{StoreError, check_writable};

/// Tries to write; `trouble` is why it could not be read.
pub(super) async fn check(config: &Config, trouble: Option<&StoreError>) -> Check {
    const KEY: &str = "store.url";
    const FIX: &str = "correct [store] url, or the permissions and the space of its folder";
    let mut check = Check::new("store");
    let at = config.store.address();
    let (name, exists) = (at.to_string(), at.may_exist());
    let trial = tokio::task::spawn_blocking(move || check_writable(&at));
    match tokio::time::timeout(TIME_LIMIT, trial).await {
        Ok(Ok(Ok(_))) if let Some(error) = trouble => check.error(
            KEY,
            error.to_string(),
            "run the version of hark that wrote it, or correct [store] url",
        ),
        Ok(Ok(Ok(Some(commit)))) if commit == "off" => check.warning(
            KEY,
            format!("{name} is writable, and its synchronous_commit is off"),
            "switch it on: what was answered 200 is lost with a server that dies",
        ),
        Ok(Ok(Ok(Some(commit)))) => {
            check.well(format!("{name} is writable, and its synchronous_commit is {commit}"));
        }
        Ok(Ok(Ok(None))) if exists => check.well(format!("{name} is writable")),
        Ok(Ok(Ok(None))) => {
            check.well(format!(
                "{name} does not exist yet and can be created: `hark serve` does it"
            ));
        }
        Ok(Ok(Err(error))) => check.error(KEY, error.to_string(), FIX),
        Ok(Err(_panicked)) => check.error(KEY, format!("{name} could not be checked"), FIX),
        Err(_late) => {
            let message = format!("{name} did not answer within {} s", TIME_LIMIT.as_secs());
            check.error(KEY, message, FIX);
        }
    }
    check
}
