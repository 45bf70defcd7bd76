//! Health, readiness and metrics.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::queue::inbox::Inbox;

/// Holds what health is asked of.
pub struct HealthState {
    /// Knows whether the store answers.
    pub inbox: Arc<dyn Inbox>,
    /// Renders `/metrics`.
    pub metrics: PrometheusHandle,
    /// Cancelled when the service takes no more traffic. Its listener only opens when its engines
    /// are warm.
    pub stopping: CancellationToken,
}

pub(super) fn router(state: HealthState) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/healthz", get(health))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(Arc::new(state))
}

/// Says that the process is alive.
async fn health() -> impl IntoResponse {
    Json(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }))
}

/// Tells whether traffic may come: the service is not stopping and its store answers.
async fn ready(State(state): State<Arc<HealthState>>) -> impl IntoResponse {
    if state.stopping.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "stopping" })));
    }
    match state.inbox.writable().await {
        Ok(()) => (StatusCode::OK, Json(json!({ "status": "ready" }))),
        Err(error) => {
            error.log("not ready");
            (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "store not writable" })))
        }
    }
}

/// Renders the metrics in Prometheus' text format.
async fn metrics(State(state): State<Arc<HealthState>>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], state.metrics.render())
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;
    use crate::store::StoreError;
    use crate::telemetry;
    use crate::turn::{Accepted, Inbound, StatusUpdate};

    /// Answers as a store that can be written.
    struct Writable;

    #[async_trait]
    impl Inbox for Writable {
        async fn accept(&self, _: Vec<Inbound>) -> Result<Vec<Option<Accepted>>, StoreError> {
            Ok(Vec::new())
        }

        async fn statuses(&self, _: Vec<StatusUpdate>) -> Result<(), StoreError> {
            Ok(())
        }

        async fn writable(&self) -> Result<(), StoreError> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_service_that_stops_is_ready_for_nothing() {
        let (inbox, stopping) = (Arc::new(Writable), CancellationToken::new());
        let metrics = telemetry::init_metrics();
        let state = Arc::new(HealthState { inbox, metrics, stopping: stopping.clone() });
        let asked = async || ready(State(Arc::clone(&state))).await.into_response().status();
        assert_eq!(asked().await, StatusCode::OK);
        stopping.cancel();
        assert_eq!(asked().await, StatusCode::SERVICE_UNAVAILABLE);
    }
}
