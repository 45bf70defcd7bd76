//! Spanish.

use super::super::super::language::{Date, Form, Time};
use super::super::{entry, large, triples};

const BELOW_THIRTY: &str = "cero, uno, dos, tres, cuatro, cinco, seis, siete, ocho, nueve, diez, \
                            once, doce, trece, catorce, quince, dieciséis, diecisiete, dieciocho, \
                            diecinueve, veinte, veintiuno, veintidós, veintitrés, veinticuatro, \
                            veinticinco, veintiséis, veintisiete, veintiocho, veintinueve";
const TENS: &str = "-, -, -, treinta, cuarenta, cincuenta, sesenta, setenta, ochenta, noventa";
const HUNDREDS: &str = "-, ciento, doscientos, trescientos, cuatrocientos, quinientos, \
                        seiscientos, setecientos, ochocientos, novecientos";
const ORDINALS: &str =
    "cero, primero, segundo, tercero, cuarto, quinto, sexto, séptimo, octavo, noveno";
const ORDINAL_TENS: &str = "-, décimo, vigésimo, trigésimo, cuadragésimo, quincuagésimo, \
                            sexagésimo, septuagésimo, octogésimo, nonagésimo";

pub(in super::super) fn cardinal(n: u64, form: Form) -> String {
    let (millions, thousands, rest) = triples(n);
    let mut parts =
        Vec::from_iter(large(millions, "un millón", "millones", |n| cardinal(n, Form::Masculine)));
    match thousands {
        0 => {}
        1 => parts.push("mil".to_owned()),
        // "Veintiún mil": the noun may be feminine, but mil takes the short form.
        _ => {
            let form = if form == Form::Feminine { form } else { Form::Masculine };
            let count = below_thousand(thousands, form).replace("una", "ún");
            let count = count.replace(" y ún", " y un");
            parts.push(format!("{count} mil"));
        }
    }
    if rest > 0 || n == 0 {
        parts.push(below_thousand(rest, form));
    }
    parts.join(" ")
}

fn below_thousand(n: u64, form: Form) -> String {
    if n == 100 {
        return "cien".to_owned();
    }
    let mut parts = Vec::new();
    if n > 100 {
        let hundreds = entry(HUNDREDS, n / 100);
        let feminine = form == Form::Feminine && n >= 200;
        parts.push(if feminine {
            format!("{}as", hundreds.trim_end_matches("os"))
        } else {
            hundreds.to_owned()
        });
    }
    let rest = n % 100;
    if rest > 0 || n == 0 {
        let word = match rest {
            0..30 => entry(BELOW_THIRTY, rest).to_owned(),
            _ if rest.is_multiple_of(10) => entry(TENS, rest / 10).to_owned(),
            _ => format!("{} y {}", entry(TENS, rest / 10), entry(BELOW_THIRTY, rest % 10)),
        };
        parts.push(match (word.strip_suffix("uno"), form) {
            (Some(stem), Form::Feminine) => format!("{stem}una"),
            (Some("veinti"), Form::Masculine) => "veintiún".to_owned(),
            (Some(stem), Form::Masculine) => format!("{stem}un"),
            _ => word,
        });
    }
    parts.join(" ")
}

pub(in super::super) fn ordinal(n: u64, form: Form) -> String {
    let word = match n {
        1..10 => entry(ORDINALS, n).to_owned(),
        11 => "undécimo".to_owned(),
        12 => "duodécimo".to_owned(),
        13..20 => format!("decimo{}", entry(ORDINALS, n % 10)),
        10..100 if n.is_multiple_of(10) => entry(ORDINAL_TENS, n / 10).to_owned(),
        20..100 => format!("{} {}", entry(ORDINAL_TENS, n / 10), entry(ORDINALS, n % 10)),
        _ => return cardinal(n, form),
    };
    match form {
        Form::Feminine => {
            let words = word.split(' ').map(|word| format!("{}a", &word[..word.len() - 1]));
            words.collect::<Vec<_>>().join(" ")
        }
        Form::Bound if word.ends_with("primero") || word.ends_with("tercero") => {
            word[..word.len() - 1].to_owned()
        }
        _ => word,
    }
}

pub(in super::super) fn year(n: u64) -> String {
    cardinal(n, Form::Alone)
}

pub(in super::super) fn date(date: Date, _: &str) -> String {
    let month = super::super::es::SPANISH.months[date.month - 1][0];
    let year = date.year.map(|n| format!(" de {}", year(n))).unwrap_or_default();
    format!("{} de {month}{year}", cardinal(date.day, Form::Alone))
}

pub(in super::super) fn decade(n: u64, _: &str) -> String {
    year(n)
}

/// Says the number of a king or a pope: an ordinal up to ten.
pub(in super::super) fn regnal(n: u64, form: Form) -> String {
    if n <= 10 { ordinal(n, form) } else { cardinal(n, Form::Alone) }
}

pub(in super::super) fn time(time: Time) -> String {
    let hour = cardinal(time.hour, Form::Feminine);
    let minute = match time.minute {
        0 => String::new(),
        15 if time.hour <= 12 => " y cuarto".to_owned(),
        30 if time.hour <= 12 => " y media".to_owned(),
        minute @ 1..10 => format!(" y {}", cardinal(minute, Form::Alone)),
        minute => format!(" {}", cardinal(minute, Form::Alone)),
    };
    let part = match (time.half, time.hour_of_day()) {
        (None, _) => "",
        (_, 0..6) => " de la madrugada",
        (_, 6..12) => " de la mañana",
        (_, 12) => " del mediodía",
        (_, 13..20) => " de la tarde",
        _ => " de la noche",
    };
    format!("{hour}{minute}{part}")
}
