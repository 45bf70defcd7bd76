//! `/api/v1`: numbers, agents, what they know, customers, tokens, turns, contacts, the desk and money of a
//! service that runs.
//!
//! Reads a request, asks who does the work by a trait, and writes the answer. Every error is a
//! [`problem`](ApiRefusal). Invariant: nothing is told or done without a token, but for the document
//! itself, which holds nothing of anybody.

mod agents;
mod audit;
mod call_log;
mod commands;
mod conversations;
mod credits;
mod customers;
mod document;
mod event_webhooks;
mod events;
mod form;
mod knowledge;
mod numbers;
mod once;
mod problem;
mod queue;
mod record;
mod request;
mod sound;
mod tickets;
mod tokens;
mod usage;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, ETAG};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

pub use agents::{AgentInput, AgentView, AgentsApi, RollbackInput};
pub use audit::{AuditApi, DeedQuery, DeedView};
pub use call_log::CallLogFormat;
pub use commands::{CommandDone, CommandInput, CommandsApi, StreamCommands};
pub use conversations::{
    ConversationQuery, ConversationView, ConversationsApi, PersonSaid, SaidTaken, SaidView,
    SayInput,
};
pub use credits::{AccountView, CreditInput};
pub use customers::{
    CustomerInput, CustomerQuery, CustomerView, CustomersApi, ImportView, LineProblemView,
};
pub use event_webhooks::{
    DeadEventView, EventWebhookInput, EventWebhookView, EventWebhooksApi, ReplayView,
};
pub use events::{EventLine, EventLines, EventQuery, EventsApi};
pub use form::uploads;
pub use knowledge::{HitView, KnowledgeApi, PassageView, SourceView, UploadedFile};
pub use numbers::{
    CheckView, EntrySource, NumberInput, NumberView, NumbersApi, SecretInput, SecretName,
    SecretView,
};
pub use problem::{ApiRefusal, FieldProblem, ProblemDetails};
pub use queue::{NodeView, QueueApi, QueueQuery, QueuedView};
pub use record::{
    ContactView, DeliveryView, ExportView, FindingView, KeptConversation, MessageView, NotesView,
    PageQuery, RecordApi, TurnQuery, TurnView, limit,
};
pub use request::{Caller, unquoted};
pub use sound::{AudioBytes, AudioFile};
pub use tickets::{
    AssignInput, OperatorInput, OperatorView, TicketInput, TicketQuery, TicketView, TicketsApi,
};
pub use tokens::{Claimed, TokenInput, TokenView, TokensApi};
pub use usage::{BooksApi, PriceVersionView, PriceView, UsageFormat, UsageQuery, UsageView};

use crate::events::asyncapi::asyncapi;

/// Limits how long a request may take: an agent's model may have to be loaded.
const REQUEST_TIME: Duration = Duration::from_mins(2);

/// Holds who does the work.
pub struct ApiState {
    /// Knows the numbers.
    pub numbers: Arc<dyn NumbersApi>,
    /// Knows the agents.
    pub agents: Arc<dyn AgentsApi>,
    /// Knows what agents know.
    pub knowledge: Arc<dyn KnowledgeApi>,
    /// Knows customers.
    pub customers: Arc<dyn CustomersApi>,
    /// Places for requests whose files are held.
    pub uploads: Semaphore,
    /// Knows the tokens.
    pub tokens: Arc<dyn TokensApi>,
    /// Looks back.
    pub record: Arc<dyn RecordApi>,
    /// Knows what was said, and says what people say.
    pub conversations: Arc<dyn ConversationsApi>,
    /// Knows tickets and operators.
    pub tickets: Arc<dyn TicketsApi>,
    /// Knows every step.
    pub events: Arc<dyn EventsApi>,
    /// Knows who is told of them by HTTP.
    pub event_webhooks: Arc<dyn EventWebhooksApi>,
    /// Does what other systems want.
    pub commands: Arc<dyn CommandsApi>,
    /// Knows the queue and who works on it.
    pub queue: Arc<dyn QueueApi>,
    /// Keeps what was done.
    pub audit: Arc<dyn AuditApi>,
    /// Ends the streams of events.
    pub stop: CancellationToken,
    /// Knows what was spent, and what may be.
    pub books: Arc<dyn BooksApi>,
}

/// A part of a list.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ListPart<T> {
    /// The entries.
    pub items: Vec<T>,
    /// What to send as `cursor` for those that follow; `null` at the end.
    pub next: Option<String>,
}

impl<T> ListPart<T> {
    /// Makes a list without an end to come.
    pub fn whole(items: Vec<T>) -> Self {
        Self { items, next: None }
    }
}

/// Answers with an object and its version.
fn tagged<T: Serialize>(version: u32, object: T) -> impl IntoResponse {
    let tag = HeaderValue::from_str(&format!("\"{version}\"")).expect("digits in quotes");
    ([(ETAG, tag)], Json(object))
}

/// Makes the routes, and the document of them.
fn parts() -> (Router<Arc<ApiState>>, OpenApi) {
    let (router, mut document) = OpenApiRouter::new()
        .merge(numbers::router())
        .merge(agents::router())
        .merge(knowledge::router())
        .merge(customers::router())
        .merge(tokens::router())
        .merge(record::router())
        .merge(conversations::router())
        .merge(tickets::router())
        .merge(events::router())
        .merge(commands::router())
        .merge(event_webhooks::router())
        .merge(sound::router())
        .merge(usage::router())
        .merge(credits::router())
        .merge(audit::router())
        .merge(queue::router())
        .split_for_parts();
    document::complete(&mut document);
    (router, document)
}

/// Returns the OpenAPI document.
pub fn openapi() -> OpenApi {
    parts().1
}

pub(super) fn router(state: Arc<ApiState>) -> Router {
    let (router, document) = parts();
    let noted = middleware::from_fn_with_state(Arc::clone(&state), audit::audited);
    let router = router.route_layer(noted);
    let unknown = any(async || ApiRefusal::NotFound("such path".to_owned()));
    router
        .route("/api/v1/openapi.json", get(async move || Json(document)))
        .route("/api/v1/asyncapi.json", get(async || Json(asyncapi())))
        .route("/api/v1", unknown.clone())
        .route("/api/v1/{*path}", unknown)
        .method_not_allowed_fallback(async || ApiRefusal::Method)
        .layer(middleware::from_fn(in_time))
        .with_state(state)
}

/// Ends a request that takes too long; no answer is kept on the way.
async fn in_time(request: Request, next: Next) -> Response {
    let answered = tokio::time::timeout(REQUEST_TIME, next.run(request)).await;
    let mut response = answered.unwrap_or_else(|_late| ApiRefusal::Late.into_response());
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
