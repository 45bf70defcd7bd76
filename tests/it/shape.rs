//! Keeps the code proofreadable: short files and functions, no unwraps, one meaning per name.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Source, blank, closing, sources, words};

const MAX_FILE_LINES: usize = 400;
const MAX_FUNCTION_LINES: usize = 70;

/// Files (`src/a.rs`) and functions (`src/a.rs: f`) that are longer, and why.
const TOO_LONG: &[(&str, &str)] = &[];

/// Type names that are defined more than once, and why that confuses nobody.
const SHARED_NAMES: &[(&str, &str)] = &[
    ("Arguments", "what one command takes; every command has a module"),
    ("Settings", "of one engine, which its module names: `whisper::Settings`"),
];

/// Returns the functions of a file with their lengths in lines.
fn functions(code: &str) -> Vec<(&str, usize)> {
    let mut found = Vec::new();
    let mut before = "";
    for (at, word) in words(code) {
        let named = std::mem::replace(&mut before, word) == "fn" && code[..at].ends_with("fn ");
        if named {
            let rest = &code[at..];
            // The `;` of an array's type does not end a signature.
            let mut depth = 0;
            let head = rest.find(|c| {
                match c {
                    '[' => depth += 1,
                    ']' => depth -= 1,
                    _ => {}
                }
                depth == 0 && matches!(c, '{' | ';')
            });
            let head = head.unwrap_or(rest.len());
            if rest[head..].starts_with('{') {
                let body = &rest[..closing(rest, '{', '}')];
                found.push((word, body.lines().count()));
            }
        }
    }
    found
}

/// Returns the types that code defines.
fn types(code: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut before = (0, "");
    for (at, word) in words(code) {
        let (start, keyword) = std::mem::replace(&mut before, (at, word));
        let line = &code[code[..start].rfind('\n').map_or(0, |end| end + 1)..start];
        // An indented alias belongs to a trait.
        let alias = keyword == "type" && !line.starts_with(' ');
        let name = word.starts_with(char::is_uppercase);
        if name && (alias || ["struct", "enum", "trait"].contains(&keyword)) {
            found.push(word);
        }
    }
    found
}

/// Returns the types that several places define, with their files.
fn shared_names(sources: &[Source]) -> BTreeMap<&str, Vec<String>> {
    let mut defined: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for source in sources {
        for name in types(&source.shipped) {
            defined.entry(name).or_default().push(source.path.display().to_string());
        }
    }
    defined.retain(|_, places| places.len() > 1);
    defined
}

#[test]
fn files_and_functions_are_short() {
    let mut long = BTreeMap::new();
    for source in ["src", "tests", "benches"].into_iter().flat_map(sources) {
        let (path, lines) = (source.path.display(), source.text.lines().count());
        if lines > MAX_FILE_LINES {
            long.insert(path.to_string(), lines);
        }
        for (name, lines) in functions(&source.code) {
            if lines > MAX_FUNCTION_LINES {
                long.insert(format!("{path}: {name}"), lines);
            }
        }
    }
    let stale: Vec<_> = TOO_LONG.iter().filter(|(name, _)| !long.contains_key(*name)).collect();
    assert!(stale.is_empty(), "take these out of TOO_LONG: {stale:?}");
    long.retain(|name, _| !TOO_LONG.iter().any(|(known, _)| known == name));
    assert!(long.is_empty(), "lines: {long:#?}");
}

#[test]
fn nothing_that_is_shipped_unwraps() {
    let unwraps = sources("src").into_iter().filter(|source| source.shipped.contains(".unwrap()"));
    let files: Vec<_> = unwraps.map(|source| source.path).collect();
    assert!(files.is_empty(), "{files:#?}");
}

#[test]
fn a_type_name_has_one_meaning() {
    let sources = sources("src");
    let shared = shared_names(&sources);
    let allowed: BTreeSet<&str> = SHARED_NAMES.iter().map(|(name, _)| *name).collect();
    let fresh: BTreeMap<_, _> =
        shared.iter().filter(|(name, _)| !allowed.contains(*name)).collect();
    assert!(fresh.is_empty(), "rename these, or say why in SHARED_NAMES: {fresh:#?}");
    let stale: Vec<_> = allowed.iter().filter(|name| !shared.contains_key(*name)).collect();
    assert!(stale.is_empty(), "take these out of SHARED_NAMES: {stale:?}");
}

#[test]
fn functions_and_types_are_found() {
    let code = blank(
        "impl A for B {\n    type Item = C;\n    fn a(&self) -> [u8; 2];\n    fn b(f: fn([u8; 2])) {\n        \
         match '{' { _ => \"}\" }\n    }\n}\ntype D = u8;\npub(crate) enum E<'a> { F }\n",
    );
    assert_eq!(functions(&code), [("b", 3)]);
    assert_eq!(types(&code), ["D", "E"]);
}
