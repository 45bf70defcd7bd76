//! `hark nodes`: which processes serve from the store.

use std::process::ExitCode;

use anyhow::bail;
use jiff::Timestamp;
use serde::Serialize;

use super::{Context, print};
use crate::clock::Clock;
use crate::store::{Access, NodeRow, Nodes as _, SqlStore};

/// A node that was not seen for so long is gone: a process alone on its store says every 15 s that it
/// lives, others every second.
const GONE_MS: i64 = 5_000;
const LONE_GONE_MS: i64 = 40_000;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Print JSON lines.
    #[arg(long)]
    json: bool,
}

/// What is printed of a node.
#[derive(Serialize)]
struct NodeView<'a> {
    id: &'a str,
    host: &'a str,
    version: &'a str,
    turns: u32,
    started_at: String,
    last_seen_at: String,
    alive: bool,
}

pub(super) async fn run(context: &Context, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let at = context.config.store.address();
    if !at.may_exist() {
        bail!("there is no store at {at} yet ([store] url); `hark serve` creates it");
    }
    let store = SqlStore::open(&at, Access::Inspect)?;
    let (now_ms, gone_ms) = match store.clock() {
        Some(clock) => (clock.now_ms(), GONE_MS),
        None => (Clock::System.now_ms(), LONE_GONE_MS),
    };
    for node in store.nodes().await? {
        let seen_ms = now_ms.saturating_sub(node.seen_ms);
        if arguments.json {
            print::json(&view(&node, seen_ms < gone_ms))?;
        } else {
            print::line(&words(&node, seen_ms, seen_ms < gone_ms))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn view(node: &NodeRow, alive: bool) -> NodeView<'_> {
    let at = |ms| Timestamp::from_millisecond(ms).unwrap_or_default().to_string();
    let NodeRow { id, host, version, turns, started_ms, seen_ms, .. } = node;
    let (started_at, last_seen_at) = (at(*started_ms), at(*seen_ms));
    NodeView { id, host, version, turns: *turns, started_at, last_seen_at, alive }
}

fn words(node: &NodeRow, seen_ms: i64, alive: bool) -> String {
    let NodeRow { id, host, version, turns, .. } = node;
    let state = if alive { "alive" } else { "gone " };
    let seen = seen_ms.max(0) / 1000;
    format!("{id:<16}  {state}  turns {turns:>4}  seen {seen} s ago  hark {version} on {host}")
}
