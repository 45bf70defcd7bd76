//! Models beside one another: a row for each contestant with each of them.

use super::{Table, number, or_dash};
use crate::rate;
use crate::row::Row;

/// Compares models by the rows of each. A model that knows fewer languages heard fewer recordings.
pub(crate) fn table(models: &[(String, Vec<Row>)]) -> Table {
    let mut table = Table::new(["model", "how", "recordings", "WER", "CPU s", "failed"]);
    for (model, rows) in models {
        for who in rate::contestants(rows) {
            let own = rate::of(rows, who);
            table.row([
                model.clone(),
                who.to_owned(),
                own.len().to_string(),
                or_dash(rate::wer(&own), 2),
                number(rate::cpu_s(&own), 1),
                own.iter().filter(|row| row.heard.is_err()).count().to_string(),
            ]);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::testing::row;

    #[test]
    fn every_model_has_a_row_for_each_contestant() {
        let rows = vec![row("hark", "en", 10, 1), row("other", "en", 10, 2)];
        let text = table(&[("base".into(), rows), ("mine".into(), Vec::new())]).to_string();
        let lines =
            "| base | hark | 1 | 10.00 | 2.0 | 0 |\n| base | other | 1 | 20.00 | 2.0 | 0 |\n";
        assert!(text.ends_with(lines), "{text}");
    }
}
