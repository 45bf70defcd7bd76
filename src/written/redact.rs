//! Takes numbers of cards, accounts and identity papers out of people's words.
//!
//! Before anything is kept or sent on, if an operator wants it. Pure. A number counts only if its own
//! check digits say so, so that orders, prices and telephone numbers stay; of United States Social
//! Security numbers, which have none, if it is grouped as they are. Source: ISO/IEC 7812 (Luhn), ISO 13616
//! (IBAN), and the rules of the Social Security Administration, the Spanish DNI and NIE, the Brazilian
//! CPF, the German Steuer-ID and the French NIR.

use std::ops::Range;

use serde::Deserialize;

/// What stands in the place of a number.
const CARD: &str = "[card number]";
const ACCOUNT: &str = "[account number]";
const PAPER: &str = "[id number]";

/// Most characters between two digits of one number: "4242, 4242".
const BETWEEN: usize = 2;
/// Most digits of a row of digits that is looked through: far more than any number has.
const MOST_DIGITS: usize = 40;

/// Names what is taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Redacted {
    /// Payment cards and bank accounts (IBAN).
    Cards,
    /// Numbers of identity papers and of persons at the tax office.
    Ids,
}

/// Says what is taken out of words; by default nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Redaction {
    cards: bool,
    ids: bool,
}

impl Redaction {
    /// Makes one that takes these out.
    pub fn new(kinds: &[Redacted]) -> Self {
        Self { cards: kinds.contains(&Redacted::Cards), ids: kinds.contains(&Redacted::Ids) }
    }

    /// Returns the words without what is to be taken out; `None` if there is nothing of it.
    pub fn of(self, text: &str) -> Option<String> {
        if self == Self::default() || !text.contains(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let mut found = Vec::new();
        if self.cards {
            found.extend(accounts(text).into_iter().map(|at| (at, ACCOUNT)));
        }
        for row in rows(text) {
            if self.cards {
                found.extend(row.windows(is_card).into_iter().map(|at| (at, CARD)));
            }
            if self.ids {
                found.extend(papers(text, &row).into_iter().map(|at| (at, PAPER)));
            }
        }
        found.sort_by_key(|(at, _)| (at.start, std::cmp::Reverse(at.end)));
        let (mut out, mut from) = (String::new(), 0);
        for (at, word) in found {
            if at.start >= from {
                out.push_str(&text[from..at.start]);
                out.push_str(word);
                from = at.end;
            }
        }
        (from > 0).then(|| out + &text[from..])
    }
}

/// Digits that stand together, with at most a few marks between groups of them.
struct DigitRow {
    digits: Vec<u8>,
    /// Where each is in the text.
    at: Vec<usize>,
    /// Which begin a group; behind them the length.
    groups: Vec<usize>,
}

impl DigitRow {
    /// Finds windows that begin and end with groups, and whose digits are something.
    fn windows(&self, is: impl Fn(&[u8]) -> bool) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let mut first = 0;
        while first + 1 < self.groups.len() {
            let fits = (first + 1..self.groups.len())
                .rev()
                .find(|&end| is(&self.digits[self.groups[first]..self.groups[end]]));
            match fits {
                Some(end) => {
                    found.push(self.range(self.groups[first], self.groups[end]));
                    first = end;
                }
                None => first += 1,
            }
        }
        found
    }

    /// Returns where digits are in the text.
    fn range(&self, from: usize, to: usize) -> Range<usize> {
        self.at[from]..self.at[to - 1] + 1
    }

    /// Returns how many digits the groups from this one on have.
    fn sizes(&self, from: usize) -> impl Iterator<Item = usize> {
        self.groups[from..].windows(2).map(|pair| pair[1] - pair[0])
    }
}

/// Finds the rows of digits.
fn rows(text: &str) -> Vec<DigitRow> {
    let (mut rows, mut row, mut between) = (Vec::new(), None::<DigitRow>, 0);
    for (at, c) in text.char_indices() {
        if let Some(digit) = c.to_digit(10) {
            let row = row.get_or_insert_with(|| DigitRow {
                digits: Vec::new(),
                at: Vec::new(),
                groups: Vec::new(),
            });
            if between > 0 || row.digits.is_empty() {
                row.groups.push(row.digits.len());
            }
            row.digits.push(u8::try_from(digit).expect("it is below ten"));
            row.at.push(at);
            between = 0;
        } else if row.is_some() {
            between += 1;
            if between > BETWEEN || !is_mark(c) {
                rows.extend(row.take());
                between = 0;
            }
        }
    }
    rows.extend(row);
    rows.retain(|row| row.digits.len() <= MOST_DIGITS);
    for row in &mut rows {
        row.groups.push(row.digits.len());
    }
    rows
}

/// Returns whether a number may have this between its digits.
fn is_mark(c: char) -> bool {
    matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '-' | '–' | '.' | ',' | '/')
}

fn is_card(digits: &[u8]) -> bool {
    let two = |digits: &[u8]| digits[0] * 10 + digits[1];
    let issued = match digits.len() {
        13 | 19 => matches!(digits[0], 4 | 6),
        14 => matches!(two(digits), 30 | 36 | 38),
        15 => matches!(two(digits), 34 | 37),
        16 => digits[0] == 4 || digits[0] == 6 || matches!(two(digits), 22..=27 | 35 | 51..=55),
        17 | 18 => digits[0] == 6,
        _ => false,
    };
    issued && luhn(digits)
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits.iter().rev().enumerate().fold(0, |sum, (place, &digit)| {
        let doubled = u32::from(digit) * if place % 2 == 1 { 2 } else { 1 };
        sum + doubled / 10 + doubled % 10
    });
    sum.is_multiple_of(10)
}

/// Finds accounts: two letters of a country, two check digits, and what the bank gives.
fn accounts(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let bytes = text.as_bytes();
    let mut start = 0;
    while start + 4 < bytes.len() {
        let begins = start == 0 || !bytes[start - 1].is_ascii_alphanumeric();
        let country = bytes[start..start + 2].iter().all(u8::is_ascii_alphabetic);
        let checked = bytes[start + 2..start + 4].iter().all(u8::is_ascii_digit);
        match (begins && country && checked).then(|| account_end(bytes, start)).flatten() {
            Some(end) => {
                found.push(start..end);
                start = end;
            }
            None => start += 1,
        }
    }
    found
}

/// Returns where the account that begins here ends, if it is one.
fn account_end(bytes: &[u8], start: usize) -> Option<usize> {
    let (mut code, mut ends) = (Vec::new(), Vec::new());
    let mut at = start;
    while at < bytes.len() && code.len() < 34 {
        let next = bytes.get(at + 1).copied().unwrap_or(b'.');
        if bytes[at].is_ascii_alphanumeric() {
            code.push(bytes[at].to_ascii_uppercase());
            if !next.is_ascii_alphanumeric() {
                ends.push((code.len(), at + 1));
            }
        } else if !(matches!(bytes[at], b' ' | b'-') && next.is_ascii_alphanumeric()) {
            break;
        }
        at += 1;
    }
    let fits = |&&(length, _): &&(usize, usize)| length >= 15 && is_account(&code[..length]);
    ends.iter().rev().find(fits).map(|&(_, end)| end)
}

fn is_account(code: &[u8]) -> bool {
    let rest = code[4..].iter().chain(&code[..4]).fold(0_u32, |rest, &c| {
        let value = char::from(c).to_digit(36).unwrap_or(0);
        (rest * if value < 10 { 10 } else { 100 } + value) % 97
    });
    rest == 1
}

/// Finds numbers of papers in a row of digits.
fn papers(text: &str, row: &DigitRow) -> Vec<Range<usize>> {
    let mut found = row.windows(|digits| match digits.len() {
        11 => is_cpf(digits) || is_steuer_id(digits),
        15 => is_nir(digits),
        _ => false,
    });
    for first in 0..row.groups.len() - 1 {
        let sizes: Vec<usize> = row.sizes(first).take(3).collect();
        let from = row.groups[first];
        if sizes == [3, 2, 4] && is_ssn(&row.digits[from..from + 9]) {
            found.push(row.range(from, from + 9));
        }
        found.extend(spanish(text, row, from));
    }
    found
}

/// Finds a DNI or NIE whose digits begin here.
fn spanish(text: &str, row: &DigitRow, from: usize) -> Option<Range<usize>> {
    let before = text[..row.at[from]].trim_end_matches(['-', ' ']).char_indices().next_back();
    let foreign = before.and_then(|(at, c)| {
        let value = "XYZ".find(c.to_ascii_uppercase())?;
        let alone = !text[..at].ends_with(char::is_alphanumeric);
        alone.then_some((at, value))
    });
    let digits = if foreign.is_some() { 7 } else { 8 };
    let to = from + digits;
    if !row.groups.contains(&to) {
        return None;
    }
    let number = row.digits[from..to]
        .iter()
        .fold(foreign.map_or(0, |(_, value)| value), |number, &digit| {
            number * 10 + usize::from(digit)
        });
    let end = row.at[to - 1] + 1;
    let behind = &text[end..];
    let gap = behind.len() - behind.trim_start_matches(['-', ' ']).len();
    let letter = behind[gap..].bytes().next().filter(u8::is_ascii)?.to_ascii_uppercase();
    let ends = !behind[gap + 1..].starts_with(char::is_alphanumeric);
    let checks = b"TRWAGMYFPDXBNJZSQVHLCKE"[number % 23] == letter;
    let start = foreign.map_or(row.at[from], |(at, _)| at);
    (gap < 2 && ends && checks).then_some(start..end + gap + 1)
}

fn is_ssn(digits: &[u8]) -> bool {
    let area = digits[..3].iter().fold(0, |area, &digit| area * 10 + u32::from(digit));
    let given = area != 0 && area != 666 && area < 900;
    given && digits[3..5] != [0, 0] && digits[5..] != [0, 0, 0, 0]
}

fn is_cpf(digits: &[u8]) -> bool {
    let check = |length: usize| {
        let weighed = digits[..length].iter().zip((2..=length + 1).rev());
        let sum: usize = weighed.map(|(&digit, weight)| usize::from(digit) * weight).sum();
        usize::from(digits[length]) == sum * 10 % 11 % 10
    };
    digits.iter().any(|digit| *digit != digits[0]) && check(9) && check(10)
}

fn is_steuer_id(digits: &[u8]) -> bool {
    let mut counts = [0; 10];
    digits[..10].iter().for_each(|&digit| counts[usize::from(digit)] += 1);
    let twice = counts.iter().filter(|count| matches!(count, 2 | 3)).count();
    let more = counts.iter().any(|&count| count > 3);
    let product = digits[..10].iter().fold(10, |product, &digit| {
        let sum = (u32::from(digit) + product) % 10;
        if sum == 0 { 20 % 11 } else { sum * 2 % 11 }
    });
    let check = (11 - product) % 10;
    digits[0] != 0 && twice == 1 && !more && u32::from(digits[10]) == check
}

fn is_nir(digits: &[u8]) -> bool {
    let value =
        |digits: &[u8]| digits.iter().fold(0_u64, |value, &digit| value * 10 + u64::from(digit));
    matches!(digits[0], 1 | 2) && value(&digits[13..]) == 97 - value(&digits[..13]) % 97
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let all = Redaction::new(&[Redacted::Cards, Redacted::Ids]);
        assert_eq!(all.of(text).as_deref().unwrap_or(text), expected);
    }

    #[test]
    fn cards_and_accounts_go() {
        check("my card is 4242424242424242.", "my card is [card number].");
        check("4242 4242 4242 4242 until 12/28", "[card number] until 12/28");
        check("4242, 4242, 4242, 4242, thanks", "[card number], thanks");
        check("Amex 3782-822463-10005", "Amex [card number]");
        check("30569309025904 and 6011000990139424", "[card number] and [card number]");
        check("code 7 5555 5555 5555 4444", "code 7 [card number]");
        check("DE89 3704 0044 0532 0130 00 please", "[account number] please");
        check("es9121000418450200051332", "[account number]");
        check("GB82WEST12345698765432.", "[account number].");
    }

    #[test]
    fn papers_go() {
        check("Mi DNI es 12345678Z.", "Mi DNI es [id number].");
        check("12.345.678-z", "[id number]");
        check("NIE X1234567L, gracias", "NIE [id number], gracias");
        check("My social is 078-05-1120", "My social is [id number]");
        check("CPF 529.982.247-25", "CPF [id number]");
        check("52998224725", "[id number]");
        check("Steuer-ID 86 095 742 719", "Steuer-ID [id number]");
        check("1 84 12 76 451 089 46", "[id number]");
    }

    #[test]
    fn other_numbers_stay() {
        for text in [
            "call me at +1 555 000 1111 or 0034 612 345 678",
            "order 4711-2026-0001 of 2026-11-28 costs 1,299.00",
            "4242 4242 4242 4243",
            "1234567890123456",
            "12345678A",
            "000-12-3456 and 123-45-67890",
            "111.111.111-11",
            "DE89 3704 0044 0532 0130 01",
            "9999999999999999999999999999999999999999999999999",
            "no number at all",
            "",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn only_what_is_wanted_goes() {
        let (card, paper) = ("4242424242424242", "12345678Z");
        let text = format!("{card} {paper}");
        let of = |kind| Redaction::new(&[kind]).of(&text).unwrap();
        assert_eq!(of(Redacted::Cards), format!("[card number] {paper}"));
        assert_eq!(of(Redacted::Ids), format!("{card} [id number]"));
        assert_eq!(Redaction::default().of(&text), None);
    }

    proptest! {
        /// However a card's number is grouped, and whatever stands around it.
        #[test]
        fn every_card_goes(
            digits in proptest::collection::vec(0_u8..10, 14),
            marks in proptest::collection::vec(prop_oneof!["", " ", "-", ", ", "[.]"], 15),
            before in "[a-z]{0,5}[ :]?",
            behind in "[ ,.;][a-z]{0,5}",
        ) {
            let mut number = vec![4];
            number.extend(digits);
            let check = (0..10).find(|&check| luhn(&[&number[..], &[check]].concat())).unwrap();
            number.push(check);
            let written: Vec<String> = number.iter().zip(marks.iter().map(String::as_str).chain([""]))
                .map(|(digit, mark)| format!("{digit}{mark}")).collect();
            let redacted = Redaction::new(&[Redacted::Cards]).of(&format!("{before}{}{behind}", written.concat()));
            prop_assert_eq!(redacted, Some(format!("{before}[card number]{behind}")));
        }

        #[test]
        fn any_words_are_taken(text in "[0-9XYZa-cé ,.\u{a0}–-]{0,60}") {
            let all = Redaction::new(&[Redacted::Cards, Redacted::Ids]);
            if let Some(once) = all.of(&text) {
                prop_assert!(once.contains("number]"));
            }
        }
    }
}
