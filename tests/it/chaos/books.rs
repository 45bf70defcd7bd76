//! The books of chaos: what became of each message, and which second sends the documented window
//! explains.

use std::collections::{HashMap, HashSet};
use std::fmt;

use hark::simulator::ConversationMessage;
use hark::turn::{MessageId, TurnId};

use super::people::PersonAsked;

/// A kill later than this after a message was taken came after it was noted: the simulator answers
/// 300 ms late at most, and hark notes at once.
const NOTED_MS: i64 = 1_500;
/// A status that was taken so shortly before a send came while it was under way.
const UNDER_WAY_MS: i64 = 250;

/// Digits of a turn's id in the log.
const TURN_DIGITS: usize = 8;

/// A kill, and the stage that it came right after.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kill {
    pub(super) at_ms: i64,
    pub(super) after: Option<&'static str>,
}

/// Messages that were sent, in order, each as it was last seen.
#[derive(Default)]
pub(super) struct SentRecord {
    all: Vec<ConversationMessage>,
    places: HashMap<MessageId, usize>,
}

impl SentRecord {
    /// Adds what is new, and what became of the others.
    pub(super) fn note(&mut self, sent: Vec<ConversationMessage>) {
        for message in sent {
            if let Some(place) = self.places.get(&message.id) {
                self.all[*place] = message;
            } else {
                self.places.insert(message.id.clone(), self.all.len());
                self.all.push(message);
            }
        }
    }

    pub(super) fn all(&self) -> &[ConversationMessage] {
        &self.all
    }
}

/// What became of every message.
#[derive(Default)]
pub(super) struct ChaosBooks {
    asked: usize,
    notes: usize,
    texts: usize,
    pub(super) lost: Vec<String>,
    pub(super) out_of_order: Vec<String>,
    /// Failed afterwards, and the status that says so was lost.
    untold: usize,
    /// Never taken: no send was answered, which looks as if it had been.
    assumed: usize,
    /// Second sends whose first was taken right before a kill.
    pub(super) after_kills: Vec<Kill>,
    /// Second sends whose first was not answered.
    after_silence: usize,
    /// Second sends that neither explains, or of which a status had told.
    pub(super) unexplained: Vec<String>,
}

impl ChaosBooks {
    /// Compares what was asked with what was taken, in the order in which it was. `assumed` are the turns
    /// of which hark says that a part counts as sent.
    pub(super) fn of(
        asked: &[PersonAsked],
        sent: &[ConversationMessage],
        kills: &[Kill],
        assumed: &HashSet<String>,
    ) -> Self {
        let mut books = Self { asked: asked.len(), ..Self::default() };
        let mut by_turn: HashMap<TurnId, Vec<(usize, &ConversationMessage)>> = HashMap::new();
        for (place, message) in sent.iter().enumerate() {
            let data = message.callback_data.as_deref().unwrap_or_default();
            if let Some((turn, _)) = TurnId::parse_callback_data(data) {
                by_turn.entry(turn).or_default().push((place, message));
            }
        }
        let mut places: HashMap<usize, Vec<(&PersonAsked, usize)>> = HashMap::new();
        for question in asked {
            let answers = by_turn.get(&question.turn).map(Vec::as_slice).unwrap_or_default();
            if let Some((place, _)) = answers.first() {
                places.entry(question.person).or_default().push((question, *place));
            }
            let seen: Vec<_> =
                answers.iter().map(|(_, answer)| *answer).filter(|a| !failed(a)).collect();
            match seen.first() {
                Some(answer) if answer.kind == "audio" => books.notes += 1,
                Some(_) => books.texts += 1,
                None if answers.iter().any(|(_, answer)| !failure_told(answer)) => {
                    books.untold += 1;
                }
                None if assumed
                    .contains(question.turn.0.get(..TURN_DIGITS).unwrap_or_default()) =>
                {
                    books.assumed += 1;
                }
                None => books.lost.push(question.id.clone()),
            }
            for (nth, second) in seen.iter().enumerate().skip(1) {
                books.second_send(&seen[..nth], second, kills);
            }
        }
        for (question, place) in places.values().flatten() {
            let earlier = places[&question.person].iter();
            let earlier = earlier.filter(|(other, _)| other.taken_ms < question.posted_ms);
            if earlier.map(|(_, place)| *place).max().is_some_and(|before| before > *place) {
                books.out_of_order.push(question.id.clone());
            }
        }
        books
    }

    /// Finds out why something was sent although an answer was out.
    fn second_send(
        &mut self,
        before: &[&ConversationMessage],
        second: &ConversationMessage,
        kills: &[Kill],
    ) {
        let known = before.iter().any(|first| {
            let told = first.statuses.iter().filter_map(|status| status.told_at_ms).min();
            told.is_some_and(|told| told < second.at_ms - UNDER_WAY_MS)
        });
        let window = |first: &&ConversationMessage, kill: &Kill| {
            (first.at_ms..first.at_ms + NOTED_MS).contains(&kill.at_ms)
        };
        let kill = kills.iter().find(|kill| before.iter().any(|first| window(first, kill)));
        match kill {
            _ if known => self.unexplained.push(described(before, second, "a status had told")),
            _ if before.iter().any(|first| first.unanswered) => self.after_silence += 1,
            Some(kill) => self.after_kills.push(*kill),
            None => {
                self.unexplained.push(described(before, second, "no kill, and it was answered"));
            }
        }
    }
}

fn failed(message: &ConversationMessage) -> bool {
    message.statuses.iter().any(|status| status.status == "failed")
}

/// Whether hark was told that it failed, so that something has to follow.
fn failure_told(message: &ConversationMessage) -> bool {
    let mut failures = message.statuses.iter().filter(|status| status.status == "failed");
    failures.all(|status| status.told_at_ms.is_some())
}

fn described(before: &[&ConversationMessage], second: &ConversationMessage, why: &str) -> String {
    let one = |message: &ConversationMessage| {
        let told: Vec<_> = message.statuses.iter().map(|s| (s.status, s.told_at_ms)).collect();
        format!(
            "{} {:?} at {} unanswered {} statuses {told:?}",
            message.kind, message.callback_data, message.at_ms, message.unanswered
        )
    };
    let before: Vec<String> = before.iter().map(|message| one(message)).collect();
    format!("{why}: {} after {before:#?}", one(second))
}

impl fmt::Display for ChaosBooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "books: {} messages taken, {} lost, {} out of order, {} answered twice outside the window",
            self.asked,
            self.lost.len(),
            self.out_of_order.len(),
            self.unexplained.len(),
        )?;
        writeln!(
            f,
            "second sends inside the window: {} after a kill, {} after an answer that never came",
            self.after_kills.len(),
            self.after_silence,
        )?;
        write!(
            f,
            "answered by {} voice notes and {} texts; {} notes failed and hark was never told; {} counted as \
             sent after two sends without an answer, neither of which was taken",
            self.notes, self.texts, self.untold, self.assumed,
        )
    }
}

/// Finds the turns of which a log says that a part counts as sent: two sends of it were not answered,
/// and no status came. A person gets nothing then if neither was taken, as ARCHITECTURE.md says.
pub(super) fn assumed(log: &str) -> HashSet<String> {
    let lines =
        log.lines().filter(|line| line.contains("may have arrived twice and counts as sent"));
    let turn = |line: &str| Some(line.split_once('[')?.1.split_once(']')?.0.to_owned());
    lines.filter_map(turn).collect()
}

#[cfg(test)]
mod tests {
    use hark::simulator::{Direction, MessageStatus};

    use super::*;
    use crate::harness::NUMBER;

    fn asked(person: usize, id: &str, posted_ms: i64) -> PersonAsked {
        let turn = TurnId::from_message(&NUMBER.into(), &id.into());
        PersonAsked { person, id: id.to_owned(), turn, posted_ms, taken_ms: posted_ms + 10 }
    }

    /// A part of the answer to this message, with the times at which statuses were told.
    fn sent(id: &str, at_ms: i64, statuses: &[(&'static str, Option<i64>)]) -> ConversationMessage {
        let turn = TurnId::from_message(&NUMBER.into(), &id.into());
        let status = |(status, told_at_ms): &(&'static str, Option<i64>)| MessageStatus {
            status,
            at_ms,
            error_code: None,
            told_at_ms: *told_at_ms,
        };
        ConversationMessage {
            contact: "1".to_owned(),
            direction: Direction::Out,
            id: format!("{id}.{at_ms}").as_str().into(),
            kind: "audio",
            text: None,
            media: None,
            content: None,
            reply_to: None,
            callback_data: Some(turn.callback_data(0)),
            unanswered: false,
            at_ms,
            statuses: statuses.iter().map(status).collect(),
        }
    }

    fn books(sent: &[ConversationMessage], kills: &[Kill]) -> ChaosBooks {
        let asked = [asked(1, "a", 0), asked(1, "b", 100)];
        ChaosBooks::of(&asked, sent, kills, &HashSet::new())
    }

    #[test]
    fn what_is_lost_or_overtaken_is_in_the_books() {
        let in_order = books(&[sent("a", 200, &[]), sent("b", 300, &[])], &[]);
        assert!(in_order.lost.is_empty() && in_order.out_of_order.is_empty());
        assert_eq!(books(&[sent("b", 200, &[])], &[]).lost, ["a"]);
        assert_eq!(books(&[sent("b", 200, &[]), sent("a", 300, &[])], &[]).out_of_order, ["b"]);
        let failed = |told| [sent("a", 200, &[("failed", told)]), sent("b", 300, &[])];
        assert_eq!(books(&failed(Some(210)), &[]).lost, ["a"]);
        assert_eq!(books(&failed(None), &[]).untold, 1);
    }

    #[test]
    fn a_second_send_is_explained_by_a_kill_or_by_silence_and_by_nothing_that_was_told() {
        let twice = |told| {
            [sent("a", 200, &[("sent", told)]), sent("a", 9_000, &[]), sent("b", 9_100, &[])]
        };
        let kill = |at_ms| [Kill { at_ms, after: None }];
        assert_eq!(books(&twice(None), &[]).unexplained.len(), 1);
        assert_eq!(books(&twice(None), &kill(8_000)).unexplained.len(), 1);
        let explained = books(&twice(None), &kill(900));
        assert_eq!((explained.unexplained.len(), explained.after_kills.len()), (0, 1));
        assert_eq!(books(&twice(Some(300)), &kill(900)).unexplained.len(), 1);
        let mut silent = twice(None);
        silent[0].unanswered = true;
        let explained = books(&silent, &[]);
        assert_eq!((explained.unexplained.len(), explained.after_silence), (0, 1));
    }
}
