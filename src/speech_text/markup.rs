//! Removes the markup of lines: code, tables, headings, lists, quotes, callouts. Sentences are left.

use super::inline;
use super::lang::entries;
use super::language::Language;

/// Names the callouts of Markdown, in the order of their words in each language.
const CALLOUTS: [&str; 5] = ["note", "tip", "important", "warning", "caution"];

/// Lists lines that only open or close a formula, or close a callout.
const FENCES: [&str; 4] = ["\\[", "\\]", "$$", ":::"];

/// Holds a line without its markup.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) text: String,
    /// It is a sentence of its own: a heading, an item or a row.
    pub(super) alone: bool,
    /// What it was.
    pub(super) kind: &'static str,
}

impl Line {
    fn new(kind: &'static str, text: impl Into<String>) -> Self {
        Self { text: text.into(), alone: kind != TEXT, kind }
    }
}

/// Names a line that belongs to the sentence around it.
const TEXT: &str = "markup";

/// Removes the markup of lines, and inside them, from a text; code and tables become words. Returns
/// what each group of lines was, too.
pub(super) fn lines<'a>(text: &'a str, language: Option<&Language>) -> Vec<(&'a str, Vec<Line>)> {
    let mut all = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let mut lines = Vec::new();
        if let Some(length) = code_block(rest) {
            if let Some(language) = language {
                lines.push(Line::new("code block", language.words.code));
            }
            all.push((&rest[..length], lines));
            rest = &rest[length..];
            continue;
        }
        let end = rest.find('\n').map_or(rest.len(), |at| at + 1);
        let (line, tail) = rest.split_at(end);
        let headed = line.contains('|') && is_delimiter(second_line(rest));
        if headed || line.trim_start().starts_with('|') {
            let length = table_length(rest);
            table(&rest[..length], language, &mut lines);
            all.push((&rest[..length], lines));
            rest = &rest[length..];
            continue;
        }
        lines.extend(unmark(line.trim(), language));
        // A line above a rule of these marks is a heading.
        let below = second_line(rest).trim();
        let of = |mark: char| below.chars().all(|c| c == mark);
        if below.len() >= 3 && (of('=') || of('-')) {
            for line in &mut lines {
                line.alone = true;
            }
        }
        all.push((line, lines));
        rest = tail;
    }
    all
}

/// Returns the length of the code block that `text` starts with, including its last line break.
/// Three backticks that are closed on the same line are words, as in WhatsApp.
pub(super) fn code_block(text: &str) -> Option<usize> {
    let fence = fence(text)?;
    let start = text.len() - text.trim_start().len();
    let inside = text[start..].trim_start_matches(fence);
    let inside_at = text.len() - inside.len();
    let mark: String = std::iter::repeat_n(fence, 3).collect();
    match inside.find(&mark) {
        Some(close) if !inside[..close].contains('\n') => None,
        Some(close) => {
            let after = inside_at + close;
            Some(text[after..].find('\n').map_or(text.len(), |at| after + at + 1))
        }
        None if inside.contains('\n') => Some(text.len()),
        None => None,
    }
}

/// Returns the character of the fence that `text` starts with.
pub(super) fn fence(text: &str) -> Option<char> {
    let start = text.trim_start();
    let marks = [("```", '`'), ("~~~", '~')];
    marks.into_iter().find(|(mark, _)| start.starts_with(mark)).map(|(_, mark)| mark)
}

fn second_line(text: &str) -> &str {
    text.lines().nth(1).unwrap_or_default()
}

/// Returns whether a line separates the head of a table from its rows.
pub(super) fn is_delimiter(line: &str) -> bool {
    line.contains("--")
        && line.contains('|')
        && line.chars().all(|c| matches!(c, '|' | '-' | ':' | ' ' | '\r'))
}

/// Returns the length of the leading lines that contain a bar.
fn table_length(text: &str) -> usize {
    let lines = text.split_inclusive('\n');
    lines.take_while(|line| line.contains('|')).map(str::len).sum()
}

/// Limits what the columns' names add to a table, in times its own length: long names above many
/// short rows would make a book of a page.
const MAX_NAMES: usize = 8;

/// Reads a table row by row, each cell after its column's name.
fn table(text: &str, language: Option<&Language>, lines: &mut Vec<Line>) {
    let rows: Vec<&str> = text.lines().collect();
    let headed = rows.get(1).is_some_and(|row| is_delimiter(row));
    let head = if headed { cells(rows[0], language) } else { Vec::new() };
    let mut names_left = MAX_NAMES * text.len();
    for row in rows.iter().skip(usize::from(headed)).filter(|row| !is_delimiter(row)) {
        let cells = cells(row, language).into_iter().enumerate();
        let said = cells.filter(|(_, cell)| !cell.is_empty()).map(|(column, cell)| {
            match head.get(column).filter(|name| (1..=names_left).contains(&name.len())) {
                Some(name) => {
                    names_left -= name.len();
                    format!("{name}: {cell}")
                }
                None => cell,
            }
        });
        let said: Vec<String> = said.collect();
        lines.push(Line::new("table", said.join(", ")));
    }
}

fn cells(row: &str, language: Option<&Language>) -> Vec<String> {
    let row = row.trim();
    let row = row.strip_prefix('|').unwrap_or(row);
    let row = row.strip_suffix('|').unwrap_or(row);
    let cells = row.split('|').map(|cell| inline::unmark(cell.trim(), language));
    cells.map(|cell| cell.trim().to_owned()).collect()
}

/// Strips the marks of a heading, an item, a quote or a footnote.
fn unmark(line: &str, language: Option<&Language>) -> Option<Line> {
    let line = line.trim_start_matches(['>', ' ']);
    if FENCES.contains(&line) {
        return None;
    }
    if let Some(callout) = callout(line, language) {
        return Some(callout);
    }
    if is_rule(line)
        || is_delimiter(line)
        || fence(line).is_some_and(|_| line.trim_matches(['`', '~']).is_empty())
    {
        return None;
    }
    if let Some((name, after)) = line.strip_prefix('[').and_then(|line| line.split_once("]:")) {
        // A footnote is said; the address of a link elsewhere is not.
        let footnote = name.starts_with('^').then(|| inline::unmark(after.trim(), language));
        return footnote.map(|text| Line::new("footnote", text));
    }
    let heading = line.trim_start_matches('#');
    if heading.len() < line.len() && heading.starts_with(' ') {
        let heading = heading.trim_end_matches('#');
        return Some(Line::new("heading", inline::unmark(heading.trim(), language)));
    }
    for bullet in ["- ", "* ", "+ ", "• ", "– ", "· ", "▪ ", "◦ "] {
        if let Some(item) = line.strip_prefix(bullet) {
            let item = item.trim_start();
            let boxes = ["[ ] ", "[x] ", "[X] "];
            let item = boxes.iter().find_map(|mark| item.strip_prefix(mark)).unwrap_or(item);
            return Some(Line::new("item", inline::unmark(item, language)));
        }
    }
    if let Some((number, item)) = list_number(line)
        && let Some(language) = language
        && !(language.dotted_ordinals.is_some() && names_month(item, language))
    {
        let number = match entries(language.list).nth(number - 1) {
            Some(word) => word.to_owned(),
            None => format!("{} {number}", language.words.number),
        };
        let item = inline::unmark(item, Some(language));
        return Some(Line::new("numbered item", format!("{number}: {item}")));
    }
    // The definition of a term begins with a colon.
    let line = line.strip_prefix(": ").unwrap_or(line);
    Some(Line::new(TEXT, inline::unmark(line, language)))
}

/// Reads the head of a callout, `[!NOTE]`, `:::warning` or `!!! tip`, with its title.
fn callout(line: &str, language: Option<&Language>) -> Option<Line> {
    let (name, title) = if let Some(inside) = line.strip_prefix("[!") {
        inside.split_once(']')?
    } else if let Some(inside) = line.strip_prefix(":::") {
        let inside = inside.trim_start_matches(':').trim_start();
        inside.split_once(' ').unwrap_or((inside, ""))
    } else {
        let inside = line.strip_prefix("!!! ")?;
        inside.split_once(' ').unwrap_or((inside, ""))
    };
    let title = title.trim_start_matches(['-', '+']).trim().trim_matches('"');
    let lower = name.to_lowercase();
    let known = CALLOUTS.iter().position(|callout| *callout == lower);
    let words = language.map_or("", |language| language.cues.callouts);
    let word = known.and_then(|at| entries(words).nth(at)).unwrap_or(name);
    let said = if title.is_empty() { word.to_owned() } else { inline::unmark(title, language) };
    let mut letters = said.chars();
    let first: String = letters.next().map(char::to_uppercase).into_iter().flatten().collect();
    let stop = if said.ends_with(['.', '!', '?', ':']) { "" } else { "." };
    Some(Line::new("callout", format!("{first}{}{stop}", letters.as_str())))
}

/// Reads "1. " or "1) " before an item.
fn list_number(line: &str) -> Option<(usize, &str)> {
    let digits = super::number::digits(line);
    let item = line[digits.len()..].strip_prefix(". ");
    let item = item.or_else(|| line[digits.len()..].strip_prefix(") "))?;
    let number = digits.parse().ok().filter(|number| (1..1000).contains(number))?;
    (!item.trim().is_empty()).then_some((number, item.trim()))
}

/// Returns whether an item begins with a month: "3. Mai" at the start of a line is a day.
fn names_month(item: &str, language: &Language) -> bool {
    language.months.iter().any(|names| names.iter().any(|name| item.starts_with(name)))
}

/// Returns whether a line is a horizontal rule: three or more of one mark and nothing else.
fn is_rule(line: &str) -> bool {
    let marks = line.chars().filter(|c| *c != ' ');
    let rule = |mark: char| marks.clone().all(|c| c == mark);
    let table = line.starts_with("+-") && line.chars().all(|c| matches!(c, '+' | '-' | '='));
    table || marks.clone().count() >= 3 && ['-', '*', '_', '='].into_iter().any(rule)
}
