//! A price as it is written, `"0.006"`, and as it is counted: in millionths of a millionth of a unit.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Millionths of a millionth in one unit of a currency.
pub(super) const PICO: u64 = 1_000_000_000_000;
/// Digits behind the point.
const FRACTION: usize = 12;
/// The highest price, in units: dearer than anything that is sold by the token or the minute.
const HIGHEST: u64 = 1_000_000;

/// Holds a price: 0 to a million, to twelve digits behind the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = "^[0-9]{1,7}([.][0-9]{1,12})?$", example = "0.006")]
pub struct Price(u64);

/// Says why a text is no price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// Write digits, with a point if need be.
    #[error("is no price: write digits in quotes, such as \"0.006\"")]
    Digits,
    /// A price is 0 or more.
    #[error("is negative: a price is 0 or more")]
    Negative,
    /// It is finer than is counted.
    #[error("has more than 12 digits behind the point")]
    TooFine,
    /// It is higher than any price.
    #[error("is more than 1000000")]
    TooHigh,
}

impl Price {
    /// Returns it in millionths of a millionth of a unit.
    pub(super) fn pico(self) -> u64 {
        self.0
    }
}

impl FromStr for Price {
    type Err = PriceError;

    fn from_str(text: &str) -> Result<Self, PriceError> {
        let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if let Some(rest) = text.strip_prefix('-')
            && rest.starts_with(|c: char| c.is_ascii_digit())
        {
            return Err(PriceError::Negative);
        }
        let (whole, fraction) = match text.split_once('.') {
            Some((whole, fraction)) if are_digits(fraction) => (whole, fraction),
            Some(_) => return Err(PriceError::Digits),
            None => (text, ""),
        };
        if !are_digits(whole) {
            return Err(PriceError::Digits);
        }
        let fraction = fraction.trim_end_matches('0');
        if fraction.len() > FRACTION {
            return Err(PriceError::TooFine);
        }
        // Digits alone: what does not fit is too much.
        let whole: u64 = whole.parse().map_err(|_long| PriceError::TooHigh)?;
        let fraction: u64 = format!("{fraction:0<FRACTION$}").parse().expect("twelve digits");
        if whole > HIGHEST || (whole == HIGHEST && fraction > 0) {
            return Err(PriceError::TooHigh);
        }
        Ok(Self(whole * PICO + fraction))
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.0 / PICO, self.0 % PICO);
        let digits = format!("{fraction:0FRACTION$}");
        match digits.trim_end_matches('0') {
            "" => write!(f, "{whole}"),
            digits => write!(f, "{whole}.{digits}"),
        }
    }
}

impl TryFrom<String> for Price {
    type Error = PriceError;

    fn try_from(text: String) -> Result<Self, PriceError> {
        text.parse()
    }
}

impl From<Price> for String {
    fn from(price: Price) -> Self {
        price.to_string()
    }
}

/// Writes millionths of a unit as an amount, always with six digits behind the point: `0.012300`.
pub fn amount(micros: u64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn prices_are_read_as_they_are_written() {
        for (text, pico, written) in [
            ("0", 0, "0"),
            ("0.006", 6_000_000_000, "0.006"),
            ("15", 15 * PICO, "15"),
            ("1.50", 1_500_000_000_000, "1.5"),
            ("0.000000000001", 1, "0.000000000001"),
            ("1000000.000", 1_000_000 * PICO, "1000000"),
            ("0.1000000000000000", 100_000_000_000, "0.1"),
        ] {
            let price: Price = text.parse().unwrap();
            assert_eq!((price.pico(), price.to_string().as_str()), (pico, written));
        }
    }

    #[test]
    fn what_is_no_price_is_named() {
        for (text, expected) in [
            ("", PriceError::Digits),
            ("NaN", PriceError::Digits),
            ("inf", PriceError::Digits),
            ("1e3", PriceError::Digits),
            ("+1", PriceError::Digits),
            ("1,5", PriceError::Digits),
            (".5", PriceError::Digits),
            ("5.", PriceError::Digits),
            ("0x10", PriceError::Digits),
            (" 1", PriceError::Digits),
            ("١", PriceError::Digits),
            ("-1", PriceError::Negative),
            ("-", PriceError::Digits),
            ("0.0000000000001", PriceError::TooFine),
            ("1000000.01", PriceError::TooHigh),
            ("99999999999999999999999999", PriceError::TooHigh),
        ] {
            assert_eq!(text.parse::<Price>(), Err(expected), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_price_comes_back_and_no_text_is_too_odd(text in "[0-9]{0,8}[.]?[0-9]{0,14}|\\PC{0,9}") {
            if let Ok(price) = text.parse::<Price>() {
                prop_assert_eq!(price.to_string().parse::<Price>(), Ok(price));
            }
        }
    }
}
