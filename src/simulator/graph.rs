//! Routes the fake Graph API, under any version prefix.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, Uri};
use axum::routing::{get, post};

use super::rules::GraphError;
use super::{Inner, info, media, messages};

/// Largest request body: WhatsApp's largest media file and the form around it.
pub(super) const BODY_LIMIT: usize = 101 << 20;

/// Builds the routes.
pub(super) fn router(shared: Arc<Inner>) -> Router {
    Router::new()
        .route("/{version}/{id}/messages", post(messages::post))
        .route("/{version}/{id}/media", post(media::upload))
        .route("/{version}/{id}/subscribed_apps", post(info::subscribe))
        .route("/{version}/{id}", get(info::get).delete(media::delete))
        .route("/sim/media/{token}", get(media::download))
        .fallback(unknown)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(shared)
}

pub(super) async fn unknown(method: Method, uri: Uri) -> GraphError {
    GraphError::no_object(&method, uri.path())
}
