//! The webhook: signature over the raw bytes, parse, store, answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::{Query, Request, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_LENGTH;
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
use crate::provider::door::{self, Proof};
use crate::provider::payload::{self, Updates};
use crate::queue::inbox::Inbox;
use crate::registry::{Numbers, Registry, ShownBy, Snapshot};
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
        .route("/webhook/360dialog", post(receive_360dialog))
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
    let proof = Proof::read(&headers).map(Evidence::ByMeta).ok_or(Refusal::NoSignature);
    answer(&state, proof, &headers, body).await
}

/// Takes one delivery of 360dialog: Meta's body under a proof of its own.
async fn receive_360dialog(
    State(state): State<Arc<WebhookState>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let proof = Evidence::read_360dialog(&headers, &state.registry.snapshot().numbers);
    answer(&state, proof.ok_or(Refusal::NoProof), &headers, body).await
}

async fn answer(
    state: &Arc<WebhookState>,
    proof: Result<Evidence, Refusal>,
    headers: &HeaderMap,
    body: Body,
) -> Response {
    let started = Instant::now();
    let taken = match proof {
        Ok(proof) => take(state, proof, headers, body).await,
        Err(refusal) => Err(refusal),
    };
    let response = match taken {
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

/// Holds what a delivery shows of who sent it, before its body is read.
enum Evidence {
    /// Meta's signature.
    ByMeta(Proof),
    /// 360dialog's signature, if it has one, and the headers, of which one may have a secret.
    By360dialog(Option<Proof>, HeaderMap),
}

impl Evidence {
    /// Returns what a delivery of 360dialog shows; `None` if no body could make it good.
    fn read_360dialog(headers: &HeaderMap, numbers: &Numbers) -> Option<Self> {
        let proof = Proof::read_360dialog(headers);
        let shows = numbers.shared_secrets().iter().any(|shared| match &shared.shown_by {
            ShownBy::Header(name) => door::shows(headers, name, &shared.secret),
            ShownBy::Signature => proof.is_some(),
        });
        shows.then(|| Self::By360dialog(proof, headers.clone()))
    }

    /// Returns the numbers whose secret it shows for exactly this body.
    fn served(&self, numbers: &Numbers, body: &[u8]) -> Result<Vec<PhoneNumberId>, Refusal> {
        match self {
            Self::ByMeta(proof) => {
                let apps = numbers.app_secrets();
                let signer = proof.signer(body, apps.iter().map(|app| &app.secret));
                Ok(apps[signer.ok_or(Refusal::BadSignature)?].numbers.clone())
            }
            Self::By360dialog(proof, headers) => {
                let shown = numbers.shared_secrets().iter().filter(|shared| {
                    let secret = &shared.secret;
                    match &shared.shown_by {
                        ShownBy::Signature => {
                            proof.as_ref().is_some_and(|proof| proof.is_by(body, secret))
                        }
                        ShownBy::Header(name) => door::shows(headers, name, secret),
                    }
                });
                let served: Vec<_> = shown.flat_map(|shared| shared.numbers.clone()).collect();
                if served.is_empty() { Err(Refusal::BadProof) } else { Ok(served) }
            }
        }
    }
}

/// Checks a delivery, stores it and counts what was in it. Of what nobody signed no body is read.
async fn take(
    state: &Arc<WebhookState>,
    proof: Evidence,
    headers: &HeaderMap,
    body: Body,
) -> Result<Counts, Refusal> {
    let told = headers.get(CONTENT_LENGTH).and_then(|told| told.to_str().ok()?.parse().ok());
    let (body, _room) = state.budget.read(told, body).await?;
    let snapshot = state.registry.snapshot();
    let (served, updates, _room) = if body.len() > LARGE {
        let (state, snapshot, body) = (Arc::clone(state), Arc::clone(&snapshot), body.clone());
        let threads = state.threads.clone();
        let checked = threads.run(move || check(&state, &snapshot, &proof, &body)).await;
        checked.map_err(|_busy_or_panicked| Refusal::Busy)??
    } else {
        check(state, &snapshot, &proof, &body)?
    };
    store(state.inbox.as_ref(), &snapshot.numbers, &served, updates).await.map_err(|error| {
        state.refusals.not_stored(error);
        Refusal::NotStored
    })
}

/// Bodies larger than this are checked and parsed on an owned thread; smaller ones take less time
/// than the hand-over is worth.
const LARGE: usize = 64 * 1024;

/// Finds the numbers that are served from `body`, and parses it.
fn check(
    state: &WebhookState,
    snapshot: &Snapshot,
    proof: &Evidence,
    body: &Bytes,
) -> Result<(Vec<PhoneNumberId>, Updates, BodyRoom), Refusal> {
    let served = proof.served(&snapshot.numbers, body)?;
    let room = state.budget.parse(body)?;
    Ok((served, payload::parse(body).map_err(Refusal::BadJson)?, room))
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

/// Stores what is for the numbers that are `served` from this body, of all our `numbers`.
async fn store(
    inbox: &dyn Inbox,
    numbers: &Numbers,
    served: &[PhoneNumberId],
    updates: Updates,
) -> Result<Counts, StoreError> {
    let ignored = updates.others + updates.statuses.len() + updates.messages.len();
    let signed = |number: &PhoneNumberId| served.contains(number);
    // A number of another secret is ignored; one that is not ours at all is for the inbox to log.
    let ours = |number: &PhoneNumberId| signed(number) || numbers.get(number).is_none();
    let messages: Vec<_> = updates.messages.into_iter().filter(|m| ours(&m.number)).collect();
    let statuses: Vec<_> = updates.statuses.into_iter().filter(|s| signed(&s.number)).collect();
    let echoes: Vec<_> = updates.echoes.into_iter().filter(|echo| signed(&echo.number)).collect();
    let ids: Vec<MessageId> = messages.iter().map(|message| message.id.clone()).collect();
    let mut counts = Counts { ignored, statuses: statuses.len(), ..Counts::default() };
    // Both are durable before the 200, and both share one commit.
    let (accepted, (), ()) =
        tokio::try_join!(inbox.accept(messages), inbox.statuses(statuses), inbox.echoes(echoes))?;
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
