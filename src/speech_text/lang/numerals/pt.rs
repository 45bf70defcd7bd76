//! Portuguese, with the number words of Brazil.

use super::super::super::language::{Date, Form, Time};
use super::super::{BILLION, entry, large, triples};

const BELOW_TWENTY: &str = "zero, um, dois, três, quatro, cinco, seis, sete, oito, nove, dez, \
                            onze, doze, treze, catorze, quinze, dezesseis, dezessete, dezoito, \
                            dezenove";
const TENS: &str = "-, -, vinte, trinta, quarenta, cinquenta, sessenta, setenta, oitenta, noventa";
const HUNDREDS: &str = "-, cento, duzentos, trezentos, quatrocentos, quinhentos, seiscentos, \
                        setecentos, oitocentos, novecentos";
const ORDINALS: &str =
    "zero, primeiro, segundo, terceiro, quarto, quinto, sexto, sétimo, oitavo, nono";
const ORDINAL_TENS: &str = "-, décimo, vigésimo, trigésimo, quadragésimo, quinquagésimo, \
                            sexagésimo, septuagésimo, octogésimo, nonagésimo";

pub(in super::super) fn cardinal(n: u64, form: Form) -> String {
    let count = |n| cardinal(n, Form::Masculine);
    if let Some(billions) = large(n / BILLION, "um bilhão", "bilhões", count) {
        return match n % BILLION {
            0 => billions,
            rest => format!("{billions} {}", cardinal(rest, form)),
        };
    }
    let (millions, thousands, rest) = triples(n);
    let mut said = large(millions, "um milhão", "milhões", count).unwrap_or_default();
    let mut add = |words: &str, with_and: bool| {
        if !said.is_empty() {
            said.push_str(if with_and { " e " } else { " " });
        }
        said.push_str(words);
    };
    match thousands {
        0 => {}
        1 => add("mil", rest == 0),
        _ => add(&format!("{} mil", below_thousand(thousands, form)), rest == 0),
    }
    if rest > 0 || n == 0 {
        add(&below_thousand(rest, form), rest < 100 || rest % 100 == 0);
    }
    said
}

fn below_thousand(n: u64, form: Form) -> String {
    if n == 100 {
        return "cem".to_owned();
    }
    let feminine = form == Form::Feminine;
    let mut parts = Vec::new();
    if n > 100 {
        let hundreds = entry(HUNDREDS, n / 100);
        let agree = feminine && n >= 200;
        parts.push(if agree {
            format!("{}as", hundreds.trim_end_matches("os"))
        } else {
            hundreds.to_owned()
        });
    }
    let mut small = n % 100;
    if small >= 20 {
        parts.push(entry(TENS, small / 10).to_owned());
        small %= 10;
    }
    if small > 0 || n == 0 {
        parts.push(match small {
            1 if feminine => "uma".to_owned(),
            2 if feminine => "duas".to_owned(),
            _ => entry(BELOW_TWENTY, small).to_owned(),
        });
    }
    parts.join(" e ")
}

pub(in super::super) fn ordinal(n: u64, form: Form) -> String {
    let word = match n {
        1..10 => entry(ORDINALS, n).to_owned(),
        10..100 if n.is_multiple_of(10) => entry(ORDINAL_TENS, n / 10).to_owned(),
        10..100 => format!("{} {}", entry(ORDINAL_TENS, n / 10), entry(ORDINALS, n % 10)),
        _ => return cardinal(n, form),
    };
    if form != Form::Feminine {
        return word;
    }
    let words = word.split(' ').map(|word| format!("{}a", &word[..word.len() - 1]));
    words.collect::<Vec<_>>().join(" ")
}

pub(in super::super) fn year(n: u64) -> String {
    cardinal(n, Form::Alone)
}

pub(in super::super) fn date(date: Date, _: &str) -> String {
    let month = super::super::pt::PORTUGUESE.months[date.month - 1][0];
    let year = date.year.map(|n| format!(" de {}", year(n))).unwrap_or_default();
    let day = match date.day {
        1 => "primeiro".to_owned(),
        day => cardinal(day, Form::Alone),
    };
    format!("{day} de {month}{year}")
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
    let part = match (time.half, time.hour_of_day()) {
        (None, _) => "",
        (_, 0..6) => " da madrugada",
        (_, 6..12) => " da manhã",
        (_, 12) => " do meio-dia",
        (_, 13..19) => " da tarde",
        _ => " da noite",
    };
    match time.minute {
        0 if time.bare || !part.is_empty() => format!("{hour}{part}"),
        0 if time.hour < 2 => format!("{hour} hora"),
        0 => format!("{hour} horas"),
        30 if time.hour <= 12 => format!("{hour} e meia{part}"),
        minute => format!("{hour} e {}{part}", cardinal(minute, Form::Masculine)),
    }
}
