//! What answers: the knowledge files, and what each engine says of itself.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::agents_in_use;
use super::engines::groups;
use crate::agent::tools::Toolbox;
use crate::agent::{LlmDeps, LlmEngine};
use crate::config::Config;
use crate::engine::{Check, EngineRole as _};
use crate::knowledge::Knowledge;
use crate::registry::{Agent, Phrase};
use crate::remote::model_client;

/// Looks at all agents; `known` is how many passages each was given by `hark knowledge`.
pub(super) async fn check(config: &Config, known: &HashMap<String, usize>) -> Check {
    let mut check = Check::new("llm");
    let groups = groups::<LlmEngine>(config);
    for index in agents_in_use(config) {
        let agent = &config.agents[index];
        knowledge(
            &mut check,
            &config.agent_place(index),
            agent,
            known.get(&agent.name).copied().unwrap_or_default(),
            config.specs(index).llm.engine() == "faq",
        );
        if let Some(group) = groups.iter().find(|group| group.users[0].agent == index) {
            let user = group.users[0].described::<LlmEngine>(config);
            group.engine.settings().examine(&user, deps(agent), &model_client, &mut check).await;
        }
    }
    check
}

/// Returns what the agent gives to its responder, without its knowledge: that is looked at by
/// itself.
fn deps(agent: &Agent) -> LlmDeps {
    let timezone = agent.timezone.as_deref().and_then(|name| TimeZone::get(name).ok());
    // What is wrong with their keys has been said of the configuration.
    let tools = Toolbox::new(&agent.tools, &agent.mcp, &model_client);
    LlmDeps {
        prompt: agent.prompt.clone(),
        timezone: timezone.unwrap_or(TimeZone::UTC),
        dont_know: Phrase::default(),
        rich: agent.rich.then(|| agent.file_names()),
        tools: Arc::new(tools.unwrap_or_default()),
    }
}

/// Reads each file of an agent by itself, so that each may be a finding.
fn knowledge(check: &mut Check, place: &str, agent: &Agent, given: usize, answers_from_it: bool) {
    let key = format!("{place}.knowledge");
    let (mut passages, found_before) = (given, check.findings().count());
    for file in agent.knowledge.iter().flatten() {
        let name = file.display().to_string();
        match Knowledge::read(std::slice::from_ref(file)) {
            Ok(knowledge) => passages += knowledge.passages(),
            Err(error) => {
                let fix = format!("correct {name}, or take it off {key}");
                check.error(&key, error.to_string(), fix);
            }
        }
    }
    match &agent.knowledge {
        None if given > 0 => {
            check.well(format!("agent {}: knowledge, passages: {passages}", agent.name));
        }
        None if answers_from_it => {
            check.well(format!("agent {}: answers from the demo's knowledge", agent.name));
        }
        None => {}
        Some(files) if files.is_empty() && given == 0 && answers_from_it => check.error(
            key,
            format!("agent \"{}\" answers from its knowledge and has none", agent.name),
            "name a file: knowledge = [\"faq.csv\"], or hark knowledge add FILE",
        ),
        Some(_) if check.findings().count() > found_before => {}
        Some(_) => check.well(format!("agent {}: knowledge, passages: {passages}", agent.name)),
    }
}
