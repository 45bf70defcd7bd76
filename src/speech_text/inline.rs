//! Removes markup inside a line: links, images, emphasis, code, HTML, emoji and emoticons.

use super::language::Language;
use super::links::{bare, is_long, link_length};

/// Limits the length of a tag, in bytes.
const MAX_TAG: usize = 200;

/// Lists faces made of letters and punctuation.
const EMOTICONS: [&str; 26] = [
    ":-)", ":)", ";-)", ";)", ":-(", ":(", ":D", ":-D", ";D", ":P", ":-P", ":p", "xD", "XD", "<3",
    ":*", ":-*", ":'(", "^^", "^_^", ":/", ":-/", ":O", "=)", ":]", "c:",
];

/// Lists the HTML entities that people write.
const ENTITIES: [(&str, &str); 16] = [
    ("amp", "&"),
    ("nbsp", " "),
    ("lt", "<"),
    ("gt", ">"),
    ("quot", "\""),
    ("apos", "'"),
    ("#39", "'"),
    ("#x27", "'"),
    ("euro", "€"),
    ("pound", "£"),
    ("deg", "°"),
    ("ndash", "–"),
    ("mdash", "—"),
    ("hellip", "…"),
    ("times", "×"),
    ("frac12", "½"),
];

/// Removes inline markup from a line. A link without words of its own stays as it is.
pub(super) fn unmark(line: &str, language: Option<&Language>) -> String {
    let text = without_links(&without_tags(line), language.is_some());
    let mut out = String::with_capacity(text.len());
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        let word = unmark_word(word);
        if word.is_empty() || is_emoticon(&word) {
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

/// Replaces links by their words, followed by a short address that the words do not contain.
fn without_links(line: &str, with_address: bool) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(open) = rest.find('[') {
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

/// Reads `[words](target)`, `[words][name]` or `[^note]`: the words, the target, the length.
fn link(text: &str) -> Option<(&str, &str, usize)> {
    let close = text.find(']')?;
    let words = &text[1..close];
    if words.starts_with('^') {
        return Some(("", "", close + 1));
    }
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

/// Drops tags, keeps addresses in angle brackets, and replaces entities by their characters.
fn without_tags(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(['<', '&']) {
        out.push_str(&rest[..at]);
        let here = &rest[at..];
        let (said, length) = if here.starts_with('<') { tag(here) } else { entity(here) };
        out.push_str(said);
        rest = &here[length..];
    }
    out.push_str(rest);
    out
}

/// Returns what a tag becomes, and its length; a lone "<" stays.
fn tag(text: &str) -> (&str, usize) {
    let Some(end) = text.find('>').filter(|&end| end < MAX_TAG) else { return ("<", 1) };
    let inside = &text[1..end];
    if inside.contains('@') || link_length(inside) == Some(inside.len()) {
        return (inside, end + 1);
    }
    let name = inside.strip_prefix('/').unwrap_or(inside);
    if !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '!') {
        return ("<", 1);
    }
    let breaks = ["br", "p", "li", "div", "tr"].iter().any(|tag| {
        name.strip_prefix(tag).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    });
    (if breaks { " " } else { "" }, end + 1)
}

fn entity(text: &str) -> (&'static str, usize) {
    let known = ENTITIES.iter().find_map(|(name, said)| {
        text[1..]
            .strip_prefix(name)
            .filter(|rest| rest.starts_with(';'))
            .map(|_| (*said, name.len() + 2))
    });
    known.unwrap_or(("&", 1))
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
