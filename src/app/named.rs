//! Agents that a configuration names and does not have: looked up in the store.
//!
//! For the start, a reload and commands that want one agent. Invariant: nothing is made or changed,
//! and where there is no store yet a configuration is judged by itself.

use std::sync::Arc;

use anyhow::{anyhow, bail};

use super::EnginePool;
use super::keyring::Keyring;
use super::stored::{agent, agent_secrets};
use crate::config::{Config, ConfigErrors};
use crate::store::SqlStore;
use crate::store::{Directory, StoreError};

/// Takes out of `problems` that the file has no agent of a name which the configured store has; where
/// the store has none either, they say how one is added.
///
/// # Errors
/// A store that cannot be read.
pub async fn settle_agents(config: &Config, problems: &mut ConfigErrors) -> Result<(), StoreError> {
    // Of a store whose address is wrong nothing is known.
    if !problems.name_unknown_agents() || problems.concern("store") {
        return Ok(());
    }
    let Some(store) = SqlStore::look(config.store.address())? else { return Ok(()) };
    problems.settle_agents(&names(&store).await?);
    Ok(())
}

/// Lets agents know also what the configured store has for them, if there is one.
///
/// # Errors
/// A store that cannot be opened.
pub fn with_known(config: &Config, pool: EnginePool) -> Result<EnginePool, StoreError> {
    Ok(match SqlStore::look(config.store.address())? {
        Some(store) => pool.with_library(Arc::new(store)),
        None => pool,
    })
}

/// Returns the names of the agents of a store.
pub(super) async fn names(store: &dyn Directory) -> Result<Vec<String>, StoreError> {
    let rows = store.directory().await?;
    Ok(rows.agents.into_iter().map(|row| row.name).collect())
}

/// Returns the configuration with the agent `name` as a service would have it: of the store, unless
/// the file has its own.
///
/// # Errors
/// A name that neither has, or a store or a secret that cannot be opened.
pub async fn with_agent(config: &Config, name: &str) -> anyhow::Result<Config> {
    let is_here = config.agent_index(name).is_some();
    if is_here && !config.is_built_in(name) {
        return Ok(config.clone());
    }
    let at = config.store.address();
    // Without a store whoever sets the agent up says that there is none.
    let Some(store) = SqlStore::look(&at)? else { return Ok(config.clone()) };
    let rows = store.directory().await?.agents;
    let Some(row) = rows.iter().find(|row| row.name == name) else {
        if is_here {
            return Ok(config.clone());
        }
        let of_file = config.agents.iter().map(|agent| agent.name.as_str());
        let names: Vec<&str> = of_file.chain(rows.iter().map(|row| row.name.as_str())).collect();
        bail!(
            "there is no agent \"{name}\"; agents are: {}; `hark agents add` puts one of that name \
             into the store",
            names.join(", ")
        );
    };
    let keyring = Keyring::new(config, at.beside());
    let secrets = async {
        let vault = if row.sealed.is_some() { keyring.open(&store).await? } else { None };
        agent_secrets(vault.as_deref(), row)
    };
    let secrets = secrets.await.map_err(|error| error.into_start_error(&keyring))?;
    let agent = agent(row, &secrets)
        .map_err(|why| anyhow!("agent \"{name}\" of the store {at} cannot be read: {why}"))?;
    Ok(config.with_stored(Vec::new(), vec![agent]))
}

/// Says what becomes of a configuration that names an agent which is nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// It is not taken.
    Refused,
    /// The messages of the numbers that it would answer wait.
    Waits,
}

/// Returns which version of an agent the store has; `None` of one of the configuration.
pub(super) fn version_of(joined: &Config, name: &str) -> Option<u32> {
    joined.agent_index(name).and_then(|index| joined.agents[index].version)
}

/// Says what keeps a number from being answered, whatever its agent is.
///
/// # Errors
/// The same of a number of the configuration, if that is to be refused.
pub(super) fn obstacle(
    joined: &Config,
    index: usize,
    is_stored: bool,
    missing: Missing,
) -> anyhow::Result<Option<String>> {
    let problems = if is_stored { joined.number_problems(index) } else { <_>::default() };
    if !problems.is_empty() {
        return Ok(Some(problems.to_string()));
    }
    match joined.unknown_agent(index) {
        Some(error) if !is_stored && missing == Missing::Refused => Err(error.into()),
        unknown => Ok(unknown.map(|error| error.to_string())),
    }
}
