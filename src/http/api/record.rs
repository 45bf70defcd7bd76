//! `/api/v1/turns`, `/contacts` and `/findings`: what happened, whom it concerns, what is to be mended.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::call_log::{self, CallLogFormat};
use super::problem::ApiRefusal;
use super::request::Anyone;
use super::{
    ApiState, AudioBytes, AudioFile, ConversationView, CustomerView, ListPart, SaidView, TicketView,
};
use crate::turn::SoundSide;

/// Entries of a list where nobody says how many.
const USUAL_LIMIT: u32 = 50;
/// Most entries of a list.
const MOST: u32 = 500;

/// Says which turns are wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TurnQuery {
    /// Those of this number.
    pub number: Option<String>,
    /// Those that this agent answered.
    pub agent: Option<String>,
    /// Those of this contact: user id or phone number in digits.
    pub contact: Option<String>,
    /// Those that ended so, such as `voice_note`.
    pub outcome: Option<String>,
    /// Those that began then or later.
    #[param(format = DateTime)]
    pub from: Option<String>,
    /// Those that began before then.
    #[param(format = DateTime)]
    pub to: Option<String>,
    /// Those in which this was heard or answered.
    pub q: Option<String>,
    /// All of them as one table, `csv` or `json`, in the place of a list.
    #[param(inline)]
    pub format: Option<CallLogFormat>,
    /// At most so many.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
    /// Where the last list ended: its `next`.
    pub cursor: Option<String>,
}

/// Says which part of a list is wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// At most so many.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
    /// Where the last list ended: its `next`.
    pub cursor: Option<String>,
}

/// Checks how many entries are wanted.
///
/// # Errors
/// None, or too many.
pub fn limit(limit: Option<u32>) -> Result<usize, ApiRefusal> {
    match limit.unwrap_or(USUAL_LIMIT) {
        limit @ 1..=MOST => Ok(limit as usize),
        _ => Err(ApiRefusal::Malformed(format!("limit must be from 1 to {MOST}"))),
    }
}

/// Describes a turn.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TurnView {
    /// Its id.
    pub id: String,
    /// The number.
    pub number: String,
    /// User id or phone number of the contact.
    pub contact: String,
    /// The name of their profile.
    pub name: Option<String>,
    /// Who answered.
    pub agent: String,
    /// Which version of it; `null` for an agent of the configuration file.
    pub agent_version: Option<u32>,
    /// How many attempts it took.
    pub attempt: u32,
    /// When it began.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// Wait before it began, milliseconds.
    pub queue_ms: Option<f64>,
    /// What the person said or wrote.
    pub heard: Option<String>,
    /// What was answered.
    pub reply: Option<String>,
    /// How it ended; `null` while it runs.
    pub outcome: Option<String>,
    /// Why it ended otherwise than wanted.
    pub reason: Option<String>,
    /// How long it took, milliseconds.
    pub total_ms: Option<f64>,
    /// Everything else that `hark turns --json` prints of it: transcript, note, stages; `null` while
    /// it runs.
    pub report: Option<Value>,
    /// How many messages the provider took.
    pub messages: u32,
    /// How long the note lay there before it was played, milliseconds, by the provider's clock, which
    /// counts seconds; `null` if it was not.
    pub played_ms: Option<f64>,
    /// What the provider said of them.
    pub deliveries: Vec<DeliveryView>,
}

/// Describes what the provider said of one message.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DeliveryView {
    /// The message's place in the turn.
    pub part: u32,
    /// `sent`, `delivered`, `read`, `played` or `failed`.
    pub status: String,
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
    /// The provider's error code.
    pub code: Option<i64>,
    /// The provider's words for it.
    pub details: Option<String>,
}

/// Describes a contact.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ContactView {
    /// Its id here.
    pub id: String,
    /// WhatsApp's id for the person.
    pub user_id: Option<String>,
    /// Phone number in digits.
    pub phone: Option<String>,
    /// The name of their profile.
    pub name: Option<String>,
    /// Language last shown.
    pub language: Option<String>,
    /// Language that they asked to be answered in.
    pub asked_language: Option<String>,
    /// How they asked to be answered: `text` or `voice`.
    pub reply_mode: Option<String>,
    /// When they first wrote.
    #[schema(format = DateTime)]
    pub created_at: String,
}

/// Describes a message of a contact.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MessageView {
    /// The number that it was sent to.
    pub number: String,
    /// The provider's id.
    pub id: String,
    /// The provider's word for its kind.
    pub kind: String,
    /// What it carries.
    pub body: Value,
    /// When it was sent, if that is known.
    #[schema(format = DateTime)]
    pub sent_at: Option<String>,
    /// When it came.
    #[schema(format = DateTime)]
    pub received_at: String,
}

/// Holds everything that is known of a contact.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ExportView {
    /// The contact.
    pub contact: ContactView,
    /// Their messages, oldest first.
    pub messages: Vec<MessageView>,
    /// What was answered, newest first.
    pub turns: Vec<TurnView>,
    /// What agents noted of long conversations.
    pub notes: Vec<NotesView>,
    /// What the business knows of them, if they are a customer.
    pub customer: Option<CustomerView>,
    /// Their conversations, newest first.
    pub conversations: Vec<KeptConversation>,
}

/// Holds everything that is known of a conversation.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct KeptConversation {
    /// The conversation.
    pub conversation: ConversationView,
    /// What was said in it, oldest first, by operators, too.
    pub said: Vec<SaidView>,
    /// Its tickets, newest first.
    pub tickets: Vec<TicketView>,
    /// Its events, oldest first.
    #[schema(value_type = Vec<Object>)]
    pub events: Vec<Value>,
}

/// Describes the notes on one conversation.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct NotesView {
    /// The number that it was with.
    pub number: String,
    /// The notes.
    pub text: String,
    /// When they were made.
    #[schema(format = DateTime)]
    pub made_at: String,
}

/// Describes something to mend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FindingView {
    /// `error` or `warning`.
    pub level: String,
    /// What it is about.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub fix: String,
}

/// Looks back.
#[async_trait]
pub trait RecordApi: Send + Sync {
    /// Returns turns, newest first, and where the list goes on.
    async fn turns(&self, query: TurnQuery) -> Result<ListPart<TurnView>, ApiRefusal>;
    /// Returns one turn.
    async fn turn(&self, id: &str) -> Result<TurnView, ApiRefusal>;
    /// Returns the sound of a turn.
    async fn audio(&self, turn: &str, side: SoundSide) -> Result<AudioFile, ApiRefusal>;
    /// Reads bytes of it.
    async fn audio_bytes(
        &self,
        file: &AudioFile,
        range: Range<u64>,
    ) -> Result<AudioBytes, ApiRefusal>;
    /// Returns contacts, newest first.
    async fn contacts(&self, page: PageQuery) -> Result<ListPart<ContactView>, ApiRefusal>;
    /// Returns one contact.
    async fn contact(&self, id: &str) -> Result<ContactView, ApiRefusal>;
    /// Returns everything that is known of a contact.
    async fn export(&self, id: &str) -> Result<ExportView, ApiRefusal>;
    /// Deletes everything that is known of a contact.
    async fn forget(&self, id: &str) -> Result<(), ApiRefusal>;
    /// Returns what is to be mended of what runs.
    async fn findings(&self) -> Result<Vec<FindingView>, ApiRefusal>;
}

pub(super) fn router() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new()
        .routes(routes!(turns))
        .routes(routes!(turn))
        .routes(routes!(contacts))
        .routes(routes!(contact, forget))
        .routes(routes!(export))
        .routes(routes!(findings))
}

/// List turns
#[utoipa::path(get, path = "/api/v1/turns", tag = "turns", params(TurnQuery),
    responses((status = 200, description = "Turns, newest first",
        content((ListPart<TurnView> = "application/json"), (String = "text/csv")))))]
async fn turns(
    _: Anyone,
    State(state): State<Arc<ApiState>>,
    query: Result<Query<TurnQuery>, QueryRejection>,
) -> Result<Response, ApiRefusal> {
    let Query(query) = query?;
    match query.format {
        Some(format) => call_log::table(state, query, format).await,
        None => Ok(Json(state.record.turns(query).await?).into_response()),
    }
}

/// Look at a turn
#[utoipa::path(get, path = "/api/v1/turns/{id}", tag = "turns",
    params(("id" = String, Path, description = "The turn's id")),
    responses((status = 200, description = "The turn", body = TurnView)))]
async fn turn(
    _: Anyone,
    State(state): State<Arc<ApiState>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<TurnView>, ApiRefusal> {
    let Path(id) = id?;
    Ok(Json(state.record.turn(&id).await?))
}

/// List contacts
#[utoipa::path(get, path = "/api/v1/contacts", tag = "contacts", params(PageQuery),
    responses((status = 200, description = "Contacts, newest first", body = ListPart<ContactView>)))]
async fn contacts(
    _: Anyone,
    State(state): State<Arc<ApiState>>,
    page: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Json<ListPart<ContactView>>, ApiRefusal> {
    let Query(page) = page?;
    Ok(Json(state.record.contacts(page).await?))
}

/// Look at a contact
#[utoipa::path(get, path = "/api/v1/contacts/{id}", tag = "contacts",
    params(("id" = String, Path, description = "The contact's id")),
    responses((status = 200, description = "The contact", body = ContactView)))]
async fn contact(
    _: Anyone,
    State(state): State<Arc<ApiState>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<ContactView>, ApiRefusal> {
    let Path(id) = id?;
    Ok(Json(state.record.contact(&id).await?))
}

/// Forget a contact
///
/// Deletes their messages, turns and all that hangs on them, what is known of them as a customer and the
/// sound that is kept included, and clears the bytes in the file. Sound whose place is away is deleted as soon as it is back.
#[utoipa::path(delete, path = "/api/v1/contacts/{id}", tag = "contacts",
    params(("id" = String, Path, description = "The contact's id")),
    responses((status = 204, description = "Nothing is known of them any more")))]
async fn forget(
    _: Anyone,
    State(state): State<Arc<ApiState>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, ApiRefusal> {
    let Path(id) = id?;
    state.record.forget(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Hand out what is known of a contact
#[utoipa::path(get, path = "/api/v1/contacts/{id}/export", tag = "contacts",
    params(("id" = String, Path, description = "The contact's id")),
    responses((status = 200, description = "Everything that is known of them", body = ExportView)))]
async fn export(
    _: Anyone,
    State(state): State<Arc<ApiState>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<ExportView>, ApiRefusal> {
    let Path(id) = id?;
    Ok(Json(state.record.export(&id).await?))
}

/// List what is to be mended
#[utoipa::path(get, path = "/api/v1/findings", tag = "findings",
    responses((status = 200, description = "Agents and numbers that cannot answer", body = ListPart<FindingView>)))]
async fn findings(
    _: Anyone,
    State(state): State<Arc<ApiState>>,
) -> Result<Json<ListPart<FindingView>>, ApiRefusal> {
    Ok(Json(ListPart::whole(state.record.findings().await?)))
}
