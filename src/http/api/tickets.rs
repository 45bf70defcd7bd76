//! `/api/v1/tickets` and `/operators`: what people are wanted for, and who they are.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::once::once;
use super::problem::ApiRefusal;
use super::request::{AdminOnly, Anyone, Caller, IdempotencyKey, IfMatch, JsonBody, MaybeMatch};
use super::{ApiState, ListPart, tagged};
use crate::turn::{TicketEnd, TicketReason, WorkingHours};

/// Says which tickets are wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TicketQuery {
    /// `open` or `closed`.
    pub state: Option<String>,
    /// Those of this operator.
    pub operator: Option<String>,
    /// Those of this conversation.
    pub conversation: Option<String>,
    /// At most so many.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
    /// Where the last list ended: its `next`.
    pub cursor: Option<String>,
}

/// Describes a ticket.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TicketView {
    /// Its id.
    pub id: String,
    /// `open` or `closed`.
    pub state: String,
    /// The conversation it is about.
    pub conversation: String,
    /// The number.
    pub number: String,
    /// The contact's id here.
    pub contact_id: String,
    /// User id or phone number of the contact.
    pub contact: String,
    /// The name of their profile.
    pub name: Option<String>,
    /// Why it was opened.
    #[schema(value_type = String)]
    pub reason: TicketReason,
    /// What it is about.
    pub summary: Option<String>,
    /// Who is wanted for it: an operator with this skill, or with none in particular.
    pub skill: Option<String>,
    /// The language of the person.
    pub language: Option<String>,
    /// The turn that opened it.
    pub turn: Option<String>,
    /// Who has it.
    pub operator: Option<String>,
    /// When it was opened.
    #[schema(format = DateTime)]
    pub opened_at: String,
    /// When an operator got it.
    #[schema(format = DateTime)]
    pub assigned_at: Option<String>,
    /// When the person or the operator last wrote, or it changed.
    #[schema(format = DateTime)]
    pub last_at: String,
    /// When it was closed.
    #[schema(format = DateTime)]
    pub closed_at: Option<String>,
    /// Why it was closed.
    #[schema(value_type = Option<String>)]
    pub closed_by: Option<TicketEnd>,
    /// Counts its changes.
    pub version: u32,
}

/// Asks for a ticket: takes a conversation over.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TicketInput {
    /// The conversation.
    pub conversation: String,
    /// What it is about.
    #[schema(max_length = 2000)]
    pub summary: Option<String>,
    /// Who is wanted for it.
    #[schema(max_length = 100)]
    pub skill: Option<String>,
    /// Who takes it; without one, whoever is there.
    pub operator: Option<String>,
}

/// Says who gets a ticket.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignInput {
    /// The operator; without one, whoever is there and has the fewest tickets.
    pub operator: Option<String>,
}

/// Describes an operator to add or change.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OperatorInput {
    /// Their name.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// What they are asked about: names of agents, or words of your own; empty: everything.
    #[serde(default)]
    pub skills: Vec<String>,
    /// What they speak, such as `es`; empty: every language.
    #[serde(default)]
    pub languages: Vec<String>,
    /// Whether they take tickets now.
    #[serde(default = "yes")]
    pub available: bool,
    /// When they work; without it, always.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub hours: Option<WorkingHours>,
}

fn yes() -> bool {
    true
}

/// Describes an operator.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct OperatorView {
    /// Their id.
    pub id: String,
    /// Their name.
    pub name: String,
    /// What they are asked about.
    pub skills: Vec<String>,
    /// What they speak.
    pub languages: Vec<String>,
    /// Whether they take tickets.
    pub available: bool,
    /// When they work.
    #[schema(value_type = Option<Object>)]
    pub hours: Option<WorkingHours>,
    /// Whether they are there now.
    pub present: bool,
    /// How many tickets they have.
    pub tickets: u32,
    /// When they were added.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// Counts their changes.
    pub version: u32,
}

/// Knows tickets and operators.
#[async_trait]
pub trait TicketsApi: Send + Sync {
    /// Returns tickets, newest first, and where the list goes on.
    async fn tickets(&self, query: TicketQuery) -> Result<ListPart<TicketView>, ApiRefusal>;
    /// Returns one ticket.
    async fn ticket(&self, id: &str) -> Result<TicketView, ApiRefusal>;
    /// Takes a conversation over.
    async fn open_ticket(
        &self,
        caller: &Caller,
        input: TicketInput,
    ) -> Result<TicketView, ApiRefusal>;
    /// Gives a ticket to an operator.
    async fn assign_ticket(
        &self,
        id: &str,
        version: Option<u32>,
        input: AssignInput,
    ) -> Result<TicketView, ApiRefusal>;
    /// Closes a ticket.
    async fn close_ticket(&self, id: &str, version: Option<u32>) -> Result<TicketView, ApiRefusal>;
    /// Returns all operators, oldest first.
    async fn operators(&self) -> Result<Vec<OperatorView>, ApiRefusal>;
    /// Returns one operator.
    async fn operator(&self, id: &str) -> Result<OperatorView, ApiRefusal>;
    /// Adds an operator, or changes one that has this version.
    async fn put_operator(
        &self,
        id: Option<(&str, u32)>,
        input: OperatorInput,
    ) -> Result<OperatorView, ApiRefusal>;
    /// Removes an operator.
    async fn remove_operator(&self, id: &str) -> Result<(), ApiRefusal>;
}

pub(super) fn router() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new()
        .routes(routes!(list, open))
        .routes(routes!(look))
        .routes(routes!(assign))
        .routes(routes!(close))
        .routes(routes!(operators, add_operator))
        .routes(routes!(operator, change_operator, remove_operator))
}

/// List tickets
#[utoipa::path(get, path = "/api/v1/tickets", tag = "tickets", params(TicketQuery),
    responses((status = 200, description = "Tickets, newest first", body = ListPart<TicketView>)))]
async fn list(
    _: Anyone,
    State(state): State<Arc<ApiState>>,
    query: Result<Query<TicketQuery>, QueryRejection>,
) -> Result<Json<ListPart<TicketView>>, ApiRefusal> {
    let Query(query) = query?;
    Ok(Json(state.tickets.tickets(query).await?))
}

/// Take a conversation over
///
/// Opens a ticket: the agent says nothing more in the conversation until it is closed, what it was about
/// to say included. If there is an open ticket, it is answered, and the operator gets it.
#[utoipa::path(post, path = "/api/v1/tickets", tag = "tickets", request_body = TicketInput,
    responses((status = 201, description = "The ticket", body = TicketView)))]
async fn open(
    Anyone(caller): Anyone,
    State(state): State<Arc<ApiState>>,
    key: IdempotencyKey,
    sent: JsonBody<TicketInput>,
) -> Result<Response, ApiRefusal> {
    let JsonBody { value, digest } = sent;
    let work = async {
        let opened = state.tickets.open_ticket(&caller, value).await?;
        Ok((StatusCode::CREATED, tagged(opened.version, opened)).into_response())
    };
    once(&state, &caller, key, &digest, work).await
}

/// Look at a ticket
#[utoipa::path(get, path = "/api/v1/tickets/{id}", tag = "tickets",
    params(("id" = String, Path, description = "The ticket's id")),
    responses((status = 200, description = "The ticket", body = TicketView)))]
async fn look(
    _: Anyone,
    State(state): State<Arc<ApiState>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiRefusal> {
    let Path(id) = id?;
    let ticket = state.tickets.ticket(&id).await?;
    Ok(tagged(ticket.version, ticket).into_response())
}

/// Give a ticket to an operator
#[utoipa::path(post, path = "/api/v1/tickets/{id}/assign", tag = "tickets",
    params(("id" = String, Path, description = "The ticket's id")), request_body = AssignInput,
    responses((status = 200, description = "The ticket", body = TicketView)))]
async fn assign(
    Anyone(caller): Anyone,
    State(state): State<Arc<ApiState>>,
    id: Result<Path<String>, PathRejection>,
    MaybeMatch(version): MaybeMatch,
    key: IdempotencyKey,
    sent: JsonBody<AssignInput>,
) -> Result<Response, ApiRefusal> {
    let (Path(id), JsonBody { value, digest }) = (id?, sent);
    let work = async {
        let ticket = state.tickets.assign_ticket(&id, version, value).await?;
        Ok(tagged(ticket.version, ticket).into_response())
    };
    once(&state, &caller, key, &digest, work).await
}

/// Close a ticket
///
/// The agent answers the next message again.
#[utoipa::path(post, path = "/api/v1/tickets/{id}/close", tag = "tickets",
    params(("id" = String, Path, description = "The ticket's id")),
    responses((status = 200, description = "The ticket", body = TicketView)))]
async fn close(
    _: Anyone,
    State(state): State<Arc<ApiState>>,
    id: Result<Path<String>, PathRejection>,
    MaybeMatch(version): MaybeMatch,
) -> Result<Response, ApiRefusal> {
    let Path(id) = id?;
    let ticket = state.tickets.close_ticket(&id, version).await?;
    Ok(tagged(ticket.version, ticket).into_response())
}

/// List the operators
#[utoipa::path(get, path = "/api/v1/operators", tag = "operators",
    responses((status = 200, description = "All operators, oldest first",
        body = ListPart<OperatorView>)))]
async fn operators(
    _: Anyone,
    State(state): State<Arc<ApiState>>,
) -> Result<Json<ListPart<OperatorView>>, ApiRefusal> {
    Ok(Json(ListPart::whole(state.tickets.operators().await?)))
}

/// Add an operator
#[utoipa::path(post, path = "/api/v1/operators", tag = "operators", request_body = OperatorInput,
    responses((status = 201, description = "The operator", body = OperatorView)))]
async fn add_operator(
    AdminOnly(caller): AdminOnly,
    State(state): State<Arc<ApiState>>,
    key: IdempotencyKey,
    sent: JsonBody<OperatorInput>,
) -> Result<Response, ApiRefusal> {
    let JsonBody { value, digest } = sent;
    let work = async {
        let added = state.tickets.put_operator(None, value).await?;
        Ok((StatusCode::CREATED, tagged(added.version, added)).into_response())
    };
    once(&state, &caller, key, &digest, work).await
}

/// Look at an operator
#[utoipa::path(get, path = "/api/v1/operators/{id}", tag = "operators",
    params(("id" = String, Path, description = "The operator's id")),
    responses((status = 200, description = "The operator", body = OperatorView)))]
async fn operator(
    _: Anyone,
    State(state): State<Arc<ApiState>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiRefusal> {
    let Path(id) = id?;
    let operator = state.tickets.operator(&id).await?;
    Ok(tagged(operator.version, operator).into_response())
}

/// Change an operator
///
/// An operator may do so too: they say whether they are there.
#[utoipa::path(put, path = "/api/v1/operators/{id}", tag = "operators",
    params(("id" = String, Path, description = "The operator's id")), request_body = OperatorInput,
    responses((status = 200, description = "The operator", body = OperatorView)))]
async fn change_operator(
    _: Anyone,
    State(state): State<Arc<ApiState>>,
    id: Result<Path<String>, PathRejection>,
    IfMatch(version): IfMatch,
    sent: JsonBody<OperatorInput>,
) -> Result<Response, ApiRefusal> {
    let Path(id) = id?;
    let changed = state.tickets.put_operator(Some((&id, version)), sent.value).await?;
    Ok(tagged(changed.version, changed).into_response())
}

/// Remove an operator
///
/// Their tickets go to others.
#[utoipa::path(delete, path = "/api/v1/operators/{id}", tag = "operators",
    params(("id" = String, Path, description = "The operator's id")),
    responses((status = 204, description = "They get no ticket any more")))]
async fn remove_operator(
    _: AdminOnly,
    State(state): State<Arc<ApiState>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, ApiRefusal> {
    let Path(id) = id?;
    state.tickets.remove_operator(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}
