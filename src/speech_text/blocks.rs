//! Finds code blocks, tables and tags in a stream: the splitter keeps each in one piece for
//! [`super::spoken`].

use super::html::MAX_TAG;
use super::markup::{code_block, fence, is_delimiter};

/// Limits a code block or a table that is kept in one piece, in bytes.
const MAX_BLOCK: usize = 4_096;

/// Names what a line that starts here belongs to; lengths in bytes.
#[derive(Clone, Copy)]
pub(super) enum Block {
    No,
    /// Backticks on one line, or a tag: no stop inside them ends a sentence.
    Inline(usize),
    /// A block whose end has not arrived.
    Open,
    Whole(usize),
    /// A block beyond [`MAX_BLOCK`].
    Cut(usize),
}

/// Looks for a code block or a table. Reads only the first [`MAX_BLOCK`] bytes, so that the result
/// does not depend on how many have arrived.
pub(super) fn block(text: &str) -> Block {
    let is_code = fence(text);
    if is_code.is_none() && !text.starts_with('|') {
        return Block::No;
    }
    let window = &text[..text.floor_char_boundary(MAX_BLOCK)];
    let found = match is_code {
        Some(mark) => code_end(window, mark),
        None => table_end(window),
    };
    match found {
        Block::Open if text.len() > MAX_BLOCK => {
            let end = window.rfind(char::is_whitespace).filter(|&end| end > 0);
            Block::Cut(end.unwrap_or(window.len()))
        }
        found => found,
    }
}

/// Looks for a tag of HTML: no stop inside it ends a sentence.
pub(super) fn tag(text: &str) -> Block {
    let starts = |c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!');
    if !text[1..].starts_with(starts) && text.len() > 1 {
        return Block::No;
    }
    let window = &text[..text.floor_char_boundary(MAX_TAG)];
    match window.find(['>', '\n']) {
        Some(end) if window[end..].starts_with('>') => Block::Inline(end + 1),
        Some(_) => Block::No,
        None if text.len() >= MAX_TAG => Block::No,
        None => Block::Open,
    }
}

/// Finds the end of the line that closes a code block.
fn code_end(text: &str, mark: char) -> Block {
    let inside = text.trim_start_matches(mark);
    let opened = text.len() - inside.len();
    let fence: String = std::iter::repeat_n(mark, 3).collect();
    let Some(close) = inside.find(&fence) else { return Block::Open };
    if code_block(text).is_none() {
        return Block::Inline(opened + close + fence.len());
    }
    let behind = opened + close;
    text[behind..].find('\n').map_or(Block::Open, |end| Block::Whole(behind + end + 1))
}

/// Looks for a table whose rows do not start with a bar, at the start of its head, once the line
/// below it has begun: that one tells.
pub(super) fn bare_table(text: &str) -> Block {
    let window = &text[..text.floor_char_boundary(MAX_BLOCK)];
    let Some((head, below)) = window.split_once('\n') else { return Block::No };
    if !head.contains('|') {
        return Block::No;
    }
    let Some((line, rows)) = below.split_once('\n') else {
        let may_become = below.chars().all(|c| matches!(c, '|' | '-' | ':' | ' ' | '\r'));
        return if may_become && below.len() < MAX_BLOCK { Block::Open } else { Block::No };
    };
    if !is_delimiter(line) {
        return Block::No;
    }
    let mut at = window.len() - rows.len();
    while let Some(end) = window[at..].find('\n') {
        if !window[at..at + end].contains('|') {
            return Block::Whole(at);
        }
        at += end + 1;
    }
    if text.len() > MAX_BLOCK { Block::Cut(at) } else { Block::Open }
}

/// Finds the end of the last line that starts with a bar, once the next line has begun.
fn table_end(text: &str) -> Block {
    let mut at = 0;
    while let Some(end) = text[at..].find('\n') {
        at += end + 1;
        match text[at..].trim_start_matches([' ', '\t', '\r']).chars().next() {
            Some('|') => {}
            Some(_) => return Block::Whole(at),
            None => return Block::Open,
        }
    }
    Block::Open
}
