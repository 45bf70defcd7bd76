//! The books: what each attack did to others, and what became of every message.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::time::{Duration, Instant};

use super::attacks::{Answers, Attack};
use super::graph::Taken;
use super::people::Asked;

/// A second copy that comes later than this after its kill has another cause.
const WINDOW: Duration = Duration::from_secs(1);

/// One attack, and how others fared meanwhile.
pub(super) struct Row {
    pub(super) attack: Attack,
    pub(super) began: Instant,
    pub(super) lasted: Duration,
    pub(super) answers: Answers,
    /// How long webhooks of honest senders took.
    pub(super) webhooks: Vec<Duration>,
    /// How long honest people waited for answers.
    pub(super) waits: Vec<Duration>,
    pub(super) log_bytes: u64,
    pub(super) peak_mib: u64,
}

/// What became of the messages of one part of the siege.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Fate {
    pub(super) taken_from_people: usize,
    pub(super) lost: Vec<String>,
    pub(super) out_of_order: Vec<String>,
    /// Second copies, each with the time from the first to the next kill.
    pub(super) copies: Vec<(String, Option<Duration>)>,
}

impl Fate {
    /// Compares what was asked with what the Graph took.
    pub(super) fn of(asked: &[Asked], taken: &[Taken], kills: &[Instant]) -> Self {
        let mut fate = Self { taken_from_people: asked.len(), ..Self::default() };
        let (mut firsts, mut parts) = (HashMap::new(), HashMap::new());
        for (place, message) in taken.iter().enumerate() {
            firsts.entry(message.answers.as_str()).or_insert(place);
            if let Some(first) = parts.insert(message.part.as_str(), message.at) {
                let kill = kills.iter().filter(|kill| **kill >= first).min();
                fate.copies.push((message.part.clone(), kill.map(|kill| *kill - first)));
            }
        }
        let mut last: BTreeMap<usize, usize> = BTreeMap::new();
        for question in asked {
            let Some(place) = firsts.get(question.id.as_str()) else {
                fate.lost.push(question.id.clone());
                continue;
            };
            let before = last.insert(question.person, *place);
            if before.is_some_and(|before| before > *place) {
                fate.out_of_order.push(question.id.clone());
            }
        }
        fate
    }

    /// Second copies that no kill within the window explains.
    pub(super) fn unexplained(&self) -> Vec<&String> {
        let late = |after: &Option<Duration>| after.is_none_or(|after| after > WINDOW);
        self.copies.iter().filter(|(_, after)| late(after)).map(|(part, _)| part).collect()
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} messages taken, {} lost, {} out of order, {} second copies",
            self.taken_from_people,
            self.lost.len(),
            self.out_of_order.len(),
            self.copies.len(),
        )?;
        match self.copies.iter().filter_map(|(_, after)| *after).max() {
            Some(latest) => {
                write!(f, " (sent first up to {} ms before a kill)", latest.as_millis())
            }
            None => Ok(()),
        }
    }
}

/// How long those waited whose messages came during this attack.
fn waits(asked: &[Asked], taken: &[Taken], row: &Row) -> Vec<Duration> {
    let asked: HashMap<&str, Instant> =
        asked.iter().map(|asked| (asked.id.as_str(), asked.at)).collect();
    let (mut answered, mut waits) = (HashSet::new(), Vec::new());
    for taken in taken {
        let first = answered.insert(taken.answers.as_str());
        let at = asked.get(taken.answers.as_str()).filter(|_| first);
        let during = |at: &&Instant| {
            at.checked_duration_since(row.began).is_some_and(|since| since < row.lasted)
        };
        waits.extend(at.filter(during).map(|at| taken.at.saturating_duration_since(*at)));
    }
    waits
}

/// The milliseconds that this share of `all` stays below.
fn within_ms(all: &[Duration], share: f64) -> f64 {
    let mut all = all.to_vec();
    all.sort();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a place in a list"
    )]
    let place = (all.len() as f64 * share) as usize;
    all.get(place.min(all.len().saturating_sub(1))).map_or(0.0, Duration::as_secs_f64) * 1000.0
}

/// The head of the table of attacks.
pub(super) const HEAD: &str = "attack         webhooks  p50 ms  p99 ms  max ms | answers  p50 ms  \
                               p99 ms | log KB/min  peak MiB | what attackers were answered";

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let attack = format!("{:?}", self.attack);
        write!(
            f,
            "{attack:<14} {:>8} {:>7.1} {:>7.1} {:>7.1} | {:>7} {:>7.0} {:>7.0} | {:>10.0} {:>9} |",
            self.webhooks.len(),
            within_ms(&self.webhooks, 0.5),
            within_ms(&self.webhooks, 0.99),
            within_ms(&self.webhooks, 1.0),
            self.waits.len(),
            within_ms(&self.waits, 0.5),
            within_ms(&self.waits, 0.99),
            self.log_kb_a_minute(),
            self.peak_mib,
        )?;
        for (status, count) in &self.answers {
            match status {
                0 => write!(f, " none {count}")?,
                _ => write!(f, " {status} {count}")?,
            }
        }
        Ok(())
    }
}

impl Row {
    /// Adds how long people waited for their answers, once they have them.
    pub(super) fn answered(mut self, asked: &[Asked], taken: &[Taken]) -> Self {
        self.waits = waits(asked, taken, &self);
        self
    }

    fn log_kb_a_minute(&self) -> f64 {
        let bytes = f64::from(u32::try_from(self.log_bytes).unwrap_or(u32::MAX));
        bytes / 1000.0 / self.lasted.as_secs_f64() * 60.0
    }
}
