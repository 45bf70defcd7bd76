//! Phone numbers as people and spreadsheets write them, as digits with the country's code.
//!
//! Pure. Invariant: what is no phone number is told with the reason and the fix, and never guessed at.

/// Fewest and most digits of a number with its country's code; most by E.164.
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// Returns the digits of a phone number: `+49 (30) 12-34` is `49301234`, a leading `00` goes.
///
/// # Errors
/// What is wrong with it, and how to write it; the number itself is not repeated.
pub fn phone_digits(written: &str) -> Result<String, &'static str> {
    let text = written.trim();
    // How spreadsheets keep digits from becoming a number.
    let text = text.strip_prefix("=\"").and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let text = text.trim_start_matches(['\'', '\u{2019}', '\u{202a}', '\u{feff}']);
    let text = ["tel:", "whatsapp:"].iter().fold(text, |text, prefix| {
        let begins = text.get(..prefix.len()).is_some_and(|own| own.eq_ignore_ascii_case(prefix));
        if begins { &text[prefix.len()..] } else { text }
    });
    let rounded = |text: &str| {
        let (number, power) = text.split_once(['e', 'E'])?;
        let is_number = number.starts_with(|c: char| c.is_ascii_digit());
        (is_number && power.trim_start_matches('+').parse::<u8>().is_ok()).then_some(())
    };
    if rounded(text).is_some() {
        return Err(
            "is a number that a spreadsheet has rounded: give the column the format text, \
                    and save it anew",
        );
    }
    // The zero that is only dialled within the country.
    let text = text.trim().replace("(0)", "");
    let (plus, rest) = text.strip_prefix('+').map_or((false, text.as_str()), |rest| (true, rest));
    let between = |c: char| {
        c.is_whitespace() || "-./()\u{2010}\u{2011}\u{2012}\u{2013}\u{2014}\u{202c}".contains(c)
    };
    if rest.is_empty() || !rest.chars().all(|c| c.is_ascii_digit() || between(c)) {
        return Err("is no phone number: write it with its country's code, such as +49 30 1234567");
    }
    let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
    let international = digits.strip_prefix("00").filter(|_| !plus);
    let digits = international.unwrap_or(&digits);
    if digits.starts_with('0') {
        return Err("has no country's code: write it such as +49 30 1234567");
    }
    if DIGITS.contains(&digits.len()) {
        Ok(digits.to_owned())
    } else {
        Err("has too few or too many digits: write it whole, such as +49 30 1234567")
    }
}

/// Returns the other way in which WhatsApp may write a number, where there are two: with and without
/// the digit that mobile phones have in Mexico (52 1), Argentina (54 9) and Brazil (55, area, 9).
pub fn other_form(digits: &str) -> Option<String> {
    let rest = |prefix: &str| digits.strip_prefix(prefix);
    if let Some(rest) = rest("52") {
        return match (rest.strip_prefix('1'), rest.len()) {
            (Some(number), 11) => Some(format!("52{number}")),
            (_, 10) => Some(format!("521{rest}")),
            _ => None,
        };
    }
    if let Some(rest) = rest("54") {
        return match (rest.strip_prefix('9'), rest.len()) {
            (Some(number), 11) => Some(format!("54{number}")),
            (_, 10) => Some(format!("549{rest}")),
            _ => None,
        };
    }
    let (area, number) = rest("55")?.split_at_checked(2)?;
    match (number.strip_prefix('9'), number.len()) {
        (Some(number), 9) => Some(format!("55{area}{number}")),
        (_, 8) => Some(format!("55{area}9{number}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for (written, digits) in [
            ("+49 (30) 12-34 567", "49301234567"),
            ("0049 30 1234567", "49301234567"),
            ("+49 (0)30/1234567", "49301234567"),
            ("tel:+1.415.555.0100", "14155550100"),
            ("WhatsApp:+34\u{a0}600\u{2011}123\u{2013}456", "34600123456"),
            ("'4930123456", "4930123456"),
            ("=\"4930123456\"", "4930123456"),
            ("15550001111", "15550001111"),
        ] {
            assert_eq!(phone_digits(written).as_deref(), Ok(digits), "{written}");
        }
    }

    #[test]
    fn what_is_no_number_says_why() {
        for (written, words) in [
            ("", "is no phone number"),
            ("-", "too few"),
            ("unknown", "is no phone number"),
            ("+49 30 ext. 7", "is no phone number"),
            ("4.93012E+11", "rounded"),
            ("030 1234567", "no country's code"),
            ("+49 3", "too few"),
            ("1234567890123456", "too many"),
            ("+0049301234567", "no country's code"),
        ] {
            let error = phone_digits(written).unwrap_err();
            assert!(error.contains(words), "{written}: {error}");
        }
    }

    #[test]
    fn some_countries_have_two_forms() {
        for (one, other) in [
            ("5215512345678", "525512345678"),
            ("5491123456789", "541123456789"),
            ("5511912345678", "551112345678"),
        ] {
            assert_eq!(other_form(one).as_deref(), Some(other));
            assert_eq!(other_form(other).as_deref(), Some(one));
        }
        for none in ["4930123456", "52", "55", "5", "", "54123"] {
            assert_eq!(other_form(none), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn a_number_is_digits_or_refused(written in "\\PC{0,24}|[+0-9 ()/.eE=\"'-]{0,24}") {
            if let Ok(digits) = phone_digits(&written) {
                prop_assert!(DIGITS.contains(&digits.len()) && !digits.starts_with('0'));
                let again = phone_digits(&digits);
                prop_assert_eq!(again.as_ref(), Ok(&digits));
                let _two_at_most = other_form(&digits);
            }
        }
    }
}
