//! Counts the seconds of sound that each talker has sent lately.
//!
//! Nobody speaks faster than time passes: a second of sound is forgotten after a second. Invariant:
//! only those are remembered whose sound is not forgotten yet.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::stt::Talker;

/// The most that is remembered of one talker: after so much silence all is forgotten.
const MOST: Duration = Duration::from_mins(10);

/// Knows who has sent how much.
#[derive(Default)]
pub(super) struct Ledger(HashMap<Talker, Account>);

struct Account {
    sound: Duration,
    at: Instant,
}

impl Account {
    fn sound_at(&self, now: Instant) -> Duration {
        self.sound.saturating_sub(now.duration_since(self.at))
    }
}

impl Ledger {
    /// Adds to what `talker` has sent and returns the sum.
    pub(super) fn add(&mut self, talker: Talker, sound: Duration, now: Instant) -> Duration {
        self.0.retain(|_, account| !account.sound_at(now).is_zero());
        let before = self.0.get(&talker).map_or(Duration::ZERO, |account| account.sound_at(now));
        let sound = (before + sound).min(MOST);
        self.0.insert(talker, Account { sound, at: now });
        sound
    }

    /// Returns what the one who has sent most has sent.
    pub(super) fn most(&self, now: Instant) -> Duration {
        self.0.values().map(|account| account.sound_at(now)).max().unwrap_or_default()
    }

    /// Takes back what was added and not heard.
    pub(super) fn take_back(&mut self, talker: Talker, sound: Duration, now: Instant) {
        if let Some(account) = self.0.get_mut(&talker) {
            let sound = account.sound_at(now).saturating_sub(sound);
            *account = Account { sound, at: now };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_of_sound_is_forgotten_after_a_second() {
        let (mut ledger, start) = (Ledger::default(), Instant::now());
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
        assert_eq!((ledger.add(ben, seconds(1), at(700)), ledger.0.len()), (seconds(1), 1));
    }
}
