//! Sends a turn's parts. Each stands in the store before its call, so that a crash at any point
//! is followed by the same part again, never by a new answer.

use std::sync::Arc;

use super::error::{Cause, TurnError};
use super::stage::{Trace, stage};
use super::{Pipeline, Route};
use crate::audio::OggOpus;
use crate::provider::{Content, Messenger, Outgoing, split_text};
use crate::store::{Draft, Job, Part, PartContent, PartState};
use crate::turn::{Outcome, Retry, Stage, TurnId};

/// Index of the fallback text: beyond any part of an answer, so that none is overwritten.
pub(super) const FALLBACK_PART: u32 = 1000;

/// One turn's place in the outside world.
pub(super) struct Delivery<'a> {
    pub(super) pipeline: &'a Pipeline,
    pub(super) messenger: Arc<dyn Messenger>,
    pub(super) job: &'a Job,
    pub(super) turn: TurnId,
    pub(super) trace: Trace,
}

impl<'a> Delivery<'a> {
    pub(super) fn new(pipeline: &'a Pipeline, route: &Route, job: &'a Job, trace: &Trace) -> Self {
        let turn = TurnId::of(&job.message.number, &job.message.id);
        let messenger = Arc::clone(&route.messenger);
        Self { pipeline, messenger, job, turn, trace: trace.clone() }
    }

    /// Uploads and sends a voice note as part 0.
    /// The draft is kept meanwhile.
    pub(super) async fn voice(&self, note: OggOpus, draft: &Draft) -> Result<(), TurnError> {
        let upload = stage(&self.trace, Stage::Upload, self.messenger.upload(note));
        let (media, ()) = tokio::try_join!(upload, self.draft(draft))?;
        let part = self.plan(0, PartContent::Voice(media)).await?;
        self.send(part).await
    }

    /// Sends a text, in as many parts as its length needs, from part `index` on.
    pub(super) async fn text(&self, index: u32, text: &str) -> Result<(), TurnError> {
        let mut parts = Vec::new();
        // All stand before the first call: a crash in between must not swallow the rest.
        for (index, piece) in (index..).zip(split_text(text)) {
            parts.push(self.plan(index, PartContent::Text(piece)).await?);
        }
        for part in parts {
            self.send(part).await?;
        }
        Ok(())
    }

    /// Sends what an earlier attempt planned and nobody saw sent.
    /// Returns how the turn ends by its parts; `None` if there are none that count.
    pub(super) async fn resume(&self, parts: Vec<Part>) -> Result<Option<Outcome>, TurnError> {
        let mut outcome = None;
        for part in parts {
            outcome = match (&part.state, &part.content) {
                (PartState::Failed, _) => continue,
                _ if part.index >= FALLBACK_PART => Some(Outcome::Fallback),
                (_, PartContent::Voice(_)) => Some(Outcome::VoiceNote),
                (_, PartContent::Text(_)) => outcome.or(Some(Outcome::Text)),
            };
            if part.state == PartState::Planned {
                self.send(part).await?;
            }
        }
        Ok(outcome)
    }

    /// Keeps what is about to be sent.
    pub(super) async fn draft(&self, draft: &Draft) -> Result<(), TurnError> {
        let kept = self.pipeline.store.draft_turn(&self.turn, draft).await;
        kept.map_err(|error| TurnError { stage: Stage::Send, cause: error.into() })
    }

    async fn plan(&self, index: u32, content: PartContent) -> Result<Part, TurnError> {
        let part = Part { index, content, state: PartState::Planned };
        let now_ms = self.pipeline.clock.now_ms();
        self.pipeline
            .store
            .plan_part(&self.turn, &part, now_ms)
            .await
            .map_err(|error| TurnError { stage: Stage::Send, cause: error.into() })?;
        Ok(part)
    }

    async fn send(&self, part: Part) -> Result<(), TurnError> {
        let message = Outgoing {
            to: self.job.contact.clone(),
            content: match part.content {
                PartContent::Voice(media) => Content::Voice(media),
                PartContent::Text(text) => Content::Text(text),
            },
            reply_to: Some(self.job.message.id.clone()),
            callback_data: self.turn.callback_data(part.index),
        };
        let sent = stage(&self.trace, Stage::Send, self.messenger.send(message)).await;
        let settled = match &sent {
            Ok(id) => Ok(id.clone()),
            Err(error) if error.retry() == Retry::Never && is_refusal(error) => {
                Err(error.to_string())
            }
            // It may have been sent: the part stays planned and is sent again after a while.
            Err(_) => return sent.map(|_id| ()),
        };
        let now_ms = self.pipeline.clock.now_ms();
        let noted = self.pipeline.store.settle_part(&self.turn, part.index, settled, now_ms).await;
        if let Err(error) = noted {
            // The part is out; only a crash right now would send it again.
            tracing::error!(error = %error, "a sent part could not be noted");
        }
        sent.map(|_id| ())
    }
}

/// The provider answered and said no, so nothing was sent.
fn is_refusal(error: &TurnError) -> bool {
    matches!(error.cause, Cause::Provider(_))
}
