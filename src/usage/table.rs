//! A table as CSV: RFC 4180, and without a cell that a spreadsheet would take for a formula.

/// Writes a header, unless it is empty, and rows.
pub fn csv(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut writer =
        csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let mut write = |row: &[String]| {
        writer.write_record(row.iter().map(|cell| harmless(cell))).expect("memory takes all");
    };
    if !header.is_empty() {
        write(&header.iter().map(|&name| name.to_owned()).collect::<Vec<_>>());
    }
    for row in rows {
        write(&row);
    }
    let bytes = writer.into_inner().expect("memory takes all");
    String::from_utf8(bytes).expect("texts are UTF-8")
}

/// Puts a `'` before what begins as a formula does: spreadsheets then show the text as it is. Source:
/// OWASP, CSV injection.
fn harmless(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    if formula { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_as_the_rfc_says_and_no_formula_is_left() {
        let row = ["a,b", "say \"hi\"", "two\nlines", "=1+1", "-2", "@cmd", "plain", ""];
        let row = row.map(str::to_owned).to_vec();
        let written = csv(&["one", "two", "3", "4", "5", "6", "7", "8"], [row]);
        assert_eq!(
            written,
            "one,two,3,4,5,6,7,8\r\n\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\",'=1+1,'-2,'@cmd,plain,\r\n"
        );
        assert_eq!(csv(&["a", "b"], []), "a,b\r\n");
    }
}
