//! Holds the folders to their one-way order: who may name whom, and what the pure ones never name.

use std::collections::BTreeSet;
use std::path::Path;

use super::source::{blank, closing, sources};

/// Words, time, calls out, threads, sound and sentences: everyone may name them, they name nobody
/// beyond their row.
const BASE: [&str; 8] =
    ["turn", "clock", "remote", "threads", "engine", "audio", "speech_text", "written"];

/// What each part may name besides itself and, except in the base, [`BASE`].
const ORDER: [(&str, &[&str]); 30] = [
    ("turn", &[]),
    ("clock", &[]),
    ("remote", &[]),
    ("threads", &["turn"]),
    ("engine", &["turn", "clock"]),
    ("audio", &[]),
    ("speech_text", &["turn"]),
    ("written", &[]),
    ("models", &[]),
    ("knowledge", &[]),
    ("registry", &[]),
    ("usage", &[]),
    ("stt", &["models", "registry"]),
    ("agent", &["knowledge", "registry"]),
    ("tts", &["models", "registry", "telemetry"]),
    ("provider", &["registry"]),
    ("store", &["knowledge", "registry", "usage"]),
    ("telemetry", &[]),
    ("lifecycle", &[]),
    ("blobs", &["store", "telemetry"]),
    ("customers", &["knowledge", "registry", "store", "telemetry"]),
    (
        "config",
        &[
            "knowledge",
            "customers",
            "registry",
            "stt",
            "agent",
            "tts",
            "telemetry",
            "blobs",
            "store",
        ],
    ),
    ("simulator", &["provider"]),
    ("bench", &["stt", "simulator", "store"]),
    ("queue", &["registry", "store", "telemetry"]),
    ("desk", &["store", "queue"]),
    ("events", &["store"]),
    (
        "http",
        &["knowledge", "registry", "usage", "provider", "store", "queue", "events", "telemetry"],
    ),
    ("bridge", &["http", "store"]),
    (
        "pipeline",
        &[
            "knowledge",
            "customers",
            "registry",
            "usage",
            "stt",
            "agent",
            "tts",
            "provider",
            "store",
            "blobs",
            "queue",
            "telemetry",
        ],
    ),
];

/// The composition: may name everything.
const TOP: [&str; 4] = ["app", "cli", "lib", "main"];

/// Parts without a runtime, file, socket, clock or thread: bytes, samples and words in, values out.
const PURE: [&str; 3] = ["audio", "speech_text", "written"];

/// What [`PURE`] parts never name.
const IMPURE: [&str; 7] = [
    "tokio",
    "reqwest",
    "std::fs",
    "std::net",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
];

/// Returns the part a file belongs to: its folder under `src`, or its own name.
fn part_of(path: &Path) -> String {
    let first = path.components().nth(1).unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// Returns the parts that code names with `crate::`.
fn named(code: &str) -> BTreeSet<String> {
    code.split("crate::")
        .skip(1)
        .map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
        .collect()
}

/// Returns the parts that `part` may name besides itself and the base; `None` if it has no place
/// yet.
fn below(part: &str) -> Option<&'static [&'static str]> {
    ORDER.iter().find(|(name, _)| *name == part).map(|(_, more)| *more)
}

fn may_name(part: &str, other: &str) -> bool {
    part == other
        || (TOP.contains(&part) && (part != "app" || !TOP.contains(&other)))
        || (!BASE.contains(&part) && BASE.contains(&other))
        || below(part).is_some_and(|more| more.contains(&other))
}

/// Returns every path that a `use` imports, with groups expanded: `a::{b, c::*}` is `a::b` and
/// `a::c::*`.
fn imports(code: &str) -> Vec<String> {
    let uses = code.split("use ").skip(1).filter_map(|rest| rest.split(';').next());
    uses.flat_map(|tree| tree_paths(&tree.split_whitespace().collect::<Vec<_>>().join(" ")))
        .collect()
}

fn tree_paths(tree: &str) -> Vec<String> {
    let Some((stem, _)) = tree.split_once('{') else {
        return vec![tree.split(" as ").next().unwrap_or(tree).trim().to_owned()];
    };
    let inside = &tree[stem.len() + 1..closing(tree, '{', '}').max(stem.len() + 2) - 1];
    let (mut branches, mut depth) = (vec![String::new()], 0);
    for c in inside.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                branches.push(String::new());
                continue;
            }
            _ => {}
        }
        branches.last_mut().unwrap().push(c);
    }
    let branches = branches.iter().map(|branch| branch.trim()).filter(|branch| !branch.is_empty());
    branches.flat_map(tree_paths).map(|path| format!("{}{path}", stem.trim())).collect()
}

/// Returns which of [`IMPURE`] code names; importing a module around one of them hides what is
/// named.
fn impure(code: &str) -> BTreeSet<&'static str> {
    let imports = imports(code);
    let within = |path: &str, outer: &str| {
        path.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    let imported = |name: &str| {
        imports.iter().any(|path| {
            let module = path.trim_end_matches("::*").trim_end_matches("::self");
            within(module, name) || within(name, module)
        })
    };
    let written = |name: &str| {
        code.match_indices(name).any(|(at, _)| {
            let edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_');
            let after = &code[at + name.len()..];
            edge(code[..at].chars().next_back())
                && edge(after.chars().next())
                && (name.contains("::") || after.starts_with("::"))
        })
    };
    IMPURE.into_iter().filter(|name| imported(name) || written(name)).collect()
}

#[test]
fn parts_name_only_what_stands_below_them() {
    let mut forbidden = Vec::new();
    for source in sources("src") {
        let part = part_of(&source.path);
        let path = source.path.display();
        if below(&part).is_none() && !TOP.contains(&part.as_str()) {
            forbidden.push(format!("{path}: src/{part} has no place in the order yet"));
            continue;
        }
        if source.shipped.contains("anyhow") && !TOP.contains(&part.as_str()) {
            forbidden.push(format!("{path}: {part} has errors of its own, not anyhow's"));
        }
        for other in named(&source.code) {
            if other.is_empty() {
                forbidden.push(format!("{path}: crate::{{ hides what is named"));
            } else if !may_name(&part, &other) {
                forbidden.push(format!("{path}: {part} must not name {other}"));
            }
        }
    }
    assert!(forbidden.is_empty(), "{forbidden:#?}");
}

#[test]
fn pure_parts_name_no_runtime_file_socket_clock_or_thread() {
    let mut forbidden = Vec::new();
    for source in sources("src") {
        let part = part_of(&source.path);
        if PURE.contains(&part.as_str()) {
            for name in impure(&source.shipped) {
                forbidden.push(format!("{}: {part} must not name {name}", source.path.display()));
            }
        }
    }
    assert!(forbidden.is_empty(), "{forbidden:#?}");
}

#[test]
fn forbidden_names_are_found() {
    let source = "use crate::http::Router; // crate::cli\nlet x = crate::app::run(crate::{a, b});";
    let expected = ["", "app", "http"].map(str::to_owned);
    assert_eq!(named(&blank(source)), BTreeSet::from(expected));
    assert!(!may_name("http", "pipeline") && !may_name("stt", "tts") && !may_name("audio", "turn"));
    assert!(!may_name("pipeline", "config") && may_name("pipeline", "audio"));
    assert!(may_name("cli", "app") && !may_name("app", "cli"));
    assert!(below("utils").is_none() && !may_name("utils", "config"));
}

#[test]
fn impure_names_are_found() {
    for (code, expected) in [
        ("use tokio::sync::mpsc;", &["tokio"][..]),
        ("async fn wait() { tokio::time::sleep(d).await }", &["tokio"]),
        (
            "use std::{\n    fs,\n    time::{Duration, Instant as Then},\n};",
            &["std::fs", "std::time::Instant"],
        ),
        ("use std::time;", &["std::time::Instant", "std::time::SystemTime"]),
        ("use std::time::{self, Duration};", &["std::time::Instant", "std::time::SystemTime"]),
        ("use std::net::*;", &["std::net"]),
        ("let t = std::thread::spawn(f);", &["std::thread"]),
        ("pub use reqwest as client;", &["reqwest"]),
        ("use std::time::Duration;\nuse std::{fmt, panic::catch_unwind};", &[]),
        ("let tokio = my_tokio::fs(std::fsck);", &[]),
    ] {
        assert_eq!(impure(&blank(code)).into_iter().collect::<Vec<_>>(), expected, "{code}");
    }
    assert!(impure(&blank("// tokio::spawn\nlet s = \"std::fs\";")).is_empty());
}
