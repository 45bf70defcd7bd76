//! Reads knowledge files into passages: tables, plain text, Markdown.
//!
//! Before the index, which sees passages only. Invariant: a file is read completely or refused with its
//! name and line; no row is skipped in silence.

use super::{KnowledgeError, Passage, table, text};

/// Limits a file, in bytes: some 100,000 rows.
pub(super) const MAX_BYTES: usize = 32 << 20;

/// Reads one file by its ending.
pub(super) fn passages(file: &str, contents: &[u8]) -> Result<Vec<Passage>, KnowledgeError> {
    let refused = |reason: String| KnowledgeError::File { file: file.to_owned(), reason };
    let ending = file.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    let table = match ending.as_deref() {
        Some("csv" | "tsv") => true,
        Some("txt" | "md") => false,
        _ => return Err(KnowledgeError::Type { file: file.to_owned() }),
    };
    if contents.len() > MAX_BYTES {
        let limit = MAX_BYTES >> 20;
        return Err(refused(format!("larger than {limit} MiB: leave out what nobody asks for")));
    }
    let contents = text::text(contents).map_err(refused)?;
    let passages = if table { table::passages(file, &contents)? } else { paragraphs(&contents) };
    if passages.is_empty() {
        let what = if table { "rows" } else { "text" };
        return Err(KnowledgeError::Empty { file: file.to_owned(), what });
    }
    Ok(passages)
}

/// Reads paragraphs, which blank lines separate. Wrapped lines are joined again, since a line
/// break would end a sentence; list items and headings keep their line.
fn paragraphs(contents: &str) -> Vec<Passage> {
    let mut passages = Vec::new();
    let mut paragraph = String::new();
    for line in contents.lines().map(str::trim).chain([""]) {
        if line.is_empty() {
            if !paragraph.is_empty() {
                let answer = std::mem::take(&mut paragraph);
                passages.push(Passage { question: None, answer, also: String::new() });
            }
            continue;
        }
        if !paragraph.is_empty() {
            let own_line = line.starts_with(['-', '*', '+', '#', '•']);
            paragraph.push(if own_line { '\n' } else { ' ' });
        }
        paragraph.push_str(line);
    }
    passages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_files_are_refused_by_name() {
        let refuses = |file: &str, contents: &[u8], expected: &str| {
            assert_eq!(passages(file, contents).unwrap_err().to_string(), expected);
        };
        refuses("a.csv", b"", "a.csv has no rows");
        refuses("a.csv", b"question,answer\n", "a.csv has no rows");
        refuses("a.txt", b" \n\n", "a.txt has no text");
        let types = "knowledge is read from .csv, .tsv, .txt and .md files: save a spreadsheet as \
                     \"CSV UTF-8\"";
        refuses("a.xlsx", b"PK", &format!("a.xlsx: {types}"));
        refuses("a.pdf", b"x", &format!("a.pdf: {types}"));
        let large = vec![b'a'; MAX_BYTES + 1];
        let expected = "a.csv: larger than 32 MiB: leave out what nobody asks for";
        refuses("a.csv", &large, expected);
    }

    #[test]
    fn columns_are_found_by_name() {
        let csv = "\u{feff}topic, Answer ,QUESTION\nhours,\"Nine, daily.\",When?\n";
        let expected = Passage {
            question: Some("When?".to_owned()),
            answer: "Nine, daily.".to_owned(),
            also: "hours".to_owned(),
        };
        assert_eq!(passages("A.CSV", csv.as_bytes()).unwrap(), [expected]);
    }

    #[test]
    fn wrapped_lines_are_joined_and_items_are_not() {
        let read =
            passages("a.md", b"We open\r\nat nine.\r\n\r\n\r\n# Pets\n- dogs\n- cats\n").unwrap();
        let answers: Vec<&str> = read.iter().map(|p| p.answer.as_str()).collect();
        assert_eq!(answers, ["We open at nine.", "# Pets\n- dogs\n- cats"]);
    }
}
