//! Says what got slower, or worse, since an older run, beyond the noise of the turns.
//!
//! Turns are paired: the same voice note, sent the same way, the same time round. For each name of
//! [`BenchTurn::times`] the paired differences have a median, and the bootstrap says how far it may
//! be off; [`Judgement`] says what counts. A machine that was slower for a whole run looks like a slower
//! program: [`Comparison::warnings`] may tell.

mod bootstrap;
mod read;
#[cfg(test)]
mod tests;
mod text;
mod words;

use std::collections::HashMap;

use bootstrap::{RESAMPLES, interval, median};

use super::table::ORDER;
use super::{BenchReport, BenchTurn, WordCount};
pub use read::CompareError;
pub use words::ComparedWords;

/// Pairs below which the bootstrap's interval is too narrow to be believed.
const FEWEST_PAIRS: usize = 20;

/// The chance that any of the intervals misses its figure: each gets an equal share of it
/// (Bonferroni), so that no stage is called slower only because many were looked at.
const OUTSIDE: f64 = 0.01;

/// Holds what changed from an older run to a newer one. `Display` writes it as a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Names the older run: when it began, and its commit.
    pub old: String,
    /// What is not the same in both besides the code: machine, build, models.
    pub unlike: Vec<String>,
    /// Why a machine may have been slower in one of the runs than in the other.
    pub warnings: Vec<String>,
    /// Turns that both runs have.
    pub turns: usize,
    /// Of those, the ones without a voice note, in the older and the newer run.
    pub errors: [usize; 2],
    /// The times that turns of both runs have, in the order of the path.
    pub times: Vec<ComparedTime>,
    /// What was heard wrongly, if both know it.
    pub words: Option<ComparedWords>,
}

/// Holds one time of the turns that both runs answered, in milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct ComparedTime {
    /// A stage, or another name of [`BenchTurn::times`].
    pub name: String,
    /// Turns that have it in both runs.
    pub pairs: usize,
    /// Median of the older run.
    pub old_p50: f64,
    /// Median of the newer run.
    pub new_p50: f64,
    /// Median of the differences, newer minus older.
    pub difference: f64,
    /// Where that median lies, with 99 % for all rows together.
    pub interval: (f64, f64),
    /// What that means.
    pub verdict: Judgement,
}

/// Judges a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// The whole interval lies above 0.1 ms and above 1 % of the older median; for words, above
    /// zero.
    Worse,
    /// The whole interval lies as far below zero.
    Better,
    /// Neither.
    Same,
    /// There are fewer than 20 pairs.
    TooFew,
}

impl Judgement {
    fn of((low, high): (f64, f64), least: f64, pairs: usize) -> Self {
        if pairs < FEWEST_PAIRS {
            Self::TooFew
        } else if low > least {
            Self::Worse
        } else if high < -least {
            Self::Better
        } else {
            Self::Same
        }
    }
}

impl Comparison {
    /// Compares a run with an older one.
    ///
    /// # Errors
    /// [`CompareError::NothingInCommon`] if no voice note was sent the same way in both.
    pub fn of(old: &BenchReport, new: &BenchReport) -> Result<Self, CompareError> {
        Self::with(old, new, RESAMPLES)
    }

    fn with(old: &BenchReport, new: &BenchReport, resamples: usize) -> Result<Self, CompareError> {
        let earlier: HashMap<TurnKey, &BenchTurn> = keyed(old).into_iter().collect();
        let both =
            keyed(new).into_iter().filter_map(|(key, turn)| Some((*earlier.get(&key)?, turn)));
        let both: Vec<(&BenchTurn, &BenchTurn)> = both.collect();
        if both.is_empty() {
            return Err(CompareError::NothingInCommon {
                old: text::sent(old),
                new: text::sent(new),
            });
        }
        let errors = [
            both.iter().filter(|(old, _)| old.error.is_some()).count(),
            both.iter().filter(|(_, new)| new.error.is_some()).count(),
        ];
        let turns = both.len();
        let answered =
            both.into_iter().filter(|(old, new)| old.error.is_none() && new.error.is_none());
        let answered: Vec<_> = answered.collect();
        let pairs = paired_times(&answered);
        let counts: Vec<(WordCount, WordCount)> =
            answered.iter().filter_map(|(old, new)| Some((old.words?, new.words?))).collect();
        #[expect(clippy::cast_precision_loss, reason = "a few names")]
        let outside = OUTSIDE / (pairs.len() + usize::from(!counts.is_empty())).max(1) as f64;
        Ok(Self {
            old: format!("{} (hark {})", old.began, old.commit),
            unlike: text::unlike(old, new),
            warnings: text::warnings(old, new),
            turns,
            errors,
            times: pairs
                .into_iter()
                .map(|(name, pairs)| ComparedTime::of(name, &pairs, outside, resamples))
                .collect(),
            words: ComparedWords::of(&counts, outside, resamples),
        })
    }

    /// Returns whether anything got worse: a time or words beyond noise, or any more errors.
    #[must_use]
    pub fn is_worse(&self) -> bool {
        let [before, after] = self.errors;
        let words = self.words.iter().map(|words| words.verdict);
        let mut verdicts = self.times.iter().map(|time| time.verdict).chain(words);
        after > before || verdicts.any(|verdict| verdict == Judgement::Worse)
    }
}

impl ComparedTime {
    /// `pairs` are the older and the newer time, in the order of the turns; there is one or more.
    fn of(name: &'static str, pairs: &[(f64, f64)], outside: f64, resamples: usize) -> Self {
        let median_of = |time: fn(&(f64, f64)) -> f64| {
            median(&mut pairs.iter().map(time).collect::<Vec<f64>>())
        };
        let differences: Vec<f64> = pairs.iter().map(|(old, new)| new - old).collect();
        let old_p50 = median_of(|(old, _)| *old);
        let interval = interval(&differences, outside, resamples, median);
        Self {
            name: name.to_owned(),
            pairs: pairs.len(),
            old_p50,
            new_p50: median_of(|(_, new)| *new),
            difference: median_of(|(old, new)| new - old),
            interval,
            verdict: Judgement::of(interval, (0.01 * old_p50).max(0.1), pairs.len()),
        }
    }
}

/// Returns the times that both turns of a pair have, by name, in the order of the path.
fn paired_times(pairs: &[(&BenchTurn, &BenchTurn)]) -> Vec<(&'static str, Vec<(f64, f64)>)> {
    let mut paired: Vec<(&str, Vec<(f64, f64)>)> = Vec::new();
    for (old, new) in pairs {
        let before = old.times();
        for (name, new) in new.times() {
            let same = before.iter().find(|(other, _)| *other == name);
            let Some((_, old)) = same.filter(|(_, old)| old.is_finite() && new.is_finite()) else {
                continue;
            };
            match paired.iter_mut().find(|(known, _)| *known == name) {
                Some((_, times)) => times.push((*old, new)),
                None => paired.push((name, vec![(*old, new)])),
            }
        }
    }
    paired.sort_by_key(|(name, _)| {
        ORDER.iter().position(|known| known == name).unwrap_or(ORDER.len())
    });
    paired
}

/// How a note was sent, which, and how many times it had been sent so before.
type TurnKey<'a> = (String, &'a str, usize);

/// Returns the turns in the order in which they were due.
fn keyed(report: &BenchReport) -> Vec<(TurnKey<'_>, &BenchTurn)> {
    let mut turns: Vec<&BenchTurn> = report.turns.iter().collect();
    turns.sort_by(|a, b| a.step.cmp(&b.step).then(a.due_ms.total_cmp(&b.due_ms)));
    let mut sent: HashMap<(String, &str), usize> = HashMap::new();
    let keyed = turns.into_iter().filter_map(|turn| {
        let workload = report.steps.get(turn.step)?.workload.describe();
        let times = sent.entry((workload.clone(), &turn.fixture)).or_default();
        *times += 1;
        Some(((workload, turn.fixture.as_str(), *times), turn))
    });
    keyed.collect()
}
