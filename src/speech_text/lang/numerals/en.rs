//! English. American number words, since "one hundred twenty" is understood everywhere.

use super::super::super::language::{Date, Form, Half, Time};
use super::super::{entry, triples};

const BELOW_TWENTY: &str = "zero, one, two, three, four, five, six, seven, eight, nine, ten, \
                            eleven, twelve, thirteen, fourteen, fifteen, sixteen, seventeen, \
                            eighteen, nineteen";
const TENS: &str = "-, -, twenty, thirty, forty, fifty, sixty, seventy, eighty, ninety";

/// Lists the ordinals that are not the number with "th".
const ORDINALS: [(&str, &str); 7] = [
    ("one", "first"),
    ("two", "second"),
    ("three", "third"),
    ("five", "fifth"),
    ("eight", "eighth"),
    ("nine", "ninth"),
    ("twelve", "twelfth"),
];

pub(in super::super) fn cardinal(n: u64, _: Form) -> String {
    words(n)
}

fn words(n: u64) -> String {
    let (millions, thousands, rest) = triples(n);
    let mut parts = Vec::new();
    if millions >= 1000 {
        parts.push(format!("{} billion", words(millions / 1000)));
    }
    if millions % 1000 > 0 {
        parts.push(format!("{} million", words(millions % 1000)));
    }
    if thousands > 0 {
        parts.push(format!("{} thousand", words(thousands)));
    }
    if rest >= 100 {
        parts.push(format!("{} hundred", entry(BELOW_TWENTY, rest / 100)));
    }
    match rest % 100 {
        0 if n > 0 => {}
        small @ 0..20 => parts.push(entry(BELOW_TWENTY, small).to_owned()),
        tens if tens % 10 == 0 => parts.push(entry(TENS, tens / 10).to_owned()),
        both => {
            let (tens, ones) = (entry(TENS, both / 10), entry(BELOW_TWENTY, both % 10));
            parts.push(format!("{tens}-{ones}"));
        }
    }
    parts.join(" ")
}

/// Says a number as India groups it: 1,25,000 is one lakh twenty-five thousand.
pub(in super::super) fn indian(n: u64) -> String {
    let (crores, lakhs, rest) = (n / 10_000_000, n / 100_000 % 100, n % 100_000);
    let mut parts = Vec::new();
    if crores > 0 {
        parts.push(format!("{} crore", words(crores)));
    }
    if lakhs > 0 {
        parts.push(format!("{} lakh", words(lakhs)));
    }
    if rest > 0 || n == 0 {
        parts.push(words(rest));
    }
    parts.join(" ")
}

pub(in super::super) fn ordinal(n: u64, _: Form) -> String {
    let cardinal = words(n);
    let start = cardinal.rfind([' ', '-']).map_or(0, |at| at + 1);
    let (head, last) = cardinal.split_at(start);
    match ORDINALS.iter().find(|(number, _)| *number == last) {
        Some((_, ordinal)) => format!("{head}{ordinal}"),
        None if last.ends_with('y') => format!("{}ieth", &cardinal[..cardinal.len() - 1]),
        None => format!("{cardinal}th"),
    }
}

pub(in super::super) fn year(n: u64) -> String {
    let (century, rest) = (n / 100, n % 100);
    match (century, rest) {
        (20, 0..10) | (_, 0) if century % 10 == 0 => words(n),
        (_, 0) => format!("{} hundred", words(century)),
        (_, 1..10) => format!("{} oh {}", words(century), words(rest)),
        _ => format!("{} {}", words(century), words(rest)),
    }
}

pub(in super::super) fn date(date: Date, before: &str) -> String {
    let month = super::super::en::ENGLISH.months[date.month - 1][0];
    let day = ordinal(date.day, Form::Alone);
    let year = date.year.map(|n| format!(", {}", year(n))).unwrap_or_default();
    match (date.month_first, before) {
        (true, _) => format!("{month} {day}{year}"),
        (false, "the") => format!("{day} of {month}{year}"),
        (false, _) => format!("the {day} of {month}{year}"),
    }
}

pub(in super::super) fn decade(n: u64, _: &str) -> String {
    let first = if n < 100 { words(n) } else { year(n) };
    match first.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{first}s"),
    }
}

pub(in super::super) fn time(time: Time) -> String {
    let hour = match time.hour % 12 {
        0 => 12,
        hour => hour,
    };
    let mark = match time.half {
        Some(Half::Am) => " AM",
        Some(Half::Pm) => " PM",
        None if time.hour > 12 && time.hour < 24 => " PM",
        None if time.hour.is_multiple_of(24) => " AM",
        None if time.minute == 0 && !time.bare => " o'clock",
        None => "",
    };
    let minute = match time.minute {
        0 => String::new(),
        minute @ 1..10 => format!(" oh {}", words(minute)),
        minute => format!(" {}", words(minute)),
    };
    format!("{}{minute}{mark}", words(hour))
}
