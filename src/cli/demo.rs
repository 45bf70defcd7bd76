//! `hark demo`: the service and the simulator in one process, over real HTTP.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use serde::Serialize;
use tokio::net::TcpListener;

use super::fixtures::{self, Fixture};
use super::player::Player;
use super::{Context, playground, print};
use crate::app::{App, EnginePool, Hearing, with_known};
use crate::clock::Clock;
use crate::lifecycle::Shutdown;
use crate::registry::{Disclosure, Snapshot};
use crate::store::StoreAddress;
use crate::turn::TurnReport;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Address to listen on.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: String,
    /// Play the fixtures and exit: 0 only if every one was answered by a voice note.
    #[arg(long)]
    once: bool,
    /// Print JSON lines.
    #[arg(long)]
    json: bool,
}

/// Holds what is printed of one fixture.
#[derive(Serialize)]
struct PlayedLine<'a> {
    fixture: &'a str,
    #[serde(flatten)]
    report: TurnReport,
}

pub(super) async fn run(context: Context, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let shutdown = Shutdown::on_signals()?;
    let folder = playground::private_folder(&std::env::temp_dir(), "hark-demo")?;
    let listener = TcpListener::bind(&arguments.listen)
        .await
        .with_context(|| format!("listening on {} (--listen)", arguments.listen))?;
    let simulator_listener = TcpListener::bind("127.0.0.1:0").await?;
    let (address, simulator_address) = (listener.local_addr()?, simulator_listener.local_addr()?);

    let clock = Clock::System;
    let store = folder.join(format!("demo-{}.db", std::process::id()));
    let graph = format!("http://{simulator_address}").parse()?;
    let numbers = [playground::number(graph, None)].into_iter().collect();
    // Recordings need not be told that a machine answers.
    let disclosure = Disclosure::OFF;
    let mut config = context.config_with(None).await?;
    // Each recording is a message by itself: nobody waits for more.
    config.queue.burst_ms = 0;
    let snapshot = Snapshot { numbers, disclosure, ..config.snapshot() };
    let hearing = Hearing {
        fixtures: Some(fixtures::known),
        scripted_without_model: true,
        ..Hearing::default()
    };
    let pool = with_known(&config, EnginePool::new(context.places.clone(), hearing))?;
    let app = App::build_with(&config, snapshot, &StoreAddress::from(&store), pool, clock.clone())
        .await?;
    let simulator = playground::simulator(format!("http://{address}/webhook").parse()?);
    let player =
        Player::new(simulator.clone(), playground::NUMBER.into(), Arc::clone(&app.archive));
    let simulating = tokio::spawn(simulator.serve(simulator_listener, shutdown.stop.clone()));
    let serving = tokio::spawn(app.run(listener, None, shutdown.clone()));

    let mut all_spoken = true;
    for fixture in fixtures::all() {
        let report = play(&fixture, &player, &folder).await?;
        all_spoken &= report.audio.is_some();
        if arguments.json {
            print::json(&PlayedLine { fixture: fixture.name, report })?;
        } else {
            let heard = report.transcript.as_ref().map(|transcript| transcript.text.reveal());
            print::turn(fixture.name, heard, &report)?;
        }
    }
    if arguments.once {
        shutdown.stop.cancel();
    } else {
        eprintln!(
            "serving on http://{address}; write to it as a person would:\n  \
             curl http://{simulator_address}/sim/messages -H 'content-type: application/json' \
             -d '{{\"from\":\"15550002222\",\"text\":\"when do you open\"}}'\n  \
             curl http://{simulator_address}/sim/conversations\nCtrl-C stops."
        );
    }
    serving.await??;
    simulating.await??;
    drop(player);
    playground::remove_store(&store);
    Ok(ExitCode::from(u8::from(!all_spoken)))
}

/// Plays one fixture and writes down its answer.
async fn play(fixture: &Fixture, player: &Player, folder: &Path) -> anyhow::Result<TurnReport> {
    let played = player.play(fixture.name, fixture.note.clone()).await?;
    let mut report = played.report;
    if let (Some(note), Some(audio)) = (played.note, &mut report.audio) {
        let path: PathBuf = folder.join(format!("{}.reply.ogg", fixture.name));
        std::fs::write(&path, note).with_context(|| path.display().to_string())?;
        audio.path = Some(path.display().to_string());
    }
    Ok(report)
}
