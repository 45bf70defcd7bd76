//! The wait of a turn that could not end before its next attempt.

use std::time::Duration;

/// Limits the wait between attempts, unless the error asks for more.
pub(super) const LONGEST: Duration = Duration::from_mins(15);

/// Counts the waits that grow.
const STEPS: u32 = 5;

/// Returns the wait after attempt `attempt`, which counts from 1 and whose error asks for `asked`:
/// that, then 4, 16, 64 times that.
pub fn back_off(asked: Duration, attempt: u32) -> Duration {
    let longer = asked.saturating_mul(4_u32.pow(attempt.saturating_sub(1).min(STEPS)));
    longer.min(LONGEST).max(asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_quarter_of_an_hour_and_never_fall_short_of_what_is_asked() {
        let waits = |asked| [1, 2, 3, 4, 5, 6, 90].map(|n| back_off(Duration::from_secs(asked), n));
        assert_eq!(waits(2), [2, 8, 32, 128, 512, 900, 900].map(Duration::from_secs));
        assert_eq!(waits(3600), [Duration::from_hours(1); 7]);
        assert_eq!(waits(0), [Duration::ZERO; 7]);
        assert_eq!(back_off(Duration::from_secs(2), 0), Duration::from_secs(2));
        assert_eq!(back_off(Duration::MAX, 9), Duration::MAX);
    }
}
