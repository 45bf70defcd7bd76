//! Margins: what each window beyond the note's length costs and gains, greedily and with a beam.

use super::{Table, number, or_dash};
use crate::rate;
use crate::row::Row;
use hark::turn::Uncertainty;

/// Lengths that are told apart, in seconds.
const LENGTHS: [(f64, f64, &str); 4] = [
    (0.0, 5.0, "to 5 s"),
    (5.0, 10.0, "5 to 10 s"),
    (10.0, 20.0, "10 to 20 s"),
    (20.0, f64::INFINITY, "longer"),
];

/// Compares the ways of running a model, in all and by length.
pub(crate) fn table(rows: &[Row]) -> Table {
    let mut head = vec!["how".to_owned(), "WER all".into()];
    head.extend(LENGTHS.iter().map(|(_, _, name)| format!("WER {name}")));
    head.extend(["CPU s".to_owned(), "loops left".into(), "failed".into()]);
    let mut table = Table::new(head);
    for who in rate::contestants(rows) {
        let own = rate::of(rows, who);
        let mut cells = vec![who.to_owned(), or_dash(rate::wer(&own), 2)];
        let lasting = |from, to| or_dash(rate::wer(&rate::lasting(&own, from, to)), 1);
        cells.extend(LENGTHS.iter().map(|(from, to, _)| lasting(*from, *to)));
        cells.push(number(rate::cpu_s(&own), 1));
        cells.push(own.iter().filter(|row| is_loop(row)).count().to_string());
        cells.push(own.iter().filter(|row| row.heard.is_err()).count().to_string());
        table.row(cells);
    }
    table
}

/// Says what a beam costs and gains beside the greedy search of the same margin.
pub(crate) fn beams(rows: &[Row], pairs: &[(String, String)]) -> Table {
    let mut table = Table::new(["beam", "WER", "greedy's", "CPU s", "times greedy's"]);
    for (beam, greedy) in pairs {
        let (wide, narrow) = (rate::of(rows, beam), rate::of(rows, greedy));
        if wide.is_empty() || narrow.is_empty() {
            continue;
        }
        table.row([
            beam.clone(),
            or_dash(rate::wer(&wide), 2),
            or_dash(rate::wer(&narrow), 2),
            number(rate::cpu_s(&wide), 1),
            or_dash(Some(rate::cpu_s(&wide) / rate::cpu_s(&narrow)), 2),
        ]);
    }
    table
}

/// Returns whether the words still go round in circles.
fn is_loop(row: &Row) -> bool {
    row.doubt().is_some_and(|doubt| doubt.uncertain == Some(Uncertainty::Repetition))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::testing::{doubted, row};

    #[test]
    fn ways_are_compared_by_length_and_loops_are_counted() {
        let rows =
            [row("+8", "en", 10, 1), doubted((10, 9), -0.1, 0.0, Some(Uncertainty::Repetition))];
        let text = table(&rows).to_string();
        assert!(text.contains("| +8 | 10.00 | - | 10.0 | - | - | 2.0 | 0 | 0 |\n"), "{text}");
        assert!(text.contains("| hark | 90.00 | - | 90.0 | - | - | 2.0 | 1 | 0 |\n"), "{text}");
        let pairs = [("hark".to_owned(), "+8".to_owned()), ("none".to_owned(), "+8".to_owned())];
        let text = beams(&rows, &pairs).to_string();
        assert!(text.ends_with("|--:|\n| hark | 90.00 | 10.00 | 2.0 | 1.00 |\n"), "{text}");
    }
}
