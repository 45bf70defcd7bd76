//! The sound of turns, as the API and the commands ask for it.

use std::io;
use std::ops::Range;
use std::time::Duration;

use futures_util::StreamExt as _;

use super::Office;
use super::record::TURN;
use crate::blobs::BlobError;
use crate::http::api::{ApiRefusal, AudioBytes, AudioFile};
use crate::store::{Archive as _, SoundRow, TurnSearch};
use crate::turn::{SoundSide, TurnId};

/// How long whoever has a person forgotten waits for the person's sound to go, too: what is left then
/// goes without them.
const FORGETTING: Duration = Duration::from_secs(10);

impl Office {
    /// Finds the sound of a turn.
    ///
    /// # Errors
    /// `NotFound`, with why there is none.
    pub async fn find_audio(&self, turn: &str, side: SoundSide) -> Result<AudioFile, ApiRefusal> {
        let id = TurnId(turn.to_owned());
        if let Some(sound) = self.sounds.find(&id, side).await? {
            let SoundRow { key, kind, bytes, kept_ms, .. } = sound;
            return Ok(AudioFile {
                key,
                kind,
                bytes,
                tag: format!("{turn}-{}-{kept_ms:x}", side.name()),
            });
        }
        let search = TurnSearch { turn: Some(id.0), limit: 1, ..TurnSearch::default() };
        let Some(turn) = self.store.find(search).await?.pop() else {
            return Err(ApiRefusal::NotFound(TURN.to_owned()));
        };
        let (days, age) =
            (self.sounds.retention().as_secs() / 86_400, self.clock.age(turn.created_ms));
        Err(ApiRefusal::NotFound(if days == 0 {
            "sound of any turn: [blobs] retention_days is 0, so none is kept".to_owned()
        } else if age >= self.sounds.retention() {
            format!("sound of this turn any more: it is kept for {days} days")
        } else if turn.report.is_none() {
            "sound of this turn yet: it is still running".to_owned()
        } else {
            match side {
                SoundSide::In => {
                    "sound that came in with this turn, or it could not be kept".to_owned()
                }
                SoundSide::Out => {
                    "sound that went out with this turn, or it could not be kept".to_owned()
                }
            }
        }))
    }

    /// Reads bytes of it.
    ///
    /// # Errors
    /// `NotFound` if the file is missing, `SoundAway` if its place does not answer.
    pub async fn read_audio(
        &self,
        file: &AudioFile,
        range: Range<u64>,
    ) -> Result<AudioBytes, ApiRefusal> {
        let bytes = self.sounds.read(&file.key, range).await.map_err(|error| match error {
            BlobError::Absent => ApiRefusal::NotFound(
                "file of this sound where it was written: somebody else deleted it".to_owned(),
            ),
            error => {
                tracing::error!(error = %error, fix = error.fix(), "kept sound could not be read");
                ApiRefusal::SoundAway
            }
        })?;
        Ok(bytes.map(|piece| piece.map_err(|error| io::Error::other(error.to_string()))).boxed())
    }

    /// Deletes the sound of who was forgotten. What cannot be deleted now is overdue, and is deleted by
    /// the next sweep that can.
    pub(super) async fn forget_sound(&self) {
        if tokio::time::timeout(FORGETTING, self.sounds.sweep()).await.is_err() {
            tracing::warn!("the sound of a person who was forgotten is still being deleted");
        }
    }
}
