//! Speaks with voices of any kind of file, and says what can be said of any text.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use tokio_util::sync::CancellationToken;

use super::Settings;
use crate::audio::SampleRate;
use crate::registry::Voice;
use crate::tts::{Sentence, Sound, Synthesizer, TtsDeps, TtsError, TtsSettings as _};

/// Writes an ONNX graph with Piper's inputs: a symbol becomes a sample, its sine.
fn tiny_graph(output: &str) -> Vec<u8> {
    let number = |field: u8, value: u8| vec![field << 3, value];
    let bytes = |field: u8, value: &[u8]| {
        let byte = |number: usize| u8::try_from(number).expect("the graph is tiny");
        let len = match value.len() {
            len @ 0..128 => vec![byte(len)],
            len => vec![byte(len % 128) | 128, byte(len / 128)],
        };
        [&[field << 3 | 2][..], &len, value].concat()
    };
    let text = |field, value: &str| bytes(field, value.as_bytes());
    let node = |from: &str, to: &str, operator: &str, attribute: &[u8]| {
        bytes(1, &[&text(1, from)[..], &text(2, to), &text(4, operator), attribute].concat())
    };
    let value = |field, name: &str, kind, dimensions: usize| {
        let shape = bytes(1, &text(2, "n")).repeat(dimensions);
        let shape = bytes(2, &shape);
        let tensor = bytes(1, &[number(1, kind), shape].concat());
        bytes(field, &[text(1, name), bytes(2, &tensor)].concat())
    };
    let (float, int64) = (1, 7);
    let to = bytes(5, &[text(1, "to"), number(3, float), vec![0xa0, 0x01, 2]].concat());
    let axes = bytes(5, &[text(1, "axes"), number(8, 1), vec![0xa0, 0x01, 7]].concat());
    let graph = [
        node("input", "a", "Cast", &to),
        node("a", "b", "Sin", &[]),
        node("b", output, "Unsqueeze", &axes),
        text(2, "tiny"),
        value(11, "input", int64, 2),
        value(11, "input_lengths", int64, 1),
        value(11, "scales", float, 1),
        value(12, output, float, 3),
    ];
    [number(1, 6), bytes(7, &graph.concat()), bytes(8, &number(2, 11))].concat()
}

const CARD: &str = r#"{
    "audio": { "sample_rate": 16000 }, "espeak": { "voice": "de" }, "language": { "code": "de_DE" },
    "inference": { "noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8 },
    "phoneme_id_map": { "^": [1], "$": [2], "_": [0], "a": [14], "t": [32], "n": [26], " ": [3] }
}"#;

fn write_voice(folder: &Path, name: &str, graph: &[u8], card: &str) {
    fs::write(folder.join(format!("{name}.onnx")), graph).unwrap();
    fs::write(folder.join(format!("{name}.onnx.json")), card).unwrap();
}

fn synthesizer(folder: &Path, voice: Option<&str>) -> std::sync::Arc<dyn Synthesizer> {
    let connect = |_| unreachable!("no server is asked");
    let deps = TtsDeps { connect: &connect, hark_models: None, cache: None };
    let settings = Settings {
        voice: voice.map(str::to_owned),
        speed: 1.0,
        voices_dir: Some(folder.to_owned()),
    };
    settings.build(&deps).unwrap()
}

/// Returns the samples of a sentence, and their rate.
async fn say(
    synthesizer: &dyn Synthesizer,
    text: &str,
    language: &str,
    voice: Option<&str>,
) -> Result<(Vec<f32>, Option<SampleRate>), TtsError> {
    let voice = voice.map(|name| Voice::Fixed(name.to_owned()));
    let sentence = Sentence { text: text.to_owned(), language: language.into(), voice };
    let mut sound = synthesizer.speak(sentence, &CancellationToken::new()).await;
    let (mut samples, mut rate) = (Vec::new(), None);
    while let Some(piece) = sound.next().await {
        let Sound::Pcm(pcm) = piece? else { unreachable!("it is PCM") };
        rate = Some(pcm.rate);
        samples.extend(pcm.samples);
    }
    Ok((samples, rate))
}

#[tokio::test]
async fn a_voice_in_a_folder_speaks_its_language_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    write_voice(folder.path(), "de_DE-tiny", &tiny_graph("output"), CARD);
    let synthesizer = synthesizer(folder.path(), None);
    let (samples, rate) = say(&*synthesizer, "Tante.", "de", None).await.unwrap();
    assert_eq!(rate, Some(SampleRate(16_000)));
    // The phonemes that the card has a number for, silence between them, and the pause.
    assert!(samples.len() > 4_000 && samples.len() < 4_100, "{}", samples.len());
    let (_, rate) = say(&*synthesizer, "Bonjour.", "fr", None).await.unwrap();
    assert_eq!(rate, Some(SampleRate(22_050)), "espeak-ng speaks");
    let (samples, rate) = say(&*synthesizer, "😀 ?!", "de", None).await.unwrap();
    assert!(samples.is_empty() && rate.is_none(), "there is nothing to say");
}

#[tokio::test]
async fn a_voice_that_is_damaged_or_another_graph_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let graph = tiny_graph("output");
    write_voice(folder.path(), "cut", &graph[..graph.len() / 2], CARD);
    write_voice(folder.path(), "other", &tiny_graph("spectrum"), CARD);
    write_voice(folder.path(), "text", b"<html>404</html>", CARD);
    let synthesizer = synthesizer(folder.path(), None);
    for (voice, problem) in
        [("cut", "no input or output"), ("other", "\"output\""), ("text", "text.onnx")]
    {
        let error = say(&*synthesizer, "Tante.", "de", Some(voice)).await.unwrap_err().to_string();
        assert!(error.contains(&format!("\"{voice}\"")) && error.contains(problem), "{error}");
        let again = say(&*synthesizer, "Tante.", "de", Some(voice)).await.unwrap_err().to_string();
        assert_eq!(error, again);
    }
}

#[tokio::test]
async fn a_card_that_cannot_be_right_leaves_the_voice_out() {
    let folder = tempfile::tempdir().unwrap();
    for (name, wrong) in [
        ("rate", CARD.replace("16000", "1000000")),
        ("scale", CARD.replace("0.667", "-1")),
        ("map", CARD.replace("\"^\": [1],", "")),
        ("text", CARD.replace("\"espeak\": {", "\"phoneme_type\": \"text\", \"espeak\": {")),
        ("cut", CARD[..80].to_owned()),
    ] {
        write_voice(folder.path(), name, &tiny_graph("output"), &wrong);
    }
    let synthesizer = synthesizer(folder.path(), None);
    let (_, rate) = say(&*synthesizer, "Tante.", "de", None).await.unwrap();
    assert_eq!(rate, Some(SampleRate(22_050)), "espeak-ng speaks");
}

#[cfg(built_in_voice)]
#[tokio::test]
async fn the_voice_that_is_built_in_says_what_it_can_of_any_text() {
    let folder = tempfile::tempdir().unwrap();
    let synthesizer = synthesizer(folder.path(), None);
    let seconds = async |text: &str| {
        let began = Instant::now();
        let (samples, rate) = say(&*synthesizer, text, "en", None).await.unwrap();
        assert!(began.elapsed() < Duration::from_mins(1), "{} bytes", text.len());
        assert!(samples.iter().all(|sample| sample.is_finite() && sample.abs() < 4.0));
        rate.map_or(0.0, |rate| rate.ms(samples.len()) / 1000.0)
    };
    let hello = seconds("Hello, how can I help you today?").await;
    assert!((1.2..3.0).contains(&hello), "{hello}");
    for nothing in ["", "  ", "😀🎉", "?!…", "Привет, как дела", "\u{0}\u{7}"] {
        let said = seconds(nothing).await;
        assert!(said < 3.0, "{nothing:?}: {said} s");
    }
    assert!(seconds(&"a".repeat(300)).await > 1.0);
    assert!(seconds(&"9".repeat(300)).await > 1.0);
    // Longer than a sentence can be: as loud as it can be for two minutes, then refused.
    let endless = "and then another one ".repeat(1_000);
    let error = say(&*synthesizer, &endless, "en", None).await.err().map(|error| error.to_string());
    assert!(error.is_some_and(|error| error.contains("120 s")));
}
