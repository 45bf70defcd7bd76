//! Rules for titles, abbreviations, and the numbers of chapters and kings.

use super::super::letters::{is_apostrophe, is_wordy, run};
use super::super::numerals::{ordinal, written};
use super::{Expander, Here, Instead, after_space, begins, ends_word, length_before};

/// Writes "Dr. Who", "Prof Smith" out.
pub(super) fn title(tables: &Expander, here: Here) -> Option<Instead> {
    let rest = here.rest();
    let name_follows = |after: &str| {
        let name = after.strip_prefix('.').unwrap_or(after).strip_prefix(' ');
        name.is_some_and(|name| name.starts_with(|c: char| c.is_ascii_uppercase()))
    };
    let (short, full) = begins(&tables.titles, rest, name_follows).filter(|_| here.is_fresh(""))?;
    let stop = usize::from(rest[short.len()..].starts_with('.'));
    Some(Instead { length: short.len() + stop + 1, words: format!("{full} ") })
}

/// Writes "approx.", "w/o" out; the stop of a sentence stays.
pub(super) fn abbreviation(tables: &Expander, here: Here) -> Option<Instead> {
    let rest = here.rest();
    let known = begins(&tables.abbreviations, rest, ends_word).filter(|_| here.is_fresh("."));
    let (short, full) = known?;
    let stop = if short.len() == rest.len() && short.ends_with('.') { "." } else { "" };
    Some(Instead { length: short.len(), words: format!("{full}{stop}") })
}

/// Writes "No. 5", "#5" out.
pub(super) fn number_sign(_: &Expander, here: Here) -> Option<Instead> {
    let rest = here.rest();
    let signs = [("No.", "", "Number "), ("Nos.", "", "Numbers "), ("#", "&", "number ")];
    signs.into_iter().find_map(|(sign, but, words)| {
        let after = rest.strip_prefix(sign).filter(|_| here.is_fresh(but))?;
        let after = if sign == "#" { after } else { after_space(after) };
        let counts = after.starts_with(|c: char| c.is_ascii_digit());
        let length = length_before(rest, after);
        counts.then(|| Instead { length, words: words.to_owned() })
    })
}

/// Writes "Chapter IV" as "Chapter 4".
pub(super) fn chapter(tables: &Expander, here: Here) -> Option<Instead> {
    let (name, length, number) = roman_after(&tables.chapters, here)?;
    Some(Instead { length, words: format!("{name} {number}") })
}

/// Writes "Henry VIII" as "Henry the eighth".
pub(super) fn monarch(tables: &Expander, here: Here) -> Option<Instead> {
    let (name, length, number) = roman_after(&tables.monarchs, here)?;
    Some(Instead {
        length,
        words: format!("{name} the {}", written(&ordinal(&number.to_string()))),
    })
}

/// Reads one of these names and a Roman number; returns how many bytes both are, and its value.
fn roman_after<'a>(names: &'a [(String, ())], here: Here) -> Option<(&'a str, usize, u32)> {
    let rest = here.rest();
    if !here.is_fresh("") || !rest.starts_with(char::is_alphabetic) {
        return None;
    }
    let (name, ()) = begins(names, rest, |after| after.starts_with(' '))?;
    let number = &rest[name.len() + 1..];
    let (number, after) = number.split_at(run(number, is_wordy));
    let mut behind = after.chars();
    let joined = behind.next().is_some_and(|c| c == '.' || is_apostrophe(c));
    let goes_on = joined && behind.next().is_some_and(is_wordy);
    let value = roman(number).filter(|_| !goes_on)?;
    Some((name, name.len() + 1 + number.len(), value))
}

/// Returns the value of a Roman number below five hundred, or of "CM" and what follows.
fn roman(letters: &str) -> Option<u32> {
    const VALUES: [(&str, u32, usize); 10] = [
        ("CM", 900, 1),
        ("CD", 400, 1),
        ("C", 100, 3),
        ("XC", 90, 1),
        ("XL", 40, 1),
        ("L", 50, 1),
        ("X", 10, 3),
        ("IX", 9, 1),
        ("IV", 4, 1),
        ("V", 5, 1),
    ];
    let (mut value, mut rest) = (0, letters);
    for (sign, worth, most) in VALUES.into_iter().chain([("I", 1, 3)]) {
        for _ in 0..most {
            let Some(after) = rest.strip_prefix(sign) else { break };
            (value, rest) = (value + worth, after);
        }
    }
    (rest.is_empty() && value > 0).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roman_numbers_are_read() {
        let values = [("IV", 4), ("VIII", 8), ("XIX", 19), ("XLV", 45), ("CXX", 120)];
        for (letters, value) in values {
            assert_eq!(roman(letters), Some(value), "{letters}");
        }
        for letters in ["", "MIX", "IIII", "ABC", "IC"] {
            assert_eq!(roman(letters), None, "{letters}");
        }
    }
}
