//! Decides which utterance is heard next, on how many threads, and at which priority.
//!
//! Plain data: what happens and what time it is come in, what to run comes out. Who has sent more
//! sound lately than a person can speak in that time waits in the back row, and never keeps a core
//! or the last state from the front row; beside somebody who has sent more, only what is long waits
//! there. Invariants: the threads of one row are never more than the
//! cores; what waits is bounded in number and in sound, and one talker's part of it too.

use std::time::{Duration, Instant};

use crate::threads::Ledger;
use crate::turn::Talker;

/// Sound that may wait, and utterances; as much again of those who have sent no more than
/// [`AT_ONCE`]. A model that hears four times as fast as people speak needs a minute for so much,
/// and a turn has two.
const SOUND: Duration = Duration::from_mins(4);
const UTTERANCES: usize = 64;

/// The part of each that one talker may fill: two utterances of the longest kind.
const SHARE_SOUND: Duration = Duration::from_mins(1);
const SHARE_UTTERANCES: usize = 8;

/// Sound that a talker may send at once and still be heard in the front row. Longer notes, whose
/// utterances are longer than this, are as fast in the back row while nobody else is there.
const AT_ONCE: Duration = Duration::from_secs(20);

/// Sound of a note that is one utterance: such a one does not stay in the back row for ever.
const ONE_NOTE: Duration = Duration::from_secs(30);

/// Nobody speaks faster than time passes: a second of sound is forgotten after a second.
const FORGOTTEN_IN: u32 = 1;

/// Says who gives way to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rank {
    /// Everybody who has sent no more than a person says.
    Front,
    /// The rest: on cores that the front row leaves idle.
    Back,
}

/// Says what there is to hear with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// Threads that may compute at a time.
    pub(super) cores: usize,
    /// Most threads of one utterance.
    pub(super) threads: usize,
    /// Utterances that may be heard side by side.
    pub(super) states: usize,
}

impl Room {
    /// Returns how many of `free` states the back row may use: not the last, unless it is the only
    /// one there is.
    pub(super) fn for_back(&self, free: usize) -> usize {
        if self.states > 1 { free.saturating_sub(1) } else { free }
    }
}

/// Says how one utterance is heard; given back when that is done.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Permit {
    row: Rank,
    /// How many threads it takes.
    pub(super) threads: usize,
}

/// Names an utterance that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticket(u64);

struct Waiting<J> {
    ticket: Ticket,
    talker: Option<Talker>,
    sound: Duration,
    /// What its talker has sent lately, this included.
    sent: Duration,
    /// When its turn is: a second of sound that its talker has sent lately counts as much as one
    /// that another has waited.
    due: Instant,
    job: J,
}

impl<J> Waiting<J> {
    /// Returns the row that it waits in at this time, when somebody has sent `most` lately.
    fn row(&self, now: Instant, most: Duration) -> Rank {
        let alone = if self.due <= now { ONE_NOTE } else { AT_ONCE };
        let beside = self.sound <= AT_ONCE && self.sent < most;
        let front = self.talker.is_none() || self.sent <= alone || beside;
        if front { Rank::Front } else { Rank::Back }
    }
}

/// Holds what waits and knows what runs.
pub(super) struct Turnstile<J> {
    room: Room,
    waiting: Vec<Waiting<J>>,
    ledger: Ledger,
    given: Vec<Permit>,
    tickets: u64,
}

impl<J> Turnstile<J> {
    pub(super) fn new(room: Room) -> Self {
        let (waiting, given, ledger) =
            (Vec::new(), Vec::new(), Ledger::forgetting_in(FORGOTTEN_IN));
        Self { room, waiting, ledger, given, tickets: 0 }
    }

    /// Lets an utterance of this length wait; `None` if it cannot.
    pub(super) fn enter(
        &mut self,
        talker: Option<Talker>,
        sound: Duration,
        job: J,
        now: Instant,
    ) -> Option<Ticket> {
        let of_talker = |one: &Waiting<J>| talker.is_some() && one.talker == talker;
        let before = talker.map_or(Duration::ZERO, |talker| self.ledger.of(talker, now));
        // However many send long notes, who has sent little waits beside others like it alone.
        let little = before + sound <= AT_ONCE;
        let counts = |one: &Waiting<J>| !little || one.sent <= AT_ONCE;
        if self.is_full(UTTERANCES, SOUND, sound, counts)
            || self.is_full(SHARE_UTTERANCES, SHARE_SOUND, sound, of_talker)
        {
            return None;
        }
        let sent = talker.map_or(sound, |talker| self.ledger.add(talker, sound, now));
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.waiting.push(Waiting { ticket, talker, sound, sent, due: now + sent, job });
        Some(ticket)
    }

    /// Returns whether those that wait and are `of` a kind leave no place; one always has a place,
    /// whatever its length.
    fn is_full(
        &self,
        most: usize,
        most_sound: Duration,
        sound: Duration,
        of: impl Fn(&Waiting<J>) -> bool,
    ) -> bool {
        let others: Vec<_> = self.waiting.iter().filter(|one| of(one)).collect();
        let waits: Duration = others.iter().map(|one| one.sound).sum();
        others.len() >= most || (!others.is_empty() && waits + sound > most_sound)
    }

    /// Takes away an utterance that nobody wants any more, if it still waits.
    pub(super) fn leave(&mut self, ticket: Ticket, now: Instant) {
        let Some(at) = self.waiting.iter().position(|one| one.ticket == ticket) else { return };
        let left = self.waiting.remove(at);
        if let Some(talker) = left.talker {
            self.ledger.take_back(talker, left.sound, now);
        }
    }

    /// Returns whether nobody waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Returns what a thread of `row` is to do now, if anything. `idle` tells how many cores nobody
    /// uses but so many threads that give way.
    pub(super) fn next(
        &mut self,
        row: Rank,
        now: Instant,
        idle: impl FnOnce(usize) -> Option<usize>,
    ) -> Option<(J, Permit)> {
        let most = self.ledger.most(now);
        let used = |row| self.given.iter().filter(move |permit| permit.row == row);
        let waiting =
            |row| self.waiting.iter().filter(move |one| one.row(now, most) == row).count();
        let threads_of = |row| used(row).map(|permit| permit.threads).sum::<usize>();
        let mut cores = self.room.cores.saturating_sub(threads_of(Rank::Front));
        let mut states = self.room.states.saturating_sub(self.given.len());
        if row == Rank::Back {
            if waiting(Rank::Front) > 0 {
                return None;
            }
            cores = cores.saturating_sub(threads_of(Rank::Back));
            states = self.room.for_back(states);
        }
        let side_by_side = waiting(row).min(states).min(cores);
        let mut threads = cores.checked_div(side_by_side)?.min(self.room.threads);
        if threads > 1 {
            let giving_way = if row == Rank::Front { threads_of(Rank::Back) } else { 0 };
            threads = threads.min(idle(giving_way).unwrap_or(threads));
        }
        let threads = threads.max(1);
        let of_row = self.waiting.iter().enumerate().filter(|(_, one)| one.row(now, most) == row);
        let (first, _) = of_row.min_by_key(|(_, one)| (one.due, one.ticket.0))?;
        let job = self.waiting.remove(first).job;
        self.given.push(Permit { row, threads });
        Some((job, Permit { row, threads }))
    }

    /// Takes a permit back.
    pub(super) fn done(&mut self, permit: &Permit) {
        let at = self.given.iter().position(|given| given == permit);
        self.given.swap_remove(at.expect("it was given by `next`, and is given back once"));
    }
}

#[cfg(test)]
mod tests;
