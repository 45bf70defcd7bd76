//! Removes the markup of lines: code, tables, headings, lists, quotes. Sentences are left.

use super::inline;
use super::lang::entries;
use super::language::Language;

/// Holds a line without its markup.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) text: String,
    /// It is a sentence of its own: a heading, an item or a row.
    pub(super) alone: bool,
}

impl Line {
    fn new(text: impl Into<String>, alone: bool) -> Self {
        Self { text: text.into(), alone }
    }
}

/// Removes the markup of lines, and inside them, from a text; code and tables become words.
pub(super) fn lines(text: &str, language: Option<&Language>) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(length) = code_block(rest) {
            if let Some(language) = language {
                lines.push(Line::new(language.words.code, true));
            }
            rest = &rest[length..];
            continue;
        }
        let end = rest.find('\n').map_or(rest.len(), |at| at + 1);
        let (line, tail) = rest.split_at(end);
        if line.trim_start().starts_with('|') || is_delimiter(second_line(rest)) {
            let length = table_length(rest);
            table(&rest[..length], language, &mut lines);
            rest = &rest[length..];
            continue;
        }
        lines.extend(unmark(line.trim(), language));
        rest = tail;
    }
    lines
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
fn is_delimiter(line: &str) -> bool {
    line.contains("--")
        && line.contains('|')
        && line.chars().all(|c| matches!(c, '|' | '-' | ':' | ' ' | '\r'))
}

/// Returns the length of the leading lines that contain a bar.
fn table_length(text: &str) -> usize {
    let lines = text.split_inclusive('\n');
    lines.take_while(|line| line.contains('|')).map(str::len).sum()
}

/// Reads a table row by row, each cell after its column's name.
fn table(text: &str, language: Option<&Language>, lines: &mut Vec<Line>) {
    let rows: Vec<&str> = text.lines().collect();
    let headed = rows.get(1).is_some_and(|row| is_delimiter(row));
    let head = if headed { cells(rows[0], language) } else { Vec::new() };
    for row in rows.iter().skip(usize::from(headed)).filter(|row| !is_delimiter(row)) {
        let cells = cells(row, language).into_iter().enumerate();
        let said = cells.filter(|(_, cell)| !cell.is_empty()).map(|(column, cell)| {
            match head.get(column).filter(|name| !name.is_empty()) {
                Some(name) => format!("{name}: {cell}"),
                None => cell,
            }
        });
        let said: Vec<String> = said.collect();
        lines.push(Line::new(said.join(", "), true));
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
    if is_rule(line) || fence(line).is_some_and(|_| line.trim_matches(['`', '~']).is_empty()) {
        return None;
    }
    if let Some((name, after)) = line.strip_prefix('[').and_then(|line| line.split_once("]:")) {
        // A footnote is said; the address of a link elsewhere is not.
        let footnote = name.starts_with('^').then(|| inline::unmark(after.trim(), language));
        return footnote.map(|text| Line::new(text, true));
    }
    let heading = line.trim_start_matches('#');
    if heading.len() < line.len() && heading.starts_with(' ') {
        let heading = heading.trim_end_matches('#');
        return Some(Line::new(inline::unmark(heading.trim(), language), true));
    }
    for bullet in ["- ", "* ", "+ ", "• ", "– ", "· ", "▪ ", "◦ "] {
        if let Some(item) = line.strip_prefix(bullet) {
            let item = item.trim_start();
            let boxes = ["[ ] ", "[x] ", "[X] "];
            let item = boxes.iter().find_map(|mark| item.strip_prefix(mark)).unwrap_or(item);
            return Some(Line::new(inline::unmark(item, language), true));
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
        return Some(Line::new(format!("{number}: {item}"), true));
    }
    Some(Line::new(inline::unmark(line, language), false))
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
    line.len() >= 3 && ['-', '*', '_', '='].iter().any(|&mark| line.chars().all(|c| c == mark))
}
