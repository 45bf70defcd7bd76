//! Inputs on which hark was wrong in real use, and neighbours that were right: one test a kind.
//!
//! A JSON file a type holds the cases, each with what an outcome must and must not show; the module
//! of the same name has hark answer one. The files are made for this project (CC0), but
//! `minimp3_l3-he_mode.mp3`, which is minimp3's (CC0, too).

use std::path::PathBuf;

use regex::Regex;
use serde::Deserialize;
use serde_json::Value;

/// An input, and what comes of it.
#[derive(Deserialize)]
pub(crate) struct Case {
    id: String,
    kind: String,
    want: String,
    #[serde(default)]
    has: Vec<String>,
    #[serde(default)]
    lacks: Vec<String>,
    min_ms: Option<u64>,
    max_ms: Option<u64>,
    /// The keys of its type: a text, a language, what a server answers.
    #[serde(flatten)]
    input: serde_json::Map<String, Value>,
}

/// What hark made of a case.
pub(crate) struct Outcome {
    /// In words, for `has` and `lacks`.
    pub(crate) words: String,
    /// The length of the sound, where the case is about one.
    pub(crate) sound_ms: Option<u64>,
}

impl From<String> for Outcome {
    fn from(words: String) -> Self {
        Self { words, sound_ms: None }
    }
}

impl Case {
    /// Returns the text of `key`, or nothing where the case has no such key.
    pub(crate) fn text(&self, key: &str) -> &str {
        self.input.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns the value of `key`, null where the case has no such key.
    pub(crate) fn value(&self, key: &str) -> &Value {
        self.input.get(key).unwrap_or(&Value::Null)
    }

    /// Returns the bytes of the case's file.
    pub(crate) fn file(&self) -> Vec<u8> {
        std::fs::read(self.path()).unwrap()
    }

    /// Returns where the case's file lies.
    pub(crate) fn path(&self) -> PathBuf {
        folder().join("files").join(self.text("file"))
    }

    fn faults(&self, outcome: &Outcome) -> Vec<String> {
        let words = &outcome.words;
        let has = self.has.iter().filter(|wanted| !matches(wanted, words));
        let lacks = self.lacks.iter().filter(|unwanted| matches(unwanted, words));
        let length = outcome.sound_ms.unwrap_or_default();
        let short_enough = self.max_ms.is_none_or(|most| length <= most);
        let long_enough = self.min_ms.is_none_or(|least| length >= least);
        (has.map(|wanted| format!("lacks {wanted:?}")))
            .chain(lacks.map(|unwanted| format!("has {unwanted:?}")))
            .chain((!(long_enough && short_enough)).then(|| format!("lasts {length} ms")))
            .collect()
    }
}

fn matches(pattern: &str, words: &str) -> bool {
    Regex::new(pattern).unwrap().is_match(words)
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/cases")
}

fn read(name: &str) -> Vec<Case> {
    let path = folder().join(name).with_extension("json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Has `answer` answer every case of a kind, and fails with all that went wrong.
#[track_caller]
pub(crate) fn check<O: Into<Outcome>>(name: &str, kind: &str, answer: impl Fn(&Case) -> O) {
    let cases: Vec<Case> = read(name).into_iter().filter(|case| case.kind == kind).collect();
    assert!(!cases.is_empty(), "{name}.json has no case of this kind: {kind}");
    let mut failed = String::new();
    for case in &cases {
        let outcome = answer(case).into();
        let faults = case.faults(&outcome);
        if !faults.is_empty() {
            let (id, want, words) = (&case.id, &case.want, &outcome.words);
            failed += &format!("\n{id}: wanted {want:?}, got {words:?}: {}", faults.join(", "));
        }
    }
    assert!(failed.is_empty(), "{failed}");
}

/// Makes a test of each kind of the file `$file`, whose cases `$answer` has answered.
macro_rules! kinds {
    ($file:literal, $answer:path, { $($test:ident: $kind:literal,)+ }) => {
        $(
            #[test]
            fn $test() {
                $crate::cases::check($file, $kind, $answer);
            }
        )+
    };
}

mod csv;
mod graph;
mod lang;
mod links;
mod llm;
mod say;
mod status;
mod transcribe;
mod tts;
mod webhook;
mod whatsapp;
mod wish;
