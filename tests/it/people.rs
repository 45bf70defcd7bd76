//! What official models hear of people: files of `HARK_CORPUS/speech`, whose words are known, through
//! the whole program.
//!
//! Neither the corpus nor the models are part of the repository. `make official` makes the models;
//! without any of them nothing is run, and a line says so. Bounds of files that nobody hears whole
//! are what was measured and half as much again, since another build may round otherwise.

use std::io::Write as _;
use std::path::Path;

use hark::app::Places;
use hark::models::{self, ModelSource};
use hark::stt::wer::word_errors;
use serde_json::Value;

use crate::corpus::{corpus, read};
use crate::program::Hark;

/// The languages of one agent. One thread: two wait for each other by spinning where cores are busy.
const FIVE: &str = "[stt]\nthreads = 1\n[[agents]]\nname = \"hark\"\n\
                    languages = [\"en\", \"de\", \"es\", \"fr\", \"pt\"]\n";
const ENGLISH: &str = "[stt]\nthreads = 1\n[[agents]]\nname = \"hark\"\nlanguage = \"en\"\n";

/// Files of the corpus, and how many of their words may be wrong: 0 for those that everybody hears.
const ENGLISH_FILES: [(&str, f64); 4] = [
    ("speech/en/jfk.wav", 0.0),
    ("speech/en/fleurs-en-003.ogg", 0.1),
    ("speech/en/fleurs-en-005.ogg", 0.0),
    ("speech/en/fleurs-en-006.ogg", 0.13),
];
const FIVE_FILES: [(&str, f64); 8] = [
    ("speech/en/jfk.wav", 0.0),
    ("speech/en/fleurs-en-005.ogg", 0.0),
    ("speech/de/fleurs-de-004.ogg", 0.24),
    ("speech/es/fleurs-es-002.ogg", 0.0),
    ("speech/es/fleurs-es-003.ogg", 0.0),
    ("speech/fr/fleurs-fr-000.ogg", 0.33),
    ("speech/fr/fleurs-fr-008.ogg", 0.48),
    ("speech/pt/fleurs-pt-006.ogg", 0.2),
];

/// The path of an official model, where hark finds it on this machine.
fn official(name: &str) -> Option<String> {
    let Places { hark_models, cache } = Places::from(&std::env::vars().collect());
    let found = models::find(name, None, hark_models.as_deref(), cache.as_deref());
    if let Ok(ModelSource::Path(path)) = found {
        return Some(std::path::absolute(path).unwrap().display().to_string());
    }
    // What a test prints that passes is captured, but not this.
    let said = "was not heard with: it is not here, and `make official` makes it";
    std::io::stderr().write_all(format!("SKIPPED: {name} {said}\n").as_bytes()).unwrap();
    None
}

/// Lets a model hear files in an agent's languages; every one must be heard in its own, with no
/// more wrong words than stated.
async fn hears(model: &str, toml: &str, files: &[(&str, f64)]) {
    let Some(corpus) = corpus() else { return };
    let Some(model) = official(model) else { return };
    let manifest: Value = serde_json::from_slice(&read(&corpus.join("manifest.json"))).unwrap();
    let said = |file: &str| {
        let row = manifest.as_array().unwrap().iter().find(|row| row["path"] == file);
        row.and_then(|row| row["transcript"].as_str()).unwrap_or_else(|| panic!("{file}"))
    };
    let (hark, mut wrong) = (Hark::new().file("hark.toml", toml), Vec::new());
    for (file, most) in files {
        let path = corpus.join(file).display().to_string();
        let line =
            hark.run(&["transcribe", "--json", "--model", &model, &path]).await.json(0).remove(0);
        let language = Path::new(file).parent().and_then(Path::file_name).unwrap();
        let heard = line["text"].as_str().expect("a text");
        let rate = word_errors(said(file), heard).rate();
        eprintln!("{rate:.2} of {most:.2}  {file}: {heard}");
        if rate > *most || line["language"] != language.to_str().unwrap() {
            wrong.push(format!("{file}: {rate:.2} of the words, at most {most}: {line}"));
        }
    }
    assert!(wrong.is_empty(), "{model}: {wrong:#?}");
}

#[tokio::test]
async fn tiny_en_hears_people_speak_english() {
    hears("tiny.en", ENGLISH, &ENGLISH_FILES).await;
}

#[tokio::test]
async fn base_hears_people_speak_five_languages() {
    hears("base", FIVE, &FIVE_FILES).await;
}

#[tokio::test]
async fn a_language_is_refused_with_what_the_official_models_know() {
    let Some(corpus) = corpus() else { return };
    let (Some(base), Some(tiny)) = (official("base"), official("tiny.en")) else { return };
    let (hark, file) = (Hark::new(), corpus.join("speech/en/jfk.wav").display().to_string());
    let check = async |model: &str, language: &str, words: &[&str]| {
        let arguments = ["transcribe", &file, "--model", model, "--language", language];
        let ran = hark.run(&arguments).await;
        assert_eq!((ran.code, ran.text()), (64, ""), "{}", ran.stderr);
        for word in words {
            assert!(ran.stderr.contains(word), "{}", ran.stderr);
        }
    };
    check(&base, "klingon", &["\"klingon\"", "knows these languages: en, zh, de, es,"]).await;
    check(&tiny, "es", &["\"es\"", "only \"en\"", "hark models pull tiny\n"]).await;
}
