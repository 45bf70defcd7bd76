//! What the API refuses, as RFC 9457 problems.
//!
//! One enum for whoever does the work, a variant for each different thing that the caller has to do;
//! what HTTP itself refuses joins here, so that no answer has another form. Invariant: a problem
//! repeats no secret and none of a person's words.

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::http::header::{CONTENT_RANGE, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::store::StoreError;

/// The media type of a problem.
pub(super) const PROBLEM_JSON: &str = "application/problem+json";

/// Says why the API does not do what it is asked.
#[derive(Debug, thiserror::Error)]
pub enum ApiRefusal {
    /// No token: send one.
    #[error(
        "this needs a token: send it as `Authorization: Bearer hark_...`; `hark token create` makes one"
    )]
    NoToken,
    /// An unknown or revoked token.
    #[error("the token is not known, or was revoked")]
    BadToken,
    /// The token's role does not allow it.
    #[error("a token with the role admin is needed for this")]
    Forbidden,
    /// There is no such thing.
    #[error("there is no {0}")]
    NotFound(String),
    /// The path has no such method.
    #[error("this path does not take this method")]
    Method,
    /// It is an entry of the configuration file.
    #[error("{what} is set in {file}, which the API does not change: change it there")]
    ReadOnly {
        /// What it is.
        what: String,
        /// The file.
        file: String,
    },
    /// It is the built-in agent, of which the store has none.
    #[error("agent {0} is built in: add one of this name, which takes its place")]
    BuiltIn(String),
    /// It is there already, or used.
    #[error("{0}")]
    Conflict(String),
    /// It was changed since it was looked at.
    #[error("it has version {now} by now: look at it again, and send `If-Match: \"{now}\"`")]
    Stale {
        /// The version that is there.
        now: u32,
    },
    /// The version is not said.
    #[error("say which version you change: send its ETag as `If-Match`")]
    NoVersion,
    /// The request cannot be read.
    #[error("{0}")]
    Malformed(String),
    /// The body is too large.
    #[error("the body has more than {0} bytes")]
    TooLarge(usize),
    /// The body did not come in time.
    #[error("the body did not come in time")]
    TooSlow,
    /// The body is of another type.
    #[error("send the body as `Content-Type: {0}`")]
    MediaType(&'static str),
    /// The request is understood, and something in it cannot be used.
    #[error("{}", .0.iter().map(FieldProblem::to_string).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<FieldProblem>),
    /// The key that opens the secrets is not at hand.
    #[error("{0}")]
    Locked(String),
    /// It took too long.
    #[error("it was not done in time; look whether it was before you try again")]
    Late,
    /// The file has no such bytes.
    #[error("the file has {bytes} bytes, and none of the range")]
    Range {
        /// How many it has.
        bytes: u64,
    },
    /// The place of the sound is away.
    #[error("the place where sound is kept does not give it out: try again")]
    SoundAway,
    /// What an agent knows cannot be read now.
    #[error("{0}")]
    Unreadable(String),
    /// The store is away.
    #[error("the store could not do it: try again")]
    Store(#[from] StoreError),
}

/// Names one thing in a request that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldProblem {
    /// Where it is in the body, such as `llm.url`; empty for the whole of it.
    pub key: String,
    /// What is wrong with it, and how to mend it.
    pub problem: String,
}

impl std::fmt::Display for FieldProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.key.as_str() {
            "" => f.write_str(&self.problem),
            key => write!(f, "{key}: {}", self.problem),
        }
    }
}

/// A problem as RFC 9457 writes it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemDetails {
    /// Names the kind of problem: `urn:hark:problem:` and a word.
    #[schema(example = "urn:hark:problem:not-found")]
    r#type: String,
    /// The kind in words.
    title: String,
    /// The status of the answer.
    #[schema(example = 404, minimum = 400, maximum = 599)]
    status: u16,
    /// What is wrong here, and what to do.
    detail: String,
    /// What cannot be used of a body, each by its place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem>,
}

impl ApiRefusal {
    /// Says that one thing of a request cannot be used.
    pub fn invalid(key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldProblem { key: key.into(), problem: problem.into() }])
    }

    fn kind(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::NoToken => (StatusCode::UNAUTHORIZED, "no-token", "No token"),
            Self::BadToken => (StatusCode::UNAUTHORIZED, "bad-token", "Unknown token"),
            Self::Forbidden => (StatusCode::FORBIDDEN, "forbidden", "Not allowed"),
            Self::NotFound(_) => (StatusCode::NOT_FOUND, "not-found", "Not found"),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "method", "Method not allowed"),
            Self::ReadOnly { .. } => (StatusCode::CONFLICT, "read-only", "Set in the file"),
            Self::BuiltIn(_) => (StatusCode::CONFLICT, "read-only", "Built in"),
            Self::Conflict(_) => (StatusCode::CONFLICT, "conflict", "Conflict"),
            Self::Stale { .. } => (StatusCode::PRECONDITION_FAILED, "stale", "Another version"),
            Self::NoVersion => (StatusCode::PRECONDITION_REQUIRED, "no-version", "Version needed"),
            Self::Malformed(_) => (StatusCode::BAD_REQUEST, "malformed", "Malformed request"),
            Self::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Body too large"),
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "too-slow", "Body too slow"),
            Self::MediaType(_) => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", "Another type of body needed")
            }
            Self::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid", "Cannot be used"),
            Self::Locked(_) => (StatusCode::SERVICE_UNAVAILABLE, "locked", "Secrets are locked"),
            Self::Range { .. } => (StatusCode::RANGE_NOT_SATISFIABLE, "range", "No such range"),
            Self::SoundAway => {
                (StatusCode::SERVICE_UNAVAILABLE, "sound-away", "Sound is not at hand")
            }
            Self::Unreadable(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, "unreadable", "Cannot be read now")
            }
            Self::Late => (StatusCode::SERVICE_UNAVAILABLE, "late", "Not done in time"),
            Self::Store(_) => (StatusCode::SERVICE_UNAVAILABLE, "store", "Store is away"),
        }
    }
}

impl IntoResponse for ApiRefusal {
    fn into_response(self) -> Response {
        let (status, kind, title) = self.kind();
        if let Self::Store(error) = &self {
            error.log("the API could not be served");
        }
        let detail = self.to_string();
        let challenge = match &self {
            Self::NoToken => Some("Bearer realm=\"hark\""),
            Self::BadToken => Some("Bearer realm=\"hark\", error=\"invalid_token\""),
            _ => None,
        };
        let range = match &self {
            Self::Range { bytes } => Some(format!("bytes */{bytes}")),
            _ => None,
        };
        let errors = if let Self::Invalid(errors) = self { errors } else { Vec::new() };
        let problem = ProblemDetails {
            r#type: format!("urn:hark:problem:{kind}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail,
            errors,
        };
        let body = serde_json::to_vec(&problem).expect("texts and numbers are JSON");
        let mut response = (status, [(CONTENT_TYPE, PROBLEM_JSON)], body).into_response();
        if let Some(challenge) = challenge {
            let challenge = HeaderValue::from_static(challenge);
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        if let Some(range) = range {
            let range = HeaderValue::try_from(range).expect("words and digits");
            response.headers_mut().insert(CONTENT_RANGE, range);
        }
        response
    }
}

impl From<PathRejection> for ApiRefusal {
    fn from(_: PathRejection) -> Self {
        Self::Malformed("a part of the path is not UTF-8".to_owned())
    }
}

impl From<QueryRejection> for ApiRefusal {
    fn from(rejection: QueryRejection) -> Self {
        Self::Malformed(rejection.body_text())
    }
}
