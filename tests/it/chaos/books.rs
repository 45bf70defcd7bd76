//! The books of chaos: what became of each message, and which second sends the documented window
//! explains.

use std::collections::{HashMap, HashSet};
use std::fmt;

use hark::simulator::ConversationMessage;
use hark::turn::{MessageId, TurnId};

use super::harm::{Harm, HarmKind};
use super::people::PersonAsked;
use super::traces::Traces;

/// What was done later than this after a message was taken came after it was noted: the simulator
/// answers 300 ms late at most, and hark notes at once.
const NOTED_MS: i64 = 1_500;
/// A status that was taken so shortly before a send came while it was under way; and so shortly after
/// a kill the simulator takes what was on its way.
const UNDER_WAY_MS: i64 = 250;

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
    /// Second sends whose first was taken right before something was done to who had sent it.
    pub(super) after_harm: Vec<Harm>,
    /// Second sends whose first was not answered.
    after_silence: usize,
    /// Words that followed a note which was said again after a refusal, and of which no status told.
    after_refusal: usize,
    /// Second sends that neither explains, or of which a status had told.
    pub(super) unexplained: Vec<String>,
}

impl ChaosBooks {
    /// Compares what was asked with what was taken, in the order in which it was. `traces` know who had
    /// a turn, and of which turns hark says that a part counts as sent.
    pub(super) fn of(
        asked: &[PersonAsked],
        sent: &[ConversationMessage],
        harm: &[Harm],
        traces: &Traces,
    ) -> Self {
        let mut books = Self { asked: asked.len(), ..Self::default() };
        let mut by_turn: HashMap<TurnId, Vec<(usize, &ConversationMessage)>> = HashMap::new();
        for (place, message) in sent.iter().enumerate() {
            let data = message.callback_data.as_deref().unwrap_or_default();
            if let Some((turn, _)) = TurnId::parse_callback_data(data) {
                by_turn.entry(turn).or_default().push((place, message));
            }
        }
        // Messages that came in one breath have one turn.
        let mut counted = HashSet::new();
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
                None if traces.is_assumed(&question.turn) => books.assumed += 1,
                None => books.lost.push(question.id.clone()),
            }
            if !counted.insert(&question.turn) {
                continue;
            }
            let refused = answers.iter().any(|(_, a)| failed(a) && failure_told(a));
            for (nth, second) in seen.iter().enumerate().skip(1) {
                let first = &seen[..nth];
                books.second_send(first, second, refused, |first| {
                    window(&question.turn, first, harm, traces)
                });
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

    /// Finds out why something was sent although an answer was out; `refused` says that an earlier note
    /// was, and `window` finds what was done before it could be noted.
    fn second_send(
        &mut self,
        before: &[&ConversationMessage],
        second: &ConversationMessage,
        refused: bool,
        window: impl Fn(&ConversationMessage) -> Option<Harm>,
    ) {
        let known = before.iter().any(|first| {
            let told = first.statuses.iter().filter_map(|status| status.told_at_ms).min();
            told.is_some_and(|told| told < second.at_ms - UNDER_WAY_MS)
        });
        match before.iter().find_map(|first| window(first)) {
            _ if known => self.unexplained.push(described(before, second, "a status had told")),
            _ if before.iter().any(|first| first.unanswered) => self.after_silence += 1,
            Some(harm) => self.after_harm.push(harm),
            None if refused && second.kind == "text" => self.after_refusal += 1,
            None => {
                let why = "nothing was done to its node, and it was answered";
                self.unexplained.push(described(before, second, why));
            }
        }
    }

    /// Counts second sends after kills, and after what else was done.
    fn inside(&self) -> (usize, usize) {
        let kills = |harm: &&Harm| matches!(harm.what, HarmKind::Kill { .. });
        let kills = self.after_harm.iter().filter(kills).count();
        (kills, self.after_harm.len() - kills)
    }
}

/// Finds what was done to who had just sent this, before it could note that it was taken.
fn window(
    turn: &TurnId,
    first: &ConversationMessage,
    harm: &[Harm],
    traces: &Traces,
) -> Option<Harm> {
    let holders = traces.holders(turn, first.at_ms);
    let hit = |harm: &&Harm| {
        harm.from_ms < first.at_ms + NOTED_MS
            && harm.until_ms > first.at_ms - UNDER_WAY_MS
            && harm.node.is_none_or(|node| holders.contains(&node))
    };
    harm.iter().find(hit).copied()
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
        let (kills, blows) = self.inside();
        writeln!(
            f,
            "second sends inside the window: {kills} after a kill, {blows} after a node or the database was out \
             of reach, {} after an answer that never came, {} in words after a refused note and one of which no \
             status came",
            self.after_silence, self.after_refusal,
        )?;
        write!(
            f,
            "answered by {} voice notes and {} texts; {} notes failed and hark was never told; {} counted as \
             sent after six sends without an answer, none of which was taken",
            self.notes, self.texts, self.untold, self.assumed,
        )
    }
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

    /// Node 0 had the turn of "a" all the time.
    fn books(sent: &[ConversationMessage], harm: &[Harm]) -> ChaosBooks {
        let asked = [asked(1, "a", 0), asked(1, "b", 100)];
        let line = format!("1970-01-01 00:00:00.190 INFO  [{}] sent\n", &asked[0].turn.0[..8]);
        ChaosBooks::of(&asked, sent, harm, &Traces::read(&[line]))
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
    fn a_second_send_is_explained_by_harm_to_its_sender_or_by_silence_and_by_nothing_that_was_told()
    {
        let twice = |told| {
            [sent("a", 200, &[("sent", told)]), sent("a", 9_000, &[]), sent("b", 9_100, &[])]
        };
        let hit = |node, from_ms, until_ms| {
            [Harm { what: HarmKind::Kill { after: None }, node, from_ms, until_ms }]
        };
        let kill = |at_ms| hit(Some(0), at_ms, at_ms);
        for unexplained in [
            books(&twice(None), &[]),
            books(&twice(None), &kill(8_000)),
            books(&twice(None), &hit(Some(1), 900, 900)),
            books(&twice(Some(300)), &kill(900)),
        ] {
            assert_eq!((unexplained.unexplained.len(), unexplained.inside()), (1, (0, 0)));
        }
        for harm in [kill(900), kill(150), hit(Some(0), 100, 8_000), hit(None, 900, 900)] {
            let explained = books(&twice(None), &harm);
            assert_eq!((explained.unexplained.len(), explained.inside()), (0, (1, 0)), "{harm:?}");
        }
        let mut refused = twice(None);
        refused[2] = ConversationMessage { kind: "text", ..sent("a", 12_100, &[]) };
        let note_again = refused.to_vec();
        refused[0].statuses[0].status = "failed";
        refused[0].statuses[0].told_at_ms = Some(300);
        let explained = books(&refused, &[]);
        assert_eq!((explained.unexplained.len(), explained.after_refusal), (0, 1));
        assert_eq!(books(&note_again, &[]).after_refusal, 0, "no note was refused");
        let mut silent = twice(None);
        silent[0].unanswered = true;
        let explained = books(&silent, &[]);
        assert_eq!((explained.unexplained.len(), explained.after_silence), (0, 1));
    }
}
