//! Rules for abbreviations, and for signs that are words: "&", "+", "=", "×", "<", "~", "§".

use super::money;
use super::rules::{Said, Spot, ends_word};

/// Says the long form of what the language's table lists.
pub(super) fn replacement(spot: &Spot) -> Option<Said> {
    let rest = spot.rest();
    let table = spot.language.replacements.iter();
    let fits = |written: &str| {
        rest.strip_prefix(written).is_some_and(|after| {
            // What ends in a letter must be a complete word; "No." and "M." end themselves.
            let open = written.ends_with(char::is_alphanumeric);
            !open || ends_word(after)
        })
    };
    let (written, said) =
        table.filter(|(written, _)| fits(written)).max_by_key(|(written, _)| written.len())?;
    // "Fr. 5.–" is money, not a woman.
    money::prefix(rest, spot.language).is_none().then_some(())?;
    // At the end of a line the stop also ends the sentence.
    let ends = written.ends_with('.') && rest.len() == written.len();
    Said::new(written.len(), if ends { format!("{said}.") } else { (*said).to_owned() })
}

/// Says a sign that means a word.
pub(super) fn sign(spot: &Spot) -> Option<Said> {
    let (rest, words) = (spot.rest(), &spot.language.words);
    let c = rest.chars().next()?;
    let after = &rest[c.len_utf8()..];
    let spaced = spot.before().is_some_and(char::is_whitespace) && after.starts_with(' ');
    let digit_before = spot.line[..spot.at].trim_end().ends_with(|c: char| c.is_ascii_digit());
    let digit_after = after.trim_start().starts_with(|c: char| c.is_ascii_digit());
    let joins = spot.before().is_some_and(char::is_alphanumeric)
        && after.starts_with(char::is_alphanumeric);
    let joins_numbers = joins && digit_before && digit_after;
    let number = digit_before && digit_after;
    let said = match c {
        '&' | '＆' => words.and,
        '%' | '％' => words.percent,
        '+' if number || spaced || digit_before && ends_word(after) => words.plus,
        '=' if !after.starts_with(['=', '>']) => words.equals,
        '×' | '✕' => words.times,
        '*' | 'x' if number => words.times,
        '−' if number => words.minus,
        '-' if number && spaced => words.minus,
        '÷' => spot.language.maths.divided,
        '<' if digit_after => words.less,
        '>' if digit_after && !matches!(spot.before(), Some('-' | '=')) => words.more,
        'π' => "pi",
        '~' | '≈' if digit_after => words.about,
        '@' if spaced => words.at,
        // "he/she", "089/12": a mark that joins two words or numbers is a short pause.
        '/' | '-' if joins_numbers || (c == '/' && joins) => return Said::new(1, ""),
        _ => return None,
    };
    // "x" between two numbers must have spaces around it.
    (c != 'x' || spaced).then_some(())?;
    let space = if after.is_empty() { "" } else { " " };
    Said::new(c.len_utf8(), format!("{said}{space}"))
}

/// Says "≥ 50", "<= 5", "≠": signs of comparison that are more than "less" or "more".
pub(super) fn comparison(spot: &Spot) -> Option<Said> {
    let (rest, words) = (spot.rest(), &spot.language.words);
    if rest.starts_with(|c: char| c.is_alphanumeric() || ".,:;?'-".contains(c)) {
        return None;
    }
    let signs = [
        (["≥", "≧", "⩾", ">="], words.at_least),
        (["≤", "≦", "⩽", "<="], words.at_most),
        (["≠", "!=", "≢", "<>"], spot.language.maths.unequal),
        (["±", "+/-", "+-", "∓"], words.plus_minus),
        (["===", "==", "≡", "＝"], words.equals),
    ];
    let mut all =
        signs.iter().flat_map(|(signs, said)| signs.iter().map(move |sign| (sign, *said)));
    let (sign, said) = all.find(|(sign, _)| rest.starts_with(**sign))?;
    let behind = &rest[sign.len()..];
    // "=>" and "<==" are arrows.
    (!behind.starts_with(['=', '>', '<'])).then_some(())?;
    Said::new(sign.len(), if behind.is_empty() { said.to_owned() } else { format!("{said} ") })
}

/// Says a currency's sign that has no amount.
pub(super) fn coin(spot: &Spot) -> Option<Said> {
    let c = spot.rest().chars().next()?;
    (c == '$' || !(c.is_ascii() || c.is_alphanumeric())).then_some(())?;
    let (currency, length) = money::sign(spot.rest(), spot.language)?;
    (length == c.len_utf8()).then_some(())?;
    Said::new(length, currency.noun.many)
}
