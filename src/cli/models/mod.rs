//! `hark models`: which models there are, getting one, and whether those here are complete.

mod list;
mod pull;
mod verify;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::{Context, print};
use crate::models::manifest::{self, Model};
use crate::models::{built_in, folders};

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: ModelsCommand,
}

#[derive(clap::Subcommand)]
enum ModelsCommand {
    /// Show the models hark knows, and which are here.
    List(list::Arguments),
    /// Download a model and check it; a download that broke off is continued.
    Pull(pull::Arguments),
    /// Read the models that are here and compare them with their checksums.
    Verify(verify::Arguments),
}

pub(super) async fn run(context: Context, arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.command {
        ModelsCommand::List(arguments) => list::run(&context, &arguments),
        ModelsCommand::Pull(arguments) => pull::run(&context, arguments).await,
        ModelsCommand::Verify(arguments) => {
            // It reads gigabytes.
            tokio::task::spawn_blocking(move || verify::run(&context, arguments)).await?
        }
    }
}

/// Returns the folders that models are looked for in.
fn places(context: &Context) -> Vec<PathBuf> {
    folders(
        context.config.stt.text("models_dir").map(Path::new),
        context.places.hark_models.as_deref(),
        context.places.cache.as_deref(),
    )
}

/// Reads a model's name from an argument; clap makes wrong usage, exit code 2, of an unknown one.
fn known(name: &str) -> Result<&'static Model, String> {
    manifest::named(name).ok_or_else(|| {
        let guess = manifest::nearest(name)
            .map(|model| format!("; did you mean `{}`?", model.name))
            .unwrap_or_default();
        let names: Vec<&str> = manifest::models().iter().map(|model| &*model.name).collect();
        format!("hark knows no such model{guess}\nknown: {}", names.join(", "))
    })
}

/// Returns the bytes of `model`, if it is part of this program.
fn built_in(model: &Model) -> Option<&'static [u8]> {
    built_in::bytes().filter(|_| model.name == built_in::NAME)
}

/// Writes a size as people read it.
#[expect(clippy::cast_precision_loss, reason = "for people")]
fn size(bytes: u64) -> String {
    match bytes {
        0..100_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        100_000_000..1_000_000_000 => format!("{:.0} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}
