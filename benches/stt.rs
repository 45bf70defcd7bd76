//! Speech to text: `transcribe/<model>/<audio>`, on whisper.cpp's models without weights.
//!
//! They run at nearly full cost and hear nothing, so the input is silence. They are not part of the
//! repository: without `HARK_CORPUS` nothing is measured.

use std::path::{Path, PathBuf};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hark::audio::Speech;
use hark::stt::models::ModelSource;
use hark::stt::models::manifest::RunStyle;
use hark::stt::whisper::{WhisperSettings, WhisperTranscriber};
use hark::stt::{Transcriber, Utterance};
use tokio_util::sync::CancellationToken;

fn transcribe(criterion: &mut Criterion) {
    #[expect(clippy::disallowed_methods, reason = "a bench has no configuration")]
    let Ok(corpus) = std::env::var("HARK_CORPUS") else {
        eprintln!("transcribe: not run, HARK_CORPUS is not set");
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime starts");
    for (model, file) in [("whisper-tiny", "tiny"), ("whisper-base", "base")] {
        let path = Path::new(&corpus).join(format!("whisper/for-tests-ggml-{file}.bin"));
        for cut_audio_ctx in [false, true] {
            let stt = load(path.clone(), cut_audio_ctx);
            runtime.block_on(stt.warm_up()).expect("the model runs");
            let group = if cut_audio_ctx { format!("{model}-cut") } else { model.to_owned() };
            let mut group = criterion.benchmark_group(format!("transcribe/{group}"));
            group.sample_size(10);
            for seconds in [5_u32, 30] {
                group.throughput(Throughput::Elements(seconds.into()));
                let speech = Speech::silence(seconds as usize * 16_000);
                let id = BenchmarkId::from_parameter(format!("{seconds}s"));
                group.bench_with_input(id, &speech, |bencher, speech| {
                    bencher.to_async(&runtime).iter(|| hear(&stt, speech));
                });
            }
            group.finish();
        }
    }
}

fn load(path: PathBuf, cut_audio_ctx: bool) -> WhisperTranscriber {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    WhisperTranscriber::load(WhisperSettings {
        model: ModelSource::Path(path),
        threads,
        states: 1,
        gpu: false,
        default_language: Some("en".into()),
        run: RunStyle { cut_audio_ctx, ..RunStyle::default() },
    })
    .expect("the corpus has this model")
}

async fn hear(stt: &WhisperTranscriber, speech: &Speech) {
    let utterance = Utterance {
        speech: speech.clone(),
        offset_ms: 0.0,
        language: None,
        note: None,
        first: true,
    };
    let heard = stt.transcribe(utterance, &CancellationToken::new()).await;
    std::hint::black_box(heard).expect("silence is transcribed");
}

criterion_group!(benches, transcribe);
criterion_main!(benches);
