//! Posts signed webhooks at a constant rate and reports how long each took to be durable.
//!
//! Afterwards, or after the service was killed, `--check` looks for every acknowledged id in the
//! store.

#![expect(clippy::print_stdout, reason = "a program whose result is on stdout")]

#[path = "scale/load.rs"]
mod load;

use std::collections::HashSet;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Parser;
use rusqlite::{Connection, OpenFlags};

use self::load::Load;

/// Posts signed webhooks at a constant rate, or checks that every acknowledged one is stored.
#[derive(Parser)]
struct Arguments {
    /// The service's webhook, e.g. `http://127.0.0.1:8080/webhook`.
    #[arg(long, required_unless_present = "check")]
    url: Option<String>,
    /// The number's `app_secret`.
    #[arg(long, required_unless_present = "check")]
    secret: Option<String>,
    /// The number.
    #[arg(long, required_unless_present = "check")]
    phone_number_id: Option<String>,
    /// Webhooks per second.
    #[arg(long, default_value_t = 1000)]
    rate: u32,
    /// Duration in seconds.
    #[arg(long, default_value_t = 30)]
    seconds: u32,
    /// Kept connections.
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// File for acknowledged ids: written, or read with `--check`.
    #[arg(long)]
    ids: PathBuf,
    /// Looks for the ids in this SQLite store instead of posting.
    #[arg(long, value_name = "DB")]
    check: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    match &arguments.check {
        Some(store) => check(&arguments, store),
        None => load(&arguments).await,
    }
}

async fn load(arguments: &Arguments) -> anyhow::Result<()> {
    let (Some(url), Some(secret), Some(number)) =
        (&arguments.url, &arguments.secret, &arguments.phone_number_id)
    else {
        bail!("--url, --secret and --phone-number-id are required");
    };
    let Arguments { rate, seconds, connections, .. } = *arguments;
    let (secret, number) = (secret.as_str().into(), number.clone());
    let load = Load { url: url.clone(), secret, number, rate, seconds, connections };
    let hits = load.run().await?;
    std::fs::write(&arguments.ids, hits.acknowledged().join("\n"))
        .with_context(|| arguments.ids.display().to_string())?;
    println!("{hits}");
    Ok(())
}

/// Looks for every acknowledged id.
fn check(arguments: &Arguments, store: &PathBuf) -> anyhow::Result<()> {
    let ids = std::fs::read_to_string(&arguments.ids)
        .with_context(|| arguments.ids.display().to_string())?;
    let store = Connection::open_with_flags(store, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .with_context(|| store.display().to_string())?;
    let mut select = store.prepare("SELECT provider_id FROM messages")?;
    let stored: HashSet<String> =
        select.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let missing = ids.lines().filter(|id| !stored.contains(*id)).count();
    let acknowledged = ids.lines().count();
    println!("{} of {acknowledged} acknowledged messages are stored", acknowledged - missing);
    if missing > 0 {
        bail!("{missing} messages are lost");
    }
    Ok(())
}
