//! Tells how many cores of this machine nobody uses.
//!
//! whisper.cpp's threads wait for one another after every step, and wait by spinning: beside other
//! programs two of them take many times as long as one. So an utterance gets more than one thread
//! only where cores are idle.

/// Returns the cores that nobody uses but this thread and `ours` threads that give way; `None` where
/// the system does not tell.
pub(super) fn cores(ours: usize) -> Option<usize> {
    let load = std::fs::read_to_string("/proc/loadavg").ok()?;
    let online = std::fs::read_to_string("/sys/devices/system/cpu/online").ok()?;
    Some(count(online.trim())?.saturating_sub(busy(&load, ours)?))
}

/// Reads how many others run: `0.20 0.18 0.12 3/80 11206` is the mean of a minute, of five and of
/// fifteen, and how many threads run now. The least counts: a minute ago is past, and a moment is
/// chance.
fn busy(load: &str, ours: usize) -> Option<usize> {
    let mut words = load.split_ascii_whitespace();
    let minute: f64 = words.next()?.parse().ok()?;
    let now: usize = words.nth(2)?.split('/').next()?.parse().ok()?;
    let others = now.saturating_sub(1 + ours);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small number")]
    Some(others.min(minute.round() as usize))
}

/// Counts the numbers of a list such as `0-3,8`.
fn count(list: &str) -> Option<usize> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        (last.parse::<usize>().ok()? + 1).checked_sub(first.parse().ok()?)
    };
    list.split(',').map(range).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_runs_now_and_ran_before_keeps_a_core_busy() {
        assert_eq!(busy("0.20 0.18 0.12 3/80 11206\n", 0), Some(0), "a moment");
        assert_eq!(busy("9.70 3.18 0.12 1/80 11206\n", 0), Some(0), "it is over");
        assert_eq!(busy("9.70 3.18 0.12 6/80 11206\n", 0), Some(5));
        assert_eq!(busy("3.10 3.18 0.12 4/80 11206\n", 2), Some(1), "two give way");
        assert_eq!(busy("", 0), None);
    }

    #[test]
    fn cores_are_listed_one_by_one_and_in_ranges() {
        assert_eq!([count("0"), count("0-1"), count("0-3,8,10-11")], [Some(1), Some(2), Some(7)]);
        assert_eq!([count(""), count("3-1"), count("a-b")], [None; 3]);
    }
}
