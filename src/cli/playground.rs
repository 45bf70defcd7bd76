//! What `demo` and `bench` play with: a number and a WhatsApp that nobody else has, in a folder of one's
//! own.

use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use url::Url;

use crate::clock::Clock;
use crate::registry::{FormerSecrets, Number, NumberStatus, ProviderKind};
use crate::remote::http_client;
use crate::simulator::{Door, FaultPlan, Simulator, SimulatorSettings};

/// The number. It and its secrets never leave this machine.
pub(super) const NUMBER: &str = "100000000000001";
const SECRET: &str = "playground-app-secret";
const TOKEN: &str = "playground-access-token";

/// Describes the number, reached through the simulator at `graph` and answered by `agent`.
pub(super) fn number(graph: Url, agent: Option<String>) -> Number {
    Number {
        phone_number_id: NUMBER.into(),
        display_number: None,
        display_name: Some("playground".into()),
        provider: ProviderKind::Simulator,
        access_token: Some(TOKEN.into()),
        access_token_file: None,
        app_id: None,
        app_secret: Some(SECRET.into()),
        webhook_secret: None,
        webhook_header: None,
        signature_secret: None,
        business_id: None,
        former: FormerSecrets::default(),
        version: None,
        api_url: Some(graph),
        api_version: None,
        media_hosts: None,
        agent,
        status: NumberStatus::Active,
        messages_per_second: Some(1_000),
        template: None,
    }
}

/// Simulates the WhatsApp of the number, whose service takes webhooks there.
pub(super) fn simulator(webhook: Url) -> Simulator {
    simulator_of(Door::Meta, NUMBER, SECRET, Some(TOKEN), webhook, None)
}

/// Simulates the WhatsApp of any number; without a token every one will do. Faults come with their
/// seed.
pub(super) fn simulator_of(
    door: Door,
    number: &str,
    app_secret: &str,
    token: Option<&str>,
    webhook: Url,
    faults: Option<(FaultPlan, u64)>,
) -> Simulator {
    let clock = Clock::System;
    let settings = SimulatorSettings {
        webhook,
        app_secret: app_secret.into(),
        door,
        phone_number_id: number.into(),
        access_token: token.map(Into::into),
        public_url: None,
        id_seed: clock.now_ms().to_string(),
        clock,
    };
    match faults {
        Some((plan, seed)) => Simulator::with_faults(settings, http_client(), plan, seed),
        None => Simulator::new(settings, http_client()),
    }
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

/// Removes a store that is of no use to anyone any more.
pub(super) fn remove_store(store: &Path) {
    for ending in ["", "-wal", "-shm", ".lock", ".key"] {
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
