//! `hark ask`: one turn on the real pipeline, no messenger.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use bytes::Bytes;

use super::{Context, fixtures, print};
use crate::app::{Hearing, voice_path};
use crate::clock::Clock;
use crate::pipeline::{Ask, Trace};
use crate::stt::NoteKey;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Audio file; `-` is stdin.
    #[arg(required_unless_present = "text", conflicts_with = "text")]
    file: Option<PathBuf>,
    /// Ask this instead of audio.
    #[arg(long, value_name = "T")]
    text: Option<String>,
    /// Where the voice note goes; `-` is stdout.
    #[arg(short, long, value_name = "FILE", default_value = "reply.ogg")]
    output: PathBuf,
    /// Agent that answers [default: the configured `default_agent`].
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// Print the turn as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(context: Context, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let bytes = arguments.file.as_deref().map(read).transpose().map_err(hint_at_text)?;
    let note = arguments.file.as_deref().zip(bytes.as_ref());
    let known = note.map(|note| known_beside([note])).unwrap_or_default();
    let hearing = Hearing { known, deaf: note.is_none(), ..Hearing::default() };
    let agent = context.agent(arguments.agent.as_deref(), &hearing).await?;
    let path = voice_path(&context.config)?;

    let ask = match bytes {
        Some(bytes) => Ask::Audio(bytes),
        None => Ask::Text(arguments.text.clone().unwrap_or_default()),
    };
    let trace = Trace::start();
    let mut asked = path.ask(&agent, ask, Clock::System.now_ms(), &trace).await?;
    if let (Some(note), Some(audio)) = (&asked.note, &mut asked.report.audio) {
        print::write_note(&arguments.output, note)?;
        audio.path = Some(arguments.output.display().to_string());
    }
    // The turn ends when the file is closed.
    asked.report.end_at(trace.elapsed_ms());
    if arguments.output == Path::new("-") && asked.note.is_some() {
        return Ok(ExitCode::SUCCESS);
    }
    if arguments.json {
        print::json(&asked.report)?;
    } else {
        let heard = asked.report.transcript.as_ref().map(|t| t.text.0.clone()).or(arguments.text);
        print::turn("turn", heard.as_deref(), &asked.report)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Says how words are asked, to whoever wrote them in place of a file.
fn hint_at_text(error: anyhow::Error) -> anyhow::Error {
    let missing = error.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
    match missing {
        // Many words are too long for a file's name.
        Some(ErrorKind::NotFound | ErrorKind::InvalidFilename) => {
            anyhow!("{error:#}; to ask in words: hark ask --text \"when do you open\"")
        }
        _ => error,
    }
}

/// Reads a file, or stdin for `-`.
pub(super) fn read(file: &Path) -> anyhow::Result<Bytes> {
    let bytes = if file == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut bytes).map(|_| bytes)
    } else {
        std::fs::read(file)
    };
    Ok(bytes.with_context(|| file.display().to_string())?.into())
}

/// Returns what the scripted transcriber says of these files: the `.txt` beside each, or a
/// fixture's.
pub(super) fn known_beside<'a>(
    files: impl IntoIterator<Item = (&'a Path, &'a Bytes)>,
) -> HashMap<NoteKey, String> {
    let mut known = fixtures::known();
    for (file, bytes) in files {
        if let Ok(text) = std::fs::read_to_string(file.with_extension("txt")) {
            known.insert(NoteKey::from_note(bytes), text);
        }
    }
    known
}
