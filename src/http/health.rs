//! Health, readiness and metrics.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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
use crate::telemetry::VERSION;

/// Holds what health is asked of.
pub struct HealthState {
    /// Knows whether the store answers.
    inbox: Arc<dyn Inbox>,
    /// Renders `/metrics`.
    metrics: PrometheusHandle,
    /// Cancelled when the service takes no more traffic. Its listener only opens when its engines
    /// are warm.
    stopping: CancellationToken,
    /// That it is not ready has been logged.
    told: AtomicBool,
}

impl HealthState {
    /// Makes it of what it is asked of.
    pub fn new(
        inbox: Arc<dyn Inbox>,
        metrics: PrometheusHandle,
        stopping: CancellationToken,
    ) -> Self {
        Self { inbox, metrics, stopping, told: AtomicBool::new(false) }
    }

    /// Finds out whether traffic may come: the service is not stopping and its store can be written.
    async fn ready(&self) -> (StatusCode, &'static str) {
        if self.stopping.is_cancelled() {
            return (StatusCode::SERVICE_UNAVAILABLE, "stopping");
        }
        match self.inbox.writable().await {
            Ok(()) => {
                if self.told.swap(false, Ordering::Relaxed) {
                    tracing::info!("ready again");
                }
                (StatusCode::OK, "ready")
            }
            Err(error) => {
                if !error.is_told() && !self.told.swap(true, Ordering::Relaxed) {
                    tracing::error!(error = %error, "not ready: the store cannot be written");
                }
                (StatusCode::SERVICE_UNAVAILABLE, "store not writable")
            }
        }
    }
}

/// What anybody may ask.
pub(super) fn router(state: Arc<HealthState>) -> Router {
    let health = get(async || Json(json!({ "status": "ok" })));
    Router::new()
        .route("/health", health.clone())
        .route("/healthz", health)
        .route("/readyz", get(ready))
        .with_state(state)
}

/// What only those may ask who run the service: the same with details, and numbers.
pub(super) fn admin_router(state: Arc<HealthState>) -> Router {
    let health = get(async || Json(json!({ "status": "ok", "version": VERSION })));
    Router::new()
        .route("/health", health.clone())
        .route("/healthz", health)
        .route("/readyz", get(ready_in_detail))
        .route("/metrics", get(metrics))
        .with_state(state)
}

/// Tells whether traffic may come, and not why.
async fn ready(State(state): State<Arc<HealthState>>) -> impl IntoResponse {
    let (code, _) = state.ready().await;
    let status = if code == StatusCode::OK { "ready" } else { "not ready" };
    (code, Json(json!({ "status": status })))
}

/// Tells whether traffic may come, and why not.
async fn ready_in_detail(State(state): State<Arc<HealthState>>) -> impl IntoResponse {
    let (code, status) = state.ready().await;
    let mut detail = json!({ "status": status });
    if let Some(is_up) = state.inbox.front_is_up() {
        detail["redis"] = json!(if is_up { "up" } else { "away" });
    }
    (code, Json(detail))
}

/// Renders the metrics in Prometheus' text format.
async fn metrics(State(state): State<Arc<HealthState>>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], state.metrics.render())
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use tracing::Level;

    use super::*;
    use crate::store::StoreError;
    use crate::telemetry;
    use crate::telemetry::testing::told;
    use crate::turn::{Accepted, Echo, Inbound, StatusUpdate};

    /// Answers as a store that can be written, or refuses.
    #[derive(Default)]
    struct Writable(AtomicBool);

    #[async_trait]
    impl Inbox for Writable {
        async fn accept(&self, _: Vec<Inbound>) -> Result<Vec<Option<Accepted>>, StoreError> {
            Ok(Vec::new())
        }

        async fn statuses(&self, _: Vec<StatusUpdate>) -> Result<(), StoreError> {
            Ok(())
        }

        async fn echoes(&self, _: Vec<Echo>) -> Result<(), StoreError> {
            Ok(())
        }

        async fn writable(&self) -> Result<(), StoreError> {
            let refuses = self.0.load(Ordering::Relaxed);
            if refuses { Err(StoreError::Backend("no such table".into())) } else { Ok(()) }
        }
    }

    #[tokio::test]
    async fn a_service_that_stops_is_ready_for_nothing() {
        let (inbox, stopping) = (Arc::new(Writable::default()), CancellationToken::new());
        let metrics = telemetry::init_metrics();
        let state = Arc::new(HealthState::new(inbox, metrics, stopping.clone()));
        let asked = async || ready(State(Arc::clone(&state))).await.into_response().status();
        assert_eq!(asked().await, StatusCode::OK);
        stopping.cancel();
        assert_eq!(asked().await, StatusCode::SERVICE_UNAVAILABLE);
    }

    #[tokio::test]
    async fn that_it_is_not_ready_is_told_once_however_often_it_is_asked() {
        let (inbox, metrics) = (Arc::new(Writable::default()), telemetry::init_metrics());
        let state = HealthState::new(inbox.clone(), metrics, CancellationToken::new());
        let (told, _logs) = told();
        for refuses in [false, true, false, true] {
            inbox.0.store(refuses, Ordering::Relaxed);
            for _ in 0..20 {
                assert_eq!(state.ready().await.0 != StatusCode::OK, refuses);
            }
        }
        let levels: Vec<Level> = told.lock().unwrap().clone();
        assert_eq!(levels, [Level::ERROR, Level::INFO, Level::ERROR]);
    }
}
