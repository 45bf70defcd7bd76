//! Decides whether a stop ends a sentence: abbreviations, initials, ordinals, list numbers,
//! ellipses.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::lang::{self, everywhere};
use super::language::{DottedOrdinals, Language};

/// Holds the words of every language, since that of a stream is not known; each list is split once.
type WordSet = LazyLock<HashSet<&'static str>>;

static MAY_END: WordSet = WordSet::new(|| everywhere(|language| language.stops.may_end).collect());
/// Holds short names of weekdays and months, in lower case.
static SHORT_DAYS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let names = |language: &'static Language| language.weekdays.iter().chain(&language.months);
    let short = lang::ALL.iter().flat_map(|language| names(language)).flat_map(|all| &all[1..]);
    short.filter(|name| name.chars().count() > 1).map(|name| name.to_lowercase()).collect()
});
static NEVER_END: WordSet =
    WordSet::new(|| everywhere(|language| language.stops.never_end).collect());
static BEFORE_ORDINALS: WordSet = WordSet::new(|| ordinals(|words| words.before).collect());
static AFTER_ORDINALS: WordSet = WordSet::new(|| ordinals(|words| words.after).collect());

/// Limits the quotes and brackets, or spaces, that are read after a stop, so that the wait for them
/// is bounded.
const MAX_CLOSERS: usize = 4;

/// Tells whether a stop ends the sentence.
pub(super) enum End {
    /// Yes; the sentence is this many bytes long.
    At(usize),
    /// No.
    No,
    /// The text that decides has not arrived.
    Unknown,
}

/// Returns the entries of one list of every language whose ordinals have a full stop.
fn ordinals(list: fn(&DottedOrdinals) -> &'static str) -> impl Iterator<Item = &'static str> {
    everywhere(move |language| language.dotted_ordinals.as_ref().map_or("", list))
}

/// Reads closing quotes and brackets from `after` on; a space must follow if `needs_space`.
pub(super) fn past_closers(text: &str, after: usize, needs_space: bool) -> End {
    let mut end = after;
    for (count, c) in text[after..].chars().enumerate() {
        if count < MAX_CLOSERS && "\"')]”’»›」』）】*_~".contains(c) {
            end += c.len_utf8();
        } else if c.is_whitespace() || matches!(c, '¿' | '¡') || !needs_space {
            return End::At(end);
        } else {
            return End::No;
        }
    }
    End::Unknown
}

/// Judges a full stop after `before`.
pub(super) fn full_stop(before: &str, text: &str, after: usize) -> End {
    let (head, word) = last_word(before);
    let (_, word_before) = last_word(head.trim_end());
    let lower = word.to_lowercase();
    let number = !word.is_empty() && word.chars().all(|c| c.is_ascii_digit());
    let line_start = head.trim_end_matches([' ', '\t']);
    if number && (line_start.is_empty() || line_start.ends_with('\n')) {
        return End::No;
    }
    if number && word.len() <= 3 {
        let cue = word_before.to_lowercase();
        return match past_closers(text, after, true) {
            _ if BEFORE_ORDINALS.contains(cue.as_str()) => End::No,
            End::At(end) => unless_ordinal(text, end),
            other => other,
        };
    }
    let mut letters = word.chars().rev();
    let last = letters.next();
    let single = last.is_some_and(char::is_alphabetic) && letters.next().is_none_or(|c| c == '.');
    let counted =
        word_before.ends_with(|c: char| c.is_ascii_digit()) || matches!(word_before, "a." | "p.");
    let roman = word.len() > 1 && word.chars().all(|c| matches!(c, 'I' | 'V' | 'X'));
    let may_end = MAY_END.contains(lower.as_str())
        || SHORT_DAYS.contains(last_day(&lower))
        || lower.ends_with("nr")
        || roman;
    if may_end || (single && counted) {
        return match past_closers(text, after, true) {
            End::At(end) => unless_lower(text, end),
            other => other,
        };
    }
    let initial = single && (last.is_some_and(char::is_uppercase) || word.chars().count() == 1);
    if initial || NEVER_END.contains(lower.as_str()) {
        return End::No;
    }
    past_closers(text, after, true)
}

/// Judges an ellipsis: it ends a sentence if the next word has a capital.
pub(super) fn past_ellipsis(text: &str, after: usize) -> End {
    match past_closers(text, after, true) {
        End::At(end) => unless_lower(text, end),
        other => other,
    }
}

/// Ends the sentence at `end`, unless the next word is in lower case or a number, or a mark goes on.
fn unless_lower(text: &str, end: usize) -> End {
    match next_char(&text[end..]) {
        None => End::Unknown,
        Some(c) if c.is_lowercase() || c.is_ascii_digit() || ":-–&+/".contains(c) => End::No,
        Some(_) => End::At(end),
    }
}

/// Ends the sentence at `end`, unless the next word makes the number before it an ordinal.
fn unless_ordinal(text: &str, end: usize) -> End {
    let next = text[end..].trim_start_matches(' ');
    match next_char(&text[end..]) {
        None => return End::Unknown,
        Some(c) if c.is_lowercase() => return End::No,
        Some(_) => {}
    }
    if AFTER_ORDINALS.iter().any(|word| next.starts_with(word)) {
        End::No
    } else if AFTER_ORDINALS.iter().any(|word| word.starts_with(next)) {
        End::Unknown
    } else {
        End::At(end)
    }
}

/// Returns the first character of the next word; a line break or a long gap counts as one.
fn next_char(text: &str) -> Option<char> {
    text.chars().enumerate().find(|&(at, c)| c != ' ' || at >= MAX_CLOSERS).map(|(_, c)| c)
}

/// Splits off the word at the end, without the brackets, quotes and marks before it.
fn last_word(before: &str) -> (&str, &str) {
    let opens = |c: char| c.is_whitespace() || "([{¿¡\"'«“„*_".contains(c);
    let at = before.rfind(opens);
    let at = at.map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    before.split_at(at)
}

/// Returns the last day of a range: "fri" of "mon.–fri".
fn last_day(word: &str) -> &str {
    word.rsplit(['-', '–', '—', '/']).next().unwrap_or(word)
}

/// Returns whether `c` is written without spaces: Chinese, Japanese, and their full-width marks.
pub(super) fn is_cjk(c: char) -> bool {
    matches!(c, '\u{3000}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ff00}'..='\u{ffef}')
}
