//! The webhook: signature over the raw bytes, parse, store, answer.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::json;
use subtle::ConstantTimeEq as _;

use super::HttpState;
use crate::provider::door::Proof;
use crate::provider::payload::{self, Updates};
use crate::store::StoreError;
use crate::telemetry;
use crate::turn::{Accepted, MessageId, PhoneNumberId};

/// The query of Meta's handshake.
#[derive(Deserialize)]
pub(super) struct Handshake {
    #[serde(rename = "hub.mode", default)]
    mode: String,
    #[serde(rename = "hub.verify_token", default)]
    verify_token: String,
    #[serde(rename = "hub.challenge", default)]
    challenge: String,
}

/// Answers the challenge if the token is ours.
pub(super) async fn handshake(
    State(state): State<Arc<HttpState>>,
    Query(query): Query<Handshake>,
) -> Response {
    let matches = state.verify_token.as_ref().is_some_and(|token| {
        token.expose_secret().as_bytes().ct_eq(query.verify_token.as_bytes()).into()
    });
    if query.mode == "subscribe" && matches {
        query.challenge.into_response()
    } else {
        tracing::warn!("a webhook handshake was refused: its verify token is not ours");
        (StatusCode::FORBIDDEN, Json(json!({ "error": "verify token mismatch" }))).into_response()
    }
}

/// Takes one delivery.
pub(super) async fn receive(
    State(state): State<Arc<HttpState>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let started = Instant::now();
    let (status, answer) = match take(&state, &headers, &body).await {
        Ok(answer) => (StatusCode::OK, answer),
        Err(Refusal::Signature) => (
            StatusCode::UNAUTHORIZED,
            json!({ "error": "X-Hub-Signature-256 is missing or matches no configured app_secret" }),
        ),
        Err(Refusal::Json(error)) => {
            (StatusCode::BAD_REQUEST, json!({ "error": format!("body is not a webhook: {error}") }))
        }
        Err(Refusal::Lost) => {
            (StatusCode::SERVICE_UNAVAILABLE, json!({ "error": "could not be checked, try again" }))
        }
        Err(Refusal::Store(error)) => {
            tracing::error!(error = %error, "a webhook could not be stored; the provider retries");
            (StatusCode::SERVICE_UNAVAILABLE, json!({ "error": "could not be stored, try again" }))
        }
    };
    telemetry::webhook(started.elapsed());
    (status, Json(answer)).into_response()
}

/// 360dialog's endpoint is not built yet; saying so beats losing its deliveries with a 200.
pub(super) async fn not_built() -> Response {
    let error = "the 360dialog webhook is not built yet";
    (StatusCode::NOT_IMPLEMENTED, Json(json!({ "error": error }))).into_response()
}

enum Refusal {
    Signature,
    Json(payload::PayloadError),
    Store(StoreError),
    /// The threads that check are busy, or the check panicked.
    Lost,
}

async fn take(
    state: &Arc<HttpState>,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<serde_json::Value, Refusal> {
    let proof = Proof::read(headers).ok_or(Refusal::Signature)?;
    let (app, updates) = if body.len() > LARGE {
        let (checking, body) = (Arc::clone(state), body.clone());
        let checked = state.threads.run(move || check(&checking, &proof, &body)).await;
        checked.map_err(|_busy_or_panicked| Refusal::Lost)??
    } else {
        check(state, &proof, body)?
    };
    let signed_for: HashSet<_> = state.secrets[app].numbers.iter().collect();
    let counts = store(state, &signed_for, updates).await.map_err(Refusal::Store)?;
    Ok(match counts.first_known {
        Some(id) if counts.accepted == 0 && counts.ignored == 0 => {
            json!({ "status": "duplicate", "message_id": id.0 })
        }
        _ => json!({
            "status": "accepted",
            "accepted": counts.accepted,
            "duplicates": counts.duplicates,
            "ignored": counts.ignored,
        }),
    })
}

/// Bodies larger than this are checked and parsed on an owned thread; smaller ones take less time
/// than the hand-over is worth.
const LARGE: usize = 64 * 1024;

/// Finds the app secret that signed `body`, by its index, and parses the body.
fn check(state: &HttpState, proof: &Proof, body: &[u8]) -> Result<(usize, Updates), Refusal> {
    let secrets = state.secrets.iter().map(|app| &app.secret);
    let app = proof.signer(body, secrets).ok_or(Refusal::Signature)?;
    Ok((app, payload::parse(body).map_err(Refusal::Json)?))
}

#[derive(Default)]
struct Counts {
    accepted: usize,
    duplicates: usize,
    ignored: usize,
    first_known: Option<MessageId>,
}

async fn store(
    state: &HttpState,
    signed_for: &HashSet<&PhoneNumberId>,
    updates: Updates,
) -> Result<Counts, StoreError> {
    let mut counts = Counts {
        ignored: updates.others + updates.statuses.len() + updates.messages.len(),
        ..Counts::default()
    };
    let known_secret = |number: &PhoneNumberId| {
        // A number of another app is ignored; one of no app at all is for the inbox to log.
        signed_for.contains(number) || !state.secrets.iter().any(|app| app.numbers.contains(number))
    };
    let messages: Vec<_> =
        updates.messages.into_iter().filter(|m| known_secret(&m.number)).collect();
    let statuses: Vec<_> =
        updates.statuses.into_iter().filter(|s| signed_for.contains(&s.number)).collect();
    let ids: Vec<MessageId> = messages.iter().map(|message| message.id.clone()).collect();
    // Both are durable before the 200, and both share one commit.
    let (accepted, ()) =
        tokio::try_join!(state.inbox.accept(messages), state.inbox.statuses(statuses))?;
    for (id, accepted) in ids.into_iter().zip(accepted) {
        match accepted {
            Some(Accepted::New) => counts.accepted += 1,
            Some(Accepted::Duplicate) => {
                counts.duplicates += 1;
                counts.first_known.get_or_insert(id);
            }
            None => continue,
        }
        counts.ignored -= 1;
    }
    Ok(counts)
}
