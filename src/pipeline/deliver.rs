//! Sends a turn's parts. Each stands in the store before its call, so that a crash at any point
//! is followed by the same part again, never by a new answer.

use std::sync::Arc;
use std::time::Duration;

use super::error::{Cause, TurnError};
use super::stage::{Trace, stage};
use super::{Pipeline, Route};
use crate::audio::OggOpus;
use crate::provider::{Content, Messenger, Outgoing, split_text};
use crate::store::{Draft, Job, Part, PartContent, PartState};
use crate::turn::{LINKS_PARTS, MessageId, Outcome, Retry, Stage, TurnId};

/// Index of the fallback text: beyond any part of an answer, so that none is overwritten.
pub(super) const FALLBACK_PART: u32 = 1000;

/// How often and how long apart a part's end is tried to be noted: half a minute in all.
const NOTE_TRIES: u32 = 60;
const NOTE_RETRY: Duration = Duration::from_millis(500);

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

    /// Uploads and sends a voice note as part 0, and behind it, unless empty, the links that were
    /// not read out. The draft is kept meanwhile. Returns why the links were refused, if they
    /// were: the note counts all the same.
    pub(super) async fn voice(
        &self,
        note: OggOpus,
        links: &str,
        draft: &Draft,
    ) -> Result<Option<String>, TurnError> {
        let upload = stage(&self.trace, Stage::Upload, self.messenger.upload(note));
        let (media, ()) = tokio::try_join!(upload, self.draft(draft))?;
        // All stand before the first call: a crash in between must not swallow the links.
        let voice = parts(0, [PartContent::Voice(media)]);
        let beside = split_text(links).into_iter().filter(|links| !links.is_empty());
        let beside = parts(*LINKS_PARTS.start(), beside.map(PartContent::Text));
        self.plan(voice.iter().chain(&beside).cloned().collect()).await?;
        for part in voice {
            self.send(part).await?;
        }
        for part in beside {
            if let Some(refused) = self.send_beside(part).await? {
                return Ok(Some(refused));
            }
        }
        Ok(None)
    }

    /// Sends links beside a note. Returns why they were refused, if they were: to send the whole
    /// text for them would answer twice.
    async fn send_beside(&self, part: Part) -> Result<Option<String>, TurnError> {
        match self.send(part).await {
            Err(error) if error.retry() == Retry::Never => {
                tracing::warn!(error = %error, "the links beside a note were refused");
                Ok(Some(format!("links_failed: {error}")))
            }
            sent => sent.map(|()| None),
        }
    }

    /// Sends a text, in as many parts as its length needs, from part `index` on.
    pub(super) async fn text(&self, index: u32, text: &str) -> Result<(), TurnError> {
        // All stand before the first call: a crash in between must not swallow the rest.
        let parts = parts(index, split_text(text).into_iter().map(PartContent::Text));
        self.plan(parts.clone()).await?;
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
                // They stand in the text that takes the place of a note that was refused.
                _ if LINKS_PARTS.contains(&part.index) && outcome != Some(Outcome::VoiceNote) => {
                    continue;
                }
                _ if LINKS_PARTS.contains(&part.index) => outcome,
                (_, PartContent::Voice(_)) => Some(Outcome::VoiceNote),
                (_, PartContent::Text(_)) => outcome.or(Some(Outcome::Text)),
            };
            if part.state != PartState::Planned {
                continue;
            }
            if LINKS_PARTS.contains(&part.index) {
                let _refused_and_logged = self.send_beside(part).await?;
            } else {
                self.send(part).await?;
            }
        }
        Ok(outcome)
    }

    /// Keeps what is about to be sent.
    pub(super) async fn draft(&self, draft: &Draft) -> Result<(), TurnError> {
        Ok(self.pipeline.store.draft_turn(&self.turn, draft).await?)
    }

    async fn plan(&self, parts: Vec<Part>) -> Result<(), TurnError> {
        let now_ms = self.pipeline.clock.now_ms();
        Ok(self.pipeline.store.plan_parts(&self.turn, &parts, now_ms).await?)
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
        self.note(part.index, settled).await;
        sent.map(|_id| ())
    }

    /// Notes what became of a part. A store that is away for a moment is waited for: a part that
    /// is out and not noted would be sent again.
    async fn note(&self, index: u32, settled: Result<MessageId, String>) {
        for _ in 0..NOTE_TRIES {
            let (store, now_ms) = (&self.pipeline.store, self.pipeline.clock.now_ms());
            match store.settle_part(&self.turn, index, settled.clone(), now_ms).await {
                Ok(()) => return,
                Err(error) => tracing::error!(error = %error, "a part could not be noted"),
            }
            tokio::time::sleep(NOTE_RETRY).await;
        }
    }
}

/// Parts with these contents, none of them sent, from `first` on.
fn parts(first: u32, contents: impl IntoIterator<Item = PartContent>) -> Vec<Part> {
    let part = |(index, content)| Part { index, content, state: PartState::Planned };
    (first..).zip(contents).map(part).collect()
}

/// The provider answered and said no, so nothing was sent.
fn is_refusal(error: &TurnError) -> bool {
    matches!(error.cause, Cause::Provider(_))
}
