//! What a turn leaves of its sound: the file that came in and the note that went out.
//!
//! Beside the turn: it copies bytes that pass by, and hands them over when the turn is at its end, so
//! that nothing is written while somebody waits. Without an intake it does nothing.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use futures_util::stream::{self, StreamExt as _};

use super::listen::Audio;
use crate::audio::OggOpus;
use crate::blobs::{SoundIntake, SoundRecording};
use crate::store::Lease;
use crate::turn::{Body, SoundSide};

/// Holds the sound of one turn; of several messages that of the first.
#[derive(Default)]
pub(super) struct TurnSounds {
    intake: Option<SoundIntake>,
    came: Arc<Mutex<Option<SoundRecording>>>,
    sent: Mutex<Option<OggOpus>>,
}

impl TurnSounds {
    pub(super) fn new(intake: Option<SoundIntake>) -> Self {
        Self { intake, ..Self::default() }
    }

    /// Collects what passes by on its way to the decoder.
    pub(super) fn collect<'a>(&self, audio: Audio<'a>) -> Audio<'a> {
        let Some(intake) = &self.intake else { return audio };
        let came = Arc::clone(&self.came);
        *lock(&came) = Some(intake.record());
        let end = Arc::clone(&came);
        let passing = audio.inspect(move |piece| {
            if let Some(recording) = lock(&came).as_mut() {
                match piece {
                    Ok(piece) => recording.push(piece),
                    Err(_) => recording.break_off(),
                }
            }
        });
        let end = stream::poll_fn(move |_| {
            if let Some(recording) = lock(&end).as_mut() {
                recording.end();
            }
            Poll::Ready(None)
        });
        passing.chain(end).boxed()
    }

    /// Takes the note that went out, or may have.
    pub(super) fn note_sent(&self, note: OggOpus) {
        *lock(&self.sent) = Some(note);
    }

    /// Hands over what there is.
    pub(super) fn hand_over(self, lease: &Lease) {
        let Some(intake) = self.intake else { return };
        let of = (&lease.turn, &lease.lane.number);
        let mime_type = match &lease.first().body {
            Body::Audio { media } => media.mime_type.as_deref(),
            _ => None,
        };
        if let Some(recording) = lock(&self.came).take() {
            intake.take(of, SoundSide::In, mime_type, recording);
        }
        if let Some(OggOpus(note)) = lock(&self.sent).take() {
            intake.take(of, SoundSide::Out, Some("audio/ogg"), intake.record().whole(note));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
