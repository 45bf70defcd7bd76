//! `hark bridge`: somebody else's help desk, in a process of its own beside a service.
//!
//! Needs no configuration: it knows the service by its address and a token.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use secrecy::SecretString;
use tokio::net::TcpListener;
use url::Url;

use super::print;
use crate::bridge::{Bridge, BridgeError, BridgeSettings};
use crate::config::Environment;
use crate::lifecycle::Shutdown;
use crate::remote::{http_client, is_web_address};

const TOKENS: &str = "The environment has the tokens: HARK_TOKEN, which `hark token create --role \
operator --name chatwoot` makes, and CHATWOOT_TOKEN, the access token in the profile of a Chatwoot user who \
is an agent of the inbox. CHATWOOT_WEBHOOK_SECRET, if set, is what the inbox signs its webhooks with; \
CHATWOOT_CALLBACK_KEY is the secret part of the callback's path, which is made and kept without it. \
docs/CHATWOOT.md says what goes where.";

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: BridgeCommandLine,
}

#[derive(clap::Subcommand)]
enum BridgeCommandLine {
    /// Hand tickets to an inbox of Chatwoot, and send what is answered there.
    #[command(after_help = TOKENS)]
    Chatwoot(ChatwootArguments),
}

#[derive(clap::Args)]
struct ChatwootArguments {
    /// Where hark answers.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080", value_parser = web_address)]
    hark: Url,
    /// Only conversations with this number.
    #[arg(long, value_name = "ID")]
    number: Option<String>,
    /// Where Chatwoot answers.
    #[arg(long, value_name = "URL", value_parser = web_address)]
    chatwoot: Url,
    /// Account, as in the addresses of Chatwoot's pages.
    #[arg(long, value_name = "N")]
    account: u64,
    /// Inbox of the channel API, as in the address of its settings.
    #[arg(long, value_name = "N")]
    inbox: u64,
    /// Where Chatwoot keeps files, if not at its own address; may be given more than once.
    #[arg(long, value_name = "URL", value_parser = web_address)]
    files: Vec<Url>,
    /// Address to listen on for Chatwoot's webhooks.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8095")]
    listen: String,
    /// Under which address Chatwoot reaches it, to print the whole webhook URL.
    #[arg(long, value_name = "URL", value_parser = web_address)]
    public_url: Option<Url>,
    /// What it remembers over a restart.
    #[arg(long, value_name = "FILE", default_value = "chatwoot-bridge.db")]
    state: PathBuf,
}

pub(super) async fn run(
    arguments: Arguments,
    environment: &Environment,
) -> anyhow::Result<ExitCode> {
    let BridgeCommandLine::Chatwoot(arguments) = arguments.command;
    let variable = |name: &str| -> Option<SecretString> {
        let value = environment.get(name)?.trim();
        (!value.is_empty()).then(|| value.into())
    };
    let (hark_token, chatwoot_token) = match (variable("HARK_TOKEN"), variable("CHATWOOT_TOKEN")) {
        (Some(hark), Some(chatwoot)) => (hark, chatwoot),
        (hark, _) => {
            let lacks = if hark.is_none() { "HARK_TOKEN" } else { "CHATWOOT_TOKEN" };
            eprintln!("hark: {lacks} is not set in the environment\n{TOKENS}");
            return Ok(ExitCode::from(64));
        }
    };
    let shutdown = Shutdown::on_signals()?;
    let ChatwootArguments { listen, public_url, .. } = &arguments;
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("listening on {listen} (--listen)"))?;
    let base = match public_url {
        Some(url) => url.as_str().trim_end_matches('/').to_owned(),
        None => format!("http://{}", listener.local_addr()?),
    };
    let settings = BridgeSettings {
        hark: arguments.hark,
        hark_token,
        number: arguments.number,
        chatwoot: arguments.chatwoot,
        chatwoot_token,
        account: arguments.account,
        inbox: arguments.inbox,
        files: arguments.files,
        callback_key: variable("CHATWOOT_CALLBACK_KEY"),
        signing_secret: variable("CHATWOOT_WEBHOOK_SECRET"),
        state: arguments.state,
    };
    let opened = async {
        let bridge = Bridge::open(settings, http_client()).await?;
        bridge.check().await.map(|()| bridge)
    };
    let bridge = match opened.await {
        Ok(bridge) => bridge,
        Err(error @ (BridgeError::Setup { .. } | BridgeError::State(_))) => {
            eprintln!("hark: {error}");
            return Ok(ExitCode::from(64));
        }
        Err(error) => return Err(error.into()),
    };
    print::line(&format!("webhook URL of the inbox: {base}{}", bridge.callback_path()))?;
    tracing::info!("bridging");
    Arc::new(bridge).run(listener, shutdown.stop).await;
    Ok(ExitCode::SUCCESS)
}

/// Reads an address of the web.
fn web_address(text: &str) -> Result<Url, String> {
    let odd = || "it must be an address such as https://chat.example.com".to_owned();
    if is_web_address(text) { Url::parse(text).map_err(|_odd| odd()) } else { Err(odd()) }
}
