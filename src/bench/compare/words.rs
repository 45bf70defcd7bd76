//! Compares what was heard wrongly.

use super::Judgement;
use super::bootstrap::interval;
use crate::bench::WordCount;

/// Holds the word error rates of the turns of which both runs know them.
#[derive(Clone, Debug, PartialEq)]
pub struct ComparedWords {
    /// Of the older run.
    pub old: WordCount,
    /// Of the newer run.
    pub new: WordCount,
    /// Where the newer rate minus the older lies.
    pub interval: (f64, f64),
    /// Says [`Judgement::Worse`] if the whole interval lies above zero.
    pub verdict: Judgement,
}

impl ComparedWords {
    /// `counts` are the older and the newer count of each turn; `None` if no word was said.
    pub(super) fn of(
        counts: &[(WordCount, WordCount)],
        outside: f64,
        resamples: usize,
    ) -> Option<Self> {
        let (old, new) = sums(counts)?;
        if old.words == 0 || new.words == 0 {
            return None;
        }
        let interval = interval(counts, outside, resamples, |counts| {
            sums(counts).map_or(0.0, |(old, new)| new.wer - old.wer)
        });
        let verdict = Judgement::of(interval, 0.0, counts.len());
        Some(Self { old, new, interval, verdict })
    }
}

fn sums(counts: &[(WordCount, WordCount)]) -> Option<(WordCount, WordCount)> {
    WordCount::sum(counts.iter().map(|(old, _)| *old))
        .zip(WordCount::sum(counts.iter().map(|(_, new)| *new)))
}
