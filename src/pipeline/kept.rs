//! What a turn leaves of its sound: the file that came in and the note that went out. Notes that are
//! answered together become one file, packet by packet.
//!
//! Beside the turn: it copies bytes that pass by, and hands them over when the turn is at its end, so
//! that nothing is written while somebody waits. Without an intake it does nothing.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use futures_util::stream::{self, StreamExt as _};

use super::listen::Audio;
use crate::audio::{CodedSpeech, NoteMuxer, OggOpus};
use crate::blobs::{SoundIntake, SoundRecording};
use crate::store::Lease;
use crate::turn::{MediaRef, SoundSide};

/// Holds the sound of one turn.
#[derive(Default)]
pub(super) struct TurnSounds {
    intake: Option<SoundIntake>,
    /// What came, in the order in which it was asked for.
    came: Mutex<Vec<(MediaRef, PassingSound)>>,
    sent: Mutex<Option<OggOpus>>,
}

/// Shared with the stream that passes by.
type PassingSound = Arc<Mutex<Option<SoundRecording>>>;

impl TurnSounds {
    pub(super) fn new(intake: Option<SoundIntake>) -> Self {
        Self { intake, ..Self::default() }
    }

    /// Collects what passes by on its way to the decoder.
    pub(super) fn collect<'a>(&self, media: &MediaRef, audio: Audio<'a>) -> Audio<'a> {
        let Some(intake) = &self.intake else { return audio };
        let came: PassingSound = Arc::new(Mutex::new(Some(intake.record())));
        let end = Arc::clone(&came);
        let mut all = lock(&self.came);
        // It is heard again.
        all.retain(|(other, _)| other.id != media.id);
        all.push((media.clone(), Arc::clone(&came)));
        drop(all);
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
        let came = std::mem::take(&mut *lock(&self.came)).into_iter();
        let mut came: Vec<(Option<String>, SoundRecording)> = came
            .filter_map(|(media, recording)| Some((media.mime_type, lock(&recording).take()?)))
            .collect();
        if came.len() > 1
            && let Some(OggOpus(whole)) = joined(&came)
        {
            came = vec![(Some("audio/ogg".to_owned()), intake.record().whole(whole))];
        }
        if let Some((mime_type, recording)) = came.into_iter().next() {
            intake.take(of, SoundSide::In, mime_type.as_deref(), recording);
        }
        if let Some(OggOpus(note)) = lock(&self.sent).take() {
            intake.take(of, SoundSide::Out, Some("audio/ogg"), intake.record().whole(note));
        }
    }
}

/// Joins notes to one; `None`, which leaves the first, if one is no mono Opus as WhatsApp's apps record it,
/// or is not whole.
fn joined(came: &[(Option<String>, SoundRecording)]) -> Option<OggOpus> {
    let notes = came.iter().map(|(_, recording)| recording.file());
    let notes = notes.map(|file| CodedSpeech::read(file?).ok());
    let notes: Option<Vec<CodedSpeech>> = notes.collect();
    if notes.is_none() {
        tracing::info!(notes = came.len(), "notes do not fit into one file: the first is kept");
    }
    notes.map(|notes| NoteMuxer::join(&notes))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
