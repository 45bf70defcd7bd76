//! What `hark doctor` looks at of an agent's tools: are the servers there, and do they have what is
//! configured? No tool is called.

use std::time::Duration;

use tokio::time::timeout;

use super::mcp::McpClient;
use crate::engine::{Check, Connect};
use crate::registry::{AddressTemplate, HttpTool, McpServer};
use crate::remote::words::{error_chain, outside};

/// Looks at an HTTP tool, which is at `key` of the configuration: asks its host for its front page,
/// without any header of the tool.
pub async fn examine_tool(tool: &HttpTool, key: &str, connect: Connect<'_>, check: &mut Check) {
    // What is wrong with its keys has been said of the configuration.
    let Ok(address) = AddressTemplate::parse(&tool.url) else { return };
    let time = Duration::from_millis(tool.timeout_ms);
    let front = connect(time).head(address.front_page()).send();
    let why = match timeout(time, front).await {
        Ok(Ok(_any_answer)) => {
            return check.well(format!("tool {}: {} answers", tool.name, address.host()));
        }
        Ok(Err(error)) => outside(&error_chain(error)),
        Err(_elapsed) => format!("no answer within {} ms", tool.timeout_ms),
    };
    check.error(
        format!("{key}.url"),
        format!("tool {}: {} could not be reached: {why}", tool.name, address.host()),
        format!("start the server, or correct {key}.url"),
    );
}

/// Looks at an MCP server, which is at `key` of the configuration: shakes hands and asks for its
/// tools.
pub async fn examine_server(
    server: &McpServer,
    key: &str,
    connect: Connect<'_>,
    check: &mut Check,
) {
    let names = match McpClient::new(server, connect).all_names().await {
        Ok(names) => names,
        Err(failure) => {
            return check.error(
                format!("{key}.url"),
                format!("MCP server {}: {}", server.name, failure.message),
                format!(
                    "start the server, or correct {key}.url and its headers; the path often \
                         is /mcp"
                ),
            );
        }
    };
    let known = |name: &&String| !names.contains(name);
    for (place, absent) in server.tools.iter().flatten().enumerate().filter(|(_, name)| known(name))
    {
        check.error(
            format!("{key}.tools[{place}]"),
            format!("MCP server {} has no tool {absent}", server.name),
            format!("write one that it has: {}", names.join(", ")),
        );
    }
    let allowed: Vec<&str> =
        names.iter().filter(|name| server.allows(name)).map(String::as_str).collect();
    if allowed.is_empty() {
        let fix = format!("let the server offer tools, or take {key} out");
        return check.warning(key, format!("MCP server {} offers no tool", server.name), fix);
    }
    check.well(format!("MCP server {}: tools {}", server.name, allowed.join(", ")));
}
