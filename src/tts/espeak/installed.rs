//! Finds the installed espeak-ng, to examine a machine before it serves.

use std::path::Path;

use tokio::process::Command;
use tokio::time::timeout;

use super::voices::{self, VoiceTable};
use super::{TIME_LIMIT, late, start};
use crate::remote::patience::Late;
use crate::tts::TtsError;
use crate::turn::LanguageCode;

/// Describes the installed program and its voices.
#[derive(Debug)]
pub(super) struct Installed {
    /// Version it reports, e.g. `1.52.0`.
    pub(super) version: String,
    pub(super) voices: VoiceTable,
}

impl Installed {
    /// Runs `program` twice: for its version and for its voices.
    ///
    /// # Errors
    /// `Start` if it is not there, `Engine` if it takes too long.
    pub(super) async fn find(program: &Path) -> Result<Self, TtsError> {
        Ok(Self { version: version(program).await?, voices: list(program).await? })
    }
}

/// Returns the version that `program` reports.
pub(super) async fn version(program: &Path) -> Result<String, TtsError> {
    let said = ask(program, "--version").await?;
    // "eSpeak NG text-to-speech: 1.52.0  Data at: /usr/lib/..."
    let version = said.split_once(": ").and_then(|(_, rest)| rest.split_whitespace().next());
    Ok(version.unwrap_or("of an unknown version").to_owned())
}

/// Returns the voices that `program` lists.
pub(super) async fn list(program: &Path) -> Result<VoiceTable, TtsError> {
    Ok(VoiceTable::parse(&ask(program, "--voices").await?))
}

/// Lists the voices of `program` by their names, with their languages.
///
/// # Errors
/// As [`list`].
pub(super) async fn listed(program: &Path) -> Result<Vec<(String, LanguageCode)>, TtsError> {
    Ok(voices::listed(&ask(program, "--voices").await?))
}

async fn ask(program: &Path, what: &str) -> Result<String, TtsError> {
    let mut command = Command::new(program);
    let said = command.arg(what).kill_on_drop(true).output();
    let said = timeout(TIME_LIMIT, said).await.map_err(|_| late(Late::Total))?.map_err(start)?;
    Ok(String::from_utf8_lossy(&said.stdout).into_owned())
}
