//! Rules for quantities: money, units, percentages, signed numbers, and ranges of all of these.

use super::language::{Currency, Form, Language, Multiplier, Unit};
use super::money::{self, say_money, say_multiple};
use super::number::{Numeral, dash, number, say, say_counted};
use super::rules::{Said, Spot, ends_word};

/// Names what a number counts.
#[derive(Clone, Copy, Debug)]
enum Suffix {
    Money(&'static Currency),
    Cents(&'static Currency),
    /// Thousands or millions, of money or of what follows.
    Multiple(Option<&'static Currency>, &'static Multiplier),
    Unit(&'static Unit),
    Percent,
}

/// Says "−5 °C", "€3.50", "3,5 %", "10–20 km", "3 Mio. €", "5 €/h".
pub(super) fn said(spot: &Spot) -> Option<Said> {
    let Spot { language, .. } = *spot;
    let rest = spot.rest();
    let (sign, mut at) = sign(spot);
    let prefix = money::prefix(&rest[at..], language);
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

/// Says one number and what it counts, without a sign; `None` if it is longer than that.
pub(super) fn single(text: &str, language: &Language) -> Option<(String, usize)> {
    let prefix = money::prefix(text, language);
    let money = prefix.map(|(currency, _)| currency);
    let at = prefix.map_or(0, |(_, length)| length);
    let (number, suffix, length) = amount(&text[at..], language, money)?;
    Some((of(&number, suffix.or(money.map(Suffix::Money)), language), at + length))
}

/// Reads a plus or minus before a number: its word with a space, and its length.
fn sign(spot: &Spot) -> (String, usize) {
    let words = &spot.language.words;
    let word = match spot.rest().chars().next() {
        Some('-' | '−' | '–') => words.minus,
        Some('+') => words.plus,
        Some('±') => words.plus_minus,
        _ => return (String::new(), 0),
    };
    let after = spot.rest().trim_start_matches(['-', '−', '–', '+', '±']);
    let after = if spot.rest().starts_with('±') { after.trim_start_matches(' ') } else { after };
    let length = spot.rest().len() - after.len();
    let numeric = after.starts_with(|c: char| c.is_ascii_digit())
        || money::prefix(after, spot.language).is_some();
    if numeric && spot.is_fresh() { (format!("{word} "), length) } else { (String::new(), 0) }
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
    if first.decimals.is_empty() {
        let tail = &text[first.length..];
        if let Some((currency, length)) = money::without_cents(tail, language, money) {
            return Some((first, Some(Suffix::Money(currency)), first.length + length));
        }
        if let Some((decimals, currency, length)) = money::around_cents(tail, language) {
            let price = Numeral { decimals, ..first };
            return Some((price, Some(Suffix::Money(currency)), first.length + length));
        }
    }
    let found = suffix(&text[first.length..], language, money, &first);
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
    if let Some((_, length)) = money::prefix(&text[at..], language).filter(|_| money.is_some()) {
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
    number: &Numeral,
) -> Option<(Suffix, usize)> {
    let bare = text.strip_prefix([' ', '\u{a0}', '\u{202f}']).unwrap_or(text);
    let spaces = text.len() - bare.len();
    if bare.starts_with('%') {
        return Some((Suffix::Percent, spaces + 1));
    }
    let units = language.units.iter();
    let units = units.flat_map(|unit| unit.signs.iter().map(move |sign| (unit, *sign)));
    let unit = units
        .filter(|(_, sign)| bare.starts_with(sign) && ends_word(&bare[sign.len()..]))
        .max_by_key(|(_, sign)| sign.len());
    if let Some((of, length)) = multiple(bare, language, money, spaces == 0 && unit.is_none()) {
        return Some((of, spaces + length));
    }
    let written = money::sign_after(bare, language).or_else(|| {
        let priced = money.is_some() || !number.decimals.is_empty();
        money::named(bare, language).filter(|_| priced)
    });
    if let Some((currency, length)) = written {
        return Some((Suffix::Money(currency), spaces + length));
    }
    if let Some((currency, length)) = money::cents(text, number, language) {
        return Some((Suffix::Cents(currency), length));
    }
    let (unit, sign) = unit?;
    Some((Suffix::Unit(unit), spaces + sign.len()))
}

/// Reads thousands or millions, and the currency behind them. Without money they are read where a
/// short form stands `alone`, as in "3k followers".
fn multiple(
    text: &str,
    language: &Language,
    money: Option<&'static Currency>,
    alone: bool,
) -> Option<(Suffix, usize)> {
    let table: &'static [Multiplier] = language.multipliers;
    let signs = table.iter().flat_map(|scale| scale.signs.iter().map(move |sign| (scale, *sign)));
    let fitting = signs.filter(|(_, sign)| text.starts_with(sign));
    let (scale, sign) = fitting.max_by_key(|(_, sign)| sign.len())?;
    // At the end of a line the stop of "Mio." ends the sentence, too.
    let sign = if sign.len() == text.len() { sign.trim_end_matches('.') } else { sign };
    let behind = &text[sign.len()..];
    let bare = behind.strip_prefix([' ', '\u{a0}']).unwrap_or(behind);
    let after = text.len() - bare.len();
    if let Some((currency, length)) = money::sign_after(bare, language) {
        return Some((Suffix::Multiple(Some(currency), scale), after + length));
    }
    ends_word(behind).then_some(())?;
    if let Some(currency) = money {
        let named = money::named(bare, language).map_or(sign.len(), |(_, length)| after + length);
        return Some((Suffix::Multiple(Some(currency), scale), named));
    }
    let word = sign == scale.noun.one || sign == scale.noun.many;
    let short = if sign.len() == 1 { alone && matches!(sign, "k" | "M") } else { !word };
    let is_unit = language.units.iter().any(|unit| unit.signs.contains(&sign));
    (short && !is_unit).then_some((Suffix::Multiple(None, scale), sign.len()))
}

/// Reads what follows a slash: "€/h", "€/month".
fn per<'a>(text: &'a str, language: &Language) -> Option<(usize, &'a str)> {
    let after = text.strip_prefix('/')?;
    let word_end = after.find(|c: char| !c.is_alphanumeric() && c != '²').unwrap_or(after.len());
    let word = &after[..word_end];
    let units: &'static [Unit] = language.units;
    let short = language.cues.per.iter().find(|(written, _)| *written == word);
    let unit = units.iter().find(|unit| unit.signs.contains(&word));
    match (short, unit) {
        (Some((_, said)), _) => Some((1 + word_end, said)),
        (_, Some(unit)) => Some((1 + word_end, unit.noun.one)),
        _ if word.chars().count() >= 2 && word.chars().all(char::is_alphabetic) => {
            Some((1 + word_end, word))
        }
        _ => None,
    }
}

fn form_of(suffix: Suffix) -> Form {
    match suffix {
        Suffix::Money(currency) => currency.noun.form,
        Suffix::Cents(currency) => currency.cent.form,
        Suffix::Multiple(_, scale) => scale.noun.form,
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
        Some(Suffix::Money(currency)) => say_money(number, currency, language),
        Some(Suffix::Cents(currency)) => say_counted(number, language, &currency.cent),
        Some(Suffix::Multiple(currency, scale)) => say_multiple(number, currency, scale, language),
    }
}
