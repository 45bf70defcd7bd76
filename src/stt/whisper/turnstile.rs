//! Decides which utterance is heard next, on how many threads, and at which priority.
//!
//! Plain data: what happens and what time it is come in, what to run comes out. Who has sent more
//! sound lately than a person can speak in that time waits in the back row, and never keeps a core
//! or the last state from the front row. Invariants: the threads of one row are never more than the
//! cores; what waits is bounded in number and in sound, and one talker's part of it too.

use std::time::{Duration, Instant};

use super::ledger::Ledger;
use crate::stt::Talker;

/// Sound that may wait, and utterances. A model that hears four times as fast as people
/// speak needs a minute for so much, and a turn has two.
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
    /// Returns the row that it waits in at this time.
    fn row(&self, now: Instant) -> Rank {
        let most = if self.due <= now { ONE_NOTE } else { AT_ONCE };
        let front = self.talker.is_none() || self.sent <= most;
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
        let (waiting, given, ledger) = (Vec::new(), Vec::new(), Ledger::default());
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
        if self.is_full(UTTERANCES, SOUND, sound, |_| true)
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

    /// Returns what a thread of `row` is to do now, if anything. `idle` tells how many cores nobody
    /// uses but so many threads that give way.
    pub(super) fn next(
        &mut self,
        row: Rank,
        now: Instant,
        idle: impl FnOnce(usize) -> Option<usize>,
    ) -> Option<(J, Permit)> {
        let used = |row| self.given.iter().filter(move |permit| permit.row == row);
        let waiting = |row| self.waiting.iter().filter(move |one| one.row(now) == row).count();
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
        let of_row = self.waiting.iter().enumerate().filter(|(_, one)| one.row(now) == row);
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
mod tests {
    use super::*;

    const ANN: Option<Talker> = Some(Talker::of_contact(1));
    const BEN: Option<Talker> = Some(Talker::of_contact(2));
    const HOARDER: Option<Talker> = Some(Talker::of_contact(9));

    /// A turnstile with a clock; jobs are names.
    struct Scene {
        turnstile: Turnstile<&'static str>,
        now: Instant,
    }

    fn scene(cores: usize, states: usize) -> Scene {
        let room = Room { cores, threads: cores, states };
        Scene { turnstile: Turnstile::new(room), now: Instant::now() }
    }

    impl Scene {
        fn enter(&mut self, talker: Option<Talker>, seconds: u64, job: &'static str) -> bool {
            self.turnstile.enter(talker, Duration::from_secs(seconds), job, self.now).is_some()
        }

        fn next(&mut self, row: Rank) -> Option<(&'static str, usize)> {
            self.turnstile.next(row, self.now, |_| None).map(|(job, permit)| (job, permit.threads))
        }

        fn done(&mut self, row: Rank, threads: usize) {
            self.turnstile.done(&Permit { row, threads });
        }

        /// Lets a talker use up what may be sent at once; two minutes are heard by then.
        fn hoard(&mut self) {
            for _ in 0..4 {
                assert!(self.enter(HOARDER, 30, "hoard"));
                let row = self.turnstile.waiting[0].row(self.now);
                let (_, threads) = self.next(row).unwrap();
                self.done(row, threads);
            }
        }
    }

    use Rank::{Back, Front};

    #[test]
    fn one_alone_takes_all_cores_and_several_take_one_each() {
        let mut scene = scene(2, 2);
        assert!(scene.enter(ANN, 5, "a"));
        assert_eq!(scene.next(Front), Some(("a", 2)));
        assert!(scene.enter(BEN, 5, "b") && scene.enter(ANN, 5, "c"));
        assert_eq!(scene.next(Front), None, "no core is free");
        scene.done(Front, 2);
        assert_eq!([scene.next(Front), scene.next(Front)], [Some(("b", 1)), Some(("c", 1))]);
        scene.done(Front, 1);
        assert!(scene.enter(ANN, 5, "d"));
        assert_eq!(scene.next(Front), Some(("d", 1)), "the other core is at work");
    }

    #[test]
    fn beside_other_programs_one_thread_is_enough() {
        let mut scene = scene(4, 2);
        for (idle, threads) in [(None, 4), (Some(4), 4), (Some(3), 3), (Some(0), 1)] {
            assert!(scene.enter(None, 5, "a"));
            let (_, permit) = scene.turnstile.next(Front, scene.now, |_| idle).unwrap();
            assert_eq!(permit.threads, threads);
            scene.done(Front, threads);
        }
    }

    #[test]
    fn cores_are_shared_by_those_that_have_a_state_up_to_the_most_of_one() {
        let mut few = scene(16, 3);
        few.turnstile.room.threads = 8;
        for job in ["a", "b", "c", "d"] {
            assert!(few.enter(None, 5, job));
        }
        let all: Vec<_> = std::iter::from_fn(|| few.next(Front)).collect();
        assert_eq!(all, [("a", 5), ("b", 5), ("c", 6)]);
        few.done(Front, 5);
        assert_eq!(few.next(Front), Some(("d", 5)));
        let mut one = scene(16, 3);
        one.turnstile.room.threads = 8;
        assert!(one.enter(None, 5, "a"));
        assert_eq!(one.next(Front), Some(("a", 8)));
    }

    #[test]
    fn who_was_heard_least_lately_is_next_and_nobody_waits_for_ever() {
        let mut scene = scene(1, 1);
        assert!(scene.enter(ANN, 20, "long") && scene.enter(ANN, 5, "more"));
        assert!(scene.enter(BEN, 5, "short"));
        assert_eq!(scene.next(Front), Some(("short", 1)));
        scene.done(Front, 1);
        // What comes sixteen seconds later is due after what is twenty seconds long.
        scene.now += Duration::from_secs(16);
        assert!(scene.enter(BEN, 5, "late"));
        assert_eq!(scene.next(Front), Some(("long", 1)));
    }

    #[test]
    fn a_hoarder_keeps_neither_a_core_nor_the_last_state_from_the_others() {
        let mut scene = scene(2, 2);
        scene.hoard();
        assert!(scene.enter(HOARDER, 30, "h1") && scene.enter(HOARDER, 30, "h2"));
        assert_eq!(scene.next(Front), None);
        assert_eq!(scene.next(Back), Some(("h1", 2)), "idle cores are its own");
        assert_eq!(scene.next(Back), None, "one state is left to the others");
        assert!(scene.enter(ANN, 5, "a"));
        assert_eq!(scene.next(Front), Some(("a", 2)), "as if it were alone");
        scene.done(Back, 2);
        assert!(scene.enter(BEN, 5, "b"));
        assert_eq!(scene.next(Back), None, "the front row comes first");
        scene.done(Front, 2);
        assert_eq!(scene.next(Front), Some(("b", 2)));
        assert_eq!(scene.next(Back), None, "no core is idle");
        scene.done(Front, 2);
        assert_eq!(scene.next(Back), Some(("h2", 2)));
    }

    #[test]
    fn two_who_hoard_leave_a_state_to_the_others() {
        let mut scene = scene(4, 2);
        scene.turnstile.room.threads = 2;
        assert!(scene.enter(HOARDER, 30, "h") && scene.enter(BEN, 30, "b"));
        assert_eq!(scene.next(Back), Some(("h", 2)));
        assert_eq!(scene.next(Back), None, "it would take the last state");
        assert!(scene.enter(ANN, 5, "a"));
        assert_eq!(scene.next(Front), Some(("a", 2)));
    }

    #[test]
    fn a_long_note_is_in_the_front_row_once_its_turn_has_come() {
        let mut scene = scene(1, 1);
        assert!(scene.enter(ANN, 25, "long"));
        scene.now += Duration::from_secs(24);
        assert!(scene.enter(BEN, 5, "short"));
        assert_eq!(scene.next(Front), Some(("short", 1)));
        scene.done(Front, 1);
        scene.now += Duration::from_secs(1);
        assert!(scene.enter(BEN, 1, "late"));
        assert_eq!(scene.next(Front), Some(("long", 1)));
    }

    #[test]
    fn with_one_state_a_hoarder_waits_behind_the_others() {
        let mut scene = scene(1, 1);
        scene.hoard();
        assert!(scene.enter(HOARDER, 30, "h") && scene.enter(ANN, 5, "a"));
        assert_eq!(scene.next(Back), None);
        assert_eq!(scene.next(Front), Some(("a", 1)));
        scene.done(Front, 1);
        scene.now += Duration::from_mins(9);
        assert_eq!([scene.next(Front), scene.next(Back)], [None, Some(("h", 1))]);
    }

    #[test]
    fn two_hoarders_are_heard_in_turn() {
        let mut scene = scene(1, 2);
        scene.hoard();
        for _ in 0..4 {
            assert!(scene.enter(ANN, 30, "hoard"));
            let row = scene.turnstile.waiting[0].row(scene.now);
            scene.next(row).unwrap();
            scene.done(row, 1);
        }
        let mut heard = Vec::new();
        assert!(scene.enter(HOARDER, 30, "h") && scene.enter(HOARDER, 30, "h"));
        assert!(scene.enter(ANN, 30, "a") && scene.enter(ANN, 30, "a"));
        while let Some((job, threads)) = scene.next(Back) {
            heard.push(job);
            scene.done(Back, threads);
        }
        assert_eq!(heard, ["h", "a", "h", "a"]);
    }

    #[test]
    fn who_pauses_as_long_as_the_sound_lasted_is_in_the_front_row_again() {
        let mut scene = scene(1, 2);
        scene.hoard();
        scene.now += Duration::from_mins(2);
        assert!(scene.enter(HOARDER, 15, "h"));
        assert_eq!(scene.next(Front), Some(("h", 1)));
    }

    #[test]
    fn a_hoarder_is_refused_while_others_have_a_place() {
        let mut scene = scene(1, 1);
        assert!(scene.enter(HOARDER, 30, "h1") && scene.enter(HOARDER, 30, "h2"));
        assert!(!scene.enter(HOARDER, 1, "h3"));
        assert!(scene.enter(ANN, 30, "a"));
        for contact in 10..14 {
            assert!(scene.enter(Some(Talker::of_contact(contact)), 30, "b"));
        }
        assert!(!scene.enter(BEN, 31, "full"));
        assert!(scene.enter(BEN, 30, "fits"));
    }

    #[test]
    fn what_nobody_waits_for_is_not_heard_and_not_counted() {
        let mut scene = scene(1, 1);
        let now = scene.now;
        let ticket = scene.turnstile.enter(ANN, Duration::from_secs(15), "gone", now).unwrap();
        scene.turnstile.leave(ticket, now);
        assert_eq!(scene.next(Front), None);
        scene.turnstile.leave(ticket, now);
        assert!(scene.enter(ANN, 15, "a"));
        assert_eq!(scene.next(Front), Some(("a", 1)));
    }
}
