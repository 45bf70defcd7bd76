//! Puts characters together that a server cut in two, and drops broken ones.
//!
//! JSON may hold half a character: a lone surrogate, `\ud83d`, whose other half comes with the next
//! chunk. A parser refuses it, so [`mend`] writes it as a character for private use, and
//! [`Characters`] joins the halves. Invariant: a broken character costs nothing but itself.

use std::borrow::Cow;

/// Stands for the surrogate U+D800; the 2047 after it stand for the others. Nothing that is written
/// for people is up here.
const STAND_IN: u32 = 0x10_F000;

/// Rewrites JSON that a parser refuses because of its characters: bytes that are no UTF-8, control
/// characters, lone surrogates.
pub(in crate::agent::openai) fn mend(json: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(json);
    let mut mended = String::with_capacity(text.len());
    let mut rest = &*text;
    while let Some(at) = rest.find(|c: char| c == '\\' || c.is_control()) {
        mended.push_str(&rest[..at]);
        rest = &rest[at..];
        let (whole, taken) = match (unit(rest), unit(rest.get(6..).unwrap_or_default())) {
            (Some(0xD800..0xDC00), Some(0xDC00..0xE000)) => (rest[..12].to_owned(), 12),
            (Some(half @ 0xD800..0xE000), _) => (stand_in(half).to_string(), 6),
            _ if rest.starts_with('\\') => {
                // The next character is part of the escape, were it another backslash.
                let taken = rest.chars().take(2).map(char::len_utf8).sum();
                (rest[..taken].to_owned(), taken)
            }
            _ => (" ".to_owned(), rest.chars().next().map_or(0, char::len_utf8)),
        };
        mended.push_str(&whole);
        rest = &rest[taken..];
    }
    mended.push_str(rest);
    mended.into_bytes()
}

/// Reads the escape `\uXXXX` at the beginning of `text`.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok()
}

fn stand_in(half: u16) -> char {
    char::from_u32(STAND_IN + u32::from(half - 0xD800)).expect("it is a character for private use")
}

/// Returns the surrogate that a character stands for.
fn half(c: char) -> Option<u16> {
    let offset = u32::from(c).checked_sub(STAND_IN).filter(|offset| *offset < 0x800)?;
    Some(0xD800 + u16::try_from(offset).expect("it is below 2048"))
}

/// Filters the characters of a text that comes in pieces.
#[derive(Debug, Default)]
pub(super) struct Characters {
    /// The first half of one.
    first: Option<u16>,
}

impl Characters {
    /// Returns the piece with whole characters only.
    pub(super) fn push<'a>(&mut self, piece: &'a str) -> Cow<'a, str> {
        let odd = |c: char| {
            half(c).is_some() || c == '\u{fffd}' || (c.is_control() && !c.is_ascii_whitespace())
        };
        if self.first.is_none() && !piece.contains(odd) {
            return Cow::Borrowed(piece);
        }
        let mut text = String::new();
        for c in piece.chars() {
            let first = self.first.take();
            match half(c) {
                Some(half @ 0xD800..0xDC00) => self.first = Some(half),
                Some(second) => {
                    let both = first.map(|first| char::decode_utf16([first, second]));
                    text.extend(both.into_iter().flatten().flatten());
                }
                None if odd(c) => {}
                None => text.push(c),
            }
        }
        Cow::Owned(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &[&[u8]], expected: &str) {
        let mut characters = Characters::default();
        let mut text = String::new();
        for json in json {
            let piece: String = serde_json::from_slice(&mend(json)).unwrap();
            text += &characters.push(&piece);
        }
        assert_eq!(text, expected, "{json:?}");
    }

    #[test]
    fn halves_are_joined_and_lone_ones_dropped() {
        check(&[br#""a\ud83d""#, br#""\ude0ab""#], "a😊b");
        check(&[br#""a\ud83d\ude0ab""#], "a😊b");
        check(&[br#""a\ud83d""#, br#"" b""#, br#""\ude0ac""#], "a bc");
        check(&[br#""\ude0aa\ud83d""#], "a");
        check(&[br#""\ud83d\ud83d\ude0a""#], "😊");
    }

    #[test]
    fn broken_bytes_and_control_characters_are_dropped() {
        check(&[b"\"a\xf0\x9fb\tc\x00\""], "ab c ");
        check(&[br#""a\u0000\ufffdb\u0007\n\tc""#], "ab\n\tc");
    }

    #[test]
    fn whole_text_stays() {
        check(&[br#""\\ud83d \u00fc \" \\""#], "\\ud83d ü \" \\");
        check(&["\"ü😊\"".as_bytes()], "ü😊");
        assert!(matches!(Characters::default().push("ü😊\n"), Cow::Borrowed(_)));
    }
}
