//! Rule for weekdays that are written short: "Mon.–Fri.", "Sa/So", "lun. au ven.", "Sat 10–2".

use super::dates::name_in;
use super::lang::entries;
use super::language::Language;
use super::number::{dash, digits};
use super::rules::{Said, Spot, ends_word};

/// Returns whether a word is a weekday, in full or short.
pub(super) fn is_name(word: &str, language: &Language) -> bool {
    name_in(word, &language.weekdays, language).is_some_and(|(_, length)| length == word.len())
}

/// Says weekdays in full where another follows, or a time or a colon.
pub(super) fn said(spot: &Spot) -> Option<Said> {
    let (rest, language) = (spot.rest(), spot.language);
    if !rest.starts_with(char::is_alphabetic) {
        return None;
    }
    let (first, mut at) = name_in(rest, &language.weekdays, language)?;
    let name = language.weekdays[first][0];
    let mut words = name.to_owned();
    let mut joined = false;
    while let Some((between, joint)) = joint(&rest[at..], at == 1, language)
        && let Some((next, length)) = name_in(&rest[at + joint..], &language.weekdays, language)
        && ends_word(&rest[at + joint + length..])
    {
        words.push_str(&between);
        words.push_str(language.weekdays[next][0]);
        at += joint + length;
        joined = true;
    }
    let short = rest[..at].chars().count() >= 2 && rest[..at] != *name;
    let stop = rest[..at].ends_with('.');
    let behind = &rest[at..];
    let goes_on = behind.starts_with(':')
        || starts_hour(behind)
        || (stop && language.capital_names && starts_lower(behind));
    (joined || (short && goes_on)).then_some(())?;
    // At the end of a line the stop of "Fri." ends the sentence, too.
    if stop && behind.is_empty() {
        words.push('.');
    }
    Said::new(at, words)
}

/// Reads what joins two weekdays: what is said for it, and its length. A single letter is joined
/// only to a range.
fn joint(text: &str, single: bool, language: &Language) -> Option<(String, usize)> {
    if let Some(length) = dash(text) {
        return Some((format!(" {} ", language.words.to), length));
    }
    let bare = text.trim_start_matches(' ');
    let spaces = text.len() - bare.len();
    let word = &bare[..bare.find(|c: char| !c.is_alphabetic()).unwrap_or(bare.len())];
    let spaced = spaces == 1 && bare[word.len()..].starts_with(' ');
    if spaced && entries(language.cues.until).any(|until| until == word) {
        return Some((format!(" {word} "), word.len() + 2));
    }
    if single {
        return None;
    }
    if spaced && word == language.words.and {
        return Some((format!(" {word} "), word.len() + 2));
    }
    let mark = bare.chars().next()?;
    let after = bare[mark.len_utf8()..].trim_start_matches(' ');
    let said = match mark {
        '&' | '+' => format!(" {} ", language.words.and),
        ',' | '/' => ", ".to_owned(),
        _ => return None,
    };
    Some((said, text.len() - after.len()))
}

/// Returns whether a time of day follows: "10–2", "9:30", "9h", "9 am".
fn starts_hour(text: &str) -> bool {
    let Some(text) = text.strip_prefix(' ') else { return false };
    let behind = &text[digits(text).len()..];
    let unit = ["am", "pm", "h", "uhr"].iter().any(|unit| {
        let behind = behind.trim_start_matches(' ').to_lowercase();
        behind.strip_prefix(unit).is_some_and(ends_word)
    });
    matches!(text.len() - behind.len(), 1 | 2)
        && (unit || behind.starts_with([':', 'h']) || dash(behind).is_some())
}

fn starts_lower(text: &str) -> bool {
    text.strip_prefix(' ').is_some_and(|next| next.starts_with(char::is_lowercase))
}
