//! `/api/v1/usage` and `/prices`: what was spent, as a list or as CSV, and what things cost.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::once::once;
use super::problem::ApiRefusal;
use super::request::{AdminOnly, Anyone, IdempotencyKey, JsonBody};
use super::{AccountView, ApiState, CreditInput, ListPart};
use crate::usage::{Certainty, CreditScope, PriceBook, csv};

/// Says which sums are wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UsageQuery {
    /// Since when: a day, such as `2026-11-01`, or a time; default: 30 days, today included.
    pub from: Option<String>,
    /// Until when: a day, which is included, or a time, which is not; default: today.
    pub to: Option<String>,
    /// What the sums are made by, in this order: some of `day`, `number`, `agent` and `contact`, with
    /// commas between; default: `day`. Nothing is one sum of all.
    pub by: Option<String>,
    /// Where days begin: a name of the time zone database, such as `America/Sao_Paulo`; default: UTC.
    pub zone: Option<String>,
    /// Of this number alone.
    pub number: Option<String>,
    /// Of this agent alone.
    pub agent: Option<String>,
    /// Of this contact alone: user id or phone number in digits.
    pub contact: Option<String>,
    /// How they are written.
    #[serde(default)]
    #[param(inline)]
    pub format: UsageFormat,
    /// At most so many; of a list.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
    /// Where the last list ended: its `next`.
    pub cursor: Option<String>,
}

/// Names how sums are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UsageFormat {
    /// A list, part by part.
    #[default]
    Json,
    /// A table, whole (RFC 4180). What a spreadsheet would take for a formula has a `'` before it.
    Csv,
}

/// Describes what was used and what it cost. What a sum is not made by is `null`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UsageView {
    /// The day.
    #[schema(format = Date)]
    pub day: Option<String>,
    /// The number.
    pub number: Option<String>,
    /// The agent.
    pub agent: Option<String>,
    /// User id or phone number of the contact; `null` of those who are forgotten, too.
    pub contact: Option<String>,
    /// Turns that have ended.
    pub turns: u64,
    /// Seconds of speech that were transcribed.
    pub heard_s: f64,
    /// Tokens that language models read.
    pub prompt_tokens: u64,
    /// Those of them that were kept from before.
    pub cached_tokens: u64,
    /// Tokens that they wrote.
    pub completion_tokens: u64,
    /// Characters that were given to voices.
    pub spoken_chars: u64,
    /// Seconds of sound in notes.
    pub spoken_s: f64,
    /// Messages that the provider took.
    pub messages: u64,
    /// Calls of tools.
    pub tool_calls: u64,
    /// Credits that were spent.
    pub credits: u64,
    /// What `cost` is in; `null` where there were no prices. Sums of several currencies are apart.
    pub currency: Option<String>,
    /// What it cost, six digits behind the point: the least, where something is unknown.
    #[schema(example = "0.012300")]
    pub cost: Option<String>,
    /// How surely that is known: as surely as of its least sure turn.
    pub certainty: Certainty,
    /// How many turns have an estimated cost.
    pub estimated: u64,
    /// How many have a cost of which something is unknown.
    pub unknown: u64,
    /// What had no price, such as `stt whisper/base`.
    pub unpriced: Vec<String>,
}

/// Names the columns of a table, in order.
const COLUMNS: [&str; 20] = [
    "day",
    "number",
    "agent",
    "contact",
    "turns",
    "heard_s",
    "prompt_tokens",
    "cached_tokens",
    "completion_tokens",
    "spoken_chars",
    "spoken_s",
    "messages",
    "tool_calls",
    "credits",
    "currency",
    "cost",
    "certainty",
    "estimated",
    "unknown",
    "unpriced",
];

impl UsageView {
    /// Writes sums as CSV.
    pub fn table(sums: &[Self]) -> String {
        csv(&COLUMNS, sums.iter().map(Self::cells))
    }

    fn cells(&self) -> Vec<String> {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let mut cells = vec![
            text(&self.day),
            text(&self.number),
            text(&self.agent),
            text(&self.contact),
            self.turns.to_string(),
            format!("{:.3}", self.heard_s),
        ];
        let tokens = [self.prompt_tokens, self.cached_tokens, self.completion_tokens];
        cells.extend(tokens.map(|count| count.to_string()));
        cells.extend([self.spoken_chars.to_string(), format!("{:.3}", self.spoken_s)]);
        cells.extend([self.messages, self.tool_calls, self.credits].map(|count| count.to_string()));
        cells.extend([text(&self.currency), text(&self.cost)]);
        cells.push(self.certainty.name().to_owned());
        cells.extend([self.estimated, self.unknown].map(|count| count.to_string()));
        cells.push(self.unpriced.join("; "));
        cells
    }
}

/// Names a version of the prices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PriceVersionView {
    /// Which version.
    pub version: u32,
    /// Whether turns that end now are priced by it.
    pub in_use: bool,
    /// What its prices are in.
    pub currency: String,
    /// Where they are from.
    pub note: Option<String>,
    /// When it was added.
    #[schema(format = DateTime)]
    pub created_at: String,
}

/// Describes a version of the prices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PriceView {
    /// Which version.
    pub version: u32,
    /// Whether turns that end now are priced by it.
    pub in_use: bool,
    /// When it was added.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// The prices.
    pub prices: PriceBook,
}

/// Knows the books.
#[async_trait]
pub trait BooksApi: Send + Sync {
    /// Returns sums, and where the list goes on.
    async fn usage(&self, query: UsageQuery) -> Result<ListPart<UsageView>, ApiRefusal>;
    /// Returns all sums.
    async fn whole_usage(&self, query: UsageQuery) -> Result<Vec<UsageView>, ApiRefusal>;
    /// Returns the versions of the prices, newest first.
    async fn price_versions(&self) -> Result<Vec<PriceVersionView>, ApiRefusal>;
    /// Returns one of them, by default the one in use.
    async fn price_version(&self, version: Option<u32>) -> Result<PriceView, ApiRefusal>;
    /// Adds a version, by which every later turn is priced.
    async fn add_price_version(&self, book: PriceBook) -> Result<PriceView, ApiRefusal>;
    /// Returns all accounts of credits.
    async fn accounts(&self) -> Result<Vec<AccountView>, ApiRefusal>;
    /// Returns one of them.
    async fn account(&self, scope: CreditScope, name: &str) -> Result<AccountView, ApiRefusal>;
    /// Changes one of this version, or makes one, of version 0.
    async fn put_account(
        &self,
        scope: CreditScope,
        name: &str,
        version: u32,
        input: CreditInput,
    ) -> Result<AccountView, ApiRefusal>;
    /// Removes one.
    async fn remove_account(
        &self,
        scope: CreditScope,
        name: &str,
        version: u32,
    ) -> Result<(), ApiRefusal>;
}

pub(super) fn router() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new()
        .routes(routes!(usage))
        .routes(routes!(versions, add))
        .routes(routes!(version))
}

/// Sum up what was used and what it cost
#[utoipa::path(get, path = "/api/v1/usage", tag = "usage", params(UsageQuery),
    responses((status = 200, description = "Sums, in the order of what they are made by",
        content((ListPart<UsageView> = "application/json"), (String = "text/csv")))))]
async fn usage(
    _: Anyone,
    State(state): State<Arc<ApiState>>,
    query: Result<Query<UsageQuery>, QueryRejection>,
) -> Result<Response, ApiRefusal> {
    let Query(query) = query?;
    if query.format == UsageFormat::Json {
        return Ok(Json(state.books.usage(query).await?).into_response());
    }
    if query.limit.is_some() || query.cursor.is_some() {
        let problem = "a table is whole: leave limit and cursor out";
        return Err(ApiRefusal::Malformed(problem.to_owned()));
    }
    let table = UsageView::table(&state.books.whole_usage(query).await?);
    let about = [
        (CONTENT_TYPE, "text/csv; charset=utf-8; header=present"),
        (CONTENT_DISPOSITION, "attachment; filename=\"usage.csv\""),
    ];
    Ok((about, table).into_response())
}

/// List the versions of the prices
#[utoipa::path(get, path = "/api/v1/prices", tag = "usage",
    responses((status = 200, description = "All versions, newest first",
        body = ListPart<PriceVersionView>)))]
async fn versions(
    _: Anyone,
    State(state): State<Arc<ApiState>>,
) -> Result<Json<ListPart<PriceVersionView>>, ApiRefusal> {
    Ok(Json(ListPart::whole(state.books.price_versions().await?)))
}

/// Add a version of the prices
///
/// Every turn that ends from now on is priced by it; what was priced before stays as it is.
#[utoipa::path(post, path = "/api/v1/prices", tag = "usage", request_body = PriceBook,
    responses((status = 201, description = "The version", body = PriceView)))]
async fn add(
    AdminOnly(caller): AdminOnly,
    State(state): State<Arc<ApiState>>,
    key: IdempotencyKey,
    sent: JsonBody<PriceBook>,
) -> Result<Response, ApiRefusal> {
    let JsonBody { value, digest } = sent;
    let work = async {
        let added = state.books.add_price_version(value).await?;
        Ok((StatusCode::CREATED, Json(added)).into_response())
    };
    once(&state, &caller, key, &digest, work).await
}

/// Look at a version of the prices
#[utoipa::path(get, path = "/api/v1/prices/{version}", tag = "usage",
    params(("version" = u32, Path, description = "Which version")),
    responses((status = 200, description = "The prices", body = PriceView)))]
async fn version(
    _: Anyone,
    State(state): State<Arc<ApiState>>,
    version: Result<Path<String>, PathRejection>,
) -> Result<Json<PriceView>, ApiRefusal> {
    let Path(version) = version?;
    let unknown = |_odd| ApiRefusal::NotFound("such version of the prices".to_owned());
    let version: u32 = version.parse().map_err(unknown)?;
    Ok(Json(state.books.price_version(Some(version)).await?))
}
