//! `/api/v1/customers`: whom the business knows; files of them are imported.
//!
//! Invariant: of a file that is sent no more than the largest is held, of two requests at a time, those
//! with files of knowledge counted; who announces more is refused before it is read.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::form::table_file;
use super::once::once;
use super::problem::ApiRefusal;
use super::request::{AdminOnly, Anyone, IdempotencyKey, IfMatch, JsonBody};
use super::{ApiState, ListPart, tagged};
use crate::store::CustomerSource;
use crate::turn::CustomerFields;

/// Describes a customer.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CustomerView {
    /// Its id here.
    pub id: String,
    /// WhatsApp's id for the person.
    pub user_id: Option<String>,
    /// Phone number in digits.
    pub phone: Option<String>,
    /// The name that the business has.
    pub name: Option<String>,
    /// The code of the language that the business has.
    pub language: Option<String>,
    /// What else is known, texts by their names.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub fields: CustomerFields,
    /// Who told it last.
    pub source: CustomerSource,
    /// Grows by one with each change.
    pub version: u32,
    /// When it was added.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When it was changed last.
    #[schema(format = DateTime)]
    pub updated_at: String,
    /// Until when it holds, if it was looked up.
    #[schema(format = DateTime)]
    pub expires_at: Option<String>,
}

/// Describes a customer as it is to be; at least one of `phone` and `user_id` is there.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomerInput {
    /// WhatsApp's id for the person.
    #[schema(max_length = 200)]
    pub user_id: Option<String>,
    /// Phone number with its country's code, however it is written.
    #[schema(max_length = 60)]
    pub phone: Option<String>,
    /// The name.
    #[schema(max_length = 200)]
    pub name: Option<String>,
    /// A language: its code, or its English name.
    #[schema(max_length = 60)]
    pub language: Option<String>,
    /// What else is known, at most 100 texts of at most 2,000 characters.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub fields: CustomerFields,
}

/// Says what became of a file.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ImportView {
    /// Customers that were added.
    pub imported: usize,
    /// Customers that are changed.
    pub updated: usize,
    /// Customers of whom the file says what was known.
    pub unchanged: usize,
    /// Rows that were left out, each with its problem.
    pub left_out: usize,
    /// What is wrong, in the order of the lines: the first thousand.
    pub problems: Vec<LineProblemView>,
    /// How many problems there are beside these.
    pub more_problems: usize,
}

/// Names what is wrong with a line of a file.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LineProblemView {
    /// The line, from 1.
    pub line: u64,
    /// What is wrong, and how to mend it.
    pub problem: String,
}

/// Says which customers are wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CustomerQuery {
    /// Those with these words, or digits of a phone number, in what is known of them.
    #[param(max_length = 200)]
    pub q: Option<String>,
    /// At most so many.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
    /// Where the last list ended: its `next`.
    pub cursor: Option<String>,
}

/// Knows customers.
#[async_trait]
pub trait CustomersApi: Send + Sync {
    /// Returns customers, newest first.
    async fn customers(&self, query: CustomerQuery) -> Result<ListPart<CustomerView>, ApiRefusal>;
    /// Returns one customer.
    async fn customer(&self, id: &str) -> Result<CustomerView, ApiRefusal>;
    /// Adds a customer.
    async fn add_customer(&self, input: CustomerInput) -> Result<CustomerView, ApiRefusal>;
    /// Puts another description in the place of one of this version.
    async fn put_customer(
        &self,
        id: &str,
        version: u32,
        input: CustomerInput,
    ) -> Result<CustomerView, ApiRefusal>;
    /// Deletes a customer.
    async fn remove_customer(&self, id: &str) -> Result<(), ApiRefusal>;
    /// Joins a file to what is known.
    async fn import_customers(&self, contents: Vec<u8>) -> Result<ImportView, ApiRefusal>;
}

/// The form that a file is sent in.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the form in the document")]
struct TableForm {
    /// The file.
    #[schema(value_type = String, format = Binary)]
    file: String,
}

pub(super) fn router() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(import))
        .routes(routes!(look, put, remove))
        // A file is counted as it comes.
        .layer(DefaultBodyLimit::disable())
}

/// List customers
#[utoipa::path(get, path = "/api/v1/customers", tag = "customers", params(CustomerQuery),
    responses((status = 200, description = "Customers, newest first", body = ListPart<CustomerView>)))]
async fn list(
    _: Anyone,
    State(state): State<Arc<ApiState>>,
    query: Result<Query<CustomerQuery>, QueryRejection>,
) -> Result<Json<ListPart<CustomerView>>, ApiRefusal> {
    let Query(query) = query?;
    Ok(Json(state.customers.customers(query).await?))
}

/// Add a customer
///
/// A message of theirs is answered with it from then on.
#[utoipa::path(post, path = "/api/v1/customers", tag = "customers", request_body = CustomerInput,
    responses((status = 201, description = "The customer", body = CustomerView)))]
async fn add(
    AdminOnly(caller): AdminOnly,
    State(state): State<Arc<ApiState>>,
    key: IdempotencyKey,
    sent: JsonBody<CustomerInput>,
) -> Result<Response, ApiRefusal> {
    let JsonBody { value, digest } = sent;
    let work = async {
        let added = state.customers.add_customer(value).await?;
        Ok((StatusCode::CREATED, tagged(added.version, added)).into_response())
    };
    once(&state, &caller, key, &digest, work).await
}

/// Import a file of customers
///
/// CSV as any program saves it, up to 32 MiB, as the body or in a form. The first row names the columns:
/// `phone` or `user_id`, then `name`, `language` and any others, which are kept as fields. A row of
/// somebody who is known changes what it has columns for. What cannot be taken is named with its line,
/// and the rest is taken.
#[utoipa::path(post, path = "/api/v1/customers/import", tag = "customers",
    request_body(content((String = "text/csv"), (TableForm = "multipart/form-data"))),
    responses((status = 200, description = "What became of each row", body = ImportView)))]
async fn import(
    AdminOnly(caller): AdminOnly,
    State(state): State<Arc<ApiState>>,
    key: IdempotencyKey,
    request: Request,
) -> Result<Response, ApiRefusal> {
    let _place = state.uploads.acquire().await.map_err(|_closed| ApiRefusal::Late)?;
    let (contents, digest) = table_file(request).await?;
    let work = async {
        let imported = state.customers.import_customers(contents).await?;
        Ok(Json(imported).into_response())
    };
    once(&state, &caller, key, &digest, work).await
}

/// Look at a customer
#[utoipa::path(get, path = "/api/v1/customers/{id}", tag = "customers",
    params(("id" = String, Path, description = "The customer's id")),
    responses((status = 200, description = "The customer", body = CustomerView)))]
async fn look(
    _: Anyone,
    State(state): State<Arc<ApiState>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiRefusal> {
    let Path(id) = id?;
    let found = state.customers.customer(&id).await?;
    Ok(tagged(found.version, found).into_response())
}

/// Change a customer
///
/// What is sent takes the place of all that was known, and holds until it is changed again.
#[utoipa::path(put, path = "/api/v1/customers/{id}", tag = "customers", request_body = CustomerInput,
    params(("id" = String, Path, description = "The customer's id")),
    responses((status = 200, description = "The customer", body = CustomerView)))]
async fn put(
    _: AdminOnly,
    State(state): State<Arc<ApiState>>,
    id: Result<Path<String>, PathRejection>,
    IfMatch(version): IfMatch,
    sent: JsonBody<CustomerInput>,
) -> Result<Response, ApiRefusal> {
    let Path(id) = id?;
    let changed = state.customers.put_customer(&id, version, sent.value).await?;
    Ok(tagged(changed.version, changed).into_response())
}

/// Delete a customer
///
/// Clears the bytes in the file, too. What they wrote stays: `DELETE /api/v1/contacts/{id}` forgets both.
#[utoipa::path(delete, path = "/api/v1/customers/{id}", tag = "customers",
    params(("id" = String, Path, description = "The customer's id")),
    responses((status = 204, description = "They are answered as somebody unknown")))]
async fn remove(
    _: AdminOnly,
    State(state): State<Arc<ApiState>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, ApiRefusal> {
    let Path(id) = id?;
    state.customers.remove_customer(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}
