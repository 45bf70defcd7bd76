//! Serves `GET /{version}/{id}` of the fake Graph API: a number, an app or a media file, by the id.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Method};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::Inner;
use super::media::{self, LookUp};
use super::rules::{GraphError, Head};
use super::state::CallKind;

/// Handles the call. An app authenticates with its own token, `app_id|app_secret`.
pub(super) async fn get(
    State(shared): State<Arc<Inner>>,
    Path((version, id)): Path<(String, String)>,
    Query(query): Query<LookUp>,
    headers: HeaderMap,
) -> Result<Json<Value>, GraphError> {
    let head = Head { method: &Method::GET, headers: &headers };
    if let Some((app, secret)) = head.token().and_then(|token| token.split_once('|')) {
        let known = app == id && secret == shared.settings.app_secret.expose_secret();
        shared.admit_app(&head, json!({ "id": id }), known)?;
        shared.check_path(&Method::GET, &version, None)?;
        return Ok(Json(json!({ "id": id })));
    }
    if id != shared.settings.phone_number_id.0 {
        return media::look_up(&shared, &version, &id, &query, &headers);
    }
    shared.admit(CallKind::NumberInfo, &head, json!({ "id": id }))?;
    shared.check_path(&Method::GET, &version, None)?;
    Ok(Json(json!({
        "id": id,
        "display_phone_number": super::webhook::DISPLAY_NUMBER,
        "verified_name": "Simulated Business",
        "quality_rating": "GREEN",
        "code_verification_status": "VERIFIED",
    })))
}

/// Lets the token's app get an account's webhooks; the simulator posts them in any case.
pub(super) async fn subscribe(
    State(shared): State<Arc<Inner>>,
    Path((version, account)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Json<Value>, GraphError> {
    let head = Head { method: &Method::POST, headers: &headers };
    shared.admit(CallKind::Subscribe, &head, json!({ "id": account }))?;
    shared.check_path(&Method::POST, &version, None)?;
    Ok(Json(json!({ "success": true })))
}
