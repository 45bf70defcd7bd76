//! Runs the real espeak-ng, which `make deps` installs; without it these tests fail.

use futures_util::TryStreamExt;
use tokio::process::Command;

use super::voices::FALLBACK;
use super::*;
use crate::audio::{Pcm, SampleRate};

fn sentence(text: &str, language: &str) -> Sentence {
    Sentence { text: text.to_owned(), language: language.into(), voice: None }
}

async fn speak(engine: &EspeakSynthesizer, sentence: Sentence) -> Result<Vec<Pcm>, TtsError> {
    let sound = engine.speak(sentence, &CancellationToken::new()).await;
    let pcm = sound.map_ok(|sound| match sound {
        Sound::Pcm(pcm) => pcm,
        Sound::Opus(_) => panic!("it speaks samples"),
    });
    pcm.try_collect().await
}

async fn warm() -> EspeakSynthesizer {
    let engine = EspeakSynthesizer::new(Settings::default());
    engine.warm_up().await.expect("these tests need espeak-ng: make deps");
    engine
}

fn joined(chunks: &[Pcm]) -> Vec<f32> {
    chunks.iter().flat_map(|chunk| chunk.samples.iter().copied()).collect()
}

#[tokio::test]
async fn a_sentence_is_spoken_with_an_even_pause_behind_it() {
    let engine = warm().await;
    let chunks = speak(&engine, sentence("Hello, how can I help you today?", "en")).await.unwrap();
    assert!(chunks.iter().all(|c| c.rate == SampleRate(22_050) && c.samples.len() <= 2_205));
    let samples = joined(&chunks);
    let seconds = SampleRate(22_050).ms(samples.len()) / 1000.0;
    assert!((1.5..3.0).contains(&seconds), "{seconds} s");
    let loud = |s: &f32| s.abs() > 0.002;
    assert!(samples.iter().position(loud).unwrap() <= 111, "5 ms before the first sound");
    assert_eq!(samples.iter().rev().position(loud).unwrap(), 4_410, "200 ms after the last");
    assert!(samples.iter().any(|s| s.abs() > 0.2));
}

#[tokio::test]
async fn waiting_and_new_children_sound_alike() {
    let engine = warm().await;
    let waiting = speak(&engine, sentence("The same words.", "en")).await.unwrap();
    let cold = EspeakSynthesizer::new(Settings::default());
    assert_eq!(
        joined(&waiting),
        joined(&speak(&cold, sentence("The same words.", "en")).await.unwrap())
    );
}

#[tokio::test]
async fn a_waiting_child_that_died_is_replaced() {
    let engine = warm().await;
    let id = engine.children.waiting_id(FALLBACK).expect("one waits after warm-up");
    let killed = Command::new("kill").args(["-9", &id.to_string()]).status().await.unwrap();
    assert!(killed.success());
    assert!(!speak(&engine, sentence("Still here.", "en")).await.unwrap().is_empty());
}

#[tokio::test]
async fn languages_have_their_voice_and_strangers_the_fallback() {
    let engine = warm().await;
    let text = "Perdón, 2 minutos.";
    let spanish = joined(&speak(&engine, sentence(text, "es")).await.unwrap());
    let english = joined(&speak(&engine, sentence(text, "en")).await.unwrap());
    let klingon = joined(&speak(&engine, sentence(text, "tlx")).await.unwrap());
    assert_ne!(spanish, english);
    assert_eq!(klingon, english);
}

#[tokio::test]
async fn voices_in_use_wait_from_the_start_and_speak_their_language() {
    let voice = |name: &str| Some(Voice::Any(name.to_owned()));
    let fixed = Some(Voice::Fixed("de".to_owned()));
    let warm = [("en", voice("en-gb+f3")), ("es", voice("en-gb+f3")), ("fr", fixed)];
    let warm = warm.map(|(language, voice)| (language.into(), voice)).to_vec();
    let engine = self::warm().await;
    engine.prepare(&warm).await.unwrap();
    for name in [FALLBACK, "en-gb+f3", "es+f3", "de"] {
        assert!(engine.children.waiting_id(name).is_some(), "{name}");
    }
    let text = "Perdón, 2 minutos.";
    let say = async |language: &str, voice: Option<Voice>| {
        joined(&speak(&engine, Sentence { voice, ..sentence(text, language) }).await.unwrap())
    };
    assert_eq!(say("es", voice("de")).await, say("es", None).await);
    assert_ne!(say("es", Some(Voice::Fixed("de".to_owned()))).await, say("es", None).await);
}

#[tokio::test]
async fn an_unknown_voice_is_named_in_the_error() {
    let settings = Settings { voice: Some("nobody".to_owned()), ..Settings::default() };
    let error = EspeakSynthesizer::new(settings).warm_up().await.unwrap_err();
    let said = error.to_string();
    assert!(matches!(error, TtsError::Engine(_)), "{said}");
    assert!(said.contains("\"nobody\"") && said.contains("does not exist"), "{said}");
}

#[tokio::test]
async fn a_missing_program_comes_with_the_way_to_install_it() {
    let settings = Settings { program: "/nonexistent/espeak".into(), ..Settings::default() };
    let engine = EspeakSynthesizer::new(settings);
    let error = engine.warm_up().await.unwrap_err();
    assert!(matches!(error, TtsError::Start { .. }) && error.to_string().contains("apt-get"));
    assert!(matches!(speak(&engine, sentence("hello", "en")).await, Err(TtsError::Start { .. })));
}

#[tokio::test]
async fn text_is_never_a_command() {
    let engine = warm().await;
    let plain = joined(&speak(&engine, sentence("[h@l'oU]", "en")).await.unwrap());
    let phonemes = joined(&speak(&engine, sentence("[[[h@l'oU]\u{1}", "en")).await.unwrap());
    assert_eq!(plain, phonemes);
    assert!(!speak(&engine, sentence("--version", "en")).await.unwrap().is_empty());
    assert!(speak(&engine, sentence(" \n ", "en")).await.unwrap().is_empty());
    assert!(speak(&engine, sentence("...", "en")).await.is_ok());
}

#[tokio::test]
async fn a_sentence_without_end_is_refused() {
    let engine = warm().await;
    let error = speak(&engine, sentence(&"word ".repeat(1_000), "en")).await.unwrap_err();
    assert!(error.to_string().contains("longer than 120 s"), "{error}");
}

#[tokio::test]
async fn a_cancelled_sentence_stops() {
    let engine = warm().await;
    let cancel = CancellationToken::new();
    let mut sound = engine.speak(sentence(&"word ".repeat(200), "en"), &cancel).await;
    assert!(sound.next().await.unwrap().is_ok());
    cancel.cancel();
    let mut last = None;
    while let Some(chunk) = sound.next().await {
        last = Some(chunk);
    }
    assert!(matches!(last, Some(Err(TtsError::Cancelled))));
}

#[tokio::test]
async fn sentences_at_once_do_not_mix() {
    let engine = warm().await;
    let text = |n: usize| format!("This is number {n}.");
    let alone = speak(&engine, sentence(&text(3), "en")).await.unwrap();
    let together = futures_util::future::try_join_all(
        (0..6).map(|n| speak(&engine, sentence(&[text(n), text(3)][n % 2], "en"))),
    );
    let together = together.await.unwrap();
    for n in [1, 3, 5] {
        assert_eq!(joined(&together[n]), joined(&alone), "{n}");
    }
}

/// An engine whose program is this script; voices it lists as the real one does.
fn lying(folder: &tempfile::TempDir, speaks: &str) -> EspeakSynthesizer {
    use std::os::unix::fs::PermissionsExt as _;
    let program = folder.path().join("espeak-ng");
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in *--voices*|*--version*) exec espeak-ng \"$@\" ;; esac\n\
         cat > /dev/null\n{speaks}\n"
    );
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
    EspeakSynthesizer::new(Settings { program, ..Settings::default() })
}

#[tokio::test]
async fn an_engine_that_hangs_is_waited_for_once_and_for_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let engine = lying(&folder, "exec sleep 60");
    engine.children.refill(FALLBACK).await.unwrap();
    let began = std::time::Instant::now();
    let error = speak(&engine, sentence("hello", "en")).await.unwrap_err();
    assert!(error.to_string().contains("longer than 5 s"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[tokio::test]
async fn an_engine_that_writes_without_end_is_cut_off_by_the_length_of_its_text() {
    let folder = tempfile::tempdir().unwrap();
    let engine = lying(&folder, "echo on | espeak-ng --stdin --stdout\nexec cat /dev/zero");
    let mut sound = engine.speak(sentence("hello", "en"), &CancellationToken::new()).await;
    let (mut samples, mut end) = (0, None);
    while let Some(chunk) = sound.next().await {
        match chunk {
            Ok(Sound::Pcm(pcm)) => samples += pcm.samples.len(),
            other => end = Some(other.map(|_| ())),
        }
    }
    let said = end.expect("it fails").unwrap_err().to_string();
    assert!(said.contains("without end"), "{said}");
    assert!(SampleRate(22_050).ms(samples) <= 16_000.0, "{samples}");
}
