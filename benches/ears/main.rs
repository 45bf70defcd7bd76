//! `make ears`: how well hark hears people, and at what cost, beside other programs in the same run.
//!
//! Each recording is heard by all contestants in turn, one after the other; the tables are written
//! as they are finished. What fails is counted with every word wrong.

mod clip;
mod ear;
mod line_up;
mod machine;
#[path = "../../tests/noises/mod.rs"]
mod noises;
mod race;
mod rate;
mod report;
mod rival;
mod row;
mod sections;
mod tables;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Parser;
use hark::app::Places;
use hark::telemetry::{LogFormat, LogStyle, init_logs};
use jiff::tz::TimeZone;
use tokio_util::sync::CancellationToken;

use crate::clip::{Clip, Source};
use crate::machine::Model;
use crate::report::Report;
use crate::sections::{Measured, Section};

/// Measures how well hark hears, beside other programs in the same run.
#[derive(Parser)]
struct Arguments {
    /// A corpus: its manifest.json names what is said in speech/.
    #[arg(long, value_name = "FOLDER")]
    corpus: Option<PathBuf>,
    /// A folder with `.txt` beside sound; folders in it may be named by languages, such as `de`.
    #[arg(long, value_name = "FOLDER")]
    folder: Vec<PathBuf>,
    /// A folder of noises, beside the forty of our own making.
    #[arg(long, value_name = "FOLDER")]
    noise: Vec<PathBuf>,
    /// Name or path of a model that hark has.
    #[arg(long, default_value = "base")]
    model: Vec<String>,
    /// Measures this part and no other.
    #[arg(long, value_enum)]
    only: Vec<Section>,
    /// Threads of every contestant.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Hears so many recordings of people in each language and no more.
    #[arg(long, value_name = "N")]
    files: Option<usize>,
    /// What prepare.py has made; without it hark is measured alone.
    #[arg(long, value_name = "FOLDER")]
    rivals: Option<PathBuf>,
    /// Where the tables go, beside stdout; what they are made of goes into a `.csv` beside it.
    #[arg(long, value_name = "FILE", default_value = "target/ears.md")]
    out: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    run(Arguments::parse()).await.unwrap_or_else(|error| {
        eprintln!("ears: {error:#}");
        ExitCode::FAILURE
    })
}

async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let zone = TimeZone::system();
    let style = LogStyle { format: LogFormat::Human, colours: false, zone, project: None };
    // Every decoder says what it skips, and each contestant decodes.
    init_logs(style, "warn,symphonia_core=error").map_err(anyhow::Error::msg)?;
    let (speech, noise) = recordings(&arguments)?;
    let environment: BTreeMap<String, String> = std::env::vars().collect();
    let places = Places::from(&environment);
    let models: Vec<Model> =
        arguments.model.iter().map(|name| Model::find(name, &places)).collect::<Result<_, _>>()?;

    let stop = CancellationToken::new();
    tokio::spawn(stop_at_ctrl_c(stop.clone()));
    let mut report = Report::new(arguments.out.clone())?;
    report.add(&format!("# Ears\n\n{}", machine::describe(arguments.threads)))?;
    let measured = Measured {
        speech,
        noise,
        names: names(&arguments)?,
        threads: arguments.threads,
        rivals: arguments.rivals,
        only: arguments.only,
        environment,
        stop: stop.clone(),
    };
    let (mut words, mut failures) = (Vec::new(), 0);
    for model in &models {
        let (rows, failed) = measured.model(model, &mut report).await?;
        words.push((model.name.clone(), rows));
        failures += failed;
    }
    let all = tables::models::table(&words);
    if words.len() > 1 && !all.is_empty() {
        report.add(&format!("## Models\n\n{all}"))?;
    }
    if stop.is_cancelled() {
        report.add("Stopped: the tables are of the recordings that everybody had heard.")?;
    }
    report.add(&format!("Load at the end: {}.", machine::load()))?;
    eprintln!("written to {}", report.files());
    Ok(ExitCode::from(u8::from(failures > 0)))
}

/// Reads which recordings there are: of people, and of nobody.
fn recordings(arguments: &Arguments) -> anyhow::Result<(Vec<Clip>, Vec<Clip>)> {
    let mut clips = Vec::new();
    if let Some(corpus) = &arguments.corpus {
        clips.extend(clip::corpus(corpus)?);
    }
    for folder in &arguments.folder {
        clips.extend(clip::folder(folder)?);
    }
    if clips.is_empty() {
        bail!("nothing to hear: set HARK_CORPUS, or FOLDER to one with .txt beside sound");
    }
    let (speech, mut noise): (Vec<_>, Vec<_>) = clips.into_iter().partition(Clip::has_words);
    noise.extend(noises::recordings().into_iter().map(|(name, speech)| Clip {
        name,
        source: Source::Made(noises::wav(speech.samples()).into()),
        language: None,
        words: String::new(),
    }));
    for folder in &arguments.noise {
        noise.extend(clip::noises(folder)?);
    }
    let speech = match arguments.files {
        Some(most) => clip::thin(speech, most),
        None => speech,
    };
    Ok((speech, noise))
}

/// Reads the names that hark is to listen for: those of the corpus, and of each folder's
/// `vocabulary.txt`, one a line.
fn names(arguments: &Arguments) -> anyhow::Result<Vec<String>> {
    let mut text = String::new();
    if arguments.corpus.is_some() {
        text += include_str!("names.txt");
    }
    for folder in &arguments.folder {
        let file = folder.join("vocabulary.txt");
        if file.exists() {
            text += &fs::read_to_string(&file).with_context(|| file.display().to_string())?;
            text.push('\n');
        }
    }
    let names = text.lines().map(str::trim).filter(|name| !name.is_empty());
    Ok(names.map(str::to_owned).collect())
}

/// Stops what runs when the user asks for it.
async fn stop_at_ctrl_c(stop: CancellationToken) {
    // Without a handler, ctrl-c ends the program, as it would without this.
    if tokio::signal::ctrl_c().await.is_ok() {
        eprintln!("\nstopping: the tables of what was heard follow");
        stop.cancel();
    }
}
