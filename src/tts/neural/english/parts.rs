//! Cuts a term into parts that the lexicons may know: letters, numbers, marks; "iPhone" at its hump.

use super::letters::{digits, first, is_apostrophe, is_capital, is_letter, is_small, run};

/// Cuts a term; an apostrophe before a digit belongs to no part.
pub(super) fn parts(term: &str) -> Vec<&str> {
    let (mut parts, mut at) = (Vec::new(), 0);
    while let Some(c) = first(&term[at..]) {
        let length = part(&term[at..], at == 0);
        parts.extend((length > 0).then(|| &term[at..at + length]));
        at += if length > 0 { length } else { c.len_utf8() };
    }
    parts
}

/// Returns how many bytes the first part of `text` has, which may be the start of the term.
fn part(text: &str, at_start: bool) -> usize {
    let Some(c) = first(text) else { return 0 };
    let apostrophes = run(text, is_apostrophe);
    if apostrophes > 0 {
        let alone = !at_start && apostrophes == c.len_utf8() && apostrophes < text.len();
        return if alone { 0 } else { apostrophes };
    }
    if at_start && c == '-' && figures(&text[1..]) > 0 {
        return 1 + figures(&text[1..]);
    }
    match c {
        _ if starts_name(text) => c.len_utf8(),
        _ if figures(text) > 0 => figures(text),
        '-' | '_' => run(text, |c| matches!(c, '-' | '_')),
        _ if is_letter(c) => letters(text),
        _ => c.len_utf8(),
    }
}

/// Returns whether a capital comes before a capitalised word: `AMac`.
fn starts_name(text: &str) -> bool {
    let mut chars = text.chars();
    let mut next = |is: fn(char) -> bool| chars.next().is_some_and(is);
    next(is_capital) && next(is_capital) && next(is_small)
}

/// Returns how many bytes are a number: digits with single stops or commas before them.
fn figures(text: &str) -> usize {
    let mut at = 0;
    loop {
        let rest = &text[at..];
        let mark = usize::from(rest.starts_with(['.', ',']));
        match digits(&rest[mark..]).len() {
            0 => return at,
            count => at += mark + count,
        }
    }
}

/// Returns how many bytes are letters, with single ones behind apostrophes ("o'c" of "o'clock"), up
/// to a hump.
fn letters(text: &str) -> usize {
    let mut chars = text.char_indices().peekable();
    let mut contracted = false;
    let mut end = 0;
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|(_, next)| *next);
        let behind = at + c.len_utf8();
        if is_small(c) && next.is_some_and(is_capital) && (!contracted || at == end) {
            return behind;
        }
        if is_apostrophe(c) && next.is_some_and(is_letter) {
            contracted = true;
            chars.next();
            end = behind + next.map_or(0, char::len_utf8);
        } else if is_letter(c) && !contracted {
            end = behind;
        } else {
            return end;
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(term: &str, expected: &[&str]) {
        assert_eq!(parts(term), expected);
    }

    #[test]
    fn letters_numbers_and_marks_are_parts() {
        check("word", &["word"]);
        check("iPhone12", &["i", "Phone", "12"]);
        check("HTMLParser", &["HTMLParser"]);
        check("AMac", &["A", "Mac"]);
        check("o'clock", &["o'c", "lock"]);
        check("d'arC", &["d'ar", "C"]);
        check("'tis'", &["'", "tis", "'"]);
        check("-1,234.5.", &["-1,234.5", "."]);
        check("x-5", &["x", "-", "5"]);
        check("a.b_c", &["a", ".", "b", "_", "c"]);
        check("5'10", &["5", "10"]);
        check("x²", &["x²"]);
        check("", &[]);
    }
}
