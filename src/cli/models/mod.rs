//! `hark models`: which models and voices there are, getting one, and whether those here are complete.

mod list;
mod pull;
mod shown;
mod target;
mod verify;
mod voices;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::{Context, print, wrong_usage};
use crate::app::Places;
use crate::models::manifest::Model;
use crate::models::{built_in, folders};

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: ModelsCommand,
}

#[derive(clap::Subcommand)]
enum ModelsCommand {
    /// Show the models hark knows, or the voices, and which are here.
    List(list::Arguments),
    /// Download a model or a voice and check it; a download that broke off is continued.
    Pull(pull::Arguments),
    /// Read the models and voices that are here and compare them with their checksums.
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
    places_after(context, context.config.stt.text("models_dir"))
}

/// Returns the folders that voices are looked for in.
fn voice_places(context: &Context) -> Vec<PathBuf> {
    places_after(context, context.config.tts.text("voices_dir"))
}

fn places_after(context: &Context, first: Option<&str>) -> Vec<PathBuf> {
    let Places { hark_models, cache } = &context.places;
    folders(first.map(Path::new), hark_models.as_deref(), cache.as_deref())
}

/// Returns the bytes of `model`, if it is part of this program.
fn built_in(model: &Model) -> Option<&'static [u8]> {
    built_in::bytes().filter(|_| model.name == built_in::NAME)
}

/// Writes a size as people read it.
#[expect(clippy::cast_precision_loss, reason = "for people")]
fn size(bytes: u64) -> String {
    match bytes {
        0..100_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        100_000..100_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        100_000_000..1_000_000_000 => format!("{:.0} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}
