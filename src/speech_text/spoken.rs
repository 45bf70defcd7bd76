//! Takes out of a sentence what is only for the eye: markup, addresses, emoji.
//!
//! Last step before a synthesizer. Minimal on purpose: numbers, dates and currencies are left to
//! the engine. Deterministic; the output has no control character, no `[[` and no double space.

/// Returns what a voice should say for `text`, written in `language`, an ISO 639-1 code.
#[must_use]
pub fn spoken(text: &str, _language: &str) -> String {
    let mut said = String::with_capacity(text.len());
    let mut stop_before_next = false;
    for line in text.lines() {
        let (line, is_item) = unmark_line(line);
        let line = unmark_words(&line_without_links(line));
        if line.is_empty() {
            continue;
        }
        if !said.is_empty() {
            // A heading or list item has no full stop, and would run into the next line.
            let open = said.ends_with(|c: char| c.is_alphanumeric());
            said.push_str(if open && (is_item || stop_before_next) { ". " } else { " " });
        }
        said.push_str(&line);
        stop_before_next = is_item;
    }
    while said.contains("[[") || said.contains("]]") {
        said = said.replace("[[", "[").replace("]]", "]");
    }
    said
}

/// Strips what marks a whole line; also tells whether it was a heading, bullet or fence.
fn unmark_line(line: &str) -> (&str, bool) {
    let line = line.trim();
    if line.starts_with("```") || line.starts_with("~~~") || is_rule(line) {
        return ("", true);
    }
    let heading = line.trim_start_matches('#');
    if heading.len() < line.len() && heading.starts_with(' ') {
        return (heading.trim(), true);
    }
    for bullet in ["- ", "* ", "+ ", "• ", "– "] {
        if let Some(item) = line.strip_prefix(bullet) {
            return (item.trim(), true);
        }
    }
    (line.trim_start_matches("> "), false)
}

/// Whether the line is a horizontal rule: three or more of one mark and nothing else.
fn is_rule(line: &str) -> bool {
    line.len() >= 3 && ['-', '*', '_', '='].iter().any(|&mark| line.chars().all(|c| c == mark))
}

/// Replaces `[words](address)` by the words.
fn line_without_links(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(middle) = rest.find("](") {
        let (Some(open), Some(close)) = (rest[..middle].rfind('['), rest[middle..].find(')'))
        else {
            out.push_str(&rest[..middle + 2]);
            rest = &rest[middle + 2..];
            continue;
        };
        out.push_str(rest[..open].trim_end_matches('!'));
        out.push_str(&rest[open + 1..middle]);
        rest = &rest[middle + close + 1..];
    }
    out.push_str(rest);
    out
}

/// Cleans each word and joins them by single spaces.
fn unmark_words(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for word in line.split(|c: char| c.is_whitespace() || c.is_control()) {
        let word = match host_of(word) {
            Some(host) => host,
            None => unmark_word(word),
        };
        if word.is_empty() {
            continue;
        }
        if !out.is_empty() && !word.chars().all(|c| matches!(c, '.' | ',' | '!' | '?' | ';' | ':'))
        {
            out.push(' ');
        }
        out.push_str(&word);
    }
    out
}

/// Drops emphasis marks, backticks and emoji from one word.
fn unmark_word(word: &str) -> String {
    let chars: Vec<char> = word.chars().collect();
    let is_letter =
        |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(|c| c.is_alphanumeric());
    let mut out = String::with_capacity(word.len());
    let mut after_emoji = false;
    for (at, &c) in chars.iter().enumerate() {
        let emoji = is_emoji(c) || (after_emoji && c == '\u{200d}');
        after_emoji = emoji;
        match c {
            _ if emoji => {}
            '*' if chars.len() > 1 && !is_product(&chars, at) => {}
            '~' if word.contains("~~") => {}
            '_' if is_letter(at.checked_sub(1)) && is_letter(Some(at + 1)) => out.push(' '),
            '_' | '|' | '`' => {}
            _ => out.push(c),
        }
    }
    out
}

/// Whether the asterisk at `at` stands between two numbers.
fn is_product(chars: &[char], at: usize) -> bool {
    let is_digit = |at: usize| chars.get(at).is_some_and(char::is_ascii_digit);
    at > 0 && is_digit(at - 1) && is_digit(at + 1)
}

/// The host of a web address, with the punctuation that follows the address; `None` for a word.
fn host_of(word: &str) -> Option<String> {
    let start = ["https://", "http://", "www."].iter().filter_map(|mark| word.find(mark)).min()?;
    let before = word[..start].trim_matches(['*', '_', '`', '<']);
    let address = &word[start..];
    let address = address
        .strip_prefix("https://")
        .or_else(|| address.strip_prefix("http://"))
        .unwrap_or(address);
    let address = address.strip_prefix("www.").unwrap_or(address);
    let bare = address.trim_end_matches(['.', ',', '!', '?', ';', ':', ')', '>', '*', '_', '`']);
    let after: String =
        address[bare.len()..].chars().filter(|c| !matches!(c, '>' | '*' | '_' | '`')).collect();
    let host = bare.split(['/', '?', '#', ':']).next().filter(|host| !host.is_empty())?;
    Some(format!("{before}{host}{after}"))
}

/// Whether `c` is a pictograph, an arrow or one of the signs that modify pictographs.
fn is_emoji(c: char) -> bool {
    matches!(c,
        '\u{1f000}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}' | '\u{2b00}'..='\u{2bff}'
        | '\u{2190}'..='\u{21ff}' | '\u{2300}'..='\u{23ff}' | '\u{fe0f}' | '\u{20e3}'
        | '\u{e0020}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(spoken(text, "en"), expected);
    }

    #[test]
    fn markdown_marks_are_not_said() {
        check("**Yes**, we _do_ sell `tea`.", "Yes, we do sell tea.");
        check("# Hours\nWe open at nine.", "Hours. We open at nine.");
        check("We sell:\n- tea\n- coffee\n* milk", "We sell: tea. coffee. milk");
        check("```sh\nls\n```", "ls");
        check("a line\nthat was wrapped", "a line that was wrapped");
        check("2 * 3 is not *4*5*", "2 * 3 is not 4*5");
    }

    #[test]
    fn addresses_are_said_as_their_host() {
        check("See https://www.example.com/a?b=c.", "See example.com.");
        check("See [our page](https://example.com/x) now", "See our page now");
        check("Go to <http://shop.example:8080/a>, please", "Go to shop.example, please");
        check("![logo](a.png) hello", "logo hello");
    }

    #[test]
    fn emoji_vanish() {
        check("Great 👍🏽 thanks 👩‍💻!", "Great thanks!");
        check("☎️ Call us", "Call us");
    }

    #[test]
    fn phoneme_brackets_vanish() {
        check("say [[h@l'oU]] now", "say [h@l'oU] now");
    }

    proptest! {
        #[test]
        fn output_has_nothing_an_engine_would_interpret(text in "(\\[|\\]|\\(|http://|[*_`~#|\\n\\t]|\\PC){0,80}") {
            let said = spoken(&text, "en");
            prop_assert!(!said.contains("[[") && !said.contains("  "));
            prop_assert!(!said.chars().any(char::is_control));
        }
    }
}
