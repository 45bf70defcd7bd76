//! Rules for web addresses: a short one is said, a long one is sent as a text beside the note.
//!
//! [`is_long`] alone decides which, both for what is said and for what is sent.

use super::hosts::{begins_address, host_run};
use super::language::{Form, Language};
use super::number::{digit_by_digit, digits};
use super::rules::{Said, Spot};

/// Limits an address that a person can say and remember, in characters.
const MAX_SAID: usize = 30;

/// Returns the links of a complete answer that must be sent as text, in order, each once, as
/// written.
#[must_use]
pub fn long_links(text: &str) -> Vec<String> {
    let mut links: Vec<String> = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let length = if inside_word(&text[..at]) { None } else { link_length(&text[at..]) };
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

/// Returns whether the end of `before` and what follows are one word. Chinese and its neighbours put
/// no space before an address.
pub(super) fn inside_word(before: &str) -> bool {
    before.ends_with(|c: char| (c.is_alphanumeric() && c < '\u{2e80}') || c == '@')
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
    link[mark_length(link)..].trim_end_matches('/')
}

/// Returns the length of the scheme and the "www." that `text` begins with, in any case.
fn mark_length(text: &str) -> usize {
    let length = |text: &str, marks: &[&str]| {
        let begins = |mark: &&str| {
            text.get(..mark.len()).is_some_and(|head| head.eq_ignore_ascii_case(mark))
        };
        marks.iter().copied().find(begins).map_or(0, str::len)
    };
    let scheme = length(text, &["https://", "http://"]);
    scheme + length(&text[scheme..], &["www."])
}

/// Returns the length of the link that `text` starts with, without the punctuation after it.
pub(super) fn link_length(text: &str) -> Option<usize> {
    let mark = mark_length(text);
    if mark == 0 && !text.starts_with(|c: char| c.is_alphanumeric()) {
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
    if mark == 0 {
        // Checked first: where every letter may begin a host, only this much is searched.
        let host = host_at(text)?;
        if !text[host..].starts_with(['/', '?', '#', ':']) {
            return Some(host);
        }
    }
    let mut link = &text[..text.find(stops).unwrap_or(text.len())];
    // Of two addresses without a space between them the first ends before the second.
    let next = link.match_indices([',', ';']).find(|(at, _)| begins_link(&link[at + 1..]));
    if let Some((at, _)) = next {
        link = &link[..at];
    }
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
            ) && !(last == '/' && link.len() > mark + 1)
        {
            link = &link[..link.len() - last.len_utf8()];
        } else {
            break;
        }
    }
    (link.len() > mark).then_some(link.len())
}

/// Returns the length of the host without a scheme that `text` begins with.
fn host_at(text: &str) -> Option<usize> {
    let host = text[..host_run(text)?].trim_end_matches(['.', '-']);
    let behind = &text[host.len()..];
    (!behind.starts_with('@') && begins_address(host, behind)).then_some(host.len())
}

/// Returns whether another address begins with `text`, behind a comma in one.
fn begins_link(text: &str) -> bool {
    mark_length(text) > 0 || host_at(text).is_some_and(|host| text[host..].starts_with('/'))
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
    fn links_are_found_however_they_are_written() {
        for (text, links) in [
            ("Book here: bit.ly/3xYz please.", &["bit.ly/3xYz"][..]),
            ("Find us: maps.app.goo.gl/AbC12dEf today.", &["maps.app.goo.gl/AbC12dEf"]),
            (
                "See https://a.example.com/1/2,https://a.example.com/3/4.",
                &["https://a.example.com/1/2", "https://a.example.com/3/4"],
            ),
            (
                "a.example.com/1/2,bit.ly/a/b;www.example.com/3/4",
                &["a.example.com/1/2", "bit.ly/a/b", "www.example.com/3/4"],
            ),
            ("(HTTPS://Example.COM/Path)", &["HTTPS://Example.COM/Path"]),
            ("[Karte](maps.app.goo.gl/AbC12dEf).", &["maps.app.goo.gl/AbC12dEf"]),
            ("*wa.me/34600123456*, t.me/x_y!", &["wa.me/34600123456", "t.me/x_y"]),
            ("请访问https://example.com/预订/a。谢谢", &["https://example.com/预订/a"]),
            ("youtu.be/dQw4?t=1#a", &["youtu.be/dQw4?t=1#a"]),
            ("https://example.com/a,b,c", &["https://example.com/a,b,c"]),
            ("Open at nine.We close at six. See menu.pdf, Node.js, e.g. 9.30/10.30.", &[]),
            ("info@example.com and/or a.m./p.m.", &[]),
        ] {
            assert_eq!(long_links(text), links, "{text}");
        }
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
