//! `hark transcribe`: speech recognition only, one line a file.

use std::path::PathBuf;
use std::process::ExitCode;

use bytes::Bytes;
use serde::Serialize;

use super::{Context, ask, print};
use crate::app::{Hearing, Unheard, voice_path};
use crate::config::ConfigError;
use crate::pipeline::{AgentSetup, Trace, Transcribed};
use crate::turn::{LanguageCode, Segment, Stage, Transcript};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Audio files; `-` is stdin.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Name or path of a whisper model [default: [stt] model].
    #[arg(long, value_name = "M")]
    model: Option<String>,
    /// Language spoken, e.g. `en` [default: the agent's, else detected].
    #[arg(long, value_name = "L")]
    language: Option<LanguageCode>,
    /// Print JSON lines.
    #[arg(long)]
    json: bool,
}

/// Holds what is printed of one file.
#[derive(Serialize)]
struct TranscriptLine {
    file: String,
    text: Option<String>,
    language: Option<LanguageCode>,
    segments: Vec<Segment>,
    audio_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unheard_bytes: Option<u64>,
    stt_ms: f64,
    error: Option<String>,
}

pub(super) async fn run(context: Context, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let files: Vec<(anyhow::Result<Bytes>, PathBuf)> =
        arguments.files.into_iter().map(|file| (ask::read(&file), file)).collect();
    let readable = files.iter().filter_map(|(b, file)| Some((file.as_path(), b.as_ref().ok()?)));
    let hearing = Hearing { known: ask::known_beside(readable), mute: true, ..Hearing::default() };
    let agent = match arguments.model {
        Some(model) => with_model(&context, &hearing, model).await?,
        None => context.agent(None, &hearing).await?,
    };
    let language = arguments.language;
    if let Some(unheard) = Unheard::find(agent.transcriber.as_ref(), language.as_slice()) {
        let (origin, key) = ("--language".to_owned(), "stt.language".to_owned());
        let problem = format!("it is {}", unheard.problem);
        return Err(ConfigError { origin, key, problem }.into());
    }
    let path = voice_path(&context.config)?;

    let mut failed = false;
    for (bytes, file) in files {
        let trace = Trace::start();
        let transcribed = match bytes {
            Ok(bytes) => path.transcribe(&agent, bytes, language.clone(), &trace).await,
            Err(error) => Transcribed { heard: Err(format!("{error:#}")), audio_ms: None },
        };
        failed |= transcribed.heard.is_err();
        let stt_ms = trace.sum_ms(Stage::Stt);
        show(TranscriptLine::new(file.display().to_string(), transcribed, stt_ms), arguments.json)?;
    }
    Ok(ExitCode::from(u8::from(failed)))
}

/// Sets the default agent up with this model: what is asked for beats what the agent prefers.
async fn with_model(
    context: &Context,
    hearing: &Hearing,
    model: String,
) -> anyhow::Result<AgentSetup> {
    let whisper = [("engine", "whisper".into()), ("model", model.into())];
    let stt = context.config.stt.with(whisper);
    let agent = context.agent_with(None, hearing, |engines| engines.stt = stt).await;
    agent.map_err(|error| match error.downcast::<ConfigError>() {
        Ok(error) if error.key == "stt.model" => {
            ConfigError { origin: "--model".to_owned(), ..error }.into()
        }
        Ok(error) => error.into(),
        Err(error) => error,
    })
}

impl TranscriptLine {
    fn new(file: String, Transcribed { heard, audio_ms }: Transcribed, stt_ms: f64) -> Self {
        let (heard, error) = match heard {
            Ok(heard) => (heard, None),
            Err(error) => (Transcript::default(), Some(error)),
        };
        Self {
            file,
            text: error.is_none().then_some(heard.text.0),
            language: Some(heard.language).filter(|language| !language.is_unknown()),
            segments: heard.segments,
            audio_ms,
            unheard_bytes: Some(heard.unheard_bytes).filter(|bytes| *bytes > 0),
            stt_ms,
            error,
        }
    }
}

fn show(line: TranscriptLine, json: bool) -> anyhow::Result<()> {
    if json {
        return print::json(&line);
    }
    let TranscriptLine { file, text, stt_ms, error, unheard_bytes, .. } = line;
    let result = error.unwrap_or_else(|| {
        let text = text.filter(|text| !text.is_empty()).unwrap_or_else(|| "(no words)".into());
        format!("{text}  [{stt_ms:.0} ms]")
    });
    let unheard = unheard_bytes
        .map_or_else(String::new, |bytes| format!("  ({bytes} bytes of it could not be heard)"));
    print::line(&format!("{file}: {result}{unheard}"))
}
