//! Cuts a long reply into texts that WhatsApp takes.
//!
//! Used before sending, whatever the provider. Invariant: every piece has 1 to [`TEXT_LIMIT`]
//! characters, and only white space between two pieces is lost.

use crate::provider::TEXT_LIMIT;

/// Splits `text` into pieces of at most [`TEXT_LIMIT`] characters, at the end of a paragraph, else
/// of a line, a sentence or a word, and inside a word only if it is longer than a piece. A text
/// without words gives no piece.
#[must_use]
pub fn split_text(text: &str) -> Vec<String> {
    split_at_most(text, TEXT_LIMIT)
}

fn split_at_most(text: &str, limit: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut rest = text.trim();
    while let Some((end, _)) = rest.char_indices().nth(limit) {
        let cut = cut_before(rest, end);
        pieces.push(rest[..cut].trim_end().to_owned());
        rest = rest[cut..].trim_start();
    }
    if !rest.is_empty() {
        pieces.push(rest.to_owned());
    }
    pieces
}

/// Finds the best place to cut `text` within its first `end` bytes. Each kind of place is taken
/// only in the second half, so that a break early on does not leave a tiny piece.
fn cut_before(text: &str, end: usize) -> usize {
    let head = &text[..end];
    let places = [
        last_end(head, &["\n\n"]),
        last_end(head, &["\n"]),
        last_end(head, &[". ", "! ", "? ", "。", "！", "？"]),
    ];
    let word_end = || {
        let next_is_space = text[end..].starts_with(char::is_whitespace);
        if next_is_space { Some(end) } else { head.rfind(char::is_whitespace).filter(|at| *at > 0) }
    };
    places.into_iter().flatten().find(|at| *at > end / 2).or_else(word_end).unwrap_or(end)
}

fn last_end(head: &str, marks: &[&str]) -> Option<usize> {
    marks.iter().filter_map(|mark| head.rfind(mark).map(|at| at + mark.len())).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, limit: usize, pieces: &[&str]) {
        assert_eq!(split_at_most(text, limit), pieces);
    }

    #[test]
    fn text_is_cut_at_the_widest_break() {
        check("short", 10, &["short"]);
        check(" \n ", 10, &[]);
        check("one two\n\nthree four", 14, &["one two", "three four"]);
        check("It rains. It pours", 14, &["It rains.", "It pours"]);
        check("alpha beta gamma", 11, &["alpha beta", "gamma"]);
        check("alpha beta", 5, &["alpha", "beta"]);
        check("abcdefgh", 3, &["abc", "def", "gh"]);
    }

    #[test]
    fn pieces_are_counted_in_characters_and_lose_no_word() {
        let text = "Żółw 🐢 idzie powoli. ".repeat(900);
        let pieces = split_text(&text);
        assert!(pieces.iter().all(|piece| (1..=TEXT_LIMIT).contains(&piece.chars().count())));
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(words(&pieces.join(" ")), words(&text));
        assert!(pieces.iter().all(|piece| piece.ends_with('.')));
        assert_eq!(split_text(&"🐢".repeat(TEXT_LIMIT)).len(), 1);
        assert_eq!(split_text(&"🐢".repeat(TEXT_LIMIT + 1)).len(), 2);
    }
}
