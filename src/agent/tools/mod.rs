//! The tools of an agent: called for its language model, over HTTP or at MCP servers.
//!
//! Beside the engines: a responder offers them to its model, has the calls made here and hands each
//! [`ToolDone`] on for the turn's record. Invariants: a call always has a result, and within its
//! time; no host is called but a configured one; what headers hold is in no result.

mod examine;
mod http;
mod mcp;
mod result;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use futures_util::future::join_all;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::Instant;

pub use self::examine::{examine_server, examine_tool};
use self::http::HttpCaller;
use self::mcp::{McpClient, McpTool};
pub(super) use self::result::ToolFailure;
use crate::engine::{Connect, Wrong};
use crate::registry::{
    HttpTool, JsonObject, LONGEST_TOOL_NAME, McpServer, is_tool_name, mismatches,
};
use crate::turn::{Personal, ToolOutcome};

/// Most tools that a model is offered at once.
const MOST_OFFERED: usize = 64;
/// Longest description and largest schema of an MCP server's tool, in bytes.
const MOST_DESCRIPTION: usize = 2_000;
const MOST_SCHEMA: usize = 16 << 10;

/// Describes a call as a model asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolCall {
    /// The model's own mark for it.
    pub id: String,
    /// The tool.
    pub name: String,
    /// JSON, as it was written; empty is none.
    pub arguments: Personal,
}

/// Describes a call that was made, or could not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolDone {
    /// The tool, as the model knows it.
    pub name: String,
    /// Which tool or server of the configuration it is, for metrics; `unknown` if there is none.
    pub label: String,
    /// The arguments as the model wrote them.
    pub arguments: Personal,
    /// What the model is told.
    pub result: Personal,
    /// What came of it.
    pub outcome: ToolOutcome,
    /// When it began.
    pub started: Instant,
    /// When it ended.
    pub ended: Instant,
}

/// Holds an agent's tools and its connections to MCP servers.
#[derive(Default)]
pub struct Toolbox {
    http: Vec<Arc<HttpCaller>>,
    mcp: Vec<Arc<McpClient>>,
}

impl fmt::Debug for Toolbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let http = self.http.iter().map(|tool| tool.name());
        f.debug_list().entries(http).entries(self.mcp.iter().map(|server| server.name())).finish()
    }
}

/// Holds what a model may call while one question is answered.
pub(super) struct ToolOffer {
    /// The tools in the chat API's words.
    pub(super) definitions: Vec<Value>,
    by_name: HashMap<String, OfferedTool>,
    /// Servers of tools that could not be asked.
    pub(super) missing: Vec<ToolDone>,
}

enum OfferedTool {
    Http(Arc<HttpCaller>),
    Mcp(Arc<McpClient>, McpTool),
}

impl Toolbox {
    /// Makes one of what is configured; asks nobody yet.
    ///
    /// # Errors
    /// A key that cannot be used.
    pub fn new(
        tools: &[HttpTool],
        servers: &[McpServer],
        connect: Connect<'_>,
    ) -> Result<Self, Wrong> {
        let http = tools.iter().enumerate().map(|(place, tool)| {
            let wrong = |problem| Wrong::new(format!("tools[{place}].url"), problem);
            HttpCaller::new(tool, connect).map(Arc::new).map_err(wrong)
        });
        let mcp = servers.iter().map(|server| Arc::new(McpClient::new(server, connect)));
        Ok(Self { http: http.collect::<Result<_, _>>()?, mcp: mcp.collect() })
    }

    /// Returns whether there are no tools.
    pub fn is_empty(&self) -> bool {
        self.http.is_empty() && self.mcp.is_empty()
    }

    /// Returns the HTTP tools in the chat API's words.
    pub(super) fn definitions(&self) -> Vec<Value> {
        self.http
            .iter()
            .map(|tool| definition(tool.name(), tool.description(), tool.schema()))
            .collect()
    }

    /// Gathers what may be called now; servers that are not connected are, side by side.
    pub(super) async fn offer(&self) -> ToolOffer {
        let mut offer =
            ToolOffer { definitions: Vec::new(), by_name: HashMap::new(), missing: Vec::new() };
        for (tool, definition) in self.http.iter().zip(self.definitions()) {
            offer.add(tool.name().to_owned(), definition, OfferedTool::Http(Arc::clone(tool)));
        }
        let started = Instant::now();
        let lists = join_all(self.mcp.iter().map(|server| server.tools())).await;
        for (server, list) in self.mcp.iter().zip(lists) {
            match list {
                Ok(tools) => tools.into_iter().for_each(|tool| offer.add_of_server(server, tool)),
                Err(failure) => offer.missing.push(ToolDone {
                    name: server.name().to_owned(),
                    label: server.name().to_owned(),
                    arguments: Personal::default(),
                    outcome: failure.outcome,
                    result: Personal(failure.message),
                    started,
                    ended: Instant::now(),
                }),
            }
        }
        offer
    }
}

impl ToolOffer {
    /// Offers a tool, unless its name is taken or there are too many.
    fn add(&mut self, name: String, definition: Value, tool: OfferedTool) {
        if self.definitions.len() < MOST_OFFERED && !self.by_name.contains_key(&name) {
            self.definitions.push(definition);
            self.by_name.insert(name, tool);
        }
    }

    /// Offers a server's tool under its own name, or with the server's before it where that is taken
    /// or none of the chat API.
    fn add_of_server(&mut self, server: &Arc<McpClient>, tool: McpTool) {
        let is_free = |name: &String| is_tool_name(name) && !self.by_name.contains_key(name);
        let names = [tool.name.clone(), prefixed(server.name(), &tool.name)];
        let Some(name) = names.into_iter().find(is_free) else {
            tracing::warn!(server = server.name(), "a tool's name is taken: it is not offered");
            return;
        };
        if tool.schema_bytes() > MOST_SCHEMA {
            tracing::warn!(
                server = server.name(),
                tool = name,
                "a tool's schema is larger than 16 KiB: it is not offered"
            );
            return;
        }
        let description: String = tool.description.chars().take(MOST_DESCRIPTION).collect();
        let definition = definition(&name, &description, &tool.schema);
        self.add(name, definition, OfferedTool::Mcp(Arc::clone(server), tool));
    }

    /// Makes a call; every call has a result.
    pub(super) async fn call(&self, call: &ToolCall) -> ToolDone {
        let started = Instant::now();
        let tool = self.by_name.get(&call.name);
        let answered = match tool {
            None => Err(self.unknown(&call.name)),
            Some(tool) => tool.call(call.arguments.reveal()).await,
        };
        let (outcome, result) = match answered {
            Ok(text) => (ToolOutcome::Answered, text),
            Err(ToolFailure { outcome, message }) => {
                (outcome, json!({ "error": message }).to_string())
            }
        };
        let label = tool.map_or("unknown", OfferedTool::label).to_owned();
        ToolDone {
            name: call.name.clone(),
            label,
            arguments: call.arguments.clone(),
            result: Personal(result),
            outcome,
            started,
            ended: Instant::now(),
        }
    }

    fn unknown(&self, name: &str) -> ToolFailure {
        let mut names: Vec<&str> = self.by_name.keys().map(String::as_str).collect();
        names.sort_unstable();
        let message = format!("there is no tool {name}; tools are: {}", names.join(", "));
        ToolFailure::new(ToolOutcome::Unknown, message)
    }
}

impl OfferedTool {
    fn label(&self) -> &str {
        match self {
            Self::Http(tool) => tool.name(),
            Self::Mcp(server, _) => server.name(),
        }
    }

    async fn call(&self, arguments: &str) -> Result<String, ToolFailure> {
        let schema = match self {
            Self::Http(tool) => tool.schema(),
            Self::Mcp(_, tool) => &tool.schema,
        };
        let arguments = read_arguments(arguments, schema)?;
        match self {
            Self::Http(tool) => tool.call(&arguments).await,
            Self::Mcp(server, tool) => server.call(&tool.name, arguments).await,
        }
    }
}

/// Writes a tool as the chat API has it.
pub(super) fn definition(name: &str, description: &str, schema: &impl Serialize) -> Value {
    let function = json!({ "name": name, "description": description, "parameters": schema });
    json!({ "type": "function", "function": function })
}

/// Joins the names of a server and its tool to one of the chat API.
fn prefixed(server: &str, tool: &str) -> String {
    let of_name = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let name = format!("{server}_{tool}");
    name.chars().map(of_name).take(LONGEST_TOOL_NAME).collect()
}

/// Reads the arguments of a call and holds them to the tool's schema.
fn read_arguments(text: &str, schema: &JsonObject) -> Result<JsonObject, ToolFailure> {
    let wrong = |message: String| ToolFailure::new(ToolOutcome::WrongArguments, message);
    let text = if text.trim().is_empty() { "{}" } else { text };
    let arguments = match serde_json::from_str(text) {
        Ok(Value::Object(arguments)) => arguments,
        Ok(Value::Null) => JsonObject::new(),
        Ok(_) => return Err(wrong("the arguments must be a JSON object".to_owned())),
        Err(error) => return Err(wrong(format!("the arguments are no JSON: {error}"))),
    };
    match &mismatches(schema, &arguments)[..] {
        [] => Ok(arguments),
        found => Err(wrong(format!("the arguments do not fit: {}", found.join("; ")))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> JsonObject {
        let schema = json!({
            "type": "object", "required": ["id"], "properties": { "id": { "type": "string" } },
        });
        schema.as_object().cloned().unwrap()
    }

    #[test]
    fn arguments_that_do_not_fit_are_told_to_the_model() {
        for (text, words) in [
            ("{", "the arguments are no JSON"),
            ("[]", "must be a JSON object"),
            ("", "id is missing"),
            (r#"{"id":7}"#, "id must be of type string"),
        ] {
            let failure = read_arguments(text, &schema()).unwrap_err();
            assert_eq!(failure.outcome, ToolOutcome::WrongArguments);
            assert!(failure.message.contains(words), "{}", failure.message);
        }
        assert!(read_arguments(r#"{"id":"7","more":1}"#, &schema()).is_ok());
        assert!(read_arguments("null", &JsonObject::new()).unwrap().is_empty());
    }

    #[test]
    fn a_servers_name_stands_before_a_tools_and_both_fit() {
        assert_eq!(prefixed("crm", "find.customer"), "crm_find_customer");
        assert_eq!(prefixed("crm", &"ü".repeat(80)).len(), LONGEST_TOOL_NAME);
    }
}
