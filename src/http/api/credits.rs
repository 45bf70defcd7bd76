//! `/api/v1/credits`: whose answers are counted, and how many may still be given.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::problem::ApiRefusal;
use super::request::{AdminOnly, Anyone, IfMatch, JsonBody};
use super::{ApiState, ListPart, tagged};
use crate::usage::CreditScope;

/// Changes an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreditInput {
    /// What is left from now on. Turns that run have reserved some of it.
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    pub balance: Option<i64>,
    /// What is added to what is left; below 0 it is taken away.
    #[schema(minimum = -1_000_000_000, maximum = 1_000_000_000)]
    pub add: Option<i64>,
    /// Somebody is told once when less than this is left; `null`: nobody. Absent: as before.
    #[serde(default, deserialize_with = "there")]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 1_000_000_000)]
    pub warn_below: Option<Option<i64>>,
}

/// Tells `null` from what is absent.
#[expect(clippy::option_option, reason = "`null` is another thing than nothing")]
fn there<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Option<i64>>, D::Error> {
    Option::deserialize(value).map(Some)
}

/// Describes an account. A number or an agent without one has no limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountView {
    /// Whose it is.
    pub scope: CreditScope,
    /// The number's id, or the agent's name.
    pub name: String,
    /// Credits that are not spent, those of running turns included.
    pub balance: i64,
    /// Credits that running turns may spend.
    pub reserved: i64,
    /// What is left beside them: at less than an answer costs, nothing is answered.
    pub available: i64,
    /// Credits that were spent since there is an account.
    pub spent: i64,
    /// Somebody is told when less than this is left.
    pub warn_below: Option<i64>,
    /// When that was told, unless there is enough again.
    #[schema(format = DateTime)]
    pub warned_at: Option<String>,
    /// Its version, which is its `ETag`: grows with each change by an operator, not with what is spent.
    pub version: u32,
    /// When it was made.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When an operator changed it last.
    #[schema(format = DateTime)]
    pub changed_at: String,
}

pub(super) fn router() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(of_number, put_number, remove_number))
        .routes(routes!(of_agent, put_agent, remove_agent))
}

/// List the accounts of credits
#[utoipa::path(get, path = "/api/v1/credits", tag = "credits",
    responses((status = 200, description = "All accounts: numbers', then agents'",
        body = ListPart<AccountView>)))]
async fn list(
    _: Anyone,
    State(state): State<Arc<ApiState>>,
) -> Result<Json<ListPart<AccountView>>, ApiRefusal> {
    Ok(Json(ListPart::whole(state.books.accounts().await?)))
}

/// Look at the credits of a number
#[utoipa::path(get, path = "/api/v1/credits/numbers/{id}", tag = "credits",
    params(("id" = String, Path, description = "The provider's id of the number")),
    responses((status = 200, description = "The account", body = AccountView)))]
async fn of_number(
    _: Anyone,
    State(state): State<Arc<ApiState>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<impl IntoResponse, ApiRefusal> {
    look(&state, CreditScope::Number, id).await
}

/// Look at the credits of an agent
#[utoipa::path(get, path = "/api/v1/credits/agents/{name}", tag = "credits",
    params(("name" = String, Path, description = "The agent's name")),
    responses((status = 200, description = "The account", body = AccountView)))]
async fn of_agent(
    _: Anyone,
    State(state): State<Arc<ApiState>>,
    name: Result<Path<String>, PathRejection>,
) -> Result<impl IntoResponse, ApiRefusal> {
    look(&state, CreditScope::Agent, name).await
}

/// Set or add credits of a number
///
/// One that has no account yet gets one: send `If-Match: "0"`.
#[utoipa::path(put, path = "/api/v1/credits/numbers/{id}", tag = "credits",
    params(("id" = String, Path, description = "The provider's id of the number")),
    request_body = CreditInput,
    responses((status = 200, description = "The account", body = AccountView)))]
async fn put_number(
    _: AdminOnly,
    State(state): State<Arc<ApiState>>,
    id: Result<Path<String>, PathRejection>,
    version: IfMatch,
    sent: JsonBody<CreditInput>,
) -> Result<impl IntoResponse, ApiRefusal> {
    put(&state, CreditScope::Number, id, version, sent.value).await
}

/// Set or add credits of an agent
///
/// One that has no account yet gets one: send `If-Match: "0"`.
#[utoipa::path(put, path = "/api/v1/credits/agents/{name}", tag = "credits",
    params(("name" = String, Path, description = "The agent's name")),
    request_body = CreditInput,
    responses((status = 200, description = "The account", body = AccountView)))]
async fn put_agent(
    _: AdminOnly,
    State(state): State<Arc<ApiState>>,
    name: Result<Path<String>, PathRejection>,
    version: IfMatch,
    sent: JsonBody<CreditInput>,
) -> Result<impl IntoResponse, ApiRefusal> {
    put(&state, CreditScope::Agent, name, version, sent.value).await
}

/// Let a number answer without limit
#[utoipa::path(delete, path = "/api/v1/credits/numbers/{id}", tag = "credits",
    params(("id" = String, Path, description = "The provider's id of the number")),
    responses((status = 204, description = "It has no account any more")))]
async fn remove_number(
    _: AdminOnly,
    State(state): State<Arc<ApiState>>,
    id: Result<Path<String>, PathRejection>,
    version: IfMatch,
) -> Result<StatusCode, ApiRefusal> {
    remove(&state, CreditScope::Number, id, version).await
}

/// Let an agent answer without limit
#[utoipa::path(delete, path = "/api/v1/credits/agents/{name}", tag = "credits",
    params(("name" = String, Path, description = "The agent's name")),
    responses((status = 204, description = "It has no account any more")))]
async fn remove_agent(
    _: AdminOnly,
    State(state): State<Arc<ApiState>>,
    name: Result<Path<String>, PathRejection>,
    version: IfMatch,
) -> Result<StatusCode, ApiRefusal> {
    remove(&state, CreditScope::Agent, name, version).await
}

async fn look(
    state: &ApiState,
    scope: CreditScope,
    name: Result<Path<String>, PathRejection>,
) -> Result<impl IntoResponse + use<>, ApiRefusal> {
    let Path(name) = name?;
    let account = state.books.account(scope, &name).await?;
    Ok(tagged(account.version, account))
}

async fn put(
    state: &ApiState,
    scope: CreditScope,
    name: Result<Path<String>, PathRejection>,
    IfMatch(version): IfMatch,
    input: CreditInput,
) -> Result<impl IntoResponse + use<>, ApiRefusal> {
    let Path(name) = name?;
    let account = state.books.put_account(scope, &name, version, input).await?;
    Ok(tagged(account.version, account))
}

async fn remove(
    state: &ApiState,
    scope: CreditScope,
    name: Result<Path<String>, PathRejection>,
    IfMatch(version): IfMatch,
) -> Result<StatusCode, ApiRefusal> {
    let Path(name) = name?;
    state.books.remove_account(scope, &name, version).await?;
    Ok(StatusCode::NO_CONTENT)
}
