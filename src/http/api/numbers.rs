//! `/api/v1/numbers`: the business numbers, their secrets, and what the provider says of them.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::once::once;
use super::problem::{ApiRefusal, FieldProblem};
use super::request::{AdminOnly, Anyone, Caller, IdempotencyKey, IfMatch, JsonBody};
use super::{ApiState, ListPart, tagged};
pub use crate::registry::SecretName;
use crate::registry::{MessageTemplate, NumberStatus, ProviderKind};
use crate::store::TokenRole;

/// Describes a number that is added or replaced. Secrets are taken and never shown.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NumberInput {
    /// The provider's id of the number. In a PUT it may be left out.
    #[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9._-]+$")]
    pub phone_number_id: Option<String>,
    /// The number as people dial it.
    pub display_number: Option<String>,
    /// What you call it.
    pub display_name: Option<String>,
    /// Where it is reached.
    #[serde(default)]
    pub provider: ProviderKind,
    /// Shows the provider who calls. In a PUT: absent keeps what is there, else all of them are
    /// replaced by this one.
    #[schema(value_type = Option<String>, write_only)]
    pub access_token: Option<SecretString>,
    /// Signs the number's webhooks. In a PUT as `access_token`.
    #[schema(value_type = Option<String>, write_only)]
    pub app_secret: Option<SecretString>,
    /// Is shown with 360dialog's webhooks. In a PUT as `access_token`.
    #[schema(value_type = Option<String>, write_only)]
    pub webhook_secret: Option<SecretString>,
    /// Signs 360dialog's webhooks. In a PUT as `access_token`.
    #[schema(value_type = Option<String>, write_only)]
    pub signature_secret: Option<SecretString>,
    /// The header that shows `webhook_secret`; absent: `Authorization`.
    pub webhook_header: Option<String>,
    /// The app, with which the secret is checked.
    pub app_id: Option<String>,
    /// The WhatsApp Business account, which `subscribe` needs.
    pub business_id: Option<String>,
    /// The API's address, if it is not the provider's own.
    #[schema(format = "uri")]
    pub api_url: Option<String>,
    /// The API's version, such as `v25.0`.
    pub api_version: Option<String>,
    /// Hosts beside the API's that media may be fetched from with the token.
    pub media_hosts: Option<Vec<String>>,
    /// Who answers; absent: the default agent.
    pub agent: Option<String>,
    /// Whether messages are answered.
    #[serde(default)]
    pub status: NumberStatus,
    /// How many messages WhatsApp takes from it a second; absent: 80.
    #[schema(minimum = 1, maximum = 1000)]
    pub messages_per_second: Option<u32>,
    /// What is sent to who has not written for 24 hours; absent: nothing.
    pub template: Option<MessageTemplate>,
    /// Lets the app get the account's webhooks, too; at 360dialog has the number's webhooks sent here.
    #[serde(default)]
    pub subscribe: bool,
}

impl NumberInput {
    /// Returns a secret that was sent.
    pub fn secret(&self, name: SecretName) -> Option<&SecretString> {
        match name {
            SecretName::AccessToken => self.access_token.as_ref(),
            SecretName::AppSecret => self.app_secret.as_ref(),
            SecretName::WebhookSecret => self.webhook_secret.as_ref(),
            SecretName::SignatureSecret => self.signature_secret.as_ref(),
        }
    }
}

/// Describes a number.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct NumberView {
    /// The provider's id of the number.
    pub phone_number_id: String,
    /// The number as people dial it.
    pub display_number: Option<String>,
    /// What you call it.
    pub display_name: Option<String>,
    /// Where it is reached.
    pub provider: ProviderKind,
    /// The header of 360dialog's webhooks that shows their secret, if it is not `Authorization`.
    pub webhook_header: Option<String>,
    /// The app.
    pub app_id: Option<String>,
    /// The WhatsApp Business account.
    pub business_id: Option<String>,
    /// The API's address, if it is not the provider's own.
    pub api_url: Option<String>,
    /// The API's version, if it is not the usual one.
    pub api_version: Option<String>,
    /// Hosts that media may be fetched from, if not the usual ones.
    pub media_hosts: Option<Vec<String>>,
    /// Who answers, if it is not the default agent.
    pub agent: Option<String>,
    /// Whether messages are answered.
    pub status: NumberStatus,
    /// How many messages WhatsApp takes from it a second, if that is not 80.
    pub messages_per_second: Option<u32>,
    /// What is sent to who has not written for 24 hours, if anything.
    pub template: Option<MessageTemplate>,
    /// Where it is kept.
    pub source: EntrySource,
    /// Its version, which is its `ETag`; 0 for one of the configuration file.
    pub version: u32,
    /// When it was added.
    #[schema(format = DateTime)]
    pub created_at: Option<String>,
    /// When it was changed last.
    #[schema(format = DateTime)]
    pub changed_at: Option<String>,
    /// Its secrets, oldest first: all of a name are valid side by side.
    pub secrets: Vec<SecretView>,
    /// What to paste into the provider's form; `null` while `[server] public_url` is not set.
    pub webhook_url: Option<String>,
    /// What to paste beside it; only for a token with the role admin.
    pub verify_token: Option<String>,
}

/// Says where an entry is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EntrySource {
    /// In the store: the API changes it.
    Store,
    /// In the configuration file, which the API does not change.
    File,
}

/// Describes a secret, without showing it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SecretView {
    /// Its id.
    pub id: String,
    /// What it is.
    pub name: SecretName,
    /// When it was added.
    #[schema(format = DateTime)]
    pub created_at: String,
}

/// Adds a secret beside those that a number has.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretInput {
    /// What it is.
    pub name: SecretName,
    /// The secret.
    #[schema(value_type = String, write_only, min_length = 1)]
    pub value: SecretString,
}

/// Says what the provider knows of a number.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CheckView {
    /// Whether messages can be answered.
    pub ok: bool,
    /// What is to be mended.
    pub problems: Vec<FieldProblem>,
    /// What people think of its messages: `GREEN`, `YELLOW`, `RED` or `UNKNOWN`.
    pub quality: Option<String>,
}

/// Knows the numbers and changes them.
#[async_trait]
pub trait NumbersApi: Send + Sync {
    /// Returns all numbers, those of the configuration file first.
    async fn numbers(&self) -> Result<Vec<NumberView>, ApiRefusal>;
    /// Returns one number.
    async fn number(&self, id: &str) -> Result<NumberView, ApiRefusal>;
    /// Adds a number that the provider knows.
    async fn add_number(&self, input: NumberInput) -> Result<NumberView, ApiRefusal>;
    /// Replaces a number.
    async fn put_number(
        &self,
        id: &str,
        version: u32,
        input: NumberInput,
    ) -> Result<NumberView, ApiRefusal>;
    /// Removes a number: its messages are ignored from then on.
    async fn remove_number(&self, id: &str, version: u32) -> Result<(), ApiRefusal>;
    /// Asks the provider about a number.
    async fn check_number(&self, id: &str) -> Result<CheckView, ApiRefusal>;
    /// Adds a secret beside the others.
    async fn add_secret(
        &self,
        id: &str,
        version: u32,
        input: SecretInput,
    ) -> Result<NumberView, ApiRefusal>;
    /// Removes a secret, unless it is the last of its name.
    async fn remove_secret(
        &self,
        id: &str,
        secret: &str,
        version: u32,
    ) -> Result<NumberView, ApiRefusal>;
}

pub(super) fn router() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(get, put, remove))
        .routes(routes!(check))
        .routes(routes!(add_secret))
        .routes(routes!(remove_secret))
}

/// Takes out what an operator may not see.
fn shown(caller: &Caller, number: NumberView) -> NumberView {
    let token = number.verify_token.clone().filter(|_| caller.role == TokenRole::Admin);
    NumberView { verify_token: token, ..number }
}

/// List the numbers
#[utoipa::path(get, path = "/api/v1/numbers", tag = "numbers",
    responses((status = 200, description = "All numbers", body = ListPart<NumberView>)))]
async fn list(
    Anyone(caller): Anyone,
    State(state): State<Arc<ApiState>>,
) -> Result<Json<ListPart<NumberView>>, ApiRefusal> {
    let numbers = state.numbers.numbers().await?;
    Ok(Json(ListPart::whole(numbers.into_iter().map(|number| shown(&caller, number)).collect())))
}

/// Add a number
///
/// The provider is asked first whether it knows the number and takes the token.
#[utoipa::path(post, path = "/api/v1/numbers", tag = "numbers", request_body = NumberInput,
    responses((status = 201, description = "It is answered from now on", body = NumberView)))]
async fn add(
    AdminOnly(caller): AdminOnly,
    State(state): State<Arc<ApiState>>,
    key: IdempotencyKey,
    sent: JsonBody<NumberInput>,
) -> Result<Response, ApiRefusal> {
    let JsonBody { value, digest } = sent;
    let work = async {
        let number = state.numbers.add_number(value).await?;
        Ok((StatusCode::CREATED, tagged(number.version, number)).into_response())
    };
    once(&state, &caller, key, &digest, work).await
}

/// Look at a number
#[utoipa::path(get, path = "/api/v1/numbers/{phone_number_id}", tag = "numbers",
    params(("phone_number_id" = String, Path, description = "The provider's id of the number")),
    responses((status = 200, description = "The number", body = NumberView)))]
async fn get(
    Anyone(caller): Anyone,
    State(state): State<Arc<ApiState>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiRefusal> {
    let Path(id) = id?;
    let number = shown(&caller, state.numbers.number(&id).await?);
    Ok(tagged(number.version, number).into_response())
}

/// Replace a number
#[utoipa::path(put, path = "/api/v1/numbers/{phone_number_id}", tag = "numbers",
    params(("phone_number_id" = String, Path, description = "The provider's id of the number")),
    request_body = NumberInput,
    responses((status = 200, description = "It is in use from now on", body = NumberView)))]
async fn put(
    _: AdminOnly,
    State(state): State<Arc<ApiState>>,
    id: Result<Path<String>, PathRejection>,
    IfMatch(version): IfMatch,
    sent: JsonBody<NumberInput>,
) -> Result<Response, ApiRefusal> {
    let Path(id) = id?;
    let number = state.numbers.put_number(&id, version, sent.value).await?;
    Ok(tagged(number.version, number).into_response())
}

/// Remove a number
#[utoipa::path(delete, path = "/api/v1/numbers/{phone_number_id}", tag = "numbers",
    params(("phone_number_id" = String, Path, description = "The provider's id of the number")),
    responses((status = 204, description = "Its messages are ignored from now on")))]
async fn remove(
    _: AdminOnly,
    State(state): State<Arc<ApiState>>,
    id: Result<Path<String>, PathRejection>,
    IfMatch(version): IfMatch,
) -> Result<StatusCode, ApiRefusal> {
    let Path(id) = id?;
    state.numbers.remove_number(&id, version).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ask the provider about a number
#[utoipa::path(post, path = "/api/v1/numbers/{phone_number_id}/check", tag = "numbers",
    params(("phone_number_id" = String, Path, description = "The provider's id of the number")),
    responses((status = 200, description = "What the provider says", body = CheckView)))]
async fn check(
    _: AdminOnly,
    State(state): State<Arc<ApiState>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<CheckView>, ApiRefusal> {
    let Path(id) = id?;
    Ok(Json(state.numbers.check_number(&id).await?))
}

/// Add a secret beside those of a number
///
/// All secrets of a name are valid until they are removed, so that one can be changed at the provider
/// without losing a message.
#[utoipa::path(post, path = "/api/v1/numbers/{phone_number_id}/secrets", tag = "numbers",
    params(("phone_number_id" = String, Path, description = "The provider's id of the number")),
    request_body = SecretInput,
    responses((status = 201, description = "It is valid from now on", body = NumberView)))]
async fn add_secret(
    AdminOnly(caller): AdminOnly,
    State(state): State<Arc<ApiState>>,
    id: Result<Path<String>, PathRejection>,
    IfMatch(version): IfMatch,
    key: IdempotencyKey,
    sent: JsonBody<SecretInput>,
) -> Result<Response, ApiRefusal> {
    let (Path(id), JsonBody { value, digest }) = (id?, sent);
    let work = async {
        let number = state.numbers.add_secret(&id, version, value).await?;
        Ok((StatusCode::CREATED, tagged(number.version, number)).into_response())
    };
    once(&state, &caller, key, &digest, work).await
}

/// Remove a secret of a number
#[utoipa::path(delete, path = "/api/v1/numbers/{phone_number_id}/secrets/{secret}", tag = "numbers",
    params(("phone_number_id" = String, Path, description = "The provider's id of the number"),
           ("secret" = String, Path, description = "The secret's id")),
    responses((status = 200, description = "It is not valid any more", body = NumberView)))]
async fn remove_secret(
    _: AdminOnly,
    State(state): State<Arc<ApiState>>,
    ids: Result<Path<(String, String)>, PathRejection>,
    IfMatch(version): IfMatch,
) -> Result<Response, ApiRefusal> {
    let Path((id, secret)) = ids?;
    let number = state.numbers.remove_secret(&id, &secret, version).await?;
    Ok(tagged(number.version, number).into_response())
}
