//! A server of tools that speaks MCP over streamable HTTP.
//!
//! Connected when it is first needed, and then kept: a session that the server forgot is begun
//! again. A server that is away is left alone for a while, so that not every person waits for it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::Client;
use rmcp::model::{
    CallToolRequestParams, CallToolResult, ClientCapabilities, ClientConfig, ContentBlock,
    Implementation, PaginatedRequestParams, ResourceContents,
};
use rmcp::service::{NotificationContext, RunningService, ServiceError};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ClientHandler, RoleClient, ServiceExt as _};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::http::secret_headers;
use super::result::{MOST_BYTES, ToolFailure};
use crate::engine::Connect;
use crate::registry::{JsonObject, McpServer};
use crate::remote::words::outside;
use crate::turn::ToolOutcome;

/// How long a server that could not be reached is left alone.
const LEFT_ALONE: Duration = Duration::from_secs(30);
/// Most bytes of one message of a server; what a model is given is less.
const MESSAGE_BYTES: usize = 1 << 20;
/// Most parts of a server's list of tools, so that it ends.
const MOST_PAGES: usize = 20;
/// Most characters of a server's error that the model is told.
const ERROR_CHARS: usize = 500;

/// Describes a tool of a server.
#[derive(Clone, Debug)]
pub(super) struct McpTool {
    /// The server's name for it.
    pub(super) name: String,
    pub(super) description: String,
    pub(super) schema: Arc<JsonObject>,
}

impl McpTool {
    /// Returns the size of the schema as it is sent.
    pub(super) fn schema_bytes(&self) -> usize {
        serde_json::to_string(&self.schema).map_or(usize::MAX, |text| text.len())
    }
}

/// Keeps the session with one server.
pub(super) struct McpClient {
    server: McpServer,
    client: Client,
    session: Mutex<McpState>,
}

enum McpState {
    Closed,
    Open(Arc<McpSession>),
    /// Could not be reached, and is left alone until then.
    Away {
        until: Instant,
        why: ToolFailure,
    },
}

struct McpSession {
    service: RunningService<RoleClient, McpListener>,
    tools: Vec<McpTool>,
    /// The server says that its list is another by now.
    changed: Arc<AtomicBool>,
}

/// Hears what a server says by itself.
struct McpListener {
    changed: Arc<AtomicBool>,
}

impl ClientHandler for McpListener {
    fn get_info(&self) -> ClientConfig {
        let hark = Implementation::new("hark", env!("CARGO_PKG_VERSION"));
        ClientConfig::new(ClientCapabilities::default(), hark)
    }

    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.changed.store(true, Ordering::Relaxed);
    }
}

impl McpClient {
    pub(super) fn new(server: &McpServer, connect: Connect<'_>) -> Self {
        let client = connect(Duration::from_millis(server.timeout_ms));
        Self { server: server.clone(), client, session: Mutex::new(McpState::Closed) }
    }

    pub(super) fn name(&self) -> &str {
        &self.server.name
    }

    /// Returns the tools that may be called.
    pub(super) async fn tools(&self) -> Result<Vec<McpTool>, ToolFailure> {
        let session = self.session().await?;
        let allowed = session.tools.iter().filter(|tool| self.server.allows(&tool.name));
        Ok(allowed.cloned().collect())
    }

    /// Returns the names of all tools of the server.
    pub(super) async fn all_names(&self) -> Result<Vec<String>, ToolFailure> {
        let session = self.session().await?;
        Ok(session.tools.iter().map(|tool| tool.name.clone()).collect())
    }

    /// Calls a tool; returns what it says, whole.
    pub(super) async fn call(
        &self,
        tool: &str,
        arguments: JsonObject,
    ) -> Result<String, ToolFailure> {
        let asked = self.ask(tool, arguments);
        let asked = timeout(Duration::from_millis(self.server.timeout_ms), asked).await;
        let answered =
            asked.unwrap_or_else(|_| Err(ToolFailure::timed_out(self.server.timeout_ms)));
        let clean = |text: String| self.server.headers.removed_from(&text);
        answered
            .map(clean)
            .map_err(|failure| ToolFailure { message: clean(failure.message), ..failure })
    }

    async fn ask(&self, tool: &str, arguments: JsonObject) -> Result<String, ToolFailure> {
        let session = self.session().await?;
        let call = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
        match session.service.peer().call_tool(call).await {
            Ok(result) => read(&result),
            Err(error) => {
                if !matches!(error, ServiceError::McpError(_)) {
                    // The next call begins a session anew.
                    self.forget(&session).await;
                }
                Err(failed(&error))
            }
        }
    }

    /// Returns the session, begun if there is none.
    async fn session(&self) -> Result<Arc<McpSession>, ToolFailure> {
        let mut state = self.session.lock().await;
        match &*state {
            McpState::Open(session) if session.is_as_it_was() => return Ok(Arc::clone(session)),
            McpState::Away { until, why } if Instant::now() < *until => return Err(why.clone()),
            _ => {}
        }
        let limit = Duration::from_millis(self.server.timeout_ms);
        let begun = timeout(limit, self.begin()).await;
        match begun.unwrap_or_else(|_| Err(ToolFailure::timed_out(self.server.timeout_ms))) {
            Ok(session) => {
                let session = Arc::new(session);
                *state = McpState::Open(Arc::clone(&session));
                Ok(session)
            }
            Err(mut why) => {
                why.message = self.server.headers.removed_from(&why.message);
                tracing::warn!(server = self.name(), error = why.message, "an MCP server is away");
                *state = McpState::Away { until: Instant::now() + LEFT_ALONE, why: why.clone() };
                Err(why)
            }
        }
    }

    async fn forget(&self, session: &Arc<McpSession>) {
        let mut state = self.session.lock().await;
        if matches!(&*state, McpState::Open(open) if Arc::ptr_eq(open, session)) {
            *state = McpState::Closed;
        }
    }

    /// Connects, shakes hands and asks for the list of tools.
    async fn begin(&self) -> Result<McpSession, ToolFailure> {
        let headers = secret_headers(self.server.headers.exposed());
        let headers = headers.into_iter().filter_map(|(name, value)| Some((name?, value)));
        let config = StreamableHttpClientTransportConfig::with_uri(self.server.url.as_str())
            .custom_headers(headers.collect::<HashMap<_, _>>())
            .max_json_response_size(MESSAGE_BYTES)
            .max_sse_event_size(MESSAGE_BYTES)
            .max_error_response_size(4 << 10);
        let transport = StreamableHttpClientTransport::with_client(self.client.clone(), config);
        let changed = Arc::new(AtomicBool::new(false));
        let listener = McpListener { changed: Arc::clone(&changed) };
        let unreachable = |error: &dyn std::error::Error| ToolFailure::unreachable(&chain(error));
        let service = listener.serve(transport).await.map_err(|error| unreachable(&error))?;
        let (mut tools, mut cursor) = (Vec::new(), None);
        for _page in 0..MOST_PAGES {
            let page = cursor
                .take()
                .map(|cursor| PaginatedRequestParams::default().with_cursor(Some(cursor)));
            let list =
                service.peer().list_tools(page).await.map_err(|error| unreachable(&error))?;
            tools.extend(list.tools.into_iter().map(|tool| McpTool {
                description: tool.description.as_deref().unwrap_or_default().to_owned(),
                name: tool.name.into_owned(),
                schema: tool.input_schema,
            }));
            cursor = list.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        Ok(McpSession { service, tools, changed })
    }
}

impl McpSession {
    /// Returns whether the connection stands and the list of tools is still the server's.
    fn is_as_it_was(&self) -> bool {
        !self.service.peer().is_transport_closed() && !self.changed.load(Ordering::Relaxed)
    }
}

/// Reads what a tool says.
fn read(result: &CallToolResult) -> Result<String, ToolFailure> {
    let mut parts: Vec<String> = result.content.iter().map(part).collect();
    if let Some(structured) = &result.structured_content {
        // Servers write the same as text, for those who read no other.
        let known =
            parts.iter().any(|part| serde_json::from_str(part).ok().as_ref() == Some(structured));
        if !known {
            parts.push(structured.to_string());
        }
    }
    let text = parts.join("\n");
    let text = text.trim();
    if text.len() > MOST_BYTES {
        return Err(ToolFailure::too_large());
    }
    if result.is_error == Some(true) {
        let said: String = text.chars().take(ERROR_CHARS).collect();
        return Err(ToolFailure::new(ToolOutcome::Failed, format!("the tool failed: {said}")));
    }
    Ok(if text.is_empty() { "done (no content)".to_owned() } else { text.to_owned() })
}

fn part(block: &ContentBlock) -> String {
    match block {
        ContentBlock::Text(text) => text.text.clone(),
        ContentBlock::Resource(resource) => match &resource.resource {
            ResourceContents::TextResourceContents { text, .. } => text.clone(),
            _ => "[a file, which is not shown]".to_owned(),
        },
        ContentBlock::ResourceLink(link) => link.uri.clone(),
        ContentBlock::Image(_) => "[a picture, which is not shown]".to_owned(),
        ContentBlock::Audio(_) => "[a sound, which is not played]".to_owned(),
        _ => "[something that is not shown]".to_owned(),
    }
}

/// Says why a call has no result.
fn failed(error: &ServiceError) -> ToolFailure {
    match error {
        ServiceError::McpError(error) => {
            let said: String = error.message.chars().take(ERROR_CHARS).collect();
            ToolFailure::new(ToolOutcome::Failed, format!("the tool's server refused: {said}"))
        }
        ServiceError::UnexpectedResponse => ToolFailure::unreadable("something that is no result"),
        // rmcp ends the connection at a message that is too large, and does not say so.
        ServiceError::TransportClosed => ToolFailure::unreachable(
            "the connection was closed, by the server or because it sent more than 1 MiB",
        ),
        error => ToolFailure::unreachable(&chain(error)),
    }
}

/// Joins an error and its causes to one line, without addresses and what looks secret.
fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let words = cause.to_string();
        if !line.contains(&words) {
            line = format!("{line}: {words}");
        }
        source = cause.source();
    }
    outside(&line)
}
