//! Lets one person send forty notes of ten minutes while four others talk, and reports how long
//! these wait for their answers: alone, then beside the hoarder.
//!
//! The whole service and the simulator in one process, over real HTTP. Two of the four write, two
//! speak for five seconds; each waits for its answer and a moment before the next message. Engines
//! are real but for the agent, which says one sentence.

#![expect(clippy::print_stdout, reason = "a program whose result is on stdout")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::Bytes;
use clap::Parser;
use hark::app::{App, EnginePool, Hearing, Places};
use hark::audio::{AudioLimits, NoteEncoder, Pcm, SampleRate, decode};
use hark::clock::Clock;
use hark::config;
use hark::lifecycle::Shutdown;
use hark::remote::http_client;
use hark::simulator::{Simulator, SimulatorSettings};
use tokio::net::TcpListener;

const NUMBER: &str = "100000000000001";
const SECRET: &str = "hoarder-app-secret";
const TOKEN: &str = "hoarder-access-token";
const HOARDER: &str = "15550009999";
const NOTE: &str = "audio/ogg; codecs=opus";

/// What the hoarder says, over and over, and what the others say.
const LONG: &[u8] = include_bytes!("../audio-fixtures/en_long.ogg");
const SHORT: &[u8] = include_bytes!("../audio-fixtures/en_number.ogg");

/// An answer that takes longer is counted as this long.
const PATIENCE: Duration = Duration::from_mins(2);

/// Measures what people wait beside one who sends forty long notes.
#[derive(Parser)]
struct Arguments {
    /// Model to hear with.
    #[arg(long, default_value = "hark-micro-en")]
    model: String,
    /// Another key of `[stt]`, e.g. `states = 2`.
    #[arg(long, value_name = "KEY = VALUE")]
    stt: Vec<String>,
    /// The long note; one of the fixtures is repeated for ten minutes unless given.
    #[arg(long)]
    long: Option<PathBuf>,
    /// The short note.
    #[arg(long)]
    short: Option<PathBuf>,
    /// Notes that the hoarder sends.
    #[arg(long, default_value_t = 40)]
    notes: usize,
    /// Seconds of each of the two phases.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Pause between an answer and the next message.
    #[arg(long, default_value_t = 2.0)]
    pause: f64,
}

/// What the others waited, in seconds.
#[derive(Default)]
struct Waits {
    text: Vec<f64>,
    voice: Vec<f64>,
    /// Answers that were no voice notes.
    others: usize,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let read = |path: &Path| std::fs::read(path).with_context(|| path.display().to_string());
    let long = arguments.long.as_deref().map_or_else(ten_minutes, read)?;
    let short = arguments.short.as_deref().map_or_else(|| Ok(SHORT.to_vec()), read)?;
    let folder = tempfile::tempdir()?;
    let (simulator, shutdown) = serve(&arguments, folder.path()).await?;

    let alone = talk(&simulator, &short, &arguments).await?;
    println!("alone      {}", alone.line());
    for _ in 0..arguments.notes {
        simulator.send_audio(HOARDER, long.clone().into(), NOTE).await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let beside = talk(&simulator, &short, &arguments).await?;
    println!("beside     {}", beside.line());
    println!(
        "times      text {:.2}, voice {:.2} (medians)",
        median(&beside.text) / median(&alone.text),
        median(&beside.voice) / median(&alone.voice)
    );
    shutdown.stop.cancel();
    shutdown.abort.cancel();
    Ok(())
}

/// Starts the service and the simulator.
async fn serve(arguments: &Arguments, folder: &Path) -> anyhow::Result<(Simulator, Shutdown)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let simulator_listener = TcpListener::bind("127.0.0.1:0").await?;
    let (address, api) = (listener.local_addr()?, simulator_listener.local_addr()?);
    let file = folder.join("hark.toml");
    let toml = format!(
        "[stt]\nmodel = \"{}\"\n{}\n[llm]\nengine = \"scripted\"\n\
         text = \"We are open from nine to six. On Saturday we close at two.\"\n\
         [webhook]\nverify_token = \"v\"\n[[numbers]]\nphone_number_id = \"{NUMBER}\"\n\
         provider = \"simulator\"\naccess_token = \"{TOKEN}\"\napp_secret = \"{SECRET}\"\n\
         api_url = \"http://{api}\"\n\
         [queue]\nburst_ms = 0\n[store]\nurl = \"{}\"\n",
        arguments.model,
        arguments.stt.join("\n"),
        folder.join("hark.db").display(),
    );
    std::fs::write(&file, toml)?;
    let config = config::load(Some(&file), &BTreeMap::new())?;
    let places = Places::from(&std::env::vars().collect());
    let pool = EnginePool::new(places, Hearing::default());
    let app = App::build(&config, pool, Clock::System).await?;
    let settings = SimulatorSettings {
        webhook: format!("http://{address}/webhook").parse()?,
        app_secret: SECRET.into(),
        door: hark::simulator::Door::Meta,
        phone_number_id: NUMBER.into(),
        access_token: Some(TOKEN.into()),
        public_url: None,
        id_seed: Clock::System.now_ms().to_string(),
        clock: Clock::System,
    };
    let (simulator, shutdown) = (Simulator::new(settings, http_client()), Shutdown::default());
    tokio::spawn(simulator.clone().serve(simulator_listener, shutdown.stop.clone()));
    tokio::spawn(app.run(listener, None, shutdown.clone()));
    Ok((simulator, shutdown))
}

/// Lets two people write and two speak for a while.
async fn talk(simulator: &Simulator, short: &[u8], arguments: &Arguments) -> anyhow::Result<Waits> {
    let until = Instant::now() + Duration::from_secs(arguments.seconds);
    let pause = Duration::from_secs_f64(arguments.pause);
    let mut people = Vec::new();
    for person in 0..4_u32 {
        let (simulator, note) = (simulator.clone(), Bytes::copy_from_slice(short));
        people.push(tokio::spawn(async move {
            let (mut waits, mut others) = (Vec::new(), 0);
            tokio::time::sleep(pause * person / 4).await;
            while Instant::now() < until {
                let (from, asked) = (format!("1555000100{person}"), Instant::now());
                let message = match person % 2 {
                    0 => simulator.send_text(&from, "When do you open on Saturday?").await,
                    _ => simulator.send_audio(&from, note.clone(), NOTE).await,
                };
                let answer = simulator.wait_for_reply(&message, PATIENCE).await;
                waits.push(asked.elapsed().as_secs_f64());
                others += usize::from(answer.is_none_or(|answer| answer.kind != "audio"));
                tokio::time::sleep(pause).await;
            }
            (person, waits, others)
        }));
    }
    let mut all = Waits::default();
    for person in people {
        let (person, waits, others) = person.await?;
        if person % 2 == 0 { &mut all.text } else { &mut all.voice }.extend(waits);
        all.others += others;
    }
    Ok(all)
}

impl Waits {
    fn line(&self) -> String {
        let of = |waits: &[f64]| {
            let worst = waits.iter().copied().fold(0.0, f64::max);
            format!("median {:.2} s, worst {worst:.2} s of {}", median(waits), waits.len())
        };
        let (text, voice) = (of(&self.text), of(&self.voice));
        format!("text {text}; voice {voice}; {} no voice notes", self.others)
    }
}

fn median(waits: &[f64]) -> f64 {
    let mut waits = waits.to_vec();
    waits.sort_by(f64::total_cmp);
    waits.get(waits.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Repeats a fixture, with pauses, until ten minutes are nearly full.
fn ten_minutes() -> anyhow::Result<Vec<u8>> {
    let rate = SampleRate(16_000);
    let speech = decode(LONG, AudioLimits::default())?;
    let mut encoder = NoteEncoder::new(rate)?;
    let (mut note, mut samples) = (Vec::new(), 0);
    let pause = vec![0.0; 16_000];
    while samples + speech.samples().len() + pause.len() < 599 * 16_000 {
        for piece in [speech.samples(), &pause] {
            samples += piece.len();
            note.extend(encoder.push(&Pcm { rate, samples: piece.to_vec() })?);
        }
    }
    note.extend(encoder.finish()?);
    Ok(note)
}
