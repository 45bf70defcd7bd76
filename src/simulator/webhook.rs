//! Posts the simulator's webhooks: Meta's envelope, signed, in order, with retries.
//!
//! Each outbox is a task with a bounded queue. Invariant: its webhooks are posted one after the
//! other, each until it is answered 200 or given up.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::header;
use bytes::Bytes;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot, watch};

use super::{Door, SimulatorSettings, WebhookTarget};
use crate::provider::door;

/// Webhooks that may wait; then the sender waits.
const QUEUE: usize = 1024;
/// Attempts before a webhook is given up.
const ATTEMPTS: u32 = 10;
/// First pause between attempts, doubled each time up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Longest wait for the answer to a webhook.
const TIME_LIMIT: Duration = Duration::from_secs(20);

/// The phone number of the business, as people see it: one that nobody can have.
pub(super) const DISPLAY_NUMBER: &str = "15550100000";

/// Posts webhooks to hark.
#[derive(Clone)]
pub(super) struct Courier {
    pub client: reqwest::Client,
    /// May change while it runs.
    pub target: Arc<Mutex<WebhookTarget>>,
    pub door: Door,
    pub app_secret: SecretString,
}

impl Courier {
    /// Returns where webhooks go now.
    pub(super) fn target(&self) -> WebhookTarget {
        self.target.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_target(&self, target: WebhookTarget) {
        *self.target.lock().unwrap_or_else(PoisonError::into_inner) = target;
    }

    /// Returns the header that signs these bytes; 360dialog signs only for partners.
    fn signature(&self, body: &[u8]) -> Option<(&'static str, String)> {
        let made = || door::sign(&self.app_secret, body);
        match self.door {
            Door::Meta => Some((door::SIGNATURE, made())),
            Door::D360 if self.app_secret.expose_secret().is_empty() => None,
            Door::D360 => Some((door::D360_SIGNATURE, made().replace("sha256=", ""))),
        }
    }

    /// Posts a webhook until it is answered 200 or given up.
    pub(super) async fn deliver(&self, body: Bytes) -> Result<(), GivenUp> {
        let signature = self.signature(&body);
        let mut pause = FIRST_PAUSE;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let target = self.target();
            let mut request = self
                .client
                .post(target.url)
                .header(header::CONTENT_TYPE, "application/json")
                .timeout(TIME_LIMIT)
                .body(body.clone());
            if let Some((name, value)) = &signature {
                request = request.header(*name, value);
            }
            for (name, value) in &target.headers {
                request = request.header(name, value.expose_secret());
            }
            let status = request.send().await.map(|response| response.status().as_u16());
            match status {
                Ok(200) => return Ok(()),
                status if attempt == ATTEMPTS => return Err(GivenUp { status: status.ok() }),
                _ => {}
            }
            tokio::time::sleep(pause).await;
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }
}

/// Says that a webhook was never answered 200.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the webhook was not taken: {}", .status.map_or("no answer".to_owned(), |s| s.to_string()))]
pub struct GivenUp {
    /// What it was answered with last; `None` without an answer.
    pub status: Option<u16>,
}

/// A webhook, and who wants to know what became of it.
struct Posting {
    body: Bytes,
    tell: oneshot::Sender<Result<(), GivenUp>>,
}

/// Queues webhooks for the task that posts them.
pub(super) struct Outbox {
    queue: mpsc::Sender<Posting>,
    pending: watch::Sender<usize>,
}

impl Outbox {
    /// Starts the task, which ends when the outbox has been dropped and its queue is empty.
    pub(super) fn open(courier: Courier, pending: watch::Sender<usize>) -> Self {
        let (queue, mut waiting) = mpsc::channel::<Posting>(QUEUE);
        let done = pending.clone();
        tokio::spawn(async move {
            while let Some(Posting { body, tell }) = waiting.recv().await {
                let delivered = courier.deliver(body).await;
                if let Err(error) = delivered {
                    tracing::warn!(error = %error, "the simulator gave up on a webhook");
                }
                // Most want to know nothing.
                tell.send(delivered).ok();
                done.send_modify(|count| *count -= 1);
            }
        });
        Self { queue, pending }
    }

    /// Queues a webhook; waits while the queue is full.
    pub(super) async fn post(&self, body: &Value) {
        let _nobody_waits = self.post_noted(body).await;
    }

    /// Works like [`Self::post`]; what comes out says what became of it.
    pub(super) async fn post_noted(&self, body: &Value) -> oneshot::Receiver<Result<(), GivenUp>> {
        let (tell, told) = oneshot::channel();
        let Ok(place) = self.queue.reserve().await else {
            tracing::error!("the simulator's webhook task has ended");
            return told;
        };
        self.pending.send_modify(|count| *count += 1);
        place.send(Posting { body: Bytes::from(body.to_string()), tell });
        told
    }
}

impl SimulatorSettings {
    /// Wraps the `contacts`, `messages` or `statuses` of a webhook in Meta's envelope.
    pub(super) fn envelope(&self, parts: Value) -> Value {
        let mut value = json!({
            "messaging_product": "whatsapp",
            "metadata": {
                "display_phone_number": DISPLAY_NUMBER,
                "phone_number_id": self.phone_number_id,
            },
        });
        if let (Some(value), Value::Object(parts)) = (value.as_object_mut(), parts) {
            value.extend(parts);
        }
        json!({
            "object": "whatsapp_business_account",
            "entry": [{
                "id": "simulated-business-account",
                "changes": [{ "field": "messages", "value": value }],
            }],
        })
    }
}

/// Formats Unix seconds as a string, as webhooks give them.
pub(super) fn timestamp(ms: i64) -> String {
    ms.div_euclid(1000).to_string()
}
