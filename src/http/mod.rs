//! What the outside talks to: the webhook, health and metrics.
//!
//! Checks the signature, parses, hands the batch to the inbox and answers. Never names the
//! pipeline: a webhook is answered when its messages are on disk, not when they are answered.
//! Each router has a state of its own and takes no more than it needs.

mod health;
mod intake;
mod refusal;
mod server;
mod webhook;

pub use health::HealthState;
pub use server::Server;
pub use webhook::WebhookState;

use axum::Router;

/// Joins all routes.
pub fn router(webhook: WebhookState, health: HealthState) -> Router {
    webhook::router(webhook).merge(health::router(health))
}
