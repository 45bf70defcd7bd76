//! Rules for numbers that name something: a code, an order, a card, a document. Words around them
//! tell; their digits are said one by one.

use super::contacts;
use super::lang::{cues, has};
use super::language::Language;
use super::number::digits;
use super::rules::{Said, Spot, ends_word};
use super::whole::say_parts;

/// Limits the words that are read back from a number to the word that says what it is.
const MAX_WORDS_BACK: usize = 8;

/// Limits a code, in bytes.
const MAX_CODE: usize = 60;

/// Tells what the words before a number say that it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Named {
    /// A code or a document.
    Code,
    /// Something that may be counted, too.
    Thing,
    Telephone,
}

/// Says a code after a word that says so: "Your code is 482913", "Bestellnummer 10482".
pub(super) fn cued(spot: &Spot) -> Option<Said> {
    let token = token(spot.rest())?;
    let count = token.chars().filter(char::is_ascii_digit).count();
    let letters = token.contains(char::is_alphabetic);
    let (named, linked) = name_before(spot)?;
    let small = token.contains(|c: char| c.is_ascii_lowercase());
    if small && named != Named::Code {
        return None;
    }
    let least = match named {
        _ if letters => 1,
        Named::Code | Named::Telephone => 3,
        Named::Thing => 4,
    };
    let padded = token.starts_with('0') && count > 1;
    if count < least && !padded {
        return None;
    }
    let after = &spot.rest()[token.len()..];
    let sure = linked || named == Named::Code;
    if is_amount(after, sure, spot.language) || (named != Named::Code && is_quantity(token)) {
        return None;
    }
    if named == Named::Telephone
        && let Some(said) = contacts::phone(spot)
    {
        return Some(said);
    }
    Said::new(token.len(), say_parts(token, spot))
}

/// Says a code before the word that says so: "482913 is your code".
pub(super) fn announced(spot: &Spot) -> Option<Said> {
    let token = token(spot.rest()).filter(|_| spot.is_fresh())?;
    let count = token.chars().filter(char::is_ascii_digit).count();
    if !(4..=10).contains(&count) || token.contains(char::is_alphabetic) {
        return None;
    }
    let table = spot.language.cues;
    let mut words = words(&spot.rest()[token.len()..]);
    has(table.is, &words.next()?).then_some(())?;
    for word in words.take(4) {
        if cues(table.codes, &word) {
            return Said::new(token.len(), say_parts(token, spot));
        }
        let own = ["your", "ihr", "dein", "su", "tu", "seu", "sua", "votre", "ton"];
        (has(table.links, &word) || own.contains(&word.as_str())).then_some(())?;
    }
    None
}

/// Says what its shape tells: an IBAN, or a card's four groups of four digits.
pub(super) fn shaped(spot: &Spot) -> Option<Said> {
    let rest = spot.rest();
    let letters = rest.bytes().take_while(u8::is_ascii_uppercase).count();
    let is_iban = letters == 2 && digits(&rest[2..]).len() == 2;
    if !is_iban && !rest.starts_with(|c: char| c.is_ascii_digit()) || !spot.is_fresh() {
        return None;
    }
    let first = if is_iban { 4 } else { digits(rest).len() };
    let (mut length, mut groups) = (first, 1);
    while let Some(group) = rest[length..].strip_prefix(' ') {
        let size = group.bytes().take_while(u8::is_ascii_alphanumeric).count();
        let capital = group[..size].bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
        let fits = capital && (size == 4 || is_iban && (1..4).contains(&size) && groups >= 4);
        if !fits {
            break;
        }
        length += 1 + size;
        groups += 1;
    }
    let whole = if is_iban { groups >= 4 } else { first == 4 && groups == 4 };
    (whole && ends_word(&rest[length..])).then_some(())?;
    Said::new(length, say_parts(&rest[..length], spot))
}

/// Reads a code: letters and digits with single marks between them, and groups of digits behind a
/// space.
fn token(text: &str) -> Option<&str> {
    let first = text.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let mut at = first;
    while let Some(behind) = text[at..].strip_prefix(['-', '.', '/', '_', '–', '‑', ' ', '\u{a0}'])
    {
        let run = behind.bytes().take_while(u8::is_ascii_alphanumeric).count();
        let group = &behind[..run];
        let space = text[at..].starts_with([' ', '\u{a0}']);
        let of_digits = digits(group).len() == run && matches!(run, 2..=5);
        let alone = text[..at].bytes().all(|b| !b.is_ascii_alphabetic());
        let behind_is_digit = of_digits && !behind[run..].starts_with([',', '.', ':', '%']);
        let joins = if space { alone && behind_is_digit } else { run > 0 && at > 0 };
        if !joins || at + run > MAX_CODE {
            break;
        }
        at = text.len() - behind.len() + run;
    }
    let token = &text[..at];
    let has_digit = token.contains(|c: char| c.is_ascii_digit());
    (first > 0 && has_digit && ends_word(&text[at..])).then_some(token)
}

/// Reads back to a word that says what the number is, over words that may stand between them.
/// Returns whether one of those leaves no doubt, too.
fn name_before(spot: &Spot) -> Option<(Named, bool)> {
    let table = spot.language.cues;
    let before = &spot.line[..spot.at];
    let mut linked = before.trim_end().ends_with([':', '=']);
    let (mut is_subject, mut far, mut count) = (false, false, 0);
    let mut words = before.split_whitespace().rev();
    while let Some(written) = words.next() {
        for word in written.rsplit(|c: char| !(c.is_alphanumeric() || ".ºª°".contains(c))) {
            let stop = word.ends_with('.') && word.len() > 5 && !word.ends_with("nr.");
            let word = word.trim_matches('.').to_lowercase();
            if stop || written.ends_with(['!', '?', ';', ',']) {
                return None;
            }
            if word.is_empty() {
                continue;
            }
            if count == MAX_WORDS_BACK {
                return None;
            }
            if let Some(named) = names(&word, spot.language) {
                // In "the PIN of your card is" what is far away must be what the sentence is about.
                let about = named == Named::Code && words.clone().nth(3).is_none();
                return (!far || about).then_some((named, linked));
            }
            // In "112 or 999" the first number is no word.
            let link = has(table.links, &word) || digits(&word).len() == word.len();
            is_subject |= count == 0 && has(table.is, &word);
            far |= !link;
            if far && !is_subject {
                return None;
            }
            linked |= has(table.is, &word);
            count += 1;
        }
    }
    None
}

/// Returns what a word says of a number after it.
fn names(word: &str, language: &Language) -> Option<Named> {
    let table = language.cues;
    let lists =
        [(table.codes, Named::Code), (table.calls, Named::Telephone), (table.named, Named::Thing)];
    lists.into_iter().find(|(list, _)| cues(list, word)).map(|(_, named)| named)
}

/// Returns whether what follows a number shows that it counts something. After `sure` words only
/// money and units do.
fn is_amount(after: &str, sure: bool, language: &'static Language) -> bool {
    let bare = after.trim_start_matches([' ', '\u{a0}']);
    if bare.starts_with(['%', '€', '$', '£', '¥', '₹', '°']) {
        return true;
    }
    let Some(word) = words(after).next().filter(|_| bare.starts_with(char::is_alphabetic)) else {
        return false;
    };
    let money = std::iter::once(language.own).chain(language.currencies);
    let mut nouns = money.flat_map(|currency| [&currency.noun, &currency.cent]);
    let of_money = nouns.any(|noun| {
        [noun.one, noun.many].iter().any(|name| !name.is_empty() && name.to_lowercase() == word)
    });
    let written = &bare[..word.len().min(bare.len())];
    let unit = language.units.iter().any(|unit| unit.signs.contains(&written));
    let scale = language.multipliers.iter().any(|scale| scale.signs.contains(&written));
    if of_money || unit || scale {
        return true;
    }
    let is_noun = bare.starts_with(char::is_uppercase) == language.capital_nouns;
    let plural = language.capital_nouns || word.ends_with('s');
    let counted = is_noun && plural && !has(language.not_counted, &word);
    !sure && (counted || has(language.cues.counted, &word))
}

/// Returns whether a code is written as a price, "19.90", or as a range of two numbers, "101-105".
fn is_quantity(token: &str) -> bool {
    let Some((first, last)) = token.split_once(['.', '-', '–', '/']) else { return false };
    if digits(first).len() < first.len() || digits(last).len() < last.len() {
        return false;
    }
    let range = first.len() == last.len() && first.len() <= 4 && first < last;
    first.len() + last.len() < 5 || range || (token.contains('.') && last.len() <= 2)
}

/// Returns the words of a text, in lower case, up to the end of its sentence.
fn words(text: &str) -> impl Iterator<Item = String> {
    let end = text.find(['.', '!', '?', '\n']).unwrap_or(text.len());
    let words = text[..end].split(|c: char| !c.is_alphanumeric());
    words.filter(|word| !word.is_empty()).map(str::to_lowercase)
}
