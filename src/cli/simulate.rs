//! `hark simulate`: the fake WhatsApp alone.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use secrecy::SecretString;
use tokio::net::TcpListener;
use url::Url;

use super::{playground, print};
use crate::config::{ConfigError, ConfigErrors};
use crate::lifecycle::Shutdown;
use crate::simulator::{Door, FaultPlan, WebhookTarget};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Address to listen on.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8090")]
    listen: String,
    /// Whose API it speaks.
    #[arg(long, value_enum, default_value = "meta")]
    provider: SimulatedApi,
    /// Where hark takes webhooks, e.g. `http://127.0.0.1:8080/webhook`, or of 360dialog
    /// `http://127.0.0.1:8080/webhook/360dialog`.
    #[arg(long, value_name = "URL")]
    webhook: Url,
    /// Signs the webhooks: the number's `app_secret`, or at 360dialog its `signature_secret`.
    #[arg(long, value_name = "S", required_unless_present = "webhook_secret")]
    app_secret: Option<String>,
    /// Is shown in the header Authorization: the number's `webhook_secret` at 360dialog.
    #[arg(long, value_name = "S")]
    webhook_secret: Option<SecretString>,
    /// The business number it plays.
    #[arg(long, value_name = "N")]
    phone_number_id: String,
    /// What is to go wrong, and how often: a TOML file (docs/FAULTS.md).
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
    /// Chooses which messages meet the faults: the same number, the same ones.
    #[arg(long, value_name = "N", default_value_t = 1, requires = "faults")]
    seed: u64,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum SimulatedApi {
    Meta,
    #[value(name = "360dialog")]
    D360,
}

/// Reads a file of faults.
fn read_faults(file: &Path) -> anyhow::Result<FaultPlan> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("reading {} (--faults)", file.display()))?;
    FaultPlan::read(&text).map_err(|wrong| {
        let mut problems = ConfigErrors::default();
        for (key, problem) in wrong {
            problems.add(ConfigError { origin: file.display().to_string(), key, problem });
        }
        problems.into()
    })
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let faults = arguments.faults.as_deref().map(read_faults).transpose()?;
    let faults = faults.map(|plan| (plan, arguments.seed));
    let shutdown = Shutdown::on_signals()?;
    let listener = TcpListener::bind(&arguments.listen)
        .await
        .with_context(|| format!("listening on {} (--listen)", arguments.listen))?;
    print::line(&format!(
        "simulated WhatsApp on http://{0}\n  curl http://{0}/sim/messages -H 'content-type: \
         application/json' -d '{{\"from\":\"15550001\",\"text\":\"hello\"}}'\n  \
         curl http://{0}/sim/conversations",
        listener.local_addr()?
    ))?;
    if let Some((_, seed)) = &faults {
        print::line(&format!(
            "  things go wrong, seed {seed}; what did so far:\n  curl http://{}/sim/faults",
            listener.local_addr()?
        ))?;
    }
    let Arguments { provider, webhook, app_secret, webhook_secret, phone_number_id, .. } =
        arguments;
    let door = match provider {
        SimulatedApi::Meta => Door::Meta,
        SimulatedApi::D360 => Door::D360,
    };
    let secret = app_secret.unwrap_or_default();
    let simulator =
        playground::simulator_of(door, &phone_number_id, &secret, None, webhook.clone(), faults);
    if let Some(secret) = webhook_secret {
        let headers = vec![("authorization".to_owned(), secret)];
        simulator.send_webhooks_to(WebhookTarget { url: webhook, headers });
    }
    simulator.serve(listener, shutdown.stop).await?;
    Ok(ExitCode::SUCCESS)
}
