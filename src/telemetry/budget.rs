//! Bounds what the log grows by: what a flood adds to it is counted, and told once a minute.
//!
//! Between the subscriber and the form of the lines. Invariants: lines of `info` and above take less
//! than 1 MB a minute together; each level has bytes of its own, so that no flood of others hides an
//! error; and a kind of line, which is a place in the code, comes at least once a minute.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::{JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent};
use tracing_subscriber::registry::LookupSpan;

use super::fields::message;

/// How often it is told what was left out, and the longest that a kind is silent.
pub(super) const MINUTE: Duration = Duration::from_mins(1);

/// The target of the lines that tell it: there are few, and they are never left out.
pub(super) const LEFT_OUT: &str = "hark::log";

/// Says what a level may write: at once, and a second. All three write 950 kB in a minute, at most.
const fn allowance(level: Level) -> (f64, f64) {
    match level {
        Level::ERROR => (20_000.0, 1_500.0),
        Level::WARN => (30_000.0, 3_000.0),
        _ => (60_000.0, 9_500.0),
    }
}

/// Of what a level may write, one kind may write this share.
const SHARE: f64 = 0.5;

/// Holds bytes that may be written: they come evenly, and a purse holds only so many.
struct Purse {
    bytes: f64,
    most: f64,
    a_second: f64,
    filled: Instant,
}

impl Purse {
    fn new((most, a_second): (f64, f64), now: Instant) -> Self {
        Self { bytes: most, most, a_second, filled: now }
    }

    /// Returns whether it holds any at `now`. The line that takes the last may take more.
    fn has_some(&mut self, now: Instant) -> bool {
        let waited = now.saturating_duration_since(self.filled).as_secs_f64();
        self.bytes = self.most.min(self.bytes + waited * self.a_second);
        self.filled = now;
        self.bytes > 0.0
    }
}

/// Keeps account of one kind of line.
struct LineKind {
    purse: Purse,
    written: Option<Instant>,
    left_out: u64,
    /// What the first that was left out says.
    like: String,
}

#[derive(Default)]
struct LogAccount {
    levels: HashMap<Level, Purse>,
    /// By the name of the place in the code.
    kinds: HashMap<&'static str, LineKind>,
}

/// Decides which lines are written, and counts the others.
#[derive(Default)]
pub(super) struct LogBudget(Mutex<LogAccount>);

impl LogBudget {
    /// Returns whether a line may be written at `now`; counts it if not, as one like `says`.
    fn admits(
        &self,
        (level, kind): (Level, &'static str),
        now: Instant,
        says: impl FnOnce() -> String,
    ) -> bool {
        let mut account = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let LogAccount { levels, kinds } = &mut *account;
        let (most, a_second) = allowance(level);
        let level = levels.entry(level).or_insert_with(|| Purse::new((most, a_second), now));
        let kind = kinds.entry(kind).or_insert_with(|| LineKind {
            purse: Purse::new((SHARE * most, SHARE * a_second), now),
            written: None,
            left_out: 0,
            like: String::new(),
        });
        let silent = |at: Instant| now.saturating_duration_since(at) >= MINUTE;
        let affords = kind.purse.has_some(now) & level.has_some(now);
        let admitted = affords || kind.written.is_none_or(silent);
        if admitted {
            kind.written = Some(now);
        } else {
            kind.left_out += 1;
            if kind.left_out == 1 {
                kind.like = says();
            }
        }
        admitted
    }

    /// Takes what a line was long.
    fn charge(&self, (level, kind): (Level, &'static str), bytes: usize) {
        let mut account = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = f64::from(u32::try_from(bytes).unwrap_or(u32::MAX));
        let LogAccount { levels, kinds } = &mut *account;
        let kind = kinds.get_mut(kind).map(|kind| &mut kind.purse);
        for purse in levels.get_mut(&level).into_iter().chain(kind) {
            purse.bytes -= bytes;
        }
    }

    /// Returns what was left out since it was last asked: how many, and what the first of them says.
    pub(super) fn left_out(&self) -> Vec<(u64, String)> {
        let mut account = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kinds = account.kinds.values_mut().filter(|kind| kind.left_out > 0);
        kinds
            .map(|kind| (std::mem::take(&mut kind.left_out), std::mem::take(&mut kind.like)))
            .collect()
    }
}

/// Writes lines of a form as far as a budget allows. What is logged for somebody who looks for a fault,
/// `debug` and below, is not bounded.
pub(super) struct Bounded<F> {
    pub(super) form: F,
    pub(super) budget: Arc<LogBudget>,
}

impl<S, F> FormatEvent<S, JsonFields> for Bounded<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    F: FormatEvent<S, JsonFields>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let of = event.metadata();
        if *of.level() > Level::INFO || of.target() == LEFT_OUT {
            return self.form.format_event(context, writer, event);
        }
        let of = (*of.level(), of.name());
        if !self.budget.admits(of, Instant::now(), || message(event)) {
            return Ok(());
        }
        let mut line = String::new();
        self.form.format_event(context, Writer::new(&mut line), event)?;
        self.budget.charge(of, line.len());
        writer.write_str(&line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Offers a line; returns its bytes if it was written.
    fn offer(budget: &LogBudget, of: (Level, &'static str), at: Instant, bytes: usize) -> usize {
        if budget.admits(of, at, || "a line".to_owned()) {
            budget.charge(of, bytes);
            return bytes;
        }
        0
    }

    #[test]
    fn no_minute_has_a_megabyte_whatever_floods() {
        let (budget, start) = (LogBudget::default(), Instant::now());
        let levels = [Level::ERROR, Level::WARN, Level::INFO];
        let floods = levels.map(|level| {
            let kinds = ["first", "second"].map(|kind| format!("{level} {kind}").leak() as &str);
            kinds.map(|kind| (level, kind))
        });
        for minute in 0..3 {
            let mut written = 0;
            for ms in 0..60_000 {
                let at = start + MINUTE * minute + Duration::from_millis(ms);
                for kind in floods.as_flattened() {
                    written += offer(&budget, *kind, at, 400);
                }
            }
            assert!((500_000..960_000).contains(&written), "minute {minute}: {written}");
            let left_out = budget.left_out();
            assert_eq!(left_out.len(), 6, "{left_out:?}");
            let count: u64 = left_out.iter().map(|(count, _)| count).sum();
            assert_eq!(count, 6 * 60_000 - written as u64 / 400, "each is written or counted");
            assert!(
                left_out.iter().all(|(_, like)| like == "a line") && budget.left_out().is_empty()
            );
        }
    }

    #[test]
    fn a_flood_takes_no_line_of_another_level_and_half_of_its_own() {
        let (budget, start) = (LogBudget::default(), Instant::now());
        for ms in 0..600_000 {
            let at = start + Duration::from_millis(ms);
            offer(&budget, (Level::INFO, "webhook"), at, 100);
            offer(&budget, (Level::WARN, "failed"), at, 100);
            if ms % 10_000 == 0 {
                for other in [(Level::ERROR, "broken"), (Level::INFO, "turn")] {
                    assert_eq!(offer(&budget, other, at, 200), 200, "at {ms} ms");
                }
            }
        }
    }

    #[test]
    fn some_tens_of_lines_a_second_are_all_there() {
        let (budget, start) = (LogBudget::default(), Instant::now());
        for at in 0..30 * 600 {
            let at = start + Duration::from_secs(1) * at / 30;
            assert_eq!(offer(&budget, (Level::INFO, "webhook"), at, 140), 140);
        }
        assert!(budget.left_out().is_empty());
    }

    #[test]
    fn a_kind_that_was_silent_for_a_minute_is_always_told() {
        let (budget, start) = (LogBudget::default(), Instant::now());
        let (first, second) = ((Level::ERROR, "broken"), (Level::ERROR, "worse"));
        assert_eq!(offer(&budget, first, start, 1 << 30), 1 << 30);
        assert_eq!(offer(&budget, first, start, 1), 0);
        assert_eq!(offer(&budget, second, start, 1), 1, "the first of its kind");
        assert_eq!(offer(&budget, second, start, 1), 0);
        assert_eq!(offer(&budget, second, start + MINUTE, 1), 1);
    }
}
