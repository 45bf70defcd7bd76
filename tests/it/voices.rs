//! `hark voices`: who speaks here and how fast, and a note by each.

use serde_json::Value;
use tokio::process::Command;

use crate::program::{Hark, Ran};

const ESPEAK: &str = "[tts]\nengine = \"espeak\"\n";

/// Runs `hark voices` and shows it.
async fn run(hark: &Hark, arguments: &[&str]) -> Ran {
    hark.run(&[&["voices"], arguments].concat()).await
}

#[tokio::test]
async fn every_voice_is_shown_with_language_licence_and_speed() {
    let hark = Hark::new().file("hark.toml", "[[agents]]\nname = \"hark\"\nlanguages = [\"cy\"]\n");
    let rows = run(&hark, &["--json"]).await.json(0);
    let row = |name: &str| rows.iter().find(|row| row["name"] == name);
    for (name, language) in [("en-us", "en-us"), ("es", "es"), ("cy", "cy")] {
        let row = row(name).expect(name);
        assert_eq!(
            (row["engine"].as_str(), row["language"].as_str()),
            (Some("espeak"), Some(language))
        );
        assert_eq!(row["licence"], "GPL-3.0-or-later");
        assert_eq!(row["error"], Value::Null);
        let speed = row["speed"].as_f64().expect("it is measured");
        assert!((0.0001..5.0).contains(&speed), "{name}: {speed}");
    }
    assert!(row("sv").is_none(), "nobody speaks Swedish here");
    assert_eq!(row("heart").is_some(), cfg!(built_in_voice));
    if let Some(heart) = row("heart") {
        assert_eq!((heart["place"].as_str(), heart["error"].as_str()), (Some("built in"), None));
        assert_eq!(heart["licence"], "Apache-2.0");
    }
    let named = run(&hark, &["--voice", "SV", "--voice", "de"]).await;
    assert_eq!(named.text().lines().filter(|line| line.starts_with("espeak")).count(), 2);
    assert!(named.text().contains("seconds of work a second of sound"), "{}", named.text());
}

#[tokio::test]
async fn each_voice_writes_a_note_that_says_the_sentence() {
    let hark = Hark::new();
    let asked = ["listen", "heard", "--voice", "en-us", "--voice", "de", "--json"];
    let rows = run(&hark, &asked).await.json(0);
    assert_eq!(rows.len(), 2);
    for row in rows {
        let file = row["file"].as_str().unwrap();
        assert_eq!(file, format!("heard/espeak-{}.ogg", row["name"].as_str().unwrap()));
        let file = hark.path(file);
        let judged = Command::new("opusinfo").arg(&file).output().await.expect("opusinfo is there");
        assert!(judged.status.success() && judged.stderr.is_empty(), "{judged:?}");
        let asked = ["-v", "error", "-of", "csv=p=0", "-show_entries", "format=duration"];
        let judged = Command::new("ffprobe").args(asked).arg(&file).output().await.unwrap();
        let seconds: f64 = String::from_utf8(judged.stdout).unwrap().trim().parse().unwrap();
        assert!((2.0..8.0).contains(&seconds), "{seconds}");
    }
    let ran = run(&hark, &["listen", "--voice", "en-us"]).await;
    assert!(ran.code == 0 && ran.text().contains("voices/espeak-en-us.ogg"), "{}", ran.text());
}

#[tokio::test]
async fn a_name_that_no_voice_has_is_wrong_usage() {
    let check = async |name: &str, words: &str| {
        let ran = run(&Hark::new(), &["--voice", name]).await;
        assert_eq!((ran.code, ran.text()), (2, ""), "{}", ran.stderr);
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    };
    check("en-uss", "did you mean `en-us`?").await;
    check("de_DE-kerstin-low", "`hark models pull de_DE-kerstin-low` gets it").await;
    check("emma", "does not offer it").await;
    check("somebody-else-entirely", "hark voices --all").await;
}

#[tokio::test]
async fn a_machine_without_espeak_is_told_what_to_install() {
    let hark = Hark::new().file("hark.toml", ESPEAK).env("PATH", "/nonexistent");
    let ran = run(&hark, &[]).await;
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("apt-get install espeak-ng"), "{}", ran.stderr);
    let heard = ran.text().lines().any(|line| line.starts_with("neural  heart"));
    assert_eq!(heard, cfg!(built_in_voice));
    assert_eq!(ran.stderr.contains("no voice is here"), !heard, "{}", ran.stderr);
    // No agent speaks with it: that is no failure.
    let hark = Hark::new().env("PATH", "/nonexistent");
    assert_eq!(run(&hark, &[]).await.code, i32::from(!heard));
}

#[tokio::test]
async fn a_server_names_its_own_voices() {
    let server = "[tts]\nengine = [\"openai\", \"espeak\"]\nurl = \"http://127.0.0.1:9/v1\"\nmodel = \"m\"\n";
    let ran = run(&Hark::new().file("hark.toml", server), &["--voice", "de"]).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("the server names its voices"), "{}", ran.stderr);
}

/// The graph of the voice that is built in, as a file: a voice like those that can be pulled.
#[cfg(built_in_voice)]
#[tokio::test]
async fn a_graph_of_hibari_speaks_with_what_is_built_in() {
    let graph = include_bytes!("../../models/voices/hibari/hibari.onnx");
    let hark = Hark::new().file("models/kore.onnx", graph).file("models/mine.onnx", graph);
    for name in ["kore", "mine"] {
        let row = &run(&hark, &["--voice", name, "--json"]).await.json(0)[0];
        assert_eq!(
            (row["engine"].as_str(), row["language"].as_str()),
            (Some("neural"), Some("en-US"))
        );
        assert_eq!(row["place"], format!("models/{name}.onnx"));
        let licence = if name == "kore" { "Apache-2.0" } else { "unknown" };
        assert_eq!((row["licence"].as_str(), &row["error"]), (Some(licence), &Value::Null));
    }
}

#[cfg(built_in_voice)]
#[tokio::test]
async fn a_damaged_voice_is_shown_as_one() {
    let hark = Hark::new().file("models/kore.onnx", "cut");
    let ran = run(&hark, &["--voice", "kore"]).await;
    assert_eq!(ran.code, 1, "{}", ran.text());
    assert!(ran.text().contains("models/kore.onnx: "), "{}", ran.text());
    let hark = Hark::new().file("models/mine.onnx", "cut");
    let ran = run(&hark, &["--voice", "mine"]).await;
    assert!(ran.code == 2 && ran.stderr.contains("is left out"), "{}", ran.stderr);
}
