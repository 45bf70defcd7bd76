//! Measures speech synthesis: a complete sentence and its first sound, with a waiting child and
//! without.

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use futures_util::StreamExt;
use hark::tts::espeak::{EspeakSynthesizer, Settings};
use hark::tts::{Sentence, Synthesizer};
use tokio_util::sync::CancellationToken;

/// Two seconds of speech.
const TEXT: &str = "Hello, how can I help you today?";

/// Speaks [`TEXT`]; `first_only` returns at the first chunk.
async fn speak(engine: &EspeakSynthesizer, first_only: bool) {
    let sentence = Sentence { text: TEXT.to_owned(), language: "en".into(), voice: None };
    let mut sound = engine.speak(sentence, &CancellationToken::new()).await;
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

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(Duration::from_secs(5));
    targets = espeak
}
criterion_main!(benches);
