//! Writes out what a voice should say for a text: removes markup, then turns numbers and signs into
//! words.
//!
//! The last step before a synthesizer. Deterministic. The output has no control characters, no
//! `[[`, no `]]` and no double space, and its length is bounded by the input's.

use super::inline::is_emoji;
use super::links::{inside_word, link_length, say_link};
use super::{lang, markup, rules};
use crate::turn::LanguageCode;

/// Returns what a voice should say for `text`, written in `language`.
///
/// For a language without tables only markup, emoji and addresses are handled: numbers stay digits,
/// since words of another language would be worse than the engine's own reading.
#[must_use]
pub fn spoken(text: &str, language: &LanguageCode) -> String {
    let language = lang::find(language);
    let mut said = String::with_capacity(text.len());
    let mut stop_before_next = false;
    for line in markup::lines(text, language) {
        let words = match language {
            Some(language) => rules::apply(&line.text, language),
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
    said
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
    }

    #[test]
    fn a_region_does_not_hide_the_language() {
        assert_eq!(spoken("5 €", &"pt-BR".into()), "cinco euros");
        assert_eq!(spoken("5 €", &"DE".into()), "fünf Euro");
    }

    #[test]
    fn phoneme_brackets_vanish() {
        assert_eq!(spoken("say [[h@l'oU]] now", &"en".into()), "say [h@l'oU] now");
    }
}
