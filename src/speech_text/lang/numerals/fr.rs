//! French, with the number words of France.

use super::super::super::language::{Date, Form, Time};
use super::super::{BILLION, entry, large, triples};

const BELOW_TWENTY: &str = "zéro, un, deux, trois, quatre, cinq, six, sept, huit, neuf, dix, onze, \
                            douze, treize, quatorze, quinze, seize, dix-sept, dix-huit, dix-neuf";
const TENS: &str =
    "-, -, vingt, trente, quarante, cinquante, soixante, soixante, quatre-vingt, quatre-vingt";

pub(in super::super) fn cardinal(n: u64, form: Form) -> String {
    let count = |n| cardinal(n, Form::Masculine);
    if let Some(billions) = large(n / BILLION, "un milliard", "milliards", count) {
        return match n % BILLION {
            0 => billions,
            rest => format!("{billions} {}", cardinal(rest, form)),
        };
    }
    let (millions, thousands, rest) = triples(n);
    let mut parts = Vec::from_iter(large(millions, "un million", "millions", count));
    match thousands {
        0 => {}
        1 => parts.push("mille".to_owned()),
        _ => {
            // Before "mille" neither "cents" nor "quatre-vingts" keeps its s.
            let count = below_thousand(thousands, Form::Masculine);
            let bare = count.strip_suffix('s').filter(|_| !count.ends_with("trois"));
            parts.push(format!("{} mille", bare.unwrap_or(&count)));
        }
    }
    if rest > 0 || n == 0 {
        parts.push(below_thousand(rest, form));
    }
    parts.join(" ")
}

fn below_thousand(n: u64, form: Form) -> String {
    let (hundreds, rest) = (n / 100, n % 100);
    let mut parts = Vec::new();
    match (hundreds, rest) {
        (0, _) => {}
        (1, _) => parts.push("cent".to_owned()),
        (_, 0) => parts.push(format!("{} cents", entry(BELOW_TWENTY, hundreds))),
        _ => parts.push(format!("{} cent", entry(BELOW_TWENTY, hundreds))),
    }
    if rest > 0 || n == 0 {
        parts.push(below_hundred(rest, form));
    }
    parts.join(" ")
}

fn below_hundred(n: u64, form: Form) -> String {
    let one = if form == Form::Feminine { "une" } else { "un" };
    let tens = entry(TENS, n / 10);
    // Seventy and ninety continue counting up to nineteen.
    let ones = if matches!(n, 70..80 | 90..100) { n % 10 + 10 } else { n % 10 };
    match (n, ones) {
        (1, _) => one.to_owned(),
        (0..20, _) => entry(BELOW_TWENTY, n).to_owned(),
        (80, _) => "quatre-vingts".to_owned(),
        (_, 0) => tens.to_owned(),
        (81, _) => format!("{tens}-{one}"),
        (20..80, 1) => format!("{tens} et {one}"),
        (71, _) => "soixante et onze".to_owned(),
        _ => format!("{tens}-{}", entry(BELOW_TWENTY, ones)),
    }
}

pub(in super::super) fn ordinal(n: u64, form: Form) -> String {
    if n == 1 {
        return if form == Form::Feminine { "première" } else { "premier" }.to_owned();
    }
    let whole = cardinal(n, Form::Masculine);
    let stem = match whole.as_str() {
        whole if whole.ends_with("cinq") => format!("{whole}u"),
        whole if whole.ends_with("neuf") => format!("{}v", &whole[..whole.len() - 1]),
        whole if whole.ends_with("vingts") || whole.ends_with("cents") => {
            whole[..whole.len() - 1].to_owned()
        }
        whole => whole.trim_end_matches('e').to_owned(),
    };
    stem + "ième"
}

/// Joins "million" and its noun, with "d'" before a vowel.
pub(in super::super) fn million_of(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o', 'u', 'é']) { "d'" } else { "de " }
}

pub(in super::super) fn year(n: u64) -> String {
    cardinal(n, Form::Alone)
}

pub(in super::super) fn date(date: Date, _: &str) -> String {
    let month = super::super::fr::FRENCH.months[date.month - 1][0];
    let year = date.year.map(|n| format!(" {}", year(n))).unwrap_or_default();
    let day = match date.day {
        1 => "premier".to_owned(),
        day => cardinal(day, Form::Alone),
    };
    format!("{day} {month}{year}")
}

pub(in super::super) fn decade(n: u64, _: &str) -> String {
    cardinal(n, Form::Alone)
}

pub(in super::super) fn time(time: Time) -> String {
    let hour = cardinal(time.hour, Form::Feminine);
    let minute = match time.minute {
        0 => String::new(),
        minute => format!(" {}", cardinal(minute, Form::Alone)),
    };
    let part = match (time.half, time.hour_of_day()) {
        (None, _) => "",
        (_, 0..12) => " du matin",
        (_, 12..18) => " de l'après-midi",
        _ => " du soir",
    };
    let hours = if time.hour < 2 { "heure" } else { "heures" };
    format!("{hour} {hours}{minute}{part}")
}
