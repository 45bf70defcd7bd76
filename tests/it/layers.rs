//! The one-way order of the folders: who may name whom.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Words, time, sound and sentences: known to everyone, knowing nobody.
const BASE: [&str; 5] = ["turn", "clock", "engine", "audio", "speech_text"];

/// What each part may name beside itself and, except in the base, [`BASE`].
const ORDER: [(&str, &[&str]); 19] = [
    ("turn", &[]),
    ("clock", &[]),
    ("engine", &[]),
    ("audio", &[]),
    ("speech_text", &[]),
    ("models", &[]),
    ("knowledge", &[]),
    ("stt", &["models"]),
    ("agent", &["knowledge"]),
    ("tts", &[]),
    ("provider", &[]),
    ("store", &[]),
    ("telemetry", &[]),
    ("lifecycle", &[]),
    ("config", &["stt", "agent", "tts"]),
    ("simulator", &["provider"]),
    ("queue", &["store", "telemetry"]),
    ("http", &["provider", "store", "queue", "telemetry"]),
    ("pipeline", &["stt", "agent", "tts", "provider", "store", "queue", "telemetry"]),
];

/// The composition: may name everything.
const TOP: [&str; 4] = ["app", "cli", "lib", "main"];

/// Every Rust file under `folder`.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files
}

/// The part a file belongs to: its folder under `src`, or its own name.
fn part_of(file: &Path, src: &Path) -> String {
    let inside = file.strip_prefix(src).unwrap();
    let first = inside.components().next().unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// The parts that a source names with `crate::`; comments do not count.
fn named(source: &str) -> BTreeSet<String> {
    let code = source.lines().map(|line| line.split("//").next().unwrap_or_default());
    code.flat_map(|line| line.split("crate::").skip(1).map(str::to_owned))
        .map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
        .collect()
}

fn may_name(part: &str, other: &str) -> bool {
    if part == other || TOP.contains(&part) {
        return true;
    }
    let (_, more) = ORDER
        .iter()
        .find(|(name, _)| *name == part)
        .unwrap_or_else(|| panic!("src/{part} has no place in the order yet"));
    more.contains(&other) || (!BASE.contains(&part) && BASE.contains(&other))
}

#[test]
fn parts_name_only_what_stands_below_them() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut forbidden = Vec::new();
    for file in sources(&src) {
        let (part, source) = (part_of(&file, &src), fs::read_to_string(&file).unwrap());
        for other in named(&source) {
            if other.is_empty() {
                forbidden.push(format!("{}: crate::{{ hides what is named", file.display()));
            } else if !may_name(&part, &other) {
                forbidden.push(format!("{}: {part} must not name {other}", file.display()));
            }
        }
    }
    assert!(forbidden.is_empty(), "{forbidden:#?}");
}

#[test]
fn forbidden_names_are_found() {
    let source = "use crate::http::Router; // crate::cli\nlet x = crate::app::run(crate::{a, b});";
    let expected = ["", "app", "http"].map(str::to_owned);
    assert_eq!(named(source), BTreeSet::from(expected));
    assert!(!may_name("http", "pipeline") && !may_name("stt", "tts") && !may_name("audio", "turn"));
    assert!(!may_name("pipeline", "config") && may_name("pipeline", "audio"));
}
