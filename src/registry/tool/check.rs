//! What cannot be used of an agent's tools, each with its key and the fix.

use std::collections::HashMap;

use reqwest::header::{HeaderName, HeaderValue};
use serde_json::Value;

use super::address::{AddressTemplate, check_server_address};
use super::schema::check_schema;
use super::{HttpTool, McpServer, SecretHeaders};
use crate::engine::Wrong;

/// Longest name of a tool, by the chat API.
pub const LONGEST_TOOL_NAME: usize = 64;
/// Longest name of a server: with a tool's behind it, it is a tool's name.
const LONGEST_SERVER_NAME: usize = 24;
/// Most tools of an agent; models lose their way among more.
const MOST_TOOLS: usize = 64;
/// Most servers of an agent: each is waited for.
const MOST_SERVERS: usize = 8;
/// Longest time of a call: the person waits too.
const LONGEST_MS: u64 = 60_000;
/// Headers that HTTP or MCP itself sets.
const OWN_HEADERS: [&str; 9] = [
    "accept",
    "connection",
    "content-length",
    "content-type",
    "host",
    "last-event-id",
    "mcp-protocol-version",
    "mcp-session-id",
    "transfer-encoding",
];

/// Returns whether the chat API takes a name for a tool's.
pub fn is_tool_name(name: &str) -> bool {
    let of_name = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    (1..=LONGEST_TOOL_NAME).contains(&name.len()) && name.chars().all(of_name)
}

/// Returns the keys of an agent's `tools` and `mcp` that cannot be used.
pub fn check_tools(tools: &[HttpTool], servers: &[McpServer]) -> Vec<Wrong> {
    let mut all = Vec::new();
    if tools.len() > MOST_TOOLS {
        all.push(Wrong::new("tools", format!("has more than {MOST_TOOLS} entries")));
    }
    if servers.len() > MOST_SERVERS {
        all.push(Wrong::new("mcp", format!("has more than {MOST_SERVERS} entries")));
    }
    let mut names = HashMap::new();
    for (place, tool) in tools.iter().enumerate() {
        let mut wrong = |key: &str, problem: String| {
            all.push(Wrong::new(format!("tools[{place}].{key}"), problem));
        };
        check_tool(tool, &mut wrong);
        if let Some(first) = names.insert(&tool.name, place) {
            wrong("name", format!("is the name of tools[{first}] too: give each its own"));
        }
    }
    let mut names = HashMap::new();
    for (place, server) in servers.iter().enumerate() {
        let mut wrong = |key: &str, problem: String| {
            all.push(Wrong::new(format!("mcp[{place}].{key}"), problem));
        };
        check_server(server, &mut wrong);
        if let Some(first) = names.insert(&server.name, place) {
            wrong("name", format!("is the name of mcp[{first}] too: give each its own"));
        }
    }
    all
}

fn check_tool(tool: &HttpTool, wrong: &mut dyn FnMut(&str, String)) {
    if !is_tool_name(&tool.name) {
        wrong("name", odd_name(LONGEST_TOOL_NAME));
    }
    if tool.description.trim().is_empty() {
        let problem = "is empty: say what the tool does and when to use it; the model goes by that";
        wrong("description", problem.to_owned());
    }
    if let Err(problem) = check_schema(&tool.parameters) {
        wrong("parameters", problem);
    }
    match AddressTemplate::parse(&tool.url) {
        Err(problem) => wrong("url", problem),
        Ok(address) => {
            for name in address.arguments() {
                let property = tool.parameters.get("properties").and_then(|all| all.get(name));
                let required = tool.parameters.get("required").and_then(Value::as_array);
                let required = required.is_some_and(|all| all.iter().any(|one| one == name));
                if property.is_none() {
                    wrong(
                        "url",
                        format!("has a place for {{{name}}}: describe it in parameters.properties"),
                    );
                } else if !required {
                    wrong(
                        "url",
                        format!("has a place for {{{name}}}: name it in parameters.required"),
                    );
                }
            }
        }
    }
    check_headers(&tool.headers, wrong);
    check_time(tool.timeout_ms, wrong);
}

fn check_server(server: &McpServer, wrong: &mut dyn FnMut(&str, String)) {
    if !is_tool_name(&server.name) || server.name.len() > LONGEST_SERVER_NAME {
        wrong("name", odd_name(LONGEST_SERVER_NAME));
    }
    if let Err(problem) = check_server_address(&server.url) {
        wrong("url", problem);
    }
    if server.tools.as_ref().is_some_and(Vec::is_empty) {
        wrong("tools", "names none: leave it out to allow all of them".to_owned());
    }
    check_headers(&server.headers, wrong);
    check_time(server.timeout_ms, wrong);
}

fn odd_name(longest: usize) -> String {
    format!("must have 1 to {longest} of A to Z, a to z, 0 to 9, underscore and hyphen")
}

fn check_headers(headers: &SecretHeaders, wrong: &mut dyn FnMut(&str, String)) {
    for (name, value) in headers.exposed() {
        let key = format!("headers.{name}");
        if HeaderName::from_bytes(name.as_bytes()).is_err() {
            wrong(&key, "is no name of a header".to_owned());
        } else if OWN_HEADERS.contains(&name) {
            wrong(&key, "is a header that hark sets itself: leave it out".to_owned());
        } else if value.trim().is_empty() {
            wrong(&key, "is empty: set it, or leave it out".to_owned());
        } else if HeaderValue::from_str(value).is_err() || value.trim() != value {
            let problem = "begins or ends with a space, or has a character that no header has";
            wrong(&key, problem.to_owned());
        }
    }
}

fn check_time(timeout_ms: u64, wrong: &mut dyn FnMut(&str, String)) {
    if !(1..=LONGEST_MS).contains(&timeout_ms) {
        wrong("timeout_ms", format!("must be from 1 to {LONGEST_MS}"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problems(tools: &Value, mcp: &Value) -> Vec<String> {
        let tools: Vec<HttpTool> = serde_json::from_value(tools.clone()).unwrap();
        let mcp: Vec<McpServer> = serde_json::from_value(mcp.clone()).unwrap();
        check_tools(&tools, &mcp).iter().map(Wrong::to_string).collect()
    }

    #[track_caller]
    fn check(tool: &Value, expected: &str) {
        let mut whole = json!({ "name": "a", "description": "b", "url": "https://c.example" });
        whole.as_object_mut().unwrap().extend(tool.as_object().unwrap().clone());
        let found = problems(&json!([whole]), &json!([]));
        assert!(
            found.len() == usize::from(!expected.is_empty())
                && found.iter().all(|one| one.starts_with("tools[0].") && one.contains(expected)),
            "{found:?}"
        );
    }

    #[test]
    fn each_key_of_a_tool_that_cannot_be_used_is_named_with_its_fix() {
        check(&json!({}), "");
        check(&json!({ "name": "a b" }), "name: must have 1 to 64 of A to Z");
        check(&json!({ "description": " " }), "description: is empty");
        check(
            &json!({ "parameters": { "type": "string" } }),
            "parameters: must describe an object",
        );
        check(&json!({ "url": "orders" }), "url: is no whole address");
        check(&json!({ "url": "https://c.example/{id}" }), "describe it in parameters.properties");
        let optional = json!({ "type": "object", "properties": { "id": {} } });
        check(
            &json!({ "url": "https://c.example/{id}", "parameters": optional }),
            "name it in parameters.required",
        );
        check(&json!({ "timeout_ms": 0 }), "timeout_ms: must be from 1");
        check(&json!({ "headers": { "Host": "x" } }), "headers.host: is a header that hark sets");
        check(&json!({ "headers": { "a b": "x" } }), "headers.a b: is no name");
        check(&json!({ "headers": { "x-key": "s3cr3t\n" } }), "headers.x-key: begins or ends");
        let shown = problems(
            &json!([{ "name": "a", "description": "b", "url": "c", "headers": { "x": "s3cr3t\u{7}" } }]),
            &json!([]),
        );
        assert!(!format!("{shown:?}").contains("s3cr3t"), "{shown:?}");
    }

    #[test]
    fn two_of_one_name_are_refused() {
        let tool = json!({ "name": "a", "description": "b", "url": "https://c.example" });
        let server = json!({ "name": "s", "url": "https://c.example/mcp" });
        let found = problems(&json!([tool, tool]), &json!([server, server]));
        assert_eq!(
            found,
            [
                "tools[1].name: is the name of tools[0] too: give each its own",
                "mcp[1].name: is the name of mcp[0] too: give each its own"
            ]
        );
        let odd =
            json!({ "name": "s s", "url": "ftp://c.example", "tools": [], "timeout_ms": 99_999 });
        let found = problems(&json!([]), &json!([odd]));
        assert_eq!(found.len(), 4, "{found:?}");
    }

    #[test]
    fn headers_are_secret_and_are_taken_out_of_what_a_server_repeats() {
        let tool = json!({
            "name": "a", "description": "b", "url": "https://c.example",
            "headers": { "Authorization": "Bearer t0ken-of-the-shop", "x-format": "json" },
        });
        let tool: HttpTool = serde_json::from_value(tool).unwrap();
        assert!(!format!("{tool:?}").contains("t0ken"), "{tool:?}");
        assert!(!serde_json::to_string(&tool).unwrap().contains("t0ken"));
        let clean = tool.headers.removed_from("json: no such key t0ken-of-the-shop");
        assert_eq!(clean, "json: no such key [removed]");
        let wrong = json!({ "x-key": 12_345 });
        let error = serde_json::from_value::<SecretHeaders>(wrong).unwrap_err().to_string();
        assert!(!error.contains("12345"), "{error}");
    }
}
