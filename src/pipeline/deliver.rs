//! Sends a turn's parts. Each is in the store before its call, so that a crash at any point is
//! followed by the same part again, never by a new answer.

use std::time::Duration;

use super::Pipeline;
use super::error::{Cause, TurnError};
use super::stage::{Trace, stage};
use crate::audio::OggOpus;
use crate::provider::{Messenger, Outgoing, split_text};
use crate::store::{Draft, Lease};
use crate::turn::{
    Content, MessageId, Outcome, Part, PartState, Personal, Reason, Retry, Role, Stage,
};

/// Limits how often, and how long apart, recording a part's result is retried: half a minute in all.
const SETTLE_TRIES: u32 = 60;
const SETTLE_RETRY: Duration = Duration::from_millis(500);

/// Sends the parts of one turn and records what became of them.
pub(super) struct Delivery<'a> {
    pub(super) pipeline: &'a Pipeline,
    pub(super) messenger: &'a dyn Messenger,
    pub(super) lease: &'a Lease,
    pub(super) trace: &'a Trace,
}

impl Delivery<'_> {
    /// Uploads and sends a voice note, and after it, unless empty, the links that were not read
    /// out. The draft is kept meanwhile. Returns why the links were refused, if they were: the
    /// note counts all the same.
    pub(super) async fn voice(
        &self,
        note: OggOpus,
        links: &str,
        draft: &Draft,
    ) -> Result<Option<Reason>, TurnError> {
        let upload = stage(self.trace, Stage::Upload, self.messenger.upload(note));
        let (media, ()) = tokio::try_join!(upload, self.draft(draft))?;
        let beside = split_text(links).into_iter().filter(|links| !links.is_empty());
        let beside = beside.map(|links| (Role::Beside, Content::Text(Personal(links))));
        let parts = [(Role::Answer, Content::Voice(media))].into_iter().chain(beside);
        self.plan_and_send(parts.collect()).await
    }

    /// Sends a text, in as many parts as its length needs.
    pub(super) async fn text(&self, role: Role, words: &str) -> Result<(), TurnError> {
        let parts =
            split_text(words).into_iter().map(|words| (role, Content::Text(Personal(words))));
        self.plan_and_send(parts.collect()).await.map(|_no_links| ())
    }

    /// Records all parts before the first call, since a crash in between must not lose any, and
    /// sends them. Returns why links were refused, if they were.
    async fn plan_and_send(
        &self,
        parts: Vec<(Role, Content)>,
    ) -> Result<Option<Reason>, TurnError> {
        let now_ms = self.pipeline.clock.now_ms();
        for part in self.pipeline.record.plan(self.lease, parts, now_ms).await? {
            if let Some(refused) = self.send(part).await? {
                return Ok(Some(refused));
            }
        }
        Ok(None)
    }

    /// Sends what an earlier attempt planned and nobody saw sent.
    /// Returns how the turn ends by its parts; `None` if there are none that count.
    pub(super) async fn resume(&self, parts: Vec<Part>) -> Result<Option<Outcome>, TurnError> {
        let mut outcome = None;
        for part in parts {
            outcome = match (&part.state, part.role, &part.content) {
                (PartState::Failed, ..) => continue,
                (_, Role::Fallback, _) => Some(Outcome::Fallback),
                // The text that replaces a refused note includes its links.
                (_, Role::Beside, _) if outcome != Some(Outcome::VoiceNote) => continue,
                (_, Role::Beside, _) => outcome,
                (_, Role::Answer | Role::Notice, Content::Voice(_)) => Some(Outcome::VoiceNote),
                (_, Role::Answer | Role::Notice, _) => outcome.or(Some(Outcome::Text)),
            };
            if part.state == PartState::Planned {
                let _refused_and_logged = self.send(part).await?;
            }
        }
        Ok(outcome)
    }

    /// Keeps what is about to be sent.
    pub(super) async fn draft(&self, draft: &Draft) -> Result<(), TurnError> {
        Ok(self.pipeline.record.draft(self.lease, draft).await?)
    }

    /// Sends one part. Returns why it was refused if it is the links beside a note: to send the
    /// reply as text for them would answer twice.
    async fn send(&self, part: Part) -> Result<Option<Reason>, TurnError> {
        let (kind, started_ms) = (part.content.kind(), self.trace.elapsed_ms());
        let message = Outgoing {
            to: self.lease.contact.clone(),
            content: part.content,
            reply_to: Some(self.lease.first().id.clone()),
            callback_data: self.lease.turn.callback_data(part.index),
        };
        let error = match stage(self.trace, Stage::Send, self.messenger.send(message)).await {
            Ok(id) => {
                let took_ms = self.trace.elapsed_ms() - started_ms;
                tracing::info!(part.kind = kind, message.id = id.for_logs(), took_ms, "sent");
                self.settle(part.index, Ok(id)).await;
                return Ok(None);
            }
            Err(error) => error,
        };
        // Any other may have been sent: it stays planned and is sent again after a while.
        if error.retry() == Retry::Never && matches!(error.cause, Cause::Provider(_)) {
            self.settle(part.index, Err(error.to_string())).await;
        }
        if part.role == Role::Beside && error.retry() == Retry::Never {
            tracing::warn!(error = %error, "the links beside a note were refused");
            return Ok(Some(Reason::LinksFailed(error.to_string())));
        }
        Err(error)
    }

    /// Records what became of a part. A store that is away for a moment is waited for: a part that
    /// is out and not recorded would be sent again.
    async fn settle(&self, index: u32, result: Result<MessageId, String>) {
        for _ in 0..SETTLE_TRIES {
            let (record, now_ms) = (&self.pipeline.record, self.pipeline.clock.now_ms());
            match record.settle(&self.lease.turn, index, result.clone(), now_ms).await {
                Ok(()) => return,
                Err(error) => error.log("a part could not be noted"),
            }
            tokio::time::sleep(SETTLE_RETRY).await;
        }
    }
}
