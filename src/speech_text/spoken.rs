//! Writes out what a voice should say for a text: removes markup, then turns numbers and signs into
//! words.
//!
//! The last step before a synthesizer. Deterministic. The output has no control characters, no
//! `[[`, no `]]` and no double space, and its length is bounded by the input's.

use super::inline::is_emoji;
use super::language::Language;
use super::links::{inside_word, link_length, say_link};
use super::markup::Line;
use super::rules::Change;
use super::{lang, markup, rules};
use crate::turn::LanguageCode;

/// Holds what is said for a text, and what each rule made of it.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Wording {
    pub text: String,
    pub changes: Vec<Change>,
}

/// Returns what a voice should say for `text`, written in `language`.
///
/// For a language without tables only markup, emoji and addresses are handled: numbers stay digits,
/// since words of another language would be worse than the engine's own reading.
#[must_use]
pub fn spoken(text: &str, language: &LanguageCode) -> String {
    worded(text, language).text
}

/// Returns what a voice should say for `text`, and which rules said it.
#[must_use]
pub fn worded(text: &str, language: &LanguageCode) -> Wording {
    let language = lang::find(language);
    let mut said = String::with_capacity(text.len());
    let mut changes = Vec::new();
    let mut stop_before_next = false;
    for line in unmarked(text, language, &mut changes) {
        let words = match language {
            Some(language) => rules::apply(&line.text, language, &mut changes),
            None => with_hosts(&line.text),
        };
        let words = tidy(&words);
        if words.is_empty() {
            continue;
        }
        if !said.is_empty() {
            // A heading or an item has no full stop and would run into the next line.
            let open = said.ends_with(|c: char| c.is_alphanumeric() || matches!(c, ')' | '"'));
            said.push_str(if open && (line.alone || stop_before_next) { ". " } else { " " });
        }
        said.push_str(&words);
        stop_before_next = line.alone;
    }
    while said.contains("[[") || said.contains("]]") {
        said = said.replace("[[", "[").replace("]]", "]");
    }
    Wording { text: said, changes }
}

/// Removes markup, and adds what was removed to `changes`.
fn unmarked(text: &str, language: Option<&Language>, changes: &mut Vec<Change>) -> Vec<Line> {
    let mut all = Vec::new();
    for (written, lines) in markup::lines(text, language) {
        let written = written.trim();
        let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
        let said = texts.join(". ");
        if said != written {
            let rule = lines.first().map_or("markup", |line| line.kind);
            changes.push(Change { written: written.to_owned(), said, rule });
        }
        all.extend(lines);
    }
    all
}

/// Shortens each link to its host.
fn with_hosts(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut at = 0;
    while let Some(c) = line[at..].chars().next() {
        let begins = !inside_word(&line[..at]);
        if let Some(length) = link_length(&line[at..]).filter(|_| begins) {
            out.push_str(&say_link(&line[at..at + length], None));
            at += length;
        } else {
            out.push(c);
            at += c.len_utf8();
        }
    }
    out
}

/// Joins words by single spaces and drops what an engine would stumble over.
fn tidy(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for c in line.chars() {
        match c {
            _ if c.is_whitespace() || c.is_control() => {
                if !out.is_empty() && !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            // Emoji, and characters without a meaning: private ones, and what was no text.
            '\u{e000}'..='\u{f8ff}' | '\u{fffd}' => {}
            _ if is_emoji(c) => {}
            '.' | ',' | ';' | ':' | '?' | '!' | ')' if out.ends_with(' ') => {
                out.pop();
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out.truncate(out.trim_end().len());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_tables_numbers_stay_digits() {
        let check = |text, expected| assert_eq!(spoken(text, &"hi".into()), expected);
        check("**9** बजे, 5 € 👍", "9 बजे, 5 €");
        check("See https://www.example.com/a?b=c.", "See example.com.");
        check("[our page](https://example.com/x) info@example.com", "our page info@example.com");
        check("```sh\nls\n```\n1. tea\n- milk", "1. tea. milk");
        check("हम नौ बजे खुलते हैं [1]।", "हम नौ बजे खुलते हैं।");
    }

    #[test]
    fn what_was_no_text_is_not_said() {
        assert_eq!(
            spoken("tea\u{fffd} and \u{e200}cite\u{e202}turn0\u{e201}milk", &"en".into()),
            "tea and milk"
        );
    }

    #[test]
    fn a_row_that_only_looks_like_a_tables_rule_ends() {
        assert_eq!(spoken("Tea\n--- | ---\nmilk", &"en".into()), "Tea milk");
    }

    #[test]
    fn long_names_above_many_rows_and_long_chains_are_no_endless_work() {
        let (name, rows) = ("9 ".repeat(350), "|1|\n".repeat(350));
        let table = format!("|{name}|\n|--|\n{rows}");
        let said = spoken(&table, &"en".into());
        assert!(said.len() < 30 * table.len(), "{} of {}", said.len(), table.len());
        assert!(said.ends_with("one. one"), "every row is said");
        // Each was read back to the table's beginning: 25 s.
        for sign in ["-", "+", "/", ")-("] {
            let chain = format!("1{sign}").repeat(1_300);
            assert!(spoken(&format!("| x | {chain} |"), &"en".into()).starts_with("x, one"));
        }
    }

    #[test]
    fn what_a_rule_changed_is_told() {
        let wording = worded("**Act Ⅳ** costs $5.", &"en".into());
        assert_eq!(wording.text, "Act four costs five dollars.");
        let change = |rule, written: &str, said: &str| Change {
            rule,
            written: written.to_owned(),
            said: said.to_owned(),
        };
        let markup = change("markup", "**Act Ⅳ** costs $5.", "Act Ⅳ costs $5.");
        let roman = change("Roman number", "Ⅳ", "four");
        let money = change("quantity", "$5", "five dollars");
        assert_eq!(wording.changes, [markup, roman, money]);
    }

    #[test]
    fn a_region_does_not_hide_the_language() {
        assert_eq!(spoken("5 €", &"pt-BR".into()), "cinco euros");
        assert_eq!(spoken("5 €", &"DE".into()), "fünf Euro");
    }

    #[test]
    fn phoneme_brackets_vanish() {
        assert_eq!(spoken("say [[h@l'oU]] now", &"en".into()), "say h@l'oU now");
    }
}
