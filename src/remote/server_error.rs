//! An error as a server writes it, in whatever shape.
//!
//! JSON with the words at one of many places, a web page, a stream's event or bare words. Invariant:
//! they are the server's own and may repeat anything, so they pass
//! [`Redactor`](super::words::Redactor) before they get into an error.

use serde_json::Value;
use serde_json::value::RawValue;

/// Keys that hold the words, or something that does, the best first.
const PLACES: [&str; 10] = [
    "message",
    "msg",
    "detail",
    "error",
    "errors",
    "error_message",
    "errorMessage",
    "Message",
    "error_description",
    "title",
];
/// Keys that hold codes which are words.
const CODES: [&str; 4] = ["code", "type", "status", "error_type"];
/// Keys that hold an HTTP status.
const STATUSES: [&str; 4] = ["code", "status", "statusCode", "status_code"];

/// Holds an error as servers write it: `{"message", "type", "code"}`, a string, or something else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerError {
    /// An HTTP status, where one is named.
    pub status: Option<u16>,
    /// The codes that are words, such as `code` and `type`.
    pub code: String,
    /// The key of the request that the error is about, where it names one.
    pub param: String,
    /// In the server's words, which may repeat what was asked; empty if it says nothing.
    pub message: String,
}

impl ServerError {
    /// Reads a body: JSON with or without `error`, a web page, an event, or bare words.
    #[must_use]
    pub fn from_body(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let text = text.trim();
        let event = ["data:", "error:"].iter().find_map(|field| text.strip_prefix(field));
        if let Ok(json) = serde_json::from_str(event.unwrap_or(text)) {
            return Self::read(&json);
        }
        let message = if text.starts_with('<') { page(text) } else { text.to_owned() };
        Self { message, ..Self::default() }
    }

    /// Reads the value of `error`, unless it says that there is none.
    #[must_use]
    pub fn named(error: &RawValue) -> Option<Self> {
        let error: Value = serde_json::from_str(error.get()).ok()?;
        let none = matches!(error, Value::Null | Value::Bool(false)) || error == "";
        (!none).then(|| Self::read(&error))
    }

    /// Makes the error of a question that the server filtered for `reason`.
    #[must_use]
    pub fn filtered(reason: &Value) -> Self {
        let message =
            format!("the question was blocked: {}", reason.as_str().unwrap_or("filtered"));
        Self { code: "content_filter".to_owned(), message, ..Self::default() }
    }

    /// Reads an error: the value of `error`, or a body that may have one of that name.
    #[must_use]
    pub fn read(error: &Value) -> Self {
        if let Value::Array(several) = error {
            return several.first().map(Self::read).unwrap_or_default();
        }
        let inner = &error["error"];
        let around =
            if inner.is_object() || inner.is_array() { Self::read(inner) } else { Self::default() };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let code = CODES
            .iter()
            .map(|key| text(&error[key]))
            .chain([text(&error["innererror"]["code"]), around.code.clone()]);
        let code: Vec<String> = code.filter(|code| !code.is_empty()).collect();
        let number = |key: &str| error[key].as_u64().or_else(|| error[key].as_str()?.parse().ok());
        let status =
            STATUSES.iter().find_map(|key| number(key)).and_then(|n| u16::try_from(n).ok());
        let mut message = around.message;
        if message.is_empty() {
            message = self::message(error).unwrap_or_default();
        }
        // OpenRouter says "Provider returned error" and keeps the provider's own words here.
        if let Some(raw) = error["metadata"]["raw"].as_str() {
            message = format!("{message}: {}", Self::from_body(raw.as_bytes()).message);
        }
        let param = text(&error["param"]);
        Self {
            status: around.status.or(status),
            code: code.join(" "),
            param: if param.is_empty() { around.param } else { param },
            message,
        }
    }

    /// Returns whether the account has no credit; no wait helps. `OpenAI` says 429 to it.
    #[must_use]
    pub fn lacks_credit(&self, status: u16) -> bool {
        status == 402 || self.code.contains("insufficient_quota")
    }
}

/// Finds the message where `OpenAI`, `FastAPI` (`detail`, a list of `msg`) and others put it.
fn message(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if text.is_empty() => None,
        // Proxies put the whole answer of the server behind them into a text.
        Value::String(text) if text.starts_with('{') => {
            let inner = serde_json::from_str(text).ok().and_then(|inner| message(&inner));
            inner.or_else(|| Some(text.clone()))
        }
        Value::String(text) => Some(text.clone()),
        Value::Array(several) => several.first().and_then(message),
        Value::Object(error) => PLACES.into_iter().find_map(|place| message(error.get(place)?)),
        _ => None,
    }
}

/// Returns what a web page is about.
fn page(html: &str) -> String {
    let lower = html.to_ascii_lowercase();
    let inside = |tag: &str| {
        let from = lower.find(&format!("<{tag}"))?;
        let from = from + lower[from..].find('>')? + 1;
        let to = from + lower[from..].find("</")?;
        let words: Vec<&str> = html[from..to].split_whitespace().collect();
        (!words.is_empty()).then(|| words.join(" "))
    };
    match inside("title").or_else(|| inside("h1")) {
        Some(words) => format!("a web page: {words}"),
        None => "a web page".to_owned(),
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
            (" <!doctype html><title>Bad\ngateway</title>", "a web page: Bad gateway"),
            ("<html><body><center><h1 id=x>502 Bad Gateway</h1>", "a web page: 502 Bad Gateway"),
            ("<html>", "a web page"),
            ("upstream failed\n", "upstream failed"),
            (r#"[{"error":{"code":400,"message":"API key not valid."}}]"#, "API key not valid."),
            (r#"{"error":[{"message":"in a list"}]}"#, "in a list"),
            (r#"{"errors":[{"message":"no route","code":7003}]}"#, "no route"),
            (
                r#"{"message":{"detail":[{"loc":["a"],"msg":"Input is missing"}]}}"#,
                "Input is missing",
            ),
            (r#"{"statusCode":401,"message":"Access denied"}"#, "Access denied"),
            (r#"{"error":"{\"error\":{\"message\":\"from behind\"}}"}"#, "from behind"),
            (r#"{"code":404,"title":"no such model"}"#, "no such model"),
            ("data: {\"error\":{\"message\":\"streamed\"}}\n\n", "streamed"),
            (
                r#"{"error":{"message":"Provider returned error","metadata":{"raw":"{\"detail\":\"too long\"}"}}}"#,
                "Provider returned error: too long",
            ),
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
        let azure = r#"{"error":{"code":"content_filter","param":"prompt","status":400,
            "innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#;
        let error = read(azure);
        assert_eq!((error.status, error.param.as_str()), (Some(400), "prompt"));
        assert_eq!(error.code, "content_filter ResponsibleAIPolicyViolation");
        let gemini = read(r#"[{"error":{"code":400,"status":"INVALID_ARGUMENT"}}]"#);
        assert_eq!((gemini.status, gemini.code.as_str()), (Some(400), "INVALID_ARGUMENT"));
        let named = |json: &str| ServerError::named(serde_json::from_str(json).unwrap());
        assert_eq!((named("null"), named("false"), named("\"\"")), (None, None, None));
        assert!(named("{}").is_some() && named("\"no\"").is_some());
    }
}
