//! `/api/v1/agents/{name}/knowledge`: files that an agent knows, what is in them, and what it finds.
//!
//! Invariant: all files of a request are read before any is kept.

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

use super::form::{self, FormPart};
use super::numbers::EntrySource;
use super::once::once;
use super::problem::ApiRefusal;
use super::record::PageQuery;
use super::request::{AdminOnly, Anyone, IdempotencyKey};
use super::{ApiState, ListPart};

/// Longest name of a file.
const NAME_CHARS: usize = 200;
/// Longest question that is searched for.
const QUESTION_CHARS: usize = 2_000;

/// A file that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadedFile {
    /// Its name; its ending tells how it is read.
    pub name: String,
    /// What is in it.
    pub contents: Vec<u8>,
}

/// Describes a file that an agent knows.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SourceView {
    /// Its name, as answers cite it.
    pub name: String,
    /// `file`: the configuration names it; `store`: it was added.
    pub source: EntrySource,
    /// How many passages it has.
    pub passages: usize,
    /// Its length; `null` for one of the configuration.
    pub bytes: Option<u64>,
    /// When it was added; `null` for one of the configuration.
    #[schema(format = DateTime)]
    pub added_at: Option<String>,
}

/// Describes a passage.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PassageView {
    /// The question that it answers, if it was filed under one.
    pub question: Option<String>,
    /// What is said.
    pub answer: String,
    /// Below which headings it stands, or on which page.
    pub place: String,
}

/// Describes a passage that answers a question.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct HitView {
    /// The file it is from.
    pub file: String,
    /// Below which headings it stands, or on which page.
    pub place: String,
    /// The question that it answers, if it was filed under one.
    pub question: Option<String>,
    /// What is said.
    pub answer: String,
    /// Its BM25 rank in this search, higher is better; 0 if it was found by its meaning.
    pub score: f64,
    /// The share of the question's words of weight that it has.
    pub coverage: f64,
    /// How nearly it means what was asked, from -1 to 1; `null` if that is not known, or other passages
    /// are nearer.
    pub similarity: Option<f32>,
}

/// Says what is searched for.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct KnowledgeQuery {
    /// The question, as a person would ask it.
    #[param(max_length = 2000)]
    pub q: String,
    /// At most so many passages.
    #[param(minimum = 1, maximum = 8)]
    pub limit: Option<u32>,
}

/// The form that files are sent in.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the form in the document")]
struct FilesForm {
    /// A file; there may be several of this name.
    #[schema(value_type = String, format = Binary)]
    file: String,
}

/// Knows what agents know.
#[async_trait]
pub trait KnowledgeApi: Send + Sync {
    /// Returns the files of an agent, those of the configuration first.
    async fn sources(&self, agent: &str) -> Result<Vec<SourceView>, ApiRefusal>;

    /// Adds files to what an agent knows, all or none, in the place of those of the same names. Returns
    /// these.
    async fn add_sources(
        &self,
        agent: &str,
        files: Vec<UploadedFile>,
    ) -> Result<Vec<SourceView>, ApiRefusal>;

    /// Removes a file that was added.
    async fn remove_source(&self, agent: &str, name: &str) -> Result<(), ApiRefusal>;

    /// Returns what is in a file.
    async fn source_passages(
        &self,
        agent: &str,
        name: &str,
        page: PageQuery,
    ) -> Result<ListPart<PassageView>, ApiRefusal>;

    /// Finds what answers a question, as a turn would.
    async fn search(
        &self,
        agent: &str,
        question: &str,
        most: usize,
    ) -> Result<Vec<HitView>, ApiRefusal>;
}

pub(super) fn router() -> OpenApiRouter<Arc<ApiState>> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(search))
        .routes(routes!(passages, remove))
        // The form is counted as it comes.
        .layer(DefaultBodyLimit::disable())
}

/// List what an agent knows
#[utoipa::path(get, path = "/api/v1/agents/{name}/knowledge", tag = "knowledge",
    params(("name" = String, Path, description = "The agent's name")),
    responses((status = 200, description = "Its files", body = ListPart<SourceView>)))]
async fn list(
    _: Anyone,
    State(state): State<Arc<ApiState>>,
    name: Result<Path<String>, PathRejection>,
) -> Result<Json<ListPart<SourceView>>, ApiRefusal> {
    let Path(name) = name?;
    Ok(Json(ListPart::whole(state.knowledge.sources(&name).await?)))
}

/// Add files to what an agent knows
///
/// CSV, TSV, text, Markdown, HTML or PDF, each up to 32 MiB, 64 MiB together. One takes the place of
/// another of its name. All are read before any is kept.
#[utoipa::path(post, path = "/api/v1/agents/{name}/knowledge", tag = "knowledge",
    params(("name" = String, Path, description = "The agent's name")),
    request_body(content = FilesForm, content_type = "multipart/form-data"),
    responses((status = 201, description = "They answer every later message",
        body = ListPart<SourceView>)))]
async fn add(
    AdminOnly(caller): AdminOnly,
    State(state): State<Arc<ApiState>>,
    name: Result<Path<String>, PathRejection>,
    key: IdempotencyKey,
    request: Request,
) -> Result<Response, ApiRefusal> {
    let Path(name) = name?;
    let _place = state.uploads.acquire().await.map_err(|_closed| ApiRefusal::Late)?;
    let (parts, digest) = form::parts(request).await?;
    let files = files(parts)?;
    let work = async {
        let added = state.knowledge.add_sources(&name, files).await?;
        Ok((StatusCode::CREATED, Json(ListPart::whole(added))).into_response())
    };
    once(&state, &caller, key, &digest, work).await
}

/// Search what an agent knows
///
/// Finds what a turn would find, and says how well it fits.
#[utoipa::path(get, path = "/api/v1/agents/{name}/knowledge/search", tag = "knowledge",
    params(("name" = String, Path, description = "The agent's name"), KnowledgeQuery),
    responses((status = 200, description = "The passages, the best first",
        body = ListPart<HitView>)))]
async fn search(
    _: Anyone,
    State(state): State<Arc<ApiState>>,
    name: Result<Path<String>, PathRejection>,
    query: Result<Query<KnowledgeQuery>, QueryRejection>,
) -> Result<Json<ListPart<HitView>>, ApiRefusal> {
    let (Path(name), Query(KnowledgeQuery { q, limit })) = (name?, query?);
    let most = limit.unwrap_or(3);
    if !(1..=8).contains(&most) {
        return Err(ApiRefusal::Malformed("limit must be from 1 to 8".to_owned()));
    }
    if q.chars().count() > QUESTION_CHARS {
        let problem = format!("q must have at most {QUESTION_CHARS} characters");
        return Err(ApiRefusal::Malformed(problem));
    }
    Ok(Json(ListPart::whole(state.knowledge.search(&name, &q, most as usize).await?)))
}

/// Look into a file
#[utoipa::path(get, path = "/api/v1/agents/{name}/knowledge/{file}", tag = "knowledge",
    params(("name" = String, Path, description = "The agent's name"),
        ("file" = String, Path, description = "The file's name"), PageQuery),
    responses((status = 200, description = "Its passages, in order",
        body = ListPart<PassageView>)))]
async fn passages(
    _: Anyone,
    State(state): State<Arc<ApiState>>,
    way: Result<Path<(String, String)>, PathRejection>,
    page: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Json<ListPart<PassageView>>, ApiRefusal> {
    let (Path((name, file)), Query(page)) = (way?, page?);
    Ok(Json(state.knowledge.source_passages(&name, &file, page).await?))
}

/// Remove a file from what an agent knows
#[utoipa::path(delete, path = "/api/v1/agents/{name}/knowledge/{file}", tag = "knowledge",
    params(("name" = String, Path, description = "The agent's name"),
        ("file" = String, Path, description = "The file's name")),
    responses((status = 204, description = "It answers no later message")))]
async fn remove(
    _: AdminOnly,
    State(state): State<Arc<ApiState>>,
    way: Result<Path<(String, String)>, PathRejection>,
) -> Result<StatusCode, ApiRefusal> {
    let Path((name, file)) = way?;
    state.knowledge.remove_source(&name, &file).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Reads the parts of a form as files.
fn files(parts: Vec<FormPart>) -> Result<Vec<UploadedFile>, ApiRefusal> {
    if parts.is_empty() {
        return Err(ApiRefusal::invalid("", "the form has no file"));
    }
    let file = |part: FormPart| {
        let Some(name) = part.file else {
            let part = part.name.chars().take(NAME_CHARS).collect::<String>();
            let problem = "is no file: each part of the form has to be one, with its name";
            return Err(ApiRefusal::invalid(part, problem));
        };
        check_name(&name)?;
        Ok(UploadedFile { name, contents: part.contents })
    };
    parts.into_iter().map(file).collect()
}

/// Refuses a name that no file should have.
fn check_name(name: &str) -> Result<(), ApiRefusal> {
    let odd = name.chars().any(char::is_control)
        || name.chars().count() > NAME_CHARS
        || name.split(['/', '\\']).any(|part| part.is_empty() || part == "." || part == "..");
    let problem = format!("a file's name must be a name, of at most {NAME_CHARS} characters");
    if odd { Err(ApiRefusal::invalid("", problem)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_way_down_and_nothing_else() {
        for name in ["faq.csv", "menu/cakes.html", "Ñandú menu.pdf", "a..b.txt"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        let long = "x".repeat(NAME_CHARS + 1);
        for name in
            ["", "/etc/faq.csv", "../faq.csv", "a/../b.csv", "a\\..\\b.csv", "a\n.csv", "a/", &long]
        {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
