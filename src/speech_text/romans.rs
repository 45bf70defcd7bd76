//! Rule for Roman numbers: "Chapter III", "siglo XXI", `XIXe siècle`, "Ludwig XIV.", "Ⅳ".
//!
//! Letters are a number only where a word says so: "MIX", "CD" and "Vitamin C" are none.

use super::counting::gender_of;
use super::lang::{cues, has};
use super::language::{Form, Language};
use super::rules::{Said, Spot};

/// Lists the letters and their values, with the pairs that subtract.
const VALUES: [(&str, u64); 13] = [
    ("M", 1000),
    ("CM", 900),
    ("D", 500),
    ("CD", 400),
    ("C", 100),
    ("XC", 90),
    ("L", 50),
    ("XL", 40),
    ("X", 10),
    ("IX", 9),
    ("V", 5),
    ("IV", 4),
    ("I", 1),
];

/// Lists what makes a Roman number an ordinal, where the language has it.
const MARKS: [&str; 11] = ["ème", "eme", "ère", "er", "re", "nde", "e", "ᵉ", "th", "º", "ª"];

/// Holds a Roman number.
struct Roman<'a> {
    value: u64,
    letters: &'a str,
    /// It was written with the signs for Roman numbers.
    signs: bool,
}

/// Says a Roman number.
pub(super) fn said(spot: &Spot) -> Option<Said> {
    let (rest, language) = (spot.rest(), spot.language);
    let roman = roman(rest)?;
    let at = roman.letters.len();
    let behind = &rest[at..];
    if let Some((mark, form)) = ordinal_mark(&roman, behind, language) {
        return Said::new(at + mark, (language.ordinal)(roman.value, form));
    }
    let contracted = roman.letters == "I" && behind.starts_with(['\'', '’']);
    if contracted || behind.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '&' | '+')) {
        return None;
    }
    let stop = usize::from(behind.starts_with('.') && language.dotted_ordinals.is_some());
    let next = behind[stop..].trim_start_matches([' ', '\u{a0}']);
    let word = &next[..next.find(|c: char| !c.is_alphabetic()).unwrap_or(next.len())];
    let lower = word.to_lowercase();
    if cues(language.cues.centuries, &lower) && is_likely(&roman) {
        let form = (language.ordinal_form)(&spot.word_that_inflects());
        return Said::new(at + stop, (language.ordinal)(roman.value, form));
    }
    let name = name_before(spot);
    if let Some(form) = monarch(name, &roman, behind, language) {
        let goes_on = word.starts_with(char::is_lowercase) && stop > 0;
        let length = at + if goes_on { stop } else { 0 };
        return Said::new(length, (language.regnal)(roman.value, form));
    }
    let before = name.to_lowercase();
    if cues(language.cues.centuries, &before) && is_likely(&roman) {
        return Said::new(at, (language.regnal)(roman.value, Form::Masculine));
    }
    let counts = cues(language.cues.chapters, &before) && is_number_after(name, &roman, next);
    if roman.signs || counts || is_sequel(name, &roman, spot) {
        return Said::new(at, (language.cardinal)(roman.value, Form::Alone));
    }
    // "La II Guerra Mundial": an ordinal before a name.
    let named = word.len() > 2 && !has(language.not_counted, &lower);
    if language.roman_before_name && named && is_plain(&roman) && at > 1 {
        let form = match gender_of(&lower, language) {
            Form::Feminine => Form::Feminine,
            _ => Form::Bound,
        };
        return Said::new(at, (language.ordinal)(roman.value, form));
    }
    None
}

/// Reads letters or signs that are a Roman number.
fn roman(text: &str) -> Option<Roman<'_>> {
    let is_sign = |c: char| matches!(c, '\u{2160}'..='\u{217f}');
    let signs = text.starts_with(is_sign);
    let end = text.find(|c: char| if signs { !is_sign(c) } else { !"IVXLCDM".contains(c) });
    let letters = &text[..end.unwrap_or(text.len())];
    let plain: String = if signs { letters.chars().map(of_sign).collect() } else { letters.into() };
    Some(Roman { value: value(&plain)?, letters, signs })
}

/// Returns the letters of a sign for a Roman number.
fn of_sign(sign: char) -> &'static str {
    let signs = "I,II,III,IV,V,VI,VII,VIII,IX,X,XI,XII,L,C,D,M";
    let at = (u32::from(sign) - 0x2160) % 16;
    signs.split(',').nth(at as usize).unwrap_or_default()
}

/// Returns the value of a Roman number; `None` if it is not written as Romans did.
fn value(letters: &str) -> Option<u64> {
    let (mut value, mut rest) = (0, letters);
    for (pair, worth) in VALUES {
        let most = if pair.len() == 2 || matches!(pair, "D" | "L" | "V") { 1 } else { 3 };
        for _ in 0..most {
            let Some(behind) = rest.strip_prefix(pair) else { break };
            value += worth;
            rest = behind;
        }
    }
    (rest.is_empty() && value > 0).then_some(value)
}

/// Returns whether the letters are rarely anything but a number.
fn is_likely(roman: &Roman) -> bool {
    roman.signs || roman.letters.contains(['I', 'V', 'X'])
}

/// Reads the ordinal mark after a Roman number: `XIXe`. A single letter has it only where no word
/// looks like it.
fn ordinal_mark(roman: &Roman, behind: &str, language: &Language) -> Option<(usize, Form)> {
    let mark = MARKS.iter().find(|mark| {
        let after = behind.strip_prefix(**mark);
        after.is_some_and(|after| !after.starts_with(char::is_alphanumeric))
    })?;
    let known = language.ordinal_marks.iter().find(|(known, _)| known == mark)?;
    let fits = match roman.letters {
        "I" => true,
        "V" | "X" => matches!(*mark, "e" | "ᵉ" | "ème" | "eme" | "th" | "º" | "ª"),
        letters => roman.signs || letters.len() > 1 && is_likely(roman),
    };
    fits.then_some((mark.len(), known.1))
}

/// Returns the word before a number, as written; over other Roman numbers and what joins them, as
/// in "siglos XIX y XX".
fn name_before<'a>(spot: &Spot<'a>) -> &'a str {
    let mut words = spot.line[..spot.at].split(|c: char| !c.is_alphanumeric()).rev();
    let joins =
        [spot.language.words.and, spot.language.words.to, "a", "o", "y", "or", "ou", "oder"];
    let mut next = || words.by_ref().find(|word| !word.is_empty()).unwrap_or_default();
    let mut word = next();
    for _ in 0..3 {
        if joins.contains(&word) {
            let before = next();
            if value(before).is_none() {
                return word;
            }
            word = before;
        }
        if value(word).is_none() {
            return word;
        }
        word = next();
    }
    word
}

/// Returns the gender of the monarch or pope whose number this is.
fn monarch(name: &str, roman: &Roman, behind: &str, language: &Language) -> Option<Form> {
    if !name.starts_with(char::is_uppercase) || !is_likely(roman) {
        return None;
    }
    let lower = name.to_lowercase();
    // German adds an s: "Ludwigs XIV."
    let is =
        |list| cues(list, &lower) || lower.strip_suffix('s').is_some_and(|name| has(list, name));
    // "Charles I" ends the sentence or the name; "Charles I know" does not.
    if roman.letters == "I" && language.first_person_is_i && continues_sentence(behind) {
        return None;
    }
    match (is(language.cues.kings), is(language.cues.queens)) {
        (true, _) => Some(Form::Masculine),
        (_, true) => Some(Form::Feminine),
        _ => None,
    }
}

/// Returns whether a word follows that makes an "I" before it a person.
fn continues_sentence(behind: &str) -> bool {
    let Some(next) = behind.strip_prefix(' ') else { return false };
    let word = &next[..next.find(|c: char| !c.is_alphabetic()).unwrap_or(next.len())];
    word.starts_with(char::is_lowercase) && !matches!(word, "of" | "and" | "was" | "is" | "to")
}

/// Returns whether letters after a word such as "part" are a number: "Part C" and "in part I agree"
/// are none.
fn is_number_after(name: &str, roman: &Roman, next: &str) -> bool {
    match roman.letters {
        "I" => name.starts_with(char::is_uppercase) || !next.starts_with(char::is_lowercase),
        _ => is_likely(roman),
    }
}

/// Returns whether a number below forty is written without C, D, L and M, which abbreviate much else.
fn is_plain(roman: &Roman) -> bool {
    roman.letters.bytes().all(|b| matches!(b, b'I' | b'V' | b'X'))
}

/// Returns whether the number follows a name, as in "Rocky III": "II" and three letters and more; two
/// letters only where the name does not begin the line, as "Start" does in "Start IV fluids".
fn is_sequel(name: &str, roman: &Roman, spot: &Spot) -> bool {
    let long = roman.letters.len() >= 3 && roman.letters != "XXX";
    let capital = name.starts_with(char::is_uppercase) && name.chars().any(char::is_lowercase);
    let two = roman.letters.len() == 2 && !spot.language.capital_nouns;
    let inside = two && !spot.line.starts_with(name);
    capital && is_plain(roman) && (long || inside || roman.letters == "II")
}
