//! Finds the knee: how much load a service takes before its answers only become later.

use super::report::BenchStep;

/// Returns the step with the greatest power: throughput divided by the median time of an answer.
/// Below it, more load brings more answers; beyond it, mostly longer waiting.
///
/// `None` with fewer than three steps, if nothing was answered, and if the last step is the best:
/// then the knee was not reached. Source: Kleinrock, "Power and deterministic rules of thumb for
/// probabilistic problems in computer communications", ICC 1979.
#[must_use]
pub fn knee(steps: &[BenchStep]) -> Option<usize> {
    let (last, earlier) = steps.split_last().filter(|(_, earlier)| earlier.len() >= 2)?;
    let best = |best: (Option<usize>, f64), (place, step): (usize, &BenchStep)| {
        let power = power(step);
        if power > best.1 { (Some(place), power) } else { best }
    };
    let (place, most) = earlier.iter().enumerate().fold((None, 0.0), best);
    place.filter(|_| power(last) <= most)
}

/// Returns 0 for a step without answers.
fn power(step: &BenchStep) -> f64 {
    let answer = step.summary.get("answer").map_or(f64::INFINITY, |answer| answer.p50);
    let power = step.notes_per_s / answer;
    if power.is_finite() { power } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::sample::step;

    /// Returns the knee of steps with these notes a second and medians in milliseconds.
    fn knee_of(steps: &[(f64, f64)]) -> Option<usize> {
        let steps: Vec<BenchStep> =
            (1..).zip(steps).map(|(n, (rate, ms))| step(n, *rate, *ms)).collect();
        knee(&steps)
    }

    #[test]
    fn the_knee_is_where_more_load_only_makes_answers_later() {
        let two_cores = [(1.0, 1000.0), (2.0, 1000.0), (2.1, 1450.0), (2.1, 1900.0)];
        assert_eq!(knee_of(&two_cores), Some(1));
        let saturated_at_once = [(1.0, 1000.0), (1.0, 2000.0), (1.0, 3000.0)];
        assert_eq!(knee_of(&saturated_at_once), Some(0));
    }

    #[test]
    fn a_knee_that_was_not_reached_is_none() {
        assert_eq!(knee_of(&[(1.0, 1000.0), (2.0, 1000.0), (4.0, 1000.0)]), None);
        assert_eq!(knee_of(&[(2.0, 1000.0), (1.0, 1000.0)]), None, "two points have no bend");
        assert_eq!(knee_of(&[]), None);
    }

    #[test]
    fn of_equals_the_first_is_the_knee() {
        assert_eq!(knee_of(&[(1.0, 1000.0), (2.0, 2000.0), (2.0, 2000.0)]), Some(0));
    }

    #[test]
    fn steps_without_answers_have_no_power() {
        let odd =
            [(f64::NAN, 1000.0), (1.0, 1000.0), (1.0, 0.0), (f64::INFINITY, 5.0), (0.5, 900.0)];
        assert_eq!(knee_of(&odd), Some(1));
        let mut steps = vec![step(1, 0.0, 1000.0), step(2, 0.0, 1000.0), step(3, 0.0, 1000.0)];
        assert_eq!(knee(&steps), None);
        for step in &mut steps {
            step.summary.clear();
        }
        assert_eq!(knee(&steps), None);
    }
}
