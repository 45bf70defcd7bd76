//! Measures speech to text: `transcribe/<model>/<audio>`, and `transcribe/<model>-cut/<audio>` with
//! the encoder's window cut to the audio.
//!
//! The built-in model hears real speech. whisper.cpp's models without weights run at nearly full
//! cost and hear nothing, so their input is silence; they are not part of the repository and are
//! measured only if `HARK_CORPUS` names their folder.

use std::path::Path;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hark::audio::Speech;
use hark::stt::whisper::{CutAudioCtx, Settings, WhisperTranscriber};
use hark::stt::{LanguageHint, SttDeps, Transcriber, Utterance};
use tokio_util::sync::CancellationToken;

#[cfg(feature = "model-micro")]
fn built_in(criterion: &mut Criterion) {
    use hark::audio::{AudioLimits, NoteEncoder, Pcm, SampleRate, decode};
    use hark::models::built_in;

    let decode = |note: &[u8]| {
        decode(note, AudioLimits { bytes: 1 << 20, seconds: 60 }).expect("a note is decoded")
    };
    let long = decode(include_bytes!("../audio-fixtures/en_long.ogg"));
    // Only decoding makes `Speech`.
    let beginning = |seconds: usize| {
        let pcm =
            Pcm { rate: SampleRate::SPEECH, samples: long.samples()[..seconds * 16_000].to_vec() };
        let mut encoder = NoteEncoder::new(pcm.rate).expect("16 kHz is a rate of Opus");
        let mut note = encoder.push(&pcm).expect("speech is encoded");
        note.extend(encoder.finish().expect("speech is encoded"));
        decode(&note)
    };
    measure(criterion, "hark-micro", built_in::NAME, &[1, 5, 10], beginning);
}

#[cfg(not(feature = "model-micro"))]
fn built_in(_: &mut Criterion) {
    eprintln!("transcribe/hark-micro: not run, it is not part of this build");
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
        let stt = load(model, cut_audio_ctx);
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

fn load(model: &str, cut_audio_ctx: CutAudioCtx) -> WhisperTranscriber {
    let settings = Settings { cut_audio_ctx, ..Settings::of(model) };
    let loaded = WhisperTranscriber::load(&settings, None, &SttDeps::default());
    loaded.expect("the model is there and loads")
}

async fn hear(stt: &WhisperTranscriber, speech: &Speech) {
    let utterance = Utterance {
        speech: speech.clone(),
        offset_ms: 0.0,
        language: LanguageHint::Known("en".into()),
        note: None,
        first: true,
    };
    let heard = stt.transcribe(utterance, &CancellationToken::new()).await;
    std::hint::black_box(heard).expect("it is transcribed");
}

criterion_group!(benches, built_in, without_weights);
criterion_main!(benches);
