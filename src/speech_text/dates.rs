//! Rules for days: "2026-11-21", "21.11.2026", "11/21/2026", "May 3, 2026", "3 de mayo", "May 3–5".

use super::lang::anywhere;
use super::language::{Date, Language};
use super::number::{dash, digits};
use super::rules::{Said, Spot, ends_word};

/// Says three numbers with the same separator between them, or "21.11." where ordinals have a stop.
pub(super) fn numeric(spot: &Spot) -> Option<Said> {
    let rest = spot.rest();
    let first = digits(rest);
    let mark = rest[first.len()..].chars().next().filter(|c| matches!(c, '-' | '/' | '.'))?;
    let second = digits(&rest[first.len() + 1..]);
    let at = first.len() + 1 + second.len();
    if !matches!(second.len(), 1 | 2) || !rest[at..].starts_with(mark) {
        return short(spot, first, mark, second, at);
    }
    let third = digits(&rest[at + 1..]);
    let length = at + 1 + third.len();
    let language = spot.language;
    let date = match (first.len(), third.len()) {
        (4, 2) => date(third, second, Some(first)),
        (1 | 2, 4 | 2) => day_and_month(first, second, Some(third), language),
        (1 | 2, 0) if mark == '.' && language.dotted_ordinals.is_some() => {
            date(first, second, None)
        }
        _ => None,
    }?;
    let after = &rest[length..];
    let goes_on = after.starts_with(|c: char| c.is_alphanumeric())
        || (after.starts_with(mark) && !digits(&after[1..]).is_empty());
    (!goes_on).then_some(())?;
    Said::new(length, (language.date)(date, &spot.word_that_inflects()))
}

/// Says a day and a month without a year; their size tells them from a fraction.
fn short(spot: &Spot, first: &str, mark: char, second: &str, length: usize) -> Option<Said> {
    let language = spot.language;
    let after = &spot.rest()[length..];
    let before = spot.word_before();
    let cued = first != "1" && anywhere(|language| language.cues.days, &before);
    let sized = second.len() == 2 || (cued && second.len() == 1);
    let whole = sized && first.len() <= 2 && ends_word(after) && !after.starts_with('%');
    // 8/10 is eight out of ten, 05/10 and 21/11 are days.
    let day_like = cued || first.starts_with('0') || first.len() == 2 && first > second;
    let month_like = language.month_before_day && second > "12";
    if mark != '/' || !whole || !(day_like || month_like) {
        return None;
    }
    let date = day_and_month(first, second, None, language)?;
    Said::new(length, (language.date)(date, &spot.word_that_inflects()))
}

/// Orders day and month as the language does, or the other way round if only that is a date.
fn day_and_month(a: &str, b: &str, year: Option<&str>, language: &Language) -> Option<Date> {
    let (day_first, month_first) = (date(a, b, year), date(b, a, year));
    let month_first = month_first.map(|date| Date { month_first: true, ..date });
    let day_first = day_first.map(|date| Date { month_first: language.month_before_day, ..date });
    if language.month_before_day { month_first.or(day_first) } else { day_first.or(month_first) }
}

/// Reads a date from its digits; `None` if there is no such day.
fn date(day: &str, month: &str, year: Option<&str>) -> Option<Date> {
    let (day, month) = (day.parse().ok()?, month.parse().ok()?);
    let year = match year {
        Some(year) if year.len() == 2 => Some(2000 + year.parse::<u64>().ok()?),
        Some(year) => Some(year.parse().ok()?),
        None => None,
    };
    let valid = (1..=31).contains(&day) && (1..=12).contains(&month);
    (valid && year.is_none_or(|year: u64| (1000..3000).contains(&year))).then_some(Date {
        day,
        month,
        year,
        month_first: true,
    })
}

/// Reads "2026-11-21", and its length.
pub(super) fn iso(text: &str) -> Option<(Date, usize)> {
    let (year, rest) = (digits(text), text.get(4..)?);
    let (month, rest) = (digits(rest.strip_prefix('-')?), rest.get(3..)?);
    let day = digits(rest.strip_prefix('-')?);
    (year.len() == 4 && month.len() == 2 && day.len() == 2).then_some(())?;
    Some((date(day, month, Some(year))?, 10))
}

/// Says a day, or a range of days, and the name of a month in either order, with or without a year.
pub(super) fn named(spot: &Spot) -> Option<Said> {
    let (rest, language) = (spot.rest(), spot.language);
    let (day, last, month, length) = if rest.starts_with(|c: char| c.is_ascii_digit()) {
        let (day, last, mut at) = days_of(rest, language)?;
        at += one_of(language.day_to_month, &rest[at..])?;
        let (month, name) = name_in(&rest[at..], &language.months, language)?;
        (day, last, month, at + name)
    } else {
        let (month, mut at) = name_in(rest, &language.months, language)?;
        at += one_of(language.day_to_month, &rest[at..]).filter(|_| language.month_before_day)?;
        let (day, last, length) = days_of(&rest[at..], language)?;
        (day, last, month, at + length)
    };
    ends_word(&rest[length..]).then_some(())?;
    let month_first = !rest.starts_with(|c: char| c.is_ascii_digit());
    let (year, length) = year_after(rest, length, language);
    let date = |day, year| Date { day, month: month + 1, year, month_first };
    let before = spot.word_that_inflects();
    let say = |date: Date| (language.date)(date, &before);
    let Some(last) = last else { return Said::new(length, say(date(day, year))) };
    let (first, end) = (say(date(day, None)), say(date(last, None)));
    // "The third to the fifth of May": the month is said once.
    let (first, last) = if month_first {
        let shared = first.split(' ').zip(end.split(' ')).take_while(|(a, b)| a == b).count();
        let last = say(date(last, year));
        (first, last.split(' ').skip(shared).collect::<Vec<_>>().join(" "))
    } else {
        let shared = first.split(' ').rev().zip(end.split(' ').rev());
        let shared = shared.take_while(|(a, b)| a == b).count();
        let words: Vec<&str> = first.split(' ').collect();
        (words[..words.len() - shared].join(" "), say(date(last, year)))
    };
    Said::new(length, format!("{first} {} {last}", language.words.to))
}

/// Reads a day with its ordinal mark, perhaps to another one after a dash, and their length.
fn days_of(text: &str, language: &Language) -> Option<(u64, Option<u64>, usize)> {
    let (day, mut at) = day_of(text)?;
    let mark = |at: usize| {
        let marks = language.ordinal_marks.iter().filter(|_| language.month_before_day);
        marks.map(|(mark, _)| *mark).find(|mark| text[at..].starts_with(mark)).map_or(0, str::len)
    };
    at += mark(at);
    let stop = usize::from(language.dotted_ordinals.is_some() && text[at..].starts_with('.'));
    if let Some(dash) = dash(&text[at + stop..])
        && let Some((last, length)) = day_of(&text[at + stop + dash..])
        && last > day
        && ends_word(&text[at + stop + dash + length..])
    {
        let end = at + stop + dash + length;
        return Some((day, Some(last), end + mark(end)));
    }
    Some((day, None, at))
}

/// Reads a day, 1 to 31, and its length.
fn day_of(text: &str) -> Option<(u64, usize)> {
    let day = digits(text);
    let number = day.parse().ok().filter(|day| (1..=31).contains(day))?;
    (day.len() <= 2).then_some((number, day.len()))
}

/// Returns the length of the separator that `text` starts with.
fn one_of(separators: &[&str], text: &str) -> Option<usize> {
    separators.iter().find(|mark| text.starts_with(**mark)).map(|mark| mark.len())
}

/// Reads a year of four digits after a date, and where it ends; else returns where the date ends.
fn year_after(rest: &str, end: usize, language: &Language) -> (Option<u64>, usize) {
    for between in language.month_to_year {
        let Some(after) = rest[end..].strip_prefix(between) else { continue };
        let year = digits(after);
        let goes_on = after[year.len()..]
            .starts_with(|c: char| c.is_alphanumeric() || matches!(c, ':' | '€' | '%'));
        if year.len() == 4 && !goes_on && (year.starts_with('1') || year.starts_with('2')) {
            return (year.parse().ok(), end + between.len() + 4);
        }
    }
    (None, end)
}

/// Finds which name of a table `text` starts with, and its length with a full stop.
pub(super) fn name_in(
    text: &str,
    table: &[&[&str]],
    language: &Language,
) -> Option<(usize, usize)> {
    let word_end = text.find(|c: char| !c.is_alphabetic()).unwrap_or(text.len());
    let word = &text[..word_end];
    let exact = language.capital_names;
    let lower = word.to_lowercase();
    let is_name = |name: &&str| if exact { *name == word } else { name.to_lowercase() == lower };
    let which = table.iter().position(|names| names.iter().any(is_name))?;
    let short = table[which].iter().skip(1).any(is_name);
    let stop = usize::from(short && text[word_end..].starts_with('.'));
    Some((which, word_end + stop))
}
