//! Faults of what people say: webhooks that come twice, days late, out of order, or by the thousand.
//!
//! Invariant: at most [`HELD`] webhooks are held back at a time; the next waits for one of them.

use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::{FaultDice, FaultKind as Kind};
use crate::simulator::Inner;
use crate::simulator::said::SaidMessage;
use crate::simulator::webhook::{GivenUp, timestamp};

/// Webhooks that may be held back.
pub(in crate::simulator) const HELD: usize = 4_096;

/// A day in milliseconds.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Says when a webhook was answered 200, or that it was given up.
pub(in crate::simulator) type WebhookFate = oneshot::Receiver<Result<(), GivenUp>>;

/// Collects messages for one webhook.
#[derive(Default)]
pub(in crate::simulator) struct WebhookBatch {
    /// Counts them, so that who waits for one knows it.
    number: u64,
    messages: Vec<Value>,
    contacts: Vec<Value>,
    waiting: Vec<oneshot::Sender<Result<(), GivenUp>>>,
}

impl Inner {
    /// Posts what a person said, with the faults that it meets.
    pub(in crate::simulator) async fn post_said(
        self: &Arc<Self>,
        said: SaidMessage,
    ) -> WebhookFate {
        let Some(dice) = &self.faults else {
            return self.inbound.post_noted(&self.settings.envelope(said.webhook())).await;
        };
        let about = said.about.as_str();
        let twice = dice.hits(Kind::Duplicate, about);
        let later = dice.hits(Kind::LateDuplicate, about).then(|| {
            let days = i64::try_from(dice.number(Kind::LateDuplicate, about, 0) % 7).unwrap_or(0);
            self.now_ms() - (days + 1) * DAY_MS
        });
        let gathers = dice.hits(Kind::Batch, about);
        let held = dice.hits(Kind::Reorder, about);
        let body = self.settings.envelope(said.webhook());
        let answered = match self.gather(dice, &said, gathers).await {
            Some(answered) => answered,
            None if held => {
                self.post_held(dice.plan.wait("webhooks", "hold_ms"), body.clone()).await
            }
            None => self.inbound.post_noted(&body).await,
        };
        if twice {
            self.inbound.post(&body).await;
        }
        let Some(sent_ms) = later else { return answered };
        let mut old = said;
        old.message["timestamp"] = timestamp(sent_ms).into();
        let (tell, told) = oneshot::channel();
        let shared = Arc::clone(self);
        // As one that Meta did not see answered, and tries again until it does.
        tokio::spawn(async move {
            let Ok(result) = answered.await else { return };
            if result.is_ok() {
                let body = shared.settings.envelope(old.webhook());
                shared.inbound.post(&body).await;
            }
            // Nobody may wait for it.
            tell.send(result).ok();
        });
        told
    }

    /// Posts a webhook after those that come meanwhile.
    async fn post_held(self: &Arc<Self>, wait: Duration, body: Value) -> WebhookFate {
        let (tell, told) = oneshot::channel();
        let shared = Arc::clone(self);
        self.hold_back(wait, async move {
            let answered = shared.courier.deliver(body.to_string().into()).await;
            // Nobody may wait for it.
            tell.send(answered).ok();
        })
        .await;
        told
    }

    /// Adds a message to the webhook that gathers, if one does or begins with it.
    async fn gather(
        self: &Arc<Self>,
        dice: &FaultDice,
        said: &SaidMessage,
        begins: bool,
    ) -> Option<WebhookFate> {
        let size = usize::try_from(dice.plan.amount("webhooks", "batch_size")).unwrap_or(1);
        let (tell, told) = oneshot::channel();
        let (number, first, full) = {
            let mut gathering = self.gathering();
            if gathering.messages.is_empty() && !begins {
                return None;
            }
            gathering.messages.push(said.message.clone());
            gathering.contacts.push(said.contact.clone());
            gathering.waiting.push(tell);
            let count = gathering.messages.len();
            (gathering.number, count == 1, count >= size)
        };
        if first || full {
            let wait = if full { Duration::ZERO } else { dice.plan.wait("webhooks", "hold_ms") };
            let shared = Arc::clone(self);
            self.hold_back(wait, async move { shared.post_gathered(number, size).await }).await;
        }
        Some(told)
    }

    /// Posts what was gathered, filled with reactions, unless that was done.
    async fn post_gathered(self: &Arc<Self>, number: u64, size: usize) {
        let mut gathered = {
            let mut gathering = self.gathering();
            if gathering.number != number || gathering.messages.is_empty() {
                return;
            }
            let next = WebhookBatch { number: number + 1, ..WebhookBatch::default() };
            std::mem::replace(&mut *gathering, next)
        };
        let first = gathered.messages[0].clone();
        while gathered.messages.len() < size {
            let reaction = json!({ "message_id": first["id"], "emoji": "\u{1f44d}" });
            let mut message = json!({
                "id": self.new_id("wamid.sim."),
                "timestamp": first["timestamp"],
                "type": "reaction",
                "reaction": reaction,
            });
            for key in ["from", "from_user_id"] {
                if first[key].is_string() {
                    message[key] = first[key].clone();
                }
            }
            gathered.messages.push(message);
        }
        let parts = json!({ "contacts": gathered.contacts, "messages": gathered.messages });
        let answered = self.inbound.post_noted(&self.settings.envelope(parts)).await.await;
        let Ok(answered) = answered else { return };
        for tell in gathered.waiting {
            // Nobody may wait for it.
            tell.send(answered).ok();
        }
    }

    fn gathering(&self) -> MutexGuard<'_, WebhookBatch> {
        self.gathering.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something after a while; waits first while too much is held back.
    pub(super) async fn hold_back(
        self: &Arc<Self>,
        wait: Duration,
        then: impl Future<Output = ()> + Send + 'static,
    ) {
        let place = Arc::clone(&self.held).acquire_owned().await;
        self.pending.send_modify(|count| *count += 1);
        let pending = self.pending.clone();
        tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            then.await;
            pending.send_modify(|count| *count -= 1);
            drop(place);
        });
    }
}
