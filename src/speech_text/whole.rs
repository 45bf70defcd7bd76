//! Keeps a number whole: where what a rule says may end, and what is said if no rule reads it.
//!
//! "12.345.678-9" is no millions and no subtraction. A number that is cut at a point, a comma, a
//! colon or an apostrophe means something else, so a rule that would cut it there does not count,
//! and in the end the digits are said one by one.

use super::number::{digits, digits_in_groups};
use super::rules::{Said, Spot};

/// Limits the digits on either side of a dash that are two numbers, as in "3-2"; more are a code.
const MAX_JOINED: usize = 4;

/// Returns whether a rule may read `line[from..end]` and leave what is behind it to others.
pub(super) fn ends_at(line: &str, from: usize, end: usize) -> bool {
    let said = &line[from..end];
    if !said.ends_with(|c: char| c.is_ascii_digit()) {
        return true;
    }
    let mut behind = line[end..].chars();
    let Some(mark) = behind.next() else { return true };
    let number_goes_on = behind.next().is_some_and(|c| c.is_ascii_digit());
    let points = || said.matches(['.', ',']).count();
    match mark {
        _ if mark.is_alphabetic() => !letters_join_digits(&line[end..]),
        ',' if number_goes_on => said.contains([':', '/', '-']),
        '.' | ':' | '\'' | '’' | '_' | '€' | '$' | '£' => !number_goes_on,
        '-' | '–' | '‐' | '‑' | '—' if number_goes_on => {
            let next = digits(&line[end + mark.len_utf8()..]).len();
            let last = said.len() - said.trim_end_matches(|c: char| c.is_ascii_digit()).len();
            points() == 0 && !has_point(&line[end..]) && last <= MAX_JOINED && next <= MAX_JOINED
        }
        '/' if number_goes_on => points() <= 1,
        _ => true,
    }
}

/// Returns whether letters stand between what was read and more digits: "12a34".
fn letters_join_digits(text: &str) -> bool {
    text.trim_start_matches(char::is_alphabetic).starts_with(|c: char| c.is_ascii_digit())
}

/// Returns whether a point stands between digits in the word that `text` starts with.
fn has_point(text: &str) -> bool {
    let word = text.split(char::is_whitespace).next().unwrap_or_default();
    let mut chars = word.chars().peekable();
    let mut after_digit = false;
    while let Some(c) = chars.next() {
        let joins = matches!(c, '.' | ',') && chars.peek().is_some_and(char::is_ascii_digit);
        if joins && after_digit {
            return true;
        }
        after_digit = c.is_ascii_digit();
    }
    false
}

/// Says a number that no rule reads: digits one by one, letters as they are, marks as pauses.
pub(super) fn spelled(spot: &Spot) -> Option<Said> {
    let rest = spot.rest();
    let first = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
    if !rest[..first].contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let stops =
        |c: char| c.is_whitespace() || c.is_control() || "()[]{}<>=+×÷*|;&\"“”«»".contains(c);
    let token = &rest[..rest.find(stops).unwrap_or(rest.len())];
    let token = token.trim_end_matches(|c: char| !c.is_alphanumeric());
    Said::new(token.len(), say_parts(token, spot))
}

/// Says the runs of letters and digits, with a pause at each mark between them.
pub(super) fn say_parts(token: &str, spot: &Spot) -> String {
    let parts = token.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
    parts.map(|part| say_part(part, spot)).collect::<Vec<_>>().join(", ")
}

/// Says letters and digits: a short word in capitals is spelled.
fn say_part(part: &str, spot: &Spot) -> String {
    let mut said: Vec<String> = Vec::new();
    let mut at = 0;
    while at < part.len() {
        let number = digits(&part[at..]);
        if !number.is_empty() {
            said.push(digits_in_groups(number, spot.language));
            at += number.len();
            continue;
        }
        let run = part[at..].find(|c: char| c.is_ascii_digit()).unwrap_or(part.len() - at);
        let letters = &part[at..at + run];
        if run <= 4 && letters.chars().all(char::is_uppercase) {
            let spelled: Vec<_> = letters.chars().map(String::from).collect();
            said.push(spelled.join(" "));
        } else {
            said.push(letters.to_owned());
        }
        at += run;
    }
    said.join(" ")
}
