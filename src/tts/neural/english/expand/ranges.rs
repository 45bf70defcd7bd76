//! Rules for telephone numbers, fractions, ranges and single signs.

use super::super::letters::{digits, first, is_wordy, run};
use super::dates::day_of_month;
use super::{Expander, Here, Instead, after_space, length_before};

/// Names the parts of a whole from the third on; of two parts there are halves.
const PARTS: [&str; 8] =
    ["third", "quarter", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"];

/// Returns whether none of these and no word goes on before `text`.
fn ends(text: &str, but: &str) -> bool {
    first(text).is_none_or(|c| !is_wordy(c) && !but.contains(c))
}

/// Writes "555-0134" and "212-555-0134" digit by digit.
pub(super) fn telephone(_: &Expander, here: Here) -> Option<Instead> {
    here.figures(".-")?;
    let rest = here.rest();
    let (number, after) = rest.split_at(run(rest, |c| c.is_ascii_digit() || c == '-'));
    let groups = number.split('-').map(str::len);
    let shaped = groups.clone().eq([3, 4]) || groups.eq([3, 3, 4]);
    if !shaped || !ends(after, ".") {
        return None;
    }
    let digits = |group: &str| group.split("").collect::<Vec<_>>().join(" ").trim().to_owned();
    let words = number.split('-').map(digits).collect::<Vec<_>>().join(", ");
    Some(Instead { length: number.len(), words })
}

/// Writes "1/2" out, and "5/26", which is a date.
pub(super) fn fraction(_: &Expander, here: Here) -> Option<Instead> {
    let rest = here.rest();
    let upper = here.figures("./").filter(|upper| upper.len() <= 2)?;
    let lower = digits(rest[upper.len()..].strip_prefix('/')?);
    let length = upper.len() + 1 + lower.len();
    if !matches!(lower.len(), 1 | 2) || !ends(&rest[length..], "./") {
        return None;
    }
    let (part, whole) = (upper.parse::<usize>().ok()?, lower.parse::<usize>().ok()?);
    let name = whole.checked_sub(3).and_then(|at| PARTS.get(at));
    let words = match name {
        _ if (part, whole) == (1, 2) => "one half".to_owned(),
        Some(name) if part == 1 => format!("1 {name}"),
        Some(name) if (1..whole).contains(&part) => format!("{part} {name}s"),
        _ => day_of_month(upper, lower)
            .filter(|_| part <= 12)
            .unwrap_or_else(|| format!("{part} slash {whole}")),
    };
    Some(Instead { length, words })
}

/// Writes "5-7" out.
pub(super) fn range(_: &Expander, here: Here) -> Option<Instead> {
    let rest = here.rest();
    let from = here.figures(".-").filter(|from| from.len() <= 4)?;
    let dash = after_space(&rest[from.len()..]);
    let start = after_space(dash.strip_prefix(['-', '–'])?);
    let to = Some(digits(start)).filter(|to| matches!(to.len(), 1..=4))?;
    let after = &start[to.len()..];
    let words = format!("{from} to {to}");
    ends(after, ".-%").then(|| Instead { length: length_before(rest, after), words })
}

/// Writes a sign out: those between two things only there, as "<" may be a bracket.
pub(super) fn sign(tables: &Expander, here: Here) -> Option<Instead> {
    let rest = here.rest();
    let counts = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    if rest.strip_prefix('+').is_some_and(counts) && here.is_fresh("+") {
        return Some(Instead { length: 1, words: "plus ".to_owned() });
    }
    let spaced = after_space(rest);
    let sign = first(spaced)?;
    let after = &spaced[sign.len_utf8()..];
    let word = tables.signs.get(&sign)?;
    let length = if "=<>~".contains(sign) {
        let between = !here.text[..here.at].trim_end().is_empty() && !after.trim_start().is_empty();
        length_before(rest, after_space(after)) * usize::from(between)
    } else {
        sign.len_utf8() * usize::from(spaced.len() == rest.len())
    };
    (length > 0).then(|| Instead { length, words: format!(" {word} ") })
}
