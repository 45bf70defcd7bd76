//! Vocabulary: names that are heard with a list of them and without.

use hark::stt::wer;

use super::{Table, number, or_dash};
use crate::rate;
use crate::row::Row;

/// Counts the names that were heard of those that were said, and those that nobody said.
pub(crate) fn table(rows: &[Row], names: &[String]) -> Table {
    let names: Vec<Vec<String>> = names.iter().map(|name| wer::normalise(name)).collect();
    let mut table = Table::new(["how", "names heard", "names made up", "WER", "CPU s", "failed"]);
    for who in rate::contestants(rows) {
        let own = rate::of(rows, who);
        let (mut said, mut right, mut made_up) = (0, 0, 0);
        for row in &own {
            let heard = row.heard.as_ref().map_or(&[][..], |heard| &heard.words);
            for name in &names {
                let (in_said, in_heard) = (times(name, &row.clip.said), times(name, heard));
                said += in_said;
                right += in_said.min(in_heard);
                made_up += in_heard.saturating_sub(in_said);
            }
        }
        table.row([
            who.to_owned(),
            format!("{right} of {said}"),
            made_up.to_string(),
            or_dash(rate::wer(&own), 2),
            number(rate::cpu_s(&own), 1),
            own.iter().filter(|row| row.heard.is_err()).count().to_string(),
        ]);
    }
    table
}

/// Counts how often a name is among the words.
fn times(name: &[String], words: &[String]) -> usize {
    if name.is_empty() {
        return 0;
    }
    words.windows(name.len()).filter(|window| *window == name).count()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::row::Heading;
    use crate::tables::testing::row;

    #[test]
    fn names_are_heard_missed_or_made_up() {
        let hears = |who: &str, said: &str, words: &str| {
            let mut row = row(who, "en", 1, 0);
            row.clip = Arc::new(Heading { said: wer::normalise(said), ..(*row.clip).clone() });
            if let Ok(heard) = &mut row.heard {
                heard.words = wer::normalise(words);
            }
            row
        };
        let rows = [
            hears("with", "meet Lord Byron in Sintra", "Meet Lord Byron, in Sintra!"),
            hears("with", "nothing", "Sintra"),
            hears("without", "meet Lord Byron in Sintra", "meat lord Brian in Sintra"),
        ];
        let names = ["Lord Byron".to_owned(), "Sintra".into(), "Okonkwo".into(), "!".into()];
        let text = table(&rows, &names).to_string();
        assert!(text.contains("| with | 2 of 2 | 1 |"), "{text}");
        assert!(text.contains("| without | 1 of 2 | 0 |"), "{text}");
    }
}
