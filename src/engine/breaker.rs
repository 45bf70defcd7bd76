//! Decides when an engine that fails is left alone, and when it is tried again.
//!
//! Pure: what happened and the time in, a decision out. Closed: every call goes to the engine. Open:
//! none does, for a pause that doubles each time. After the pause one call is its trial: it closes
//! the breaker, or opens it for longer.

use std::time::Duration;

/// Failures in a row that open it.
const FAILURES: u32 = 3;

/// The first pause and the longest: a server that starts anew is back in seconds, and one that stays
/// away costs one call in five minutes.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// Says what a failure tells of the next call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineFault {
    /// It may have been the call: several in a row count.
    Passing,
    /// The next would fail too, or be waited for in vain: not before this long.
    Lasting(Duration),
}

impl EngineFault {
    /// Marks what an operator has to mend, such as a refused key: nobody does within a minute.
    pub const TO_MEND: Self = Self::Lasting(Duration::from_mins(1));
    /// Marks a wait in vain, which others are spared.
    pub const IN_VAIN: Self = Self::Lasting(FIRST_PAUSE);
}

/// Remembers how an engine did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Breaker {
    state: BreakerState,
    /// The pause of the next opening.
    pause: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum BreakerState {
    Closed {
        /// In a row.
        failures: u32,
    },
    Open {
        from_ms: i64,
        until_ms: i64,
    },
    /// One call is on its way, and the others are for other engines.
    Trial,
}

impl Default for Breaker {
    fn default() -> Self {
        Self { state: BreakerState::Closed { failures: 0 }, pause: FIRST_PAUSE }
    }
}

impl Breaker {
    /// Returns whether a call may go to the engine now; the first after a pause is its trial.
    pub(super) fn admits(&mut self, now_ms: i64) -> bool {
        match self.state {
            BreakerState::Closed { .. } => true,
            BreakerState::Trial => false,
            BreakerState::Open { from_ms, until_ms } => {
                // A clock that was set back must not make the pause longer.
                let over = !(from_ms..until_ms).contains(&now_ms);
                if over {
                    self.state = BreakerState::Trial;
                }
                over
            }
        }
    }

    /// Returns whether calls go to the engine.
    pub(super) fn is_closed(&self) -> bool {
        matches!(self.state, BreakerState::Closed { .. })
    }

    /// Notes a call that succeeded; returns whether that closed it.
    pub(super) fn succeeded(&mut self) -> bool {
        let closes = !self.is_closed();
        *self = Self::default();
        closes
    }

    /// Notes a call that failed; returns for how long that opened it.
    pub(super) fn failed(&mut self, fault: EngineFault, now_ms: i64) -> Option<Duration> {
        let least = match (&mut self.state, fault) {
            // Begun before it opened, or the last resort: what is known already.
            (BreakerState::Open { .. }, _) => return None,
            (BreakerState::Closed { failures }, EngineFault::Passing) => {
                *failures += 1;
                if *failures < FAILURES {
                    return None;
                }
                Duration::ZERO
            }
            (BreakerState::Trial, EngineFault::Passing) => Duration::ZERO,
            (_, EngineFault::Lasting(least)) => least,
        };
        let pause = self.pause.max(least);
        let ms = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
        let until_ms = now_ms.saturating_add(ms);
        self.state = BreakerState::Open { from_ms: now_ms, until_ms };
        self.pause = (pause * 2).min(LONGEST_PAUSE);
        Some(pause)
    }

    /// Notes a call of which nothing is known, such as a cancelled one: a trial is made up for by the
    /// next call.
    pub(super) fn abandoned(&mut self, now_ms: i64) {
        if self.state == BreakerState::Trial {
            self.state = BreakerState::Open { from_ms: now_ms, until_ms: now_ms };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What happens, at a second.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        /// A call comes; whether it may go to the engine.
        Asks(bool),
        Succeeds,
        /// For how many seconds that opens it, if it does.
        Fails(EngineFault, Option<u64>),
        Abandons,
    }
    use Step::{Abandons, Asks, Fails, Succeeds};

    #[track_caller]
    fn check(steps: &[(i64, Step)]) {
        let mut breaker = Breaker::default();
        for (at, step) in steps {
            let now_ms = at * 1000;
            match step {
                Asks(may) => assert_eq!(breaker.admits(now_ms), *may, "at {at} of {steps:?}"),
                Succeeds => drop(breaker.succeeded()),
                Abandons => breaker.abandoned(now_ms),
                Fails(fault, seconds) => {
                    let opened = breaker.failed(*fault, now_ms);
                    assert_eq!(opened, seconds.map(Duration::from_secs), "at {at} of {steps:?}");
                }
            }
        }
    }

    const PASSING: EngineFault = EngineFault::Passing;

    #[test]
    fn several_failures_in_a_row_open_it_and_others_do_not() {
        check(&[
            (0, Fails(PASSING, None)),
            (0, Fails(PASSING, None)),
            (0, Succeeds),
            (1, Fails(PASSING, None)),
            (1, Fails(PASSING, None)),
            (1, Asks(true)),
            (2, Fails(PASSING, Some(5))),
            (2, Asks(false)),
            (6, Asks(false)),
            (7, Asks(true)),
        ]);
    }

    #[test]
    fn one_trial_at_a_time_decides_and_pauses_grow() {
        let opens = [(0, Fails(PASSING, None)), (0, Fails(PASSING, None))];
        check(
            &[
                &opens[..],
                &[
                    (0, Fails(PASSING, Some(5))),
                    (5, Asks(true)),
                    (5, Asks(false)),
                    (6, Fails(PASSING, Some(10))),
                    (15, Asks(false)),
                    (16, Asks(true)),
                    (16, Abandons),
                    (16, Asks(true)),
                    (16, Succeeds),
                    (16, Asks(true)),
                    (16, Asks(true)),
                    (17, Fails(PASSING, None)),
                    (17, Fails(PASSING, None)),
                    (17, Fails(PASSING, Some(5))),
                ],
            ]
            .concat(),
        );
        let mut pauses = Vec::new();
        let (mut breaker, mut now_ms) = (Breaker::default(), 0);
        while pauses.len() < 9 {
            assert!(breaker.admits(now_ms));
            if let Some(pause) = breaker.failed(EngineFault::IN_VAIN, now_ms) {
                now_ms += i64::try_from(pause.as_millis()).unwrap();
                pauses.push(pause.as_secs());
            }
        }
        assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 300, 300, 300]);
    }

    #[test]
    fn what_lasts_opens_it_at_once_and_for_as_long_as_it_asks() {
        check(&[(0, Fails(EngineFault::TO_MEND, Some(60))), (59, Asks(false)), (60, Asks(true))]);
        let asked = EngineFault::Lasting(Duration::from_secs(1_000));
        check(&[(0, Fails(asked, Some(1_000))), (999, Asks(false)), (1_000, Asks(true))]);
        check(&[
            (0, Fails(EngineFault::IN_VAIN, Some(5))),
            (0, Fails(PASSING, None)),
            (5, Asks(true)),
        ]);
    }

    #[test]
    fn a_success_closes_it_whenever_it_comes() {
        check(&[(0, Fails(EngineFault::TO_MEND, Some(60))), (1, Succeeds), (1, Asks(true))]);
        let mut breaker = Breaker::default();
        assert!(breaker.is_closed() && !breaker.succeeded());
        breaker.failed(EngineFault::TO_MEND, 0);
        assert!(!breaker.is_closed() && breaker.succeeded());
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_prolong_a_pause() {
        check(&[
            (1_000, Fails(EngineFault::TO_MEND, Some(60))),
            (1_001, Asks(false)),
            (10, Asks(true)),
        ]);
    }
}
