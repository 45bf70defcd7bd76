//! Sends a turn's parts. Each is in the store before its call, so that a crash at any point is
//! followed by the same part again, never by a new answer.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::Pipeline;
use super::error::{Cause, Sending, TurnError};
use super::next::MAX_ATTEMPTS;
use super::stage::{Trace, stage};
use super::unnoted::SendResult;
use crate::audio::OggOpus;
use crate::provider::{Messenger, Outgoing, split_text};
use crate::queue::News;
use crate::store::{Draft, Lease, SendPlan, StoreError};
use crate::turn::{
    Body, Content, DeliveryStatus, MediaId, MessageId, Outcome, Part, PartState, Personal, Reason,
    Retry, Role, Stage,
};

/// Time between two tries to note what became of a part.
const NOTE_RETRY: Duration = Duration::from_millis(500);

/// Longest wait for the status that says that a part was sent, before the next of the turn goes out:
/// WhatsApp keeps the order of what it has taken only if it is asked for one after the other.
const IN_ORDER: Duration = Duration::from_secs(3);

/// Longest wait in place until a part may be sent; a longer one leaves the place to another turn.
const PACED: Duration = Duration::from_secs(1);

/// Longest time that a part is planned ahead.
const MOST_AHEAD: Duration = Duration::from_hours(1);

/// Time before an upload that failed is tried once more.
const UPLOAD_AGAIN: Duration = Duration::from_secs(1);

/// Sends the parts of one turn and records what became of them.
#[derive(Clone, Copy)]
pub(super) struct Delivery<'a> {
    pub(super) pipeline: &'a Pipeline,
    pub(super) messenger: &'a dyn Messenger,
    pub(super) lease: &'a Lease,
    pub(super) trace: &'a Trace,
    pub(super) cancel: &'a CancellationToken,
    /// What the agent may send.
    pub(super) files: &'a [PathBuf],
    /// Tells that a status has come.
    pub(super) news: &'a News,
    /// How many messages the number may send a second.
    pub(super) per_second: u32,
    /// Whether nothing more is sent once the person has sent more.
    pub(super) unless_more: bool,
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
        let (media, ()) = tokio::try_join!(self.upload_note(note), self.draft(draft))?;
        let beside = split_text(links).into_iter().filter(|links| !links.is_empty());
        let beside = beside.map(|links| (Role::Beside, Content::Text(Personal(links))));
        let parts = [(Role::Answer, Content::Voice(media))].into_iter().chain(beside);
        self.plan_and_send(parts.collect()).await
    }

    /// Uploads a note; once more if the first try may have met a bad moment.
    async fn upload_note(&self, note: OggOpus) -> Result<MediaId, TurnError> {
        let upload = || stage(self.trace, Stage::Upload, self.messenger.upload(note.clone()));
        match upload().await {
            Err(error) if error.retry() != Retry::Never && !error.postpones() => {
                tracing::warn!(error = %error, "a note is uploaded once more");
                tokio::time::sleep(UPLOAD_AGAIN).await;
                upload().await
            }
            uploaded => uploaded,
        }
    }

    /// Sends a text, in as many parts as its length needs.
    pub(super) async fn text(&self, role: Role, words: &str) -> Result<(), TurnError> {
        let parts =
            split_text(words).into_iter().map(|words| (role, Content::Text(Personal(words))));
        self.plan_and_send(parts.collect()).await.map(|_no_links| ())
    }

    /// Records all parts before the first call, since a crash in between must not lose any, and
    /// sends them. Returns why something beside the answer was refused, if it was.
    pub(super) async fn plan_and_send(
        &self,
        parts: Vec<(Role, Content)>,
    ) -> Result<Option<Reason>, TurnError> {
        let now_ms = self.pipeline.clock.now_ms();
        let (per_second, unless_more) = (self.per_second, self.unless_more);
        let plan = SendPlan { parts, per_second, unless_more };
        let planned = self.pipeline.record.plan(self.lease, plan, now_ms).await?;
        self.send_in_order(planned).await
    }

    /// Sends parts that are planned, one after the other. Returns why something beside the answer was
    /// refused or left out, if it was.
    pub(super) async fn send_in_order(
        &self,
        parts: Vec<Part>,
    ) -> Result<Option<Reason>, TurnError> {
        let (mut refused, mut parts) = (None, parts.into_iter().peekable());
        while let Some(part) = parts.next() {
            let index = part.index;
            let why = self.send(part).await?;
            let went = why.is_none();
            refused = why.or(refused);
            if parts.peek().is_none() {
                break;
            }
            if went {
                self.until_sent(index).await?;
            }
            if self.unless_more && self.pipeline.record.more_waits(self.lease).await? {
                for left in parts {
                    let why = SendResult::Refused(Reason::Interrupted.to_string());
                    self.note(left.index, why).await;
                }
                return Ok(Some(Reason::Interrupted));
            }
        }
        Ok(refused)
    }

    /// Waits until a status says what became of a part, but not for ever: statuses get lost.
    pub(super) async fn until_sent(&self, part: u32) -> Result<Option<DeliveryStatus>, TurnError> {
        let deadline = Instant::now() + IN_ORDER;
        loop {
            let status = self.pipeline.record.status_of(&self.lease.turn, part).await?;
            let left = deadline.saturating_duration_since(Instant::now());
            if status.is_some() || left.is_zero() || self.cancel.is_cancelled() {
                return Ok(status);
            }
            self.news.wait(left).await;
        }
    }

    /// Waits until a part may be sent.
    async fn until_due(&self, part: &Part) -> Result<(), TurnError> {
        let wait_ms = u64::try_from(part.due_ms - self.pipeline.clock.now_ms()).unwrap_or(0);
        // Longer than anything is planned ahead: the clock was set back.
        let wait = Duration::from_millis(wait_ms);
        let wait = if wait > MOST_AHEAD { Duration::ZERO } else { wait };
        if wait > PACED {
            return Err(Cause::Paced(wait).at(Stage::Send));
        }
        if !wait.is_zero() {
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.cancel.cancelled() => return Err(Cause::Paced(wait).at(Stage::Send)),
            }
        }
        Ok(())
    }

    /// Sends what an earlier attempt planned and nobody saw sent.
    /// Returns how the turn ends by its parts; `None` if there are none that count.
    pub(super) async fn resume(&self, parts: Vec<Part>) -> Result<Option<Outcome>, TurnError> {
        let (mut outcome, mut last) = (None, None);
        for mut part in parts {
            if let Some(result) = self.pipeline.unnoted.of(&self.lease.turn, part.index) {
                self.note(part.index, result.clone()).await;
                part.state = state_after(result);
            }
            outcome = match (&part.state, part.role, &part.content) {
                // What follows the answer is sent after all that may take its place.
                (PartState::Failed, ..) | (_, Role::Extra, _) => continue,
                (_, Role::Fallback, _) => Some(Outcome::Fallback),
                // The text that replaces a refused note includes its links.
                (_, Role::Beside, _) if outcome != Some(Outcome::VoiceNote) => continue,
                (_, Role::Beside, _) => outcome,
                (_, Role::Answer | Role::Notice, Content::Voice(_)) => Some(Outcome::VoiceNote),
                (_, Role::Answer | Role::Notice, _) => outcome.or(Some(Outcome::Text)),
            };
            if matches!(part.state, PartState::Planned | PartState::InDoubt { .. }) {
                if let Some(last) = last {
                    self.until_sent(last).await?;
                }
                last = Some(part.index);
                let _refused_and_logged = self.send(part).await?;
            }
        }
        Ok(outcome)
    }

    /// Keeps what is about to be sent.
    pub(super) async fn draft(&self, draft: &Draft) -> Result<(), TurnError> {
        Ok(self.pipeline.record.draft(self.lease, draft).await?)
    }

    /// Sends one part. Returns why it was refused if the answer counts without it: to send the reply
    /// as text for it would answer twice.
    pub(super) async fn send(&self, part: Part) -> Result<Option<Reason>, TurnError> {
        self.until_due(&part).await?;
        // A process that stood still may wake here, when another has the turn.
        if self.lease.time.is_over(self.pipeline.clock.now_ms()) {
            return Err(StoreError::LeaseLost.into());
        }
        let (kind, started_ms) = (part.content.kind(), self.trace.elapsed_ms());
        let message = Outgoing {
            to: self.lease.contact.clone(),
            content: part.content,
            reply_to: self.answers(),
            callback_data: self.lease.turn.callback_data(part.index),
        };
        let mut error = match stage(self.trace, Stage::Send, self.messenger.send(message)).await {
            Ok(id) => {
                let took_ms = self.trace.elapsed_ms() - started_ms;
                tracing::info!(part.kind = kind, message.id = id.for_logs(), took_ms, "sent");
                self.note(part.index, SendResult::Sent(id)).await;
                return Ok(None);
            }
            Err(error) => error,
        };
        let before = match part.state {
            PartState::InDoubt { sends, .. } => sends,
            _ => 0,
        };
        let unclear = if error.may_have_arrived() { before + 1 } else { 0 };
        error.sending = Some(Sending { part: part.index, unclear });
        if unclear > 0 {
            let (error, sends) = (error.to_string(), unclear);
            self.note(part.index, SendResult::InDoubt { error, sends, assumed: false }).await;
        }
        let final_refusal = error.retry() == Retry::Never;
        let tried_enough = error.is_put_off() && self.lease.attempt >= MAX_ATTEMPTS;
        let counts_without = matches!(part.role, Role::Beside | Role::Extra);
        if counts_without && (final_refusal || tried_enough) {
            self.give_up(&error).await;
            tracing::warn!(error = %error, part.kind = kind, "what goes beside an answer was refused");
            let said = error.to_string();
            return Ok(Some(match part.role {
                Role::Beside => Reason::LinksFailed(said),
                _ => Reason::ExtrasFailed(said),
            }));
        }
        // Any other stays planned and is sent again after a while.
        if final_refusal && matches!(error.cause, Cause::Provider(_)) {
            self.give_up(&error).await;
        }
        Err(error)
    }

    /// Returns the message that is answered; an operator's words, and those that
    /// follow a note, answer none in particular.
    fn answers(&self) -> Option<MessageId> {
        let first = self.lease.first();
        (!matches!(first.body, Body::Reply { .. } | Body::FollowUp { .. }))
            .then(|| first.id.clone())
    }

    /// Notes that the part whose send failed is not sent again: something else takes its place.
    pub(super) async fn give_up(&self, error: &TurnError) {
        if let Some(Sending { part, .. }) = error.sending {
            self.note(part, SendResult::Refused(error.to_string())).await;
        }
    }

    /// Notes that the part whose send failed counts as sent.
    pub(super) async fn count_as_sent(&self, error: &TurnError) {
        if let Some(Sending { part, unclear: sends }) = error.sending {
            let error = error.to_string();
            self.note(part, SendResult::InDoubt { error, sends, assumed: true }).await;
        }
    }

    /// Notes what became of a part, however long the store is away: one that is out and not noted
    /// would be sent again. Ends before only with the turn; the process remembers it then.
    async fn note(&self, part: u32, result: SendResult) {
        let (unnoted, turn) = (&self.pipeline.unnoted, &self.lease.turn);
        unnoted.keep(turn, part, result.clone());
        let mut said = false;
        while let Err(error) = self.write(part, result.clone()).await {
            if !said {
                error.log("a part could not be noted: it is tried until it is");
                said = true;
            }
            tokio::select! {
                () = tokio::time::sleep(NOTE_RETRY) => {}
                () = self.cancel.cancelled() => return,
            }
        }
        unnoted.forget(turn, part);
    }

    async fn write(&self, part: u32, result: SendResult) -> Result<(), StoreError> {
        let (record, turn) = (&self.pipeline.record, &self.lease.turn);
        let now_ms = self.pipeline.clock.now_ms();
        match result {
            SendResult::Sent(id) => record.settle(turn, part, Ok(id), now_ms).await,
            SendResult::Refused(error) => record.settle(turn, part, Err(error), now_ms).await,
            SendResult::InDoubt { error, assumed, .. } => {
                record.doubt(turn, part, error, assumed).await
            }
        }
    }
}

/// Returns the state of a part that is noted so.
fn state_after(result: SendResult) -> PartState {
    match result {
        SendResult::Sent(id) => PartState::Sent(id),
        SendResult::Refused(_) => PartState::Failed,
        SendResult::InDoubt { error, assumed: true, .. } => PartState::Assumed(error),
        SendResult::InDoubt { error, sends, .. } => PartState::InDoubt { error, sends },
    }
}
