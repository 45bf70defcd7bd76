//! A tool that is one HTTP request.
//!
//! Invariant: the request goes to the configured scheme, host and port, whatever the arguments say;
//! the client follows a redirect only there.

use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::time::timeout;

use super::result::{MOST_BYTES, ToolFailure};
use crate::engine::Connect;
use crate::registry::{AddressTemplate, HttpTool, JsonObject, ToolMethod};
use crate::remote::failure::{ServerError, body, is_page};
use crate::remote::words::{error_chain, outside};
use crate::turn::ToolOutcome;

/// Most characters of an error's body that the model is told.
const ERROR_CHARS: usize = 500;

/// Calls one tool.
pub(super) struct HttpCaller {
    tool: HttpTool,
    address: AddressTemplate,
    headers: HeaderMap,
    client: Client,
}

impl HttpCaller {
    /// Makes one; returns what is wrong with the tool's address.
    pub(super) fn new(tool: &HttpTool, connect: Connect<'_>) -> Result<Self, String> {
        let address = AddressTemplate::parse(&tool.url)?;
        let client = connect(Duration::from_millis(tool.timeout_ms));
        Ok(Self {
            tool: tool.clone(),
            address,
            headers: secret_headers(tool.headers.exposed()),
            client,
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.tool.name
    }

    pub(super) fn description(&self) -> &str {
        &self.tool.description
    }

    pub(super) fn schema(&self) -> &JsonObject {
        &self.tool.parameters
    }

    /// Asks the tool; returns what it says, whole.
    pub(super) async fn call(&self, arguments: &JsonObject) -> Result<String, ToolFailure> {
        let asked = timeout(Duration::from_millis(self.tool.timeout_ms), self.ask(arguments)).await;
        let answered = asked.unwrap_or_else(|_| Err(ToolFailure::timed_out(self.tool.timeout_ms)));
        // Who repeats a key tells it to no model.
        let clean = |text: String| self.tool.headers.removed_from(&text);
        answered
            .map(clean)
            .map_err(|failure| ToolFailure { message: clean(failure.message), ..failure })
    }

    async fn ask(&self, arguments: &JsonObject) -> Result<String, ToolFailure> {
        let wrong = |message| ToolFailure::new(ToolOutcome::WrongArguments, message);
        let mut url = self.address.filled(arguments).map_err(wrong)?;
        let mut rest = arguments.clone();
        rest.retain(|name, _| !self.address.arguments().any(|placed| placed == name));
        let has_body = self.tool.method.has_body();
        if !has_body && !rest.is_empty() {
            let mut query = url.query_pairs_mut();
            for (name, value) in &rest {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                query.append_pair(name, &text);
            }
        }
        let request = self.client.request(method(self.tool.method), url);
        let request = request.headers(self.headers.clone());
        let request = request.header(ACCEPT, "application/json, text/plain;q=0.9, text/*;q=0.5");
        let request = if has_body { request.json(&rest) } else { request };
        let response = request.send().await;
        read(response.map_err(|error| ToolFailure::unreachable(&outside(&error_chain(error))))?)
            .await
    }
}

/// Makes headers whose values are in no debug output.
pub(super) fn secret_headers<'a>(exposed: impl Iterator<Item = (&'a str, &'a str)>) -> HeaderMap {
    let header = |(name, value): (&str, &str)| {
        // Both were checked when the configuration was read.
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        let mut value = HeaderValue::from_str(value).ok()?;
        value.set_sensitive(true);
        Some((name, value))
    };
    exposed.filter_map(header).collect()
}

fn method(method: ToolMethod) -> Method {
    match method {
        ToolMethod::Get => Method::GET,
        ToolMethod::Post => Method::POST,
        ToolMethod::Put => Method::PUT,
        ToolMethod::Patch => Method::PATCH,
        ToolMethod::Delete => Method::DELETE,
    }
}

/// Reads an answer, if it is one that a model can read.
async fn read(response: Response) -> Result<String, ToolFailure> {
    let status = response.status();
    if status.is_redirection() {
        let message = format!(
            "the tool sends us to another place (HTTP {}), which is not followed",
            status.as_u16()
        );
        return Err(ToolFailure::new(ToolOutcome::Failed, message));
    }
    if !status.is_success() {
        return Err(refused(status, &body(response).await));
    }
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default();
    let kind = kind.trim().to_ascii_lowercase();
    if kind == "text/html" {
        let page = ServerError::from_body(&body(response).await).message;
        let page = if page.starts_with("a web page") { page } else { "a web page".to_owned() };
        return Err(ToolFailure::unreadable(&outside(&page)));
    }
    if !is_text(&kind) {
        return Err(ToolFailure::unreadable(&format!("{}, which is no text", outside(&kind))));
    }
    let whole = whole(response).await?;
    if is_page(&whole) && (kind.is_empty() || is_json(&kind)) {
        return Err(ToolFailure::unreadable(&outside(&ServerError::from_body(&whole).message)));
    }
    if is_json(&kind) && !whole.trim_ascii().is_empty() {
        let broken = |error| ToolFailure::unreadable(&format!("broken JSON: {error}"));
        let _whole: &RawValue = serde_json::from_slice(&whole).map_err(broken)?;
    }
    let text = String::from_utf8_lossy(&whole).trim().to_owned();
    Ok(if text.is_empty() { format!("done (HTTP {}, no content)", status.as_u16()) } else { text })
}

/// Reads a body up to what a model is given.
async fn whole(mut response: Response) -> Result<Vec<u8>, ToolFailure> {
    if response.content_length().is_some_and(|length| length > MOST_BYTES as u64) {
        return Err(ToolFailure::too_large());
    }
    let mut whole = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(bytes)) if whole.len() + bytes.len() > MOST_BYTES => {
                return Err(ToolFailure::too_large());
            }
            Ok(Some(bytes)) => whole.extend_from_slice(&bytes),
            Ok(None) => return Ok(whole),
            Err(error) => {
                let why = format!("it broke off: {}", outside(&error_chain(error)));
                return Err(ToolFailure::unreachable(&why));
            }
        }
    }
}

/// Says what an error status says: "no order 4712" is an answer that a model can work with.
fn refused(status: StatusCode, body: &[u8]) -> ToolFailure {
    let said = match serde_json::from_slice::<Value>(body) {
        Ok(json) => {
            let message = ServerError::from_body(body).message;
            if message.is_empty() { json.to_string() } else { message }
        }
        Err(_) => ServerError::from_body(body).message,
    };
    let said: String = said.chars().take(ERROR_CHARS).collect();
    let message = format!("the tool answered HTTP {}: {said}", status.as_u16());
    ToolFailure::new(ToolOutcome::Failed, message.trim_end_matches([':', ' ']))
}

fn is_json(kind: &str) -> bool {
    kind == "application/json" || kind.ends_with("+json")
}

/// Returns whether a content type is one that a model reads; none is taken for text.
fn is_text(kind: &str) -> bool {
    kind.is_empty()
        || kind.starts_with("text/")
        || is_json(kind)
        || kind.ends_with("+xml")
        || matches!(
            kind,
            "application/xml" | "application/yaml" | "application/x-ndjson" | "application/jsonl"
        )
}
