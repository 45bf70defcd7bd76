//! `POST /api/v1/events`: what another system wants done, so that the help desk may be somebody else's.
//!
//! A command is a CloudEvent of one of the types that hark tells itself; its `id` makes it one thing,
//! however often it comes.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Json;
use axum::body::to_bytes;
use axum::extract::{FromRequest as _, Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_LENGTH, RETRY_AFTER};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ApiState;
use super::once::{ANSWER_LIMIT, once};
use super::problem::ApiRefusal;
use super::request::{Anyone, Caller, IdempotencyKey, JsonBody};
use crate::events::streams::{CommandDesk, CommandOutcome};
use crate::store::TokenRole;

/// Longest id of a command.
const ID_BYTES: usize = 200;

/// Most bytes of a command: five minutes of uncompressed sound in Base64.
const COMMAND_BYTES: usize = 48 << 20;
/// Most bytes of a command that needs no place among those whose files are held.
const SMALL: u64 = 1 << 20;

type CommandBody = JsonBody<CommandInput, COMMAND_BYTES>;

/// A command.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CommandInput {
    /// `1.0`.
    pub specversion: String,
    /// What makes it one: the same is done once.
    #[schema(min_length = 1, max_length = 200)]
    pub id: String,
    /// Who sends it, in your words.
    pub source: String,
    /// `open-ticket`, `agent-assigned`, `get-conversation`, `agent-answer-generated` or `ticket-closed`.
    pub r#type: String,
    /// The conversation.
    #[serde(default)]
    pub subject: Option<String>,
    /// What the command needs: `summary`, `skill`, `operator` to open or assign a ticket; `text`, or
    /// `audio` in Base64, and `operator` to answer. `conversation` or `ticket` in the place of `subject`.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub data: Value,
}

impl CommandInput {
    /// What makes it one.
    pub fn key(&self) -> String {
        format!("event {} {}", self.source, self.id)
    }
}

/// Says what was done.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CommandDone {
    /// The command's type.
    pub r#type: String,
    /// The conversation.
    pub conversation: String,
    /// Its ticket.
    pub ticket: Option<String>,
    /// The turn that sends an answer.
    pub turn: Option<String>,
}

/// Does what commands say.
#[async_trait]
pub trait CommandsApi: Send + Sync {
    /// Does what a command says.
    async fn command(
        &self,
        caller: &Caller,
        input: CommandInput,
    ) -> Result<CommandDone, ApiRefusal>;
}

pub(super) fn router() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new().routes(routes!(command))
}

/// Send a command
///
/// A CloudEvent of version 1.0, as `application/json` or `application/cloudevents+json`. What it brings
/// about comes as events. A command whose `id` has been done is answered as it was.
#[utoipa::path(post, path = "/api/v1/events", tag = "events", request_body = CommandInput,
    responses((status = 202, description = "It is done", body = CommandDone)))]
async fn command(
    Anyone(caller): Anyone,
    State(state): State<Arc<ApiState>>,
    IdempotencyKey(key): IdempotencyKey,
    request: Request,
) -> Result<Response, ApiRefusal> {
    // A task of its own: one that the sender does not wait for is done and remembered all the same,
    // so that asking again is not doing it again.
    let done = tokio::spawn(receive(caller, state, key, request)).await;
    done.unwrap_or(Err(ApiRefusal::Late))
}

/// Reads a command, and does it.
async fn receive(
    caller: Caller,
    state: Arc<ApiState>,
    key: Option<String>,
    request: Request,
) -> Result<Response, ApiRefusal> {
    let announced = request.headers().get(CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let _place = match announced {
        Some(length) if length <= SMALL => None,
        _ => Some(state.uploads.acquire().await.map_err(|_closed| ApiRefusal::Late)?),
    };
    let sent = CommandBody::from_request(request, &state).await?;
    do_once(&state, &caller, key, sent).await
}

async fn do_once(
    state: &ApiState,
    caller: &Caller,
    key: Option<String>,
    JsonBody { value, digest }: CommandBody,
) -> Result<Response, ApiRefusal> {
    if !(1..=ID_BYTES).contains(&value.id.len()) {
        let problem = format!("must have 1 to {ID_BYTES} characters");
        return Err(ApiRefusal::invalid("id", problem));
    }
    let key = key.unwrap_or_else(|| value.key());
    let work = async {
        let done = state.commands.command(caller, value).await?;
        Ok((StatusCode::ACCEPTED, Json(done)).into_response())
    };
    once(state, caller, IdempotencyKey(Some(key)), &digest, work).await
}

/// Does the commands of a stream, as those that come by HTTP.
pub struct StreamCommands(pub Arc<ApiState>);

#[async_trait]
impl CommandDesk for StreamCommands {
    async fn take(&self, event: &str) -> CommandOutcome {
        let caller =
            Caller { id: "@redis".into(), name: "redis".into(), role: TokenRole::Operator };
        let sent = CommandBody::read("redis", event.as_bytes());
        let kind = sent.as_ref().map_or("", |sent| sent.value.r#type.as_str());
        let deed = format!("command {}", kind.chars().take(ID_BYTES).collect::<String>());
        let done = async { do_once(&self.0, &caller, None, sent?).await };
        let answer = done.await.unwrap_or_else(ApiRefusal::into_response);
        let status = answer.status();
        self.0.audit.note(&caller, deed, String::new(), status).await;
        let later = status.is_server_error() || answer.headers().contains_key(RETRY_AFTER);
        let body = to_bytes(answer.into_body(), ANSWER_LIMIT).await.unwrap_or_default();
        CommandOutcome {
            status: status.as_u16(),
            answer: String::from_utf8_lossy(&body).into_owned(),
            later,
        }
    }
}
