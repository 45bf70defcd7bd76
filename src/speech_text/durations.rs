//! Rules for times with seconds: how long something lasts, or a time of day to the second.

use super::language::{Language, Noun, Time};
use super::number::{Numeral, digits, say_counted};
use super::rules::{Said, Spot, ends_word};
use super::times::suffix;
use super::{dates, lang::cues};

/// Holds "1:23:45", or "3:45" of which the first is minutes.
struct ToTheSecond<'a> {
    hour: &'a str,
    minute: u64,
    second: u64,
    /// The digits after the seconds.
    fraction: &'a str,
    length: usize,
}

/// Says "1:23:45", "10:00:00", "3:45 min" and "1:30 hours".
pub(super) fn said(spot: &Spot) -> Option<Said> {
    let (rest, language) = (spot.rest(), spot.language);
    let Some(clock) = clock(rest) else { return two_parts(spot) };
    let after = &rest[clock.length..];
    let hour = clock.hour.parse().ok()?;
    let (half, unit) = suffix(after, language.hour_units).unwrap_or((None, 0));
    let before = spot.cue_before();
    let asked = unit > 0 || cues(language.cues.clock, &before);
    let lasts = cues(language.cues.lasts, &before) || cues(language.cues.long, &word_after(after));
    let of_day = clock.hour.len() == 2 && clock.hour != "00" && !lasts;
    if hour <= 24 && clock.fraction.is_empty() && (asked || of_day) {
        let time = Time { hour, minute: clock.minute, half, bare: false };
        return Said::new(clock.length + unit, of_day_to_the_second(time, clock.second, language));
    }
    ends_word(after).then_some(())?;
    let seconds = Numeral { decimals: clock.fraction, ..Numeral::of(clock.second) };
    let parts = [Numeral::of(hour), Numeral::of(clock.minute), seconds];
    Said::new(clock.length, say_parts(&parts, language))
}

/// Says "2026-11-21T10:00:00Z" as a day and a time.
pub(super) fn stamp(spot: &Spot) -> Option<Said> {
    let rest = spot.rest();
    let (date, day) = dates::iso(rest)?;
    let behind = rest[day..].strip_prefix(['T', ' '])?;
    let at = day + 1;
    let (hour, minute) = (digits(behind), digits(behind.get(3..)?));
    if hour.len() != 2 || minute.len() != 2 || !behind[2..].starts_with(':') {
        return None;
    }
    let clock = clock(behind);
    let mut length = clock.as_ref().map_or(5, |clock| clock.length);
    let zone = behind[length..].trim_start_matches(|c: char| c.is_ascii_digit() || c == ':');
    length += match behind[length..].chars().next() {
        Some('Z') => 1,
        Some('+' | '-') if zone.len() < behind.len() - length => {
            let zone = &behind[length + 1..];
            let of_zone = |c: char| !(c.is_ascii_digit() || c == ':');
            1 + zone.find(of_zone).unwrap_or(zone.len())
        }
        _ => 0,
    };
    ends_word(&behind[length..]).then_some(())?;
    let time =
        Time { hour: hour.parse().ok()?, minute: minute.parse().ok()?, half: None, bare: false };
    (time.hour <= 24 && time.minute < 60).then_some(())?;
    let second = clock.map_or(0, |clock| clock.second);
    let day = (spot.language.date)(date, &spot.word_that_inflects());
    let time = of_day_to_the_second(time, second, spot.language);
    Said::new(at + length, format!("{day}, {time}"))
}

/// Reads hours, minutes and seconds.
fn clock(text: &str) -> Option<ToTheSecond<'_>> {
    let hour = digits(text);
    let (minute, behind) = two_digits(&text[hour.len()..])?;
    let (second, behind) = two_digits(behind)?;
    let fraction = behind.strip_prefix(['.', ',']).map_or("", digits);
    let length = text.len() - behind.len();
    let length = if fraction.is_empty() { length } else { length + 1 + fraction.len() };
    let goes_on = text[length..].starts_with(':') && !digits(&text[length + 1..]).is_empty();
    let fits = matches!(hour.len(), 1..=3) && fraction.len() <= 3 && !goes_on;
    fits.then_some(ToTheSecond { hour, minute, second, fraction, length })
}

/// Reads a colon and two digits below 60; returns the text behind them, too.
fn two_digits(text: &str) -> Option<(u64, &str)> {
    let behind = text.strip_prefix(':')?;
    let number = Some(digits(behind)).filter(|number| number.len() == 2)?;
    let value = number.parse().ok().filter(|&value: &u64| value < 60)?;
    Some((value, &behind[2..]))
}

/// Says "3:45 min" and "1:30 hours": the word behind it tells that it is no time of day.
fn two_parts(spot: &Spot) -> Option<Said> {
    let (rest, language) = (spot.rest(), spot.language);
    let first = digits(rest);
    let (second, behind) = two_digits(&rest[first.len()..])?;
    let word = behind.strip_prefix([' ', '\u{a0}']).unwrap_or(behind);
    let end = word.find(|c: char| !c.is_alphabetic()).unwrap_or(word.len());
    let (word, length) = (&word[..end], rest.len() - word.len() + end);
    let is = |noun: &Noun| word == noun.one || word == noun.many;
    let [hours, minutes, _] = nouns(language);
    let lasts = cues(language.cues.lasts, &spot.cue_before());
    let first = Numeral::of(first.parse().ok().filter(|_| first.len() <= 3)?);
    let zero = Numeral::of(0);
    let parts = if word == "min" || word == "mins" || is(minutes) {
        [zero, first, Numeral::of(second)]
    } else if is(hours) && (lasts || !cues(language.hour_units, word)) {
        [first, Numeral::of(second), zero]
    } else {
        return None;
    };
    Said::new(length, say_parts(&parts, language))
}

/// Says a time of day with its seconds, if there are any.
fn of_day_to_the_second(time: Time, second: u64, language: &Language) -> String {
    let said = (language.time)(time);
    if second == 0 {
        return said;
    }
    let [_, _, seconds] = nouns(language);
    let second = say_counted(&Numeral::of(second), language, seconds);
    format!("{said} {} {second}", language.words.and)
}

/// Says what there is of hours, minutes and seconds.
fn say_parts(parts: &[Numeral; 3], language: &Language) -> String {
    let said = parts.iter().zip(nouns(language));
    let said = said.filter(|(part, _)| part.whole > 0 || !part.decimals.is_empty());
    let mut said: Vec<String> =
        said.map(|(part, noun)| say_counted(part, language, noun)).collect();
    let last = said.pop().unwrap_or_else(|| say_counted(&parts[2], language, nouns(language)[2]));
    if said.is_empty() {
        return last;
    }
    format!("{} {} {last}", said.join(", "), language.words.and)
}

/// Returns the hour, the minute and the second.
fn nouns(language: &Language) -> [&'static Noun; 3] {
    ["h", "min", "s"].map(|sign| language.unit(sign))
}

/// Returns the next word, in lower case.
fn word_after(text: &str) -> String {
    let word = text.trim_start_matches([' ', '\u{a0}']);
    word[..word.find(|c: char| !c.is_alphabetic()).unwrap_or(word.len())].to_lowercase()
}
