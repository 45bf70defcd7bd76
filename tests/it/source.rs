//! Reads our own Rust sources for the tests that keep the code in order: [`super::layers`] and
//! [`super::shape`].
//!
//! No parser: comments, strings and characters are blanked, then words and brackets are counted.
//! That is enough for code that rustfmt has formatted.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Holds one source file.
pub(super) struct Source {
    /// Path below the folder of the crate.
    pub(super) path: PathBuf,
    pub(super) text: String,
    /// The text with comments, strings and characters blanked; lines keep their places.
    pub(super) code: String,
    /// The code with everything that is compiled only for tests blanked; empty for a file of tests.
    pub(super) shipped: String,
}

/// Reads every Rust file of a folder of the crate.
pub(super) fn sources(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut test_modules = BTreeSet::new();
    let mut sources = Vec::new();
    for file in files(&root.join(folder)) {
        let text = fs::read_to_string(&file).unwrap();
        let path = file.strip_prefix(root).unwrap().to_owned();
        let code = blank(&text);
        let (shipped, modules) = without_tests(&code);
        test_modules.extend(modules.into_iter().map(|module| module_path(&path, &module)));
        sources.push(Source { path, text, code, shipped });
    }
    for source in &mut sources {
        let module = source.path.with_extension("");
        if test_modules.iter().any(|tests| module.starts_with(tests)) {
            source.shipped.clear();
        }
    }
    sources
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Returns the path of a module that the file at `parent` declares, without extension.
fn module_path(parent: &Path, module: &str) -> PathBuf {
    let stem = parent.file_stem().unwrap();
    let folder = if stem == "mod" || stem == "lib" || stem == "main" {
        parent.with_file_name("")
    } else {
        parent.with_extension("")
    };
    folder.join(module)
}

/// Blanks comments, strings and characters.
pub(super) fn blank(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let before = code.chars().next_back().unwrap_or(' ');
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if first == '"' {
            string(rest)
        } else if let (false, Some(length)) = (is_word(before), raw_string(rest)) {
            length
        } else if first == '\'' {
            character(rest)
        } else {
            0
        };
        if length == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            let (gone, left) = rest.split_at(length);
            code.extend(gone.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = left;
        }
    }
    code
}

fn block_comment(text: &str) -> usize {
    let mut depth = 0;
    for (at, pair) in text.as_bytes().windows(2).enumerate() {
        match pair {
            b"/*" => depth += 1,
            b"*/" if depth == 1 => return at + 2,
            b"*/" => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn raw_string(text: &str) -> Option<usize> {
    let start = text.strip_prefix(['b', 'c']).unwrap_or(text).strip_prefix('r')?;
    let hashes = start.len() - start.trim_start_matches('#').len();
    let body = start[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(text.len() - body.len() + body.find(&end)? + end.len())
}

/// Returns the length of a character; 0 for a lifetime.
fn character(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some((at, escaped))) => {
            let from = at + escaped.len_utf8();
            text[from..].find('\'').map_or(0, |end| from + end + 1)
        }
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 0,
    }
}

/// Blanks items after `#[cfg(test)]`; returns the names of test modules in other files.
fn without_tests(code: &str) -> (String, Vec<String>) {
    const MARK: &str = "#[cfg(test)]";
    let (mut shipped, mut modules) = (String::new(), Vec::new());
    let mut rest = code;
    while let Some(at) = rest.find(MARK) {
        shipped.push_str(&rest[..at]);
        let item = &rest[at..];
        let mut start = MARK.len();
        while item[start..].trim_start().starts_with("#[") {
            start += closing(&item[start..], '[', ']');
        }
        let end = match item[start..].find(['{', ';']).map(|end| start + end) {
            Some(end) if item[end..].starts_with('{') => start + closing(&item[start..], '{', '}'),
            Some(end) => {
                let words: Vec<&str> = words(&item[start..end]).map(|(_, word)| word).collect();
                if let [.., "mod", name] = words.as_slice() {
                    modules.push((*name).to_owned());
                }
                end + 1
            }
            None => item.len(),
        };
        shipped.extend(item[..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = &item[end..];
    }
    (shipped + rest, modules)
}

/// Returns the offset after the bracket that closes the first `open`.
pub(super) fn closing(code: &str, open: char, close: char) -> usize {
    let mut depth = 0;
    for (at, c) in code.char_indices() {
        if c == open {
            depth += 1;
        } else if c == close && depth > 0 {
            depth -= 1;
            if depth == 0 {
                return at + 1;
            }
        }
    }
    code.len()
}

/// Returns the words of `code` with their offsets.
pub(super) fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let starts = code
        .char_indices()
        .filter(move |&(at, c)| is_word(c) && !code[..at].chars().next_back().is_some_and(is_word));
    starts.map(move |(at, _)| {
        let rest = &code[at..];
        (at, &rest[..rest.find(|c| !is_word(c)).unwrap_or(rest.len())])
    })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[test]
fn comments_strings_and_tests_are_blanked() {
    let text =
        "a // b\n/* c /* d */ */ e \"f\\\" // g\" h r#\"i\" j\"# 'k' '\\'' &'l m b\"n\" or\"\n";
    let left: Vec<String> = words(&blank(text)).map(|(_, word)| word.to_owned()).collect();
    assert_eq!(left, ["a", "e", "h", "l", "m", "b", "or"]);
    assert_eq!(blank(text).matches('\n').count(), text.matches('\n').count());

    let code = "fn a() {}\n#[cfg(test)]\n#[expect(b)]\nmod c {\n fn d() {}\n}\nfn e() {}\n#[cfg(test)]\nmod f;\n";
    let (shipped, modules) = without_tests(code);
    let left: Vec<&str> = words(&shipped).map(|(_, word)| word).collect();
    assert_eq!(left, ["fn", "a", "fn", "e"]);
    assert_eq!(modules, ["f"]);
    assert_eq!(module_path(Path::new("src/x/mod.rs"), "f"), Path::new("src/x/f"));
    assert_eq!(module_path(Path::new("src/x.rs"), "f"), Path::new("src/x/f"));
}
