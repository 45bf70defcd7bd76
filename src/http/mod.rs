//! What the outside talks to: the webhook, the API and health; and on an address of its own, metrics.
//!
//! Checks the signature, parses, hands the batch to the inbox and answers. Never names the
//! pipeline: a webhook is answered when its messages are on disk, not when they are answered.
//! Each router has a state of its own and takes no more than it needs.

pub mod api;
mod budget;
mod health;
mod refusal;
mod server;
mod webhook;

pub use api::ApiState;
pub use health::HealthState;
pub use server::Server;
pub use webhook::WebhookState;

use std::sync::Arc;

use axum::Router;

/// Joins the routes of the address that the provider reaches.
pub fn router(webhook: WebhookState, health: Arc<HealthState>) -> Router {
    webhook::router(webhook).merge(health::router(health))
}

/// Makes the routes of the API, for both addresses.
pub fn api_router(api: Arc<ApiState>) -> Router {
    api::router(api)
}

/// Makes the routes of the address that only those reach who run the service.
pub fn admin_router(health: Arc<HealthState>) -> Router {
    health::admin_router(health)
}
