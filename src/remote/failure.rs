//! A server's refusal over HTTP: its status, the wait it asks for, and where it puts its words.
//!
//! Read here once for all servers; what a status means is the caller's. Invariant: the words are
//! the server's own and may repeat anything, so they pass [`Redactor`](super::words::Redactor)
//! before they get into an error.

use std::time::Duration;

use reqwest::Response;
use reqwest::header::{HeaderMap, LOCATION};
use serde_json::Value;
use tokio::time::timeout;

use super::waits::{LONGEST_WAIT, retry_after};

/// Most bytes read of a refusal's body.
const BODY_BYTES: usize = 64 << 10;
/// Longest wait for the body of a refusal: without it the status has to do.
const BODY_TIME: Duration = Duration::from_secs(2);

/// Holds an answer whose status is not a success.
#[derive(Clone, Debug)]
pub struct ErrorResponse {
    /// HTTP status.
    pub status: u16,
    /// How long the server asks to be left alone, at most an hour.
    pub retry_after: Option<Duration>,
    /// Whether it sends us to another place, which was not followed.
    pub moved: bool,
    /// Whether the body is a web page.
    pub page: bool,
    /// What the body says.
    pub error: ServerError,
}

impl ErrorResponse {
    /// Reads the rest of an answer.
    pub async fn read(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self::new(status, &headers, &body(response).await)
    }

    /// Joins the parts of an answer.
    #[must_use]
    pub fn new(status: u16, headers: &HeaderMap, body: &[u8]) -> Self {
        Self {
            status,
            retry_after: retry_after(headers, LONGEST_WAIT),
            moved: headers.contains_key(LOCATION) && (300..400).contains(&status),
            page: is_page(body),
            error: ServerError::from_body(body),
        }
    }
}

/// Reads the beginning of a refusal's body; what does not come in time or breaks off is left out.
pub async fn body(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    let read = async {
        while body.len() < BODY_BYTES
            && let Ok(Some(bytes)) = response.chunk().await
        {
            body.extend_from_slice(&bytes);
        }
    };
    let _late = timeout(BODY_TIME, read).await;
    body.truncate(BODY_BYTES);
    body
}

/// Returns whether a body is a web page.
#[must_use]
pub fn is_page(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"<")
}

/// Holds an error as servers write it: `{"message", "type", "code"}`, a string, or something else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerError {
    /// An HTTP status, where `code` is one.
    pub status: Option<u16>,
    /// The codes that are words: `code` and `type`.
    pub code: String,
    /// In the server's words, which may repeat what was asked; empty if it says nothing.
    pub message: String,
}

impl ServerError {
    /// Reads a body: JSON with or without `error`, a web page, or bare words.
    #[must_use]
    pub fn from_body(body: &[u8]) -> Self {
        let bare = |message: String| Self { message, ..Self::default() };
        match serde_json::from_slice::<Value>(body) {
            Ok(json) if json["error"].is_object() => Self::read(&json["error"]),
            Ok(json) => Self::read(&json),
            Err(_not_json) if is_page(body) => bare("a web page".to_owned()),
            Err(_not_json) => bare(String::from_utf8_lossy(body).into_owned()),
        }
    }

    /// Reads the value of `error`, or a body that has none of that name.
    #[must_use]
    pub fn read(error: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let code = &error["code"];
        let status = code.as_u64().or_else(|| code.as_str()?.parse().ok());
        Self {
            status: status.and_then(|code| u16::try_from(code).ok()),
            code: format!("{} {}", text(code), text(&error["type"])).trim().to_owned(),
            message: message(error).unwrap_or_default().to_owned(),
        }
    }

    /// Returns whether the account has no credit; no wait helps. `OpenAI` says 429 to it.
    #[must_use]
    pub fn lacks_credit(&self, status: u16) -> bool {
        status == 402 || self.code.contains("insufficient_quota")
    }
}

/// Finds the message where `OpenAI`, `FastAPI` (`detail`, a list of `msg`) and others put it.
fn message(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text).filter(|text| !text.is_empty()).map(String::as_str),
        Value::Array(several) => several.first().and_then(message),
        Value::Object(error) => {
            let places = ["message", "msg", "detail", "error"];
            places.into_iter().find_map(|place| message(error.get(place)?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_where_servers_put_them() {
        for (body, expected) in [
            (r#"{"error":{"message":"No such model","code":404}}"#, "No such model"),
            (r#"{"error":{"message":"first"},"message":"second"}"#, "first"),
            (r#"{"error":"overloaded"}"#, "overloaded"),
            (r#"{"detail":"Not Found"}"#, "Not Found"),
            (
                r#"{"detail":[{"loc":["body"],"msg":"Field required","input":{"a":1}}]}"#,
                "Field required",
            ),
            (r#"{"detail":{"error":"x","message":"Bad voice"}}"#, "Bad voice"),
            (r#"{"message":"slow down"}"#, "slow down"),
            (r#"{"error":[1]}"#, ""),
            ("{}", ""),
            ("", ""),
            (" <!doctype html><title>Bad gateway</title>", "a web page"),
            ("upstream failed\n", "upstream failed\n"),
        ] {
            assert_eq!(ServerError::from_body(body.as_bytes()).message, expected, "{body}");
        }
    }

    #[test]
    fn codes_are_numbers_or_words() {
        let read = |body: &str| ServerError::from_body(body.as_bytes());
        let error = read(r#"{"error":{"code":"502","type":"server_error"}}"#);
        assert_eq!((error.status, error.code.as_str()), (Some(502), "502 server_error"));
        assert_eq!(read(r#"{"error":{"code":503,"message":"x"}}"#).status, Some(503));
        assert_eq!(read(r#"{"error":{"code":999999}}"#).status, None);
    }

    #[test]
    fn an_answer_is_read_with_its_headers() {
        let headers = |pairs: &[(&'static str, &str)]| {
            let pairs =
                pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
            pairs.collect::<HeaderMap>()
        };
        let busy = ErrorResponse::new(503, &headers(&[("retry-after", "2")]), b"<html>");
        assert_eq!((busy.status, busy.retry_after), (503, Some(Duration::from_secs(2))));
        assert!(busy.page && !busy.moved);
        let elsewhere = headers(&[("location", "https://other.example")]);
        assert!(ErrorResponse::new(307, &elsewhere, b"").moved);
        assert!(!ErrorResponse::new(201, &elsewhere, b"").moved);
    }
}
