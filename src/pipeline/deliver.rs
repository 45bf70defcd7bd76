//! Sends a turn's parts. Each stands in the store before its call, so that a crash at any point
//! is followed by the same part again, never by a new answer.

use std::sync::Arc;
use std::time::Duration;

use super::error::{Cause, TurnError};
use super::stage::{Trace, stage};
use super::{Pipeline, Route};
use crate::audio::OggOpus;
use crate::provider::{Messenger, Outgoing, split_text};
use crate::store::{Draft, Lease};
use crate::turn::{
    Content, MessageId, Outcome, Part, PartState, Personal, Reason, Retry, Role, Stage,
};

/// How often and how long apart a part's end is tried to be noted: half a minute in all.
const NOTE_TRIES: u32 = 60;
const NOTE_RETRY: Duration = Duration::from_millis(500);

/// One turn's place in the outside world.
pub(super) struct Delivery<'a> {
    pub(super) pipeline: &'a Pipeline,
    pub(super) messenger: Arc<dyn Messenger>,
    pub(super) lease: &'a Lease,
    pub(super) trace: Trace,
}

impl<'a> Delivery<'a> {
    pub(super) fn new(
        pipeline: &'a Pipeline,
        route: &Route,
        lease: &'a Lease,
        trace: &Trace,
    ) -> Self {
        let messenger = Arc::clone(&route.messenger);
        Self { pipeline, messenger, lease, trace: trace.clone() }
    }

    /// Uploads and sends a voice note, and after it, unless empty, the links that were not read
    /// out. The draft is kept meanwhile. Returns why the links were refused, if they were: the
    /// note counts all the same.
    pub(super) async fn voice(
        &self,
        note: OggOpus,
        links: &str,
        draft: &Draft,
    ) -> Result<Option<Reason>, TurnError> {
        let upload = stage(&self.trace, Stage::Upload, self.messenger.upload(note));
        let (media, ()) = tokio::try_join!(upload, self.draft(draft))?;
        // All stand before the first call: a crash in between must not swallow the links.
        let beside = split_text(links).into_iter().filter(|links| !links.is_empty());
        let beside = beside.map(|links| (Role::Beside, Content::Text(Personal(links))));
        let parts = [(Role::Answer, Content::Voice(media))].into_iter().chain(beside);
        for part in self.plan(parts.collect()).await? {
            if part.role == Role::Beside {
                if let Some(refused) = self.send_beside(part).await? {
                    return Ok(Some(refused));
                }
            } else {
                self.send(part).await?;
            }
        }
        Ok(None)
    }

    /// Sends links beside a note. Returns why they were refused, if they were: to send the whole
    /// text for them would answer twice.
    async fn send_beside(&self, part: Part) -> Result<Option<Reason>, TurnError> {
        match self.send(part).await {
            Err(error) if error.retry() == Retry::Never => {
                tracing::warn!(error = %error, "the links beside a note were refused");
                Ok(Some(Reason::LinksFailed(error.to_string())))
            }
            sent => sent.map(|()| None),
        }
    }

    /// Sends a text, in as many parts as its length needs.
    pub(super) async fn text(&self, role: Role, words: &str) -> Result<(), TurnError> {
        // All stand before the first call: a crash in between must not swallow the rest.
        let parts =
            split_text(words).into_iter().map(|words| (role, Content::Text(Personal(words))));
        for part in self.plan(parts.collect()).await? {
            self.send(part).await?;
        }
        Ok(())
    }

    /// Sends what an earlier attempt planned and nobody saw sent.
    /// Returns how the turn ends by its parts; `None` if there are none that count.
    pub(super) async fn resume(&self, parts: Vec<Part>) -> Result<Option<Outcome>, TurnError> {
        let mut outcome = None;
        for part in parts {
            outcome = match (&part.state, part.role, &part.content) {
                (PartState::Failed, ..) => continue,
                (_, Role::Fallback, _) => Some(Outcome::Fallback),
                // They stand in the text that takes the place of a note that was refused.
                (_, Role::Beside, _) if outcome != Some(Outcome::VoiceNote) => continue,
                (_, Role::Beside, _) => outcome,
                (_, Role::Answer | Role::Notice, Content::Voice(_)) => Some(Outcome::VoiceNote),
                (_, Role::Answer | Role::Notice, _) => outcome.or(Some(Outcome::Text)),
            };
            if part.state != PartState::Planned {
                continue;
            }
            if part.role == Role::Beside {
                let _refused_and_logged = self.send_beside(part).await?;
            } else {
                self.send(part).await?;
            }
        }
        Ok(outcome)
    }

    /// Keeps what is about to be sent.
    pub(super) async fn draft(&self, draft: &Draft) -> Result<(), TurnError> {
        Ok(self.pipeline.record.draft(&self.lease.turn, draft).await?)
    }

    async fn plan(&self, parts: Vec<(Role, Content)>) -> Result<Vec<Part>, TurnError> {
        let now_ms = self.pipeline.clock.now_ms();
        Ok(self.pipeline.record.plan(self.lease, parts, now_ms).await?)
    }

    async fn send(&self, part: Part) -> Result<(), TurnError> {
        let message = Outgoing {
            to: self.lease.contact.clone(),
            content: part.content,
            reply_to: Some(self.lease.first().id.clone()),
            callback_data: self.lease.turn.callback_data(part.index),
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
        self.note(part.index, settled).await;
        sent.map(|_id| ())
    }

    /// Notes what became of a part. A store that is away for a moment is waited for: a part that
    /// is out and not noted would be sent again.
    async fn note(&self, index: u32, settled: Result<MessageId, String>) {
        for _ in 0..NOTE_TRIES {
            let (record, now_ms) = (&self.pipeline.record, self.pipeline.clock.now_ms());
            match record.settle(&self.lease.turn, index, settled.clone(), now_ms).await {
                Ok(()) => return,
                Err(error) => tracing::error!(error = %error, "a part could not be noted"),
            }
            tokio::time::sleep(NOTE_RETRY).await;
        }
    }
}

/// The provider answered and said no, so nothing was sent.
fn is_refusal(error: &TurnError) -> bool {
    matches!(error.cause, Cause::Provider(_))
}
