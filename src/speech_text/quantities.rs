//! Rules for quantities: money, units, percentages, signed numbers, and ranges of all of these.

use super::language::{Currency, Form, Language, Noun, Unit};
use super::number::{Numeral, dash, number, say, say_counted};
use super::rules::{Said, Spot, ends_word};

/// Names what a number counts.
#[derive(Clone, Copy, Debug)]
enum Suffix {
    Money(&'static Currency),
    /// Thousands or millions of money.
    Multiple(&'static Currency, &'static Noun, u64),
    Unit(&'static Unit),
    Percent,
}

/// Says "−5 °C", "€3.50", "3,5 %", "10–20 km", "3 Mio. €", "5 €/h".
pub(super) fn said(spot: &Spot) -> Option<Said> {
    let Spot { language, .. } = *spot;
    let rest = spot.rest();
    let (sign, mut at) = sign(spot);
    let prefix = prefix_currency(&rest[at..], language);
    if let Some((_, length)) = prefix {
        at += length;
    }
    let money = prefix.map(|(currency, _)| currency);
    let (first, suffix, length) = amount(&rest[at..], language, money)?;
    at += length;
    let mut second = None;
    let mut suffix = suffix;
    if let Some((last, of, length)) = range_end(&rest[at..], language, money) {
        let rises = last.whole > first.whole || !first.decimals.is_empty();
        let same = suffix.is_none() || of.is_some();
        let plain = first.decimals.is_empty() && first.head.len() <= 6 && !is_padded(&first);
        if rises && same && (plain || of.is_some()) {
            second = Some(last);
            suffix = of.or(suffix);
            at += length;
        }
    }
    let suffix = suffix.or(money.map(Suffix::Money));
    if sign.is_empty() && suffix.is_none() && second.is_none() {
        return None;
    }
    let per = suffix.and_then(|_| per(&rest[at..], language));
    if !ends_word(&rest[at..]) {
        return None;
    }
    let mut words = sign;
    if let Some(last) = second {
        let years = first.is_year() && last.is_year() && suffix.is_none();
        let form = suffix.map_or(Form::Alone, form_of);
        let first = if years {
            (language.year)(first.whole)
        } else {
            say(&first, language, if first.whole == 1 { form } else { Form::Alone })
        };
        words.push_str(&format!("{first} {} ", language.words.to));
        if years {
            words.push_str(&(language.year)(last.whole));
        } else {
            words.push_str(&of(&last, suffix, language));
        }
    } else {
        words.push_str(&of(&first, suffix, language));
    }
    if let Some((length, unit)) = per {
        at += length;
        words.push_str(&format!(" {} {unit}", language.words.per));
    }
    Said::new(at, words)
}

/// Reads a plus or minus before a number: its word with a space, and its length.
fn sign(spot: &Spot) -> (String, usize) {
    let words = &spot.language.words;
    let word = match spot.rest().chars().next() {
        Some('-' | '−' | '–') => words.minus,
        Some('+') => words.plus,
        _ => return (String::new(), 0),
    };
    let after = spot.rest().trim_start_matches(['-', '−', '–', '+']);
    let length = spot.rest().len() - after.len();
    let numeric = after.starts_with(|c: char| c.is_ascii_digit())
        || prefix_currency(after, spot.language).is_some();
    if numeric && spot.is_fresh() { (format!("{word} "), length) } else { (String::new(), 0) }
}

/// Reads a currency before an amount, and the length up to the digits.
fn prefix_currency(text: &str, language: &Language) -> Option<(&'static Currency, usize)> {
    let (currency, length) = sign_of(text, language.currencies, |currency| currency.signs)?;
    let rest = text[length..].trim_start_matches([' ', '\u{a0}', '\u{202f}']);
    let length = text.len() - rest.len();
    (rest.starts_with(|c: char| c.is_ascii_digit()) && length <= 8).then_some((currency, length))
}

/// Finds the entry whose sign `text` starts with; the longest sign wins.
fn sign_of<T>(
    text: &str,
    table: &'static [T],
    signs: impl Fn(&'static T) -> &'static [&'static str],
) -> Option<(&'static T, usize)> {
    let all = table.iter().flat_map(|entry| signs(entry).iter().map(move |sign| (entry, *sign)));
    let fitting = all.filter(|(_, sign)| text.starts_with(sign));
    fitting.max_by_key(|(_, sign)| sign.len()).map(|(entry, sign)| (entry, sign.len()))
}

/// Returns whether the number has leading zeros, as a code does.
fn is_padded(number: &Numeral) -> bool {
    number.head.len() > 1 && number.head.starts_with('0')
}

/// Reads a number and what is written after it.
fn amount<'a>(
    text: &'a str,
    language: &Language,
    money: Option<&'static Currency>,
) -> Option<(Numeral<'a>, Option<Suffix>, usize)> {
    let first = number(text, language, money.is_some())?;
    let found = suffix(&text[first.length..], language, money, !first.decimals.is_empty());
    let (of, behind) = found.map_or((None, 0), |(of, length)| (Some(of), length));
    if money.is_none() && matches!(of, Some(Suffix::Money(_))) {
        // It is money, so a single group of three is thousands.
        let again = number(text, language, true)?;
        return Some((again, of, again.length + behind));
    }
    Some((first, of, first.length + behind))
}

/// Reads the end of a range, and its length with the dash.
fn range_end<'a>(
    text: &'a str,
    language: &Language,
    money: Option<&'static Currency>,
) -> Option<(Numeral<'a>, Option<Suffix>, usize)> {
    let mut at = dash(text)?;
    if let Some((_, length)) = prefix_currency(&text[at..], language).filter(|_| money.is_some()) {
        at += length;
    }
    let (last, of, length) = amount(&text[at..], language, money)?;
    let goes_on = dash(&text[at + length..])
        .is_some_and(|dash| text[at + length + dash..].starts_with(|c: char| c.is_ascii_digit()));
    (!goes_on && !is_padded(&last)).then_some((last, of, at + length))
}

/// Reads what is counted, after the number and at most one space.
fn suffix(
    text: &str,
    language: &Language,
    money: Option<&'static Currency>,
    has_decimals: bool,
) -> Option<(Suffix, usize)> {
    let bare = text.strip_prefix([' ', '\u{a0}', '\u{202f}']).unwrap_or(text);
    let spaces = text.len() - bare.len();
    if bare.starts_with('%') {
        return Some((Suffix::Percent, spaces + 1));
    }
    if let Some((multiplier, length)) = sign_of(bare, language.multipliers, |m| m.signs) {
        let behind = bare[length..].strip_prefix([' ', '\u{a0}']).unwrap_or(&bare[length..]);
        let after = bare.len() - behind.len();
        let of = |currency| Suffix::Multiple(currency, &multiplier.noun, multiplier.factor);
        if let Some((currency, sign)) = sign_of(behind, language.currencies, |c| c.signs)
            && ends_word(&behind[sign..])
        {
            return Some((of(currency), spaces + after + sign));
        }
        if let Some(currency) = money.filter(|_| ends_word(&bare[length..])) {
            return Some((of(currency), spaces + length));
        }
    }
    if let Some((currency, length)) = sign_of(bare, language.currencies, |c| c.signs)
        && ends_word(&bare[length..])
    {
        return Some((Suffix::Money(currency), spaces + length));
    }
    if has_decimals && let Some((currency, length)) = named_currency(bare, language) {
        return Some((Suffix::Money(currency), spaces + length));
    }
    let fitting = language.units.iter().flat_map(|unit| unit.signs.iter().map(move |s| (unit, *s)));
    let (unit, sign) = fitting
        .filter(|(_, sign)| bare.starts_with(sign) && ends_word(&bare[sign.len()..]))
        .max_by_key(|(_, sign)| sign.len())?;
    Some((Suffix::Unit(unit), spaces + sign.len()))
}

/// Finds a currency by its name, as in "3.50 euros".
fn named_currency(text: &str, language: &Language) -> Option<(&'static Currency, usize)> {
    let names = language.currencies.iter();
    let names = names.flat_map(|c| [(c, c.noun.many), (c, c.noun.one)]);
    let mut fitting = names.filter(|(_, name)| {
        text.strip_prefix(name).is_some_and(|rest| !rest.starts_with(char::is_alphabetic))
    });
    fitting.next().map(|(currency, name)| (currency, name.len()))
}

/// Reads what follows a slash: "€/h", "€/month".
fn per<'a>(text: &'a str, language: &Language) -> Option<(usize, &'a str)> {
    let after = text.strip_prefix('/')?;
    let word_end = after.find(|c: char| !c.is_alphanumeric() && c != '²').unwrap_or(after.len());
    let word = &after[..word_end];
    let units: &'static [Unit] = language.units;
    let unit = units.iter().find(|unit| unit.signs.contains(&word));
    match unit {
        Some(unit) => Some((1 + word_end, unit.noun.one)),
        None if word.chars().count() >= 2 && word.chars().all(char::is_alphabetic) => {
            Some((1 + word_end, word))
        }
        None => None,
    }
}

fn form_of(suffix: Suffix) -> Form {
    match suffix {
        Suffix::Money(currency) => currency.noun.form,
        Suffix::Multiple(_, noun, _) => noun.form,
        Suffix::Unit(unit) => unit.noun.form,
        Suffix::Percent => Form::Alone,
    }
}

/// Says a number and what it counts.
fn of(number: &Numeral, suffix: Option<Suffix>, language: &Language) -> String {
    match suffix {
        None => say(number, language, Form::Alone),
        Some(Suffix::Percent) => {
            format!("{} {}", say(number, language, Form::Alone), language.words.percent)
        }
        Some(Suffix::Unit(unit)) => say_counted(number, language, &unit.noun),
        Some(Suffix::Money(currency)) => money(number, currency, language),
        Some(Suffix::Multiple(currency, noun, factor)) => {
            let whole = number.whole.saturating_mul(factor);
            if number.decimals.is_empty() && whole < 1_000_000_000_000 {
                let number = Numeral { whole, ..*number };
                return say_counted(&number, language, &currency.noun);
            }
            let count = say_counted(number, language, noun);
            let of = match factor {
                1000 => "",
                _ => (language.million_of)(currency.noun.many),
            };
            format!("{count} {of}{}", currency.noun.many)
        }
    }
}

/// Says an amount, with or without the name of its cents.
fn money(number: &Numeral, currency: &Currency, language: &Language) -> String {
    let cents = match number.decimals.len() {
        1 => number.decimals.parse().ok().map(|tens: u64| tens * 10),
        2 => number.decimals.parse().ok(),
        _ => None,
    };
    let has_cents = !currency.cent.one.is_empty();
    let Some(cents) = cents.filter(|&cents| has_cents || cents == 0) else {
        return say_counted(number, language, &currency.noun);
    };
    let whole = say_counted(&Numeral { decimals: "", ..*number }, language, &currency.noun);
    let of_cents = Numeral { whole: cents, decimals: "", ..*number };
    match (number.whole, cents) {
        (_, 0) => whole,
        (0, _) => say_counted(&of_cents, language, &currency.cent),
        _ if language.cents_named => {
            let cents = say_counted(&of_cents, language, &currency.cent);
            format!("{whole}{}{cents}", language.cents_join)
        }
        _ => {
            let cents = (language.cardinal)(cents, Form::Alone);
            format!("{whole}{}{cents}", language.cents_join)
        }
    }
}
