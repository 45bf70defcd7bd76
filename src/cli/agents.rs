//! `hark agents`: the agents of the store, from a terminal.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;

use super::office::{list, open, read, said};
use super::{Context, print};
use crate::http::api::{AgentInput, AgentView, AgentsApi as _, ApiRefusal, EntrySource};

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: AgentsCommand,
    /// Print JSON lines.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(clap::Subcommand)]
enum AgentsCommand {
    /// Add an agent, or a new version of one; one that is called `hark` replaces the built-in agent.
    Add {
        /// Its name.
        name: String,
        /// Its keys, as in `[[agents]]`: TOML, or JSON if the name ends in `.json`; `-` is TOML from
        /// stdin.
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
    },
    /// List the agents, those of the configuration file too.
    List,
    /// Show an agent whole.
    Show {
        /// Its name.
        name: String,
    },
    /// List the versions of an agent.
    Versions {
        /// Its name.
        name: String,
    },
    /// Bring an earlier version back.
    Rollback {
        /// The agent's name.
        name: String,
        /// The version.
        version: u32,
    },
    /// Remove an agent that neither a number nor `default_agent` names; its versions are kept.
    Remove {
        /// Its name.
        name: String,
    },
}

pub(super) async fn run(context: Context, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let (office, json) = (open(&context)?, arguments.json);
    match arguments.command {
        AgentsCommand::Add { name, file } => {
            let input = input(&file)?;
            let kept = match office.agent(&name).await {
                Ok(before) if before.source == EntrySource::Store => {
                    office.put_agent(&name, before.version, input).await
                }
                // The built-in one is replaced; of what else is in the file the office says so.
                Ok(_) | Err(ApiRefusal::NotFound(_)) => {
                    office.add_agent(AgentInput { name: Some(name), ..input }).await
                }
                Err(error) => Err(error),
            };
            list(&[kept.map_err(said)?], json, words)?;
        }
        AgentsCommand::List => list(&office.agents().await.map_err(said)?, json, words)?,
        AgentsCommand::Show { name } => {
            let agent = office.agent(&name).await.map_err(said)?;
            if json { print::json(&agent)? } else { print::line(&whole(&agent)?)? }
        }
        AgentsCommand::Versions { name } => {
            list(&office.agent_versions(&name).await.map_err(said)?, json, words)?;
        }
        AgentsCommand::Rollback { name, version } => {
            let now = office.agent(&name).await.map_err(said)?;
            let back = office.roll_back(&name, now.version, version).await.map_err(said)?;
            list(&[back], json, words)?;
        }
        AgentsCommand::Remove { name } => {
            let now = office.agent(&name).await.map_err(said)?;
            office.remove_agent(&name, now.version).await.map_err(said)?;
            eprintln!("removed: {name}");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads the keys of an agent.
fn input(file: &Path) -> anyhow::Result<AgentInput> {
    let text = read(file)?;
    let name = || file.display().to_string();
    if file.extension().is_some_and(|ending| ending == "json") {
        return serde_json::from_str(&text).with_context(name);
    }
    toml::from_str(&text).with_context(name)
}

fn words(agent: &AgentView) -> String {
    let version = match (agent.source, agent.restores) {
        (EntrySource::File, _) => "of the configuration file".to_owned(),
        (_, Some(restores)) => format!("version {}, which is version {restores}", agent.version),
        _ => format!("version {}", agent.version),
    };
    let made = agent.created_at.as_ref().map(|at| format!("  made {at}")).unwrap_or_default();
    let removed = if agent.removed { "  removed" } else { "" };
    format!("{}  {version}{made}{removed}", agent.name)
}

/// Writes an agent as `[[agents]]` has it.
fn whole(agent: &AgentView) -> anyhow::Result<String> {
    let keys = agent.agent.as_ref().map(toml::to_string).transpose()?.unwrap_or_default();
    let mut lines = vec![format!("# {}", words(agent)), keys.trim_end().to_owned()];
    lines.extend(agent.secrets.iter().map(|place| format!("# a secret is kept at {place}")));
    Ok(lines.join("\n"))
}
