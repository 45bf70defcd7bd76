//! The currencies that prices are in: ISO 4217.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The codes of money in use. Source: ISO 4217, list one, without funds, metals and tests.
const CODES: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL \
    BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD \
    FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS \
    KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK \
    MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD \
    SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX \
    USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG";

/// Holds the code of a currency, such as `USD`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = "^[A-Z]{3}$", example = "USD")]
pub struct CurrencyCode(String);

impl CurrencyCode {
    /// Returns the code.
    pub fn code(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for CurrencyCode {
    type Error = &'static str;

    fn try_from(code: String) -> Result<Self, Self::Error> {
        if CODES.split_whitespace().any(|known| known == code) {
            Ok(Self(code))
        } else {
            Err("is no currency: write a code of ISO 4217 in capitals, such as \"USD\"")
        }
    }
}

impl From<CurrencyCode> for String {
    fn from(currency: CurrencyCode) -> Self {
        currency.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn currencies_are_known_by_their_codes() {
        for code in ["USD", "EUR", "BRL", "JPY"] {
            assert_eq!(CurrencyCode::try_from(code.to_owned()).unwrap().code(), code);
        }
        for code in ["", "usd", "US", "XXX", "US Dollar", "USD EUR", "BTC", "AB"] {
            assert!(CurrencyCode::try_from(code.to_owned()).is_err(), "{code}");
        }
    }
}
