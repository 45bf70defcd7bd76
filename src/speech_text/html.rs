//! Removes HTML: tags, and entities that stand for a character.

use icu_normalizer::ComposingNormalizerBorrowed as ComposingNormalizer;

use super::formulas::raise;
use super::links::link_length;

/// Limits the length of a tag, in bytes.
pub(super) const MAX_TAG: usize = 200;

/// Lists the HTML entities that people write.
const ENTITIES: [(&str, &str); 40] = [
    ("amp", "&"),
    ("nbsp", " "),
    ("lt", "<"),
    ("gt", ">"),
    ("quot", "\""),
    ("apos", "'"),
    ("euro", "€"),
    ("pound", "£"),
    ("cent", "¢"),
    ("deg", "°"),
    ("ndash", "–"),
    ("mdash", "—"),
    ("hellip", "…"),
    ("times", "×"),
    ("divide", "÷"),
    ("minus", "−"),
    ("plusmn", "±"),
    ("le", "≤"),
    ("ge", "≥"),
    ("ne", "≠"),
    ("frac12", "½"),
    ("frac14", "¼"),
    ("frac34", "¾"),
    ("sup2", "²"),
    ("sup3", "³"),
    ("middot", "·"),
    ("bull", "•"),
    ("lsquo", "‘"),
    ("rsquo", "’"),
    ("ldquo", "“"),
    ("rdquo", "”"),
    ("laquo", "«"),
    ("raquo", "»"),
    ("iquest", "¿"),
    ("iexcl", "¡"),
    ("szlig", "ß"),
    ("shy", ""),
    ("copy", ""),
    ("reg", ""),
    ("trade", ""),
];

/// Lists the accents that an entity names after its letter, and the characters that add them.
const ACCENTS: [(&str, &str); 8] = [
    ("acute", "\u{301}"),
    ("grave", "\u{300}"),
    ("circ", "\u{302}"),
    ("uml", "\u{308}"),
    ("tilde", "\u{303}"),
    ("cedil", "\u{327}"),
    ("ring", "\u{30a}"),
    ("caron", "\u{30c}"),
];

/// Drops tags, keeps addresses in angle brackets, and replaces entities by their characters.
pub(super) fn without_tags(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(['<', '&']) {
        out.push_str(&rest[..at]);
        let here = &rest[at..];
        if here.starts_with('&') {
            let (said, length) = entity(here);
            out.push_str(&said);
            rest = &here[length..];
        } else if let Some((raised, length)) = raised(here) {
            out.push_str(&raised);
            rest = &here[length..];
        } else {
            let (said, length) = tag(here);
            out.push_str(said);
            rest = &here[length..];
        }
    }
    out.push_str(rest);
    out
}

/// Reads `<sup>2</sup>`.
fn raised(text: &str) -> Option<(String, usize)> {
    let inside = text.strip_prefix("<sup>")?;
    let end = inside.find("</sup>").filter(|&end| end < MAX_TAG)?;
    Some((raise(&inside[..end])?, "<sup></sup>".len() + end))
}

/// Returns what a tag becomes, and its length; a lone "<" stays.
fn tag(text: &str) -> (&str, usize) {
    if let Some(comment) = text.strip_prefix("<!--") {
        return ("", comment.find("-->").map_or(text.len(), |end| end + 7));
    }
    let Some(end) = text.find('>').filter(|&end| end < MAX_TAG) else { return ("<", 1) };
    let inside = &text[1..end];
    let is_email = inside.contains('@') && !inside.contains(char::is_whitespace);
    if is_email || link_length(inside) == Some(inside.len()) {
        return (inside, end + 1);
    }
    let name = inside.strip_prefix('/').unwrap_or(inside);
    if !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '!') {
        return ("<", 1);
    }
    let breaks = ["br", "p", "li", "div", "tr", "td", "th", "hr"].iter().any(|tag| {
        name.strip_prefix(tag).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    });
    (if breaks { " " } else { "" }, end + 1)
}

/// Returns the character of an entity, and its length; a lone "&" stays.
fn entity(text: &str) -> (String, usize) {
    let stays = ("&".to_owned(), 1);
    let Some(end) = text.find(';').filter(|&end| end <= 10) else { return stays };
    let name = &text[1..end];
    let character = if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        };
        code.ok().and_then(char::from_u32).map(String::from)
    } else {
        let known = ENTITIES.iter().find(|(known, _)| *known == name);
        known.map(|(_, c)| (*c).to_owned()).or_else(|| accented(name))
    };
    character.map_or(stays, |character| (character, end + 1))
}

/// Returns the letter that an entity names with its accent: "Uuml".
fn accented(name: &str) -> Option<String> {
    let letter = name.get(..1).filter(|letter| letter.as_bytes()[0].is_ascii_alphabetic())?;
    let (_, mark) = ACCENTS.iter().find(|(accent, _)| *accent == &name[1..])?;
    Some(ComposingNormalizer::new_nfc().normalize(&format!("{letter}{mark}")).into_owned())
}
