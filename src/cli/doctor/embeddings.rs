//! Who tells what passages mean: is the server there, and does it know the model?

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::clock::Clock;
use crate::config::Config;
use crate::engine::{Check, TRIAL_LIMIT, TrialError};
use crate::knowledge::{EmbedError, Embedder};
use crate::remote::model_client;

/// Time to open a connection.
const CONNECT: Duration = Duration::from_secs(5);

pub(super) async fn check(config: &Config) -> Check {
    let mut check = Check::new("embeddings");
    let quiet = Arc::new(|_role: &'static str, _name: &str, _noticed| {});
    let client = model_client(CONNECT);
    let Some(embedder) = Embedder::new(&config.embeddings, client, Clock::System, quiet) else {
        check.skipped("no server is configured: passages are found by their words");
        return check;
    };
    let texts = ["When do you open?".to_owned()];
    let trial = timeout(TRIAL_LIMIT, embedder.embed(&texts)).await;
    match trial.unwrap_or(Err(EmbedError::TooSlow(TRIAL_LIMIT))) {
        Ok(_) => check.well(format!("{} tells what texts mean", embedder.model())),
        Err(error) => {
            let refusal = TrialError { status: error.status(), why: error.to_string() };
            check.refused("embeddings", embedder.model(), &refusal);
        }
    }
    check
}
