//! `hark say`: synthesis and voice-note encoding only.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;

use super::{Context, print};
use crate::app::{Hearing, voice_path};
use crate::pipeline::Trace;
use crate::registry::Voices;

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
    /// Print the note's facts as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(context: Context, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let hearing = Hearing { deaf: true, ..Hearing::default() };
    let mut agent = context.agent(None, &hearing).await?;
    if let Some(voice) = arguments.voice {
        // Whatever language that voice has: it was asked for.
        let language = agent.languages.of_text(&arguments.text, None);
        agent.voice = Voices::ByLanguage([(language, voice)].into());
    }
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
