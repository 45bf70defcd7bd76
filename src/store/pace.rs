//! The pace at which WhatsApp takes messages: of a number, and of a number to one person.
//!
//! Pure: what was planned before in, times out. Both are token buckets, kept as the time at which the
//! bucket is full again: what is planned moves it on by what one message takes to fill. Source: Meta's
//! pages on throughput and pair rate limits.

/// Messages that may go to one person at once; after them one goes in so many milliseconds.
const PAIR_BURST: i64 = 45;
const PAIR_EVERY_MS: i64 = 6_000;
/// What was planned longer ago than this says nothing any more: the bucket is full again.
pub(super) const PAIR_MEMORY_MS: i64 = PAIR_BURST * PAIR_EVERY_MS;
/// Longest time that the sends of a number are planned ahead.
pub(super) const LONGEST_US: i64 = 10 * 60 * 1_000_000;

/// Returns when `count` messages may go to a person, to whom others go or went at `before`, in order.
pub(super) fn pair_times(before: &[i64], count: usize, now_ms: i64) -> Vec<i64> {
    let filled = |full_ms: i64, at_ms: &i64| full_ms.max(*at_ms) + PAIR_EVERY_MS;
    let mut full_ms = before.iter().fold(i64::MIN, filled);
    let mut take = || {
        full_ms = full_ms.max(now_ms) + PAIR_EVERY_MS;
        now_ms.max(full_ms - PAIR_MEMORY_MS)
    };
    (0..count).map(|_| take()).collect()
}

/// Returns the microseconds in which the bucket of a number that may send `per_second` takes one more.
pub(super) fn every_us(per_second: u32) -> i64 {
    1_000_000 / i64::from(per_second.max(1))
}

/// Returns when each of `count` messages of a number may go, Unix milliseconds: it may send `per_second`,
/// and that many at once after a pause. With these its bucket is full at `full_us`, Unix microseconds.
pub(super) fn number_times(full_us: i64, count: i64, per_second: u32, now_ms: i64) -> Vec<i64> {
    let due = |after: i64| {
        let due_us = full_us - after * every_us(per_second) - 1_000_000;
        (due_us + 999).div_euclid(1_000).max(now_ms)
    };
    (0..count).rev().map(due).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Plans messages one after the other, each wanted at its time; returns when they go.
    fn sent(per_second: u32, wanted: &[i64]) -> Vec<i64> {
        let mut full_us = 0;
        let plan = |now_ms: &i64| {
            full_us = full_us.max(now_ms * 1_000) + every_us(per_second);
            number_times(full_us, 1, per_second, *now_ms)[0]
        };
        wanted.iter().map(plan).collect()
    }

    #[test]
    fn a_number_sends_a_second_of_messages_at_once_and_then_at_its_pace() {
        let times = sent(80, &[1_000_000; 100]);
        assert!(times[..80].iter().all(|time| *time == 1_000_000), "{times:?}");
        assert_eq!(&times[80..83], [1_000_013, 1_000_025, 1_000_038]);
        assert_eq!(number_times(3_000_000, 3, 2, 1_000), [1_000, 1_500, 2_000], "all at once");
        let slow = sent(1, &[5_000, 5_000, 5_000, 5_500]);
        assert_eq!(slow, [5_000, 6_000, 7_000, 8_000]);
    }

    #[test]
    fn a_person_gets_forty_five_at_once_and_then_one_in_six_seconds() {
        let times = pair_times(&[], 48, 0);
        assert_eq!(&times[..45], [0; 45]);
        assert_eq!(&times[45..], [6_000, 12_000, 18_000]);
        // What is planned for later counts as well.
        assert_eq!(pair_times(&times, 1, 1_000), [24_000]);
        // After a pause of six seconds each there is one more.
        assert_eq!(pair_times(&[0; 45], 3, 13_000), [13_000, 13_000, 18_000]);
        assert_eq!(pair_times(&[0; 45], 2, PAIR_MEMORY_MS), [PAIR_MEMORY_MS; 2]);
    }

    proptest! {
        #[test]
        fn no_stretch_of_time_has_more_than_a_bucket_and_what_fills_it(
            gaps in proptest::collection::vec(0_i64..9_000, 1..200)
        ) {
            let later = |at: &mut i64, gap: &i64| {
                *at += gap / 40;
                Some(*at)
            };
            let wanted: Vec<i64> = gaps.iter().scan(0, later).collect();
            let mut times: Vec<i64> = Vec::new();
            for now_ms in wanted {
                let one = pair_times(&times, 1, now_ms)[0];
                prop_assert!(one >= now_ms && times.last().is_none_or(|last| *last <= one));
                times.push(one);
            }
            for (first, from) in times.iter().enumerate() {
                let within = times[first..].iter().filter(|time| **time < from + 60_000).count();
                prop_assert!(within <= 45 + 10, "{within} in a minute");
            }
        }
    }
}
