//! Noise: words that are heard where nobody speaks.

use hark::turn::Uncertainty;

use super::{Table, names};
use crate::rate;
use crate::row::Row;

/// Counts the words that would be answered, and those that the gate asks back about.
pub(crate) fn table(rows: &[Row]) -> Table {
    let mut table = Table::new([
        "how",
        "noises",
        "with words",
        "words",
        "words that pass the gate",
        "failed",
        "which had words",
    ]);
    for who in rate::contestants(rows) {
        let own = rate::of(rows, who);
        let loud: Vec<&Row> = own.iter().filter(|row| row.words() > 0).copied().collect();
        let named: Vec<String> = loud.iter().map(|row| name(row)).collect();
        table.row([
            who.to_owned(),
            own.len().to_string(),
            loud.len().to_string(),
            loud.iter().map(|row| row.words()).sum::<usize>().to_string(),
            loud.iter()
                .filter(|row| doubt(row).is_none())
                .map(|row| row.words())
                .sum::<usize>()
                .to_string(),
            own.iter().filter(|row| row.heard.is_err()).count().to_string(),
            names(named.iter().map(String::as_str)),
        ]);
    }
    table
}

fn doubt(row: &Row) -> Option<Uncertainty> {
    row.doubt().and_then(|doubt| doubt.uncertain)
}

/// Names the noise, and why the gate asks back if it does.
fn name(row: &Row) -> String {
    let why = doubt(row).map_or("passes", Uncertainty::name);
    format!("{} ({} words, {why})", row.clip.name, row.words())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::testing::{doubted, row};

    #[test]
    fn words_in_noise_are_counted_whether_they_pass_or_not() {
        let mut passes = doubted((3, 3), -0.1, 0.0, None);
        passes.who = "hark".into();
        let asked = doubted((2, 2), -1.1, 0.0, Some(Uncertainty::LowProbability));
        let silent = row("hark", "en", 0, 0);
        let text = table(&[passes, asked, silent]).to_string();
        let line = "| hark | 3 | 2 | 5 | 3 | 0 | en/hark.ogg (3 words, passes), \
                    en/hark.ogg (2 words, low_probability) |\n";
        assert!(text.ends_with(line), "{text}");
    }
}
