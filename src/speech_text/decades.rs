//! Rules for decades: "1980s", "the '90s", "80er Jahre", "los 80s".

use super::lang::cues;
use super::language::{Form, Language};
use super::number::{dash, digits};
use super::rules::{Said, Spot, ends_word};

/// Says a decade, a range of two, or "'98".
pub(super) fn said(spot: &Spot) -> Option<Said> {
    let (rest, language) = (spot.rest(), spot.language);
    let prefix = prefix(rest);
    let (first, at) = decade(&rest[prefix.len()..], spot, false)?;
    let mut at = prefix.len() + at;
    let mut words = match prefix.strip_suffix('-') {
        Some(word) => format!("{word} {first}"),
        None => first,
    };
    if let Some(dash) = dash(&rest[at..])
        && let Some((last, length)) = decade(&rest[at + dash..], spot, true)
    {
        words.push_str(&format!(" {} {last}", language.words.to));
        at += dash + length;
    }
    Said::new(at, words)
}

/// Returns "mid-" of "mid-1990s".
fn prefix(text: &str) -> &str {
    let letters = text.bytes().take_while(u8::is_ascii_lowercase).count();
    match text[letters..].strip_prefix('-') {
        Some(_) if (1..=6).contains(&letters) => &text[..=letters],
        _ => "",
    }
}

/// Reads a decade, and its length. After another decade, no word has to tell that it is one.
fn decade(text: &str, spot: &Spot, continues: bool) -> Option<(String, usize)> {
    let language = spot.language;
    let short = text.strip_prefix(['\'', '’', '‘']);
    let bare = short.unwrap_or(text);
    let number = digits(bare);
    let n: u64 = number.parse().ok()?;
    let behind = &bare[number.len()..];
    let mark = language
        .decade_marks
        .iter()
        .filter(|mark| behind.strip_prefix(**mark).is_some_and(ends_word));
    let mark = mark.max_by_key(|mark| mark.len()).copied();
    let length = text.len() - behind.len();
    let Some(mark) = mark else {
        // "'98" and "los '90": the apostrophe says that two digits are left out.
        let year = short.is_some() && number.len() == 2 && spot.is_fresh() && ends_word(behind);
        return year.then(|| ((language.cardinal)(n, Form::Alone), length));
    };
    let round = language.dotted_ordinals.is_some() || n.is_multiple_of(10);
    let fits = match number.len() {
        2 => short.is_some() || continues || is_cued(spot, mark),
        4 => (1000..3000).contains(&n),
        _ => language.dotted_ordinals.is_some() && number.len() == 1 && n > 0,
    };
    (round && fits).then(|| ((language.decade)(n, mark), length + mark.len()))
}

/// Returns whether the words before two digits let them be a decade: "80s" may be seconds.
fn is_cued(spot: &Spot, mark: &str) -> bool {
    let Language { cues: table, .. } = spot.language;
    let before = spot.cue_before();
    let seconds = mark == "s" && cues(table.lasts, &before);
    !seconds && cues(table.decades, &before)
}
