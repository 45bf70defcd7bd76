//! German. Ordinals are inflected for the word before them.

use super::super::super::language::{Date, Form, Time};
use super::super::{BILLION, entry, has, large, triples};

const BELOW_TWENTY: &str = "null, ein, zwei, drei, vier, fünf, sechs, sieben, acht, neun, zehn, \
                            elf, zwölf, dreizehn, vierzehn, fünfzehn, sechzehn, siebzehn, \
                            achtzehn, neunzehn";
const TENS: &str = "-, -, zwanzig, dreißig, vierzig, fünfzig, sechzig, siebzig, achtzig, neunzig";

/// Lists the words after which an ordinal ends in "-en".
const OBLIQUE: &str =
    "ab, am, beim, bis, dem, den, des, einem, einen, im, jeden, nach, seit, vom, vor, zum, zur";

/// Lists the words after which an ordinal ends in "-e".
const WEAK: &str = "das, der, die, dieser, diese, jede";

pub(in super::super) fn cardinal(n: u64, form: Form) -> String {
    let count = |n| cardinal(n, Form::Feminine);
    if let Some(billions) = large(n / BILLION, "eine Milliarde", "Milliarden", count) {
        return match n % BILLION {
            0 => billions,
            rest => format!("{billions} {}", cardinal(rest, form)),
        };
    }
    let (millions, thousands, rest) = triples(n);
    let mut parts = Vec::from_iter(large(millions, "eine Million", "Millionen", count));
    let mut low = String::new();
    match thousands {
        0 => {}
        1 => low.push_str("tausend"),
        _ => {
            low.push_str(&below_thousand(thousands));
            low.push_str("tausend");
        }
    }
    if rest > 0 || n == 0 {
        low.push_str(&below_thousand(rest));
        if rest % 100 == 1 {
            low.push_str(match form {
                Form::Feminine if rest == 1 && n == 1 => "e",
                Form::Masculine | Form::Feminine if n == 1 => "",
                _ => "s",
            });
        }
    }
    if !low.is_empty() {
        parts.push(low);
    }
    parts.join(" ")
}

fn below_thousand(n: u64) -> String {
    let hundreds = match n / 100 {
        0 => String::new(),
        1 => "hundert".to_owned(),
        hundreds => format!("{}hundert", entry(BELOW_TWENTY, hundreds)),
    };
    let rest = n % 100;
    let small = match rest {
        0 if n > 0 => String::new(),
        0..20 => entry(BELOW_TWENTY, rest).to_owned(),
        _ if rest.is_multiple_of(10) => entry(TENS, rest / 10).to_owned(),
        _ => format!("{}und{}", entry(BELOW_TWENTY, rest % 10), entry(TENS, rest / 10)),
    };
    hundreds + &small
}

pub(in super::super) fn ordinal(n: u64, form: Form) -> String {
    let whole = cardinal(n, Form::Masculine);
    let stem = match n % 100 {
        1 => format!("{}erst", whole.trim_end_matches('s').trim_end_matches("ein")),
        3 => format!("{}dritt", whole.trim_end_matches("drei")),
        7 => format!("{}siebt", whole.trim_end_matches("sieben")),
        8 => whole,
        2..20 => whole + "t",
        _ => whole + "st",
    };
    let ending = match form {
        Form::Alone => "er",
        Form::Masculine | Form::Feminine => "e",
        Form::Bound => "en",
    };
    stem + ending
}

/// Returns the ending of an ordinal after `before`, a word in lower case.
pub(in super::super) fn ordinal_form(before: &str) -> Form {
    match before {
        _ if has(OBLIQUE, before) => Form::Bound,
        _ if has(WEAK, before) => Form::Masculine,
        _ => Form::Alone,
    }
}

pub(in super::super) fn year(n: u64) -> String {
    if !(1100..2000).contains(&n) {
        return cardinal(n, Form::Alone);
    }
    let rest = if n.is_multiple_of(100) { String::new() } else { cardinal(n % 100, Form::Alone) };
    format!("{}hundert{rest}", below_thousand(n / 100))
}

pub(in super::super) fn date(date: Date, before: &str) -> String {
    let month = super::super::de::GERMAN.months[date.month - 1][0];
    let year = date.year.map(|n| format!(" {}", year(n))).unwrap_or_default();
    format!("{} {month}{year}", ordinal(date.day, ordinal_form(before)))
}

pub(in super::super) fn decade(n: u64, mark: &str) -> String {
    year(n) + mark
}

/// Says the number of a king, "der Vierzehnte", or a queen.
pub(in super::super) fn regnal(n: u64, form: Form) -> String {
    let article = if form == Form::Feminine { "die" } else { "der" };
    let number = ordinal(n, Form::Masculine);
    let mut letters = number.chars();
    let first = letters.next().map(char::to_uppercase).into_iter().flatten();
    format!("{article} {}{}", first.collect::<String>(), letters.as_str())
}

pub(in super::super) fn time(time: Time) -> String {
    let hour = cardinal(time.hour, Form::Masculine);
    let minute = match time.minute {
        0 => String::new(),
        minute => format!(" {}", cardinal(minute, Form::Alone)),
    };
    let part = match (time.half, time.hour_of_day()) {
        (None, _) => "",
        (_, 0..5) => " nachts",
        (_, 5..12) => " morgens",
        (_, 12) => " mittags",
        (_, 13..18) => " nachmittags",
        _ => " abends",
    };
    if time.bare && time.minute == 0 && part.is_empty() {
        return cardinal(time.hour, Form::Alone);
    }
    format!("{hour} Uhr{minute}{part}")
}
