//! What agents may call: is each tool's server there, and does it have what is configured?

use super::agents_in_use;
use crate::agent::LlmEngine;
use crate::agent::tools::{examine_server, examine_tool};
use crate::config::Config;
use crate::engine::{self, Check, EngineRole as _};
use crate::remote::model_client;

pub(super) async fn check(config: &Config) -> Check {
    let mut check = Check::new("tools");
    for index in agents_in_use(config) {
        let (agent, of_agent) = (&config.agents[index], config.agent_place(index));
        if agent.tools.is_empty() && agent.mcp.is_empty() {
            continue;
        }
        let spec = config.specs(index).llm;
        if let Ok(engine) = engine::read::<LlmEngine>(&spec)
            && !engine.settings().calls_tools()
        {
            check.warning(
                format!("{of_agent}.tools"),
                format!(
                    "agent \"{}\" has tools, and its engine \"{}\" calls none",
                    agent.name,
                    spec.engine()
                ),
                "let a language model answer: llm = \"openai\", or take the tools out",
            );
        }
        for (place, tool) in agent.tools.iter().enumerate() {
            let key = format!("{of_agent}.tools[{place}]");
            examine_tool(tool, &key, &model_client, &mut check).await;
        }
        for (place, server) in agent.mcp.iter().enumerate() {
            let key = format!("{of_agent}.mcp[{place}]");
            examine_server(server, &key, &model_client, &mut check).await;
        }
    }
    if check.lines.is_empty() {
        check.skipped("no agent has tools");
    }
    check
}
