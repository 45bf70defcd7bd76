//! Measures complete turns as `hark ask` runs them, engines warm: `turn/<engines>/<audio in and
//! out>`.
//!
//! Scripted engines answer at once, so this measures hark's own work: decode, gate, encode. `real`
//! hears with the built-in model and speaks with espeak-ng and includes their time.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hark::app::{EnginePool, Hearing, Places, voice_path};
use hark::audio::{self, AudioLimits, NoteEncoder, Pcm, SampleRate};
use hark::config;
use hark::pipeline::{AgentSetup, Ask, Trace, VoicePath};

/// The longest fixture, 11.3 s of speech.
const LONG: &[u8] = include_bytes!("../audio-fixtures/en_long.ogg");
/// About ten seconds of espeak; thirty words, which are ten seconds of the scripted voice.
const TEN_SECONDS: &str = "We are open from Monday to Friday from nine in the morning until six in \
    the evening. On Saturday we close at two, and on Sunday we are closed all day.";

/// Names what hears and what speaks.
#[derive(Clone, Copy)]
struct Ends {
    name: &'static str,
    stt: &'static str,
    tts: &'static str,
    /// Pause between turns, in which the next voice has time to start.
    pause: Duration,
}

const SCRIPTED: Ends =
    Ends { name: "scripted", stt: "scripted", tts: "scripted", pause: Duration::ZERO };
const REAL: Ends =
    Ends { name: "real", stt: "whisper", tts: "espeak", pause: Duration::from_millis(50) };

fn turns(criterion: &mut Criterion) {
    turn(criterion, SCRIPTED, 5);
    turn(criterion, SCRIPTED, 10);
    if cfg!(feature = "model-micro") {
        turn(criterion, REAL, 5);
        turn(criterion, REAL, 10);
    } else {
        eprintln!("turn/real: not run, the built-in model is not part of this build");
    }
}

fn turn(criterion: &mut Criterion, ends: Ends, seconds: u32) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    let words: Vec<&str> = TEN_SECONDS.split(' ').take(seconds as usize * 3).collect();
    let (path, agent) = runtime.block_on(program(ends, &words.join(" ")));
    let question = bytes::Bytes::from(question(seconds));
    let mut group = criterion.benchmark_group(format!("turn/{}", ends.name));
    group.throughput(Throughput::Elements(seconds.into()));
    group.bench_function(format!("{seconds}s"), |bencher| {
        bencher.to_async(&runtime).iter_custom(|rounds| {
            let (path, agent, question) = (&path, &agent, &question);
            async move {
                let mut spent = Duration::ZERO;
                for _ in 0..rounds {
                    let start = Instant::now();
                    let ask = Ask::Audio(question.clone());
                    let asked = path.ask(agent, ask, 0, &Trace::start()).await;
                    spent += start.elapsed();
                    assert!(asked.expect("the turn ends").note.is_some(), "no voice note");
                    if !ends.pause.is_zero() {
                        tokio::time::sleep(ends.pause).await;
                    }
                }
                spent
            }
        });
    });
    group.finish();
}

/// Builds what the program would build from this configuration, warm.
async fn program(ends: Ends, answer: &str) -> (VoicePath, AgentSetup) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("hark.toml");
    let toml = format!(
        "[stt]\nengine = \"{}\"\n[llm]\nengine = \"scripted\"\ntext = \"{answer}\"\n\
         [tts]\nengine = \"{}\"\n",
        ends.stt, ends.tts
    );
    std::fs::write(&file, toml).expect("it can be written to");
    let config = config::load(Some(&file), &BTreeMap::new()).expect("the file is right");
    let pool = EnginePool::new(Places::default(), Hearing::default());
    let agent = pool.agent(&config, None).await;
    let agent = agent.expect("the engines work; espeak needs espeak-ng: make deps");
    (voice_path(&config).expect("threads start"), agent)
}

/// Makes a voice note of the first seconds of the fixture.
fn question(seconds: u32) -> Vec<u8> {
    let limits = AudioLimits { bytes: 1 << 20, seconds: 60 };
    let speech = audio::decode(LONG, limits).expect("a fixture is decoded");
    let rate = SampleRate(16_000);
    let samples = speech.samples()[..seconds as usize * 16_000].to_vec();
    let mut encoder = NoteEncoder::new(rate).expect("16 kHz is a rate of Opus");
    let mut note = encoder.push(&Pcm { rate, samples }).expect("speech is encoded");
    note.extend(encoder.finish().expect("speech is encoded"));
    note
}

criterion_group!(benches, turns);
criterion_main!(benches);
