//! `hark say`: synthesis and voice-note encoding only, or just the words that would be spoken.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};

use super::{Context, print};
use crate::app::{Hearing, voice_path};
use crate::config::Config;
use crate::pipeline::{MAX_CHARS, Trace, said_of, spoken_in};
use crate::registry::{Languages, Voices};
use crate::speech_text::{sentences_of, worded};
use crate::turn::LanguageCode;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// What to say.
    text: String,
    /// Where the voice note goes; `-` is stdout.
    #[arg(short, long, value_name = "FILE", default_value = "reply.ogg")]
    output: PathBuf,
    /// The engine's voice [default: the default agent's].
    #[arg(long, value_name = "V")]
    voice: Option<String>,
    /// The text's language, such as `es-MX` [default: found as an answer's is].
    #[arg(long, value_name = "L")]
    language: Option<LanguageCode>,
    /// Print what would be spoken, and which rule said what was changed; no engine is needed.
    #[arg(long, conflicts_with_all = ["output", "voice"])]
    print: bool,
    /// Print the note's facts, or each sentence, as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(context: Context, arguments: Arguments) -> anyhow::Result<ExitCode> {
    if arguments.print {
        return print_words(&context.config_with(None).await?, &arguments);
    }
    let hearing = Hearing { deaf: true, ..Hearing::default() };
    let mut agent = context.agent(None, &hearing).await?;
    if let Some(language) = arguments.language {
        agent.languages = Languages::Fixed(language);
    }
    if let Some(voice) = arguments.voice {
        // Whatever language that voice has: it was asked for.
        let language = agent.languages.of_text(&arguments.text, None);
        agent.voice = Voices::ByLanguage([(language, voice)].into());
    }
    // Else the voice would speak five minutes of it first.
    let language = agent.languages.of_text(&arguments.text, None);
    let said = said_of(&arguments.text, &language, &agent.voice);
    let chars: usize = said.iter().map(|sentence| sentence.text.chars().count()).sum();
    ensure!(
        chars <= MAX_CHARS,
        "the text is too long for a voice note: {chars} characters are to be said, and its five \
         minutes hold {MAX_CHARS}; say it in several notes"
    );
    let path = voice_path(&context.config)?;
    let spoken = path.speak(&agent, &arguments.text, &Trace::start()).await?;
    let Some((note, mut info)) = spoken else {
        bail!("there is nothing to say in the text");
    };
    print::write_note(&arguments.output, &note)?;
    if arguments.output == Path::new("-") {
        return Ok(ExitCode::SUCCESS);
    }
    info.path = Some(arguments.output.display().to_string());
    if arguments.json {
        print::json(&info)?;
    } else {
        print::line(&format!(
            "{}: {} bytes, {:.2} s",
            arguments.output.display(),
            info.bytes,
            info.duration_ms / 1000.0
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Holds one sentence of `hark say --print --json`.
#[derive(serde::Serialize)]
struct Worded<'a> {
    written: &'a str,
    spoken: &'a str,
    language: &'a LanguageCode,
    changes: Vec<WordedChange<'a>>,
}

#[derive(serde::Serialize)]
struct WordedChange<'a> {
    rule: &'a str,
    written: &'a str,
    spoken: &'a str,
}

/// Prints what would be spoken, a line a sentence, and below it what each rule changed.
fn print_words(config: &Config, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let mut known = match &arguments.language {
        Some(language) => language.clone(),
        None => languages(config)?.of_text(&arguments.text, None),
    };
    for written in &sentences_of(&arguments.text) {
        let language = spoken_in(&mut known, written);
        let wording = worded(written, &language);
        let changes = wording.changes.iter();
        let changes = changes.map(|change| WordedChange {
            rule: change.rule,
            written: &change.written,
            spoken: &change.said,
        });
        let worded = Worded {
            written,
            spoken: &wording.text,
            language: &language,
            changes: changes.collect(),
        };
        if arguments.json {
            print::json(&worded)?;
            continue;
        }
        print::line(worded.spoken)?;
        for WordedChange { rule, written, spoken } in &worded.changes {
            print::line(&format!("  {rule}: {written:?} -> {spoken:?}"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the default agent's languages.
fn languages(config: &Config) -> anyhow::Result<Languages> {
    let name = &config.default_agent;
    let index = config.agents.iter().position(|agent| agent.name == *name);
    let index = index.with_context(|| format!("there is no agent \"{name}\""))?;
    let heard = config.engines(index)?.stt.text("language").map(LanguageCode::from);
    Ok(config.agents[index].languages(heard.as_ref()))
}
