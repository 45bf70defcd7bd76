//! When a person is told that a machine speaks: `[disclosure]`.

use serde::{Deserialize, Serialize};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Says whether people are told, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct Disclosure {
    pub enabled: bool,
    pub every_days: u32,
}

impl Disclosure {
    /// Is said to nobody.
    pub const OFF: Self = Self { enabled: false, every_days: 0 };

    /// Returns whether a person who was last told at `told_ms`, if ever, is to be told now.
    pub fn is_due(self, told_ms: Option<i64>, now_ms: i64) -> bool {
        let again = |told_ms: i64| {
            self.every_days > 0 && now_ms - told_ms >= i64::from(self.every_days) * DAY_MS
        };
        self.enabled && told_ms.is_none_or(again)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_told_once_and_again_after_the_days() {
        let monthly = Disclosure { enabled: true, every_days: 30 };
        let due = |disclosure: Disclosure, told_days: Option<i64>| {
            let told_ms = told_days.map(|days| -days * DAY_MS);
            disclosure.is_due(told_ms, 0)
        };
        assert!(due(monthly, None) && due(monthly, Some(30)) && !due(monthly, Some(29)));
        assert!(!due(monthly, Some(-1)), "the clock was set back");
        let once = Disclosure { every_days: 0, ..monthly };
        assert!(due(once, None) && !due(once, Some(10_000)));
        assert!(!due(Disclosure::OFF, None));
    }
}
