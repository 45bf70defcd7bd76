//! Accepts what a webhook brought: decides what becomes of each message and stores all of it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Mutex as AsyncMutex;
use tokio::time::{Instant, timeout};

use super::front::KnownIds;
use super::{RunningTurns, Wake};
use crate::clock::Clock;
use crate::registry::{NumberStatus, Registry};
use crate::store::{Disposition, Loss, Queue, StatusEffect, StoreError};
use crate::telemetry;
use crate::turn::{
    About, Accepted, Body, Deed, DeliveryStatus, Echo, Inbound, MessageId, Personal, PhoneNumberId,
    StatusUpdate, TurnId,
};
use crate::written::Redaction;

/// Limits the age of messages that are answered; older ones are kept. Source: WhatsApp's 24 h
/// customer service window.
const ANSWERABLE: Duration = Duration::from_hours(24);

/// Takes what webhooks bring. Everything answered `Ok` is durable.
#[async_trait]
pub trait Inbox: Send + Sync {
    /// Removes duplicates, resolves contacts and enqueues, in one transaction. Returns one answer a
    /// message, in order; `None` for a number that is not ours.
    async fn accept(&self, messages: Vec<Inbound>) -> Result<Vec<Option<Accepted>>, StoreError>;

    /// Keeps delivery statuses.
    async fn statuses(&self, updates: Vec<StatusUpdate>) -> Result<(), StoreError>;

    /// Lets the agent be silent where somebody wrote on the phone.
    async fn echoes(&self, echoes: Vec<Echo>) -> Result<(), StoreError>;

    /// Checks that what comes can be kept, by writing something; asked often, it is done once a
    /// second. Takes no more than 2 s.
    async fn writable(&self) -> Result<(), StoreError>;

    /// Returns whether what stands in front of the store answers; `None` if nothing does.
    fn front_is_up(&self) -> Option<bool> {
        None
    }
}

/// Keeps the inbox of one node, on its own store.
pub struct EmbeddedInbox {
    store: Arc<dyn Queue>,
    clock: Clock,
    /// Knows which numbers are ours; asked for each delivery.
    registry: Arc<Registry>,
    /// Tells the lanes that something new waits.
    arrived: Wake,
    /// The turns that run here.
    running: RunningTurns,
    /// Unknown numbers that were logged already: one line each is enough.
    strangers: Mutex<HashSet<PhoneNumberId>>,
    /// What is taken out of written words.
    redaction: Redaction,
    /// How long more of the same person is waited for, milliseconds.
    burst_ms: i64,
    /// Ids that the store is known to have, if there is somebody who knows.
    front: Option<Arc<KnownIds>>,
    /// When the store was last written to see whether it can be, and whether it could.
    probed: AsyncMutex<Option<(Instant, bool)>>,
}

/// How long the store counts as writable or not, and how long it may take to be written.
const PROBED_FOR: Duration = Duration::from_secs(1);
const PROBE_TIME: Duration = Duration::from_secs(2);

/// Limits the strangers that are remembered, so that made-up ids cannot fill the memory.
const MAX_STRANGERS: usize = 1000;

impl EmbeddedInbox {
    /// Builds the inbox for the numbers of `registry`; `arrived` wakes the lanes.
    pub fn new(
        store: Arc<dyn Queue>,
        clock: Clock,
        registry: Arc<Registry>,
        arrived: Wake,
        running: RunningTurns,
    ) -> Self {
        Self {
            store,
            clock,
            registry,
            arrived,
            running,
            strangers: Mutex::default(),
            redaction: Redaction::default(),
            burst_ms: 0,
            front: None,
            probed: AsyncMutex::default(),
        }
    }

    /// Takes these out of written words before they are kept.
    #[must_use]
    pub fn without(self, redaction: Redaction) -> Self {
        Self { redaction, ..self }
    }

    /// Lets messages wait so many milliseconds for more of the same person.
    #[must_use]
    pub fn gathering(self, burst_ms: i64) -> Self {
        Self { burst_ms, ..self }
    }

    /// Answers of what is known without asking the store.
    #[must_use]
    pub fn behind(self, front: Option<Arc<KnownIds>>) -> Self {
        Self { front, ..self }
    }

    /// Stores messages that are not known to be there, and returns what became of each.
    async fn store(
        &self,
        messages: Vec<(Inbound, Disposition)>,
        now_ms: i64,
    ) -> Result<Vec<Accepted>, StoreError> {
        let Some(front) = &self.front else { return self.store.accept(messages, now_ms).await };
        let id =
            |(message, _): &(Inbound, Disposition)| (message.number.clone(), message.id.clone());
        let ids: Vec<(PhoneNumberId, MessageId)> = messages.iter().map(id).collect();
        let known = front.known(&ids).await;
        let mut of_known = known.iter();
        let is_unknown = |_: &_| of_known.next() == Some(&false);
        let unknown: Vec<_> = messages.into_iter().filter(is_unknown).collect();
        telemetry::known_in_front(ids.len() - unknown.len());
        let mut accepted = Vec::new();
        if !unknown.is_empty() {
            accepted = self.store.accept(unknown, now_ms).await?;
            let kept = ids.iter().zip(&known).filter(|(_, known)| !**known);
            front.kept(kept.map(|(id, _)| id));
        }
        let mut accepted = accepted.into_iter();
        let answer = |known| if known { Some(Accepted::Duplicate) } else { accepted.next() };
        Ok(known.into_iter().filter_map(answer).collect())
    }

    /// Logs a message for a number that is not ours, once a number.
    fn log_stranger(&self, number: &PhoneNumberId) {
        let mut strangers = self.strangers.lock().expect("no holder panics");
        if strangers.len() < MAX_STRANGERS && strangers.insert(number.clone()) {
            // Meta's are digits. Anything else may be somebody's name.
            let digits = number.0.bytes().all(|byte| byte.is_ascii_digit());
            tracing::warn!(
                number.id = if digits { &number.0 } else { "not a number's" },
                "a message for a number that is not configured was ignored; add it to [[numbers]]"
            );
        }
    }
}

/// Tells the lanes that something may have arrived, when dropped.
struct WakeLanes<'a>(&'a Wake);

impl Drop for WakeLanes<'_> {
    fn drop(&mut self) {
        self.0.wake();
    }
}

/// Logs a message that was taken and not delivered; not its id, in which Meta hides the number of
/// the person.
fn log_loss(update: &StatusUpdate, loss: Loss) {
    let part = update.callback_data.as_deref().and_then(TurnId::parse_callback_data);
    let (turn, part) = part.unzip();
    tracing::warn!(
        number.id = %update.number,
        turn.id = turn.as_ref().map(tracing::field::display),
        part,
        status = update.status.name(),
        code = update.error_code,
        details = update.error_title,
        next = loss.name(),
        "a status says failed"
    );
}

/// Decides what becomes of a message.
fn disposition(
    message: &Inbound,
    status: NumberStatus,
    clock: &Clock,
    burst_ms: i64,
) -> Disposition {
    // 0 is "unknown": a webhook without a timestamp counts as fresh.
    let is_dated = message.sent_at_ms != 0;
    if is_dated && clock.age(message.sent_at_ms) > ANSWERABLE {
        Disposition::Expire
    } else if status == NumberStatus::Paused || message.body == Body::Silent {
        Disposition::Store
    } else if burst_ms > 0 {
        Disposition::QueueIn(burst_ms)
    } else {
        Disposition::Queue
    }
}

/// Takes out of a message's words what is not to be kept.
fn redact(message: &mut Inbound, redaction: Redaction) {
    let About { caption, tapped, did, .. } = &mut message.about;
    let edited = match did {
        Some(Deed::Edited(words)) => Some(words),
        _ => None,
    };
    let written = match &mut message.body {
        Body::Text { text } => Some(text),
        _ => None,
    };
    for words in [written, caption.as_mut(), tapped.as_mut(), edited].into_iter().flatten() {
        if let Some(redacted) = redaction.of(words.reveal()) {
            *words = Personal(redacted);
        }
    }
}

/// Says why a message that came too late is kept.
const EXPIRED: &str = "it is older than 24 hours";

/// Says why a message starts no turn; `None` if it does.
fn why_kept(disposition: Disposition, status: NumberStatus) -> Option<&'static str> {
    match disposition {
        Disposition::Queue | Disposition::QueueIn(_) => None,
        Disposition::Expire => Some(EXPIRED),
        Disposition::Store if status == NumberStatus::Paused => Some("its number is paused"),
        Disposition::Store => Some("it asks nothing"),
    }
}

/// Logs what became of a message of ours. That it was sent was logged when it was.
fn log_status(update: &StatusUpdate) {
    let StatusUpdate { message, status, callback_data, .. } = update;
    let of_turn = callback_data.as_deref().and_then(TurnId::parse_callback_data);
    let (turn, id) = (of_turn.map(|(turn, _)| turn.0), message.for_logs());
    match status {
        DeliveryStatus::Failed => {}
        DeliveryStatus::Sent => tracing::debug!(turn.id = turn, message.id = id, "status sent"),
        status => tracing::info!(turn.id = turn, message.id = id, "status {}", status.name()),
    }
}

#[async_trait]
impl Inbox for EmbeddedInbox {
    async fn accept(&self, messages: Vec<Inbound>) -> Result<Vec<Option<Accepted>>, StoreError> {
        let now_ms = self.clock.now_ms();
        let snapshot = self.registry.snapshot();
        let (mut ours, mut known, mut kept) = (Vec::new(), Vec::new(), Vec::new());
        for mut message in messages {
            redact(&mut message, self.redaction);
            let number = snapshot.numbers.get(&message.number);
            known.push(number.is_some());
            let Some(number) = number else {
                self.log_stranger(&message.number);
                continue;
            };
            let disposition = disposition(&message, number.status, &self.clock, self.burst_ms);
            kept.push(why_kept(disposition, number.status).zip(Some(message.raw_type.clone())));
            ours.push((message, disposition));
        }
        if ours.is_empty() {
            return Ok(vec![None; known.len()]);
        }
        // Wakes the lanes also when the provider hangs up before the answer: the write goes on.
        let _wake = WakeLanes(&self.arrived);
        let senders: Vec<_> = ours
            .iter()
            .map(|(message, _)| (message.number.clone(), message.from.clone()))
            .collect();
        let accepted = self.store(ours, now_ms).await?;
        for (number, from) in senders {
            if let Some(from) = from {
                self.running.more_came(&number, &from);
            }
        }
        for (accepted, kept) in accepted.iter().zip(kept) {
            if let (Accepted::New, Some((EXPIRED, raw_type))) = (accepted, &kept) {
                telemetry::expired();
                // Or the machine's clock is wrong.
                let why = EXPIRED;
                tracing::warn!(message.type = raw_type, why, "a message is kept and not answered");
            } else if let (Accepted::New, Some((why, raw_type))) = (accepted, kept) {
                tracing::info!(message.type = raw_type, why, "a message is kept and not answered");
            }
        }
        let mut accepted = accepted.into_iter();
        Ok(known.into_iter().map(|known| if known { accepted.next() } else { None }).collect())
    }

    async fn statuses(&self, updates: Vec<StatusUpdate>) -> Result<(), StoreError> {
        let snapshot = self.registry.snapshot();
        let known = |update: &StatusUpdate| snapshot.numbers.get(&update.number).is_some();
        let ours: Vec<_> = updates.into_iter().filter(known).collect();
        if ours.is_empty() {
            return Ok(());
        }
        // A turn whose note was lost may be leased again.
        let failed = ours.iter().any(|update| update.status == DeliveryStatus::Failed);
        let _wake = failed.then(|| WakeLanes(&self.arrived));
        let effects = self.store.record_statuses(ours.clone(), self.clock.now_ms()).await?;
        for (update, effect) in ours.iter().zip(effects) {
            if effect != StatusEffect::Known {
                telemetry::status(update);
                log_status(update);
                let part = update.callback_data.as_deref().and_then(TurnId::parse_callback_data);
                if let Some((turn, _)) = part {
                    self.running.status_came(&turn);
                }
            }
            if let StatusEffect::Failed(loss) = effect {
                log_loss(update, loss);
            }
        }
        Ok(())
    }

    async fn echoes(&self, echoes: Vec<Echo>) -> Result<(), StoreError> {
        if echoes.is_empty() {
            return Ok(());
        }
        let lanes = self.store.answered_elsewhere(echoes, self.clock.now_ms()).await?;
        for lane in &lanes {
            tracing::info!(
                number.id = %lane.number, contact.id = lane.contact_id,
                "somebody answers on the phone: the agent is silent"
            );
            self.running.take_over(lane);
        }
        Ok(())
    }

    fn front_is_up(&self) -> Option<bool> {
        self.front.as_ref().map(|front| front.is_up())
    }

    async fn writable(&self) -> Result<(), StoreError> {
        let mut last = self.probed.lock().await;
        match *last {
            Some((at, true)) if at.elapsed() < PROBED_FOR => return Ok(()),
            // So that those who ask meanwhile do not wait for one another.
            Some((at, false)) if at.elapsed() < PROBED_FOR => {
                return Err(StoreError::Commit("it could not be written just now".into()));
            }
            _ => {}
        }
        let probe = timeout(PROBE_TIME, self.store.probe(self.clock.now_ms())).await;
        let probed =
            probe.unwrap_or_else(|_late| Err(StoreError::Commit("it takes too long".into())));
        *last = Some((Instant::now(), probed.is_ok()));
        probed
    }
}
