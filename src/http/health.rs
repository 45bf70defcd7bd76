//! Health, readiness and metrics.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use serde_json::json;

use super::HttpState;

/// The process is alive.
pub(super) async fn health() -> impl IntoResponse {
    Json(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }))
}

/// Models are warm and the store answers: traffic may come.
pub(super) async fn ready(State(state): State<Arc<HttpState>>) -> impl IntoResponse {
    if !state.ready.is_ready() {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "warming up" })));
    }
    match state.inbox.reachable().await {
        Ok(()) => (StatusCode::OK, Json(json!({ "status": "ready" }))),
        Err(error) => {
            tracing::error!(error = %error, "the store is not reachable");
            (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "store unreachable" })))
        }
    }
}

/// Prometheus text format.
pub(super) async fn metrics(State(state): State<Arc<HttpState>>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], state.metrics.render())
}
