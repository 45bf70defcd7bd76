//! Rules for e-mail addresses, telephone numbers, mentions and hashtags.

use super::hosts::is_host;
use super::language::{Form, Language};
use super::links::say_label;
use super::number::{digit_by_digit, digits_in_groups};
use super::rules::{Said, Spot, ends_word};

/// Limits each side of an e-mail address, in bytes.
const MAX_EMAIL: usize = 120;

/// Limits the digits of a telephone number.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 9..=15;

/// Says "info@example.com".
pub(super) fn email(spot: &Spot) -> Option<Said> {
    let rest = spot.rest();
    let rest = rest.strip_prefix("mailto:").unwrap_or(rest);
    let scheme = spot.rest().len() - rest.len();
    let local_end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "._%+-".contains(c)))?;
    let domain =
        rest[local_end..].strip_prefix('@').filter(|_| (1..MAX_EMAIL).contains(&local_end))?;
    let end = domain
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-')))
        .unwrap_or(domain.len());
    let domain = domain[..end].trim_end_matches(['.', '-']);
    if !domain.contains('.') || !is_host(domain) || domain.len() > MAX_EMAIL {
        return None;
    }
    let language = spot.language;
    let (local, host) = (say_label(&rest[..local_end], language), say_label(domain, language));
    let length = scheme + local_end + 1 + domain.len();
    Said::new(length, format!("{local} {} {host}", language.words.at))
}

/// Says `@ana` and `#BlackFriday`.
pub(super) fn mention(spot: &Spot) -> Option<Said> {
    let mark = spot.rest().chars().next().filter(|c| matches!(c, '@' | '#'))?;
    let name = &spot.rest()[1..];
    let end = name.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.'));
    let name = name[..end.unwrap_or(name.len())].trim_end_matches('.');
    if !name.starts_with(|c: char| c.is_alphabetic() || c == '_') || !spot.is_fresh() {
        return None;
    }
    let words = &spot.language.words;
    let said = match mark {
        '#' => format!("{} {}", words.hashtag, camel_words(name, spot.language)),
        _ => format!("{} {}", words.at, say_label(name, spot.language)),
    };
    Said::new(1 + name.len(), said)
}

/// Says `BlackFriday2026` word by word.
fn camel_words(name: &str, language: &Language) -> String {
    let mut spaced = String::with_capacity(name.len() + 4);
    let mut before = ' ';
    for c in name.chars() {
        if c.is_uppercase() && before.is_lowercase() {
            spaced.push(' ');
        }
        spaced.push(if c == '_' { ' ' } else { c });
        before = c;
    }
    say_label(&spaced, language)
}

/// Says a telephone number, digit by digit and group by group.
pub(super) fn phone(spot: &Spot) -> Option<Said> {
    let rest = spot.rest();
    if !rest.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '(')) || !spot.is_fresh()
    {
        return None;
    }
    let (groups, marks, length) = groups(rest)?;
    let count: usize = groups.iter().map(|group| group.len()).sum();
    let plus = rest.starts_with('+') || rest.starts_with("(+");
    let local = groups[0].starts_with('0') && groups[0].len() >= 2 && groups.len() >= 2;
    let enough = if plus {
        7
    } else if local {
        6
    } else {
        *PHONE_DIGITS.start()
    };
    let pairs = groups.iter().all(|group| group.len() == 2);
    // Thousands are grouped by dots too, and two long numbers with a dash are a range.
    let sizes: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let american = sizes.ends_with(&[3, 3, 4]) && marks.bytes().all(|mark| mark == b'.');
    let dotted = marks.contains('.') && !(pairs || plus || american || local && groups.len() > 2);
    let range = groups.len() == 2 && marks.contains('-') && !plus && !local;
    let slashed = marks.matches('/').count() > 1;
    let code = groups.len() == 1 && !plus;
    let short = spot.language.seven_digit_phones && sizes == [3, 4] && marks == "-";
    let enough_digits = (enough..=*PHONE_DIGITS.end()).contains(&count);
    if !short && (!enough_digits || dotted || range || slashed || code) {
        return None;
    }
    ends_word(&rest[length..]).then_some(())?;
    let language = spot.language;
    let said: Vec<_> = groups.iter().map(|group| say_group(group, language)).collect();
    let plus = if plus { format!("{} ", language.words.plus) } else { String::new() };
    Said::new(length, format!("{plus}{}", said.join(", ")))
}

/// Splits off the groups of digits, the marks between them, and their length.
fn groups(text: &str) -> Option<(Vec<&str>, String, usize)> {
    let (mut groups, mut marks) = (Vec::new(), String::new());
    let (mut at, mut length) = (0, 0);
    loop {
        let between = text[at..]
            .find(|c: char| !matches!(c, '+' | '(' | ')' | ' ' | '-' | '.' | '/' | '\u{a0}' | '‑'));
        let between = between.unwrap_or(text.len() - at);
        // The longest marks are ") " and " (" between two groups, and "(+" before the first.
        if between > 3 || (at > 0 && text[at..at + between].contains('+')) {
            break;
        }
        let digits = super::number::digits(&text[at + between..]);
        if digits.is_empty() {
            break;
        }
        if at > 0 {
            marks.push_str(&text[at..at + between]);
        }
        groups.push(digits);
        at += between + digits.len();
        length = at;
        if at == text.len() {
            break;
        }
    }
    (!groups.is_empty()).then_some((groups, marks, length))
}

/// Says a group digit by digit, or as one number where people do that.
fn say_group(group: &str, language: &Language) -> String {
    match group.parse::<u64>() {
        Ok(n) if language.phone_in_pairs && group.len() == 2 && n >= 10 => {
            (language.cardinal)(n, Form::Alone)
        }
        _ if group.len() > 4 => digits_in_groups(group, language),
        _ => digit_by_digit(group, language),
    }
}
