//! Rules for money, degrees and units.

use super::super::letters::first;
use super::{
    Expander, Here, Instead, after_space, amount, begins, counted, ends_word, length_before,
};

/// Lists the words of large amounts, and the letters that stand for them.
const LARGE: [(&str, &str); 8] = [
    ("hundred", "hundred"),
    ("thousand", "thousand"),
    ("million", "million"),
    ("billion", "billion"),
    ("trillion", "trillion"),
    ("k", "thousand"),
    ("m", "million"),
    ("b", "billion"),
];

/// Reads a "million" or "M" after an amount; returns its name and what follows.
fn large(text: &str) -> Option<(&'static str, &str)> {
    let text = after_space(text);
    LARGE.iter().find_map(|(sign, name)| {
        let letter = sign.len() == 1;
        let begins = text.get(..sign.len())?;
        let same = begins == *sign || (letter && begins.eq_ignore_ascii_case(sign));
        let after = &text[sign.len()..];
        (same && (!letter || ends_word(after))).then_some((*name, after))
    })
}

/// Writes "$5 million", "€3k" out.
pub(super) fn large_amount(tables: &Expander, here: Here) -> Option<Instead> {
    let rest = here.rest();
    let sign = first(rest).filter(|c| "$£€".contains(*c))?;
    let after = &rest[sign.len_utf8()..];
    let (count, after) = after.split_at(amount(after));
    let (name, after) = large(after).filter(|_| !count.is_empty())?;
    let words = format!("{count} {name} {}", tables.money(&sign.to_string())?[1]);
    Some(Instead { length: length_before(rest, after), words })
}

/// Writes "99¢" out.
pub(super) fn cents(tables: &Expander, here: Here) -> Option<Instead> {
    here.figures(".")?;
    let rest = here.rest();
    let (count, after) = rest.split_at(amount(rest));
    let after = after_space(after).strip_prefix('¢')?;
    let words = format!("{count} {}", counted(count, tables.money("¢")?));
    Some(Instead { length: length_before(rest, after), words })
}

/// Writes "¥500", "Rs. 20", "USD 5 million" out.
pub(super) fn other_currency(tables: &Expander, here: Here) -> Option<Instead> {
    let rest = here.rest();
    let signs = ["¥", "₹", "₩", "Rs", "USD", "EUR", "GBP"];
    let sign = signs.into_iter().find(|sign| rest.starts_with(sign) && here.is_fresh(""))?;
    let after = &rest[sign.len()..];
    let stop = after.strip_prefix('.').filter(|_| sign == "Rs").unwrap_or(after);
    let start = after_space(stop);
    let (count, after) = start.split_at(amount(start));
    let names = tables.money(sign).filter(|_| !count.is_empty())?;
    let (words, after) = match large(after) {
        Some((name, after)) => (format!("{count} {name} {}", names[1]), after),
        None => (format!("{count} {}", counted(count, names)), after),
    };
    Some(Instead { length: length_before(rest, after), words })
}

/// Reads a number with its sign where one may begin; returns it and what follows.
fn measured(here: Here<'_>) -> Option<(&str, &str)> {
    let rest = here.rest();
    if !here.is_fresh(".") {
        return None;
    }
    let minus = usize::from(rest.starts_with('-'));
    let count = Some(amount(&rest[minus..])).filter(|length| *length > 0)?;
    Some(rest.split_at(minus + count))
}

/// Writes "20 °C", "5°" out.
pub(super) fn degrees(_: &Expander, here: Here) -> Option<Instead> {
    let (count, after) = measured(here)?;
    let sign = after_space(after).strip_prefix('°')?;
    let spaced = after_space(sign);
    let scales = [("C", " Celsius"), ("F", " Fahrenheit")];
    let scale = scales.into_iter().find_map(|(letter, name)| {
        Some((name, spaced.strip_prefix(letter).filter(|after| ends_word(after))?))
    });
    let bare = || [spaced, sign].into_iter().find(|after| ends_word(after));
    let (scale, after) = match scale {
        Some(scale) => scale,
        None => ("", bare()?),
    };
    let name = if matches!(count, "1" | "1.0" | "-1") { "degree" } else { "degrees" };
    let length = length_before(here.rest(), after);
    Some(Instead { length, words: format!("{count} {name}{scale}") })
}

/// Writes "5 km" out.
pub(super) fn unit(tables: &Expander, here: Here) -> Option<Instead> {
    let (count, after) = measured(here)?;
    let text = after_space(after);
    let (sign, names) = begins(&tables.units, text, ends_word)?;
    let length = length_before(here.rest(), text) + sign.len();
    Some(Instead { length, words: format!("{count} {}", counted(count, names)) })
}
