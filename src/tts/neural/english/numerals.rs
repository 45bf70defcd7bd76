//! Says numbers in words, of however many digits.

use std::borrow::Cow;

const ONES: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 10] =
    ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
/// Names the groups of three digits, from the right; a longer number is said digit by digit.
const SCALES: [&str; 12] = [
    "",
    "thousand",
    "million",
    "billion",
    "trillion",
    "quadrillion",
    "quintillion",
    "sextillion",
    "septillion",
    "octillion",
    "nonillion",
    "decillion",
];
/// Lists the ordinals that are not made with "th".
const ORDINALS: [(&str, &str); 7] = [
    ("one", "first"),
    ("two", "second"),
    ("three", "third"),
    ("five", "fifth"),
    ("eight", "eighth"),
    ("nine", "ninth"),
    ("twelve", "twelfth"),
];

/// Returns the words of a number, of which `digits` are all.
pub(super) fn cardinal(digits: &str) -> Vec<&'static str> {
    let digits = digits.trim_start_matches('0');
    if digits.len() > 3 * SCALES.len() {
        return one_by_one(digits).collect();
    }
    let mut words = Vec::new();
    let groups = digits.len().div_ceil(3);
    for scale in (0..groups).rev() {
        let end = digits.len() - 3 * scale;
        let group = digits[end.saturating_sub(3)..end].parse().expect("at most three digits");
        below_thousand(group, &mut words);
        words.extend((group > 0 && scale > 0).then(|| SCALES[scale]));
    }
    if words.is_empty() {
        words.push(ONES[0]);
    }
    words
}

fn below_thousand(number: usize, words: &mut Vec<&'static str>) {
    if number >= 100 {
        words.extend([ONES[number / 100], "hundred"]);
    }
    match number % 100 {
        0 => {}
        rest @ 1..20 => words.push(ONES[rest]),
        rest => {
            words.push(TENS[rest / 10]);
            words.extend((rest % 10 > 0).then(|| ONES[rest % 10]));
        }
    }
}

/// Returns the words of a number that orders: "twenty third".
pub(super) fn ordinal(digits: &str) -> Vec<Cow<'static, str>> {
    let mut words: Vec<_> = cardinal(digits).into_iter().map(Cow::from).collect();
    if let Some(last) = words.last_mut() {
        let irregular = ORDINALS.iter().find(|(cardinal, _)| cardinal == last);
        *last = match (irregular, last.strip_suffix('y')) {
            (Some((_, ordinal)), _) => Cow::from(*ordinal),
            (None, Some(stem)) => format!("{stem}ieth").into(),
            (None, None) => format!("{last}th").into(),
        };
    }
    words
}

/// Returns the words of a year of four digits.
pub(super) fn year(digits: &str) -> Vec<&'static str> {
    let (century, rest) = digits.split_at(digits.len().saturating_sub(2));
    let thousands = century.ends_with('0') && rest.starts_with('0');
    if century.trim_start_matches('0').is_empty() || thousands {
        return cardinal(digits);
    }
    let mut words = cardinal(century);
    if rest == "00" {
        words.push("hundred");
    } else {
        words.extend(rest.starts_with('0').then_some("oh"));
        words.extend(cardinal(rest));
    }
    words
}

/// Returns the name of each digit.
pub(super) fn one_by_one(digits: &str) -> impl Iterator<Item = &'static str> {
    let digits = digits.bytes().filter(u8::is_ascii_digit);
    digits.map(|digit| ONES[usize::from(digit - b'0')])
}

/// Writes the words of a small number as people do: "twenty-third".
pub(super) fn written(words: &[impl AsRef<str>]) -> String {
    let mut text = String::new();
    for word in words.iter().map(AsRef::as_ref) {
        let tens = TENS.iter().any(|tens| !tens.is_empty() && text.ends_with(tens));
        text.push_str(match () {
            () if text.is_empty() => "",
            () if tens => "-",
            () => " ",
        });
        text.push_str(word);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(words: &[impl AsRef<str>], expected: &str) {
        assert_eq!(words.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(" "), expected);
    }

    #[test]
    fn numbers_are_said() {
        check(&cardinal("0"), "zero");
        check(&cardinal("000"), "zero");
        check(&cardinal("45"), "forty five");
        check(&cardinal("1001"), "one thousand one");
        check(
            &cardinal("1234567"),
            "one million two hundred thirty four thousand five hundred sixty seven",
        );
        check(&cardinal("1000000000"), "one billion");
        assert_eq!(cardinal(&"9".repeat(36)).len(), 59);
        assert_eq!(cardinal(&"9".repeat(400)).len(), 400);
    }

    #[test]
    fn numbers_order() {
        for (digits, expected) in [
            ("1", "first"),
            ("12", "twelfth"),
            ("20", "twentieth"),
            ("23", "twenty third"),
            ("100", "one hundredth"),
            ("1000", "one thousandth"),
        ] {
            check(&ordinal(digits), expected);
        }
    }

    #[test]
    fn years_are_said() {
        for (digits, expected) in [
            ("1999", "nineteen ninety nine"),
            ("1905", "nineteen oh five"),
            ("1900", "nineteen hundred"),
            ("2000", "two thousand"),
            ("2005", "two thousand five"),
            ("2010", "twenty ten"),
            ("0042", "forty two"),
        ] {
            check(&year(digits), expected);
        }
    }

    #[test]
    fn small_numbers_are_written_with_a_hyphen() {
        assert_eq!(written(&cardinal("45")), "forty-five");
        assert_eq!(written(&ordinal("101")), "one hundred first");
    }
}
