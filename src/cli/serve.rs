//! `hark serve`: the service.

use std::process::ExitCode;

use anyhow::Context as _;
use tokio::net::TcpListener;

use super::{Context, fixtures};
use crate::app::{App, Hearing};
use crate::clock::Clock;
use crate::lifecycle::Shutdown;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Address to listen on [default: [server] listen].
    #[arg(long, value_name = "ADDR")]
    pub(super) listen: Option<String>,
}

pub(super) async fn run(context: Context, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let shutdown = Shutdown::on_signals()?;
    let hearing = Hearing { known: fixtures::known(), ..Hearing::default() };
    let app = App::build(&context.config, &context.places, &hearing, Clock::System).await?;
    let address = arguments.listen.unwrap_or_else(|| context.config.server.listen.clone());
    let listener = TcpListener::bind(&address)
        .await
        .with_context(|| format!("listening on {address} (--listen or [server] listen)"))?;
    tracing::info!(http.address = %listener.local_addr()?, "serving");
    app.run(listener, shutdown).await?;
    Ok(ExitCode::SUCCESS)
}
