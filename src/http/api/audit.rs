//! `/api/v1/audit`: what was done by whom.
//!
//! Every change that a token asked for, and every look that takes a person's data away: an export, sound,
//! a table. Noted when it is answered, refusals included; a request without a token is nobody's.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{MatchedPath, Query, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::problem::ApiRefusal;
use super::request::{AdminOnly, Caller};
use super::{ApiState, ListPart};
use crate::store::TokenRole;

/// Says which deeds are wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeedQuery {
    /// Those of the token with this id.
    pub token: Option<String>,
    /// At most so many.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
    /// Where the last list ended: its `next`.
    pub cursor: Option<String>,
}

/// Describes what somebody did.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DeedView {
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
    /// The token's id; `@redis` for a stream of commands.
    pub token: String,
    /// Who has it.
    pub name: String,
    /// What it allows.
    pub role: TokenRole,
    /// Method and route, such as `DELETE /api/v1/contacts/{id}`; of a command its type.
    pub deed: String,
    /// The path: on what.
    pub path: String,
    /// How it was answered.
    pub status: u16,
}

/// Keeps what was done.
#[async_trait]
pub trait AuditApi: Send + Sync {
    /// Returns what was done, newest first.
    async fn deeds(&self, query: DeedQuery) -> Result<ListPart<DeedView>, ApiRefusal>;
    /// Keeps a deed.
    async fn note(&self, caller: &Caller, deed: String, path: String, status: StatusCode);
}

/// Holds who asks, once that is known.
#[derive(Clone, Default)]
pub(super) struct KnownCaller(pub(super) Arc<OnceLock<Caller>>);

pub(super) fn router() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new().routes(routes!(deeds))
}

/// List what was done by whom
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit", params(DeedQuery),
    responses((status = 200, description = "Deeds, newest first", body = ListPart<DeedView>)))]
async fn deeds(
    _: AdminOnly,
    State(state): State<Arc<ApiState>>,
    query: Result<Query<DeedQuery>, QueryRejection>,
) -> Result<Json<ListPart<DeedView>>, ApiRefusal> {
    let Query(query) = query?;
    Ok(Json(state.audit.deeds(query).await?))
}

/// Notes what was done, before it is answered.
pub(super) async fn audited(
    State(state): State<Arc<ApiState>>,
    route: MatchedPath,
    mut request: Request,
    next: Next,
) -> Response {
    let takes_data_away = route.as_str().ends_with("/export")
        || route.as_str().contains("/audio/")
        || request.uri().query().is_some_and(|query| query.contains("format="));
    let method = request.method().clone();
    if method == Method::HEAD || method == Method::GET && !takes_data_away {
        return next.run(request).await;
    }
    let caller = KnownCaller::default();
    request.extensions_mut().insert(caller.clone());
    let path = request.uri().path().to_owned();
    let response = next.run(request).await;
    if let Some(caller) = caller.0.get() {
        let deed = format!("{method} {}", route.as_str());
        state.audit.note(caller, deed, path, response.status()).await;
    }
    response
}
