//! `docs/CONFIG.md`, made of `default.toml`: `make docs` writes it, and a test fails when it is old.
//!
//! Every line of `default.toml` has a place on the page or stops the making of it by its number, so
//! that no key is lost. The intro beside this file is copied as it is.

mod read;

use std::fmt::Write as _;

use read::{Key, Section, sections};

const DEFAULTS: &str = include_str!("../../../src/config/default.toml");
const INTRO: &str = include_str!("intro.md");
const SLOW: &str = include_str!("slow.md");

/// Makes the page.
///
/// # Panics
/// On a line of `default.toml` that has no place.
fn page() -> String {
    let (preface, sections) = sections(DEFAULTS).unwrap_or_else(|problem| panic!("{problem}"));
    let secrets: Vec<&str> = preface
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter_map(|word| word.strip_suffix("_file"))
        .collect();
    let mut page = INTRO.to_owned();
    let mut parents: Vec<&str> = Vec::new();
    for section in &sections {
        let lists = |name: &str| sections.iter().any(|other| other.name == name && other.is_list);
        match section.name.split_once('.') {
            None if section.name.is_empty() => page.push_str("\n## Before any section\n"),
            None => write!(page, "\n## `{}`\n", section.title()).unwrap(),
            Some((parent, _)) => {
                // One that is a section itself stands there already.
                let own = sections.iter().any(|section| section.name == parent);
                if !own && !parents.contains(&parent) {
                    parents.push(parent);
                    write!(page, "\n## `[{parent}]`\n\n{}\n", section.prose).unwrap();
                }
                write!(page, "\n### `{}`\n", section.title()).unwrap();
            }
        }
        if !section.name.contains('.') && !section.prose.is_empty() {
            write!(page, "\n{}\n", section.prose).unwrap();
        }
        if !section.about.is_empty() {
            write!(page, "\n{}\n", sentence(&section.about)).unwrap();
        }
        page.push_str(&table(section, &secrets, lists));
        if section.name == "llm" {
            page.push_str(SLOW);
        }
    }
    page
}

/// The keys of a section; the column of what they mean only where one says it.
fn table(section: &Section, secrets: &[&str], is_list: impl Fn(&str) -> bool) -> String {
    let described = section.keys.iter().any(|key| !key.about.is_empty());
    let (head, rule) = if described { ("what", "|---") } else { ("", "") };
    let gap = if described { " | " } else { "" };
    let mut table = format!("\n| key | default{gap}{head} | variable |\n|---|---{rule}|---|\n");
    for key in &section.keys {
        let what = cell(&meaning(key, secrets));
        let (name, value) = (&key.name, cell(&key.value));
        let value =
            if key.is_set { format!("`{value}`") } else { format!("not set; like `{value}`") };
        let variable = variable(&section.name, name, &is_list);
        writeln!(table, "| `{name}` | {value}{gap}{what} | `{variable}` |").unwrap();
    }
    table
}

fn meaning(key: &Key, secrets: &[&str]) -> String {
    let mut about = key.about.clone();
    if secrets.contains(&key.name.as_str()) && !about.contains("_file") {
        if !about.is_empty() {
            about.push_str("; ");
        }
        write!(about, "or `{}_file`", key.name).unwrap();
    }
    about
}

/// The environment's name of a key: `HARK__NUMBERS__<n>__AGENT`.
fn variable(section: &str, key: &str, is_list: impl Fn(&str) -> bool) -> String {
    let mut name = "HARK".to_owned();
    let mut path = String::new();
    for step in section.split('.').filter(|step| !step.is_empty()) {
        path = if path.is_empty() { step.to_owned() } else { format!("{path}.{step}") };
        write!(name, "__{}", step.to_uppercase()).unwrap();
        if is_list(&path) {
            name.push_str("__<n>");
        }
    }
    format!("{name}__{}", key.to_uppercase())
}

/// A comment as a sentence.
fn sentence(comment: &str) -> String {
    let mut letters = comment.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    let end = if comment.ends_with(['.', '?', '!']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

/// A text in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    use super::*;

    /// The page as it stands; with `HARK_DOCS=write` it is written first.
    #[test]
    fn the_page_is_what_default_toml_says() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/CONFIG.md");
        let page = page();
        #[expect(clippy::disallowed_methods, reason = "make docs says so")]
        if std::env::var("HARK_DOCS").as_deref() == Ok("write") {
            std::fs::write(&file, &page).unwrap();
        }
        let standing = std::fs::read_to_string(&file).unwrap();
        assert!(standing == page, "docs/CONFIG.md is not what default.toml says; run: make docs");
    }

    #[test]
    fn every_key_that_has_a_default_is_on_the_page() {
        let (_, sections) = sections(DEFAULTS).unwrap();
        let documented = sections.iter().flat_map(|section| {
            let set = section.keys.iter().filter(|key| key.is_set);
            set.map(|key| format!("{}.{}", section.name, key.name))
        });
        let mut defaults = BTreeSet::new();
        leaves(&toml::from_str(DEFAULTS).unwrap(), "", &mut defaults);
        assert_eq!(documented.collect::<BTreeSet<_>>(), defaults);
    }

    fn leaves(table: &toml::Table, section: &str, found: &mut BTreeSet<String>) {
        for (key, value) in table {
            let path = if section.is_empty() { key.clone() } else { format!("{section}.{key}") };
            match value {
                toml::Value::Table(inner) => leaves(inner, &path, found),
                toml::Value::Array(values) if values.iter().any(toml::Value::is_table) => {
                    let tables = values.iter().filter_map(toml::Value::as_table);
                    tables.for_each(|inner| leaves(inner, &path, found));
                }
                _ => drop(found.insert(format!("{section}.{key}"))),
            }
        }
    }

    /// What hark says it takes in a section when it is given something else there.
    fn taken(header: &str) -> BTreeSet<String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hark.toml");
        std::fs::write(&file, format!("{header}\nno_such_key = 1\n")).unwrap();
        let errors = hark::config::load(Some(&file), &BTreeMap::default()).unwrap_err();
        let error = errors.iter().next().expect("there is one").to_string();
        let (_, names) = error.split_once("unknown field `no_such_key`, expected ").expect(&error);
        names.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    }

    #[test]
    fn every_key_that_hark_takes_is_on_the_page_and_no_other() {
        let (_, sections) = sections(DEFAULTS).unwrap();
        for section in sections.iter().filter(|section| !section.name.contains('.')) {
            let header = if section.name.is_empty() { String::new() } else { section.title() };
            let mut documented: BTreeSet<String> =
                section.keys.iter().map(|key| key.name.clone()).collect();
            if section.name.is_empty() {
                let inner = sections.iter().map(|section| section.name.split('.').next().unwrap());
                documented.extend(inner.filter(|name| !name.is_empty()).map(str::to_owned));
            }
            let below = format!("{}.", section.name);
            let inner = sections.iter().filter_map(|other| other.name.strip_prefix(&below));
            documented.extend(inner.map(str::to_owned));
            assert_eq!(documented, taken(&header), "{header}");
        }
        for section in sections.iter().filter(|section| section.name.starts_with("agents.")) {
            let documented: BTreeSet<_> = section.keys.iter().map(|key| key.name.clone()).collect();
            let header = format!("[[agents]]\nname = \"hark\"\n{}", section.title());
            assert_eq!(documented, taken(&header), "{header}");
        }
        let inner = sections.iter().filter_map(|section| section.name.split_once('.'));
        let messages = inner.filter(|(parent, _)| *parent == "messages");
        let messages: BTreeSet<_> = messages.map(|(_, name)| name.to_owned()).collect();
        assert_eq!(messages, taken("[messages]"));
    }

    #[test]
    fn variables_name_lists_by_place() {
        let list = |name: &str| name == "numbers";
        assert_eq!(variable("", "default_agent", list), "HARK__DEFAULT_AGENT");
        assert_eq!(variable("numbers", "agent", list), "HARK__NUMBERS__<n>__AGENT");
        assert_eq!(variable("messages.repeat", "en", list), "HARK__MESSAGES__REPEAT__EN");
    }

    #[test]
    fn a_row_has_the_default_the_meaning_and_the_variable() {
        let toml = "# Or api_key_file.\n\n[llm] # who\n        # answers\nengine = \"a|b\"   # one\n\
                    # api_key = \"...\"\n";
        let (_, sections) = sections(toml).unwrap();
        let table = table(&sections[0], &["api_key"], |_| false);
        let rows: Vec<&str> = table.lines().skip(1).collect();
        assert_eq!(sections[0].about, "who answers");
        assert_eq!(
            rows,
            [
                "| key | default | what | variable |",
                "|---|---|---|---|",
                "| `engine` | `\"a\\|b\"` | one | `HARK__LLM__ENGINE` |",
                "| `api_key` | not set; like `\"...\"` | or `api_key_file` | `HARK__LLM__API_KEY` |",
            ]
        );
    }
}
