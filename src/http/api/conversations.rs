//! `/api/v1/conversations`: what was said, and what a person says.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, FromRequest, Path, Query, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::form::{self, FormPart};
use super::once::once;
use super::problem::ApiRefusal;
use super::record::PageQuery;
use super::request::{Anyone, Caller, IdempotencyKey, JsonBody};
use super::{ApiState, ListPart};

/// Says which conversations are wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ConversationQuery {
    /// Those of this number.
    pub number: Option<String>,
    /// Those of this contact: user id or phone number in digits.
    pub contact: Option<String>,
    /// `open` or `closed`.
    pub state: Option<String>,
    /// Those in which this was heard or answered.
    pub q: Option<String>,
    /// At most so many.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
    /// Where the last list ended: its `next`.
    pub cursor: Option<String>,
}

/// Describes a conversation.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ConversationView {
    /// Its id.
    pub id: String,
    /// `open` or `closed`.
    pub state: String,
    /// The number.
    pub number: String,
    /// The contact's id here.
    pub contact_id: String,
    /// User id or phone number of the contact.
    pub contact: String,
    /// The name of their profile.
    pub name: Option<String>,
    /// When it began.
    #[schema(format = DateTime)]
    pub opened_at: String,
    /// When the last message came or was written.
    #[schema(format = DateTime)]
    pub last_at: String,
    /// When it was over.
    #[schema(format = DateTime)]
    pub closed_at: Option<String>,
    /// Its open ticket.
    pub ticket: Option<String>,
    /// How many messages came from the contact and from operators.
    pub messages: u32,
}

/// Describes one thing that was said.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SaidView {
    /// `contact`, `agent` or `operator`.
    pub from: String,
    /// The name of the agent or operator.
    pub by: Option<String>,
    /// The kind of the message, such as `text`, `audio` or `voice`.
    pub kind: String,
    /// The words, as far as they are known.
    pub text: Option<String>,
    /// The turn it belongs to; `/turns/{id}/audio/in` and `/out` have the sound.
    pub turn: Option<String>,
    /// The provider's id of the message.
    pub message: Option<String>,
    /// Of a message of ours: `planned`, `sent`, `delivered`, `read`, `played` or `failed`.
    pub status: Option<String>,
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
}

/// Says something as a person.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SayInput {
    /// The words.
    #[schema(min_length = 1, max_length = 20000)]
    pub text: String,
    /// Who says it; without it whoever has the ticket, or the token's owner.
    pub operator: Option<String>,
}

/// The form that a recording is sent in.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the form in the document")]
struct RecordingForm {
    /// The sound, as any browser records it: it becomes a voice note.
    #[schema(value_type = String, format = Binary)]
    audio: String,
    /// Who says it.
    operator: Option<String>,
}

/// Holds what a person says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PersonSaid {
    /// Words.
    Text(String),
    /// A recording, as it came.
    Recording(Vec<u8>),
}

/// Says what became of it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SaidTaken {
    /// The turn that sends it.
    pub turn: String,
    /// The conversation.
    pub conversation: String,
    /// The ticket, which is open from then on.
    pub ticket: String,
}

/// Knows conversations.
#[async_trait]
pub trait ConversationsApi: Send + Sync {
    /// Returns conversations, the one that was last written in first.
    async fn conversations(
        &self,
        query: ConversationQuery,
    ) -> Result<ListPart<ConversationView>, ApiRefusal>;
    /// Returns one conversation.
    async fn conversation(&self, id: &str) -> Result<ConversationView, ApiRefusal>;
    /// Returns what was said in it, newest last; the list goes on with what was said before.
    async fn said(&self, id: &str, page: PageQuery) -> Result<ListPart<SaidView>, ApiRefusal>;
    /// Says something as a person. `key` names it: the same is taken once.
    async fn say(
        &self,
        caller: &Caller,
        id: &str,
        said: PersonSaid,
        operator: Option<String>,
        key: Option<&str>,
    ) -> Result<SaidTaken, ApiRefusal>;
}

pub(super) fn router() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(look))
        .routes(routes!(messages, say))
        // The form is counted as it comes.
        .layer(DefaultBodyLimit::disable())
}

/// List conversations
#[utoipa::path(get, path = "/api/v1/conversations", tag = "conversations",
    params(ConversationQuery), responses((status = 200,
        description = "Conversations, the one that was last written in first",
        body = ListPart<ConversationView>)))]
async fn list(
    _: Anyone,
    State(state): State<Arc<ApiState>>,
    query: Result<Query<ConversationQuery>, QueryRejection>,
) -> Result<Json<ListPart<ConversationView>>, ApiRefusal> {
    let Query(query) = query?;
    Ok(Json(state.conversations.conversations(query).await?))
}

/// Look at a conversation
#[utoipa::path(get, path = "/api/v1/conversations/{id}", tag = "conversations",
    params(("id" = String, Path, description = "The conversation's id")),
    responses((status = 200, description = "The conversation", body = ConversationView)))]
async fn look(
    _: Anyone,
    State(state): State<Arc<ApiState>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<ConversationView>, ApiRefusal> {
    let Path(id) = id?;
    Ok(Json(state.conversations.conversation(&id).await?))
}

/// Read a conversation
///
/// The last messages, newest last; `next` leads to those before.
#[utoipa::path(get, path = "/api/v1/conversations/{id}/messages", tag = "conversations",
    params(("id" = String, Path, description = "The conversation's id"), PageQuery),
    responses((status = 200, description = "What was said", body = ListPart<SaidView>)))]
async fn messages(
    _: Anyone,
    State(state): State<Arc<ApiState>>,
    id: Result<Path<String>, PathRejection>,
    page: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Json<ListPart<SaidView>>, ApiRefusal> {
    let (Path(id), Query(page)) = (id?, page?);
    Ok(Json(state.conversations.said(&id, page).await?))
}

/// Say something as a person
///
/// Takes the conversation over, if nobody has: the agent is silent until the ticket is closed. A
/// recording in the form's `audio` goes out as a voice note, words as a text.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/messages", tag = "conversations",
    params(("id" = String, Path, description = "The conversation's id")),
    request_body(content((SayInput = "application/json"), (RecordingForm = "multipart/form-data"))),
    responses((status = 202, description = "It is kept, and goes out in its turn",
        body = SaidTaken)))]
async fn say(
    Anyone(caller): Anyone,
    State(state): State<Arc<ApiState>>,
    id: Result<Path<String>, PathRejection>,
    IdempotencyKey(key): IdempotencyKey,
    request: Request,
) -> Result<Response, ApiRefusal> {
    let Path(id) = id?;
    let _place;
    let (said, operator, digest) = if form::is_form(&request) {
        _place = state.uploads.acquire().await.map_err(|_closed| ApiRefusal::Late)?;
        let (parts, digest) = form::parts(request).await?;
        let (said, operator) = recording(parts)?;
        (said, operator, digest)
    } else {
        let JsonBody { value, digest } =
            JsonBody::<SayInput>::from_request(request, &state).await?;
        (PersonSaid::Text(value.text), value.operator, digest)
    };
    let work = async {
        let taken = state.conversations.say(&caller, &id, said, operator, key.as_deref()).await?;
        Ok((StatusCode::ACCEPTED, Json(taken)).into_response())
    };
    once(&state, &caller, IdempotencyKey(key.clone()), &digest, work).await
}

/// Reads the recording of a form, and who says it.
fn recording(parts: Vec<FormPart>) -> Result<(PersonSaid, Option<String>), ApiRefusal> {
    let (mut recording, mut operator) = (None, None);
    for FormPart { name, contents, .. } in parts {
        match name.as_str() {
            "audio" if recording.is_none() => recording = Some(contents),
            "operator" => operator = Some(String::from_utf8_lossy(&contents).into_owned()),
            _ => {
                let problem = "the form takes one `audio` and an `operator`";
                return Err(ApiRefusal::invalid("", problem));
            }
        }
    }
    let missing = || ApiRefusal::invalid("audio", "is missing: send the recording");
    Ok((PersonSaid::Recording(recording.ok_or_else(missing)?), operator))
}
