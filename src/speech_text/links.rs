//! Rules for web addresses: a short one is said, a long one is sent as a text beside the note.
//!
//! [`is_long`] alone decides which, both for what is said and for what is sent.

use super::language::{Form, Language};
use super::number::{digit_by_digit, digits};
use super::rules::{Said, Spot};

/// Limits an address that a person can say and remember, in characters.
const MAX_SAID: usize = 30;

/// Limits a host, in bytes. Source: RFC 1035, section 2.3.4.
const MAX_HOST: usize = 253;

/// Lists the ends of hosts; any other end is the start of a sentence after a missing space.
const TOP_LEVELS: [&str; 36] = [
    "com", "org", "net", "io", "info", "biz", "app", "dev", "ai", "eu", "shop", "store", "online",
    "es", "de", "fr", "pt", "br", "uk", "us", "ca", "mx", "ar", "cl", "co", "pe", "ch", "at", "be",
    "it", "nl", "pl", "me", "example", "in", "tv",
];

/// Returns the links of a complete answer that must be sent as text, in order, each once, as
/// written.
#[must_use]
pub fn long_links(text: &str) -> Vec<String> {
    let mut links: Vec<String> = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let inside_word =
            text[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '@');
        let length = if inside_word { None } else { link_length(&text[at..]) };
        let Some(length) = length else {
            at += c.len_utf8();
            continue;
        };
        let link = &text[at..at + length];
        if is_long(link) && !links.iter().any(|known| known == link) {
            links.push(link.to_owned());
        }
        at += length;
    }
    links
}

/// Returns whether a link is too long or too odd to be said, that is more than a host and one word.
pub(super) fn is_long(link: &str) -> bool {
    let bare = bare(link);
    let (host, path) = bare.split_once('/').unwrap_or((bare, ""));
    let word = |c: char| c.is_ascii_lowercase() || c == '-';
    let word_path = path.chars().all(word);
    let short_path = path.len() <= 8 && path.chars().all(|c| word(c) || c.is_ascii_digit());
    let odd_path = !word_path && !short_path;
    bare.chars().count() > MAX_SAID || host.contains([':', '?', '#', '@', '%']) || odd_path
}

/// Returns an address without its scheme, "www." and last slash.
pub(super) fn bare(link: &str) -> &str {
    let bare = link.strip_prefix("https://").or_else(|| link.strip_prefix("http://"));
    let bare = bare.unwrap_or(link);
    bare.strip_prefix("www.").unwrap_or(bare).trim_end_matches('/')
}

/// Returns the length of the link that `text` starts with, without the punctuation after it.
pub(super) fn link_length(text: &str) -> Option<usize> {
    let marks = ["https://", "http://", "www."];
    let scheme = marks.iter().find(|mark| text.starts_with(**mark)).map(|mark| mark.len());
    if scheme.is_none() && !text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    let stops = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '<' | '>' | '"' | '`' | '|' | '\\' | '{' | '}' | '[' | ']')
            || matches!(
                c,
                '。' | '，' | '、' | '（' | '）' | '「' | '」' | '！' | '？' | '”' | '»' | '।'
            )
    };
    if scheme.is_none() {
        // Checked first: where every letter may begin a host, only this much is searched.
        let host = &text[..host_run(text)?];
        let host = host.trim_end_matches(['.', '-']);
        let behind = &text[host.len()..];
        if !is_host(host) || behind.starts_with('@') {
            return None;
        }
        if !behind.starts_with(['/', '?', '#', ':']) {
            return Some(host.len());
        }
    }
    let mut link = &text[..text.find(stops).unwrap_or(text.len())];
    loop {
        let last = link.chars().next_back()?;
        let closes = last == ')' && link.matches(')').count() > link.matches('(').count();
        // In "[here](address)." the closing bracket comes before the stop.
        let unopened = link.find(')').filter(|&at| !link[..at].contains('('));
        if let Some(at) = unopened {
            link = &link[..at];
        } else if closes
            || matches!(
                last,
                '.' | ',' | '!' | '?' | ';' | ':' | '\'' | '*' | '_' | '~' | '…' | '’' | '(' | '/'
            ) && !(last == '/' && link.len() > scheme.unwrap_or(0) + 1)
        {
            link = &link[..link.len() - last.len_utf8()];
        } else {
            break;
        }
    }
    (link.len() > scheme.unwrap_or(0)).then_some(link.len())
}

/// Counts the bytes at the start of `text` that a host may contain; `None` if they are too many.
fn host_run(text: &str) -> Option<usize> {
    let of_host = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    let length = text.bytes().take(MAX_HOST + 1).take_while(|byte| of_host(*byte)).count();
    (length <= MAX_HOST).then_some(length)
}

/// Returns whether `host` is labels with a known end, as in "my-shop.example.com".
pub(super) fn is_host(host: &str) -> bool {
    let mut labels = host.split('.');
    let last = labels.next_back().unwrap_or_default();
    let label = |label: &str| {
        !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    host.len() >= 4
        && host.contains('.')
        && host.contains(|c: char| c.is_ascii_alphabetic())
        && TOP_LEVELS.contains(&last)
        && labels.all(label)
}

/// Says a link, or the words that replace it.
pub(super) fn said(spot: &Spot) -> Option<Said> {
    let length = link_length(spot.rest())?;
    Said::new(length, say_link(&spot.rest()[..length], Some(spot.language)))
}

/// Says a link; a language without tables gets the host as it is written.
pub(super) fn say_link(link: &str, language: Option<&Language>) -> String {
    let host = || {
        let bare = bare(link);
        bare[..bare.find(['/', '?', '#', ':']).unwrap_or(bare.len())].to_owned()
    };
    match language {
        None => host(),
        Some(language) if is_long(link) => language.words.long_link.to_owned(),
        Some(language) => say_label(bare(link), language),
    }
}

/// Says a part of an address: letters as they are, marks by name, long numbers digit by digit.
pub(super) fn say_label(label: &str, language: &Language) -> String {
    let words = &language.words;
    let mut said: Vec<String> = Vec::new();
    let mut at = 0;
    while let Some(c) = label[at..].chars().next() {
        let mark = match c {
            '.' => Some(words.dot),
            '-' => Some(words.hyphen),
            '_' => Some(words.underscore),
            '/' => Some(words.slash),
            '+' => Some(words.plus),
            ' ' => Some(""),
            _ => None,
        };
        let run = match mark {
            Some(mark) => {
                said.push(mark.to_owned());
                c.len_utf8()
            }
            None if c.is_ascii_digit() => {
                let run = digits(&label[at..]);
                said.push(match run.parse() {
                    Ok(n) if run.len() <= 2 && !run.starts_with('0') => {
                        (language.cardinal)(n, Form::Alone)
                    }
                    Ok(n) if run.len() == 4 && (1900..2100).contains(&n) => (language.year)(n),
                    _ => digit_by_digit(run, language),
                });
                run.len()
            }
            None => {
                let stops = |c: char| c.is_ascii_digit() || ".-_/+ ".contains(c);
                let run = label[at..].find(stops).unwrap_or(label.len() - at);
                said.push(label[at..at + run].to_owned());
                run
            }
        };
        at += run;
    }
    said.retain(|word| !word.is_empty());
    said.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_links_nobody_can_say_go_out_as_text() {
        let text = "See https://example.com/help, [book](https://example.com/b?id=7&x=(1)) or \
                    <https://example.com/a/b/c>. Again: https://example.com/a/b/c! \
                    Write to me@example.com/a/b. www.example.org/Some_Page_(film) example.com";
        assert_eq!(
            long_links(text),
            [
                "https://example.com/b?id=7&x=(1)",
                "https://example.com/a/b/c",
                "www.example.org/Some_Page_(film)",
            ]
        );
    }

    #[test]
    fn a_long_text_without_a_space_is_searched_once() {
        // Reading it to the end from every letter would take minutes.
        assert!(long_links(&"a-".repeat(32 << 10)).is_empty());
        let link = format!("{}.example.com/a/b?c", "a".repeat(63));
        assert_eq!(long_links(&link), [link.as_str()]);
    }

    #[test]
    fn a_short_link_has_a_host_and_one_word() {
        for short in ["https://example.com", "www.example.com/", "shop.example.com/help", "a.de/24"]
        {
            assert!(!is_long(short), "{short}");
        }
        for long in [
            "https://wa.me/34600123456",
            "example.com/aB3xK",
            "example.com:8080",
            "example.com/a/b",
            "https://a-very-long-name-of-a-host.example.com",
        ] {
            assert!(is_long(long), "{long}");
        }
    }
}
