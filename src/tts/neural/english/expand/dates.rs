//! Rules for times and dates.

use super::super::letters::{digits, is_wordy, run};
use super::super::numerals::{cardinal, ordinal, written};
use super::{Expander, Here, Instead, after_space, ends_word, length_before};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Writes "7:05 pm" out.
pub(super) fn time(_: &Expander, here: Here) -> Option<Instead> {
    let rest = here.rest();
    let hour = here.figures("").filter(|hour| hour.len() <= 2)?;
    let after_hour = rest[hour.len()..].strip_prefix(':')?;
    let (minute, after_minute) = two_digits(after_hour)?;
    let seconds = after_minute.strip_prefix(':').and_then(two_digits);
    let seconds = seconds.map(|(second, after)| (Some(second), after));
    let ends = seconds.into_iter().chain([(None, after_minute)]);
    let (second, half, after) = ends.into_iter().find_map(|(second, after)| {
        let half = half_of_day(after).map(|(half, after)| (second, Some(half), after));
        let none =
            || (!after.starts_with(|c: char| c.is_ascii_digit())).then_some((second, None, after));
        half.or_else(none)
    })?;
    let length = length_before(rest, after);
    let over = |figures: &str, most: u32| figures.parse::<u32>().is_ok_and(|it| it > most);
    if over(hour, 24) || over(minute, 59) || second.is_some_and(|second| over(second, 59)) {
        return Some(Instead { length, words: rest[..length].to_owned() });
    }
    let mut words = written(&cardinal(hour));
    match minute.strip_prefix('0') {
        Some("0") if half.is_some() || second.is_some() => {}
        Some("0") => words.push_str(" o'clock"),
        Some(minute) => words = format!("{words} oh {}", written(&cardinal(minute))),
        None => words = format!("{words} {}", written(&cardinal(minute))),
    }
    if let Some(second) = second {
        let name = if second == "01" { "second" } else { "seconds" };
        words = format!("{words} and {} {name}", written(&cardinal(second)));
    }
    if let Some(half) = half {
        // With stops, letters are spelled.
        let stop = if after.starts_with('.') { "" } else { "." };
        words = format!("{words} {}.M{stop}", half.to_ascii_uppercase());
    }
    Some(Instead { length, words })
}

fn two_digits(text: &str) -> Option<(&str, &str)> {
    (digits(text).len() >= 2).then(|| text.split_at(2))
}

/// Reads an "am" or "p.m.", of which it returns the first letter.
fn half_of_day(text: &str) -> Option<(char, &str)> {
    let half = after_space(text).chars().next().filter(|c| "apAP".contains(*c))?;
    let after = &after_space(text)[1..];
    let after = after.strip_prefix('.').unwrap_or(after).strip_prefix(['m', 'M'])?;
    let goes_on = |text: &str| text.starts_with(|c: char| c.is_ascii_alphanumeric());
    match after.strip_prefix('.') {
        Some(behind) if !goes_on(behind) => Some((half, behind)),
        _ if goes_on(after) => None,
        _ => Some((half, after)),
    }
}

/// Writes "2026-11-26" out.
pub(super) fn iso_date(_: &Expander, here: Here) -> Option<Instead> {
    let rest = here.rest();
    let year = here.figures("").filter(|year| year.len() == 4)?;
    let (month, after) = two_digits(rest[4..].strip_prefix('-')?)?;
    let (day, after) = two_digits(after.strip_prefix('-')?)?;
    let length = length_before(rest, after);
    let words = date(month, day, year).filter(|_| ends_word(after))?;
    Some(Instead { length, words })
}

/// Writes "11/26/2026" out, and "26/11/2026", which can be nothing else.
pub(super) fn american_date(_: &Expander, here: Here) -> Option<Instead> {
    let rest = here.rest();
    let first = here.figures("").filter(|first| first.len() <= 2)?;
    let after = rest[first.len()..].strip_prefix('/')?;
    let second = Some(digits(after)).filter(|second| matches!(second.len(), 1 | 2))?;
    let after = after[second.len()..].strip_prefix('/')?;
    let year = Some(digits(after)).filter(|digits| matches!(digits.len(), 2 | 4))?;
    let after = &after[year.len()..];
    let century = match year.parse::<u32>() {
        _ if year.len() == 4 => "",
        Ok(31..) => "19",
        _ => "20",
    };
    let (month, day) = if first.parse::<u32>().is_ok_and(|it| it <= 12) {
        (first, second)
    } else {
        (second, first)
    };
    let words = date(month, day, &format!("{century}{year}")).filter(|_| ends_word(after))?;
    Some(Instead { length: length_before(rest, after), words })
}

fn date(month: &str, day: &str, year: &str) -> Option<String> {
    Some(format!("{}, {year}", day_of_month(month, day)?))
}

/// Writes "11" and "26" as "November twenty-sixth".
pub(super) fn day_of_month(month: &str, day: &str) -> Option<String> {
    let month = MONTHS.get(month.parse::<usize>().ok()?.checked_sub(1)?)?;
    Some(format!("{month} {}", day_in_words(day)?))
}

fn day_in_words(day: &str) -> Option<String> {
    let fits = (1..=31).contains(&day.parse::<u32>().ok()?);
    fits.then(|| written(&ordinal(day)))
}

/// Finds the month that `text` begins with: its name or how it is abbreviated. Returns how many bytes
/// that are.
fn month(text: &str) -> Option<(&'static str, usize)> {
    if !text.starts_with(|c: char| c.is_ascii_uppercase()) {
        return None;
    }
    let written = run(text, is_wordy);
    let name = &text[..written];
    let is = |month: &&&str| **month == name || month[..3] == *name;
    let month = MONTHS.iter().find(is).or((name == "Sept").then_some(&MONTHS[8]))?;
    Some((month, written))
}

/// Writes "March 3", "Mar. 3rd, 2026" out.
pub(super) fn month_and_day(_: &Expander, here: Here) -> Option<Instead> {
    let rest = here.rest();
    if !here.is_fresh("") {
        return None;
    }
    let (month, length) = month(rest)?;
    let after = rest[length..].strip_prefix('.').unwrap_or(&rest[length..]).strip_prefix(' ')?;
    let day = Some(digits(after)).filter(|digits| matches!(digits.len(), 1 | 2))?;
    let after = &after[day.len()..];
    let ends = ["st", "nd", "rd", "th"].iter().find_map(|end| after.strip_prefix(end));
    let after = ends.filter(|after| ends_word(after)).unwrap_or(after);
    let fits = ends_word(after) && !after.starts_with([':', '%']);
    let words = format!("{month} {}", day_in_words(day).filter(|_| fits)?);
    Some(Instead { length: length_before(rest, after), words })
}

/// Writes "the 3 of March", "3 Mar." out. The stop of a sentence stays.
pub(super) fn day_and_month(_: &Expander, here: Here) -> Option<Instead> {
    let rest = here.rest();
    if !here.is_fresh("") {
        return None;
    }
    let start = rest.strip_prefix("the ").unwrap_or(rest);
    let day = Some(digits(start)).filter(|digits| matches!(digits.len(), 1 | 2))?;
    let after = start[day.len()..].strip_prefix(' ')?;
    let after = after.strip_prefix("of ").unwrap_or(after);
    let (month, length) = month(after)?;
    let abbreviated = after[..length] != *month;
    let after = &after[length..];
    let stop = after.strip_prefix('.').filter(|behind| abbreviated && !behind.is_empty());
    let words = format!("the {} of {month}", day_in_words(day)?);
    Some(Instead { length: length_before(rest, stop.unwrap_or(after)), words })
}
