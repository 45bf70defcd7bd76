//! Has voices say sentences and whisper hear them, and reports how well they are understood, how long
//! they take and what they cost, as a table.
//!
//! Each sentence becomes a voice note, as a person gets it; words are compared as they are spoken, so
//! that "25" is "twenty-five". Nothing else runs in the process while a voice speaks.

#![expect(clippy::print_stdout, reason = "a program whose result is on stdout")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Parser;
use futures_util::StreamExt as _;
use hark::app::{EnginePool, Hearing, Places};
use hark::audio::{AudioLimits, NoteEncoder, Speech, decode};
use hark::config;
use hark::engine::EngineSpec;
use hark::registry::Voice;
use hark::speech_text::spoken;
use hark::stt::wer::{self, WordErrors};
use hark::stt::{LanguageHint, Utterance};
use hark::tts::{Sentence, Sound};
use hark::turn::LanguageCode;
use rustix::time::{ClockId, clock_gettime};
use tokio_util::sync::CancellationToken;

/// Measures voices.
#[derive(Parser)]
struct Arguments {
    /// An engine, or one of its voices: `neural`, `neural:heart`, `espeak:en-us`.
    #[arg(long = "voice", required = true)]
    voices: Vec<String>,
    /// A file with a sentence a line.
    #[arg(long = "text", required = true)]
    texts: Vec<PathBuf>,
    /// The language of the sentences.
    #[arg(long, default_value = "en")]
    language: String,
    /// Says every n-th sentence and no other.
    #[arg(long, default_value_t = 1)]
    every: usize,
    /// The model that hears; "none" measures the voices alone.
    #[arg(long, default_value = "base")]
    model: String,
    /// Keeps the notes in this folder.
    #[arg(long)]
    keep: Option<PathBuf>,
    /// Prints each sentence of which words were heard otherwise.
    #[arg(long)]
    show: bool,
}

/// Holds what a voice said.
#[derive(Default)]
struct Said {
    notes: Vec<Vec<u8>>,
    sound_s: f64,
    cpu_s: f64,
    first_ms: Vec<f64>,
    peak_mb: f64,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let config = config::load(None, &BTreeMap::new())?;
    let pool = EnginePool::new(Places::from(&std::env::vars().collect()), Hearing::default());
    let specs = config.engines(0)?;
    let language = LanguageCode::from(arguments.language.as_str());
    let mut said = Vec::new();
    for voice in &arguments.voices {
        for file in &arguments.texts {
            let read = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
            let lines: Vec<String> =
                read.lines().step_by(arguments.every).map(str::to_owned).collect();
            let heard = speak(&pool, &specs.tts, voice, &language, &lines).await?;
            said.push((voice, file, lines, heard));
        }
    }
    println!(
        "| voice | sentences | CPU s a second of sound | first sound, median ms | memory more, MB | \
         words wrong, of 100 | sentences with one |\n|---|---|--:|--:|--:|--:|--:|"
    );
    let stt = specs.stt.with([("model", arguments.model.clone().into())]);
    for (voice, file, lines, Said { notes, sound_s, cpu_s, mut first_ms, peak_mb }) in said {
        first_ms.sort_by(f64::total_cmp);
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        let (mut wrong, mut with_one) = (WordErrors::default(), 0);
        for (at, (line, note)) in lines.iter().zip(&notes).enumerate() {
            if let Some(folder) = &arguments.keep {
                std::fs::create_dir_all(folder)?;
                let voice = voice.replace(':', "-");
                std::fs::write(folder.join(format!("{voice}-{name}-{at}.ogg")), note)?;
            }
            if arguments.model != "none" {
                let heard = hear(&pool, &stt, note, &language).await?;
                let errors = wer::word_errors(&spoken(line, &language), &spoken(&heard, &language));
                with_one += usize::from(errors.errors > 0);
                wrong += errors;
                if arguments.show && errors.errors > 0 {
                    println!("<!-- {} of {}: {line} | {heard} -->", errors.errors, errors.words);
                }
            }
        }
        println!(
            "| {voice} | {name}, {} | {:.3} | {:.0} | {peak_mb:.0} | {:.2} | {with_one} |",
            lines.len(),
            cpu_s / sound_s,
            first_ms.get(first_ms.len() / 2).copied().unwrap_or_default(),
            100.0 * wrong.rate(),
        );
    }
    Ok(())
}

/// Has a voice say all lines, each as a note of its own.
async fn speak(
    pool: &EnginePool,
    spec: &EngineSpec,
    voice: &str,
    language: &LanguageCode,
    lines: &[String],
) -> anyhow::Result<Said> {
    let (engine, name) = voice.split_once(':').map_or((voice, None), |(e, v)| (e, Some(v)));
    let voice = name.map(|name| Voice::Fixed(name.to_owned()));
    let before_mb = memory_mb("VmRSS:");
    let spec = spec.with([("engine", engine.into())]);
    let synthesizer = pool.synthesizer(&spec, &[(language.clone(), voice.clone())]).await?;
    let mut said = Said::default();
    for line in lines {
        let text = spoken(line, language);
        let sentence = Sentence { text, language: language.clone(), voice: voice.clone() };
        let (began, cpu) = (Instant::now(), cpu_s());
        let mut first = None;
        let mut sound = synthesizer.speak(sentence, &CancellationToken::new()).await;
        let mut pieces = Vec::new();
        while let Some(piece) = sound.next().await {
            first.get_or_insert(began.elapsed());
            pieces.push(piece?);
        }
        said.cpu_s += cpu_s() - cpu;
        said.first_ms.push(first.unwrap_or(Duration::ZERO).as_secs_f64() * 1000.0);
        let (mut encoder, mut note) = (None, Vec::new());
        for piece in pieces {
            let Sound::Pcm(pcm) = piece else { anyhow::bail!("{engine} makes Opus, and not PCM") };
            said.sound_s += pcm.duration_ms() / 1000.0;
            if encoder.is_none() {
                encoder = Some(NoteEncoder::new(pcm.rate)?);
            }
            note.extend(encoder.as_mut().expect("it was made above").push(&pcm)?);
        }
        note.extend(encoder.map_or(Ok(Vec::new()), NoteEncoder::finish)?);
        said.notes.push(note);
    }
    said.peak_mb = (memory_mb("VmHWM:") - before_mb).max(0.0);
    Ok(said)
}

/// Returns the words of a note.
async fn hear(
    pool: &EnginePool,
    spec: &EngineSpec,
    note: &[u8],
    language: &LanguageCode,
) -> anyhow::Result<String> {
    if note.is_empty() {
        return Ok(String::new());
    }
    let speech: Speech = decode(note, AudioLimits::default())?;
    let transcriber = pool.transcriber(spec).await?;
    let utterance = Utterance::alone(speech, LanguageHint::Known(language.clone()));
    let transcript = transcriber.transcribe(utterance, &CancellationToken::new()).await?;
    Ok(transcript.text.0)
}

/// Returns the CPU seconds of this process so far, user and system; of espeak-ng, a child, none are in it.
fn cpu_s() -> f64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    #[expect(clippy::cast_precision_loss, reason = "days at most")]
    let seconds = now.tv_sec as f64 + now.tv_nsec as f64 * 1e-9;
    seconds
}

/// Returns a value of `/proc/self/status` in MB; 0 where there is none.
fn memory_mb(key: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    let kb = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kb.unwrap_or_default() / 1000.0
}
