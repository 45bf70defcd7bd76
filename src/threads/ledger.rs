//! Counts the seconds of something that each talker has had lately: of sound, of work.
//!
//! A second is forgotten after some seconds. Invariant: only those are remembered whose seconds are
//! not forgotten yet.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::turn::Talker;

/// The most that is remembered of one talker.
const MOST: Duration = Duration::from_mins(10);

/// Knows who has had how much.
pub struct Ledger {
    /// A second is forgotten after so many.
    forgotten_in: u32,
    accounts: HashMap<Talker, Account>,
}

struct Account {
    had: Duration,
    at: Instant,
}

impl Account {
    fn had_at(&self, now: Instant, forgotten_in: u32) -> Duration {
        self.had.saturating_sub(now.saturating_duration_since(self.at) / forgotten_in)
    }
}

impl Ledger {
    /// Begins a ledger in which a second is forgotten after `seconds`, which is not 0.
    #[must_use]
    pub fn forgetting_in(seconds: u32) -> Self {
        Self { forgotten_in: seconds, accounts: HashMap::new() }
    }

    /// Adds to what `talker` has had and returns the sum.
    pub fn add(&mut self, talker: Talker, more: Duration, now: Instant) -> Duration {
        let forgotten_in = self.forgotten_in;
        self.accounts.retain(|_, account| !account.had_at(now, forgotten_in).is_zero());
        let had = (self.of(talker, now) + more).min(MOST);
        self.accounts.insert(talker, Account { had, at: now });
        had
    }

    /// Returns what `talker` has had.
    #[must_use]
    pub fn of(&self, talker: Talker, now: Instant) -> Duration {
        let account = self.accounts.get(&talker);
        account.map_or(Duration::ZERO, |account| account.had_at(now, self.forgotten_in))
    }

    /// Returns what the one who has had most has had.
    #[must_use]
    pub fn most(&self, now: Instant) -> Duration {
        let had = |account: &Account| account.had_at(now, self.forgotten_in);
        self.accounts.values().map(had).max().unwrap_or_default()
    }

    /// Takes back what was added and not used.
    pub fn take_back(&mut self, talker: Talker, less: Duration, now: Instant) {
        let had = self.of(talker, now).saturating_sub(less);
        if let Some(account) = self.accounts.get_mut(&talker) {
            *account = Account { had, at: now };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_is_forgotten_after_a_second() {
        let (mut ledger, start) = (Ledger::forgetting_in(1), Instant::now());
        let (ann, ben) = (Talker::of_contact(1), Talker::of_contact(2));
        let seconds = Duration::from_secs;
        let at = |after| start + seconds(after);
        assert_eq!(ledger.add(ann, seconds(10), start), seconds(10));
        assert_eq!(ledger.add(ann, seconds(10), at(4)), seconds(16));
        assert_eq!(ledger.add(ben, seconds(1), at(4)), seconds(1));
        ledger.take_back(ann, seconds(10), at(5));
        assert_eq!(ledger.add(ann, seconds(1), at(5)), seconds(6));
        assert_eq!(ledger.most(at(5)), seconds(6));
        assert_eq!(ledger.add(ann, seconds(9000), at(5)), MOST);
        assert_eq!((ledger.add(ben, seconds(1), at(700)), ledger.accounts.len()), (seconds(1), 1));
        assert_eq!(
            (ledger.of(ben, at(701)), ledger.of(ann, at(5))),
            (Duration::ZERO, Duration::ZERO)
        );
        let mut slow = Ledger::forgetting_in(16);
        slow.add(ann, seconds(2), start);
        assert_eq!(slow.of(ann, at(16)), seconds(1));
    }
}
