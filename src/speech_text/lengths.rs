//! Rules for lengths: heights in feet and inches, screens in inches, "1m80".

use super::lang::has;
use super::language::{Form, Language, Noun};
use super::number::{Numeral, digits, number, say, say_counted};
use super::rules::{Said, Spot, ends_word};

/// Lists the marks of feet and of inches.
const FEET: [&str; 4] = ["′", "'", "’", "ft"];
const INCHES: [&str; 7] = ["″", "\"", "”", "''", "’’", "in.", "in"];

/// Lists English words after which a length describes the noun behind it: "a 27" monitor".
const ARTICLES: &str = "a, an, the, this, that, my, our, your, new, one";

/// Says "5'10"", "6′", "27" monitor", "5 ft 10 in" and "1m80".
pub(super) fn said(spot: &Spot) -> Option<Said> {
    if !spot.rest().starts_with(|c: char| c.is_ascii_digit()) || !spot.is_fresh() {
        return None;
    }
    feet_and_inches(spot).or_else(|| inches(spot)).or_else(|| metres(spot))
}

fn feet_and_inches(spot: &Spot) -> Option<Said> {
    let (rest, language) = (spot.rest(), spot.language);
    let feet = digits(rest);
    let (mark, behind) = marked(&rest[feet.len()..], &FEET)?;
    let whole: u64 = feet.parse().ok().filter(|_| feet.len() <= 2)?;
    let said = say_counted(&Numeral::of(whole), language, language.unit("′"));
    let bare = behind.strip_prefix([' ', '\u{a0}']).unwrap_or(behind);
    let small = digits(bare);
    let inches = small.parse().ok().filter(|&inches: &u64| inches < 12 && small.len() <= 2);
    if let Some(inches) = inches {
        let after = &bare[small.len()..];
        let end = match marked(after, &INCHES) {
            Some((_, end)) if ends_word(end) || end.starts_with('\'') => Some(end),
            // "5'10" needs no mark at its end, but no space in it.
            _ if mark != "ft" && bare.len() == behind.len() && ends_word(after) => Some(after),
            _ => None,
        };
        if let Some(end) = end {
            let inches = say_counted(&Numeral::of(inches), language, language.unit("″"));
            return Said::new(rest.len() - end.len(), format!("{said} {inches}"));
        }
    }
    // "6'" alone closes a quotation, or is minutes, where feet are not common.
    let opened = |(at, _)| spot.line[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric());
    let opened = spot.line[..spot.at].match_indices(['\'', '‘']).any(opened);
    let english = language.unit("ft").one == "foot";
    let alone = mark != "ft" && english && !opened && whole > 0 && ends_feet(behind);
    if !alone {
        return None;
    }
    let length = rest.len() - behind.len();
    Said::new(length, of_noun(spot, &rest[length..], &Numeral::of(whole), language.unit("′")))
}

/// Returns whether the mark of feet is not the start of a word such as "'s".
fn ends_feet(behind: &str) -> bool {
    behind.is_empty() || behind.starts_with(|c: char| c.is_whitespace() || ".,;:!?)-".contains(c))
}

fn inches(spot: &Spot) -> Option<Said> {
    let (rest, language) = (spot.rest(), spot.language);
    let size = number(rest, language, false)?;
    let (mark, behind) = marked(&rest[size.length..], &INCHES[..5])?;
    let before = &spot.line[..spot.at];
    // A quotation that ends with a number has been opened.
    let opened = match mark {
        "\"" => before.matches('"').count() % 2 == 1,
        "”" => before.matches(['“', '”', '„']).count() % 2 == 1,
        _ => false,
    };
    let fits = !opened && size.whole > 0 && size.whole < 1000 && ends_feet(behind);
    fits.then_some(())?;
    let length = rest.len() - behind.len();
    let words = of_noun(spot, behind, &size, language.unit("″"));
    // In "27"-Monitor" the hyphen joins what is said as two words.
    let hyphen = usize::from(behind.starts_with('-'));
    Said::new(length + hyphen, words)
}

/// Says a length; English has the singular where it describes the noun behind it.
fn of_noun(spot: &Spot, behind: &str, size: &Numeral, noun: &Noun) -> String {
    let followed = behind.trim_start_matches(['-', ' ']).starts_with(char::is_alphabetic);
    if followed && has(ARTICLES, &spot.word_before()) {
        return format!("{} {}", say(size, spot.language, noun.form), noun.one);
    }
    say_counted(size, spot.language, noun)
}

/// Says "1m80".
fn metres(spot: &Spot) -> Option<Said> {
    let (rest, language) = (spot.rest(), spot.language);
    let whole = digits(rest);
    let part = digits(rest[whole.len()..].strip_prefix('m')?);
    let length = whole.len() + 1 + part.len();
    (whole.len() == 1 && part.len() == 2 && ends_word(&rest[length..])).then_some(())?;
    let metres = say_counted(&Numeral::of(whole.parse().ok()?), language, language.unit("m"));
    Said::new(length, format!("{metres} {}", cardinal(part, language)?))
}

fn cardinal(digits: &str, language: &Language) -> Option<String> {
    Some((language.cardinal)(digits.parse().ok()?, Form::Alone))
}

/// Reads one of the marks, and returns what is behind it; "ft" and "in" may stand after a space.
fn marked<'a>(text: &'a str, marks: &[&'static str]) -> Option<(&'static str, &'a str)> {
    let bare = text.strip_prefix(' ').unwrap_or(text);
    marks.iter().find_map(|&mark| {
        let word = mark.starts_with(char::is_alphabetic);
        let from = if word { bare } else { text };
        Some((mark, from.strip_prefix(mark)?))
    })
}
