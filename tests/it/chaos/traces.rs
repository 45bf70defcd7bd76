//! What the nodes' logs say of turns: who had one when, and which part counts as sent.

use std::collections::{HashMap, HashSet};

use hark::turn::TurnId;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Digits of a turn's id in the log.
const TURN_DIGITS: usize = 8;
/// Characters of a line's time.
const TIME_CHARS: usize = 23;
/// Who has not said anything of a turn for so long before a send, is not who sent it.
const RECENT_MS: i64 = 10_000;
/// A line that is written right before a send may have a later time than its request.
const LATE_MS: i64 = 50;

/// What was found in the logs of all nodes.
#[derive(Default)]
pub(super) struct Traces {
    /// By turn: when a node said something of it, Unix milliseconds.
    lines: HashMap<String, Vec<(i64, usize)>>,
    /// Turns of which a part counts as sent: six sends of it were not answered, and no status came. A
    /// person gets nothing then if none was taken, as ARCHITECTURE.md says.
    assumed: HashSet<String>,
}

impl Traces {
    /// Reads the logs, one a node.
    pub(super) fn read(logs: &[String]) -> Self {
        let mut traces = Self::default();
        for (node, log) in logs.iter().enumerate() {
            for line in log.lines() {
                traces.note(node, line);
            }
        }
        traces
    }

    fn note(&mut self, node: usize, line: &str) {
        let Some((before, turn)) =
            line.split_once('[').and_then(|(before, rest)| Some((before, rest.split_once(']')?.0)))
        else {
            return;
        };
        if line.contains("may have arrived and counts as sent") {
            self.assumed.insert(turn.to_owned());
        }
        let time = before.get(..TIME_CHARS).and_then(|time| time.parse::<DateTime>().ok());
        if let Some(at) = time.and_then(|time| time.to_zoned(TimeZone::UTC).ok()) {
            let at_ms = at.timestamp().as_millisecond();
            self.lines.entry(turn.to_owned()).or_default().push((at_ms, node));
        }
    }

    /// Returns whether hark says that a part of a turn counts as sent.
    pub(super) fn is_assumed(&self, turn: &TurnId) -> bool {
        self.assumed.contains(digits(turn))
    }

    /// Returns the nodes that worked on a turn shortly before this time.
    pub(super) fn holders(&self, turn: &TurnId, at_ms: i64) -> HashSet<usize> {
        let lines = self.lines.get(digits(turn)).map(Vec::as_slice).unwrap_or_default();
        let shortly = at_ms - RECENT_MS..at_ms + LATE_MS;
        lines.iter().filter(|(at, _)| shortly.contains(at)).map(|(_, node)| *node).collect()
    }
}

fn digits(turn: &TurnId) -> &str {
    turn.0.get(..TURN_DIGITS).unwrap_or_default()
}
