//! Sums over rows: error rates, seconds and medians.

use crate::row::{Row, ratio};

/// Returns the rows of one contestant.
pub(crate) fn of<'a>(rows: &'a [Row], who: &str) -> Vec<&'a Row> {
    rows.iter().filter(|row| row.who == who).collect()
}

/// Returns the contestants in the order of their rows, each once.
pub(crate) fn contestants(rows: &[Row]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for row in rows {
        if !names.contains(&row.who.as_str()) {
            names.push(&row.who);
        }
    }
    names
}

/// Computes the word error rate over all rows, in per cent; `None` without words.
pub(crate) fn wer(rows: &[&Row]) -> Option<f64> {
    let words: usize = rows.iter().map(|row| row.clip.said.len()).sum();
    let wrong: usize = rows.iter().map(|row| row.wrong()).sum();
    (words > 0).then(|| 100.0 * ratio(wrong, words))
}

/// Sums the CPU seconds.
pub(crate) fn cpu_s(rows: &[&Row]) -> f64 {
    rows.iter().map(|row| row.took.cpu_s).sum()
}

/// Returns the median of the seconds by the clock, `None` without rows.
pub(crate) fn wall_s(rows: &[&Row]) -> Option<f64> {
    let mut times: Vec<f64> = rows.iter().map(|row| row.took.wall_s).collect();
    times.sort_by(f64::total_cmp);
    let middle = times.len() / 2;
    match times.len() {
        0 => None,
        count if count % 2 == 1 => Some(times[middle]),
        _ => Some(f64::midpoint(times[middle - 1], times[middle])),
    }
}

/// Keeps the rows of recordings that last from `from` to below `to` seconds.
pub(crate) fn lasting<'a>(rows: &[&'a Row], from: f64, to: f64) -> Vec<&'a Row> {
    rows.iter().filter(|row| (from..to).contains(&row.clip.seconds)).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::testing::{failed, row};

    #[test]
    fn rates_are_over_all_words_and_failures_count_whole() {
        let rows = [row("a", "en", 10, 1), row("a", "de", 20, 4), failed("a", "fr", 10)];
        let rows: Vec<&Row> = rows.iter().collect();
        assert_eq!(wer(&rows), Some(37.5));
        assert_eq!(wer(&rows[2..]), Some(100.0));
        assert_eq!(wer(&[]), None);
    }

    #[test]
    fn the_median_is_the_middle_or_between_the_two_in_the_middle() {
        let mut rows = [row("a", "en", 1, 0), row("a", "en", 1, 0), row("a", "en", 1, 0)];
        for (row, wall_s) in rows.iter_mut().zip([9.0, 1.0, 2.0]) {
            row.took.wall_s = wall_s;
        }
        let all: Vec<&Row> = rows.iter().collect();
        assert_eq!(wall_s(&all), Some(2.0));
        assert_eq!(wall_s(&all[..2]), Some(5.0));
        assert_eq!(wall_s(&[]), None);
    }

    #[test]
    fn rows_are_found_by_contestant_and_by_length() {
        let rows = [row("b", "en", 1, 0), row("a", "en", 1, 0), row("b", "de", 1, 0)];
        assert_eq!(contestants(&rows), ["b", "a"]);
        assert_eq!(of(&rows, "b").len(), 2);
        let all: Vec<&Row> = rows.iter().collect();
        assert_eq!(lasting(&all, 0.0, 5.0).len(), 0);
        assert_eq!(lasting(&all, 5.0, 5.1).len(), 3);
    }
}
