//! Sorts characters the way the tokens and rules of the voice were made for: Latin letters have
//! cases, all others are letters without.

/// Returns whether `c` is a capital of Latin 1.
pub(super) fn is_capital(c: char) -> bool {
    matches!(c, 'A'..='Z' | 'À'..='Ö' | 'Ø'..='Þ')
}

/// Returns whether `c` is a small letter of Latin 1.
pub(super) fn is_small(c: char) -> bool {
    matches!(c, 'a'..='z' | 'ß'..='ö' | 'ø'..='ÿ')
}

/// Returns whether `c` is a letter, or stands in words like one: "²".
pub(super) fn is_letter(c: char) -> bool {
    c.is_alphanumeric() && !c.is_ascii_digit()
}

/// Returns whether `c` is part of words, names and codes.
pub(super) fn is_wordy(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Returns whether `c` is an apostrophe or a single quotation mark.
pub(super) fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '‘' | '’')
}

/// Returns whether `text` is digits and nothing else.
pub(super) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Returns the digits that `text` starts with.
pub(super) fn digits(text: &str) -> &str {
    &text[..run(text, |c| c.is_ascii_digit())]
}

/// Returns how many bytes at the start of `text` are such characters.
pub(super) fn run(text: &str, is: impl Fn(char) -> bool) -> usize {
    text.find(|c| !is(c)).unwrap_or(text.len())
}

/// Returns the first character.
pub(super) fn first(text: &str) -> Option<char> {
    text.chars().next()
}

/// Returns the last character.
pub(super) fn last(text: &str) -> Option<char> {
    text.chars().next_back()
}

/// Returns the last `count` characters, or all.
pub(super) fn last_of(text: &str, count: usize) -> &str {
    let start = text.char_indices().rev().nth(count.saturating_sub(1));
    start.map_or(text, |(at, _)| &text[at..])
}
