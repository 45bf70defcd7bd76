//! Finds code blocks and tables in a stream: the splitter keeps each in one piece for
//! [`super::spoken`].

use super::markup::{code_block, fence};

/// Limits a code block or a table that is kept in one piece, in bytes.
const MAX_BLOCK: usize = 4_096;

/// Names what a line that starts here belongs to; lengths in bytes.
pub(super) enum Block {
    No,
    /// Backticks on one line: no stop inside them ends a sentence.
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
