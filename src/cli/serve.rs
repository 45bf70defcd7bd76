//! `hark serve`: the service.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use tokio::net::TcpListener;

use super::{Context, fixtures};
use crate::app::{App, EnginePool, Hearing, Keeping, can_start_empty};
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::lifecycle::{Shutdown, Supervisor, hangups, outlive_file_sizes};
use crate::registry::ProviderKind;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Address to listen on [default: [server] listen].
    #[arg(long, value_name = "ADDR")]
    pub(super) listen: Option<String>,
}

pub(super) async fn run(context: Context, arguments: Arguments) -> anyhow::Result<ExitCode> {
    if context.config.numbers.is_empty() && !can_start_empty(&context.config).await? {
        return Ok(without_a_number(&context));
    }
    let variable = |name: &str| context.environment.get(name).map(String::as_str);
    let supervisor = Supervisor::new(variable)?;
    let shutdown = Shutdown::on_signals()?;
    let mut hangups = hangups()?;
    outlive_file_sizes()?;
    let hearing = Hearing {
        fixtures: Some(fixtures::known),
        keeping: Keeping::FixedSentences,
        ..Hearing::default()
    };
    let pool = EnginePool::new(context.places, hearing);
    let app = App::build(&context.config, pool, Clock::System).await?;
    let address = arguments.listen.unwrap_or_else(|| context.config.server.listen.clone());
    let listener = TcpListener::bind(&address)
        .await
        .with_context(|| format!("listening on {address} (--listen or [server] listen)"))?;
    tracing::info!(http.address = %listener.local_addr()?, "serving");
    let admin = admin_listener(&context.config).await?;
    log_callback(&context.config);
    let Context { config, file, environment, .. } = context;
    let (pulse, stop) = (app.pulse(), shutdown.stop.clone());
    let mut reloader = app.reloader(config);
    let reload = async {
        while hangups.recv().await.is_some() {
            let (file, environment) = (file.clone(), environment.clone());
            supervisor.reloading().await;
            reloader.reload(move || config::read(file.as_deref(), &environment)).await;
            supervisor.ready().await;
        }
        std::future::pending::<()>().await;
    };
    let watched = async {
        supervisor.ready().await;
        tokio::join!(supervisor.watch(|within| pulse.beats(within)), async {
            stop.cancelled().await;
            supervisor.stopping().await;
        });
    };
    tokio::select! {
        served = app.run(listener, admin, shutdown) => served?,
        () = reload => unreachable!("it waits for ever"),
        () = watched => unreachable!("so does this"),
    }
    Ok(ExitCode::SUCCESS)
}

/// Opens the address for those who run the service. Where nobody chose it, one that another program
/// has is no reason to answer nobody.
async fn admin_listener(config: &Config) -> anyhow::Result<Option<TcpListener>> {
    const KEY: &str = "server.admin_listen";
    let Some(address) = config.server.admin() else { return Ok(None) };
    match TcpListener::bind(address).await {
        Ok(listener) => {
            tracing::info!(admin.address = %listener.local_addr()?, "serving metrics");
            Ok(Some(listener))
        }
        Err(error) if !config.origins.sets(KEY) => {
            tracing::warn!(
                error = %error,
                "/metrics is not served: {address} cannot be listened on; set {KEY}"
            );
            Ok(None)
        }
        Err(error) => Err(error).with_context(|| format!("listening on {address} ({KEY})")),
    }
}

/// Tells a newcomer where to begin.
fn without_a_number(context: &Context) -> ExitCode {
    let file = context.file.as_deref().unwrap_or(Path::new(config::USUAL_FILE));
    let lacks = if file.exists() { "has no [[numbers]] table" } else { "is not there" };
    eprintln!(
        "hark: numbers: no business number is configured: {} {lacks}\n\
         `hark init` asks for what is needed and writes the file; `hark demo` needs neither it nor \
         an account\n\
         to add numbers over HTTP: `hark token create --role admin --name me`, then `hark serve`\n\
         from a Meta app to the first answer, or a rehearsal without one: docs/WHATSAPP.md",
        file.display()
    );
    ExitCode::from(64)
}

/// Says what to type into Meta's webhook form and where 360dialog's webhooks go, as far as it is known.
fn log_callback(config: &Config) {
    let has = |provider| config.numbers.iter().any(|number| number.provider == provider);
    if has(ProviderKind::D360) {
        if let Some(url) = config.server.callback_url_360dialog() {
            tracing::info!(
                webhook_url = %url,
                "`hark doctor --fix` has 360dialog send its webhooks to this address"
            );
        } else {
            tracing::info!(
                "the webhook URL for 360dialog is not known: set server.public_url, the https \
                 address under which this service is reached; /webhook/360dialog is added to it"
            );
        }
        if !has(ProviderKind::Meta) {
            return;
        }
    }
    let real = has(ProviderKind::Meta);
    if real && config.webhook.verify_token.is_none() {
        tracing::warn!(
            "webhook.verify_token is not set: Meta cannot save the callback URL until it is"
        );
    }
    if let Some(url) = config.server.callback_url() {
        tracing::info!(
            callback_url = %url,
            "paste this callback URL into Meta's webhook form; the verify token is the value of \
             webhook.verify_token"
        );
    } else {
        tracing::info!(
            "the callback URL for Meta's webhook form is not known: set server.public_url, the \
             https address under which this service is reached; /webhook is added to it"
        );
    }
}
