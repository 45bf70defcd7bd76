//! `hark demo`: the service and the simulator in one process, over real HTTP.

use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use serde::Serialize;
use tokio::net::TcpListener;

use super::fixtures::{self, Fixture};
use super::player::Player;
use super::{Context, print};
use crate::app::{App, EnginePool, Hearing};
use crate::clock::Clock;
use crate::lifecycle::Shutdown;
use crate::registry::{Disclosure, Number, NumberStatus, ProviderKind, Snapshot};
use crate::remote::http_client;
use crate::simulator::{Simulator, SimulatorSettings};
use crate::turn::TurnReport;

/// The number and the secrets of the demo: they never leave this machine.
const NUMBER: &str = "100000000000001";
const SECRET: &str = "demo-app-secret";
const TOKEN: &str = "demo-access-token";

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
    let folder = private_folder(&std::env::temp_dir(), "hark-demo")?;
    let listener = TcpListener::bind(&arguments.listen)
        .await
        .with_context(|| format!("listening on {} (--listen)", arguments.listen))?;
    let simulator_listener = TcpListener::bind("127.0.0.1:0").await?;
    let (address, simulator_address) = (listener.local_addr()?, simulator_listener.local_addr()?);

    let clock = Clock::System;
    let store = folder.join(format!("demo-{}.db", std::process::id()));
    let numbers = [number(&format!("http://{simulator_address}"))?].into_iter().collect();
    // Recordings need not be told that a machine answers.
    let disclosure = Disclosure::OFF;
    let snapshot = Snapshot { numbers, disclosure, ..context.config.snapshot() };
    let hearing = Hearing {
        fixtures: Some(fixtures::known),
        scripted_without_model: true,
        ..Hearing::default()
    };
    let pool = EnginePool::new(context.places.clone(), hearing);
    let app = App::build_with(&context.config, snapshot, &store, pool, clock.clone()).await?;
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
    let player = Player::new(simulator.clone(), NUMBER.into(), Arc::clone(&app.archive));
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
    remove_store(&store);
    Ok(ExitCode::from(u8::from(!all_spoken)))
}

/// Makes the folder of the notes and the store. Everybody may write into the system's folder for
/// such things: what somebody else may have made there is not written into.
pub(super) fn private_folder(place: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let usual = place.join(name);
    let fresh = place.join(format!("{name}-{}", std::process::id()));
    for folder in [usual, fresh] {
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        match builder.create(&folder) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                if is_ours(&folder) {
                    return Ok(folder);
                }
            }
            made => {
                return made.map(|()| folder.clone()).with_context(|| folder.display().to_string());
            }
        }
    }
    bail!("{} has folders called {name} of somebody else: set TMPDIR", place.display())
}

/// Returns whether a folder is no link, and only we can write into it.
#[cfg(target_os = "linux")]
fn is_ours(folder: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::symlink_metadata(folder).is_ok_and(|about| {
        about.is_dir()
            && about.mode() & 0o022 == 0
            && about.uid() == rustix::process::geteuid().as_raw()
    })
}

#[cfg(not(target_os = "linux"))]
fn is_ours(_: &Path) -> bool {
    false
}

/// Describes the demo's number, reached through the simulator at `api_url`.
fn number(api_url: &str) -> anyhow::Result<Number> {
    Ok(Number {
        phone_number_id: NUMBER.into(),
        display_number: None,
        display_name: Some("demo".into()),
        provider: ProviderKind::Simulator,
        access_token: Some(TOKEN.into()),
        access_token_file: None,
        app_id: None,
        app_secret: Some(SECRET.into()),
        business_id: None,
        api_url: Some(api_url.parse()?),
        api_version: None,
        media_hosts: None,
        agent: None,
        status: NumberStatus::Active,
    })
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

/// Removes a store that is of no use to anyone any more.
pub(super) fn remove_store(store: &Path) {
    for ending in ["", "-wal", "-shm", ".lock"] {
        let file = PathBuf::from(format!("{}{ending}", store.display()));
        if let Err(error) = std::fs::remove_file(&file)
            && error.kind() != ErrorKind::NotFound
        {
            tracing::warn!(error = %error, "a store that is done with could not be removed");
        }
    }
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn the_demo_writes_into_no_folder_that_others_may_have_made() {
        let mode = |folder: &Path| folder.metadata().unwrap().permissions().mode() & 0o777;
        let place = tempfile::tempdir().unwrap();
        let usual = private_folder(place.path(), "hark-demo").unwrap();
        assert_eq!((usual.ends_with("hark-demo"), mode(&usual)), (true, 0o700));
        assert_eq!(private_folder(place.path(), "hark-demo").unwrap(), usual, "ours is used again");
        for plant in [
            |folder: &Path| std::fs::set_permissions(folder, Permissions::from_mode(0o777)),
            |folder: &Path| std::fs::remove_dir(folder).and_then(|()| symlink("/", folder)),
        ] {
            plant(&usual).unwrap();
            let fresh = private_folder(place.path(), "hark-demo").unwrap();
            assert_ne!(fresh, usual);
            assert_eq!(mode(&fresh), 0o700);
        }
        let fresh = private_folder(place.path(), "hark-demo").unwrap();
        std::fs::remove_dir(&fresh).unwrap();
        symlink("/", &fresh).unwrap();
        let said = private_folder(place.path(), "hark-demo").unwrap_err().to_string();
        assert!(said.contains("set TMPDIR"), "{said}");
    }
}
