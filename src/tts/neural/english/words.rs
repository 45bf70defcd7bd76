//! Reads the words of a sentence, from the last to the first: what stands behind a word decides how
//! it sounds.

use std::borrow::Cow;

use super::letters::{first, is_letter, last, run};
use super::parts::parts;
use super::reader::{Ahead, MoneyUnit, WordReader};
use super::stress::{Stress, is_stressed, weight};
use super::tagger::Tag;
use super::terms::Term;
use super::unknown::Unknown;

/// Limits how many parts of a word are looked up together, so that long ones take no longer each.
const MOST_PARTS: usize = 16;
/// Lists the marks that are heard.
const MARKS: &str = ";:,.!?—…\"“”";
/// Lists the marks inside words that are not.
const SILENT: &str = "',-._‘’/";
/// Lists the kinds of words that are marks.
const MARK_TAGS: [&str; 10] = [".", ",", "-LRB-", "-RRB-", "``", "''", ":", "$", "#", "NFP"];

/// Holds what is looked up, alone or with its neighbours.
#[derive(Debug)]
struct Subterm<'t> {
    text: &'t str,
    tag: Tag,
    spaced: bool,
    /// A word begins here.
    head: bool,
    /// It is never read together with others.
    alone: bool,
    unit: Option<MoneyUnit>,
    sound: Option<String>,
}

/// Holds parts between which no space is.
#[derive(Debug)]
struct Compound<'t> {
    parts: Vec<Subterm<'t>>,
    /// They are heard as words of their own: "B2", "and/or".
    apart: bool,
}

/// Reads the words of a sentence, each with its kind.
pub(super) fn sounds(
    terms: &[Term],
    tags: &[Tag],
    reader: &WordReader,
    unknown: &Unknown,
) -> String {
    let mut words = words(terms, tags);
    let mut ahead = Ahead::END;
    for word in words.iter_mut().rev() {
        match &mut word.parts[..] {
            [part] => {
                if part.sound.is_none() {
                    let read = reader.read(part.text, part.tag, ahead, part.unit, part.head);
                    part.sound = Some(read.unwrap_or_else(|| spell(part.text, reader, unknown)));
                }
                let sound = part.sound.as_deref().unwrap_or_default();
                ahead = ahead.before(part.text, part.tag, sound);
            }
            _ => ahead = read_together(word, ahead, reader, unknown),
        }
    }
    let mut sentence = String::new();
    for word in &words {
        let start = sentence.len();
        for part in &word.parts {
            let sound = part.sound.as_deref().unwrap_or_default();
            let heard = &sentence[start..];
            let space =
                word.apart && !heard.is_empty() && !heard.ends_with(' ') && !sound.is_empty();
            sentence.push_str(if space { " " } else { "" });
            sentence.push_str(sound);
        }
        let spaced = word.parts.last().is_some_and(|part| part.spaced);
        sentence.push_str(if spaced { " " } else { "" });
    }
    // The voice has signs of its own for a soft t, and none for one that is held back.
    sentence.trim().replace('ɾ', "T").replace('ʔ', "t")
}

/// Cuts terms into parts, and puts those together between which no space is.
fn words<'t>(terms: &[Term<'t>], tags: &[Tag]) -> Vec<Compound<'t>> {
    let mut words: Vec<Compound> = Vec::new();
    let mut unit = None;
    for (at, (term, tag)) in terms.iter().zip(tags).enumerate() {
        let pieces = parts(term.text);
        let number_next = tags.get(at + 1) == Some(&Tag("CD"));
        for (place, text) in pieces.iter().copied().enumerate() {
            let ends = place + 1 == pieces.len();
            let spaced = ends && term.spaced;
            let mut part = Subterm {
                text,
                tag: *tag,
                spaced,
                head: true,
                alone: false,
                unit: None,
                sound: mark(text, *tag),
            };
            if let Some(sign) = MoneyUnit::of(text).filter(|_| tag.0 == "$") {
                unit = Some(sign);
                part.sound = Some(String::new());
            } else if part.sound.is_none() && unit.is_some() {
                unit = unit.filter(|_| tag.0 == "CD");
                part.unit = unit.filter(|_| ends && !number_next);
            } else if part.sound.is_none() && text == "2" && is_to(&pieces, place) {
                part.text = "to";
                part.alone = true;
            }
            part.alone |= part.sound.is_some();
            let joins = |last: &Subterm| !last.spaced && !last.alone && !part.alone;
            match words.last_mut().filter(|word| word.parts.last().is_some_and(joins)) {
                Some(word) => {
                    part.head = false;
                    word.parts.push(part);
                }
                None => words.push(Compound { parts: vec![part], apart: false }),
            }
        }
    }
    words
}

/// Returns what is heard of a mark; `None` if this is none.
fn mark(text: &str, tag: Tag) -> Option<String> {
    if tag.0 == ":" && matches!(text, "-" | "–") {
        return Some("—".to_owned());
    }
    if !MARK_TAGS.contains(&tag.0) || text.bytes().all(|b| b.is_ascii_alphabetic()) {
        return None;
    }
    Some(match tag.0 {
        "-LRB-" => "(".to_owned(),
        "-RRB-" => ")".to_owned(),
        "``" => "“".to_owned(),
        "''" => "”".to_owned(),
        _ => text.chars().filter(|c| MARKS.contains(*c)).collect(),
    })
}

/// Returns whether the 2 at this place is a "to", as in "B2B".
fn is_to(pieces: &[&str], place: usize) -> bool {
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphabetic);
    let before = place.checked_sub(1).and_then(|before| last(pieces[before]));
    is_letter(before) && is_letter(pieces.get(place + 1).and_then(|next| first(next)))
}

/// Reads the longest parts of a word that the lexicons have, from its end.
fn read_together(
    word: &mut Compound,
    mut ahead: Ahead,
    reader: &WordReader,
    unknown: &Unknown,
) -> Ahead {
    let parts = &mut word.parts[..];
    let mut end = parts.len();
    while end > 0 {
        let read = (end.saturating_sub(MOST_PARTS)..end).find_map(|start| {
            let some = &parts[start..end];
            let (text, tag) = (joined(some), strongest(some));
            let unit = some.iter().find_map(|part| part.unit);
            let sound = reader.read(&text, tag, ahead, unit, some[0].head)?;
            ahead = ahead.before(&text, tag, &sound);
            Some((start, sound))
        });
        let silent = |part: &Subterm| part.text.chars().all(|c| SILENT.contains(c));
        let (start, sound) = match read {
            Some(read) => read,
            None if silent(&parts[end - 1]) => (end - 1, String::new()),
            None => {
                let sound = spell(&joined(parts), reader, unknown);
                hear_as(parts, sound);
                return ahead;
            }
        };
        hear_as(&mut parts[start..end], sound);
        end = start;
    }
    word.apart = are_apart(parts);
    if !word.apart {
        even_stress(parts);
    }
    ahead
}

/// Hears parts together.
fn hear_as(parts: &mut [Subterm], sound: String) {
    for part in parts.iter_mut().skip(1) {
        part.sound = Some(String::new());
    }
    if let Some(first) = parts.first_mut() {
        first.sound = Some(sound);
    }
}

fn joined<'t>(parts: &[Subterm<'t>]) -> Cow<'t, str> {
    match parts {
        [part] => part.text.into(),
        _ => parts.iter().map(|part| part.text).collect::<String>().into(),
    }
}

/// Returns the kind of the part with the most letters, of which capitals count twice.
fn strongest(parts: &[Subterm]) -> Tag {
    let letters = |part: &&Subterm| {
        part.text.chars().map(|c| if c.is_uppercase() { 2 } else { 1 }).sum::<usize>()
    };
    parts.iter().rev().max_by_key(letters).map_or(Tag::NONE, |part| part.tag)
}

/// Returns whether parts are heard apart: those of several kinds.
fn are_apart(parts: &[Subterm]) -> bool {
    let letters = parts.iter().flat_map(|part| part.text.chars());
    let kind = |c: char| match c {
        _ if c.is_alphabetic() => 0,
        _ if c.is_ascii_digit() => 1,
        _ => 2,
    };
    let mut kinds = letters.clone().filter(|c| !SILENT.contains(*c)).map(kind);
    let first = kinds.next();
    kinds.any(|kind| Some(kind) != first) || letters.clone().any(|c| c == '/')
}

/// Evens the stress of parts that are heard as one word.
fn even_stress(parts: &mut [Subterm]) {
    let mut heard: Vec<(bool, usize, usize)> = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let sound = part.sound.as_deref().unwrap_or_default();
        heard.extend((!sound.is_empty()).then(|| (is_stressed(sound), weight(sound), at)));
    }
    let stressed = heard.iter().filter(|(stressed, ..)| *stressed).count();
    let single = |at: usize| parts[at].text.chars().nth(1).is_none();
    let weaker = match &mut heard[..] {
        [first, second] if single(first.2) => vec![second.2],
        all if all.len() < 2 || stressed <= all.len().div_ceil(2) => return,
        all => {
            all.sort_unstable();
            all[..all.len() / 2].iter().map(|(.., at)| *at).collect()
        }
    };
    for at in weaker {
        parts[at].sound = parts[at].sound.as_deref().map(|sound| Stress::Weaker.apply(sound));
    }
}

/// Reads what the lexicons have not: letters by the net, digits as a number, signs by name.
fn spell(text: &str, reader: &WordReader, unknown: &Unknown) -> String {
    let mut sounds = Vec::new();
    let mut rest = text;
    while let Some(c) = first(rest) {
        let piece = &rest[..piece(rest, c)];
        rest = &rest[piece.len()..];
        let sound = match c {
            _ if c.is_ascii_digit() => reader.number(piece, None, false),
            _ if c.is_alphabetic() => unknown.read(piece),
            _ => Some(piece.chars().map(sign).collect()),
        };
        sounds.extend(sound.filter(|sound: &String| !sound.is_empty()));
    }
    sounds.join(" ")
}

/// Returns the length of what is read at once: letters, digits or other signs.
fn piece(text: &str, c: char) -> usize {
    let (of_one_kind, joints): (fn(char) -> bool, &[char]) = match c {
        _ if c.is_ascii_digit() => (|c| c.is_ascii_digit(), &[',', '.']),
        _ if is_letter(c) => (is_letter, &['\'', '’']),
        _ => return run(text, |c| !is_letter(c) && !c.is_ascii_digit()),
    };
    let mut end = run(text, of_one_kind);
    while let Some(behind) =
        text[end..].strip_prefix(joints).filter(|it| it.starts_with(of_one_kind))
    {
        end = text.len() - behind.len() + run(behind, of_one_kind);
    }
    end
}

/// Says a sign.
fn sign(c: char) -> &'static str {
    match c {
        '/' => "slˈæʃ",
        '=' => "ˈikwᵊlz",
        '+' => "plˈʌs",
        '&' => "ænd",
        '@' => "æt",
        '%' => "pəɹsˈɛnt",
        '#' => "hˈæʃ",
        '*' => "ˈæstəɹˌɪsk",
        '~' => "tˈɪldə",
        '^' => "kˈɛɹət",
        '<' => "lˈɛs ðən",
        '>' => "ɡɹˈATəɹ ðən",
        '—' => "—",
        _ => "",
    }
}
