//! Reads knowledge files into passages: question-and-answer CSV, plain text, Markdown.
//!
//! Before the index, which sees passages only. Invariant: a file is read completely or refused with its
//! name and line; no row is skipped in silence.

use super::{KnowledgeError, Passage};

/// Reads one file by its ending.
pub(super) fn passages(file: &str, contents: &str) -> Result<Vec<Passage>, KnowledgeError> {
    let contents = contents.strip_prefix('\u{feff}').unwrap_or(contents);
    let ending = file.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    let (passages, what) = match ending.as_deref() {
        Some("csv") => (rows(file, contents)?, "rows"),
        Some("txt" | "md") => (paragraphs(contents), "text"),
        _ => return Err(KnowledgeError::Type { file: file.to_owned() }),
    };
    if passages.is_empty() {
        return Err(KnowledgeError::Empty { file: file.to_owned(), what });
    }
    Ok(passages)
}

/// Reads the rows of a CSV; columns besides `question` and `answer` are searched and not said.
fn rows(file: &str, contents: &str) -> Result<Vec<Passage>, KnowledgeError> {
    let broken =
        |line: u64, reason: String| KnowledgeError::Line { file: file.to_owned(), line, reason };
    let csv_error = |error: csv::Error| {
        let line = error.position().map_or(1, csv::Position::line);
        let reason = match error.kind() {
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                format!("{len} columns where the header has {expected_len}")
            }
            _ => error.to_string(),
        };
        broken(line, reason)
    };
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(contents.as_bytes());
    let header = reader.headers().map_err(csv_error)?.clone();
    let column = |name: &str| header.iter().position(|title| title.eq_ignore_ascii_case(name));
    let (Some(question), Some(answer)) = (column("question"), column("answer")) else {
        let needed = "the header needs the columns `question` and `answer`";
        return Err(broken(1, needed.to_owned()));
    };
    let mut passages = Vec::new();
    for record in reader.records() {
        let record = record.map_err(csv_error)?;
        let line = record.position().map_or(1, csv::Position::line);
        for (at, name) in [(question, "question"), (answer, "answer")] {
            if record[at].is_empty() {
                return Err(broken(line, format!("the {name} is empty")));
            }
        }
        let also: Vec<&str> = (0..record.len())
            .filter(|at| *at != question && *at != answer)
            .map(|at| &record[at])
            .collect();
        passages.push(Passage {
            question: Some(record[question].to_owned()),
            answer: record[answer].to_owned(),
            also: also.join(" "),
        });
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

    #[track_caller]
    fn refuses(file: &str, contents: &str, expected: &str) {
        assert_eq!(passages(file, contents).unwrap_err().to_string(), expected);
    }

    #[test]
    fn broken_files_are_refused_by_name_and_line() {
        refuses(
            "a.csv",
            "q,a\n1,2\n",
            "a.csv, line 1: the header needs the columns `question` and `answer`",
        );
        refuses("a.csv", "", "a.csv, line 1: the header needs the columns `question` and `answer`");
        refuses("a.csv", "question,answer\n", "a.csv has no rows");
        refuses(
            "a.csv",
            "question,answer\na,b\nc\n",
            "a.csv, line 3: 1 columns where the header has 2",
        );
        refuses("a.csv", "question,answer\na,\n", "a.csv, line 2: the answer is empty");
        refuses("a.txt", " \n\n", "a.txt has no text");
        refuses("a.pdf", "x", "a.pdf: knowledge is read from .csv, .txt and .md files");
    }

    #[test]
    fn columns_are_found_by_name() {
        let read =
            passages("A.CSV", "\u{feff}topic, Answer ,QUESTION\nhours,\"Nine, daily.\",When?\n");
        let expected = Passage {
            question: Some("When?".to_owned()),
            answer: "Nine, daily.".to_owned(),
            also: "hours".to_owned(),
        };
        assert_eq!(read.unwrap(), [expected]);
    }

    #[test]
    fn wrapped_lines_are_joined_and_items_are_not() {
        let read =
            passages("a.md", "We open\r\nat nine.\r\n\r\n\r\n# Pets\n- dogs\n- cats\n").unwrap();
        let answers: Vec<&str> = read.iter().map(|p| p.answer.as_str()).collect();
        assert_eq!(answers, ["We open at nine.", "# Pets\n- dogs\n- cats"]);
    }
}
