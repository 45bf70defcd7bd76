//! The webhook: signature over the raw bytes, parse, store, answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Query, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::json;
use subtle::ConstantTimeEq as _;

use crate::provider::door::Proof;
use crate::provider::payload::{self, Updates};
use crate::queue::inbox::Inbox;
use crate::registry::{AppSecret, Registry, Snapshot};
use crate::store::StoreError;
use crate::telemetry;
use crate::threads::Threads;
use crate::turn::{Accepted, MessageId, PhoneNumberId};

/// Largest webhook body. Source: Meta, "payload up to 3 MB".
const MAX_WEBHOOK_BYTES: usize = 3 * 1024 * 1024;

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
}

impl WebhookState {
    /// Starts the threads that check large bodies.
    ///
    /// # Errors
    /// What the system says if it starts no thread.
    pub fn new(inbox: Arc<dyn Inbox>, registry: Arc<Registry>) -> std::io::Result<Self> {
        // More than 64 that wait would be 200 MB; the provider delivers those again.
        Ok(Self { inbox, registry, threads: Threads::start("webhook", 2, 64)? })
    }
}

pub(super) fn router(state: WebhookState) -> Router {
    let webhook = get(handshake).post(receive);
    Router::new()
        .route("/webhook", webhook.clone())
        .route("/api/meta-webhook", webhook)
        .route("/webhook/360dialog", post(not_built))
        .layer(DefaultBodyLimit::max(MAX_WEBHOOK_BYTES))
        .layer(middleware::from_fn(in_time))
        .with_state(Arc::new(state))
}

/// Ends a request that takes too long.
async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(REQUEST_TIME, next.run(request)).await {
        Ok(response) => response,
        Err(_elapsed) => StatusCode::REQUEST_TIMEOUT.into_response(),
    }
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
        query.challenge.into_response()
    } else {
        tracing::warn!("a webhook handshake was refused: its verify token is not ours");
        (StatusCode::FORBIDDEN, Json(json!({ "error": "verify token mismatch" }))).into_response()
    }
}

/// Takes one delivery.
async fn receive(
    State(state): State<Arc<WebhookState>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let started = Instant::now();
    let (status, answer) = match take(&state, &headers, &body).await {
        Ok(answer) => (StatusCode::OK, answer),
        Err((status, error)) => (status, json!({ "error": error })),
    };
    telemetry::webhook(started.elapsed());
    (status, Json(answer)).into_response()
}

/// Refuses 360dialog's deliveries: its endpoint is not built yet, and a 200 would lose them.
async fn not_built() -> Response {
    let error = "the 360dialog webhook is not built yet";
    (StatusCode::NOT_IMPLEMENTED, Json(json!({ "error": error }))).into_response()
}

/// Says why a delivery is not taken, as its answer does.
type Rejection = (StatusCode, String);

/// Refuses what none of our apps has signed.
fn unsigned() -> Rejection {
    let error = "X-Hub-Signature-256 is missing or matches no configured app_secret";
    (StatusCode::UNAUTHORIZED, error.to_owned())
}

/// Lets the provider deliver again what could not be checked or stored now.
fn try_again(error: &str) -> Rejection {
    (StatusCode::SERVICE_UNAVAILABLE, error.to_owned())
}

/// Checks a delivery, stores it and returns the answer's body.
async fn take(
    state: &WebhookState,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<serde_json::Value, Rejection> {
    let proof = Proof::read(headers).ok_or_else(unsigned)?;
    let snapshot = state.registry.snapshot();
    let (app, updates) = if body.len() > LARGE {
        let (snapshot, body) = (Arc::clone(&snapshot), body.clone());
        let checked = state.threads.run(move || check(&snapshot, &proof, &body)).await;
        checked.map_err(|_busy_or_panicked| try_again("could not be checked, try again"))??
    } else {
        check(&snapshot, &proof, body)?
    };
    let apps = snapshot.numbers.app_secrets();
    let stored = store(state.inbox.as_ref(), apps, app, updates).await;
    let counts = stored.map_err(|error| {
        tracing::error!(error = %error, "a webhook could not be stored; the provider retries");
        try_again("could not be stored, try again")
    })?;
    Ok(match counts.first_known {
        Some(id) if counts.accepted == 0 && counts.ignored == 0 => {
            json!({ "status": "duplicate", "message_id": id.0 })
        }
        _ => json!({
            "status": "accepted",
            "accepted": counts.accepted,
            "duplicates": counts.duplicates,
            "ignored": counts.ignored,
        }),
    })
}

/// Bodies larger than this are checked and parsed on an owned thread; smaller ones take less time
/// than the hand-over is worth.
const LARGE: usize = 64 * 1024;

/// Finds the app secret that signed `body`, by its index, and parses the body.
fn check(snapshot: &Snapshot, proof: &Proof, body: &[u8]) -> Result<(usize, Updates), Rejection> {
    let secrets = snapshot.numbers.app_secrets().iter().map(|app| &app.secret);
    let app = proof.signer(body, secrets).ok_or_else(unsigned)?;
    let updates = payload::parse(body)
        .map_err(|error| (StatusCode::BAD_REQUEST, format!("body is not a webhook: {error}")))?;
    Ok((app, updates))
}

/// Counts what became of the parts of a delivery.
#[derive(Default)]
struct Counts {
    accepted: usize,
    duplicates: usize,
    ignored: usize,
    first_known: Option<MessageId>,
}

/// Stores what is for the numbers of the app `signer`, one of `apps`.
async fn store(
    inbox: &dyn Inbox,
    apps: &[AppSecret],
    signer: usize,
    updates: Updates,
) -> Result<Counts, StoreError> {
    let owner = |number: &PhoneNumberId| apps.iter().position(|app| app.numbers.contains(number));
    let mut counts = Counts {
        ignored: updates.others + updates.statuses.len() + updates.messages.len(),
        ..Counts::default()
    };
    // A number of another app is ignored; one of no app at all is for the inbox to log.
    let ours = |number: &PhoneNumberId| owner(number).is_none_or(|app| app == signer);
    let messages: Vec<_> = updates.messages.into_iter().filter(|m| ours(&m.number)).collect();
    let signed = |number: &PhoneNumberId| owner(number) == Some(signer);
    let statuses: Vec<_> = updates.statuses.into_iter().filter(|s| signed(&s.number)).collect();
    let ids: Vec<MessageId> = messages.iter().map(|message| message.id.clone()).collect();
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
