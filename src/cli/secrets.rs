//! `hark secrets`: the key that the secrets of the store are encrypted with.

use std::process::ExitCode;

use super::Context;
use super::office::{open, said};
use super::print;

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: SecretsCommand,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(clap::Subcommand)]
enum SecretsCommand {
    /// Encrypt everything with a new key. Of a file the key is replaced; where it is
    /// `HARK_SECRET_KEY`, the new one is read from `HARK_NEW_SECRET_KEY`.
    Rotate,
}

pub(super) async fn run(context: Context, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let SecretsCommand::Rotate = arguments.command;
    let office = open(&context)?;
    let new = context.environment.get("HARK_NEW_SECRET_KEY").filter(|key| !key.is_empty());
    let new = new.map(|key| key.as_str().into());
    let count = office.rotate_key(new.as_ref()).await.map_err(said)?;
    if arguments.json {
        print::json(&serde_json::json!({ "encrypted": count }))?;
    } else {
        print::line(&format!("{count} entries are encrypted with the new key"))?;
    }
    if new.is_some() {
        eprintln!("start hark with HARK_SECRET_KEY set to the new key");
    }
    Ok(ExitCode::SUCCESS)
}
