//! Who is heard next, on how many threads, while others talk or hoard.

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
            let most = self.turnstile.ledger.most(self.now);
            let row = self.turnstile.waiting[0].row(self.now, most);
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
fn who_talks_fast_is_in_the_front_row_beside_a_hoarder_only() {
    let mut alone = scene(2, 2);
    assert!(alone.enter(ANN, 10, "a") && alone.enter(ANN, 12, "b"));
    assert_eq!(alone.next(Front), Some(("a", 2)));
    alone.done(Front, 2);
    assert_eq!(alone.next(Front), None, "she has sent 22 s at once");
    let mut scene = scene(2, 2);
    scene.hoard();
    for _ in 0..11 {
        assert!(scene.enter(ANN, 10, "a"));
        assert_eq!(scene.next(Front), Some(("a", 2)), "the hoarder has sent 120 s");
        scene.done(Front, 2);
    }
    assert!(scene.enter(ANN, 10, "a"));
    assert_eq!(scene.next(Front), None, "now she has sent as much");
    assert!(scene.enter(BEN, 25, "long"));
    assert_eq!(scene.next(Front), None, "it would hold a core for long");
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
        let most = scene.turnstile.ledger.most(scene.now);
        let row = scene.turnstile.waiting[0].row(scene.now, most);
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
fn a_crowd_of_long_notes_leaves_short_ones_a_place() {
    let mut scene = scene(2, 2);
    let contact = |contact| Some(Talker::of_contact(contact));
    let long = (100..140).filter(|&one| scene.enter(contact(one), 30, "long")).count();
    assert_eq!(long, 8);
    let short = (200..260).filter(|&one| scene.enter(contact(one), 5, "short")).count();
    assert_eq!(short, 48);
    assert!(!scene.enter(contact(141), 30, "long"));
    assert_eq!(scene.next(Front), Some(("short", 1)));
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
