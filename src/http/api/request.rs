//! What a request of the API carries: its token, its version, its key, its body.
//!
//! Extractors, in the order in which a request is judged: the token before anything of the body is
//! read. Invariant: a body is bounded in bytes and time.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, IF_MATCH};
use axum::http::request::Parts;
use futures_util::StreamExt as _;
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use super::ApiState;
use super::audit::KnownCaller;
use super::problem::ApiRefusal;
use crate::store::TokenRole;

/// Most bytes of a body: an agent with a long prompt has some tens of thousands.
const BODY_LIMIT: usize = 1 << 20;
/// Limits how long a body may take to come.
const BODY_TIME: Duration = Duration::from_secs(30);
/// Longest idempotency key.
const KEY_LIMIT: usize = 255;

/// Says who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The token's id.
    pub id: String,
    /// Who has the token.
    pub name: String,
    /// What the token allows.
    pub role: TokenRole,
}

/// Anybody with a token.
pub(super) struct Anyone(pub(super) Caller);

/// Who may change things.
pub(super) struct AdminOnly(pub(super) Caller);

impl FromRequestParts<Arc<ApiState>> for Anyone {
    type Rejection = ApiRefusal;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &Arc<ApiState>,
    ) -> Result<Self, Self::Rejection> {
        let header = parts.headers.get(AUTHORIZATION).ok_or(ApiRefusal::NoToken)?;
        let header = header.to_str().map_err(|_odd| ApiRefusal::BadToken)?;
        let (scheme, token) = header.split_once(' ').ok_or(ApiRefusal::NoToken)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(ApiRefusal::NoToken);
        }
        let token = SecretString::from(token.trim());
        let caller = state.tokens.who(&token).await?.ok_or(ApiRefusal::BadToken)?;
        if let Some(KnownCaller(known)) = parts.extensions.get() {
            // Asked once a request.
            known.set(caller.clone()).ok();
        }
        Ok(Self(caller))
    }
}

impl FromRequestParts<Arc<ApiState>> for AdminOnly {
    type Rejection = ApiRefusal;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &Arc<ApiState>,
    ) -> Result<Self, Self::Rejection> {
        let Anyone(caller) = Anyone::from_request_parts(parts, state).await?;
        if caller.role == TokenRole::Admin { Ok(Self(caller)) } else { Err(ApiRefusal::Forbidden) }
    }
}

/// The version that a change is made for.
pub(super) struct IfMatch(pub(super) u32);

impl FromRequestParts<Arc<ApiState>> for IfMatch {
    type Rejection = ApiRefusal;

    async fn from_request_parts(
        parts: &mut Parts,
        _: &Arc<ApiState>,
    ) -> Result<Self, Self::Rejection> {
        let tag = parts.headers.get(IF_MATCH).ok_or(ApiRefusal::NoVersion)?;
        let version = tag.to_str().ok().and_then(|tag| {
            let tag = tag.trim();
            let tag = tag.strip_prefix("W/").unwrap_or(tag);
            tag.trim_matches('"').parse().ok()
        });
        let odd = || ApiRefusal::Malformed("If-Match must be one ETag, such as \"3\"".to_owned());
        Ok(Self(version.ok_or_else(odd)?))
    }
}

/// The version that a change is made for, if the caller cares.
pub(super) struct MaybeMatch(pub(super) Option<u32>);

impl FromRequestParts<Arc<ApiState>> for MaybeMatch {
    type Rejection = ApiRefusal;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &Arc<ApiState>,
    ) -> Result<Self, Self::Rejection> {
        match IfMatch::from_request_parts(parts, state).await {
            Ok(IfMatch(version)) => Ok(Self(Some(version))),
            Err(ApiRefusal::NoVersion) => Ok(Self(None)),
            Err(refusal) => Err(refusal),
        }
    }
}

/// The key under which a request that comes twice is answered once.
pub(super) struct IdempotencyKey(pub(super) Option<String>);

impl FromRequestParts<Arc<ApiState>> for IdempotencyKey {
    type Rejection = ApiRefusal;

    async fn from_request_parts(
        parts: &mut Parts,
        _: &Arc<ApiState>,
    ) -> Result<Self, Self::Rejection> {
        let Some(key) = parts.headers.get("idempotency-key") else { return Ok(Self(None)) };
        let key = key.to_str().ok().filter(|key| (1..=KEY_LIMIT).contains(&key.len()));
        let odd = || format!("Idempotency-Key must have 1 to {KEY_LIMIT} ASCII characters");
        Ok(Self(Some(key.ok_or_else(|| ApiRefusal::Malformed(odd()))?.to_owned())))
    }
}

/// A JSON body of at most `LIMIT` bytes, and what tells one request from another.
pub(super) struct JsonBody<T, const LIMIT: usize = BODY_LIMIT> {
    pub(super) value: T,
    /// SHA-256 of method, path and body.
    pub(super) digest: String,
}

impl<T: DeserializeOwned, const LIMIT: usize> JsonBody<T, LIMIT> {
    /// Reads what came another way than by HTTP; `way` names it.
    pub(super) fn read(way: &str, bytes: &[u8]) -> Result<Self, ApiRefusal> {
        if bytes.len() > LIMIT {
            return Err(ApiRefusal::TooLarge(LIMIT));
        }
        let digest = Sha256::new().chain_update(way).chain_update([0]).chain_update(bytes);
        Ok(Self { value: read_json(bytes)?, digest: hex::encode(digest.finalize()) })
    }
}

impl<T: DeserializeOwned, const LIMIT: usize> FromRequest<Arc<ApiState>> for JsonBody<T, LIMIT> {
    type Rejection = ApiRefusal;

    async fn from_request(request: Request, _: &Arc<ApiState>) -> Result<Self, Self::Rejection> {
        let (parts, body) = request.into_parts();
        let is_json = parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let is_json = is_json.map(|kind| kind.split(';').next().unwrap_or_default().trim());
        let json = ["application/json", "application/cloudevents+json"];
        if !is_json.is_some_and(|kind| json.iter().any(|json| kind.eq_ignore_ascii_case(json))) {
            return Err(ApiRefusal::MediaType("application/json"));
        }
        let read = async {
            let (mut bytes, mut stream) = (Vec::new(), body.into_data_stream());
            while let Some(piece) = stream.next().await {
                let piece: Bytes = piece
                    .map_err(|_cut| ApiRefusal::Malformed("the body was cut off".to_owned()))?;
                if bytes.len() + piece.len() > LIMIT {
                    return Err(ApiRefusal::TooLarge(LIMIT));
                }
                bytes.extend_from_slice(&piece);
            }
            Ok(bytes)
        };
        let read = tokio::time::timeout(BODY_TIME, read).await;
        let bytes = read.map_err(|_late| ApiRefusal::TooSlow)??;
        Self::read(&format!("{}\0{}", parts.method, parts.uri.path()), &bytes)
    }
}

/// Reads a body. No error quotes it: it may hold a secret.
fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiRefusal> {
    if let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(bytes) {
        let (line, column) = (error.line(), error.column());
        let problem = format!("the body is not JSON: line {line}, column {column}");
        return Err(ApiRefusal::Malformed(problem));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let key = error.path().to_string();
        let key = if key == "." { String::new() } else { key };
        ApiRefusal::invalid(key, unquoted(&error.inner().to_string()))
    })
}

/// Takes what serde quotes of a value out of its words, and the place in the text.
pub fn unquoted(words: &str) -> String {
    let words = words.split(" at line ").next().unwrap_or(words);
    match (words.split_once("invalid type: "), words.rsplit_once(", expected ")) {
        (Some((before, _)), Some((_, expected))) => {
            format!("{before}has the wrong type: expected {expected}")
        }
        _ => match (words.split_once("invalid value: "), words.rsplit_once(", expected ")) {
            (Some((before, _)), Some((_, expected))) => {
                format!("{before}cannot be this: expected {expected}")
            }
            _ => words.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Number {
        #[expect(dead_code, reason = "only read")]
        secret: Option<String>,
    }

    #[track_caller]
    fn check(body: &str, expected: &str) {
        let error = read_json::<Number>(body.as_bytes()).unwrap_err().to_string();
        assert_eq!(error, expected, "{body}");
    }

    #[test]
    fn an_error_names_the_place_and_quotes_no_value() {
        check("{\"secret\": 4711}", "secret: has the wrong type: expected a string");
        check("[\"4711\"", "the body is not JSON: line 1, column 7");
        check("{\"other\": 1}", "other: unknown field `other`, expected `secret`");
        check("\"4711\"", "has the wrong type: expected struct Number");
    }
}
