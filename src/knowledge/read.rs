//! Reads knowledge files into passages: tables, text, Markdown, web pages, PDF.
//!
//! Before the index, which sees passages only. Invariant: a file is read completely or refused with its
//! name and line; no row is skipped in silence.

use super::source::Passage;
use super::{KnowledgeError, html, pdf, sections, table, text};

/// Limits a file, in bytes: some 100,000 rows.
pub const MAX_BYTES: usize = 32 << 20;

/// Endings of files that are read.
const ENDINGS: [&str; 7] = ["csv", "tsv", "txt", "md", "html", "htm", "pdf"];

/// Returns how a name ends, if files of that kind are read.
fn ending(file: &str) -> Option<String> {
    let ending = file.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    ending.filter(|ending| ENDINGS.contains(&ending.as_str()))
}

/// Returns whether files of this name are read.
pub(super) fn is_read(file: &str) -> bool {
    ending(file).is_some()
}

/// Reads one file by its ending.
pub(super) fn passages(file: &str, contents: &[u8]) -> Result<Vec<Passage>, KnowledgeError> {
    let refused = |reason: String| KnowledgeError::File { file: file.to_owned(), reason };
    let Some(ending) = ending(file) else {
        return Err(KnowledgeError::Type { file: file.to_owned() });
    };
    if contents.len() > MAX_BYTES {
        let limit = MAX_BYTES >> 20;
        return Err(refused(format!("larger than {limit} MiB: leave out what nobody asks for")));
    }
    if ending == "pdf" {
        return pdf::passages(contents).map_err(refused);
    }
    let contents = text::text(contents).map_err(refused)?;
    let (passages, what) = match ending.as_str() {
        "csv" | "tsv" => (table::passages(file, &contents)?, "rows"),
        "html" | "htm" => (html::passages(&contents), "text"),
        other => (sections::of_text(&contents, other == "md"), "text"),
    };
    if passages.is_empty() {
        return Err(KnowledgeError::Empty { file: file.to_owned(), what });
    }
    Ok(passages)
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
        let types = "knowledge is read from .csv, .tsv, .txt, .md, .html and .pdf files: save a \
                     spreadsheet as \"CSV UTF-8\"";
        refuses("a.xlsx", b"PK", &format!("a.xlsx: {types}"));
        refuses("a", b"x", &format!("a: {types}"));
        refuses("a.pdf", b"x", "a.pdf: is no PDF file, whatever its name says");
        refuses("a.html", b"<script>x</script>", "a.html has no text");
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
            place: String::new(),
        };
        assert_eq!(passages("A.CSV", csv.as_bytes()).unwrap(), [expected]);
    }

    #[test]
    fn wrapped_lines_are_joined_and_items_are_not() {
        let read =
            passages("a.md", b"We open\r\nat nine.\r\n\r\n\r\n# Pets\n- dogs\n- cats\n").unwrap();
        let answers: Vec<&str> = read.iter().map(|p| p.answer.as_str()).collect();
        assert_eq!(answers, ["We open at nine.", "- dogs\n- cats"]);
        assert_eq!((read[1].also.as_str(), read[1].place.as_str()), ("Pets", "Pets"));
    }
}
