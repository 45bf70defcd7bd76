//! The doors of 360dialog: the same WhatsApp under other paths, with a key instead of a token.
//!
//! Files lie on Meta's host and are handed out here under their own path; webhooks go where the
//! number's setting says, with the headers that were registered. Source: WhatsApp notes, section 6.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::rules::{GraphError, Head};
use super::state::CallKind;
use super::{Inner, graph, media, messages};

/// Says whose API the simulator speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Door {
    /// Meta's Graph API.
    #[default]
    Meta,
    /// 360dialog's.
    D360,
}

/// Says where webhooks go, and what they show there beside a signature.
#[derive(Clone, Debug)]
pub struct WebhookTarget {
    /// The address.
    pub url: Url,
    /// Names and values of headers.
    pub headers: Vec<(String, SecretString)>,
}

/// A version for handlers that are Meta's too, whose paths have one.
const VERSION: &str = "v25.0";

/// Returns the host that files are said to lie on.
pub(super) fn file_host() -> &'static Url {
    static HOST: LazyLock<Url> = LazyLock::new(|| {
        Url::parse("https://lookaside.fbsbx.com/whatsapp_business/attachments").expect("a constant")
    });
    &HOST
}

/// Builds the routes.
pub(super) fn router(shared: Arc<Inner>) -> Router {
    Router::new()
        .route("/messages", post(send))
        .route("/media", post(upload))
        .route("/v1/configs/webhook", get(webhook).post(register))
        .route("/{id}", get(look_up).delete(delete))
        .route("/whatsapp_business/attachments/sim/media/{token}", get(download))
        .fallback(graph::unknown)
        .layer(DefaultBodyLimit::max(graph::BODY_LIMIT))
        .with_state(shared)
}

fn numbered(shared: &Inner) -> Path<(String, String)> {
    Path((VERSION.to_owned(), shared.settings.phone_number_id.0.clone()))
}

async fn send(
    State(shared): State<Arc<Inner>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, GraphError> {
    let path = numbered(&shared);
    messages::post(State(shared), path, headers, body).await
}

async fn upload(
    State(shared): State<Arc<Inner>>,
    request: Request,
) -> Result<Json<Value>, GraphError> {
    let path = numbered(&shared);
    media::upload(State(shared), path, request).await
}

async fn look_up(
    State(shared): State<Arc<Inner>>,
    Path(id): Path<String>,
    Query(query): Query<media::LookUp>,
    headers: HeaderMap,
) -> Result<Json<Value>, GraphError> {
    media::look_up(&shared, VERSION, &id, &query, &headers)
}

async fn download(
    shared: State<Arc<Inner>>,
    token: Path<String>,
    headers: HeaderMap,
) -> Result<Response, GraphError> {
    media::download(shared, token, headers).await
}

async fn delete(
    shared: State<Arc<Inner>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, GraphError> {
    media::delete(shared, Path((VERSION.to_owned(), id)), headers).await
}

/// Shows the number's webhook setting, without the values of its headers.
async fn webhook(
    State(shared): State<Arc<Inner>>,
    headers: HeaderMap,
) -> Result<Json<Value>, GraphError> {
    let head = Head { method: &Method::GET, headers: &headers };
    shared.admit(CallKind::NumberInfo, &head, Value::Null)?;
    let url = shared.courier.target().url;
    Ok(Json(json!({ "url": url })))
}

#[derive(Deserialize)]
struct Registration {
    url: Url,
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

/// Takes another address for webhooks, and the headers that they show.
async fn register(
    State(shared): State<Arc<Inner>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, GraphError> {
    let head = Head { method: &Method::POST, headers: &headers };
    shared.admit(CallKind::WebhookSetting, &head, Value::Null)?;
    let registration: Registration = serde_json::from_slice(&body)
        .map_err(|error| GraphError::reseller(400, &format!("Invalid body: {error}")))?;
    let headers = registration.headers.into_iter().map(|(name, value)| (name, value.into()));
    let target = WebhookTarget { url: registration.url, headers: headers.collect() };
    let answer = json!({ "url": target.url });
    shared.courier.set_target(target);
    Ok(Json(answer))
}
