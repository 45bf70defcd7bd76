//! The webhook: signature over the raw bytes, parse, store, answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::{Query, Request, State};
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::json;
use subtle::ConstantTimeEq as _;

use super::budget::{BodyBudget, BodyRoom};
use super::refusal::{Refusal, Refusals};
use crate::provider::door::Proof;
use crate::provider::payload::{self, Updates};
use crate::queue::inbox::Inbox;
use crate::registry::{AppSecret, Registry, Snapshot};
use crate::store::StoreError;
use crate::telemetry;
use crate::threads::Threads;
use crate::turn::{Accepted, MessageId, PhoneNumberId};

/// Limits how long a request may take, its body included: slow senders must not hold memory.
const REQUEST_TIME: Duration = Duration::from_secs(30);

/// Holds what the webhook needs.
pub struct WebhookState {
    /// Where messages go.
    inbox: Arc<dyn Inbox>,
    /// Knows the app secrets and the verify token; asked for each request.
    registry: Arc<Registry>,
    /// Check and parse large bodies: 10 ms of work for the largest.
    threads: Threads,
    /// Bounds what all of them hold.
    budget: BodyBudget,
    /// Logs what is refused.
    refusals: Refusals,
}

impl WebhookState {
    /// Starts the threads that check large bodies.
    ///
    /// # Errors
    /// What the system says if it starts no thread.
    pub fn new(inbox: Arc<dyn Inbox>, registry: Arc<Registry>) -> std::io::Result<Self> {
        let threads = Threads::start("webhook", 2, 64)?;
        let (budget, refusals) = (BodyBudget::new(), Refusals::default());
        Ok(Self { inbox, registry, threads, budget, refusals })
    }

    /// Counts, logs and answers what is not taken.
    fn refuse(&self, refusal: Refusal) -> Response {
        telemetry::webhook_result(refusal.label());
        self.refusals.count(refusal);
        (refusal.status(), Json(json!({ "error": refusal.answer() }))).into_response()
    }
}

pub(super) fn router(state: WebhookState) -> Router {
    let state = Arc::new(state);
    let webhook = get(handshake).post(receive);
    Router::new()
        .route("/webhook", webhook.clone())
        .route("/api/meta-webhook", webhook)
        .route("/webhook/360dialog", post(not_built))
        .layer(middleware::from_fn_with_state(Arc::clone(&state), in_time))
        .with_state(state)
}

/// Ends a request that takes too long.
async fn in_time(State(state): State<Arc<WebhookState>>, request: Request, next: Next) -> Response {
    let answered = tokio::time::timeout(REQUEST_TIME, next.run(request)).await;
    answered.unwrap_or_else(|_elapsed| state.refuse(Refusal::TooSlow))
}

/// Holds the query of Meta's handshake.
#[derive(Deserialize)]
struct Handshake {
    #[serde(rename = "hub.mode", default)]
    mode: String,
    #[serde(rename = "hub.verify_token", default)]
    verify_token: String,
    #[serde(rename = "hub.challenge", default)]
    challenge: String,
}

/// Answers the challenge if the token is ours.
async fn handshake(
    State(state): State<Arc<WebhookState>>,
    Query(query): Query<Handshake>,
) -> Response {
    let matches = state.registry.snapshot().verify_token.as_ref().is_some_and(|token| {
        token.expose_secret().as_bytes().ct_eq(query.verify_token.as_bytes()).into()
    });
    if query.mode == "subscribe" && matches {
        state.refusals.handshake();
        telemetry::webhook_result("handshake");
        query.challenge.into_response()
    } else {
        state.refuse(Refusal::BadVerifyToken)
    }
}

/// Takes one delivery.
async fn receive(
    State(state): State<Arc<WebhookState>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let started = Instant::now();
    let response = match take(&state, &headers, body).await {
        Ok(counts) => {
            counts.log();
            telemetry::webhook_result(counts.label());
            Json(counts.answer()).into_response()
        }
        Err(refusal) => state.refuse(refusal),
    };
    telemetry::webhook(started.elapsed());
    response
}

/// Refuses 360dialog's deliveries: its endpoint is not built yet, and a 200 would lose them.
async fn not_built() -> Response {
    let error = "the 360dialog webhook is not built yet";
    (StatusCode::NOT_IMPLEMENTED, Json(json!({ "error": error }))).into_response()
}

/// Checks a delivery, stores it and counts what was in it. Of what nobody signed no body is read.
async fn take(
    state: &Arc<WebhookState>,
    headers: &HeaderMap,
    body: Body,
) -> Result<Counts, Refusal> {
    let proof = Proof::read(headers).ok_or(Refusal::NoSignature)?;
    let told = headers.get(CONTENT_LENGTH).and_then(|told| told.to_str().ok()?.parse().ok());
    let (body, _room) = state.budget.read(told, body).await?;
    let snapshot = state.registry.snapshot();
    let (app, updates, _room) = if body.len() > LARGE {
        let (state, snapshot, body) = (Arc::clone(state), Arc::clone(&snapshot), body.clone());
        let threads = state.threads.clone();
        let checked = threads.run(move || check(&state, &snapshot, &proof, &body)).await;
        checked.map_err(|_busy_or_panicked| Refusal::Busy)??
    } else {
        check(state, &snapshot, &proof, &body)?
    };
    let apps = snapshot.numbers.app_secrets();
    store(state.inbox.as_ref(), apps, app, updates).await.map_err(|error| {
        state.refusals.not_stored(error);
        Refusal::NotStored
    })
}

/// Bodies larger than this are checked and parsed on an owned thread; smaller ones take less time
/// than the hand-over is worth.
const LARGE: usize = 64 * 1024;

/// Finds the app secret that signed `body`, by its index, and parses the body.
fn check(
    state: &WebhookState,
    snapshot: &Snapshot,
    proof: &Proof,
    body: &Bytes,
) -> Result<(usize, Updates, BodyRoom), Refusal> {
    let secrets = snapshot.numbers.app_secrets().iter().map(|app| &app.secret);
    let app = proof.signer(body, secrets).ok_or(Refusal::BadSignature)?;
    let room = state.budget.parse(body)?;
    Ok((app, payload::parse(body).map_err(Refusal::BadJson)?, room))
}

/// Counts what became of the parts of a delivery.
#[derive(Default)]
struct Counts {
    accepted: usize,
    duplicates: usize,
    /// Everything else, statuses included.
    ignored: usize,
    /// Statuses of what our numbers sent.
    statuses: usize,
    first_known: Option<MessageId>,
}

impl Counts {
    /// Returns the body of the answer.
    fn answer(&self) -> serde_json::Value {
        match &self.first_known {
            Some(id) if self.accepted == 0 && self.ignored == 0 => {
                json!({ "status": "duplicate", "message_id": id.0 })
            }
            _ => json!({
                "status": "accepted",
                "accepted": self.accepted,
                "duplicates": self.duplicates,
                "ignored": self.ignored,
            }),
        }
    }

    /// Names the delivery in the metrics by the most that was in it.
    fn label(&self) -> &'static str {
        match self {
            Self { accepted: 1.., .. } => "accepted",
            Self { duplicates: 1.., .. } => "duplicate",
            Self { statuses: 1.., .. } => "statuses",
            _ => "ignored",
        }
    }

    /// Logs what came; of statuses each has a line of its own.
    fn log(&self) {
        let some = |count: usize| (count > 0).then_some(count);
        let (accepted, duplicates) = (some(self.accepted), some(self.duplicates));
        let (ignored, statuses) = (some(self.ignored - self.statuses), some(self.statuses));
        if self.label() == "statuses" && ignored.is_none() {
            tracing::debug!(statuses, "a webhook came");
        } else {
            tracing::info!(accepted, duplicates, ignored, statuses, "a webhook came");
        }
    }
}

/// Stores what is for the numbers of the app `signer`, one of `apps`.
async fn store(
    inbox: &dyn Inbox,
    apps: &[AppSecret],
    signer: usize,
    updates: Updates,
) -> Result<Counts, StoreError> {
    // A number whose secret is being changed has two apps.
    let signed = |number: &PhoneNumberId| apps[signer].numbers.contains(number);
    let known = |number: &PhoneNumberId| apps.iter().any(|app| app.numbers.contains(number));
    let ignored = updates.others + updates.statuses.len() + updates.messages.len();
    // A number of another app is ignored; one of no app at all is for the inbox to log.
    let ours = |number: &PhoneNumberId| signed(number) || !known(number);
    let messages: Vec<_> = updates.messages.into_iter().filter(|m| ours(&m.number)).collect();
    let statuses: Vec<_> = updates.statuses.into_iter().filter(|s| signed(&s.number)).collect();
    let ids: Vec<MessageId> = messages.iter().map(|message| message.id.clone()).collect();
    let mut counts = Counts { ignored, statuses: statuses.len(), ..Counts::default() };
    // Both are durable before the 200, and both share one commit.
    let (accepted, ()) = tokio::try_join!(inbox.accept(messages), inbox.statuses(statuses))?;
    for (id, accepted) in ids.into_iter().zip(accepted) {
        match accepted {
            Some(Accepted::New) => counts.accepted += 1,
            Some(Accepted::Duplicate) => {
                counts.duplicates += 1;
                counts.first_known.get_or_insert(id);
            }
            None => continue,
        }
        counts.ignored -= 1;
    }
    Ok(counts)
}
