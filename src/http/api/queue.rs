//! `/api/v1/queue` and `/api/v1/nodes`: what waits and what gave up, and who works on it.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::problem::ApiRefusal;
use super::request::{AdminOnly, Anyone};
use super::{ApiState, ListPart};
use crate::store::BacklogState;

/// Says which messages are wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct QueueQuery {
    /// Those that wait, are being answered, or gave up.
    pub state: Option<BacklogState>,
    /// At most so many.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
    /// Where the last list ended: its `next`.
    pub cursor: Option<String>,
}

/// Describes a message of the queue.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct QueuedView {
    /// Names it here.
    pub id: String,
    /// The business number.
    pub phone_number_id: String,
    /// Who sent it.
    pub contact: String,
    /// WhatsApp's word for its type.
    pub kind: String,
    /// What it does.
    pub state: BacklogState,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was accepted.
    #[schema(format = DateTime)]
    pub received_at: String,
    /// From when it is tried; of one that gave up `null`.
    #[schema(format = DateTime)]
    pub due_at: Option<String>,
    /// The node that answers it.
    pub node: Option<String>,
    /// Its turn, once it was tried.
    pub turn: Option<String>,
    /// Why that gave up, or is opened again.
    pub reason: Option<String>,
    /// When it gave up.
    #[schema(format = DateTime)]
    pub gave_up_at: Option<String>,
}

/// Describes a process that serves from the store.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct NodeView {
    /// Its name.
    pub id: String,
    /// Its host.
    pub host: String,
    /// hark's version.
    pub version: String,
    /// Turns that run there.
    pub turns: u32,
    /// When it started.
    #[schema(format = DateTime)]
    pub started_at: String,
    /// When it last said that it lives.
    #[schema(format = DateTime)]
    pub last_seen_at: String,
    /// Whether that was just now.
    pub alive: bool,
}

/// Knows the queue and who works on it.
#[async_trait]
pub trait QueueApi: Send + Sync {
    /// Returns messages of the queue, oldest first.
    async fn queue(&self, query: QueueQuery) -> Result<ListPart<QueuedView>, ApiRefusal>;
    /// Returns one.
    async fn queued(&self, id: &str) -> Result<QueuedView, ApiRefusal>;
    /// Tries one at once; one that gave up in a turn of its own.
    async fn replay(&self, id: &str) -> Result<QueuedView, ApiRefusal>;
    /// Takes one out of the queue.
    async fn drop_queued(&self, id: &str) -> Result<(), ApiRefusal>;
    /// Returns the nodes, oldest first.
    async fn nodes(&self) -> Result<Vec<NodeView>, ApiRefusal>;
}

pub(super) fn router() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show, forget))
        .routes(routes!(replay))
        .routes(routes!(nodes))
}

/// List what waits, is being answered, or gave up
#[utoipa::path(get, path = "/api/v1/queue", tag = "queue", params(QueueQuery),
    responses((status = 200, description = "Messages, oldest first", body = ListPart<QueuedView>)))]
async fn list(
    _: Anyone,
    State(state): State<Arc<ApiState>>,
    query: Result<Query<QueueQuery>, QueryRejection>,
) -> Result<Json<ListPart<QueuedView>>, ApiRefusal> {
    let Query(query) = query?;
    Ok(Json(state.queue.queue(query).await?))
}

/// Show one message of the queue
#[utoipa::path(get, path = "/api/v1/queue/{id}", tag = "queue",
    params(("id" = String, Path, description = "As the list has it")),
    responses((status = 200, description = "The message", body = QueuedView)))]
async fn show(
    _: Anyone,
    State(state): State<Arc<ApiState>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<QueuedView>, ApiRefusal> {
    let Path(id) = id?;
    Ok(Json(state.queue.queued(&id).await?))
}

/// Try a message at once; one that gave up is answered anew
#[utoipa::path(post, path = "/api/v1/queue/{id}/replay", tag = "queue",
    params(("id" = String, Path, description = "As the list has it")),
    responses((status = 200, description = "The message as it waits now", body = QueuedView)))]
async fn replay(
    _: AdminOnly,
    State(state): State<Arc<ApiState>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<QueuedView>, ApiRefusal> {
    let Path(id) = id?;
    Ok(Json(state.queue.replay(&id).await?))
}

/// Take a message out of the queue: it is kept, and not answered
#[utoipa::path(delete, path = "/api/v1/queue/{id}", tag = "queue",
    params(("id" = String, Path, description = "As the list has it")),
    responses((status = 204, description = "It is out")))]
async fn forget(
    _: AdminOnly,
    State(state): State<Arc<ApiState>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, ApiRefusal> {
    let Path(id) = id?;
    state.queue.drop_queued(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List the processes that serve from the store
#[utoipa::path(get, path = "/api/v1/nodes", tag = "queue",
    responses((status = 200, description = "Nodes, oldest first", body = ListPart<NodeView>)))]
async fn nodes(
    _: Anyone,
    State(state): State<Arc<ApiState>>,
) -> Result<Json<ListPart<NodeView>>, ApiRefusal> {
    Ok(Json(ListPart::whole(state.queue.nodes().await?)))
}
