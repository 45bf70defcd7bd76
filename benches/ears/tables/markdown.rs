//! A table in Markdown.

use std::fmt;

/// Holds a table; the first column is text, the others are aligned to the right.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new<S: Into<String>>(head: impl IntoIterator<Item = S>) -> Self {
        Self { head: head.into_iter().map(Into::into).collect(), rows: Vec::new() }
    }

    /// Adds a row; what it lacks stays empty.
    pub(crate) fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |f: &mut fmt::Formatter<'_>, cells: &[String]| {
            let cells: Vec<String> = (0..self.head.len())
                .map(|at| cells.get(at).map_or(String::new(), |cell| cell.replace('|', "\\|")))
                .collect();
            writeln!(f, "| {} |", cells.join(" | "))
        };
        line(f, &self.head)?;
        writeln!(f, "|---|{}", "--:|".repeat(self.head.len().saturating_sub(1)))?;
        self.rows.iter().try_for_each(|row| line(f, row))
    }
}

/// Writes a number with so many digits behind the point, or a dash for none.
pub(crate) fn or_dash(value: Option<f64>, digits: usize) -> String {
    value
        .filter(|value| value.is_finite())
        .map_or_else(|| "-".into(), |value| number(value, digits))
}

/// Writes a number with so many digits behind the point.
pub(crate) fn number(value: f64, digits: usize) -> String {
    format!("{value:.digits$}")
}

/// Joins names, or says that there are none.
pub(crate) fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_markdown_and_holds_any_cell() {
        let mut table = Table::new(["how", "WER", "CPU s"]);
        assert!(table.is_empty());
        table.row(["a|b", "1.0"]);
        let text = "| how | WER | CPU s |\n|---|--:|--:|\n| a\\|b | 1.0 |  |\n";
        assert_eq!(table.to_string(), text);
    }

    #[test]
    fn what_there_is_not_is_a_dash() {
        assert_eq!(
            [or_dash(None, 1), or_dash(Some(f64::NAN), 1), or_dash(Some(1.25), 1)],
            ["-", "-", "1.2"]
        );
        assert_eq!([names([]), names(["a", "b"])], ["none", "a, b"]);
    }
}
