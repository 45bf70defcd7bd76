//! Measures speech synthesis: a complete sentence and its first sound, with a waiting child, without
//! one, and of a sentence that was kept.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use futures_util::StreamExt;
use hark::clock::Clock;
use hark::tts::cache::{CacheLimits, SpokenCache};
use hark::tts::espeak::{EspeakSynthesizer, Settings};
use hark::tts::{Sentence, Sound, Synthesizer};
use tokio_util::sync::CancellationToken;

/// Two seconds of speech.
const TEXT: &str = "Hello, how can I help you today?";

fn sentence() -> Sentence {
    Sentence { text: TEXT.to_owned(), language: "en".into(), voice: None }
}

/// Speaks [`TEXT`]; `first_only` returns at the first chunk.
async fn speak(engine: &EspeakSynthesizer, first_only: bool) {
    let mut sound = engine.speak(sentence(), &CancellationToken::new()).await;
    while let Some(chunk) = sound.next().await {
        chunk.expect("espeak-ng speaks");
        if first_only {
            return;
        }
    }
}

fn espeak(c: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    let engine = EspeakSynthesizer::new(Settings::default());
    runtime.block_on(engine.warm_up()).expect("this bench needs espeak-ng: make deps");
    let mut group = c.benchmark_group("speak/espeak");
    for (name, first_only) in [("sentence", false), ("first_audio", true)] {
        // Sentences come one by one in a turn: the next child has time to start, as here.
        group.bench_function(name, |b| {
            b.to_async(&runtime).iter_custom(|rounds| {
                let engine = &engine;
                async move {
                    let mut spent = Duration::ZERO;
                    for _ in 0..rounds {
                        let start = std::time::Instant::now();
                        speak(engine, first_only).await;
                        spent += start.elapsed();
                        tokio::time::sleep(Duration::from_millis(30)).await;
                    }
                    spent
                }
            });
        });
    }
    group.bench_function("sentence_cold", |b| {
        b.to_async(&runtime).iter_custom(|rounds| async move {
            let mut spent = Duration::ZERO;
            for _ in 0..rounds {
                let voice = Some("en-us".to_owned());
                let cold = EspeakSynthesizer::new(Settings { voice, ..Settings::default() });
                let start = std::time::Instant::now();
                speak(&cold, false).await;
                spent += start.elapsed();
            }
            spent
        });
    });
    group.finish();
}

/// Says again what espeak-ng has said: the file is read, checked and handed over as Opus.
fn kept(c: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let limits = CacheLimits { bytes: 10_000_000, entries: 100 };
    let cache = SpokenCache::open(folder.path().to_owned(), limits, Clock::System);
    let cache = cache.expect("a thread starts");
    let voice = cache.before(Arc::new(EspeakSynthesizer::new(Settings::default())), "bench");
    voice.will_say_again(vec![sentence()]);
    runtime.block_on(async {
        tokio::select! {
            () = cache.make_in_advance() => unreachable!("it runs for ever"),
            () = made(folder.path()) => {}
        }
    });
    c.bench_function("speak/kept/sentence", |b| {
        b.to_async(&runtime).iter(|| async {
            let mut sound = voice.speak(sentence(), &CancellationToken::new()).await;
            let first = sound.next().await.expect("there is sound").expect("it is kept");
            assert!(matches!(first, Sound::Opus(_)) && sound.next().await.is_none());
            first
        });
    });
}

/// Waits until a sentence is in the folder.
async fn made(folder: &Path) {
    let whole = |file: std::io::Result<std::fs::DirEntry>| {
        file.expect("the folder can be read").path().extension().is_some_and(|e| e == "sound")
    };
    while !std::fs::read_dir(folder).expect("the folder is there").any(whole) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(Duration::from_secs(5));
    targets = espeak, kept
}
criterion_main!(benches);
