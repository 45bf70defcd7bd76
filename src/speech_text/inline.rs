//! Removes markup inside a line: links, images, emphasis, code, HTML, emoji and emoticons.

use super::html::without_tags;
use super::language::Language;
use super::latex::plain;
use super::links::{bare, is_long, link_length};
use super::sources::without_sources;

/// Lists faces made of letters and punctuation.
const EMOTICONS: [&str; 26] = [
    ":-)", ":)", ";-)", ";)", ":-(", ":(", ":D", ":-D", ";D", ":P", ":-P", ":p", "xD", "XD", "<3",
    ":*", ":-*", ":'(", "^^", "^_^", ":/", ":-/", ":O", "=)", ":]", "c:",
];

/// Lists arrows, which are dropped as "→" is.
const ARROWS: [&str; 7] = ["->", "=>", "-->", "==>", "<-", "<--", "<->"];

/// Removes inline markup from a line. A link without words of its own stays as it is.
pub(super) fn unmark(line: &str, language: Option<&Language>) -> String {
    let text = without_sources(&without_tags(&plain(line)));
    let text = without_links(&text, language.is_some());
    let mut out = String::with_capacity(text.len());
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        let word = unmark_word(word);
        if word.is_empty() || is_emoticon(&word) || is_shortcode(&word) || ARROWS.contains(&&*word)
        {
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

fn is_emoticon(word: &str) -> bool {
    let bare = word.trim_end_matches(['.', ',', '!', '?']);
    EMOTICONS.contains(&bare) || EMOTICONS.contains(&word)
}

/// Returns whether a word is the name of an emoji: ":tada:", ":+1:".
fn is_shortcode(word: &str) -> bool {
    let bare = word.trim_end_matches(['.', ',', '!', '?']);
    let name = bare.strip_prefix(':').and_then(|name| name.strip_suffix(':'));
    let of_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_+-".contains(c);
    name.is_some_and(|name| name.len() >= 2 && name.chars().all(of_name) && !is_number(name))
}

fn is_number(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_digit())
}

/// Replaces links by their words, followed by a short address that the words do not contain.
fn without_links(line: &str, with_address: bool) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(open) = rest.find('[') {
        if let Some((words, length)) = wiki_link(&rest[open..]) {
            let before = &rest[..open];
            match before.strip_suffix('!') {
                // What is embedded is a picture or another page.
                Some(before) => out.push_str(before),
                None => out.extend([before, words]),
            }
            rest = &rest[open + length..];
            continue;
        }
        let Some((words, target, length)) = link(&rest[open..]) else {
            out.push_str(&rest[..=open]);
            rest = &rest[open + 1..];
            continue;
        };
        let image = rest[..open].ends_with('!');
        out.push_str(if image { &rest[..open - 1] } else { &rest[..open] });
        out.push_str(words);
        let address = target.split_whitespace().next().unwrap_or_default();
        let known = words.to_lowercase().contains(&bare(address).to_lowercase());
        if with_address && !image && !known && link_length(address).is_some() && !is_long(address) {
            out.push_str(", ");
            out.push_str(bare(address));
            if rest[open + length..].starts_with(' ') {
                out.push(',');
            }
        }
        rest = &rest[open + length..];
    }
    out.push_str(rest);
    out
}

/// Reads `[[page]]` or `[[page|words]]`: the words, the length.
fn wiki_link(text: &str) -> Option<(&str, usize)> {
    let inside = text.strip_prefix("[[")?;
    let inside = &inside[..inside.find("]]")?];
    let words = inside.rsplit(['|', '#']).next()?;
    (!inside.contains('[')).then_some((words, inside.len() + 4))
}

/// Reads `[words](target)` or `[words][name]`: the words, the target, the length.
fn link(text: &str) -> Option<(&str, &str, usize)> {
    let close = text.find(']')?;
    let words = &text[1..close];
    let after = &text[close + 1..];
    if after.starts_with('(') {
        let mut depth = 0;
        for (at, c) in after.char_indices() {
            depth += match c {
                '(' => 1,
                ')' => -1,
                _ => 0,
            };
            if depth == 0 {
                return Some((words, &after[1..at], close + 2 + at));
            }
        }
        return None;
    }
    let name = after.strip_prefix('[')?;
    let end = name.find(']').filter(|&end| end > 0)?;
    (!words.is_empty() && !words.starts_with('[')).then_some((words, "", close + 3 + end))
}

/// Drops emphasis marks, backticks and emoji from one word.
fn unmark_word(word: &str) -> String {
    if word.contains("://") || word.contains("www.") || word.contains('@') {
        let drop = ['*', '`', '~', '<', '>', '|', '_'];
        return word.trim_matches(drop).chars().filter(|c| !is_emoji(*c)).collect();
    }
    let chars: Vec<char> = word.chars().collect();
    let is = |at: Option<usize>, what: fn(char) -> bool| {
        at.and_then(|at| chars.get(at)).is_some_and(|&c| what(c))
    };
    let mut out = String::with_capacity(word.len());
    let mut after_emoji = false;
    for (at, &c) in chars.iter().enumerate() {
        let before = at.checked_sub(1);
        let keycap = is_keycap(&chars, at);
        let emoji = is_emoji(c) || keycap || (after_emoji && c == '\u{200d}');
        after_emoji = emoji;
        let between = |what: fn(char) -> bool| is(before, what) && is(Some(at + 1), what);
        match c {
            _ if emoji => {}
            '=' if is_highlight(&chars, at) => {}
            '\u{2080}'..='\u{2089}' => out.push(char::from(lowered(c))),
            '*' if chars.len() > 1 && !between(|c| c.is_ascii_digit()) => {}
            // "~5" is "about five", "~x~" is struck out.
            '~' if !(at == 0
                && is(Some(1), |c| c.is_ascii_digit())
                && !chars[1..].contains(&'~')) => {}
            '_' if between(char::is_alphanumeric) && !word.starts_with(['@', '#']) => out.push(' '),
            '_' if between(char::is_alphanumeric) => out.push('_'),
            '_' | '|' | '`' | '\u{200b}'..='\u{200d}' | '\u{feff}' | '™' | '®' | '©' | '\\' => {
            }
            _ => out.push(c),
        }
    }
    out
}

/// Returns whether the equals sign at `at` is one of two that mark words: "==this==".
fn is_highlight(chars: &[char], at: usize) -> bool {
    let mark = |at: usize| chars.get(at) == Some(&'=');
    let before = at.checked_sub(1).is_some_and(mark);
    let double = mark(at + 1) ^ before;
    let start = if before { at - 1 } else { at };
    let end = start + 2;
    let edge = |c: Option<&char>| c.is_none_or(|c| !c.is_alphanumeric());
    let outside_before = edge(start.checked_sub(1).and_then(|at| chars.get(at)));
    let outside_after = edge(chars.get(end));
    double && !mark(end) && chars.len() > 2 && (outside_before != outside_after)
}

/// Returns the digit of a lowered one, as in "H₂O".
fn lowered(c: char) -> u8 {
    let digit = u32::from(c) - 0x2080;
    b'0' + u8::try_from(digit).unwrap_or_default()
}

/// Returns whether the digit or mark at `at` is part of a keycap emoji.
fn is_keycap(chars: &[char], at: usize) -> bool {
    let behind = &chars[at + 1..];
    let behind = behind.strip_prefix(&['\u{fe0f}']).unwrap_or(behind);
    (chars[at].is_ascii_digit() || matches!(chars[at], '#' | '*'))
        && behind.starts_with(&['\u{20e3}'])
}

/// Returns whether `c` is a pictograph, an arrow, or a modifier of pictographs.
pub(super) fn is_emoji(c: char) -> bool {
    matches!(c,
        '\u{1f000}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}' | '\u{2b00}'..='\u{2bff}'
        | '\u{2190}'..='\u{21ff}' | '\u{2300}'..='\u{23ff}' | '\u{fe0f}' | '\u{20e3}'
        | '\u{e0020}'..='\u{e007f}')
}
