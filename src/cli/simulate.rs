//! `hark simulate`: the fake WhatsApp alone.

use std::process::ExitCode;

use anyhow::Context as _;
use secrecy::SecretString;
use tokio::net::TcpListener;
use url::Url;

use super::{playground, print};
use crate::lifecycle::Shutdown;
use crate::simulator::{Door, WebhookTarget};

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
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum SimulatedApi {
    Meta,
    #[value(name = "360dialog")]
    D360,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
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
    let Arguments { provider, webhook, app_secret, webhook_secret, phone_number_id, .. } =
        arguments;
    let door = match provider {
        SimulatedApi::Meta => Door::Meta,
        SimulatedApi::D360 => Door::D360,
    };
    let secret = app_secret.unwrap_or_default();
    let simulator =
        playground::simulator_of(door, &phone_number_id, &secret, None, webhook.clone());
    if let Some(secret) = webhook_secret {
        let headers = vec![("authorization".to_owned(), secret)];
        simulator.send_webhooks_to(WebhookTarget { url: webhook, headers });
    }
    simulator.serve(listener, shutdown.stop).await?;
    Ok(ExitCode::SUCCESS)
}
