//! Refuses what the Graph API refuses, in the same words.
//!
//! Messages follow recorded answers of the real API, since clients depend on its codes.

use axum::Json;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::state::{Call, CallKind};
use super::{Door, Inner, faults};

/// Types that uploads may declare. Source: fbsamples/whatsapp-api-examples issue 10.
const UPLOAD_TYPES: [&str; 19] = [
    "audio/aac",
    "audio/mp4",
    "audio/mpeg",
    "audio/amr",
    "audio/ogg",
    "audio/opus",
    "application/vnd.ms-powerpoint",
    "application/msword",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/pdf",
    "text/plain",
    "application/vnd.ms-excel",
    "image/jpeg",
    "image/png",
    "image/webp",
    "video/mp4",
    "video/3gpp",
];

/// Holds an error answer.
#[derive(Debug)]
pub(super) struct GraphError {
    status: StatusCode,
    code: i64,
    subcode: Option<i64>,
    message: String,
    /// Whether it is in 360dialog's words and not in Meta's.
    reseller: bool,
    /// Whether nothing is answered at all.
    hangs_up: bool,
}

impl GraphError {
    /// Makes `(#100)`: a parameter is missing or wrong.
    pub(super) fn parameter(message: impl AsRef<str>) -> Self {
        Self::new(400, 100, format!("(#100) {}", message.as_ref()))
    }

    /// Makes the error for a path that names an object that does not exist or belongs to another
    /// number.
    pub(super) fn no_object(method: &Method, id: &str) -> Self {
        let method = method.as_str().to_ascii_lowercase();
        let message = format!(
            "Unsupported {method} request. Object with ID '{id}' does not exist, cannot be loaded \
             due to missing permissions, or does not support this operation."
        );
        Self { subcode: Some(33), ..Self::new(400, 100, message) }
    }

    /// Makes the error for an unknown or expired media address.
    pub(super) fn no_link() -> Self {
        Self::new(404, 0, "Media address is unknown or has expired".to_owned())
    }

    fn new(status: u16, code: i64, message: String) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, code, subcode: None, message, reseller: false, hangs_up: false }
    }

    /// Makes an error that was asked for.
    pub(super) fn injected(status: u16, code: i64) -> Self {
        Self::new(status, code, format!("(#{code}) Fault injected by the simulator"))
    }

    /// Makes no answer at all.
    pub(super) fn hang_up() -> Self {
        Self { hangs_up: true, ..Self::new(503, 0, String::new()) }
    }

    /// Makes an error of 360dialog's own, which has no code.
    pub(super) fn reseller(status: u16, message: &str) -> Self {
        Self { reseller: true, ..Self::new(status, 0, message.to_owned()) }
    }
}

impl IntoResponse for GraphError {
    fn into_response(self) -> Response {
        if self.hangs_up {
            return faults::hang_up();
        }
        if self.reseller {
            let meta = json!({
                "success": false,
                "http_code": self.status.as_u16(),
                "developer_message": self.message,
                "360dialog_trace_id": "simulator",
            });
            return (self.status, Json(json!({ "meta": meta }))).into_response();
        }
        let mut error = json!({
            "message": self.message,
            "type": "OAuthException",
            "code": self.code,
            "error_data": { "messaging_product": "whatsapp", "details": self.message },
            "fbtrace_id": "simulator",
        });
        if let Some(subcode) = self.subcode {
            error["error_subcode"] = subcode.into();
        }
        (self.status, Json(json!({ "error": error }))).into_response()
    }
}

/// Holds the request line and headers of a call.
pub(super) struct Head<'a> {
    pub method: &'a Method,
    pub headers: &'a HeaderMap,
}

impl Head<'_> {
    fn text(&self, name: header::HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns the bearer token, if there is one.
    pub(super) fn token(&self) -> Option<&str> {
        let token = self.text(header::AUTHORIZATION)?.strip_prefix("Bearer ")?;
        Some(token).filter(|token| !token.is_empty())
    }
}

/// Names the header with 360dialog's key.
const KEY: &str = "d360-api-key";

fn refused(message: &str) -> GraphError {
    GraphError::new(401, 190, message.to_owned())
}

impl Inner {
    /// Records a call, injects a fault if one is due, and checks the token.
    pub(super) fn admit(
        &self,
        kind: CallKind,
        head: &Head<'_>,
        body: Value,
    ) -> Result<(), GraphError> {
        self.record_call(kind, head, body)?;
        if self.settings.door == Door::D360 {
            let key = head.headers.get(KEY).and_then(|key| key.to_str().ok()).unwrap_or_default();
            let expected = self.settings.access_token.as_ref().map(ExposeSecret::expose_secret);
            let good = !key.is_empty() && expected.is_none_or(|expected| expected == key);
            let refused = || GraphError::reseller(401, "Invalid api_key");
            return if good { Ok(()) } else { Err(refused()) };
        }
        match (head.token(), &self.settings.access_token) {
            (None, _) => Err(refused("An access token is required to request this resource.")),
            (Some(token), Some(expected)) if token != expected.expose_secret() => {
                Err(refused("Invalid OAuth access token - Cannot parse access token"))
            }
            _ => Ok(()),
        }
    }

    /// Works like [`Self::admit`], for an app that is or is not `known`.
    pub(super) fn admit_app(
        &self,
        head: &Head<'_>,
        body: Value,
        known: bool,
    ) -> Result<(), GraphError> {
        self.record_call(CallKind::AppInfo, head, body)?;
        if known { Ok(()) } else { Err(refused("Invalid OAuth access token signature.")) }
    }

    fn record_call(&self, kind: CallKind, head: &Head<'_>, body: Value) -> Result<(), GraphError> {
        let call = Call {
            method: head.method.to_string(),
            kind,
            body,
            content_type: head.text(header::CONTENT_TYPE).map(str::to_owned),
            content_length: head.text(header::CONTENT_LENGTH).and_then(|n| n.parse().ok()),
            at_ms: self.now_ms(),
        };
        let fault = {
            let mut state = self.state();
            state.add_call(call);
            state.take_fault(kind)
        };
        self.changed();
        let Some(fault) = fault else { return Ok(()) };
        if fault.code == 0 && self.settings.door == Door::D360 {
            let message = "Fault injected by the simulator";
            return Err(GraphError::reseller(fault.http_status, message));
        }
        Err(GraphError::injected(fault.http_status, fault.code))
    }

    /// Checks the version and, for endpoints of the number, the number in a path.
    pub(super) fn check_path(
        &self,
        method: &Method,
        version: &str,
        number: Option<&str>,
    ) -> Result<(), GraphError> {
        let numbers = version.strip_prefix('v').and_then(|rest| rest.split_once('.'));
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !numbers.is_some_and(|(major, minor)| is_number(major) && is_number(minor)) {
            let message = format!("Unknown path components: /{version}");
            return Err(GraphError::new(400, 2500, message));
        }
        match number {
            Some(number) if number != self.settings.phone_number_id.0 => {
                Err(GraphError::no_object(method, number))
            }
            _ => Ok(()),
        }
    }
}

/// Checks the type an uploaded file is declared as; parameters after `;` do not matter here.
pub(super) fn check_upload_type(mime_type: &str) -> Result<(), GraphError> {
    let essence = mime_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if UPLOAD_TYPES.contains(&essence.as_str()) {
        return Ok(());
    }
    let types = UPLOAD_TYPES.join(", ");
    Err(GraphError::parameter(format!(
        "Param file must be a file with one of the following types: {types}."
    )))
}
