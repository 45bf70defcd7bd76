//! Bootstraps: how far a figure of these turns could lie from that of endlessly many.
//!
//! Neighbouring turns share the moods of a machine, so blocks of turns are drawn, not single ones:
//! the circular block bootstrap of Politis and Romano (1992). With single ones, two runs of the same
//! program on a machine that now and then slows down for ten turns nearly always differ.

/// Enough for the tails of [`interval`]: of ten rows, five draws lie beyond each end.
pub(super) const RESAMPLES: usize = 10_000;

/// The same files give the same answer.
const SEED: u64 = 13;

/// Fewer blocks than this make the interval too narrow.
const FEWEST_BLOCKS: usize = 25;

/// Returns the interval outside of which `statistic` of more such turns lies with the probability
/// `outside`. The order of the values is that of the turns; there has to be one.
pub(super) fn interval<T: Copy>(
    values: &[T],
    outside: f64,
    resamples: usize,
    statistic: impl Fn(&mut [T]) -> f64,
) -> (f64, f64) {
    let mut random = fastrand::Rng::with_seed(SEED);
    let block = values.len().isqrt().min(values.len() / FEWEST_BLOCKS).max(1);
    let mut drawn = Vec::with_capacity(values.len() + block);
    let mut figures: Vec<f64> = (0..resamples)
        .map(|_| {
            drawn.clear();
            while drawn.len() < values.len() {
                let (before, from) = values.split_at(random.usize(..values.len()));
                let run = &from[..block.min(from.len())];
                drawn.extend_from_slice(run);
                drawn.extend_from_slice(&before[..block - run.len()]);
            }
            statistic(&mut drawn[..values.len()])
        })
        .collect();
    figures.sort_by(f64::total_cmp);
    #[expect(clippy::cast_precision_loss, reason = "thousands")]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of them")]
    let beyond = (resamples as f64 * outside / 2.0) as usize;
    (figures[beyond], figures[resamples - 1 - beyond])
}

/// Returns the middle value, of an even number the upper of two; sorts a part of the values.
pub(super) fn median(values: &mut [f64]) -> f64 {
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_the_same_each_time_and_holds_the_figure() {
        let values: Vec<f64> = (0..101).map(f64::from).collect();
        let of = |outside| interval(&values, outside, 2000, median);
        assert_eq!(of(0.05), of(0.05));
        let (low, high) = of(0.05);
        assert!(low < 50.0 && 50.0 < high && (10.0..60.0).contains(&(high - low)), "{low} {high}");
        let (lower, higher) = of(0.001);
        assert!(lower < low && high < higher, "a surer interval is wider: {lower} {higher}");
    }

    #[test]
    fn one_value_is_its_own_interval() {
        assert_eq!(interval(&[3.0], 0.05, 100, median), (3.0, 3.0));
    }

    #[test]
    fn values_that_come_in_runs_get_a_wider_interval() {
        let runs: Vec<f64> = (0..400).map(|place| f64::from(place / 20 % 2)).collect();
        let mixed: Vec<f64> = (0..400).map(|place| f64::from(place % 2)).collect();
        let mean = |values: &mut [f64]| values.iter().sum::<f64>() / 400.0;
        let width = |values: &[f64]| {
            let (low, high) = interval(values, 0.05, 500, mean);
            high - low
        };
        assert!(width(&runs) > 3.0 * width(&mixed), "{} {}", width(&runs), width(&mixed));
    }
}
