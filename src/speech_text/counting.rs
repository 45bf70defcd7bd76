//! Rules for numbers that count or name: ordinals, fractions, "#5", "A-4711", lists, and the rest.

use super::lang::{entries, has};
use super::language::{Form, Language};
use super::number::{Numeral, digit_by_digit, digits, digits_in_groups, number, say};
use super::rules::{Said, Spot, ends_word};

/// Limits the numbers of "1,2,3".
const MAX_LIST: usize = 30;

/// Lists the fractions that are one character, with numerator and denominator.
const SIGNS: [(char, u64, u64); 15] = [
    ('½', 1, 2),
    ('⅓', 1, 3),
    ('⅔', 2, 3),
    ('¼', 1, 4),
    ('¾', 3, 4),
    ('⅕', 1, 5),
    ('⅖', 2, 5),
    ('⅗', 3, 5),
    ('⅘', 4, 5),
    ('⅙', 1, 6),
    ('⅚', 5, 6),
    ('⅛', 1, 8),
    ('⅜', 3, 8),
    ('⅝', 5, 8),
    ('⅞', 7, 8),
];

/// Says "½", "3/4", "1½", "1 1/2" and "8/10", with the unit after it.
pub(super) fn fraction(spot: &Spot) -> Option<Said> {
    let (rest, language) = (spot.rest(), spot.language);
    let whole = digits(rest);
    let behind = &rest[whole.len()..];
    let space = usize::from(!whole.is_empty() && behind.starts_with(' '));
    let (before, at) = (whole.parse::<u64>().ok(), whole.len() + space);
    let mixed = part(&rest[at..]).filter(|_| before.is_some_and(|whole| whole < 1000));
    let (before, (top, bottom, length)) = match mixed {
        Some((top, bottom, length)) if top < bottom => (before, (top, bottom, at + length)),
        _ => (None, part(rest)?),
    };
    let (unit, length) = unit_after(rest, length, language);
    let said = match before {
        Some(whole) => {
            // German writes both as one word: "eineinhalb".
            let glued = !language.words.and_half.starts_with(' ');
            let form = if glued { Form::Masculine } else { Form::Alone };
            let whole = (language.cardinal)(whole, form);
            match (top, bottom) {
                (1, 2) => format!("{whole}{}", language.words.and_half),
                _ => format!("{whole} {} {}", language.words.and, say_part(top, bottom, language)),
            }
        }
        None if (top, bottom) == (1, 2) && !unit.0.is_empty() => language.words.half_a.to_owned(),
        None => say_part(top, bottom, language),
    };
    let unit = match (before, unit) {
        (Some(_), (_, many)) => many,
        (None, (one, _)) => one,
    };
    Said::new(length, if unit.is_empty() { said } else { format!("{said} {unit}") })
}

/// Reads a fraction without a whole number.
pub(super) fn part(text: &str) -> Option<(u64, u64, usize)> {
    let first = text.chars().next()?;
    if let Some(&(_, top, bottom)) = SIGNS.iter().find(|(sign, ..)| *sign == first) {
        return Some((top, bottom, first.len_utf8()));
    }
    let top = digits(text);
    let bottom = digits(text[top.len()..].strip_prefix(['/', '⁄'])?);
    let length = text.len() - text[top.len()..].trim_start_matches(['/', '⁄']).len() + bottom.len();
    let ends = ends_word(&text[length..]) && !text[length..].starts_with('/');
    if top.len() > 3 || bottom.len() > 3 || top.is_empty() || !ends {
        return None;
    }
    let (top, bottom) = (top.parse().ok()?, bottom.parse().ok()?);
    (bottom > 1 && top > 0).then_some((top, bottom, length))
}

pub(super) fn say_part(top: u64, bottom: u64, language: &Language) -> String {
    let cardinal = |n| (language.cardinal)(n, Form::Masculine);
    let names = usize::try_from(bottom - 2).ok().and_then(|at| language.parts.get(at));
    match (top, names) {
        (1, _) if bottom == 2 => language.words.half.to_owned(),
        (1, Some((one, _))) if bottom < 10 => format!("{} {one}", cardinal(1)),
        (_, Some((_, many))) if bottom < 10 && top < bottom => format!("{} {many}", cardinal(top)),
        _ => {
            let [top, bottom] = [top, bottom].map(|n| (language.cardinal)(n, Form::Alone));
            format!("{top} {} {bottom}", language.words.out_of)
        }
    }
}

/// Reads the unit after a fraction: its singular, its plural, and where it ends.
fn unit_after(
    rest: &str,
    end: usize,
    language: &Language,
) -> ((&'static str, &'static str), usize) {
    let bare = rest[end..].strip_prefix([' ', '\u{a0}']).unwrap_or(&rest[end..]);
    let signs = language.units.iter().flat_map(|unit| unit.signs.iter().map(move |s| (unit, *s)));
    let fitting = signs.filter(|(_, sign)| bare.strip_prefix(sign).is_some_and(ends_word));
    match fitting.max_by_key(|(_, sign)| sign.len()) {
        Some((unit, sign)) => {
            ((unit.noun.one, unit.noun.many), rest.len() - bare.len() + sign.len())
        }
        None => (("", ""), end),
    }
}

/// Says "1st", "2º", "3ª" and "4e".
pub(super) fn ordinal(spot: &Spot) -> Option<Said> {
    let (rest, language) = (spot.rest(), spot.language);
    let number = digits(rest);
    let after = &rest[number.len()..];
    let marks = language.ordinal_marks.iter();
    let (mark, form) = marks
        .filter(|(mark, _)| after.strip_prefix(mark).is_some_and(ends_word))
        .max_by_key(|(mark, _)| mark.len())?;
    let n = number.parse().ok().filter(|&n: &u64| n > 0 && number.len() <= 4)?;
    Said::new(number.len() + mark.len(), (language.ordinal)(n, *form))
}

/// Says "3." before a word, inflected for the word in front of it.
pub(super) fn dotted_ordinal(spot: &Spot) -> Option<Said> {
    let (rest, language) = (spot.rest(), spot.language);
    let number = digits(rest);
    let after = rest[number.len()..].strip_prefix('.')?;
    let word = after.trim_start_matches([' ', '\u{a0}']);
    let followed = word.len() < after.len() && word.starts_with(char::is_alphabetic);
    if language.dotted_ordinals.is_none()
        || !followed
        || number.len() > 3
        || spot.before().is_none()
    {
        return None;
    }
    let n = number.parse().ok().filter(|&n: &u64| n > 0)?;
    Said::new(
        number.len() + 1,
        (language.ordinal)(n, (language.ordinal_form)(&spot.word_that_inflects())),
    )
}

/// Says "#5"; four digits and more are said one by one.
pub(super) fn numbered(spot: &Spot) -> Option<Said> {
    let number = digits(spot.rest().strip_prefix('#')?);
    let length = 1 + number.len();
    if number.is_empty() || !ends_word(&spot.rest()[length..]) || !spot.is_fresh() {
        return None;
    }
    let language = spot.language;
    Said::new(length, format!("{} {}", language.words.number, say_name(number, language)))
}

/// Says a number that names something: a short one as a number, a long one digit by digit.
pub(super) fn say_name(number: &str, language: &Language) -> String {
    match number.parse() {
        Ok(n) if number.len() <= 3 && (number.len() == 1 || !number.starts_with('0')) => {
            (language.cardinal)(n, Form::Alone)
        }
        _ if number.len() <= 4 => digit_by_digit(number, language),
        _ => digits_in_groups(number, language),
    }
}

/// Says "A-4711", "COVID-19", "MP3", "24-Stunden-Service": letters as they are, then the digits.
pub(super) fn code(spot: &Spot) -> Option<Said> {
    let (rest, language) = (spot.rest(), spot.language);
    if !rest.starts_with(char::is_alphanumeric) {
        return None;
    }
    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '-')).unwrap_or(rest.len());
    let word = rest[..end].trim_end_matches('-');
    let has = |of: fn(char) -> bool| word.contains(of);
    if !has(char::is_alphabetic) || !has(|c| c.is_ascii_digit()) {
        return None;
    }
    let mut said: Vec<String> = Vec::new();
    let mut at = 0;
    while let Some(c) = word[at..].chars().next() {
        if c.is_ascii_digit() {
            let run = digits(&word[at..]);
            let year = run.len() == 4 && word[..at].contains(char::is_lowercase);
            said.push(match run.parse() {
                Ok(n) if year && (1900..2100).contains(&n) => (language.year)(n),
                _ => say_name(run, language),
            });
            at += run.len();
        } else {
            let run = word[at..].find(|c: char| c.is_ascii_digit()).unwrap_or(word.len() - at);
            let letters = word[at..at + run].trim_matches('-');
            if !letters.is_empty() {
                said.push(letters.to_owned());
            }
            at += run;
        }
    }
    Said::new(word.len(), said.join(" "))
}

/// Says the ratio "3:1" and the list "1,2,3".
pub(super) fn list(spot: &Spot) -> Option<Said> {
    let (rest, language) = (spot.rest(), spot.language);
    let run = rest.find(|c: char| !(c.is_ascii_digit() || matches!(c, ':' | ',')));
    let run = rest[..run.unwrap_or(rest.len())].trim_end_matches([':', ',']);
    let mark = if run.contains(':') { ':' } else { ',' };
    let parts: Vec<&str> = run.split(mark).collect();
    let fits = if mark == ':' { parts.len() == 2 } else { parts.len() > 2 };
    let plain =
        |part: &&str| !part.is_empty() && part.len() <= 4 && digits(part).len() == part.len();
    let indian = number(rest, language, false).is_some_and(|number| number.indian);
    let thousands = indian || mark == ',' && parts[1..].iter().all(|part| part.len() == 3);
    let whole = ends_word(&rest[run.len()..]) && parts.len() <= MAX_LIST;
    if !(fits && whole) || thousands || !parts.iter().all(plain) {
        return None;
    }
    let between = if mark == ':' { format!(" {} ", language.words.ratio) } else { ", ".to_owned() };
    let said: Vec<_> = parts.iter().map(|part| say_name(part, language)).collect();
    Said::new(run.len(), said.join(&between))
}

/// Says any other number.
pub(super) fn plain(spot: &Spot) -> Option<Said> {
    let (rest, language) = (spot.rest(), spot.language);
    let run = digits(rest);
    if run.is_empty() {
        return point_first(spot);
    }
    let padded = run.len() > 1 && run.starts_with('0');
    let number = number(rest, language, false).filter(|number| !(padded && number.is_plain()));
    let Some(number) = number else {
        return Said::new(run.len(), digits_in_groups(run, language));
    };
    // Seven digits without a separator are a name, not a count, unless they are round.
    if number.is_plain() && run.len() >= 7 && !run.ends_with("000") {
        return Said::new(run.len(), digits_in_groups(run, language));
    }
    let after = &rest[number.length..];
    if number.is_year() && is_year_here(spot, after) {
        return Said::new(number.length, (language.year)(number.whole));
    }
    Said::new(number.length, say(&number, language, form_before(after, language)))
}

/// Says ".5".
fn point_first(spot: &Spot) -> Option<Said> {
    let language = spot.language;
    let decimals = digits(spot.rest().strip_prefix(language.decimal)?);
    if decimals.is_empty() || decimals.len() > 4 || !spot.is_fresh() {
        return None;
    }
    let number = Numeral { decimals, ..Numeral::of(0) };
    Said::new(1 + decimals.len(), say(&number, language, Form::Alone))
}

/// Returns whether four digits are a year: a word says so, or no noun follows that they could
/// count.
fn is_year_here(spot: &Spot, after: &str) -> bool {
    let counts = after.strip_prefix(' ').is_some_and(|word| word.starts_with(char::is_alphabetic));
    has(spot.language.cues.years, &spot.word_before()) || !counts
}

/// Returns what a number agrees with, judged by the ending of the next word.
fn form_before(after: &str, language: &Language) -> Form {
    let Some(word) = after.strip_prefix([' ', '\u{a0}']) else { return Form::Alone };
    let word = &word[..word.find(|c: char| !c.is_alphabetic()).unwrap_or(word.len())];
    let lower = word.to_lowercase();
    let is_noun = word.starts_with(char::is_uppercase) == language.capital_nouns;
    if word.is_empty() || !is_noun || has(language.not_counted, &lower) {
        return Form::Alone;
    }
    gender_of(&lower, language)
}

/// Returns the gender of a noun in lower case, judged by its ending.
pub(super) fn gender_of(noun: &str, language: &Language) -> Form {
    let feminine = entries(language.feminine_endings).any(|ending| noun.ends_with(ending))
        && !has(language.masculine, noun);
    if feminine { Form::Feminine } else { Form::Masculine }
}
