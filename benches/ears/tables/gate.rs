//! The gate: which words hark asks back about, and which it should.

use super::{Table, names, number};
use crate::rate;
use crate::row::Row;

/// Words at most this wrong are answered rightly; asking back about them is wrong.
const GOOD: f64 = 0.20;
/// Words more wrong than this must be asked back about.
const BAD: f64 = 0.50;

/// Counts what is asked back about, and names what is decided wrongly.
pub(crate) fn table(rows: &[Row]) -> Table {
    let mut table = Table::new([
        "how",
        "recordings",
        "asked back",
        "wrongly asked",
        "wrongly passed",
        "which were asked wrongly",
        "which passed wrongly",
    ]);
    for who in rate::contestants(rows) {
        let own = judged(rows, who);
        if own.is_empty() {
            continue;
        }
        let decided = decide(&own, asks_back);
        table.row([
            who.to_owned(),
            own.len().to_string(),
            decided.asked.to_string(),
            decided.wrongly_asked.len().to_string(),
            decided.wrongly_passed.len().to_string(),
            names(decided.wrongly_asked.iter().map(|row| row.clip.name.as_str())),
            names(decided.wrongly_passed.iter().map(|row| row.clip.name.as_str())),
        ]);
    }
    table
}

/// Tries thresholds of the mean log probability; below it words would be asked back about. A cell
/// is: asked back, of them wrongly, wrongly passed.
pub(crate) fn by_logprob(rows: &[Row]) -> Table {
    let judged: Vec<(&str, Vec<&Row>)> = rate::contestants(rows)
        .into_iter()
        .map(|who| (who, judged(rows, who)))
        .filter(|(_, own)| !own.is_empty())
        .collect();
    let mut head = vec!["log probability below"];
    head.extend(judged.iter().map(|(who, _)| who));
    let mut table = Table::new(head);
    for threshold in (4..=14).map(|tenth| f64::from(-tenth) / 10.0) {
        let unsure = |row: &Row| {
            let mean = row.doubt().and_then(|doubt| doubt.logprob);
            is_silent(row) || mean.is_none_or(|mean| mean < threshold)
        };
        let mut cells = vec![number(threshold, 1)];
        cells.extend(judged.iter().map(|(_, own)| {
            let Decided { asked, wrongly_asked, wrongly_passed } = decide(own, unsure);
            format!("{asked} / {} / {}", wrongly_asked.len(), wrongly_passed.len())
        }));
        table.row(cells);
    }
    table
}

/// Tries thresholds of the probability of no speech: whom each would refuse, and in how many noises
/// words would be left. No words are nobody's words.
pub(crate) fn by_no_speech(people: &[&Row], noise: &[&Row]) -> Table {
    let spoken = |row: &Row, threshold: f64| {
        !is_silent(row) && row.doubt().is_some_and(|doubt| doubt.no_speech <= threshold)
    };
    let mut table = Table::new(["no speech above", "people refused", "noises with words"]);
    for threshold in (1..=18).map(|twentieth| f64::from(twentieth) / 20.0) {
        let refused = people.iter().filter(|row| !spoken(row, threshold)).count();
        let loud = noise.iter().filter(|row| spoken(row, threshold)).count();
        table.row([
            number(threshold, 2),
            format!("{refused} of {}", people.len()),
            format!("{loud} of {}", noise.len()),
        ]);
    }
    table
}

/// Returns whether the person is asked to say it again, or whether it was what was heard.
fn asks_back(row: &Row) -> bool {
    is_silent(row) || row.doubt().is_some_and(|doubt| doubt.uncertain.is_some())
}

fn is_silent(row: &Row) -> bool {
    row.heard.is_ok() && row.words() == 0
}

/// Holds what a rule decides.
struct Decided<'a> {
    asked: usize,
    wrongly_asked: Vec<&'a Row>,
    wrongly_passed: Vec<&'a Row>,
}

fn decide<'a>(rows: &[&'a Row], asks: impl Fn(&Row) -> bool) -> Decided<'a> {
    let (asked, passed): (Vec<&Row>, Vec<&Row>) = rows.iter().copied().partition(|row| asks(row));
    Decided {
        asked: asked.len(),
        wrongly_asked: asked.into_iter().filter(|row| row.rate() <= GOOD).collect(),
        wrongly_passed: passed.into_iter().filter(|row| row.rate() > BAD).collect(),
    }
}

/// Returns the rows of `who` that hark has judged: those of other programs are none.
fn judged<'a>(rows: &'a [Row], who: &str) -> Vec<&'a Row> {
    rate::of(rows, who).into_iter().filter(|row| row.doubt().is_some()).collect()
}

#[cfg(test)]
mod tests {
    use hark::turn::Uncertainty;

    use super::*;
    use crate::tables::testing::{doubted, row};

    fn rows() -> Vec<Row> {
        let low = Some(Uncertainty::LowProbability);
        vec![
            doubted((10, 0), -0.2, 0.1, None),
            doubted((10, 2), -0.8, 0.1, low),
            doubted((10, 4), -0.6, 0.1, low),
            doubted((10, 6), -0.5, 0.3, None),
            doubted((10, 9), -1.2, 0.5, low),
            row("other", "en", 10, 10),
        ]
    }

    #[test]
    fn what_is_asked_and_passed_wrongly_is_counted_and_named() {
        let text = table(&rows()).to_string();
        let line = "| hark | 5 | 3 | 1 | 1 | en/hark.ogg | en/hark.ogg |\n";
        assert!(text.ends_with(line), "{text}");
    }

    #[test]
    fn who_was_not_heard_at_all_is_asked_again() {
        let mut silent = doubted((10, 10), -0.1, 0.9, None);
        if let Ok(heard) = &mut silent.heard {
            heard.words.clear();
        }
        let text = table(&[silent]).to_string();
        assert!(text.ends_with("| hark | 1 | 1 | 0 | 0 | none | none |\n"), "{text}");
    }

    #[test]
    fn each_threshold_is_tried() {
        let text = by_logprob(&rows()).to_string();
        for line in ["| -0.4 | 4 / 1 / 0 |", "| -0.7 | 2 / 1 / 1 |", "| -1.0 | 1 / 0 / 1 |"] {
            assert!(text.contains(line), "{text}");
        }
        let rows = rows();
        let people: Vec<&Row> = rows.iter().take(5).collect();
        let text = by_no_speech(&people, &people[3..]).to_string();
        for line in ["| 0.20 | 2 of 5 | 0 of 2 |", "| 0.40 | 1 of 5 | 1 of 2 |"] {
            assert!(text.contains(line), "{text}");
        }
    }
}
