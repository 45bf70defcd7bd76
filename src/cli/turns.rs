//! `hark turns`: what was heard, answered, how it ended and why.

use std::process::ExitCode;

use anyhow::bail;

use super::{Context, print};
use crate::store::sqlite::{Access, SqliteStore};
use crate::store::{Archive as _, TurnRow};
use crate::turn::Personal;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Only this contact: user id or phone number in digits.
    #[arg(long, value_name = "C")]
    contact: Option<String>,
    /// How many, newest first.
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// Print JSON lines.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(context: Context, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let path = context.config.store.path();
    if !path.exists() {
        bail!("there is no store at {} yet ([store] url); `hark serve` creates it", path.display());
    }
    let store = SqliteStore::open(path, Access::Inspect)?;
    for row in store.turns(arguments.contact, arguments.limit).await? {
        if arguments.json {
            print::json(&row)?;
        } else {
            show(&row)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn show(row: &TurnRow) -> anyhow::Result<()> {
    let title = format!("turn {} from {} to {}", row.turn, row.contact.reveal(), row.number);
    match &row.report {
        None => print::line(&format!("{title}\n  still running, attempt {}", row.attempt)),
        Some(report) => {
            print::turn(&title, row.heard.as_ref().map(Personal::reveal), report)?;
            let statuses = row.statuses.join(", ");
            print::line(&format!("  statuses  {statuses}"))
        }
    }
}
