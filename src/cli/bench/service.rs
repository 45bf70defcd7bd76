//! The service of a bench: a process of its own, so that its memory and processor time are its alone.
//!
//! The bench starts this program once more with a hidden command, and stops it by closing its stdin.

use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use url::Url;

use super::super::{Context, playground, print};
use super::Sent;
use crate::app::{App, EnginePool, Hearing, with_known};
use crate::clock::Clock;
use crate::lifecycle::Shutdown;
use crate::registry::{Disclosure, Snapshot};
use crate::store::StoreAddress;
use crate::stt::NoteKey;

#[derive(clap::Args)]
pub(in crate::cli) struct Arguments {
    /// The Graph that it talks to.
    #[arg(long)]
    graph: Url,
    /// Where its store is made.
    #[arg(long)]
    store: PathBuf,
    #[arg(long)]
    agent: Option<String>,
    #[command(flatten)]
    sent: Sent,
}

/// What the service prints once it takes webhooks.
#[derive(Serialize, Deserialize)]
pub(super) struct Ready {
    pub(super) webhook: Url,
    /// What hears, answers and speaks.
    pub(super) engines: Vec<String>,
}

/// Serves one number until stdin is closed.
pub(in crate::cli) async fn run(
    context: Context,
    arguments: Arguments,
) -> anyhow::Result<ExitCode> {
    let shutdown = Shutdown::on_signals()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let webhook = format!("http://{}/webhook", listener.local_addr()?).parse()?;
    let (recordings, _told_by_the_bench) = arguments.sent.recordings()?;
    let known = recordings
        .into_iter()
        .filter_map(|recording| Some((NoteKey::from_note(&recording.bytes), recording.words?)));
    // Nothing that was said is kept: every turn is to be spoken.
    let hearing = Hearing { known: known.collect(), ..Hearing::default() };
    let mut config = context.config_with(arguments.agent.as_deref()).await?;
    // Each recording is a message by itself: nobody waits for more.
    config.queue.burst_ms = 0;
    let pool = with_known(&config, EnginePool::new(context.places, hearing))?;
    let numbers = [playground::number(arguments.graph, arguments.agent)].into_iter().collect();
    // Recordings need not be told that a machine answers.
    let disclosure = Disclosure::OFF;
    let snapshot = Snapshot { numbers, disclosure, ..config.snapshot() };
    let store = &arguments.store;
    let app =
        App::build_with(&config, snapshot, &StoreAddress::from(store), pool, Clock::System).await?;
    let engines = app.engines(&playground::NUMBER.into());
    print::json(&Ready { webhook, engines })?;
    let stop = shutdown.stop.clone();
    tokio::spawn(async move {
        // Also when the bench was killed.
        let _closed = tokio::io::stdin().read(&mut [0]).await;
        stop.cancel();
    });
    app.run(listener, None, shutdown).await?;
    Ok(ExitCode::SUCCESS)
}

/// A service that runs; it is killed when this is dropped.
pub(super) struct BenchedService {
    child: Child,
    pub(super) id: u32,
    pub(super) ready: Ready,
}

impl BenchedService {
    /// Starts one with a configuration, and waits until its engines are warm. With `alone` the
    /// environment changes nothing of that.
    pub(super) async fn start(
        config: Option<&Path>,
        alone: bool,
        graph: &Url,
        store: &Path,
        agent: Option<&str>,
        sent: &Sent,
    ) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        if let Some(config) = config {
            command.arg("--config").arg(config);
        }
        command.arg("bench-service").arg("--graph").arg(graph.as_str()).arg("--store").arg(store);
        if let Some(agent) = agent {
            command.arg("--agent").arg(agent);
        }
        command.args(sent.arguments());
        if alone {
            let ours = std::env::vars_os().map(|(name, _)| name);
            for name in ours.filter(|name| name.to_string_lossy().starts_with("HARK__")) {
                command.env_remove(name);
            }
        }
        // A ctrl-c is for the bench, which then says what it has.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().context("starting the service")?;
        let id = child.id().context("the service has ended at once")?;
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let Some(line) = lines.next_line().await? else {
            let status = child.wait().await?;
            if status.code() == Some(64) {
                std::process::exit(64);
            }
            bail!("the service did not start: {status}");
        };
        let ready = serde_json::from_str(&line).context("the service said something else")?;
        Ok(Self { child, id, ready })
    }

    /// Lets what runs finish, and waits for the end.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        drop(self.child.stdin.take());
        let status = self.child.wait().await?;
        anyhow::ensure!(status.success(), "the service ended with {status}");
        Ok(())
    }
}
