//! What the outside talks to: the webhook, health and metrics.
//!
//! Checks the signature, parses, hands the batch to the inbox and answers. Never names the
//! pipeline: a webhook is answered when its messages are on disk, not when they are answered.

mod health;
mod webhook;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use metrics_exporter_prometheus::PrometheusHandle;
use secrecy::SecretString;

use crate::queue::inbox::Inbox;
use crate::threads::Threads;
use crate::turn::PhoneNumberId;

/// Largest webhook body. Source: Meta, "payload up to 3 MB".
pub const MAX_WEBHOOK_BYTES: usize = 3 * 1024 * 1024;

/// One app secret and the numbers it speaks for.
pub struct AppSecret {
    /// The secret.
    pub secret: SecretString,
    /// Numbers that are served from bodies signed with it.
    pub numbers: Vec<PhoneNumberId>,
}

/// What the handlers see.
pub struct HttpState {
    /// Where messages go.
    pub inbox: Arc<dyn Inbox>,
    /// Distinct app secrets.
    pub secrets: Vec<AppSecret>,
    /// Token of the webhook handshake; without one every handshake is refused.
    pub verify_token: Option<SecretString>,
    /// Check large bodies; see [`checkers`].
    pub threads: Threads,
    /// Renders `/metrics`.
    pub metrics: PrometheusHandle,
    /// Whether models are warm and stores reachable.
    pub ready: Readiness,
}

/// Starts the threads that check and parse large bodies: 10 ms of work for the largest. More than
/// 64 that wait would be 200 MB; the provider delivers those again.
///
/// # Errors
/// What the system says if it starts no thread.
pub fn checkers() -> std::io::Result<Threads> {
    Threads::start("webhook", 2, 64)
}

/// Turns true once, when the service can answer.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<AtomicBool>);

impl Readiness {
    /// Says that the service can answer, or no longer can.
    pub fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::SeqCst);
    }

    /// Whether it can.
    pub fn is_ready(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// How long a request may take, its body included: slow senders must not hold memory for ever.
const REQUEST_TIME: Duration = Duration::from_secs(30);

async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(REQUEST_TIME, next.run(request)).await {
        Ok(response) => response,
        Err(_elapsed) => StatusCode::REQUEST_TIMEOUT.into_response(),
    }
}

/// All routes.
pub fn router(state: HttpState) -> Router {
    let webhook = get(webhook::handshake).post(webhook::receive);
    Router::new()
        .route("/webhook", webhook.clone())
        .route("/api/meta-webhook", webhook)
        .route("/webhook/360dialog", post(webhook::not_built))
        .layer(DefaultBodyLimit::max(MAX_WEBHOOK_BYTES))
        .layer(middleware::from_fn(in_time))
        .route("/health", get(health::health))
        .route("/healthz", get(health::health))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .with_state(Arc::new(state))
}
