//! Describes many times by their percentiles.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Percentiles by what was measured: a stage's name, or `total`, `overhead`, `queue`, `note`,
/// `answer` and `webhook`; see [`BenchTurn::times`](super::BenchTurn::times).
pub type Summary = BTreeMap<String, Spread>;

/// Says how times are spread, in milliseconds. A percentile is a value that was measured: the smallest
/// that so many per cent do not exceed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are the field's")]
pub struct Spread {
    pub p50: f64,
    pub p90: f64,
    pub p95: f64,
    pub p99: f64,
    pub max: f64,
}

impl Spread {
    /// Describes these; `None` if there are none.
    #[must_use]
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let max = *values.last()?;
        let at = |per_cent: usize| {
            let place = (values.len() * per_cent).div_ceil(100);
            values[place.saturating_sub(1)]
        };
        Some(Self { p50: at(50), p90: at(90), p95: at(95), p99: at(99), max })
    }

    /// Describes each name's values.
    #[must_use]
    pub fn by_name(values: impl IntoIterator<Item = (&'static str, f64)>) -> Summary {
        let mut by_name: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for (name, value) in values {
            by_name.entry(name).or_default().push(value);
        }
        let spreads = by_name.into_iter();
        spreads.filter_map(|(name, values)| Some((name.to_owned(), Self::of(values)?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_smallest_value_that_so_many_do_not_exceed() {
        let hundred = Spread::of((1..=100).rev().map(f64::from).collect()).unwrap();
        let expected = Spread { p50: 50.0, p90: 90.0, p95: 95.0, p99: 99.0, max: 100.0 };
        assert_eq!(hundred, expected);
        let three = Spread::of(vec![3.0, 1.0, 2.0]).unwrap();
        assert_eq!((three.p50, three.p90, three.max), (2.0, 3.0, 3.0));
        assert_eq!(Spread::of(Vec::new()), None);
    }

    #[test]
    fn each_name_has_a_spread_of_its_own() {
        let summary = Spread::by_name([("a", 1.0), ("b", 5.0), ("a", 2.0)]);
        assert_eq!((summary["a"].max, summary["b"].p50, summary.len()), (2.0, 5.0, 2));
    }
}
