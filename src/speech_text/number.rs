//! Reads a written number and says it in words.

use super::language::{Form, Language, Noun};

/// Limits the digits of a number; a longer run is said digit by digit.
const MAX_DIGITS: usize = 12;

/// Holds a number as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Numeral<'a> {
    /// At most [`MAX_DIGITS`] digits.
    pub(super) whole: u64,
    /// It is in Indian groups: 12,34,567.
    pub(super) indian: bool,
    /// The digits of `whole` up to the first separator, with leading zeros.
    pub(super) head: &'a str,
    /// The digits after the decimal mark; empty if there is none.
    pub(super) decimals: &'a str,
    /// In bytes.
    pub(super) length: usize,
}

impl Numeral<'_> {
    /// Makes a whole number that was not written so.
    pub(super) fn of(whole: u64) -> Self {
        Self { whole, indian: false, head: "", decimals: "", length: 0 }
    }

    /// Returns whether it was written without separators.
    pub(super) fn is_plain(&self) -> bool {
        self.head.len() == self.length
    }

    /// Returns whether it reads as a year.
    pub(super) fn is_year(&self) -> bool {
        self.is_plain() && (1100..2100).contains(&self.whole)
    }

    fn is_singular(&self, language: &Language) -> bool {
        let one = self.whole == 1 && self.decimals.is_empty();
        one || (language.singular_below_two && self.whole < 2)
    }
}

/// Returns the ASCII digits that `text` starts with.
pub(super) fn digits(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    &text[..end]
}

/// Returns the length of a dash and the spaces around it, if `text` starts with one.
pub(super) fn dash(text: &str) -> Option<usize> {
    let bare = text.trim_start_matches([' ', '\u{a0}']);
    let after = bare.strip_prefix(['-', '–', '—', '‐', '‑', '−'])?;
    let rest = after.trim_start_matches([' ', '\u{a0}']);
    // "5 -3" is not a range.
    let one_sided = (bare.len() < text.len()) != (rest.len() < after.len());
    (!one_sided && text.len() - rest.len() <= 8).then_some(text.len() - rest.len())
}

/// Reads a number with its groups of thousands and decimals; `None` if `text` does not start with
/// one or it is too long. An amount of `money` never has three decimals, so "1.200" is over a
/// thousand.
pub(super) fn number<'a>(text: &'a str, language: &Language, money: bool) -> Option<Numeral<'a>> {
    let head = digits(text);
    if let Some(number) = indian(text, head) {
        return Some(number);
    }
    if head.is_empty() && money {
        // "$.99" has no digit before its point.
        let decimals = Some(decimals_after(text)).filter(|decimals| decimals.len() == 2)?;
        return Some(Numeral { decimals, length: 3, ..Numeral::of(0) });
    }
    let mut whole = head.to_owned();
    let mut length = head.len();
    let (mut separator, mut groups) = (None, 0);
    while let Some((mark, group)) = group_after(&text[length..]) {
        let groups_here = head.len() <= 3 && !head.starts_with('0');
        let spaced = mark != ' ' || language.decimal == ',';
        if !groups_here || !spaced || separator.is_some_and(|before| before != mark) {
            break;
        }
        separator = Some(mark);
        groups += 1;
        whole.push_str(group);
        length += mark.len_utf8() + 3;
    }
    let mut decimals = decimals_after(&text[length..]);
    if groups == 1 && separator == Some(language.decimal) && !money && decimals.is_empty() {
        // The only group comes after the decimal mark: it is the decimals.
        head.clone_into(&mut whole);
        decimals = &text[length - 3..length];
    } else if !decimals.is_empty() {
        let mark = text[length..].chars().next();
        let versioned = decimals_after(&text[length + 1 + decimals.len()..]);
        if mark == separator || !versioned.is_empty() {
            decimals = "";
        } else {
            length += 1 + decimals.len();
        }
    }
    if whole.len() > MAX_DIGITS || decimals.len() > MAX_DIGITS {
        return None;
    }
    Some(Numeral { whole: whole.parse().ok()?, indian: false, head, decimals, length })
}

/// Reads a number in Indian groups: pairs of digits before the last three, as in "1,25,000".
fn indian<'a>(text: &'a str, head: &'a str) -> Option<Numeral<'a>> {
    let mut whole = head.to_owned();
    let mut length = head.len();
    let mut pairs = 0;
    loop {
        let group = digits(text[length..].strip_prefix(',')?);
        whole.push_str(group);
        length += 1 + group.len();
        match group.len() {
            2 => pairs += 1,
            3 if pairs > 0 => break,
            _ => return None,
        }
    }
    let decimals = text[length..].strip_prefix('.').map_or("", digits);
    let length = if decimals.is_empty() { length } else { length + 1 + decimals.len() };
    let fits = matches!(head.len(), 1 | 2) && whole.len() <= MAX_DIGITS && decimals.len() <= 2;
    fits.then_some(Numeral { whole: whole.parse().ok()?, indian: true, head, decimals, length })
}

/// Reads a separator of thousands and exactly three digits.
fn group_after(text: &str) -> Option<(char, &str)> {
    let mark = text.chars().next()?;
    if !matches!(mark, '.' | ',' | ' ' | '\'' | '’' | '\u{a0}' | '\u{202f}') {
        return None;
    }
    let group = digits(&text[mark.len_utf8()..]);
    (group.len() == 3).then_some((mark, group))
}

/// Returns the digits after a decimal mark.
fn decimals_after(text: &str) -> &str {
    text.strip_prefix(['.', ',']).map_or("", digits)
}

/// Says a number that agrees with what follows.
pub(super) fn say(number: &Numeral, language: &Language, form: Form) -> String {
    if let Some(indian) = language.indian.filter(|_| number.indian && number.decimals.is_empty()) {
        return indian(number.whole);
    }
    if number.decimals.is_empty() {
        return (language.cardinal)(number.whole, form);
    }
    let whole = (language.cardinal)(number.whole, Form::Alone);
    let zeros = number.decimals.len() - number.decimals.trim_start_matches('0').len();
    let (zeros, rest) = number.decimals.split_at(zeros);
    let mut decimals = digit_by_digit(zeros, language);
    if !rest.is_empty() {
        if !zeros.is_empty() {
            decimals.push(' ');
        }
        match rest.parse() {
            Ok(n) if !language.decimals_by_digit && rest.len() <= 2 => {
                decimals.push_str(&(language.cardinal)(n, Form::Alone));
            }
            _ => decimals.push_str(&digit_by_digit(rest, language)),
        }
    }
    format!("{whole} {} {decimals}", language.words.point)
}

/// Says how many there are of a thing.
pub(super) fn say_counted(number: &Numeral, language: &Language, thing: &Noun) -> String {
    let count = say(number, language, thing.form);
    let noun = if number.is_singular(language) { thing.one } else { thing.many };
    let round = number.decimals.is_empty()
        && number.whole >= 1_000_000
        && number.whole.is_multiple_of(1_000_000);
    let of = if round { (language.million_of)(noun) } else { "" };
    format!("{count} {of}{noun}")
}

/// Says digits one by one.
pub(super) fn digit_by_digit(digits: &str, language: &Language) -> String {
    let words = digits.bytes().filter(u8::is_ascii_digit);
    let words = words.map(|digit| (language.cardinal)(u64::from(digit - b'0'), Form::Alone));
    words.collect::<Vec<_>>().join(" ")
}

/// Says digits one by one, with a pause after every third and never a last group of one.
pub(super) fn digits_in_groups(digits: &str, language: &Language) -> String {
    let mut groups = Vec::new();
    let mut rest = digits;
    while rest.len() > 4 {
        let (group, tail) = rest.split_at(3);
        groups.push(digit_by_digit(group, language));
        rest = tail;
    }
    groups.push(digit_by_digit(rest, language));
    groups.join(", ")
}
