//! When somebody works: days and hours of a week, where they are.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// Holds the hours of a week. The JSON is
/// `{"timezone": "Europe/Berlin", "days": {"mon": ["09:00-12:30", "13:30-18:00"]}}`; a span that ends
/// before it begins goes on past midnight, `00:00-24:00` is all day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkingHours {
    /// A name of the time zone database.
    pub timezone: String,
    /// Spans by day: `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`.
    pub days: BTreeMap<String, Vec<String>>,
}

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// Minutes of a day.
const DAY: i32 = 24 * 60;

impl WorkingHours {
    /// Returns what is wrong with it: the key, and the problem.
    pub fn problem(&self) -> Option<(String, String)> {
        if TimeZone::get(&self.timezone).is_err() {
            let problem =
                format!("unknown time zone {:?}; write it like Europe/Berlin", self.timezone);
            return Some(("timezone".to_owned(), problem));
        }
        for (day, spans) in &self.days {
            let key = || format!("days.{day}");
            if !DAYS.iter().any(|(name, _)| name == day) {
                return Some((
                    key(),
                    "no day: write mon, tue, wed, thu, fri, sat or sun".to_owned(),
                ));
            }
            if let Some(wrong) = spans.iter().find(|text| span(text).is_none()) {
                let problem = format!("{wrong:?} is no span of hours; write it like 09:00-17:30");
                return Some((key(), problem));
            }
        }
        None
    }

    /// Returns whether `now_ms` is within them; what cannot be read is not.
    pub fn hold_at(&self, now_ms: i64) -> bool {
        let (Ok(zone), Ok(now)) =
            (TimeZone::get(&self.timezone), Timestamp::from_millisecond(now_ms))
        else {
            return false;
        };
        let now = now.to_zoned(zone);
        let minute = i32::from(now.hour()) * 60 + i32::from(now.minute());
        let on = |weekday: Weekday| {
            let named = DAYS.iter().find(|(_, day)| *day == weekday);
            let spans = named.and_then(|(name, _)| self.days.get(*name));
            spans.into_iter().flatten().filter_map(|text| span(text))
        };
        let today = on(now.weekday()).any(|(from, to)| {
            let to = if to <= from { DAY } else { to };
            (from..to).contains(&minute)
        });
        // What began yesterday and goes on past midnight.
        let yesterday = on(now.weekday().previous()).any(|(from, to)| to <= from && minute < to);
        today || yesterday
    }
}

/// Reads `09:00-17:30` as minutes of the day.
fn span(text: &str) -> Option<(i32, i32)> {
    let minutes = |text: &str| {
        if text.trim() == "24:00" {
            return Some(DAY);
        }
        let time = Time::strptime("%H:%M", text.trim()).ok()?;
        Some(i32::from(time.hour()) * 60 + i32::from(time.minute()))
    };
    let (from, to) = text.split_once('-')?;
    let (from, to) = (minutes(from)?, minutes(to)?);
    (from != to && from < DAY).then_some((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(days: &[(&str, &str)]) -> WorkingHours {
        let days = days.iter().map(|(day, span)| ((*day).to_owned(), vec![(*span).to_owned()]));
        WorkingHours { timezone: "Europe/Berlin".into(), days: days.collect() }
    }

    #[track_caller]
    fn check(hours: &WorkingHours, at: &str, expected: bool) {
        let at_ms = at.parse::<Timestamp>().unwrap().as_millisecond();
        assert_eq!(hours.hold_at(at_ms), expected, "{at}");
    }

    #[test]
    fn hours_are_those_of_the_place_in_summer_and_winter() {
        let office = hours(&[("mon", "09:00-17:30")]);
        // A Monday in winter, when Berlin is an hour ahead, and one in summer: two.
        for (at, expected) in [
            ("2026-01-05T07:59:00Z", false),
            ("2026-01-05T08:00:00Z", true),
            ("2026-01-05T16:29:00Z", true),
            ("2026-01-05T16:30:00Z", false),
            ("2026-07-06T07:00:00Z", true),
            ("2026-01-06T08:00:00Z", false),
        ] {
            check(&office, at, expected);
        }
    }

    #[test]
    fn a_night_goes_on_past_midnight() {
        let night = hours(&[("sun", "22:00-02:00")]);
        check(&night, "2026-01-04T20:59:00Z", false);
        check(&night, "2026-01-04T22:00:00Z", true);
        check(&night, "2026-01-05T00:59:00Z", true);
        check(&night, "2026-01-05T01:00:00Z", false);
        let all_day = hours(&[("sun", "00:00-24:00")]);
        check(&all_day, "2026-01-04T22:59:00Z", true);
        check(&all_day, "2026-01-04T23:00:00Z", false);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let problem = |hours: WorkingHours| hours.problem().unwrap();
        let (key, says) = problem(hours(&[("monday", "09:00-17:00")]));
        assert!(key == "days.monday" && says.contains("no day"), "{key}: {says}");
        for span in ["9 to 5", "25:00-26:00", "09:00-09:00", ""] {
            let (key, says) = problem(hours(&[("mon", span)]));
            assert!(key == "days.mon" && says.contains("no span"), "{key}: {says}");
        }
        let nowhere = WorkingHours { timezone: "Mars/Base".into(), ..hours(&[]) };
        assert_eq!(problem(nowhere).0, "timezone");
        assert_eq!(hours(&[("mon", "09:00-17:00")]).problem(), None);
    }
}
