//! Rules for versions and addresses of computers: "v1.2", "2.0.1-beta.1", "Python 3.12".

use super::counting::say_name;
use super::lang::{cues, has};
use super::number::digits;
use super::rules::{Said, Spot, ends_word};

/// Lists products whose two numbers are a version, not a decimal number.
const PRODUCTS: &str = "ios, ipados, macos, android, windows, ubuntu, debian, python, php, java, \
                        node, js, chrome, firefox, safari, gpt, claude, gemini, llama, rust, ruby, \
                        bluetooth, usb, hdmi, http, tls, wordpress, kubernetes, docker, postgres, \
                        mysql";

/// Says "v1.2", "2.0.1" and "version 2.4".
pub(super) fn said(spot: &Spot) -> Option<Said> {
    let rest = spot.rest();
    let mark = rest.starts_with(['v', 'V']);
    let start = usize::from(mark);
    if !rest[start..].starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let (parts, mut at) = parts(&rest[start..], start);
    let cued = mark || is_versioned(spot);
    let size = |part: &&str| matches!(part.len(), 1..=4);
    let address = parts.len() == 4 && parts.iter().all(|part| part.parse::<u8>().is_ok());
    let thousands = parts[1..].iter().all(|part| part.len() == 3);
    let fits = match parts.len() {
        0 | 1 => mark,
        2 => cued,
        _ => cued || address || !thousands,
    };
    if !fits || parts.len() > 8 || !parts.iter().all(size) {
        return None;
    }
    let language = spot.language;
    let dot = format!(" {} ", language.words.dot);
    let words: Vec<_> = parts.iter().map(|part| say_name(part, language)).collect();
    let mut said = words.join(&dot);
    if mark {
        said.insert_str(0, &format!("{} ", &rest[..start]));
    }
    if let Some((stage, length)) = stage(&rest[at..], spot) {
        said.push_str(&stage);
        at += length;
    }
    ends_word(&rest[at..]).then_some(())?;
    Said::new(at, said)
}

/// Returns whether the word before is "version" or a product; or the one before that, as in "the
/// version is 2.4".
fn is_versioned(spot: &Spot) -> bool {
    let table = spot.language.cues;
    let names = |word: &str| cues(table.versions, word) || cues(PRODUCTS, word);
    let mut words = spot.line[..spot.at].split(|c: char| !c.is_alphanumeric()).rev();
    let mut next =
        || words.by_ref().find(|word| !word.is_empty()).unwrap_or_default().to_lowercase();
    let before = spot.cue_before();
    names(&before) || has(table.is, &before) && next() == before && names(&next())
}

/// Splits off numbers with dots between them, and returns where they end.
fn parts(text: &str, start: usize) -> (Vec<&str>, usize) {
    let mut parts = vec![digits(text)];
    let mut at = parts[0].len();
    while let Some(behind) = text[at..].strip_prefix('.')
        && !digits(behind).is_empty()
    {
        parts.push(digits(behind));
        at += 1 + digits(behind).len();
    }
    (parts, start + at)
}

/// Says what may follow a version: "-beta.1", "rc1", "b".
fn stage(text: &str, spot: &Spot) -> Option<(String, usize)> {
    let bare = text.strip_prefix(['-', '.']).unwrap_or(text);
    let name = &bare[..bare.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(bare.len())];
    let known = ["alpha", "beta", "rc", "dev", "pre", "x", "a", "b", "lts", "preview", "final"];
    known.contains(&name.to_ascii_lowercase().as_str()).then_some(())?;
    let behind = &bare[name.len()..];
    let number = digits(behind.strip_prefix('.').unwrap_or(behind));
    let mut said = format!(" {name}");
    let mut length = text.len() - behind.len();
    if !number.is_empty() {
        let dot = behind.starts_with('.');
        if dot {
            said.push_str(&format!(" {}", spot.language.words.dot));
        }
        said.push_str(&format!(" {}", say_name(number, spot.language)));
        length += usize::from(dot) + number.len();
    }
    Some((said, length))
}
