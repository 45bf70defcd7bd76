//! Plays recordings against a service as a person would, and waits for what comes of each.
//!
//! In the process of the service, whose record of the turns it reads.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;

use crate::simulator::Simulator;
use crate::store::Archive;
use crate::turn::{MessageId, PhoneNumberId, TurnId, TurnReport};

/// The person who speaks.
const PERSON: &str = "15550001111";

/// A turn that takes longer has failed.
const PATIENCE: Duration = Duration::from_mins(1);

/// Sends voice notes to one number of a service.
pub(super) struct Player {
    whatsapp: Simulator,
    number: PhoneNumberId,
    record: Arc<dyn Archive>,
}

/// Holds what came of one voice note.
pub(super) struct Played {
    /// The turn.
    pub(super) report: TurnReport,
    /// The voice note that answered, if one did.
    pub(super) note: Option<Bytes>,
}

impl Player {
    /// Plays to `number`, whose service keeps `record`.
    pub(super) fn new(
        whatsapp: Simulator,
        number: PhoneNumberId,
        record: Arc<dyn Archive>,
    ) -> Self {
        Self { whatsapp, number, record }
    }

    /// Sends an Ogg/Opus file as a voice note and waits for the end of its turn; `name` is for
    /// errors.
    ///
    /// # Errors
    /// If there is no answer within a minute.
    pub(super) async fn play(&self, name: &str, note: Bytes) -> anyhow::Result<Played> {
        let message = self.whatsapp.send_audio(PERSON, note, "audio/ogg; codecs=opus").await;
        let answer = self
            .whatsapp
            .wait_for_reply(&message, PATIENCE)
            .await
            .with_context(|| format!("{name} was not answered in {PATIENCE:?}"))?;
        let report = self.finished(&message).await?;
        let note = match &answer.media {
            Some(media) => {
                let note = self.whatsapp.note(&media.id);
                Some(note.context("the simulator has lost a note")?)
            }
            None => None,
        };
        Ok(Played { report, note })
    }

    /// Waits for a turn's record: the answer arrives a moment before it is closed.
    async fn finished(&self, message: &MessageId) -> anyhow::Result<TurnReport> {
        let turn = TurnId::from_message(&self.number, message);
        let wait = async {
            loop {
                let rows = self.record.turns(Some(PERSON.to_owned()), 1).await?;
                let done = rows.into_iter().find(|row| row.turn == turn).and_then(|row| row.report);
                if let Some(report) = done {
                    return anyhow::Ok(report);
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.context("the turn was not closed")?
    }
}
