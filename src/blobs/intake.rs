//! What a turn leaves: its sound, collected while it comes and handed over when the turn is over.
//!
//! Invariant: nothing here waits. Memory is bounded by one room for all turns; what finds no place in
//! it is not kept, which is counted and told.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::telemetry::{self, Seldom};
use crate::turn::{PhoneNumberId, SoundSide, TurnId};

/// Bytes of sound that turns may hold and that may wait to be written. A minute of speech is about
/// 150 KB; four of the largest files that WhatsApp takes fit.
const ROOM: usize = 64 << 20;
/// Files that may wait to be written.
const QUEUE: usize = 512;

/// Holds a file until it is written.
#[derive(Debug)]
pub struct TurnSound {
    /// The turn.
    pub turn: TurnId,
    /// The number that it was answered on.
    pub number: PhoneNumberId,
    /// Whether it came in or went out.
    pub side: SoundSide,
    /// The media type, one of a few.
    pub kind: &'static str,
    /// What its name ends in.
    pub extension: &'static str,
    /// The file.
    pub pieces: Vec<Bytes>,
    /// Its place in the room, given back when it is written.
    pub(super) held: Option<OwnedSemaphorePermit>,
}

/// What waits to be written.
pub type SoundWaiting = mpsc::Receiver<TurnSound>;

/// Takes the sound of turns.
#[derive(Clone)]
pub struct SoundIntake {
    room: Arc<Semaphore>,
    queue: mpsc::Sender<TurnSound>,
    told: Arc<Seldom>,
}

/// Makes an intake, and the end of it where files come out.
pub fn intake() -> (SoundIntake, SoundWaiting) {
    let (queue, waiting) = mpsc::channel(QUEUE);
    (SoundIntake { room: Arc::new(Semaphore::new(ROOM)), queue, told: Arc::default() }, waiting)
}

impl SoundIntake {
    /// Begins to collect a file.
    pub fn record(&self) -> SoundRecording {
        let room = Arc::clone(&self.room);
        SoundRecording { room, pieces: Vec::new(), held: None, state: Collected::Begun }
    }

    /// Takes a file that was collected; one that did not come to its end is not the file that was sent.
    pub fn take(
        &self,
        (turn, number): (&TurnId, &PhoneNumberId),
        side: SoundSide,
        mime_type: Option<&str>,
        recording: SoundRecording,
    ) {
        let SoundRecording { pieces, held, state, .. } = recording;
        match state {
            Collected::Whole if !pieces.is_empty() => {}
            Collected::NoRoom => return self.lose(side, "no room"),
            _ => return,
        }
        let (kind, extension) = kind_of(mime_type);
        let (turn, number) = (turn.clone(), number.clone());
        let sound = TurnSound { turn, number, side, kind, extension, pieces, held };
        if self.queue.try_send(sound).is_err() {
            self.lose(side, "too many wait");
        }
    }

    fn lose(&self, side: SoundSide, why: &'static str) {
        telemetry::sound(side, "lost");
        self.told.tell(why, move |count| {
            tracing::warn!(count, why, "sound was not kept: more comes than can be written");
        });
    }
}

/// Says how far a file has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Collected {
    Begun,
    Whole,
    NoRoom,
    Broken,
}

/// Collects one file.
#[derive(Debug)]
pub struct SoundRecording {
    room: Arc<Semaphore>,
    pieces: Vec<Bytes>,
    held: Option<OwnedSemaphorePermit>,
    state: Collected,
}

impl SoundRecording {
    /// Takes the next bytes, as long as there is room.
    pub fn push(&mut self, piece: &Bytes) {
        if self.state != Collected::Begun || piece.is_empty() {
            return;
        }
        let bytes = u32::try_from(piece.len()).ok();
        let place = bytes.and_then(|n| Arc::clone(&self.room).try_acquire_many_owned(n).ok());
        let Some(place) = place else {
            (self.pieces, self.held, self.state) = (Vec::new(), None, Collected::NoRoom);
            return;
        };
        match &mut self.held {
            Some(held) => held.merge(place),
            None => self.held = Some(place),
        }
        // A copy: the piece may be a small part of a large buffer, which would be kept with it.
        self.pieces.push(Bytes::copy_from_slice(piece));
    }

    /// Takes a whole file, which is not copied.
    #[must_use]
    pub fn whole(mut self, file: Bytes) -> Self {
        let bytes = u32::try_from(file.len()).ok();
        self.held = bytes.and_then(|n| Arc::clone(&self.room).try_acquire_many_owned(n).ok());
        if self.held.is_none() {
            self.state = Collected::NoRoom;
            return self;
        }
        self.pieces.push(file);
        self.state = Collected::Whole;
        self
    }

    /// Returns the file, if all of it is there.
    pub fn file(&self) -> Option<Bytes> {
        (self.state == Collected::Whole).then(|| self.pieces.concat().into())
    }

    /// Notes that the file is at its end.
    pub fn end(&mut self) {
        if self.state == Collected::Begun {
            self.state = Collected::Whole;
        }
    }

    /// Notes that the rest of the file does not come.
    pub fn break_off(&mut self) {
        (self.pieces, self.held, self.state) = (Vec::new(), None, Collected::Broken);
    }
}

/// Returns the media type and the ending of a file; of what the provider calls it only words that are
/// known are used, since the API says them again.
fn kind_of(mime_type: Option<&str>) -> (&'static str, &'static str) {
    let named = mime_type.unwrap_or_default().split(';').next().unwrap_or_default();
    match named.trim().to_ascii_lowercase().as_str() {
        "audio/ogg" | "audio/opus" | "application/ogg" => ("audio/ogg", "ogg"),
        "audio/mpeg" | "audio/mp3" => ("audio/mpeg", "mp3"),
        "audio/mp4" | "audio/m4a" | "audio/x-m4a" => ("audio/mp4", "m4a"),
        "audio/aac" => ("audio/aac", "aac"),
        "audio/amr" => ("audio/amr", "amr"),
        "audio/wav" | "audio/x-wav" | "audio/wave" => ("audio/wav", "wav"),
        "audio/flac" | "audio/x-flac" => ("audio/flac", "flac"),
        _ => ("application/octet-stream", "bin"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_finds_no_room_is_not_kept_and_its_place_is_free_again() {
        let (intake, mut waiting) = intake();
        let (turn, number) = (TurnId::from("t"), PhoneNumberId::from("n"));
        let take = |recording| {
            intake.take((&turn, &number), SoundSide::In, Some("audio/ogg; codecs=opus"), recording);
        };
        let mut large = intake.record();
        large.push(&vec![0; ROOM].into());
        let mut small = intake.record();
        small.push(&Bytes::from_static(b"x"));
        small.end();
        take(small);
        assert!(waiting.try_recv().is_err(), "there was no room");
        large.push(&Bytes::from_static(b"x"));
        large.end();
        take(large);
        assert!(waiting.try_recv().is_err(), "there was no room for the rest");
        take(intake.record().whole(Bytes::from_static(b"abc")));
        let sound = waiting.try_recv().unwrap();
        assert_eq!(
            (sound.kind, sound.extension, &sound.pieces[0][..]),
            ("audio/ogg", "ogg", &b"abc"[..])
        );
        assert_eq!(intake.room.available_permits(), ROOM - 3);
        drop(sound);
        assert_eq!(intake.room.available_permits(), ROOM);
    }

    #[tokio::test]
    async fn half_a_file_is_not_kept() {
        let (intake, mut waiting) = intake();
        let (turn, number) = (TurnId::from("t"), PhoneNumberId::from("n"));
        let mut half = intake.record();
        half.push(&Bytes::from_static(b"half"));
        intake.take((&turn, &number), SoundSide::In, None, half);
        let mut broken = intake.record();
        broken.push(&Bytes::from_static(b"half"));
        broken.break_off();
        broken.end();
        intake.take((&turn, &number), SoundSide::In, None, broken);
        assert!(waiting.try_recv().is_err());
        assert_eq!(intake.room.available_permits(), ROOM);
    }

    #[test]
    fn a_type_is_one_of_ours_whatever_it_is_called() {
        assert_eq!(kind_of(Some("audio/OGG; codecs=opus")), ("audio/ogg", "ogg"));
        for odd in [None, Some(""), Some("text/html"), Some("audio/ogg\r\nx: y")] {
            assert_eq!(kind_of(odd).1, "bin", "{odd:?}");
        }
    }
}
