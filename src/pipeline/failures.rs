//! How often each waiting turn has failed in this process: what its next wait grows with.
//!
//! The attempts of a lease count the deaths of processes, too, which say nothing of a provider that
//! asks for a pause: after four kills a pause of four seconds would become a quarter of an hour.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::turn::TurnId;

/// Turns that are remembered; then all begin anew.
const REMEMBERED: usize = 10_000;

/// Counts failures by turn. At most ten thousand are known.
#[derive(Debug, Default)]
pub struct TurnFailures(Mutex<HashMap<TurnId, u32>>);

impl TurnFailures {
    /// Counts one more of a turn; returns how many there were, never more than its `attempt`.
    pub(super) fn count(&self, turn: &TurnId, attempt: u32) -> u32 {
        let mut known = self.0.lock().expect("no holder panics");
        if known.len() >= REMEMBERED {
            known.clear();
        }
        let count = known.entry(turn.clone()).or_default();
        *count += 1;
        (*count).min(attempt)
    }

    /// Forgets a turn that is over.
    pub(super) fn forget(&self, turn: &TurnId) {
        self.0.lock().expect("no holder panics").remove(turn);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_count_and_deaths_of_earlier_processes_do_not() {
        let (failures, turn) = (TurnFailures::default(), TurnId("a".to_owned()));
        // Four processes died in it.
        assert_eq!([5, 6, 7].map(|attempt| failures.count(&turn, attempt)), [1, 2, 3]);
        // Waits that were no attempt make nothing longer.
        assert_eq!(failures.count(&turn, 2), 2);
        failures.forget(&turn);
        assert_eq!(failures.count(&turn, 8), 1);
    }

    #[test]
    fn only_so_many_turns_are_remembered() {
        let failures = TurnFailures::default();
        for n in 0..=REMEMBERED {
            failures.count(&TurnId(n.to_string()), 1);
        }
        assert_eq!(failures.0.lock().unwrap().len(), 1);
    }
}
