//! The one place time comes from, so that tests can set it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The machine's time when the process first asked for it, and the same instant by a clock that
/// nobody can set.
static ANCHOR: LazyLock<(Duration, Instant)> = LazyLock::new(|| {
    // First the steady one, and both unrounded: added up they are never behind the machine's.
    let steady = Instant::now();
    (system(), steady)
});

/// Returns the machine's time since 1970.
fn system() -> Duration {
    #[expect(clippy::disallowed_methods, reason = "the clock itself")]
    let now = SystemTime::now();
    now.duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Tells wall-clock time in Unix milliseconds.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// The clock that all nodes of a store share.
    Shared(Arc<SharedClock>),
    /// A clock that tests move by hand.
    Manual(Arc<AtomicI64>),
}

/// Goes on from what another machine's clock showed, by a clock that nobody can set.
#[derive(Debug)]
pub struct SharedClock(Mutex<(i64, Instant)>);

impl SharedClock {
    /// Makes one that showed `ms` at `at`.
    pub fn new(ms: i64, at: Instant) -> Self {
        Self(Mutex::new((ms, at)))
    }

    /// Notes what the other clock showed at `at`.
    pub fn set(&self, ms: i64, at: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (ms, at);
    }

    fn now_ms(&self) -> i64 {
        let (ms, at) = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ms.saturating_add(as_ms(at.elapsed()))
    }
}

impl Clock {
    /// Makes a manual clock that shows `now_ms`.
    pub fn manual(now_ms: i64) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(now_ms)))
    }

    /// Returns the time, in Unix milliseconds.
    pub fn now_ms(&self) -> i64 {
        match self {
            Self::System => {
                LazyLock::force(&ANCHOR);
                as_ms(system())
            }
            Self::Shared(shared) => shared.now_ms(),
            Self::Manual(ms) => ms.load(Ordering::SeqCst),
        }
    }

    /// Returns how old is what happened at `since_ms`: by the machine's clock, but no older than it
    /// would be if nobody had set that clock since the process began.
    pub fn age(&self, since_ms: i64) -> Duration {
        let now_ms = self.now_ms();
        let steady_ms = match self {
            Self::System => as_ms(ANCHOR.0.saturating_add(ANCHOR.1.elapsed())),
            Self::Shared(_) | Self::Manual(_) => now_ms,
        };
        age(now_ms, steady_ms, since_ms)
    }

    /// Lengthens a wait by up to a tenth, so that what failed together is not tried again together; by a
    /// clock that tests move it stays as it is.
    pub fn spread(&self, wait: Duration) -> Duration {
        match self {
            Self::System | Self::Shared(_) => wait.mul_f64(1.0 + fastrand::f64() / 10.0),
            Self::Manual(_) => wait,
        }
    }

    /// Moves a manual clock forward; the system clock stays as it is.
    pub fn advance(&self, ms: i64) {
        if let Self::Manual(now) = self {
            now.fetch_add(ms, Ordering::SeqCst);
        }
    }
}

fn age(now_ms: i64, steady_ms: i64, since_ms: i64) -> Duration {
    let age_ms = now_ms.min(steady_ms).saturating_sub(since_ms);
    Duration::from_millis(age_ms.try_into().unwrap_or_default())
}

/// Returns a duration in milliseconds.
pub fn as_ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_makes_nothing_older() {
        const DAY_MS: i64 = 24 * 60 * 60 * 1000;
        let minute = Duration::from_mins(1);
        assert_eq!(age(60_000, 60_000, 0), minute);
        assert_eq!(age(60_000 + 2 * DAY_MS, 60_000, 0), minute, "set ahead");
        assert_eq!(age(60_000 - DAY_MS, 60_000, 0), Duration::ZERO, "set back");
        assert_eq!(age(i64::MAX, i64::MAX, i64::MIN), Duration::from_millis(i64::MAX as u64));
        let system = Clock::System;
        assert!(system.age(system.now_ms() - 60_000) >= minute);
    }
}
