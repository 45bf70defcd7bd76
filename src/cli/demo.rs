//! `hark demo`: the service and the simulator in one process, over real HTTP.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use serde::Serialize;
use tokio::net::TcpListener;

use super::fixtures::{self, Fixture};
use super::{Context, print};
use crate::app::{App, Hearing};
use crate::clock::Clock;
use crate::config::{Config, Number, NumberStatus, ProviderKind};
use crate::lifecycle::Shutdown;
use crate::remote::http_client;
use crate::simulator::{Simulator, SimulatorHandle, SimulatorSettings};
use crate::store::Store;
use crate::turn::TurnReport;

/// The number, the person and the secrets of the demo: they never leave this machine.
const NUMBER: &str = "100000000000001";
const PERSON: &str = "15550001111";
const SECRET: &str = "demo-app-secret";
const TOKEN: &str = "demo-access-token";

/// A turn of the demo that takes longer has failed.
const PATIENCE: Duration = Duration::from_mins(1);

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

/// One line of output.
#[derive(Serialize)]
struct Line<'a> {
    fixture: &'a str,
    #[serde(flatten)]
    report: TurnReport,
}

pub(super) async fn run(mut context: Context, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let shutdown = Shutdown::on_signals()?;
    let folder = std::env::temp_dir().join("hark-demo");
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let listener = TcpListener::bind(&arguments.listen)
        .await
        .with_context(|| format!("listening on {} (--listen)", arguments.listen))?;
    let simulator_listener = TcpListener::bind("127.0.0.1:0").await?;
    let (address, simulator_address) = (listener.local_addr()?, simulator_listener.local_addr()?);

    let clock = Clock::System;
    let store = folder.join(format!("demo-{}.db", std::process::id()));
    point_at_simulator(&mut context.config, &format!("http://{simulator_address}"), &store)?;
    let hearing =
        Hearing { known: fixtures::known(), scripted_without_model: true, ..Hearing::default() };
    let app = App::build(&context.config, &context.places, &hearing, clock.clone()).await?;
    let simulator = Simulator::new(
        SimulatorSettings {
            webhook: format!("http://{address}/webhook").parse()?,
            app_secret: SECRET.into(),
            phone_number_id: NUMBER.into(),
            access_token: Some(TOKEN.into()),
            public_url: None,
            id_seed: clock.now_ms().to_string(),
            clock,
        },
        http_client(),
    );
    let (handle, record) = (simulator.handle(), std::sync::Arc::clone(&app.store));
    let simulating = tokio::spawn(simulator.serve(simulator_listener, shutdown.stop.clone()));
    let serving = tokio::spawn(app.run(listener, shutdown.clone()));

    let mut all_spoken = true;
    for fixture in fixtures::all() {
        let report = play(&fixture, &handle, record.as_ref(), &folder).await?;
        all_spoken &= report.audio.is_some();
        if arguments.json {
            print::json(&Line { fixture: fixture.name, report })?;
        } else {
            let heard = report.transcript.as_ref().map(|transcript| transcript.text.as_str());
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
    drop(record);
    remove_store(&store);
    Ok(ExitCode::from(u8::from(!all_spoken)))
}

/// Replaces the configured numbers by the demo's.
fn point_at_simulator(config: &mut Config, api_url: &str, store: &Path) -> anyhow::Result<()> {
    config.numbers = vec![Number {
        phone_number_id: NUMBER.into(),
        display_number: None,
        display_name: Some("demo".into()),
        provider: ProviderKind::Simulator,
        access_token: Some(TOKEN.into()),
        app_id: None,
        app_secret: Some(SECRET.into()),
        business_id: None,
        api_url: Some(api_url.parse()?),
        api_version: None,
        media_hosts: None,
        agent: None,
        status: NumberStatus::Active,
    }];
    config.store.url = store.display().to_string();
    Ok(())
}

/// Sends one fixture as a voice note and waits for the end of its turn.
async fn play(
    fixture: &Fixture,
    whatsapp: &SimulatorHandle,
    record: &dyn Store,
    folder: &Path,
) -> anyhow::Result<TurnReport> {
    let mime = "audio/ogg; codecs=opus";
    let message = whatsapp.send_audio(PERSON, fixture.note.clone(), mime).await;
    let answer = whatsapp
        .wait_for_reply(&message, PATIENCE)
        .await
        .with_context(|| format!("{} was not answered in {PATIENCE:?}", fixture.name))?;
    let mut report = finished(record, message.0.as_str()).await?;
    if let (Some(media), Some(audio)) = (&answer.media, &mut report.audio) {
        let note = whatsapp.note(&media.id).context("the simulator has lost a note")?;
        let path: PathBuf = folder.join(format!("{}.reply.ogg", fixture.name));
        std::fs::write(&path, note).with_context(|| path.display().to_string())?;
        audio.path = Some(path.display().to_string());
    }
    Ok(report)
}

/// The answer arrives a moment before its turn's record is closed.
async fn finished(record: &dyn Store, message: &str) -> anyhow::Result<TurnReport> {
    let turn = crate::turn::TurnId::of(&NUMBER.into(), &message.into());
    let wait = async {
        loop {
            let rows = record.turns(Some(PERSON.to_owned()), 1).await?;
            let done = rows.into_iter().find(|row| row.turn == turn).and_then(|row| row.report);
            if let Some(report) = done {
                return anyhow::Ok(report);
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.context("the turn was not closed")?
}

/// The demo's record is of no use to anyone; its notes stay.
fn remove_store(store: &Path) {
    for ending in ["", "-wal", "-shm", ".lock"] {
        let file = PathBuf::from(format!("{}{ending}", store.display()));
        if let Err(error) = std::fs::remove_file(&file)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(error = %error, "the demo's store could not be removed");
        }
    }
}
