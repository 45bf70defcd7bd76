//! Rules for times of day: "15:30", "3 p.m.", "15h30", "9.30 Uhr", "9:00–18:00", "Mon–Fri 8–5".

use super::lang::{cues, entries, has};
use super::language::{Half, Language, Time};
use super::number::{dash, digits};
use super::rules::{Said, Spot, ends_word};
use super::weekdays;

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

/// Holds a time as it was read.
struct Hour {
    time: Time,
    /// It cannot be anything else: it has minutes, or am or pm.
    sure: bool,
    /// A unit follows, as in "18 h".
    unit: bool,
    length: usize,
}

/// Says a time, or a range of two.
pub(super) fn said(spot: &Spot) -> Option<Said> {
    range(spot, ':').or_else(|| range(spot, '.')).or_else(|| {
        let Hour { time, sure, length, .. } = time(spot.rest(), spot, ':')?;
        sure.then_some(())?;
        Said::new(length, (spot.language.time)(time))
    })
}

/// Says two times with a dash between them; one of them tells that the other is a time, too. A full
/// stop before the minutes needs a unit at the end: "8.30–12.00 Uhr".
fn range(spot: &Spot, mark: char) -> Option<Said> {
    let rest = spot.rest();
    let first = time(rest, spot, mark)?;
    let dash = dash(&rest[first.length..])?;
    let last = time(&rest[first.length + dash..], spot, mark)?;
    let pair = match mark {
        ':' => last.sure && (first.sure || first.time.half.is_none()),
        _ => first.sure && last.unit,
    };
    let shared = first.sure && (last.unit || first.time.half.is_some());
    (pair || shared).then_some(())?;
    // "nine to six o'clock": the unit that both share is said once.
    let bare = first.time.half.is_none();
    let ends_bare = !last.sure && !last.unit;
    let start = (spot.language.time)(Time { bare, ..first.time });
    let end = (spot.language.time)(Time { bare: ends_bare, ..last.time });
    let length = first.length + dash + last.length;
    Said::new(length, format!("{start} {} {end}", spot.language.words.to))
}

/// Says "8–5" after a weekday or a word such as "open".
pub(super) fn opening_hours(spot: &Spot) -> Option<Said> {
    let (rest, language) = (spot.rest(), spot.language);
    let first = time(rest, spot, ':')?;
    let dash = dash(&rest[first.length..])?;
    let last = time(&rest[first.length + dash..], spot, ':')?;
    let length = first.length + dash + last.length;
    let bare = !(first.sure || first.unit || last.sure || last.unit);
    let after = rest[length..].trim_start_matches([' ', '\u{a0}']);
    let counts = after.starts_with(['€', '$', '£', '%', '°', '-', '–', '/']);
    (bare && !counts && are_hours(spot)).then_some(())?;
    let say = |time: Time| (language.time)(Time { bare: true, ..time });
    Said::new(length, format!("{} {} {}", say(first.time), language.words.to, say(last.time)))
}

/// Returns whether what comes before are hours, back to a weekday or a word such as "open".
fn are_hours(spot: &Spot) -> bool {
    let language = spot.language;
    let words = spot.line[..spot.at].split(|c: char| !c.is_alphabetic()).rev();
    for word in words.filter(|word| !word.is_empty()).take(5) {
        let lower = word.to_lowercase();
        if weekdays::is_name(word, language) || cues(language.cues.hours, &lower) {
            return true;
        }
        let half = matches!(lower.as_str(), "am" | "pm" | "a" | "p" | "m" | "h" | "from" | "uhr");
        if !half && lower != language.words.and {
            return false;
        }
    }
    false
}

/// Reads an hour, its minutes after `mark` or "h", and what follows.
fn time(text: &str, spot: &Spot, mark: char) -> Option<Hour> {
    let Language { hour_units: units, .. } = *spot.language;
    let hour = digits(text);
    if !matches!(hour.len(), 1 | 2) {
        return None;
    }
    let mut time = Time { hour: hour.parse().ok()?, minute: 0, half: None, bare: false };
    let mut at = hour.len();
    let mut sure = false;
    let written = text[at..].chars().next().unwrap_or(' ');
    if matches!(written, ':' | '.') || (written == 'h' && has(units, "h")) {
        let minute = digits(&text[at + 1..]);
        let value = minute.parse().ok().filter(|&minute: &u64| minute < 60);
        let after = &text[at + 1 + minute.len()..];
        let goes_on = after.starts_with([':', '.']) && !digits(&after[1..]).is_empty();
        // "9.30" alone is a time only with a unit.
        let united = suffix(after, units).is_some_and(|(_, length)| length > 0);
        let said_so = written != '.' || mark == '.' || united;
        match value {
            Some(value) if minute.len() == 2 && said_so && !goes_on => {
                (time.minute, sure) = (value, true);
                at += 1 + minute.len();
            }
            _ if written == ':' => return None,
            _ => {}
        }
    }
    let (half, length) = suffix(&text[at..], units).unwrap_or((None, 0));
    let unit = length > 0;
    (time.half, sure) = (half, sure || half.is_some());
    at += length;
    let valid = time.hour <= 24 && (half.is_none() || time.hour <= 12);
    (valid && ends_word(&text[at..])).then_some(Hour { time, sure, unit, length: at })
}

/// Reads "pm", "Uhr" or "h" after a time.
pub(super) fn suffix(text: &str, units: &'static str) -> Option<(Option<Half>, usize)> {
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
