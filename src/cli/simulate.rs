//! `hark simulate`: the fake WhatsApp alone.

use std::process::ExitCode;

use anyhow::Context as _;
use tokio::net::TcpListener;
use url::Url;

use super::{playground, print};
use crate::lifecycle::Shutdown;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Address to listen on.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8090")]
    listen: String,
    /// Where hark takes webhooks, e.g. `http://127.0.0.1:8080/webhook`.
    #[arg(long, value_name = "URL")]
    webhook: Url,
    /// Signs the webhooks: the number's `app_secret`.
    #[arg(long, value_name = "S")]
    app_secret: String,
    /// The business number it plays.
    #[arg(long, value_name = "N")]
    phone_number_id: String,
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
    let Arguments { webhook, app_secret, phone_number_id, .. } = arguments;
    let simulator = playground::simulator_of(&phone_number_id, &app_secret, None, webhook);
    simulator.serve(listener, shutdown.stop).await?;
    Ok(ExitCode::SUCCESS)
}
