//! Holds what a region writes differently from the rest of its language: money and decimals.

use super::super::language::{Currency, Form, Language, Words, currency, noun};
use super::{de, es, fr};
use crate::turn::LanguageCode;

/// The peso where "$" means it.
const PESO: Currency = Currency {
    signs: &["$", "MXN", "ARS", "COP", "CLP", "UYU", "DOP", "MX$", "AR$", "COL$", "CLP$"],
    ..es::PESO
};

const DOLLAR: Currency = currency(
    &["$", "US$", "USD", "U$S", "u$s"],
    noun("dólar", "dólares", Form::Masculine),
    noun("centavo", "centavos", Form::Masculine),
);

/// Writes decimals after a full stop.
const POINT: Language = Language {
    decimal: '.',
    own: &DOLLAR,
    words: Words { point: "punto", ..es::SPAIN.words },
    ..es::SPAIN
};

/// Mexico, the Dominican Republic.
static PESO_AND_POINT: Language = Language { own: &PESO, ..POINT };

/// Argentina, Chile, Colombia, Uruguay.
static PESO_AND_COMMA: Language = Language { own: &PESO, ..es::SPAIN };

/// The United States, Puerto Rico, Peru, most of Central America.
static DOLLAR_AND_POINT: Language = POINT;

static SWISS_GERMAN: Language = Language {
    decimal: '.',
    own: &de::FRANKEN,
    words: Words { point: "Punkt", ..de::GERMANY.words },
    ..de::GERMANY
};

static SWISS_FRENCH: Language = Language { own: &fr::FRANC, ..fr::FRANCE };

/// Finds the language of a region; `None` if it writes as the rest does.
pub(super) fn find(code: &LanguageCode) -> Option<&'static Language> {
    let (language, region) = code.as_str().split_once(['-', '_'])?;
    match (language.to_ascii_lowercase().as_str(), region.to_ascii_uppercase().as_str()) {
        ("es", "MX" | "DO") => Some(&PESO_AND_POINT),
        ("es", "AR" | "CL" | "CO" | "UY" | "CU") => Some(&PESO_AND_COMMA),
        ("es", "US" | "PR" | "PE" | "GT" | "HN" | "NI" | "PA" | "SV") => Some(&DOLLAR_AND_POINT),
        ("de", "CH" | "LI") => Some(&SWISS_GERMAN),
        ("fr", "CH") => Some(&SWISS_FRENCH),
        _ => None,
    }
}
