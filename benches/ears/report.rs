//! What is written: the tables, and every row behind them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::row::Row;

/// Holds the tables so far: on stdout, and in a file that is whole after each.
pub(crate) struct Report {
    file: PathBuf,
    text: String,
    rows_file: PathBuf,
    rows: csv::Writer<File>,
}

/// The columns of a row.
const COLUMNS: [&str; 15] = [
    "model",
    "part",
    "recording",
    "language",
    "seconds",
    "contestant",
    "words",
    "wrong",
    "cpu_s",
    "wall_s",
    "heard_language",
    "uncertain",
    "logprob",
    "no_speech",
    "error",
];

impl Report {
    /// Begins a report in `file`, and its rows in a `.csv` beside it.
    pub(crate) fn new(file: PathBuf) -> anyhow::Result<Self> {
        let folder = file.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        let rows_file = file.with_extension("csv");
        let rows = csv::Writer::from_path(&rows_file);
        let mut rows = rows.with_context(|| rows_file.display().to_string())?;
        rows.write_record(COLUMNS)?;
        Ok(Self { file, text: String::new(), rows_file, rows })
    }

    /// Adds a part of Markdown.
    #[expect(clippy::print_stdout, reason = "a program whose result is on stdout")]
    pub(crate) fn add(&mut self, part: &str) -> anyhow::Result<()> {
        let part = part.trim_end();
        println!("{part}\n");
        self.text += &format!("{part}\n\n");
        fs::write(&self.file, &self.text).with_context(|| self.file.display().to_string())
    }

    /// Adds the rows that a part was made of: no words, which may be somebody's secret.
    pub(crate) fn rows(&mut self, model: &str, part: &str, rows: &[Row]) -> anyhow::Result<()> {
        for row in rows {
            self.rows.write_record(cells(model, part, row))?;
        }
        self.rows.flush().with_context(|| self.rows_file.display().to_string())
    }

    /// Names the files.
    pub(crate) fn files(&self) -> String {
        format!("{} and {}", self.file.display(), self.rows_file.display())
    }
}

fn cells(model: &str, part: &str, row: &Row) -> [String; COLUMNS.len()] {
    let text = |value: Option<String>| value.unwrap_or_default();
    let doubt = row.doubt();
    [
        model.to_owned(),
        part.to_owned(),
        row.clip.name.clone(),
        text(row.clip.language.as_ref().map(ToString::to_string)),
        format!("{:.2}", row.clip.seconds),
        row.who.clone(),
        row.clip.said.len().to_string(),
        row.wrong().to_string(),
        format!("{:.3}", row.took.cpu_s),
        format!("{:.3}", row.took.wall_s),
        text(doubt.map(|doubt| doubt.language.to_string())),
        text(doubt.and_then(|doubt| doubt.uncertain).map(|why| why.name().to_owned())),
        text(doubt.and_then(|doubt| doubt.logprob).map(|mean| format!("{mean:.3}"))),
        text(doubt.map(|doubt| format!("{:.3}", doubt.no_speech))),
        text(row.heard.as_ref().err().cloned()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::testing::{doubted, failed};

    #[test]
    fn tables_and_rows_are_in_two_files_that_are_whole_after_each_part() {
        let folder = tempfile::tempdir().unwrap();
        let mut report = Report::new(folder.path().join("new/ears.md")).unwrap();
        report.add("one\n\n").unwrap();
        let rows = [doubted((4, 1), -0.25, 0.5, None), failed("other", "de", 3)];
        report.rows("base", "words", &rows).unwrap();
        report.add("two").unwrap();
        let read = |name: &str| fs::read_to_string(folder.path().join("new").join(name)).unwrap();
        assert_eq!(read("ears.md"), "one\n\ntwo\n\n");
        let rows = read("ears.csv");
        let lines: Vec<&str> = rows.lines().skip(1).collect();
        assert_eq!(
            lines,
            [
                "base,words,en/hark.ogg,en,5.00,hark,4,1,2.000,1.000,en,,-0.250,0.500,",
                "base,words,de/other.ogg,de,5.00,other,3,3,2.000,1.000,,,,,is broken",
            ]
        );
    }
}
