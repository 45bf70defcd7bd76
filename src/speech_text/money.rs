//! Reads money as people write it: "€3.50", "5,- €", "12€50", "R$ 2 bi", "$.99", "500/-", "99 ct".

use super::language::{Currency, Form, Language, Multiplier, Noun};
use super::number::{Numeral, digits, say, say_counted};
use super::rules::ends_word;

/// Lists what is written in place of cents where there are none.
const NO_CENTS: [&str; 8] = [",--", ",-", ",–", ",—", ".-", ".–", ".—", "/-"];

/// Reads a currency before an amount, and the length up to the digits.
pub(super) fn prefix(text: &str, language: &Language) -> Option<(&'static Currency, usize)> {
    let (currency, length) = sign(text, language)?;
    let rest = text[length..].trim_start_matches([' ', '\u{a0}', '\u{202f}']);
    let length = text.len() - rest.len();
    let number = rest.strip_prefix(['.', ',']).unwrap_or(rest);
    (number.starts_with(|c: char| c.is_ascii_digit()) && length <= 8).then_some((currency, length))
}

/// Finds the currency whose sign `text` starts with; the longest sign wins, then the region's.
pub(super) fn sign(text: &str, language: &Language) -> Option<(&'static Currency, usize)> {
    let all = std::iter::once(language.own).chain(language.currencies);
    let signs = all.flat_map(|currency| currency.signs.iter().map(move |sign| (currency, *sign)));
    let mut best: Option<(&'static Currency, usize)> = None;
    for (currency, sign) in signs.filter(|(_, sign)| text.starts_with(sign)) {
        if best.is_none_or(|(_, length)| sign.len() > length) {
            best = Some((currency, sign.len()));
        }
    }
    best
}

/// Reads a currency's sign after an amount, and its length; a sign of letters is a complete word.
pub(super) fn sign_after(text: &str, language: &Language) -> Option<(&'static Currency, usize)> {
    sign(text, language).filter(|(_, length)| ends_word(&text[*length..]))
}

/// Finds a currency by its name, as in "3.50 euros".
pub(super) fn named(text: &str, language: &Language) -> Option<(&'static Currency, usize)> {
    let all = std::iter::once(language.own).chain(language.currencies);
    let names = all.flat_map(|c| [(c, c.noun.many), (c, c.noun.one)]);
    let mut fitting = names.filter(|(_, name)| {
        text.strip_prefix(name).is_some_and(|rest| !rest.starts_with(char::is_alphabetic))
    });
    fitting.next().map(|(currency, name)| (currency, name.len()))
}

/// Reads what stands for no cents, and the currency; its own if no other is written.
pub(super) fn without_cents(
    text: &str,
    language: &Language,
    money: Option<&'static Currency>,
) -> Option<(&'static Currency, usize)> {
    let mark = NO_CENTS.iter().find(|mark| text.starts_with(**mark))?;
    let behind = &text[mark.len()..];
    let bare = behind.strip_prefix([' ', '\u{a0}', '\u{202f}']).unwrap_or(behind);
    let at = text.len() - bare.len();
    let written = sign_after(bare, language).or_else(|| named(bare, language));
    if let Some((currency, length)) = written {
        return Some((currency, at + length));
    }
    let ends = !behind.starts_with(|c: char| c.is_alphanumeric());
    let own = match mark.chars().next() {
        Some(',') => language.decimal == ',',
        Some('.') => language.own.signs.contains(&"CHF"),
        _ => false,
    };
    let currency = money.or(own.then_some(language.own)).filter(|_| ends)?;
    Some((currency, mark.len()))
}

/// Reads "€50" of "12€50", or "'50 €" of "12'50 €": the cents, the currency and the length.
pub(super) fn around_cents<'a>(
    text: &'a str,
    language: &Language,
) -> Option<(&'a str, &'static Currency, usize)> {
    let two = |text: &'a str| Some(digits(text)).filter(|cents| cents.len() == 2);
    if let Some(behind) = text.strip_prefix(['\'', '’']) {
        let cents = two(behind)?;
        let after = &behind[2..];
        let bare = after.strip_prefix([' ', '\u{a0}']).unwrap_or(after);
        let (currency, length) = sign_after(bare, language)?;
        return Some((cents, currency, text.len() - bare.len() + length));
    }
    let (currency, length) = sign(text, language)?;
    let cents = two(&text[length..])?;
    ends_word(&text[length + 2..]).then_some((cents, currency, length + 2))
}

/// Reads the sign of cents after a number below a hundred; a letter stands directly behind it.
pub(super) fn cents(
    text: &str,
    number: &Numeral,
    language: &Language,
) -> Option<(&'static Currency, usize)> {
    let bare = text.strip_prefix([' ', '\u{a0}']).unwrap_or(text);
    let all = std::iter::once(language.own).chain(language.currencies);
    let signs = all.flat_map(|c| c.cent_signs.iter().map(move |sign| (c, *sign)));
    let mut fitting = signs.filter(|(_, sign)| {
        let from = if sign.len() == 1 { text } else { bare };
        from.strip_prefix(sign).is_some_and(ends_word)
    });
    let (currency, sign) = fitting.next().filter(|_| number.is_plain() && number.whole < 100)?;
    let spaces = if sign.len() == 1 { 0 } else { text.len() - bare.len() };
    Some((currency, spaces + sign.len()))
}

/// Says an amount, with or without the name of its cents.
pub(super) fn say_money(number: &Numeral, currency: &Currency, language: &Language) -> String {
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
    match (number.whole, cents) {
        (_, 0) => whole,
        (0, _) => say_counted(&Numeral::of(cents), language, &currency.cent),
        _ if language.cents_named => {
            let cents = say_counted(&Numeral::of(cents), language, &currency.cent);
            format!("{whole}{}{cents}", language.cents_join)
        }
        _ => {
            let cents = (language.cardinal)(cents, Form::Alone);
            format!("{whole}{}{cents}", language.cents_join)
        }
    }
}

/// Says thousands or millions, of money or of what follows.
pub(super) fn say_multiple(
    number: &Numeral,
    currency: Option<&Currency>,
    scale: &Multiplier,
    language: &Language,
) -> String {
    let noun = currency.map(|currency| &currency.noun);
    if let Some(whole) = multiplied(number, scale.factor) {
        let whole = Numeral::of(whole);
        return match noun {
            Some(noun) => say_counted(&whole, language, noun),
            None => say(&whole, language, Form::Alone),
        };
    }
    let count = say_counted(number, language, &scale.noun);
    match noun {
        Some(noun) if scale.factor >= 1_000_000 => {
            format!("{count} {}{}", (language.million_of)(noun.many), noun.many)
        }
        Some(Noun { many, .. }) => format!("{count} {many}"),
        None => count,
    }
}

/// Returns the product if people say it as one number: not that of lakhs, nor 2.5 million.
fn multiplied(number: &Numeral, factor: u64) -> Option<u64> {
    let places = u32::try_from(number.decimals.len()).ok()?;
    let thousands = factor == 1000 && places <= 3;
    let power_of_thousand = [1000, 1_000_000, 1_000_000_000].contains(&factor);
    if !power_of_thousand || !(thousands || places == 0) {
        return None;
    }
    let part = match places {
        0 => 0,
        _ => number.decimals.parse::<u64>().ok()? * 10_u64.pow(3 - places),
    };
    number.whole.checked_mul(factor)?.checked_add(part).filter(|whole| *whole < 1_000_000_000_000)
}
