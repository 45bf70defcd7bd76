//! How long to leave a server alone: what it asks for, and how waits of our own are spread.

use std::hash::{BuildHasher as _, RandomState};
use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

/// Longest wait that a server is believed, unless the caller has a shorter one: whoever asks for a
/// day has a clock or a unit wrong, and an hour later it may say so again.
pub const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// Milliseconds, as `OpenAI` and those compatible with it send them beside `Retry-After`.
const RETRY_AFTER_MS: HeaderName = HeaderName::from_static("retry-after-ms");

/// Reads how long the server asks to be left alone, at most `longest`: `retry-after-ms`, or
/// `Retry-After` in seconds, fractions included, or as a date by the server's own clock. `None` if
/// it does not ask, or not in a way that can be read.
#[must_use]
pub fn retry_after(headers: &HeaderMap, longest: Duration) -> Option<Duration> {
    let number = |name: &HeaderName| header(headers, name)?.parse::<f64>().ok();
    let seconds = number(&RETRY_AFTER_MS).map(|ms| ms / 1000.0).or_else(|| number(&RETRY_AFTER));
    let wait = if let Some(seconds) = seconds {
        Duration::try_from_secs_f64(seconds).ok()?
    } else {
        let until = httpdate::parse_http_date(header(headers, &RETRY_AFTER)?).ok()?;
        until.duration_since(server_date(headers)?).unwrap_or_default()
    };
    Some(wait.min(longest))
}

/// Reads what time it is at the server.
#[must_use]
pub fn server_date(headers: &HeaderMap) -> Option<SystemTime> {
    httpdate::parse_http_date(header(headers, &DATE)?).ok()
}

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// Spreads a wait over half to one and a half of its length, so that many turns do not come back at
/// one moment.
#[must_use]
pub fn jittered(wait: Duration) -> Duration {
    // Each of these is seeded anew: the randomness that std has.
    let random = RandomState::new().hash_one(()) % 1000;
    wait / 2 + wait * u32::try_from(random).unwrap_or(0) / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pairs: &[(&'static str, &str)], expected_ms: Option<u64>) {
        let pairs =
            pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let wait = retry_after(&pairs.collect(), LONGEST_WAIT);
        assert_eq!(wait, expected_ms.map(Duration::from_millis));
    }

    #[test]
    fn a_wait_is_read_in_every_form() {
        check(&[("retry-after", "17")], Some(17_000));
        check(&[("retry-after", " 2.5 ")], Some(2_500));
        check(&[("retry-after", "2"), ("retry-after-ms", "50")], Some(50));
        check(&[("retry-after", "0")], Some(0));
        check(&[("retry-after", "99999999")], Some(3_600_000));
        let (date, until) = ("Wed, 21 Oct 2026 07:28:00 GMT", "Wed, 21 Oct 2026 07:28:17 GMT");
        check(&[("retry-after", until), ("date", date)], Some(17_000));
        check(&[("retry-after", date), ("date", until)], Some(0));
    }

    #[test]
    fn what_cannot_be_read_asks_for_nothing() {
        check(&[], None);
        for odd in ["Fri, 31 Dec 1999 23:59:59 GMT", "-1", "inf", "NaN", "1e99", "soon", ""] {
            check(&[("retry-after", odd)], None);
        }
    }

    #[test]
    fn waits_differ_within_bounds() {
        let wait = Duration::from_millis(300);
        let waits: Vec<_> = (0..50).map(|_| jittered(wait)).collect();
        assert!(waits.iter().all(|some| *some >= wait / 2 && *some < wait * 3 / 2));
        assert!(waits.iter().any(|some| *some != waits[0]));
    }
}
