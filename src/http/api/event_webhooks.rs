//! `/api/v1/event-webhooks`: who is told of events by HTTP.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::once::once;
use super::problem::ApiRefusal;
use super::request::{AdminOnly, Anyone, IdempotencyKey, IfMatch, JsonBody};
use super::{ApiState, ListPart, tagged};

/// Describes a webhook of events to add or change.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EventWebhookInput {
    /// Where events are posted to.
    #[schema(max_length = 2000)]
    pub url: String,
    /// Which types; empty: all.
    #[serde(default)]
    pub types: Vec<String>,
    /// Of which number; without it, of all.
    #[serde(default)]
    pub number: Option<String>,
    /// Whether events are sent.
    #[serde(default = "yes")]
    pub active: bool,
    /// What they are signed with: `whsec_` and 24 to 64 bytes in Base64. Without it one is made.
    #[serde(default)]
    #[schema(write_only)]
    pub secret: Option<String>,
}

fn yes() -> bool {
    true
}

/// Describes a webhook of events.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct EventWebhookView {
    /// Its id.
    pub id: String,
    /// Where events are posted to.
    pub url: String,
    /// Which types; empty: all.
    pub types: Vec<String>,
    /// Of which number; `null`: of all.
    pub number: Option<String>,
    /// Whether events are sent.
    pub active: bool,
    /// The event up to which all are told.
    pub delivered: String,
    /// Why the last one was not taken; `null` if it was.
    pub error: Option<String>,
    /// Since when.
    #[schema(format = DateTime)]
    pub failing_since: Option<String>,
    /// How many events were given up.
    pub dead: u32,
    /// When it was added.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// Counts its changes.
    pub version: u32,
    /// The secret: only in the answer that makes it, and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// Describes an event that was given up.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DeadEventView {
    /// The CloudEvent.
    pub event: Value,
    /// Why.
    pub error: String,
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
}

/// Says how many events are told again.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ReplayView {
    /// How many.
    pub events: u64,
}

/// Knows webhooks of events.
#[async_trait]
pub trait EventWebhooksApi: Send + Sync {
    /// Returns all, oldest first.
    async fn event_webhooks(&self) -> Result<Vec<EventWebhookView>, ApiRefusal>;
    /// Returns one.
    async fn event_webhook(&self, id: &str) -> Result<EventWebhookView, ApiRefusal>;
    /// Adds one, or changes the one that has this version.
    async fn put_event_webhook(
        &self,
        id: Option<(&str, u32)>,
        input: EventWebhookInput,
    ) -> Result<EventWebhookView, ApiRefusal>;
    /// Removes one.
    async fn remove_event_webhook(&self, id: &str) -> Result<(), ApiRefusal>;
    /// Returns events that were given up, oldest first.
    async fn dead_events(&self, id: &str) -> Result<Vec<DeadEventView>, ApiRefusal>;
    /// Lets them be told again.
    async fn replay_events(&self, id: &str) -> Result<ReplayView, ApiRefusal>;
}

pub(super) fn router() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(look, change, remove))
        .routes(routes!(dead))
        .routes(routes!(replay))
}

/// List webhooks of events
#[utoipa::path(get, path = "/api/v1/event-webhooks", tag = "events",
    responses((status = 200, description = "All, oldest first",
        body = ListPart<EventWebhookView>)))]
async fn list(
    _: Anyone,
    State(state): State<Arc<ApiState>>,
) -> Result<Json<ListPart<EventWebhookView>>, ApiRefusal> {
    Ok(Json(ListPart::whole(state.event_webhooks.event_webhooks().await?)))
}

/// Add a webhook of events
///
/// It gets what happens from then on, each event as a CloudEvent in structured mode, signed as Standard
/// Webhooks says, at least once, and those of one contact in order. An answer of 2xx takes it.
#[utoipa::path(post, path = "/api/v1/event-webhooks", tag = "events",
    request_body = EventWebhookInput,
    responses((status = 201, description = "The webhook, with its secret this once",
        body = EventWebhookView)))]
async fn add(
    AdminOnly(caller): AdminOnly,
    State(state): State<Arc<ApiState>>,
    key: IdempotencyKey,
    sent: JsonBody<EventWebhookInput>,
) -> Result<Response, ApiRefusal> {
    let JsonBody { value, digest } = sent;
    let work = async {
        let added = state.event_webhooks.put_event_webhook(None, value).await?;
        Ok((StatusCode::CREATED, tagged(added.version, added)).into_response())
    };
    once(&state, &caller, key, &digest, work).await
}

/// Look at a webhook of events
#[utoipa::path(get, path = "/api/v1/event-webhooks/{id}", tag = "events",
    params(("id" = String, Path, description = "The webhook's id")),
    responses((status = 200, description = "The webhook", body = EventWebhookView)))]
async fn look(
    _: Anyone,
    State(state): State<Arc<ApiState>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiRefusal> {
    let Path(id) = id?;
    let hook = state.event_webhooks.event_webhook(&id).await?;
    Ok(tagged(hook.version, hook).into_response())
}

/// Change a webhook of events
///
/// Without a `secret` the one that it has stays.
#[utoipa::path(put, path = "/api/v1/event-webhooks/{id}", tag = "events",
    params(("id" = String, Path, description = "The webhook's id")),
    request_body = EventWebhookInput,
    responses((status = 200, description = "The webhook", body = EventWebhookView)))]
async fn change(
    _: AdminOnly,
    State(state): State<Arc<ApiState>>,
    id: Result<Path<String>, PathRejection>,
    IfMatch(version): IfMatch,
    sent: JsonBody<EventWebhookInput>,
) -> Result<Response, ApiRefusal> {
    let Path(id) = id?;
    let changed = state.event_webhooks.put_event_webhook(Some((&id, version)), sent.value).await?;
    Ok(tagged(changed.version, changed).into_response())
}

/// Remove a webhook of events
#[utoipa::path(delete, path = "/api/v1/event-webhooks/{id}", tag = "events",
    params(("id" = String, Path, description = "The webhook's id")),
    responses((status = 204, description = "It is told nothing any more")))]
async fn remove(
    _: AdminOnly,
    State(state): State<Arc<ApiState>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, ApiRefusal> {
    let Path(id) = id?;
    state.event_webhooks.remove_event_webhook(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List events that were given up
///
/// Those that the webhook has not taken within 24 hours, oldest first, 500 at most.
#[utoipa::path(get, path = "/api/v1/event-webhooks/{id}/dead", tag = "events",
    params(("id" = String, Path, description = "The webhook's id")),
    responses((status = 200, description = "The events", body = ListPart<DeadEventView>)))]
async fn dead(
    _: Anyone,
    State(state): State<Arc<ApiState>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<ListPart<DeadEventView>>, ApiRefusal> {
    let Path(id) = id?;
    Ok(Json(ListPart::whole(state.event_webhooks.dead_events(&id).await?)))
}

/// Tell events again that were given up
#[utoipa::path(post, path = "/api/v1/event-webhooks/{id}/replay", tag = "events",
    params(("id" = String, Path, description = "The webhook's id")),
    responses((status = 200, description = "How many are told again", body = ReplayView)))]
async fn replay(
    _: AdminOnly,
    State(state): State<Arc<ApiState>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<ReplayView>, ApiRefusal> {
    let Path(id) = id?;
    Ok(Json(state.event_webhooks.replay_events(&id).await?))
}
