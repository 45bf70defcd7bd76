//! `/api/v1/agents`: who answers, in every version.

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

use super::numbers::EntrySource;
use super::once::once;
use super::problem::ApiRefusal;
use super::request::{AdminOnly, Anyone, IdempotencyKey, IfMatch, JsonBody};
use super::{ApiState, ListPart, tagged};
use crate::registry::{InterruptPolicy, Memory, ReplyPolicy};
use crate::turn::WorkingHours;

/// Describes an agent, with the keys of `[[agents]]`. An `api_key` in it and the `headers` of tools are
/// taken and never shown: in a PUT an absent one stays while its engine, or its tool's name, and its
/// address do, and `null` takes it away.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentInput {
    /// Its name. In a PUT it may be left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9._-]+$")]
    pub name: Option<String>,
    /// What it is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// The one language that it answers in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The languages that it answers in, instead of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub languages: Option<Vec<String>>,
    /// Where it is, such as `Europe/Madrid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// When it answers; outside of these hours a person is wanted, and told so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub hours: Option<WorkingHours>,
    /// When a reply is spoken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<ReplyPolicy>,
    /// What is done with words that may have been misheard: an action, or one for each doubt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gate: Option<Value>,
    /// What hears: an engine's name, a list, or keys of `[stt]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stt: Option<Value>,
    /// What answers: an engine's name, or keys of `[llm]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub llm: Option<Value>,
    /// What speaks: an engine's name, a list, or keys of `[tts]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tts: Option<Value>,
    /// Its voice, or one for each language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voice: Option<Value>,
    /// Files that it knows, by their whole paths on the machine that serves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub knowledge: Option<Vec<String>>,
    /// Whether it may answer with buttons, files, places and the like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rich: Option<bool>,
    /// Files that such an answer may send by their names, by their whole paths on the machine that
    /// serves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<Vec<String>>,
    /// Words that may be said to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vocabulary: Option<Vec<String>>,
    /// HTTP tools that its language model may call, with the keys of `[[agents.tools]]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<Vec<Value>>,
    /// MCP servers whose tools it may call, with the keys of `[[agents.mcp]]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mcp: Option<Vec<Value>>,
    /// What it remembers of a conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Memory>,
    /// What becomes of messages that come while it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interrupt: Option<InterruptPolicy>,
}

/// Describes one version of an agent.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AgentView {
    /// Its name.
    pub name: String,
    /// The version, which is its `ETag`; 0 for one of the configuration file.
    pub version: u32,
    /// Where it is kept.
    pub source: EntrySource,
    /// When this version was made.
    #[schema(format = DateTime)]
    pub created_at: Option<String>,
    /// The version that a rollback brought back.
    pub restores: Option<u32>,
    /// Whether this version says that the agent was removed.
    pub removed: bool,
    /// Where secrets are that are not shown, such as `/llm/api_key`.
    pub secrets: Vec<String>,
    /// The agent as it is kept; `null` where it was removed.
    pub agent: Option<AgentInput>,
}

/// Asks for an earlier version.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RollbackInput {
    /// The version that is to be in use again.
    #[schema(minimum = 1)]
    pub version: u32,
}

/// Knows the agents and changes them.
#[async_trait]
pub trait AgentsApi: Send + Sync {
    /// Returns all agents, those of the configuration file first.
    async fn agents(&self) -> Result<Vec<AgentView>, ApiRefusal>;
    /// Returns one agent.
    async fn agent(&self, name: &str) -> Result<AgentView, ApiRefusal>;
    /// Adds an agent that can be built.
    async fn add_agent(&self, input: AgentInput) -> Result<AgentView, ApiRefusal>;
    /// Makes a new version of an agent, if it can be built.
    async fn put_agent(
        &self,
        name: &str,
        version: u32,
        input: AgentInput,
    ) -> Result<AgentView, ApiRefusal>;
    /// Removes an agent that no number names.
    async fn remove_agent(&self, name: &str, version: u32) -> Result<(), ApiRefusal>;
    /// Returns the versions of an agent, newest first.
    async fn agent_versions(&self, name: &str) -> Result<Vec<AgentView>, ApiRefusal>;
    /// Makes a new version of an agent of what an earlier one was.
    async fn roll_back(&self, name: &str, version: u32, to: u32) -> Result<AgentView, ApiRefusal>;
}

pub(super) fn router() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(get, put, remove))
        .routes(routes!(versions))
        .routes(routes!(roll_back))
}

/// List the agents
#[utoipa::path(get, path = "/api/v1/agents", tag = "agents",
    responses((status = 200, description = "All agents", body = ListPart<AgentView>)))]
async fn list(
    _: Anyone,
    State(state): State<Arc<ApiState>>,
) -> Result<Json<ListPart<AgentView>>, ApiRefusal> {
    Ok(Json(ListPart::whole(state.agents.agents().await?)))
}

/// Add an agent
///
/// Its engines are made and warmed first: one that cannot answer is refused.
#[utoipa::path(post, path = "/api/v1/agents", tag = "agents", request_body = AgentInput,
    responses((status = 201, description = "Numbers may name it", body = AgentView)))]
async fn add(
    AdminOnly(caller): AdminOnly,
    State(state): State<Arc<ApiState>>,
    key: IdempotencyKey,
    sent: JsonBody<AgentInput>,
) -> Result<Response, ApiRefusal> {
    let JsonBody { value, digest } = sent;
    let work = async {
        let agent = state.agents.add_agent(value).await?;
        Ok((StatusCode::CREATED, tagged(agent.version, agent)).into_response())
    };
    once(&state, &caller, key, &digest, work).await
}

/// Look at an agent
#[utoipa::path(get, path = "/api/v1/agents/{name}", tag = "agents",
    params(("name" = String, Path, description = "The agent's name")),
    responses((status = 200, description = "The version in use", body = AgentView)))]
async fn get(
    _: Anyone,
    State(state): State<Arc<ApiState>>,
    name: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiRefusal> {
    let Path(name) = name?;
    let agent = state.agents.agent(&name).await?;
    Ok(tagged(agent.version, agent).into_response())
}

/// Replace an agent
#[utoipa::path(put, path = "/api/v1/agents/{name}", tag = "agents",
    params(("name" = String, Path, description = "The agent's name")), request_body = AgentInput,
    responses((status = 200, description = "Every later message is answered by it", body = AgentView)))]
async fn put(
    _: AdminOnly,
    State(state): State<Arc<ApiState>>,
    name: Result<Path<String>, PathRejection>,
    IfMatch(version): IfMatch,
    sent: JsonBody<AgentInput>,
) -> Result<Response, ApiRefusal> {
    let Path(name) = name?;
    let agent = state.agents.put_agent(&name, version, sent.value).await?;
    Ok(tagged(agent.version, agent).into_response())
}

/// Remove an agent
#[utoipa::path(delete, path = "/api/v1/agents/{name}", tag = "agents",
    params(("name" = String, Path, description = "The agent's name")),
    responses((status = 204, description = "It is removed; its versions are kept")))]
async fn remove(
    _: AdminOnly,
    State(state): State<Arc<ApiState>>,
    name: Result<Path<String>, PathRejection>,
    IfMatch(version): IfMatch,
) -> Result<StatusCode, ApiRefusal> {
    let Path(name) = name?;
    state.agents.remove_agent(&name, version).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List the versions of an agent
#[utoipa::path(get, path = "/api/v1/agents/{name}/versions", tag = "agents",
    params(("name" = String, Path, description = "The agent's name")),
    responses((status = 200, description = "All versions, newest first", body = ListPart<AgentView>)))]
async fn versions(
    _: Anyone,
    State(state): State<Arc<ApiState>>,
    name: Result<Path<String>, PathRejection>,
) -> Result<Json<ListPart<AgentView>>, ApiRefusal> {
    let Path(name) = name?;
    Ok(Json(ListPart::whole(state.agents.agent_versions(&name).await?)))
}

/// Bring an earlier version back
///
/// It becomes a new version, so that nothing of the history is lost.
#[utoipa::path(post, path = "/api/v1/agents/{name}/rollback", tag = "agents",
    params(("name" = String, Path, description = "The agent's name")), request_body = RollbackInput,
    responses((status = 200, description = "It answers every later message", body = AgentView)))]
async fn roll_back(
    AdminOnly(caller): AdminOnly,
    State(state): State<Arc<ApiState>>,
    name: Result<Path<String>, PathRejection>,
    IfMatch(version): IfMatch,
    key: IdempotencyKey,
    sent: JsonBody<RollbackInput>,
) -> Result<Response, ApiRefusal> {
    let (Path(name), JsonBody { value, digest }) = (name?, sent);
    let work = async {
        let agent = state.agents.roll_back(&name, version, value.version).await?;
        Ok(tagged(agent.version, agent).into_response())
    };
    once(&state, &caller, key, &digest, work).await
}
