//! `hark nodes`: which processes serve from the store.

use std::process::ExitCode;

use anyhow::bail;

use super::Context;
use super::office::{list, open, said};
use crate::http::api::{NodeView, QueueApi as _};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Print JSON lines.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(context: Context, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let at = context.config.store.address();
    if !at.may_exist() {
        bail!("there is no store at {at} yet ([store] url); `hark serve` creates it");
    }
    list(&open(&context)?.nodes().await.map_err(said)?, arguments.json, words)?;
    Ok(ExitCode::SUCCESS)
}

fn words(node: &NodeView) -> String {
    let NodeView { id, host, version, turns, last_seen_at, alive, .. } = node;
    let state = if *alive { "alive" } else { "gone " };
    format!("{id:<16}  {state}  turns {turns:>4}  seen {last_seen_at}  hark {version} on {host}")
}
