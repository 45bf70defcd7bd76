//! Forty sounds without a word in them: music, machines, weather, breath. Nothing may be heard in
//! them, by any model.

use std::path::PathBuf;
use std::sync::LazyLock;

use hark::audio::{Segmenter, Speech, SpeechSpan};
use hark::models;
use hark::stt::whisper::{CutAudioCtx, Settings, Vad, WhisperTranscriber};
use hark::stt::{LanguageHint, SttDeps, Transcriber, Utterance};
use hark::turn::{LanguageCode, Transcript};
use tokio_util::sync::CancellationToken;

use super::noises;

/// Sounds of the forty that Silero takes for a voice: a cough and a drill that starts.
const VOICE_LIKE: usize = 2;

/// Loads a model of that name, from `HARK_MODELS` if it is not built in, for one thread.
pub(super) fn load(model: &str, cut_audio_ctx: CutAudioCtx, vad: Vad) -> WhisperTranscriber {
    let settings = Settings { threads: Some(1), cut_audio_ctx, vad, ..Settings::of(model) };
    let deps = SttDeps { hark_models: hark_models(), ..SttDeps::default() };
    let loaded = WhisperTranscriber::load(&settings, None, &deps);
    loaded.unwrap_or_else(|error| panic!("{error}"))
}

fn hark_models() -> Option<PathBuf> {
    std::env::var_os("HARK_MODELS").map(Into::into)
}

/// Returns the forty, which take a second to make.
fn recordings() -> &'static [(String, Speech)] {
    static ALL: LazyLock<Vec<(String, Speech)>> = LazyLock::new(noises::recordings);
    &ALL
}

/// Returns what the detector of every engine lets through.
fn spans(speech: &Speech) -> Vec<SpeechSpan> {
    let mut segmenter = Segmenter::new();
    let mut spans = segmenter.push(speech);
    spans.extend(segmenter.finish());
    spans
}

/// Returns what is heard in each span of a sound, by an agent of five languages.
async fn heard(whisper: &WhisperTranscriber, speech: &Speech) -> Vec<Transcript> {
    let among: Vec<LanguageCode> = ["en", "de", "es", "fr", "pt"].map(Into::into).into();
    let mut all = Vec::new();
    for span in spans(speech) {
        let language = LanguageHint::Guess { likely: None, among: among.clone() };
        let utterance = Utterance::alone(span.speech, language);
        all.push(whisper.transcribe(utterance, &CancellationToken::new()).await.unwrap());
    }
    all
}

/// Returns the sounds in which `whisper` hears words that would be answered.
async fn answered(whisper: &WhisperTranscriber) -> Vec<(String, String)> {
    let mut answered = Vec::new();
    for (name, speech) in recordings() {
        for transcript in heard(whisper, speech).await {
            if transcript.uncertain.is_none() {
                answered.push((name.clone(), transcript.text.0));
            }
        }
    }
    answered
}

#[test]
fn the_recordings_are_forty_and_most_pass_the_first_detector() {
    let recordings = recordings();
    let names: std::collections::BTreeSet<_> = recordings.iter().map(|(name, _)| name).collect();
    assert_eq!((recordings.len(), names.len()), (40, 40));
    let passed = recordings.iter().filter(|(_, speech)| !spans(speech).is_empty()).count();
    assert!((20..30).contains(&passed), "{passed} are heard by what comes next");
}

/// A model without weights hears nothing, so what it says is what the second detector says: one that
/// has heard a voice names a language.
#[cfg(feature = "model-micro")]
#[tokio::test]
async fn forty_sounds_give_the_built_in_model_no_words() {
    let whisper = load(models::built_in::NAME, CutAudioCtx::Auto, Vad::Silero);
    let mut voices = Vec::new();
    for (name, speech) in recordings() {
        for transcript in heard(&whisper, speech).await {
            assert!(transcript.uncertain.is_some(), "{name}: {:?}", transcript.text.reveal());
            if !transcript.language.is_unknown() {
                voices.push(name.clone());
            }
        }
    }
    assert!(voices.len() <= VOICE_LIKE, "{voices:?}");
}

#[tokio::test]
async fn forty_sounds_give_an_official_model_no_words() {
    if models::find("base", None, hark_models().as_deref(), None).is_err() {
        eprintln!("SKIPPED: HARK_MODELS names no folder with ggml-base.bin: noise was not heard");
        return;
    }
    let answered = answered(&load("base", CutAudioCtx::Auto, Vad::Silero)).await;
    assert!(answered.is_empty(), "{answered:?}");
}
