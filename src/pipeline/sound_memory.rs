//! Shares out the memory for sound that was downloaded and not yet heard.
//!
//! Every note has a little of its own, enough for one of some seconds, which never waits. Beyond that
//! all share one room, and what does not fit waits: a note that has little goes before one that has
//! much, a person with one note before a person with many. Invariants: all notes together hold no
//! more than the room and what is their own, but for the oldest of them, which never waits: it comes to
//! its end and gives back what it holds, so that notes cannot wait for each other.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::turn::Talker;

/// What every note has of its own.
const OWN: usize = 512 << 10;

/// Is the room that all notes share. Clones share it too.
#[derive(Clone, Debug)]
pub struct SoundMemory(Arc<Mutex<Shares>>);

/// Holds what a note holds of it; given back when dropped.
#[derive(Debug)]
pub(super) struct NoteMemory {
    memory: SoundMemory,
    id: u64,
}

#[derive(Debug)]
struct Shares {
    room: usize,
    /// What is held of it.
    held: usize,
    #[cfg(test)]
    most_held: usize,
    /// By age.
    notes: BTreeMap<u64, Share>,
    made: u64,
}

#[derive(Debug)]
struct Share {
    talker: Option<Talker>,
    held: usize,
    waits: Option<WantedRoom>,
}

#[derive(Debug)]
struct WantedRoom {
    /// What the note would hold in all.
    bytes: usize,
    granted: oneshot::Sender<()>,
}

impl SoundMemory {
    /// The room of a service: eight utterances of the longest kind. A large file goes beyond it when it
    /// is the oldest.
    pub const USUAL: usize = 16 << 20;

    /// Makes room for so many bytes.
    #[must_use]
    pub fn new(room: usize) -> Self {
        let (notes, made) = (BTreeMap::new(), 0);
        Self(Arc::new(Mutex::new(Shares {
            room,
            held: 0,
            #[cfg(test)]
            most_held: 0,
            notes,
            made,
        })))
    }

    /// Begins a note of `talker`, which holds nothing yet.
    pub(super) fn note(&self, talker: Option<Talker>) -> NoteMemory {
        let mut shares = self.shares();
        shares.made += 1;
        let id = shares.made;
        shares.notes.insert(id, Share { talker, held: 0, waits: None });
        NoteMemory { memory: self.clone(), id }
    }

    /// Returns the most that was held at a time.
    #[cfg(test)]
    pub(super) fn most_held(&self) -> usize {
        self.shares().most_held
    }

    fn shares(&self) -> MutexGuard<'_, Shares> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl NoteMemory {
    /// Makes it hold so many bytes in all; waits until there is room if they are more than before.
    pub(super) async fn hold(&self, bytes: usize) {
        if self.try_hold(bytes) {
            return;
        }
        let (granted, is_granted) = oneshot::channel();
        {
            let mut shares = self.memory.shares();
            shares.share(self.id).waits = Some(WantedRoom { bytes, granted });
            shares.grant();
        }
        is_granted.await.expect("its wish is granted, or replaced by this note's next one");
    }

    /// Does the same if nobody has to wait for it; returns whether it did.
    pub(super) fn try_hold(&self, bytes: usize) -> bool {
        let mut shares = self.memory.shares();
        shares.share(self.id).waits = None;
        let fits = bytes <= shares.notes[&self.id].held
            || shares.nobody_waits() && shares.fits(self.id, bytes);
        if fits {
            shares.set(self.id, bytes);
            shares.grant();
        }
        fits
    }

    /// Gives back a part of what it holds, which is less to wait for, too.
    pub(super) fn give_back(&self, bytes: usize) {
        let mut shares = self.memory.shares();
        let held = shares.notes[&self.id].held.saturating_sub(bytes);
        shares.set(self.id, held);
        if let Some(wish) = &mut shares.share(self.id).waits {
            wish.bytes = wish.bytes.saturating_sub(bytes);
        }
        shares.grant();
    }
}

impl Drop for NoteMemory {
    fn drop(&mut self) {
        let mut shares = self.memory.shares();
        shares.set(self.id, 0);
        shares.notes.remove(&self.id);
        shares.grant();
    }
}

impl Shares {
    fn share(&mut self, id: u64) -> &mut Share {
        self.notes.get_mut(&id).expect("a note is there until it is dropped")
    }

    fn set(&mut self, id: u64, bytes: usize) {
        let share = self.share(id);
        let before = std::mem::replace(&mut share.held, bytes);
        self.held = self.held - shared(before) + shared(bytes);
        #[cfg(test)]
        {
            self.most_held = self.most_held.max(self.held);
        }
    }

    fn nobody_waits(&self) -> bool {
        self.notes.values().all(|share| share.waits.is_none())
    }

    fn fits(&self, id: u64, bytes: usize) -> bool {
        let is_oldest = self.notes.first_key_value().is_some_and(|(oldest, _)| *oldest == id);
        let others = self.held - shared(self.notes[&id].held);
        bytes <= OWN || is_oldest || others + shared(bytes) <= self.room
    }

    /// Grants all wishes that can be granted, those of who holds least first.
    fn grant(&mut self) {
        for share in self.notes.values_mut() {
            // Its caller is gone.
            share.waits.take_if(|wish| wish.granted.is_closed());
        }
        while let Some(id) = self.next() {
            if let Some(WantedRoom { bytes, granted }) = self.share(id).waits.take() {
                self.set(id, bytes);
                // Who is gone in between has dropped its note, or will hold less soon.
                let _gone = granted.send(());
            }
        }
    }

    /// Returns the note whose wish is granted next.
    fn next(&self) -> Option<u64> {
        let wishes = self.notes.iter().filter_map(|(id, share)| {
            let wish = share.waits.as_ref().filter(|wish| self.fits(*id, wish.bytes))?;
            Some((self.held_by(share), wish.bytes, *id))
        });
        wishes.min().map(|(_, _, id)| id)
    }

    /// Returns what all notes of this one's talker hold.
    fn held_by(&self, share: &Share) -> usize {
        let alike = |other: &&Share| share.talker.is_some() && other.talker == share.talker;
        let all: usize = self.notes.values().filter(alike).map(|other| other.held).sum();
        all.max(share.held)
    }
}

/// Returns the part of what a note holds that is not its own.
fn shared(bytes: usize) -> usize {
    bytes.saturating_sub(OWN)
}

#[cfg(test)]
mod tests {
    use futures_util::poll;

    use super::*;

    const MIB: usize = 1 << 20;

    impl SoundMemory {
        fn note_of(&self, contact: i64) -> NoteMemory {
            self.note(Some(Talker::of_contact(contact)))
        }
    }

    #[tokio::test]
    async fn a_short_note_has_room_whatever_long_ones_hold() {
        let memory = SoundMemory::new(20 * MIB);
        let long: Vec<_> = (0..60).map(|contact| memory.note_of(contact)).collect();
        let grown = long.iter().filter(|note| note.try_hold(2 * MIB + OWN)).count();
        assert_eq!((grown, memory.shares().held), (10, 20 * MIB));
        let short = memory.note_of(99);
        assert!(poll!(Box::pin(short.hold(OWN))).is_ready());
        assert!(poll!(Box::pin(short.hold(OWN + MIB))).is_pending());
        drop((long, short));
        assert_eq!(memory.shares().held, 0);
        assert!(memory.shares().notes.is_empty());
    }

    #[tokio::test]
    async fn notes_that_wait_for_each_other_all_come_to_their_end() {
        let memory = SoundMemory::new(16 * MIB);
        let notes: Vec<_> = (0..8).map(|contact| memory.note_of(contact)).collect();
        let grow = |note: NoteMemory| async move {
            for mib in 1..=12 {
                note.hold(mib * MIB).await;
                tokio::task::yield_now().await;
                let held = note.memory.shares().held;
                assert!(held <= (16 + 12) * MIB, "{held}");
            }
        };
        futures_util::future::join_all(notes.into_iter().map(grow)).await;
        assert_eq!(memory.shares().held, 0);
    }

    #[tokio::test]
    async fn who_holds_little_goes_first_and_a_wish_that_is_given_up_is_forgotten() {
        let memory = SoundMemory::new(6 * MIB - 3 * OWN);
        let (oldest, hoarder) = (memory.note_of(1), memory.note_of(2));
        let (second, other) = (memory.note_of(2), memory.note_of(3));
        assert!(oldest.try_hold(4 * MIB) && hoarder.try_hold(MIB) && !second.try_hold(4 * MIB));
        let (mut given_up, mut first) =
            (Box::pin(second.hold(3 * MIB)), Box::pin(other.hold(3 * MIB)));
        assert!(poll!(&mut given_up).is_pending() && poll!(&mut first).is_pending());
        oldest.hold(2 * MIB).await;
        assert!(poll!(&mut first).is_ready() && poll!(&mut given_up).is_pending());
        drop(given_up);
        drop(oldest);
        assert_eq!(memory.shares().held, 3 * MIB);
        assert!(memory.shares().nobody_waits());
    }
}
