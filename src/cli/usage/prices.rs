//! `hark usage prices`: what things cost.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, anyhow, bail};
use serde::de::IgnoredAny;

use crate::app::Office;
use crate::cli::office::{list, read, said};
use crate::cli::print;
use crate::http::api::{BooksApi as _, PriceVersionView, PriceView, unquoted};
use crate::remote::words::plain;
use crate::usage::PriceBook;

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: PricesCommand,
    /// Print JSON lines.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(clap::Subcommand)]
enum PricesCommand {
    /// List the versions, newest first.
    List,
    /// Print the prices as they are set, as JSON.
    Show {
        /// Which version; default: the one in use.
        version: Option<u32>,
    },
    /// Add a version, by which every turn is priced that ends from now on.
    Set {
        /// File with the prices, JSON; `-` is stdin. docs/USAGE.md has an example.
        file: PathBuf,
    },
}

pub(super) async fn run(office: &Office, arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.command {
        PricesCommand::List => {
            let versions = office.price_versions().await.map_err(said)?;
            if versions.is_empty() {
                eprintln!("there are no prices yet: hark usage prices set FILE");
            }
            list(&versions, arguments.json, words)?;
        }
        PricesCommand::Show { version } => {
            let shown = office.price_version(version).await.map_err(said)?;
            if arguments.json {
                print::json(&shown)?;
            } else {
                print::line(&serde_json::to_string_pretty(&shown.prices)?)?;
            }
        }
        PricesCommand::Set { file } => {
            let book = book(&read(&file)?).with_context(|| file.display().to_string())?;
            let set = office.add_price_version(book).await.map_err(said)?;
            if arguments.json {
                print::json(&set)?;
            } else {
                let PriceView { version, .. } = set;
                eprintln!("version {version} of the prices: turns are priced by it from now on");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads a book of prices; an error says where it is wrong.
fn book(text: &str) -> anyhow::Result<PriceBook> {
    if let Err(error) = serde_json::from_str::<IgnoredAny>(text) {
        bail!("it is not JSON: line {}, column {}", error.line(), error.column());
    }
    let mut json = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let key = error.path().to_string();
        let at = if key == "." { String::new() } else { format!("{key}: ") };
        anyhow!("{at}{}", unquoted(&error.inner().to_string()))
    })
}

fn words(version: &PriceVersionView) -> String {
    let PriceVersionView { version, in_use, currency, note, created_at } = version;
    let note = note.as_deref().map(|note| format!("  {}", plain(note))).unwrap_or_default();
    let state = if *in_use { "in use" } else { "former" };
    format!("{version:>3}  {state}  {currency}  {created_at}{note}")
}
