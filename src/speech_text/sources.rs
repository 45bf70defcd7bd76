//! Drops the marks of sources, which nobody reads aloud: "[1]", "【4:0†source】", "(source: 3)",
//! "¹".

use super::formulas::is_raised;
use super::lang::anywhere;

/// Limits a mark of a source, in bytes.
const MAX_MARK: usize = 80;

/// Begins and ends a mark that OpenAI's models write in letters without a meaning.
const PRIVATE: (char, char) = ('\u{e200}', '\u{e201}');

/// Drops the marks of sources from a line.
pub(super) fn without_sources(line: &str) -> String {
    let opens =
        |c: char| matches!(c, '[' | '(' | '【' | '†' | '‡') || c == PRIVATE.0 || is_raised(c);
    if !line.contains(opens) {
        return line.to_owned();
    }
    let mut out = String::with_capacity(line.len());
    let mut at = 0;
    let mut in_code = false;
    while let Some(c) = line[at..].chars().next() {
        in_code ^= c == '`';
        let length = if in_code || !opens(c) { None } else { mark(&out, &line[at..]) };
        let Some(length) = length else {
            out.push(c);
            at += c.len_utf8();
            continue;
        };
        at += length;
        let next = line[at..].chars().next();
        if next.is_none_or(|c| c.is_whitespace() || ".,;:!?)।。".contains(c)) {
            out.truncate(out.trim_end().len());
        }
    }
    out
}

/// Returns the length of the mark of a source that `text` starts with; `before` is the line so far.
fn mark(before: &str, text: &str) -> Option<usize> {
    let window = &text[..text.floor_char_boundary(MAX_MARK)];
    match text.chars().next()? {
        '[' if window.starts_with("[[") => {
            let inner = &window[2..window.find("]]")?];
            let length = inner.len() + 4;
            is_source(inner, true).then(|| length + address(&text[length..]))
        }
        '[' => {
            let inner = &window[1..window.find(']')?];
            let length = inner.len() + 2;
            let behind = &text[length..];
            let source = is_source(inner, true) && !is_choice(before) && !is_index(before, behind);
            source.then(|| length + address(behind))
        }
        '【' => {
            let inner = &window['【'.len_utf8()..window.find('】')?];
            let source = inner.contains('†') || is_source(inner, true);
            source.then_some(inner.len() + 2 * '【'.len_utf8())
        }
        '(' => {
            let inner = &window[1..window.find(')')?];
            let named = inner.contains(':') && !inner.contains("//");
            (named && is_source(inner, false)).then_some(inner.len() + 2)
        }
        '†' | '‡' => Some('†'.len_utf8()),
        c if c == PRIVATE.0 => Some(text.find(PRIVATE.1).map_or(text.len(), |at| at + 3)),
        _ => raised(before, text),
    }
}

/// Returns whether brackets hold nothing but a source: numbers, a footnote, or the word for it. A
/// sentence may hold more in round ones.
fn is_source(inner: &str, bracket: bool) -> bool {
    let inner = inner.trim();
    if let Some(note) = inner.strip_prefix('^') {
        return !note.is_empty() && !note.contains(char::is_whitespace);
    }
    if is_numbers(inner) || (bracket && has_page(inner)) {
        return true;
    }
    let end = inner.find(|c: char| !c.is_alphabetic()).unwrap_or(inner.len());
    let word = inner[..end].to_lowercase();
    let behind = inner[end..].trim_start_matches([':', ' ', '#', '-', '_', '.']);
    let known = word == "cite" || anywhere(|language| language.cues.sources, &word);
    // "[Source: our website]" names nothing else; "[Ref: 10482]" may be the person's order.
    let source = ["source", "sources", "fuente", "fuentes", "fonte", "fontes", "quelle", "quellen"];
    let plainly = word == "cite" || source.contains(&&*word) && behind.len() > 1 && bracket;
    known && (plainly || is_file(behind) || is_numbers(behind))
}

/// Words before the page of a source.
const PAGES: [&str; 10] =
    ["p", "pp", "page", "pages", "s", "seite", "seiten", "pág", "págs", "página"];

/// Returns whether a text is a source and its page: "1, p. 4", "2, S. 10-12".
fn has_page(inner: &str) -> bool {
    let Some((source, page)) = inner.split_once(',') else { return false };
    let page = page.trim().to_lowercase();
    let word = page.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
    PAGES.contains(&word)
        && is_numbers(source.trim())
        && is_numbers(page[word.len()..].trim_start_matches(['.', ' ']))
}

/// Returns whether a text is a file's name. A long number is none: it may be the person's order.
fn is_file(text: &str) -> bool {
    let ending = text.rsplit_once('.').map_or("", |(_, ending)| ending);
    let letters = ending.contains(|c: char| c.is_ascii_alphabetic());
    letters && ending.len() <= 4 && !text.contains(char::is_whitespace)
}

/// Returns whether a text is numbers of sources: "1", "1, 2", "1-3". A year is none.
fn is_numbers(text: &str) -> bool {
    let mut parts = text.split([',', '-', '–', ' ']).filter(|part| !part.is_empty()).peekable();
    let starts = text.starts_with(|c: char| c.is_ascii_digit());
    let number = |part: &str| part.len() <= 3 && part.bytes().all(|b| b.is_ascii_digit());
    starts && parts.peek().is_some() && parts.all(number)
}

/// Returns whether a choice is offered, as in "press [1]".
fn is_choice(before: &str) -> bool {
    let words = before.trim_end();
    let word = words.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    anywhere(|language| language.cues.choices, &word.to_lowercase())
}

/// Returns whether the number is an index, as in "list[2].name" and "a[0] = 1".
fn is_index(before: &str, behind: &str) -> bool {
    let mut after = behind.chars();
    let member = after.next() == Some('.') && after.next().is_some_and(char::is_alphabetic);
    before.ends_with(char::is_alphanumeric) && (member || behind.trim_start().starts_with('='))
}

/// Returns the length of the address that may follow a mark.
fn address(text: &str) -> usize {
    let address = text.strip_prefix('(').filter(|inner| inner.starts_with("http"));
    address.and_then(|inner| inner.find(')')).map_or(0, |end| end + 2)
}

/// Reads raised numbers after a word or a stop; after a letter or a number they are an exponent.
fn raised(before: &str, text: &str) -> Option<usize> {
    let length = text.find(|c: char| !(is_raised(c) || c == ',')).unwrap_or(text.len());
    let mark = text[..length].trim_end_matches(',');
    let letters = before.chars().rev().take_while(|c| c.is_alphabetic()).count();
    let noted = letters >= 3 || before.ends_with(['.', '!', '?', '"', '”', '»', ',', ')']);
    let bracket = before.ends_with(')') && before.contains('(') && !before.contains(' ');
    let ends = !text[mark.len()..].starts_with(char::is_alphanumeric);
    let digits = mark.chars().all(|c| !matches!(c, '⁻' | 'ⁿ'));
    (noted && !bracket && ends && digits).then_some(mark.len())
}
