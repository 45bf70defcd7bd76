//! `hark voices`: who can speak on this machine, how fast, and what each sounds like.

mod engines;
mod sentence;
mod trial;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use serde::Serialize;

use self::engines::VoiceEngine;
use super::doctor::{agents_in_use, languages_of};
use super::{Context, print, wrong_usage};
use crate::config::Config;
use crate::models::{manifest, voices};
use crate::tts::VoiceRow;
use crate::turn::LanguageCode;

/// Languages of which espeak-ng's voices are shown, beside those of the agents: hark writes numbers and
/// dates out in them.
const WRITTEN_OUT: [&str; 5] = ["en", "es", "pt", "de", "fr"];

const SPEED: &str = "speed: seconds of work a second of sound, on this machine as busy as it is, of one \
sentence; less is faster.";

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<VoicesCommand>,
    /// Only this voice; may be there several times.
    #[arg(long, global = true, value_name = "V")]
    voice: Vec<String>,
    /// espeak-ng's voices of every language, not only of those that agents speak and hark writes
    /// numbers out in.
    #[arg(long, global = true)]
    all: bool,
    /// Print JSON lines.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(clap::Subcommand)]
enum VoicesCommand {
    /// Write a voice note by each voice, all saying the same sentence, each in its language.
    Listen(ListenArguments),
}

#[derive(clap::Args)]
struct ListenArguments {
    /// Where they go; made if need be.
    #[arg(value_name = "FOLDER", default_value = "voices")]
    folder: PathBuf,
}

/// Says what became of one voice.
#[derive(Serialize)]
struct HeardVoice<'a> {
    #[serde(flatten)]
    voice: &'a VoiceRow,
    /// Seconds of work a second of sound.
    #[serde(skip_serializing_if = "Option::is_none")]
    speed: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    error: Option<String>,
}

pub(super) async fn run(context: Context, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let Arguments { command, voice: names, all, json } = arguments;
    let mut failed = false;
    let mut found: Vec<(VoiceEngine, Vec<VoiceRow>)> = Vec::new();
    for engine in engines::all(&context.config)? {
        match engine.voices(&context.places).await {
            Ok(rows) => found.push((engine, rows)),
            Err(problem) => {
                eprintln!("{problem}");
                failed |= engine.configured;
            }
        }
    }
    choose(&context.config, &mut found, &names, all);
    if found.iter().all(|(_, rows)| rows.is_empty()) {
        bail!("no voice is here: install espeak-ng, or see `hark models list --voices`");
    }
    let folder = command.map(|VoicesCommand::Listen(ListenArguments { folder })| folder);
    if let Some(folder) = &folder {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    if !json {
        let title = if folder.is_some() { "note" } else { "where" };
        print::line(&line(["engine", "voice", "language", "licence", "speed"], title))?;
    }
    for (engine, rows) in &found {
        for row in rows {
            let heard = hear(engine, row, &context, folder.as_deref()).await?;
            failed |= heard.error.is_some();
            show(&heard, json)?;
        }
    }
    if !json {
        print::line(&format!("\n{SPEED}"))?;
    }
    Ok(ExitCode::from(u8::from(failed)))
}

/// Keeps the voices that were asked for: by name, or those of the languages that matter here.
fn choose(
    config: &Config,
    found: &mut [(VoiceEngine, Vec<VoiceRow>)],
    names: &[String],
    all: bool,
) {
    for name in names {
        let mut rows = found.iter().flat_map(|(_, rows)| rows);
        if !rows.any(|row| row.name.eq_ignore_ascii_case(name)) {
            let rows = found.iter().flat_map(|(_, rows)| rows);
            let names: Vec<&str> = rows.map(|row| row.name.as_str()).collect();
            wrong_usage(&unknown(name, &names));
        }
    }
    let agents = agents_in_use(config).into_iter();
    let mut spoken: Vec<LanguageCode> =
        agents.flat_map(|index| languages_of(config, index)).collect();
    spoken.extend(WRITTEN_OUT.map(LanguageCode::from));
    for (engine, rows) in found {
        rows.retain(|row| match names {
            [] => all || !engine.has_many() || spoken.iter().any(|own| own.is(&row.language)),
            names => names.iter().any(|name| name.eq_ignore_ascii_case(&row.name)),
        });
    }
}

/// Says that no voice is called so, and what may be meant.
fn unknown(name: &str, names: &[&str]) -> String {
    let what = format!("no voice \"{name}\" is here");
    match (voices::named(name), voices::unlisted_named(name), manifest::closest(name, names)) {
        (Some(voice), ..) => format!("{what}: `hark models pull {}` gets it", voice.name),
        (None, Some(unlisted), _) => {
            format!("{what}, and hark does not offer it: {}", unlisted.why)
        }
        (None, None, Some(near)) => format!("{what}; did you mean `{near}`?"),
        (None, None, None) => match voices::nearest(name) {
            Some(near) => format!("{what}; `hark models pull {}` gets one like it", near.name),
            None => format!("{what}: `hark voices --all` shows those that are"),
        },
    }
}

/// Has a voice say the sentence: into a file of `folder`, or for its speed.
async fn hear<'a>(
    engine: &VoiceEngine,
    row: &'a VoiceRow,
    context: &Context,
    folder: Option<&Path>,
) -> anyhow::Result<HeardVoice<'a>> {
    let mut heard = HeardVoice { voice: row, speed: None, file: None, error: None };
    match trial::of(engine, row, &context.places).await {
        Ok(trial) => {
            heard.speed = Some(trial.speed);
            if let Some(folder) = folder {
                let name = format!("{}-{}.ogg", row.engine, row.name.replace('/', "-"));
                let path = folder.join(name);
                print::write_note(&path, &trial.note()?)?;
                heard.file = Some(path.display().to_string());
            }
        }
        Err(problem) => heard.error = Some(problem),
    }
    Ok(heard)
}

fn show(heard: &HeardVoice<'_>, json: bool) -> anyhow::Result<()> {
    if json {
        return print::json(heard);
    }
    let VoiceRow { engine, name, language, licence, place } = heard.voice;
    let speed = heard.speed.map_or_else(|| "-".to_owned(), |speed| format!("{speed:.3}"));
    let end = match (&heard.error, &heard.file) {
        (Some(error), _) => format!("{place}: {error}"),
        (None, Some(file)) => file.clone(),
        (None, None) => place.clone(),
    };
    print::line(&line([engine, name, language.as_str(), licence, &speed], &end))
}

fn line(columns: [&str; 5], end: &str) -> String {
    let [engine, voice, language, licence, speed] = columns;
    format!("{engine:<6}  {voice:<19}  {language:<15}  {licence:<17}  {speed:>6}  {end}")
}
