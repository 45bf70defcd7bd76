//! whisper.cpp's test models, and people's speech to the model that is built in.

use hark::stt::whisper::{Settings, WhisperTranscriber};
use hark::stt::{SttDeps, Transcriber as _};

use super::corpus;
use crate::program::Hark;

const EMPTY: &str = "whisper/for-tests-ggml-tiny.en.bin";
const PAGE: (&str, &str) =
    ("whisper/not-a-model-github-html-page.ggml-tiny.bin", "is a web page (HTML), not a model");
const BROKEN: (&str, &str) =
    ("whisper/for-tests-ggml-whisper-bad-ndims.bin", "dimensions are wrong");

#[test]
fn corpus_models_load_and_broken_ones_are_refused() {
    let Some(corpus) = corpus() else { return };
    let load = |file: &str| {
        let settings = Settings {
            threads: Some(1),
            states: Some(2),
            ..Settings::of(&corpus.join(file).display().to_string())
        };
        WhisperTranscriber::load(&settings, None, &SttDeps::default())
    };
    let model = load(EMPTY).unwrap_or_else(|error| panic!("{error}"));
    assert!(!model.has_weights() && !model.multilingual() && model.knows(&"en".into()));
    for (file, words) in [PAGE, BROKEN] {
        let error = load(file).err().expect("it is refused").to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[cfg(feature = "model-micro")]
#[tokio::test]
async fn corpus_people_are_told_that_the_built_in_model_does_not_hear_them() {
    let Some(corpus) = corpus() else { return };
    let notes = super::audio_files(&corpus, "speech/").into_iter().map(|(file, _)| file);
    let notes = notes.filter(|file| file.contains("/fleurs-") || file.ends_with("/jfk.wav"));
    let (hark, mut told, mut answered) = (Hark::new(), 0, Vec::new());
    for file in notes {
        let path = corpus.join(&file).display().to_string();
        let turn = hark.run(&["ask", "--json", &path]).await.json(0).remove(0);
        if turn["reply"]["text"].as_str().unwrap().contains("hark models pull base") {
            told += 1;
        } else {
            answered.push((file, turn["transcript"]["text"].clone()));
        }
    }
    assert!(told >= 30 && answered.is_empty(), "{told} are told: {answered:?}");
}

#[tokio::test]
async fn corpus_speech_is_transcribed_by_a_model_without_words() {
    let Some(corpus) = corpus() else { return };
    let hark = Hark::new();
    let speech = corpus.join("speech/en/jfk.wav").display().to_string();
    let path = |file: &str| corpus.join(file).display().to_string();
    let ran = hark.run(&["transcribe", "--json", "--model", &path(EMPTY), &speech]).await;
    let line = &ran.json(0)[0];
    assert_eq!((line["text"].as_str(), line["error"].as_str()), (Some(""), None));
    assert!((line["audio_ms"].as_f64().unwrap() - 11_000.0).abs() < 60.0, "{line}");
    for (file, words) in [PAGE, BROKEN] {
        let ran = hark.run(&["transcribe", "--model", &path(file), &speech]).await;
        assert_eq!((ran.code, ran.text()), (64, ""));
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
}
