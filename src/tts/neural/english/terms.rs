//! Cuts a text into terms, as the tagger learned them: "don't" is "do" and "n't", marks stand alone.
//!
//! The rules are spaCy's for English: what stands between spaces loses marks at its ends until it is a
//! special case or nothing more comes off; hyphens and the like cut what is left.

use std::collections::HashMap;

use super::files::{bad, entries};
use super::letters::{first, is_capital, is_letter, is_small, is_wordy, last, run};
use crate::tts::neural::graph::BadVoice;

const FILE: &str = "tokenizer";

/// Lists marks that come off at both ends.
const MARKS: &str =
    "…,:;!?¿¡()[]{}<>_#*&。？！，、；：～·'\"”“`‘´’‚„»«「」『』（）〔〕【】《》〈〉™®©°§¶†‡•—–";
/// Lists marks that come off at the start only.
const OPENING: &str = "%=";
const QUOTES: &str = "'\"”“`‘´’‚„»«「」『』（）〔〕【】《》〈〉";
const PUNCTUATION: &str = "…,:;!?¿¡()[]{}<>_#*&。？！，、；：～·";
const ICONS: &str = "™®©°§¶†‡•";
/// Lists the longer ones of one beginning first.
const CURRENCIES: &[&str] = &[
    "US$", "C$", "A$", "$", "£", "€", "¥", "฿", "₽", "₹", "₩", "₪", "₺", "₴", "₦", "₫", "₱", "₲",
    "₵", "₸", "₼", "₾", "₿",
];
const UNITS: &[&str] = &[
    "km", "km²", "km³", "m", "m²", "m³", "dm", "dm²", "dm³", "cm", "cm²", "cm³", "mm", "mm²",
    "mm³", "ha", "µm", "nm", "yd", "in", "ft", "kg", "g", "mg", "µg", "t", "lb", "oz", "m/s",
    "km/h", "kmh", "mph", "hPa", "Pa", "mbar", "mb", "MB", "kb", "KB", "gb", "GB", "tb", "TB", "T",
    "G", "M", "K", "%",
];
/// Lists the ends of addresses that are known without "www".
const DOMAINS: &[&str] = &[
    "com", "org", "net", "edu", "gov", "io", "co", "uk", "de", "fr", "info", "biz", "us", "ca",
    "au", "tv", "me", "ly", "ai",
];

/// Holds a piece of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Term<'t> {
    pub(super) text: &'t str,
    /// A space follows.
    pub(super) spaced: bool,
}

/// Cuts texts.
pub(super) struct Cutter {
    /// For each text that is cut otherwise than by the rules, where.
    special: HashMap<Box<str>, Vec<u8>>,
    longest: usize,
}

impl Cutter {
    /// Reads `{"can't": ["ca", "n't"], ..}`.
    pub(super) fn load(json: &[u8]) -> Result<Self, BadVoice> {
        let (mut special, mut longest) = (HashMap::new(), 0);
        let read = entries(json, |text, pieces: Vec<String>| {
            let short = u8::try_from(text.len()).is_ok() && pieces.iter().all(|p| !p.is_empty());
            if pieces.concat() != text || !short {
                return Err(format!("{text:?} is not made of its pieces"));
            }
            longest = longest.max(text.len());
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the text is shorter than 256 bytes"
            )]
            special.insert(text.into(), pieces.iter().map(|piece| piece.len() as u8).collect());
            Ok(())
        });
        read.map_err(|error| bad(FILE, error))?;
        Ok(Self { special, longest })
    }

    /// Cuts a text.
    pub(super) fn terms<'t>(&self, text: &'t str) -> Vec<Term<'t>> {
        let mut terms = Vec::new();
        let mut chunks = text.split_whitespace().peekable();
        while let Some(chunk) = chunks.next() {
            let pieces = self.cut(chunk);
            terms.extend(pieces.iter().map(|piece| Term { text: piece, spaced: false }));
            if let Some(last) = terms.last_mut() {
                last.spaced = chunks.peek().is_some();
            }
        }
        terms
    }

    /// Cuts what stands between two spaces.
    fn cut<'t>(&self, chunk: &'t str) -> Vec<&'t str> {
        let (mut start, mut end) = (0, chunk.len());
        let (mut pieces, mut behind) = (Vec::new(), Vec::new());
        while start < end && !self.is_special(&chunk[start..end]) {
            let rest = &chunk[start..end];
            let before = opening(rest);
            let after = closing(&rest[before..]);
            if before > 0 && self.is_special(&rest[before..]) {
                pieces.push(&rest[..before]);
                start += before;
                break;
            }
            if after > 0 && self.is_special(&rest[..rest.len() - after]) {
                behind.push(&rest[rest.len() - after..]);
                end -= after;
                break;
            }
            if before + after == 0 {
                break;
            }
            pieces.extend((before > 0).then(|| &rest[..before]));
            behind.extend((after > 0).then(|| &rest[rest.len() - after..]));
            (start, end) = (start + before, end - after);
        }
        let rest = &chunk[start..end];
        match self.pieces(rest) {
            Some(special) => pieces.extend(special),
            None if is_address(rest) => pieces.push(rest),
            None => inside(rest, &mut pieces),
        }
        pieces.extend(behind.into_iter().rev());
        if pieces.len() > 1 { self.joined(chunk, &pieces) } else { pieces }
    }

    /// Joins neighbours that are a special case together: "Sept" and ".".
    fn joined<'t>(&self, chunk: &'t str, pieces: &[&'t str]) -> Vec<&'t str> {
        let mut joined = Vec::with_capacity(pieces.len());
        let (mut chunk, mut pieces) = (chunk, pieces);
        while let [first, ..] = pieces {
            let special = [3, 2].into_iter().find_map(|count| {
                let length = pieces.get(..count)?.iter().map(|piece| piece.len()).sum();
                Some((count, length, self.pieces(&chunk[..length])?))
            });
            let (count, length) = if let Some((count, length, special)) = special {
                joined.extend(special);
                (count, length)
            } else {
                joined.push(*first);
                (1, first.len())
            };
            (chunk, pieces) = (&chunk[length..], &pieces[count..]);
        }
        joined
    }

    fn is_special(&self, text: &str) -> bool {
        text.len() <= self.longest && self.special.contains_key(text)
    }

    /// Returns the pieces of a special case; of no text there are none.
    fn pieces<'t>(&self, text: &'t str) -> Option<impl Iterator<Item = &'t str>> {
        let lengths: &[u8] = match text {
            "" => &[],
            _ if text.len() <= self.longest => self.special.get(text)?,
            _ => return None,
        };
        let mut rest = text;
        Some(lengths.iter().map(move |length| {
            let (piece, behind) = rest.split_at(usize::from(*length));
            rest = behind;
            piece
        }))
    }
}

/// Returns how many bytes come off at the start.
fn opening(text: &str) -> usize {
    let Some(c) = first(text) else { return 0 };
    let behind = &text[c.len_utf8()..];
    match c {
        _ if MARKS.contains(c) || OPENING.contains(c) => c.len_utf8(),
        '+' if !behind.starts_with(|c: char| c.is_ascii_digit()) => 1,
        '.' if behind.starts_with('.') => run(text, |c| c == '.'),
        _ => CURRENCIES.iter().find(|sign| text.starts_with(**sign)).map_or(0, |sign| sign.len()),
    }
}

/// Returns how many bytes come off at the end.
fn closing(text: &str) -> usize {
    let Some(c) = last(text) else { return 0 };
    let before = &text[..text.len() - c.len_utf8()];
    let measured =
        &text[text.rfind(|c: char| c.is_ascii_digit()).map_or(text.len(), |at| at + 1)..];
    match c {
        's' | 'S' if before.ends_with('\'') => 2,
        '…' if before.ends_with('…') => 2 * c.len_utf8(),
        _ if MARKS.contains(c) => c.len_utf8(),
        '.' if before.ends_with('.') => text.len() - text.trim_end_matches('.').len(),
        '.' => usize::from(ends_sentence(before)),
        _ if measured == "+" || UNITS.contains(&measured) || CURRENCIES.contains(&measured) => {
            measured.len()
        }
        _ => 0,
    }
}

/// Returns whether a stop behind this text is not a part of it, as in "J.".
fn ends_sentence(text: &str) -> bool {
    let mut behind = text.chars().rev();
    let (last, before) = (behind.next(), behind.next());
    last.is_some_and(|c| {
        let letter = c.is_ascii_digit() || is_small(c);
        letter
            || "%²-+".contains(c)
            || PUNCTUATION.contains(c)
            || QUOTES.contains(c)
            || (is_capital(c) && before.is_some_and(is_capital))
            || ("CFK".contains(c) && before == Some('°'))
    })
}

/// Cuts what has no marks at its ends, where there are marks inside.
fn inside<'t>(text: &'t str, pieces: &mut Vec<&'t str>) {
    let (mut start, mut before) = (0, None);
    let mut at = 0;
    while let Some(c) = first(&text[at..]) {
        let length = before.map_or(0, |before| inner(before, &text[at..]));
        if length == 0 {
            before = Some(c);
            at += c.len_utf8();
            continue;
        }
        pieces.extend((start < at).then(|| &text[start..at]));
        pieces.push(&text[at..at + length]);
        before = last(&text[..at + length]);
        at += length;
        start = at;
    }
    pieces.extend((start < text.len()).then(|| &text[start..]));
}

/// Returns how many bytes of `text` are a mark between `before` and what follows.
fn inner(before: char, text: &str) -> usize {
    let Some(c) = first(text) else { return 0 };
    let after = first(&text[c.len_utf8()..]);
    let is = |is: fn(char) -> bool| after.is_some_and(is);
    let quoted = |c: char| QUOTES.contains(c);
    match c {
        '.' if after == Some('.') => run(text, |c| c == '.'),
        '…' => c.len_utf8(),
        _ if ICONS.contains(c) => c.len_utf8(),
        '+' | '-' | '*' | '^'
            if before.is_ascii_digit() && is(|c| c.is_ascii_digit() || c == '-') =>
        {
            1
        }
        '.' if (is_small(before) || quoted(before))
            && (is(is_capital) || after.is_some_and(quoted)) =>
        {
            1
        }
        ',' if is_letter(before) && is(is_letter) => 1,
        '-' | '—' | '–' | '~' if before.is_alphanumeric() => dashes(c, text),
        ':' | '<' | '>' | '=' | '/' if before.is_alphanumeric() && is(is_letter) => 1,
        _ => 0,
    }
}

/// Returns how many bytes are dashes before a letter: up to three short ones, two long ones.
fn dashes(dash: char, text: &str) -> usize {
    let most = match dash {
        '-' => 3,
        '—' => 2,
        _ => 1,
    };
    let length = run(text, |c| c == dash);
    let joins = length <= most * dash.len_utf8() && text[length..].starts_with(is_letter);
    if joins { length } else { 0 }
}

/// Returns whether this is an address of a page or of a mailbox, which is one term.
fn is_address(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let schemes = ["http://", "https://", "ftp://", "www."];
    let schemed = |scheme: &&str| lower.len() > scheme.len() && lower.starts_with(scheme);
    let is_label =
        |label: &str| !label.is_empty() && label.chars().all(|c| is_wordy(c) || c == '-');
    let is_host = |host: &str| host.contains('.') && host.split('.').all(is_label);
    if let Some((name, host)) = lower.split_once('@') {
        let named = |c: char| is_wordy(c) || ".+-".contains(c);
        return !name.is_empty() && name.chars().all(named) && is_host(host);
    }
    let host = lower.split('/').next().unwrap_or_default();
    let known = host.rsplit('.').next().is_some_and(|end| DOMAINS.contains(&end));
    schemes.iter().any(schemed) || (known && is_host(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let special =
            br#"{"can't": ["ca", "n't"], "Sept.": ["Sept."], "):": ["):"], "u.s.": ["u.s."]}"#;
        let cutter = Cutter::load(special).unwrap();
        let terms: Vec<_> = cutter.terms(text).iter().map(|term| term.text).collect();
        assert_eq!(terms, expected);
    }

    #[test]
    fn marks_come_off_and_special_cases_stay() {
        check("(\"can't\")!", &["(", "\"", "ca", "n't", "\"", ")", "!"]);
        check("in Sept.", &["in", "Sept."]);
        check("(so):", &["(", "so", "):"]);
        check("u.s.!", &["u.s.", "!"]);
        check("the boss's car.", &["the", "boss", "'s", "car", "."]);
        check("J. R. USA. ok...", &["J.", "R.", "USA", ".", "ok", "..."]);
        check("US$5 5kg 5% -5 +5 x+", &["US$", "5", "5", "kg", "5", "%", "-5", "+5", "x+"]);
        check("……", &["…", "…"]);
        check("", &[]);
    }

    #[test]
    fn marks_inside_cut_unless_it_is_an_address() {
        check("state-of-the-art", &["state", "-", "of", "-", "the", "-", "art"]);
        check("a--b c----d", &["a", "--", "b", "c----d"]);
        check(
            "and/or 5-7 yes,no x:y",
            &["and", "/", "or", "5", "-", "7", "yes", ",", "no", "x", ":", "y"],
        );
        check("end.Start 3.5 e.g", &["end", ".", "Start", "3.5", "e.g"]);
        check("a@b.org, www.x.y/z hark.io/a", &["a@b.org", ",", "www.x.y/z", "hark.io/a"]);
    }

    #[test]
    fn terms_know_what_follows() {
        let terms = Cutter::load(b"{}").unwrap().terms("Hi, you");
        let spaced: Vec<_> = terms.iter().map(|term| term.spaced).collect();
        assert_eq!(spaced, [false, true, false]);
    }

    #[test]
    fn damaged_tables_are_refused() {
        for json in [&b"[]"[..], br#"{"ab": ["a"]}"#, br#"{"ab": ["ab", ""]}"#, br#"{"ab": "ab"}"#]
        {
            assert!(Cutter::load(json).is_err());
        }
    }
}
