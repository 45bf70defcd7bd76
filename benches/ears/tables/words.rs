//! Words and cost: the error rate, CPU seconds and seconds by the clock of every contestant.

use super::{Table, number, or_dash};
use crate::clip::FIVE;
use crate::rate;
use crate::row::Row;

/// The length of the notes whose seconds by the clock are compared.
const NOTE: (f64, f64) = (4.0, 7.0);

/// Compares all contestants; the ratios are to each of `rivals` that took part.
pub(crate) fn table(rows: &[Row], rivals: &[String]) -> Table {
    let languages = languages(rows);
    let rivals: Vec<&String> =
        rivals.iter().filter(|rival| !rate::of(rows, rival).is_empty()).collect();
    let mut head = vec!["how".to_owned(), "WER all".into()];
    head.extend(languages.iter().cloned());
    head.push("CPU s".into());
    head.extend(rivals.iter().map(|rival| format!("of {rival}")));
    head.push(format!("s, notes of {} to {} s", NOTE.0, NOTE.1));
    head.extend(rivals.iter().map(|rival| format!("times as fast as {rival}")));
    head.push("failed".into());

    let mut table = Table::new(head);
    for who in rate::contestants(rows) {
        let own = rate::of(rows, who);
        let mut cells = vec![who.to_owned(), or_dash(rate::wer(&own), 2)];
        cells.extend(
            languages.iter().map(|language| or_dash(rate::wer(&spoken(&own, language)), 1)),
        );
        let cpu_s = rate::cpu_s(&own);
        cells.push(number(cpu_s, 1));
        let of = |rival: &String| or_dash(Some(cpu_s / rate::cpu_s(&rate::of(rows, rival))), 2);
        cells.extend(rivals.iter().map(|rival| of(rival)));
        let wall_s = note_s(&own);
        cells.push(or_dash(wall_s, 2));
        let faster = |rival: &String| Some(note_s(&rate::of(rows, rival))? / wall_s?);
        cells.extend(rivals.iter().map(|rival| or_dash(faster(rival), 1)));
        cells.push(own.iter().filter(|row| row.heard.is_err()).count().to_string());
        table.row(cells);
    }
    table
}

/// Counts the recordings, seconds and words behind a table.
pub(crate) fn basis(rows: &[Row]) -> String {
    let first = rate::contestants(rows).first().map(|who| rate::of(rows, who)).unwrap_or_default();
    let seconds: f64 = first.iter().map(|row| row.clip.seconds).sum();
    let words: usize = first.iter().map(|row| row.clip.said.len()).sum();
    let notes = rate::lasting(&first, NOTE.0, NOTE.1).len();
    format!(
        "{} recordings, {seconds:.0} s, {words} words; {notes} of them last {} to {} s.",
        first.len(),
        NOTE.0,
        NOTE.1
    )
}

/// Returns the median of the seconds by the clock for an ordinary note.
fn note_s(rows: &[&Row]) -> Option<f64> {
    rate::wall_s(&rate::lasting(rows, NOTE.0, NOTE.1))
}

/// Returns the languages that are spoken: the five of the corpus first.
fn languages(rows: &[Row]) -> Vec<String> {
    let mut languages: Vec<String> = Vec::new();
    for language in rows.iter().filter_map(|row| row.clip.language.as_ref()) {
        if !languages.iter().any(|known| known == language.primary()) {
            languages.push(language.primary().to_owned());
        }
    }
    let place = |code: &String| FIVE.iter().position(|five| five == code).unwrap_or(FIVE.len());
    languages.sort_by_key(|code| (place(code), code.clone()));
    languages
}

fn spoken<'a>(rows: &[&'a Row], language: &str) -> Vec<&'a Row> {
    let is = |row: &&&Row| row.clip.language.as_ref().is_some_and(|is| is.primary() == language);
    rows.iter().filter(is).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::Took;
    use crate::tables::testing::{failed, row};

    #[test]
    fn contestants_are_compared_in_all_and_by_language() {
        let slow = |row: Row| Row { took: Took { cpu_s: 8.0, wall_s: 3.0 }, ..row };
        let rows = [
            row("hark", "en", 20, 1),
            slow(row("rival", "en", 20, 2)),
            row("hark", "de", 20, 4),
            slow(failed("rival", "de", 20)),
        ];
        let rivals = ["rival".to_owned(), "absent".to_owned()];
        let text = table(&rows, &rivals).to_string();
        let expected = "\
| how | WER all | de | en | CPU s | of rival | s, notes of 4 to 7 s | times as fast as rival | failed |
|---|--:|--:|--:|--:|--:|--:|--:|--:|
| hark | 12.50 | 20.0 | 5.0 | 4.0 | 0.25 | 1.00 | 3.0 | 0 |
| rival | 55.00 | 100.0 | 10.0 | 16.0 | 1.00 | 3.00 | 1.0 | 1 |
";
        assert_eq!(text, expected);
        assert_eq!(basis(&rows), "2 recordings, 10 s, 40 words; 2 of them last 4 to 7 s.");
    }
}
