//! `/api/v1/tokens`: who may use the API.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::once::once;
use super::problem::ApiRefusal;
use super::request::{AdminOnly, Caller, IdempotencyKey, JsonBody};
use super::{ApiState, ListPart};
use crate::store::TokenRole;

/// Asks for a token.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenInput {
    /// Who has it, in your words.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// What it allows.
    pub role: TokenRole,
}

/// Describes a token.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TokenView {
    /// Its id.
    pub id: String,
    /// Who has it.
    pub name: String,
    /// What it allows.
    pub role: TokenRole,
    /// When it was made.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When it was last used, to a minute.
    #[schema(format = DateTime)]
    pub last_used_at: Option<String>,
    /// When it was revoked.
    #[schema(format = DateTime)]
    pub revoked_at: Option<String>,
    /// The token itself: only in the answer that makes it, and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// Says what becomes of a request with an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// It is the first one.
    Mine,
    /// It had this answer.
    Answered(Vec<u8>),
    /// It is being answered.
    Running,
    /// Another request had the key.
    OtherRequest,
}

/// Knows tokens, and what was answered to whom.
#[async_trait]
pub trait TokensApi: Send + Sync {
    /// Returns whose token it is; `None` if it is nobody's.
    async fn who(&self, token: &SecretString) -> Result<Option<Caller>, ApiRefusal>;
    /// Returns all tokens.
    async fn tokens(&self) -> Result<Vec<TokenView>, ApiRefusal>;
    /// Makes a token.
    async fn make_token(&self, input: TokenInput) -> Result<TokenView, ApiRefusal>;
    /// Revokes a token.
    async fn revoke_token(&self, id: &str) -> Result<(), ApiRefusal>;
    /// Takes an idempotency key for a request.
    async fn claim(&self, caller: &str, key: &str, request: &str) -> Result<Claimed, ApiRefusal>;
    /// Keeps the answer to it, or gives the key free.
    async fn settle(
        &self,
        caller: &str,
        key: &str,
        answer: Option<Vec<u8>>,
    ) -> Result<(), ApiRefusal>;
}

pub(super) fn router() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new().routes(routes!(list, make)).routes(routes!(revoke))
}

/// List the tokens
#[utoipa::path(get, path = "/api/v1/tokens", tag = "tokens",
    responses((status = 200, description = "All tokens, oldest first", body = ListPart<TokenView>)))]
async fn list(
    _: AdminOnly,
    State(state): State<Arc<ApiState>>,
) -> Result<Json<ListPart<TokenView>>, ApiRefusal> {
    Ok(Json(ListPart::whole(state.tokens.tokens().await?)))
}

/// Make a token
#[utoipa::path(post, path = "/api/v1/tokens", tag = "tokens", request_body = TokenInput,
    responses((status = 201, description = "The token, shown this once", body = TokenView)))]
async fn make(
    AdminOnly(caller): AdminOnly,
    State(state): State<Arc<ApiState>>,
    key: IdempotencyKey,
    sent: JsonBody<TokenInput>,
) -> Result<Response, ApiRefusal> {
    let JsonBody { value, digest } = sent;
    let work = async {
        let made = state.tokens.make_token(value).await?;
        Ok((StatusCode::CREATED, Json(made)).into_response())
    };
    once(&state, &caller, key, &digest, work).await
}

/// Revoke a token
#[utoipa::path(delete, path = "/api/v1/tokens/{id}", tag = "tokens",
    params(("id" = String, Path, description = "The token's id")),
    responses((status = 204, description = "It allows nothing any more")))]
async fn revoke(
    _: AdminOnly,
    State(state): State<Arc<ApiState>>,
    id: Result<Path<String>, axum::extract::rejection::PathRejection>,
) -> Result<StatusCode, ApiRefusal> {
    let Path(id) = id?;
    state.tokens.revoke_token(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}
