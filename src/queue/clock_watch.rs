//! Notices that somebody set the machine's clock.

use std::time::Duration;

use tokio::time::Instant;

use crate::clock::as_ms;
use crate::telemetry;

/// A clock that goes this far astray between two looks was set.
const ASTRAY_MS: i64 = 30_000;

/// Compares the clock with one that nobody can set.
pub(super) struct ClockWatch {
    looked: Instant,
    then_ms: i64,
}

impl ClockWatch {
    /// Begins to watch a clock that shows `now_ms`.
    pub(super) fn new(now_ms: i64) -> Self {
        Self { looked: Instant::now(), then_ms: now_ms }
    }

    /// Returns whether the clock, which shows `now_ms`, was set since the last look; says and counts
    /// it.
    pub(super) fn was_set(&mut self, now_ms: i64) -> bool {
        let expected_ms = self.then_ms.saturating_add(as_ms(self.looked.elapsed()));
        *self = Self::new(now_ms);
        let by_ms = now_ms.saturating_sub(expected_ms);
        if by_ms.abs() < ASTRAY_MS {
            return false;
        }
        let direction = if by_ms > 0 { "ahead" } else { "back" };
        telemetry::clock_jumped(direction);
        let by_s = Duration::from_millis(by_ms.unsigned_abs()).as_secs();
        tracing::warn!(by_s, direction, "the machine's clock was set");
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_a_clock_that_leaves_the_time_that_passed_was_set() {
        const HOUR_MS: i64 = 60 * 60 * 1000;
        let mut watch = ClockWatch::new(0);
        tokio::time::advance(Duration::from_hours(1)).await;
        assert!(!watch.was_set(HOUR_MS + 1_000));
        assert!(watch.was_set(49 * HOUR_MS));
        assert!(watch.was_set(39 * HOUR_MS));
        assert!(!watch.was_set(39 * HOUR_MS));
    }
}
