//! Removes HTML: tags, and entities that stand for a character.

use super::formulas::raise;
use super::links::link_length;

/// Limits the length of a tag, in bytes.
pub(super) const MAX_TAG: usize = 200;

/// Lists the HTML entities that people write.
const ENTITIES: [(&str, &str); 57] = [
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
    ("aacute", "á"),
    ("eacute", "é"),
    ("iacute", "í"),
    ("oacute", "ó"),
    ("uacute", "ú"),
    ("ntilde", "ñ"),
    ("auml", "ä"),
    ("ouml", "ö"),
    ("uuml", "ü"),
    ("szlig", "ß"),
    ("ccedil", "ç"),
    ("agrave", "à"),
    ("egrave", "è"),
    ("acirc", "â"),
    ("ecirc", "ê"),
    ("ocirc", "ô"),
    ("atilde", "ã"),
    ("otilde", "õ"),
    ("shy", ""),
    ("copy", ""),
    ("reg", ""),
    ("trade", ""),
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
    if inside.contains('@') || link_length(inside) == Some(inside.len()) {
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
    let character = match name.strip_prefix('#') {
        Some(number) => {
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            code.ok().and_then(char::from_u32).map(String::from)
        }
        None => ENTITIES.iter().find(|(known, _)| *known == name).map(|(_, c)| (*c).to_owned()),
    };
    character.map_or(stays, |character| (character, end + 1))
}
