//! What the commands for numbers, agents, tokens and secrets share.

use std::io::{IsTerminal as _, Read as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use secrecy::SecretString;

use super::{Context, print};
use crate::app::{EnginePool, Hearing, Office};
use crate::clock::Clock;
use crate::http::api::ApiRefusal;

/// Opens the store of the configuration; a service may run on it.
pub(super) fn open(context: &Context) -> anyhow::Result<Office> {
    let pool = EnginePool::new(context.places.clone(), Hearing::default());
    Office::open(context.config.clone(), pool, Clock::System)
}

/// Says what was refused; what is behind it too, where the API would only log it.
pub(super) fn said(error: ApiRefusal) -> anyhow::Error {
    match error {
        ApiRefusal::Store(error) => error.into(),
        other => anyhow::anyhow!("{other}"),
    }
}

/// Prints entries: JSON lines, or words.
pub(super) fn list<T: serde::Serialize>(
    items: &[T],
    json: bool,
    words: impl Fn(&T) -> String,
) -> anyhow::Result<()> {
    for item in items {
        if json { print::json(item)? } else { print::line(&words(item))? }
    }
    Ok(())
}

/// Reads a secret from a file, `-` being stdin: on a command line others would see it.
pub(super) fn secret(file: &Path) -> anyhow::Result<SecretString> {
    let text = read(file)?;
    let text = text.trim();
    if text.is_empty() {
        bail!("{} is empty", file.display());
    }
    Ok(text.into())
}

/// Reads a file, or stdin for `-`.
pub(super) fn read(file: &Path) -> anyhow::Result<String> {
    if file != Path::new("-") {
        return std::fs::read_to_string(file).with_context(|| file.display().to_string());
    }
    let mut stdin = std::io::stdin();
    if stdin.is_terminal() {
        eprintln!("reading from the terminal, until Ctrl-D:");
    }
    let mut text = String::new();
    stdin.read_to_string(&mut text).context("reading stdin")?;
    Ok(text)
}
