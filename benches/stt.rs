//! Measures speech to text: `transcribe/<model>/<audio>`, and `transcribe/<model>-cut/<audio>` with
//! the encoder's window cut to the audio. Where a graphics card is found, `card/<model>/<states>`
//! hears as many notes at once as there are states, with each official model that is here.
//!
//! The built-in model hears real speech. whisper.cpp's models without weights run at nearly full
//! cost and hear nothing, so their input is silence; they are not part of the repository and are
//! measured only if `HARK_CORPUS` names their folder.

use std::path::Path;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use futures_util::future::join_all;
use hark::app::Places;
use hark::audio::{AudioLimits, NoteEncoder, Pcm, SampleRate, Speech, decode};
use hark::models::{self, ModelSource};
use hark::stt::whisper::device::graphics_cards;
use hark::stt::whisper::{CutAudioCtx, Settings, WhisperTranscriber};
use hark::stt::{LanguageHint, SttDeps, Transcriber, Utterance};
use tokio_util::sync::CancellationToken;

#[cfg(feature = "model-micro")]
fn built_in(criterion: &mut Criterion) {
    measure(criterion, "hark-micro", hark::models::built_in::NAME, &[1, 5, 10], spoken);
}

#[cfg(not(feature = "model-micro"))]
fn built_in(_: &mut Criterion) {
    eprintln!("transcribe/hark-micro: not run, it is not part of this build");
}

/// The first `seconds` of a fixture.
fn spoken(seconds: usize) -> Speech {
    let limits = AudioLimits { bytes: 1 << 20, seconds: 60 };
    let long = decode(include_bytes!("../audio-fixtures/en_long.ogg"), limits);
    let samples = long.expect("a note is decoded").samples()[..seconds * 16_000].to_vec();
    // Only decoding makes `Speech`.
    let pcm = Pcm { rate: SampleRate::SPEECH, samples };
    let mut encoder = NoteEncoder::new(pcm.rate).expect("16 kHz is a rate of Opus");
    let mut note = encoder.push(&pcm).expect("speech is encoded");
    note.extend(encoder.finish().expect("speech is encoded"));
    decode(&note, limits).expect("a note is decoded")
}

fn without_weights(criterion: &mut Criterion) {
    #[expect(clippy::disallowed_methods, reason = "a bench has no configuration")]
    let Ok(corpus) = std::env::var("HARK_CORPUS") else {
        eprintln!("transcribe/whisper-*: not run, HARK_CORPUS is not set");
        return;
    };
    for (model, file) in [("whisper-tiny", "tiny"), ("whisper-base", "base")] {
        let path = Path::new(&corpus).join(format!("whisper/for-tests-ggml-{file}.bin"));
        let silence = |seconds| Speech::silence(seconds * 16_000);
        measure(criterion, model, &path.display().to_string(), &[5, 30], silence);
    }
}

/// Measures `model` on each of these `seconds` of `audio`, in the full window and in the cut one.
fn measure(
    criterion: &mut Criterion,
    name: &str,
    model: &str,
    seconds: &[usize],
    audio: impl Fn(usize) -> Speech,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime starts");
    for (cut_audio_ctx, ending) in [(CutAudioCtx::Whole, ""), (CutAudioCtx::Cut, "-cut")] {
        let stt = load(&Settings { cut_audio_ctx, ..Settings::of(model) });
        runtime.block_on(stt.warm_up()).expect("the model runs");
        let mut group = criterion.benchmark_group(format!("transcribe/{name}{ending}"));
        group.sample_size(10);
        for &seconds in seconds {
            group.throughput(Throughput::Elements(seconds as u64));
            let id = BenchmarkId::from_parameter(format!("{seconds}s"));
            group.bench_with_input(id, &audio(seconds), |bencher, speech| {
                bencher.to_async(&runtime).iter(|| hear(&stt, speech));
            });
        }
        group.finish();
    }
}

/// Measures official models on a graphics card.
fn on_a_card(criterion: &mut Criterion) {
    if graphics_cards().is_empty() {
        eprintln!("card/*: not run, this build knows no graphics card of this machine");
        return;
    }
    let places = Places::from(&std::env::vars().collect());
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime starts");
    let note = spoken(10);
    for model in ["base", "small", "large-v3-turbo"] {
        let (folder, cache) = (places.hark_models.as_deref(), places.cache.as_deref());
        let Ok(ModelSource::Path(path)) = models::find(model, None, folder, cache) else {
            eprintln!("card/{model}: not run, it is not here: hark models pull {model}");
            continue;
        };
        let mut group = criterion.benchmark_group(format!("card/{model}"));
        group.sample_size(10);
        for states in [1, 2, 4, 8, 16] {
            let model = Settings::of(&path.display().to_string());
            let stt = load(&Settings { gpu: true, states: Some(states), ..model });
            runtime.block_on(stt.warm_up()).expect("the model runs");
            group.throughput(Throughput::Elements(states as u64 * 10));
            group.bench_function(BenchmarkId::from_parameter(states), |bencher| {
                bencher
                    .to_async(&runtime)
                    .iter(|| join_all((0..states).map(|_| hear(&stt, &note))));
            });
        }
        group.finish();
    }
}

fn load(settings: &Settings) -> WhisperTranscriber {
    let card = settings.card().expect("the first card is there, if any is");
    let loaded = WhisperTranscriber::load(settings, card, &SttDeps::default());
    loaded.expect("the model is there and loads")
}

async fn hear(stt: &WhisperTranscriber, speech: &Speech) {
    let utterance = Utterance::alone(speech.clone(), LanguageHint::Known("en".into()));
    let heard = stt.transcribe(utterance, &CancellationToken::new()).await;
    std::hint::black_box(heard).expect("it is transcribed");
}

criterion_group!(benches, built_in, without_weights, on_a_card);
criterion_main!(benches);
