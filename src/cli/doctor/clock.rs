//! The machine's clock, against the time that providers answered with.
//!
//! Messages are judged by their age and certificates by their dates: a wrong clock looks like
//! anything but a wrong clock.

use crate::engine::Check;

/// More than this is worth a warning, milliseconds. `Date` has whole seconds, and a proxy may
/// be a little off itself.
const DOUBTFUL_MS: i64 = 30_000;
/// More than this and messages are judged wrongly.
const WRONG_MS: i64 = 120_000;
/// 2025-01-01: hark did not exist before.
const EARLIEST_MS: i64 = 1_735_689_600_000;

const FIX: &str = "turn on time synchronisation: timedatectl set-ntp true";

/// Judges the clock; `offsets` are what the servers' clocks showed less ours, in milliseconds.
pub(super) fn check(now_ms: i64, offsets: &[i64]) -> Check {
    let mut check = Check::new("clock");
    // One server that is right is enough: a fake may be anywhere.
    match offsets.iter().min_by_key(|offset| offset.abs()) {
        _ if now_ms < EARLIEST_MS => {
            check.error("clock", "is set to a time before 2025: certificates will be refused", FIX);
        }
        None => check.skipped("no provider sent its time"),
        Some(offset) => {
            let seconds = offset.abs() / 1000;
            let which = if *offset > 0 { "slow" } else { "fast" };
            let message = format!("is {seconds} s {which}, by the provider's answers");
            if offset.abs() > WRONG_MS {
                let message = format!("{message}: messages are taken for too old, or too new");
                check.error("clock", message, FIX);
            } else if offset.abs() > DOUBTFUL_MS {
                check.warning("clock", message, FIX);
            } else {
                check.well(format!("within {seconds} s of the provider's"));
            }
        }
    }
    check
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn found(now_ms: i64, offsets: &[i64]) -> bool {
        check(now_ms, offsets).has_findings()
    }

    #[test]
    fn half_a_minute_is_a_finding_and_one_right_server_is_none() {
        let now_ms = 1_790_000_000_000;
        for well in [&[][..], &[0], &[-30_000], &[29_999], &[9_000_000, 1500]] {
            assert!(!found(now_ms, well), "{well:?}");
        }
        for wrong in [&[30_001][..], &[-31_000], &[-9_000_000, 121_000]] {
            assert!(found(now_ms, wrong), "{wrong:?}");
        }
        assert!(found(0, &[]), "1970");
    }
}
