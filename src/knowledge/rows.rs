//! Rows of a table as spreadsheets save them: any separator, quoted cells of several lines, empty rows.
//!
//! Under whoever reads tables: knowledge, and customers. Invariant: a row has the line that it begins
//! on, so that what is wrong with it can be found.

use super::text::{mixed, text};

/// Lists what separates columns; the first where two fit alike.
const SEPARATORS: [u8; 4] = *b",;\t|";

/// Separates nothing: no text has this mark.
const ONE_COLUMN: u8 = 0x1f;

/// Sets how many rows are looked at to find the separator.
const SAMPLE: usize = 20;

/// Holds one row: its line, counted from 1, and its cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableRow {
    /// The line that it begins on.
    pub line: u64,
    /// What is in it, trimmed.
    pub cells: Vec<String>,
}

/// Holds a file that is a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableFile {
    /// The rows that are not empty, with that of the columns' names.
    pub rows: Vec<TableRow>,
    /// What separates the columns.
    pub separator: char,
    /// Lines that are in another encoding than the rest, and are read in theirs.
    pub other_encoding: Vec<u64>,
}

impl TableFile {
    /// Reads a file; `is_header` tells a row that names columns which are looked for.
    ///
    /// # Errors
    /// What is wrong with the file, and how to mend it.
    pub fn read(contents: &[u8], is_header: impl Fn(&[String]) -> bool) -> Result<Self, String> {
        let (contents, other_encoding) = match mixed(contents) {
            Some(mixed) => mixed,
            None => (text(contents)?, Vec::new()),
        };
        let cut = cut(&contents, is_header);
        let (separator, rows) = cut.map_err(|(line, reason)| format!("line {line}: {reason}"))?;
        Ok(Self { rows, separator: separator.into(), other_encoding })
    }
}

/// Cuts a table into its rows; returns what separates the columns, too. The error is a line and a
/// reason.
pub(super) fn cut(
    contents: &str,
    is_header: impl Fn(&[String]) -> bool,
) -> Result<(u8, Vec<TableRow>), (u64, String)> {
    let (separator, contents, skipped) = separator(contents, is_header);
    let mut rows = Vec::new();
    for row in read(contents, separator) {
        let TableRow { line, cells } = row.map_err(|(line, reason)| (line + skipped, reason))?;
        if cells.iter().any(|cell| !cell.is_empty()) {
            rows.push(TableRow { line: line + skipped, cells });
        }
    }
    Ok((separator, rows))
}

/// Finds what separates the columns; returns the table and how many lines come before it, too.
fn separator(contents: &str, is_header: impl Fn(&[String]) -> bool) -> (u8, &str, u64) {
    let (first, rest) = contents.split_once('\n').unwrap_or((contents, ""));
    if let Some(&[separator]) =
        first.trim_end().trim_matches('"').strip_prefix("sep=").map(str::as_bytes)
    {
        return (separator, rest, 1);
    }
    let fits = |separator: u8| {
        let Ok(sample) = read(contents, separator).take(SAMPLE).collect::<Result<Vec<_>, _>>()
        else {
            return (false, 0);
        };
        let width = sample.first().map_or(0, |row| row.cells.len());
        let has_header = sample.iter().any(|row| is_header(&row.cells));
        let like_first = sample.iter().filter(|row| row.cells.len() == width).count();
        (has_header, if width > 1 { like_first } else { 0 })
    };
    let none = (false, 0);
    let fitting = SEPARATORS.into_iter().rev().map(|separator| (fits(separator), separator));
    let best = fitting.filter(|(fit, _)| *fit > none).max_by_key(|(fit, _)| *fit);
    (best.map_or(ONE_COLUMN, |(_, separator)| separator), contents, 0)
}

fn read(contents: &str, separator: u8) -> impl Iterator<Item = Result<TableRow, (u64, String)>> {
    let reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(contents.as_bytes());
    // A position is before the empty lines that a row is read over.
    let line = move |position: Option<&csv::Position>| {
        let Some(position) = position else { return 1 };
        let at = usize::try_from(position.byte()).unwrap_or(usize::MAX);
        let rest = contents.as_bytes().get(at..).unwrap_or_default();
        let empty = rest.iter().take_while(|byte| b"\r\n".contains(byte));
        position.line() + empty.filter(|byte| **byte == b'\n').count() as u64
    };
    reader.into_records().map(move |record| match record {
        Ok(record) => Ok(TableRow {
            line: line(record.position()),
            cells: record.iter().map(str::to_owned).collect(),
        }),
        Err(error) => Err((line(error.position()), error.to_string())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_their_lines() {
        let lines = |contents: &str| {
            let table = TableFile::read(contents.as_bytes(), |_| false).unwrap();
            table.rows.iter().map(|row| row.line).collect::<Vec<_>>()
        };
        assert_eq!(lines("a,b\n1,2\n3,4\n"), [1, 2, 3]);
        assert_eq!(lines("sep=;\r\na;b\r\n\r\n\r\n1;2\r\n;\r\n3;4"), [2, 5, 7]);
        assert_eq!(lines("\n\na,b\n1,\"2\n3\"\n4,5\n"), [3, 4, 6]);
    }

    #[test]
    fn lines_of_another_encoding_are_named_and_read() {
        let contents =
            [&b"name;city\nAnn;K\xc3\xb6ln\nBen;M\xfcnchen\n"[..], "Eve;Zürich\n".as_bytes()];
        let table = TableFile::read(&contents.concat(), |_| false).unwrap();
        let cities: Vec<&str> = table.rows[1..].iter().map(|row| row.cells[1].as_str()).collect();
        assert_eq!(cities, ["Köln", "München", "Zürich"]);
        assert_eq!((table.other_encoding, table.separator), (vec![3], ';'));
        assert!(TableFile::read(b"PK\x03\x04...", |_| false).unwrap_err().contains("spreadsheet"));
    }
}
