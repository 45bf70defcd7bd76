//! Writes log lines for people: one short line each, in their own time.
//!
//! ```text
//! 12:04:31.590 INFO  [7c41e09a] heard audio=2.1 s language=en took=28 ms
//! ```
//!
//! The number in brackets begins the turn's id. Invariant: whatever a field holds, a line stays one
//! line and brings no escape sequence to the terminal.

use std::fmt;

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::{JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent};
use tracing_subscriber::registry::LookupSpan;

use super::fields::{Fields, TURN};
use crate::clock::Clock;
use crate::remote::words::{plain, speaks};

/// Digits of a turn's id that are shown.
const TURN_DIGITS: usize = 8;

/// Fields of the spans around an event that are shown, and the value that goes without saying.
const OF_SPANS: [(&str, Option<u64>); 2] = [("stage.name", None), ("attempt", Some(1))];

/// Writes events for people.
pub(super) struct HumanLines {
    /// Whose clock the times are of.
    pub(super) zone: TimeZone,
    /// How a time is written.
    pub(super) time: &'static str,
    /// Whether they have colours.
    pub(super) colours: bool,
}

/// How times are written for somebody who looks on, and where they are kept.
pub(super) const WATCHED: &str = "%H:%M:%S%.3f";
pub(super) const KEPT: &str = "%Y-%m-%d %H:%M:%S%.3f";

impl<S> FormatEvent<S, JsonFields> for HumanLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let Fields { message, mut spans, own } = Fields::of(context, event)?;
        let styled = |style: Style| if self.colours { style } else { Style::new() };
        let (dim, level) = (styled(Style::new().dimmed()), *event.metadata().level());
        let shown = styled(colour(level));

        let now = Timestamp::from_millisecond(Clock::System.now_ms()).unwrap_or_default();
        let now = now.to_zoned(self.zone.clone());
        write!(writer, "{dim}{}{dim:#} {shown}{level:5}{shown:#} ", now.strftime(self.time))?;
        let turn = own.iter().find_map(|(name, value)| (name == TURN).then_some(value));
        if let Some(turn) = turn.or(spans.get(TURN)).and_then(Value::as_str) {
            let turn: String = turn.chars().take(TURN_DIGITS).collect();
            write!(writer, "{dim}[{}]{dim:#} ", plain(&turn))?;
        }
        write!(writer, "{}", plain(&message))?;
        let mut facts: Vec<(String, Value)> = Vec::new();
        facts.extend(own.into_iter().filter(|(name, _)| name != TURN));
        for (name, understood) in OF_SPANS {
            let known = facts.iter().any(|(known, _)| known == name);
            if let Some(value) = spans.remove(name).filter(|_| !known)
                && (understood.is_none() || value.as_u64() != understood)
            {
                facts.push((name.to_owned(), value));
            }
        }
        for (name, value) in facts {
            let (name, value) = fact(&name, &value);
            write!(writer, " {dim}{name}={dim:#}{value}")?;
        }
        writeln!(writer)
    }
}

fn colour(level: Level) -> Style {
    let style = match level {
        Level::ERROR => AnsiColor::Red,
        Level::WARN => AnsiColor::Yellow,
        Level::INFO => AnsiColor::Green,
        Level::DEBUG => AnsiColor::Blue,
        Level::TRACE => AnsiColor::Magenta,
    };
    style.on_default()
}

/// Makes a field short: a unit at the end of its name goes behind its number.
fn fact<'a>(name: &'a str, value: &Value) -> (&'a str, String) {
    if let Some(number) = value.as_f64() {
        if let Some(name) = name.strip_suffix("_ms") {
            return (name, duration(number));
        }
        if let Some(name) = name.strip_suffix("_s") {
            return (name, duration(number * 1000.0));
        }
    }
    (name, value.as_str().map_or_else(|| value.to_string(), quoted))
}

/// Writes milliseconds in three digits or so.
fn duration(ms: f64) -> String {
    if ms >= 1000.0 {
        format!("{:.1} s", ms / 1000.0)
    } else if ms >= 10.0 || ms.fract() == 0.0 {
        format!("{ms:.0} ms")
    } else {
        format!("{ms:.1} ms")
    }
}

/// Writes a text, in quotation marks where its end would not be seen.
fn quoted(text: &str) -> String {
    let simple = |c: char| !c.is_whitespace() && !speaks(c) && c != '"' && c != '\\';
    if !text.is_empty() && text.chars().all(simple) {
        return text.to_owned();
    }
    plain(&format!("{text:?}"))
}

#[cfg(test)]
mod tests {
    use super::super::testing::written;
    use super::*;

    /// Returns what is written while `work` runs, without the time, which ends at the first space.
    fn lines(colours: bool, work: impl FnOnce()) -> Vec<String> {
        let text = written(HumanLines { zone: TimeZone::UTC, time: WATCHED, colours }, work);
        text.lines().map(|line| line.split_once(' ').expect(line).1.to_owned()).collect()
    }

    #[test]
    fn a_line_is_short_and_names_the_turn() {
        let lines = lines(false, || {
            let turn = tracing::info_span!("turn", turn.id = "00ff11ee22dd33cc", attempt = 1);
            let _turn = turn.entered();
            tracing::info!(audio_ms = 2_140.4, took_ms = 72.593_001_2, sure = 0.971_3, "heard");
            let _stage = tracing::debug_span!("stage", stage.name = "stt").entered();
            let error = "it said \"no\"";
            tracing::warn!(attempt = 3, error, retry.after_s = 300.0, "tried again");
        });
        assert_eq!(
            lines,
            [
                "INFO  [00ff11ee] heard audio=2.1 s took=73 ms sure=0.971",
                "WARN  [00ff11ee] tried again attempt=3 error=\"it said \\\"no\\\"\" \
                 retry.after=300.0 s stage.name=stt",
            ]
        );
    }

    #[test]
    fn a_turn_s_later_news_carry_its_number_too() {
        let lines = lines(false, || tracing::info!(turn.id = "00ff11ee22dd33cc", "played"));
        assert_eq!(lines, ["INFO  [00ff11ee] played"]);
    }

    #[test]
    fn durations_have_three_digits_or_so() {
        for (ms, expected) in [
            (0.0, "0 ms"),
            (0.437, "0.4 ms"),
            (9.0, "9 ms"),
            (72.593_001_2, "73 ms"),
            (999.4, "999 ms"),
            (1000.0, "1.0 s"),
            (61_250.0, "61.2 s"),
        ] {
            assert_eq!(duration(ms), expected);
        }
    }

    #[test]
    fn a_line_stays_one_line_without_escape_sequences() {
        let evil = "a\n2026 ERROR\u{1b}[31m red\u{9b}0m\u{202e}\u{200b}";
        let lines = lines(false, || {
            tracing::warn!(said = evil, shown = %evil, short = "a\u{202e}b", "it said {evil}");
        });
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(!lines[0].chars().any(speaks), "{lines:?}");
    }

    #[test]
    fn an_error_is_cut_and_holds_nobody_s_number_or_address() {
        let evil = format!("to +49 170 1234567 of anna@example.org {}", "x".repeat(3_000_000));
        let lines = lines(false, || tracing::warn!(error = %evil, other = evil, "failed"));
        assert!(lines[0].len() < 4000, "{}", lines[0].len());
        let error = lines[0].split(" other=").next().unwrap();
        assert!(!error.contains("anna") && !error.contains("1234567"), "{error}");
    }

    #[test]
    fn colours_are_only_where_they_are_wanted() {
        let log = || tracing::error!(a = 1, "b");
        assert_eq!(lines(false, log), ["ERROR b a=1"]);
        let coloured = &lines(true, log)[0];
        assert!(coloured.contains("\u{1b}[31mERROR\u{1b}[0m b"), "{coloured:?}");
    }

    #[test]
    fn a_time_is_whole_where_lines_are_kept() {
        for (time, shape) in [(WATCHED, "00:00:00.000"), (KEPT, "0000-00-00 00:00:00.000")] {
            let form = HumanLines { zone: TimeZone::UTC, time, colours: false };
            let text = written(form, || tracing::info!("x"));
            let digits: String =
                text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
            assert_eq!(digits, format!("{shape} INFO  x\n"));
        }
    }
}
