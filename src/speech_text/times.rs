//! Rules for times of day: "15:30", "3 p.m.", "15h30", "9.30 Uhr", "9:00–18:00".

use super::lang::{entries, has};
use super::language::{Half, Time};
use super::number::{dash, digits};
use super::rules::{Said, Spot, ends_word};

/// Lists what is written for before and after noon.
const HALVES: [(&str, Half); 14] = [
    ("a.m.", Half::Am),
    ("p.m.", Half::Pm),
    ("a. m.", Half::Am),
    ("p. m.", Half::Pm),
    ("A.M.", Half::Am),
    ("P.M.", Half::Pm),
    ("a.m", Half::Am),
    ("p.m", Half::Pm),
    ("am", Half::Am),
    ("pm", Half::Pm),
    ("AM", Half::Am),
    ("PM", Half::Pm),
    ("Am", Half::Am),
    ("Pm", Half::Pm),
];

/// Says a time, or a range of two.
pub(super) fn said(spot: &Spot) -> Option<Said> {
    let rest = spot.rest();
    let say = |time: Time| (spot.language.time)(time);
    let (first, is_time, length) = time(rest, spot)?;
    if let Some(dash) = dash(&rest[length..])
        && let Some((last, true, end)) = time(&rest[length + dash..], spot)
        && (is_time || last.half.is_some())
    {
        // "nine to six o'clock": the unit that both share is said once.
        let bare = first.half.is_none();
        let first = say(Time { bare, ..first });
        let words = format!("{first} {} {}", spot.language.words.to, say(last));
        return Said::new(length + dash + end, words);
    }
    is_time.then_some(())?;
    Said::new(length, say(first))
}

/// Reads an hour, its minutes and what follows. Returns the time, whether it cannot be anything
/// else, and its length.
fn time(text: &str, spot: &Spot) -> Option<(Time, bool, usize)> {
    let units = spot.language.hour_units;
    let hour = digits(text);
    if !matches!(hour.len(), 1 | 2) {
        return None;
    }
    let mut time = Time { hour: hour.parse().ok()?, minute: 0, half: None, bare: false };
    let mut at = hour.len();
    let mut is_time = false;
    let mark = text[at..].chars().next().unwrap_or(' ');
    if mark == ':' || mark == '.' || (mark == 'h' && has(units, "h")) {
        let minute = digits(&text[at + 1..]);
        let value = minute.parse().ok().filter(|&minute: &u64| minute < 60);
        let after = &text[at + 1 + minute.len()..];
        let goes_on = after.starts_with(':') && !digits(&after[1..]).is_empty();
        // "9.30" is a time only with a unit.
        let said_so = mark != '.' || suffix(after, units).is_some_and(|(_, length)| length > 0);
        match value {
            Some(value) if minute.len() == 2 && said_so && !goes_on => {
                (time.minute, is_time) = (value, true);
                at += 1 + minute.len();
            }
            _ if mark == ':' => return None,
            _ => {}
        }
    }
    let (half, length) = suffix(&text[at..], units).unwrap_or((None, 0));
    if is_time || half.is_some() {
        at += length;
        (time.half, is_time) = (half, true);
    }
    let valid = time.hour <= 24 && (half.is_none() || time.hour <= 12);
    (valid && ends_word(&text[at..])).then_some((time, is_time, at))
}

/// Reads "pm", "Uhr" or "h" after a time.
fn suffix(text: &str, units: &'static str) -> Option<(Option<Half>, usize)> {
    let bare = text.strip_prefix([' ', '\u{a0}', '\u{202f}']).unwrap_or(text);
    let spaces = text.len() - bare.len();
    for (written, half) in HALVES {
        if bare.strip_prefix(written).is_some_and(ends_word) {
            return Some((Some(half), spaces + written.len()));
        }
    }
    let unit = entries(units).find(|unit| bare.strip_prefix(unit).is_some_and(ends_word))?;
    Some((None, spaces + unit.len()))
}
