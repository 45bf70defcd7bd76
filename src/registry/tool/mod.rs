//! The tools of an agent: what its language model may ask of servers that the operator names.
//!
//! Pure: says what is configured and whether it can be used; `agent/tools/` calls. Invariants: the
//! host of a call is in the configuration and nowhere else; what headers hold is secret.

mod address;
mod check;
mod schema;

use std::collections::BTreeMap;

use secrecy::{ExposeSecret as _, SecretString};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};
use url::Url;

pub use address::AddressTemplate;
pub use check::{LONGEST_TOOL_NAME, check_tools, is_tool_name};
pub use schema::mismatches;

/// A JSON object: a schema, or the arguments of a call.
pub type JsonObject = Map<String, Value>;

/// Describes a tool that is one HTTP request.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct HttpTool {
    pub name: String,
    pub description: String,
    #[serde(default = "no_arguments")]
    pub parameters: JsonObject,
    #[serde(default)]
    pub method: ToolMethod,
    pub url: String,
    #[serde(default, skip_serializing)]
    pub headers: SecretHeaders,
    #[serde(default = "usual_timeout_ms")]
    pub timeout_ms: u64,
}

/// Describes a server of tools that speaks MCP over streamable HTTP.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct McpServer {
    pub name: String,
    pub url: Url,
    #[serde(default, skip_serializing)]
    pub headers: SecretHeaders,
    #[serde(default = "usual_timeout_ms")]
    pub timeout_ms: u64,
    /// Those of its tools that may be called; `None` is all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<Vec<String>>,
}

impl McpServer {
    /// Returns whether a tool of the server may be called.
    pub fn allows(&self, tool: &str) -> bool {
        self.tools.as_ref().is_none_or(|allowed| allowed.iter().any(|name| name == tool))
    }
}

/// Names how a tool is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "HTTP's own words")]
pub enum ToolMethod {
    #[default]
    #[serde(rename = "GET")]
    Get,
    #[serde(rename = "POST")]
    Post,
    #[serde(rename = "PUT")]
    Put,
    #[serde(rename = "PATCH")]
    Patch,
    #[serde(rename = "DELETE")]
    Delete,
}

impl ToolMethod {
    /// Returns whether arguments without a place in the address go into the body.
    pub fn has_body(self) -> bool {
        matches!(self, Self::Post | Self::Put | Self::Patch)
    }
}

/// Holds headers by their names in lower case; each value may be a key.
#[derive(Clone, Debug, Default)]
pub struct SecretHeaders(BTreeMap<String, SecretString>);

impl SecretHeaders {
    /// Returns the headers with their values, to be sent.
    pub fn exposed(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.expose_secret()))
    }

    /// Replaces what these headers hold wherever it stands in a text, a bearer's token by itself too.
    pub fn removed_from(&self, text: &str) -> String {
        // Shorter ones are words such as `json`.
        const SECRET_BYTES: usize = 8;
        let mut text = text.to_owned();
        for (_, value) in self.exposed() {
            let token = value.rsplit(' ').next().unwrap_or(value);
            for secret in [value, token] {
                if secret.len() >= SECRET_BYTES && text.contains(secret) {
                    text = text.replace(secret, "[removed]");
                }
            }
        }
        text
    }
}

impl<'de> Deserialize<'de> for SecretHeaders {
    /// Reads texts; unlike serde's own, its error does not quote the value. Of two names that are the
    /// same but for their case, the one in lower case counts: a variable wrote it.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut headers = BTreeMap::new();
        for (name, value) in BTreeMap::<String, Value>::deserialize(deserializer)? {
            let Value::String(value) = value else {
                return Err(D::Error::custom("every header must be a text in quotes"));
            };
            headers.insert(name.to_ascii_lowercase(), value.into());
        }
        Ok(Self(headers))
    }
}

/// Describes the arguments of a tool that takes none.
fn no_arguments() -> JsonObject {
    let schema = json!({ "type": "object", "properties": {} });
    schema.as_object().cloned().unwrap_or_default()
}

fn usual_timeout_ms() -> u64 {
    10_000
}
