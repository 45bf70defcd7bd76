//! A request with an idempotency key is done once, however often it comes.
//!
//! The same key and the same request get the same answer for a day; another request with a known key
//! is refused. Answers of trouble of our own (5xx) are not kept: the request may be tried again.

use axum::body::{Body, to_bytes};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::ApiState;
use super::problem::ApiRefusal;
use super::request::{Caller, IdempotencyKey};
use super::tokens::Claimed;

/// Most bytes of an answer: ours have a few thousand.
pub(super) const ANSWER_LIMIT: usize = 4 << 20;

/// An answer as it is kept.
#[derive(Serialize, Deserialize)]
struct KeptAnswer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// Answers a request, or repeats the answer that it had.
pub(super) async fn once(
    state: &ApiState,
    caller: &Caller,
    IdempotencyKey(key): IdempotencyKey,
    digest: &str,
    work: impl Future<Output = Result<Response, ApiRefusal>>,
) -> Result<Response, ApiRefusal> {
    let Some(key) = key else { return work.await };
    match state.tokens.claim(&caller.id, &key, digest).await? {
        Claimed::Mine => {}
        Claimed::Answered(answer) => return Ok(again(&answer)),
        Claimed::Running => {
            let running = ApiRefusal::Conflict("the same request is being answered".to_owned());
            // Unlike every other conflict, this one passes.
            return Ok(([(RETRY_AFTER, "1")], running).into_response());
        }
        Claimed::OtherRequest => {
            let problem = "this Idempotency-Key was used for another request: make a new one";
            return Err(ApiRefusal::invalid("", problem));
        }
    }
    let response = work.await.unwrap_or_else(IntoResponse::into_response);
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, ANSWER_LIMIT).await.unwrap_or_default();
    let keep = !parts.status.is_server_error();
    let answer = keep.then(|| {
        let header = |(name, value): (&HeaderName, &HeaderValue)| {
            Some((name.to_string(), value.to_str().ok()?.to_owned()))
        };
        let answer = KeptAnswer {
            status: parts.status.as_u16(),
            headers: parts.headers.iter().filter_map(header).collect(),
            body: String::from_utf8_lossy(&body).into_owned(),
        };
        serde_json::to_vec(&answer).expect("texts and numbers are JSON")
    });
    if let Err(error) = state.tokens.settle(&caller.id, &key, answer).await {
        // It is done; only its repetition will not be known.
        tracing::warn!(error = %error, "the answer to an idempotency key was not kept");
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}

/// Makes the answer that was kept.
fn again(answer: &[u8]) -> Response {
    let Ok(answer) = serde_json::from_slice::<KeptAnswer>(answer) else {
        return ApiRefusal::Conflict("the answer to this key cannot be read".to_owned())
            .into_response();
    };
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = (status, answer.body).into_response();
    response.headers_mut().clear();
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse()) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
