//! `hark models list`: the manifest, and which of it is here.

use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;

use super::{Context, built_in, places, print, size, voices};
use crate::models::manifest::{self, Kind, Model, ModelLanguages, Speed};
use crate::models::pull::HUGGING_FACE;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Show voices instead of models that hear.
    #[arg(long)]
    voices: bool,
    /// Print a JSON array.
    #[arg(long)]
    json: bool,
}

/// Describes one model, as JSON.
#[derive(Serialize)]
struct Row {
    name: &'static str,
    file: &'static str,
    kind: Kind,
    bytes: u64,
    sha256: &'static str,
    licence: &'static str,
    languages: ModelLanguages,
    speed: Speed,
    /// Where `pull` gets it.
    url: Option<String>,
    built_in: bool,
    /// The file that is here; only its size was looked at.
    path: Option<PathBuf>,
    /// Whether that has the size it should have.
    size_fits: Option<bool>,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    if arguments.voices {
        return voices::list(context, arguments.json);
    }
    let folders = places(context);
    let rows: Vec<Row> = manifest::models().iter().map(|model| row(model, &folders)).collect();
    if arguments.json {
        print::json(&rows)?;
        return Ok(ExitCode::SUCCESS);
    }
    let titles = ["name", "size", "languages", "speed", "licence"].map(str::to_owned);
    print::line(&line(&titles, "here"))?;
    for row in &rows {
        let columns = [
            row.name.to_owned(),
            size(row.bytes),
            languages(row.languages).to_owned(),
            speed(row.speed).to_owned(),
            row.licence.to_owned(),
        ];
        print::line(&line(&columns, &here(row)))?;
    }
    print::line(
        "\nspeed: what ten seconds of speech take on two cores. fastest: less than 0.3 s, fast: \
         less than 2 s,\nmoderate: less than 6 s, slow: as long as they last or longer, so for a \
         graphics card.\nsilero: tells voices from other sound; v6.2.0 is part of hark and need \
         not be pulled.\nAddresses and checksums: hark models list --json\nVoices: hark models list --voices",
    )?;
    Ok(ExitCode::SUCCESS)
}

fn row(model: &'static Model, folders: &[PathBuf]) -> Row {
    let built_in = built_in(model).is_some();
    let path = folders.iter().map(|folder| folder.join(&model.file)).find(|file| file.is_file());
    let path = path.filter(|_| !built_in);
    let size_fits = path.as_ref().map(|file| {
        // A file that vanished or cannot be looked at does not fit either.
        file.metadata().is_ok_and(|metadata| metadata.len() == model.bytes)
    });
    Row {
        name: &model.name,
        file: &model.file,
        kind: model.kind,
        bytes: model.bytes,
        sha256: &model.sha256,
        licence: &model.licence,
        languages: model.languages,
        speed: model.speed,
        url: model.from.as_ref().map(|from| format!("{HUGGING_FACE}/{from}/{}", model.file)),
        built_in,
        path,
        size_fits,
    }
}

fn line(columns: &[String; 5], here: &str) -> String {
    let [name, size, languages, speed, licence] = columns;
    format!("{name:<21}  {size:>7}  {languages:<12}  {speed:<8}  {licence:<17}  {here}")
}

fn here(row: &Row) -> String {
    match &row.path {
        None if row.built_in => "built in".to_owned(),
        None => "-".to_owned(),
        Some(path) if row.size_fits == Some(true) => path.display().to_string(),
        Some(path) => format!("{} (damaged: its size is wrong)", path.display()),
    }
}

fn languages(languages: ModelLanguages) -> &'static str {
    match languages {
        ModelLanguages::English => "English",
        ModelLanguages::Multilingual => "multilingual",
        ModelLanguages::Any => "any",
    }
}

fn speed(speed: Speed) -> &'static str {
    match speed {
        Speed::Fastest => "fastest",
        Speed::Fast => "fast",
        Speed::Moderate => "moderate",
        Speed::Slow => "slow",
    }
}
