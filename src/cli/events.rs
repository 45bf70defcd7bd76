//! `hark events`: every step as it happens, as CloudEvents.
//!
//! Looks at the store beside a running service, and needs nothing else of the configuration.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;

use super::{Context, print};
use crate::events::cloud_event;
use crate::store::{Access, SqlStore};
use crate::store::{EventLog as _, EventSearch};

/// Time between two looks at the store.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Events that are read at a time.
const AT_ONCE: usize = 500;

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: EventsCommand,
}

#[derive(clap::Subcommand)]
enum EventsCommand {
    /// Print events as they come, a JSON line each.
    Tail(TailArguments),
}

#[derive(clap::Args)]
struct TailArguments {
    /// Only events of this type; may be given more than once.
    #[arg(long = "type", value_name = "TYPE")]
    types: Vec<String>,
    /// Only those of this number.
    #[arg(long, value_name = "ID")]
    number: Option<String>,
    /// Begin behind the event of this id; 0: with the oldest that is kept.
    #[arg(long, value_name = "ID")]
    after: Option<i64>,
    /// Print what there is and end.
    #[arg(long)]
    once: bool,
}

pub(super) async fn run(context: &Context, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let EventsCommand::Tail(arguments) = arguments.command;
    let at = context.config.store.address();
    if !at.may_exist() {
        bail!("there is no store at {at} yet ([store] url); `hark serve` creates it");
    }
    let store = SqlStore::open(&at, Access::Inspect)?;
    let TailArguments { types, number, after, once } = arguments;
    let after = match after {
        Some(after) => after,
        None if once => 0,
        None => store.newest_event().await?,
    };
    let mut search = EventSearch { after, types, number, conversation: None, limit: AT_ONCE };
    loop {
        let page = store.events(search.clone()).await?;
        search.after = page.upto;
        for row in &page.events {
            if !print::is_read(&cloud_event(row).to_string())? {
                return Ok(ExitCode::SUCCESS);
            }
        }
        if once && page.events.is_empty() {
            return Ok(ExitCode::SUCCESS);
        }
        if page.events.is_empty() {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}
