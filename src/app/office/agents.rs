//! Agents: built before they are kept, in versions that never change.

use std::path::Path;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Office, changed, name_of, time};
use crate::app::stored::{self, agent_secrets, may_stay, put_secrets, seal_agent, take_secrets};
use crate::config::Config;
use crate::http::api::{AgentInput, AgentView, AgentsApi, ApiRefusal, EntrySource, unquoted};
use crate::registry::{Agent, Number};
use crate::store::{AgentRow, Directory as _, Expected};

/// Longest name of an agent.
const NAME_CHARS: usize = 64;

pub(super) const AGENT: &str = "agent of this name";

/// The secrets of an agent, by their places in it.
type Secrets = Vec<(String, String)>;

#[async_trait]
impl AgentsApi for Office {
    async fn agents(&self) -> Result<Vec<AgentView>, ApiRefusal> {
        let config = self.config().await;
        let rows = self.store.directory().await?.agents;
        let replaced =
            |name: &str| config.is_built_in(name) && rows.iter().any(|row| row.name == name);
        let of_config = config.agents.iter().filter(|agent| !replaced(&agent.name));
        let mut all: Vec<_> = of_config.map(of_file).collect::<Result<_, _>>()?;
        for row in rows {
            all.push(self.view(&row).await?);
        }
        Ok(all)
    }

    async fn agent(&self, name: &str) -> Result<AgentView, ApiRefusal> {
        let config = self.config().await;
        let of_config = config.agent_index(name).map(|index| of_file(&config.agents[index]));
        match (self.latest(name).await, of_config) {
            (Err(ApiRefusal::NotFound(_)), Some(agent)) => agent,
            (Ok(_), Some(agent)) if !config.is_built_in(name) => agent,
            (latest, _) => self.view(&latest?).await,
        }
    }

    async fn add_agent(&self, input: AgentInput) -> Result<AgentView, ApiRefusal> {
        let name = input.name.clone().unwrap_or_default();
        let is_name = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if name.is_empty() || name.chars().count() > NAME_CHARS || !name.chars().all(is_name) {
            let problem = format!(
                "must have 1 to {NAME_CHARS} of A to Z, a to z, 0 to 9, dot, underscore and hyphen"
            );
            return Err(ApiRefusal::invalid("name", problem));
        }
        if !self.config().await.is_built_in(&name) {
            self.refuse_file_agent(&name).await?;
        }
        if self.latest(&name).await.is_ok() {
            return Err(ApiRefusal::Conflict(format!("there is an agent {name} already")));
        }
        self.keep_agent(&name, Expected::New, input, Vec::new()).await
    }

    async fn put_agent(
        &self,
        name: &str,
        version: u32,
        input: AgentInput,
    ) -> Result<AgentView, ApiRefusal> {
        self.refuse_file_agent(name).await?;
        if input.name.as_deref().is_some_and(|own| own != name) {
            return Err(ApiRefusal::invalid("name", "is another than the path's"));
        }
        let latest = self.latest(name).await?;
        if latest.version != version {
            return Err(ApiRefusal::Stale { now: latest.version });
        }
        let vault = self.keyring.open(self.store.as_ref()).await?;
        let mut before = agent_secrets(vault.as_deref(), &latest)?;
        let was = latest.spec.as_deref().and_then(|spec| serde_json::from_str(spec).ok());
        let (was, now): (Value, _) = (was.unwrap_or_default(), json!(input));
        before.retain(|(place, _)| may_stay(place, &was, &now));
        self.keep_agent(name, Expected::Version(version), input, before).await
    }

    async fn remove_agent(&self, name: &str, version: u32) -> Result<(), ApiRefusal> {
        self.refuse_file_agent(name).await?;
        let stored = self.stored().await?;
        refuse_used(&self.config().await, &stored.numbers, name)?;
        let gone = AgentRow {
            name: name.to_owned(),
            version: 0,
            spec: None,
            sealed: None,
            restores: None,
            created_ms: 0,
        };
        let now_ms = self.clock.now_ms();
        changed(AGENT, self.store.put_agent(gone, Expected::Version(version), now_ms).await?)?;
        // The built-in agent that comes back keeps what was given to its name.
        if !self.config().await.is_built_in(name) {
            self.forget_known(name).await?;
        }
        self.live().await;
        Ok(())
    }

    async fn agent_versions(&self, name: &str) -> Result<Vec<AgentView>, ApiRefusal> {
        let rows = self.store.agent_versions(name).await?;
        let config = self.config().await;
        let of_config = config.agent_index(name).map(|index| &config.agents[index]);
        if let Some(agent) = of_config.filter(|_| rows.is_empty() || !config.is_built_in(name)) {
            return Ok(vec![of_file(agent)?]);
        }
        if rows.is_empty() {
            return Err(ApiRefusal::NotFound(AGENT.to_owned()));
        }
        let mut views = Vec::new();
        for row in &rows {
            views.push(self.view(row).await?);
        }
        Ok(views)
    }

    async fn roll_back(&self, name: &str, version: u32, to: u32) -> Result<AgentView, ApiRefusal> {
        self.refuse_file_agent(name).await?;
        let rows = self.store.agent_versions(name).await?;
        let Some(latest) = rows.first().filter(|latest| latest.spec.is_some()) else {
            return Err(ApiRefusal::NotFound(AGENT.to_owned()));
        };
        if latest.version != version {
            return Err(ApiRefusal::Stale { now: latest.version });
        }
        let Some(row) = rows.iter().find(|row| row.version == to && row.spec.is_some()) else {
            let problem = format!("there is no version {to} of {name} to go back to");
            return Err(ApiRefusal::invalid("version", problem));
        };
        let vault = self.keyring.open(self.store.as_ref()).await?;
        let secrets = agent_secrets(vault.as_deref(), row)?;
        let unread =
            |why| ApiRefusal::invalid("version", format!("it cannot be read any more: {why}"));
        let agent = stored::agent(row, &secrets).map_err(unread)?;
        // Problems are named by the agent's own keys.
        let agent = Agent { version: None, ..agent };
        let _warm_until_it_is_live = self.try_agent(agent).await?;
        let row = AgentRow { restores: Some(to), ..row.clone() };
        let now_ms = self.clock.now_ms();
        changed(AGENT, self.store.put_agent(row, Expected::Version(version), now_ms).await?)?;
        self.live().await;
        self.agent(name).await
    }
}

impl Office {
    /// Returns the latest version of an agent that is not removed.
    async fn latest(&self, name: &str) -> Result<AgentRow, ApiRefusal> {
        let rows = self.store.agent_versions(name).await?;
        let latest = rows.into_iter().next().filter(|latest| latest.spec.is_some());
        latest.ok_or_else(|| ApiRefusal::NotFound(AGENT.to_owned()))
    }

    /// Refuses to change what the configuration file has, and the built-in agent where the store does
    /// not replace it.
    async fn refuse_file_agent(&self, name: &str) -> Result<(), ApiRefusal> {
        let config = self.config().await;
        let Some(index) = config.agent_index(name) else { return Ok(()) };
        if config.is_built_in(name) {
            return match self.latest(name).await {
                Err(ApiRefusal::NotFound(_)) => Err(ApiRefusal::BuiltIn(name.to_owned())),
                latest => latest.map(drop),
            };
        }
        let file = name_of(config.origins.find(&format!("agents[{index}]")));
        Err(ApiRefusal::ReadOnly { what: format!("agent {name}"), file })
    }

    /// Builds an agent, keeps it as the next version and lets it answer. Secrets that `before` had and
    /// that are not sent stay.
    async fn keep_agent(
        &self,
        name: &str,
        expected: Expected,
        input: AgentInput,
        before: Secrets,
    ) -> Result<AgentView, ApiRefusal> {
        let input = AgentInput { name: Some(name.to_owned()), ..input };
        for (key, files) in [("knowledge", &input.knowledge), ("files", &input.files)] {
            let relative = |file: &String| !Path::new(file).is_absolute();
            if let Some(place) = files.iter().flatten().position(relative) {
                let problem = "must be a whole path: it is read where the service runs";
                return Err(ApiRefusal::invalid(format!("{key}[{place}]"), problem));
            }
        }
        let mut spec = serde_json::to_value(&input).expect("an agent is JSON");
        let sent = take_secrets(&mut spec);
        let stays = |(place, _): &(String, String)| {
            let table = place.rsplit_once('/').map_or("", |(table, _)| table);
            let is_there = spec.pointer(table).is_some_and(Value::is_object);
            is_there && !sent.iter().any(|(other, _)| other == place)
        };
        let mut secrets: Secrets = before.into_iter().filter(stays).collect();
        secrets.extend(sent.into_iter().filter_map(|(place, secret)| Some((place, secret?))));
        let mut whole = spec.clone();
        put_secrets(&mut whole, &secrets);
        let agent: Agent = serde_path_to_error::deserialize(whole).map_err(|error| {
            let key = error.path().to_string();
            ApiRefusal::invalid(
                if key == "." { "" } else { &key },
                unquoted(&error.inner().to_string()),
            )
        })?;
        let _warm_until_it_is_live = self.try_agent(agent).await?;
        let sealed = if secrets.is_empty() {
            None
        } else {
            let vault = self.keyring.open_or_make(self.store.as_ref()).await?;
            Some(seal_agent(&vault, name, &secrets))
        };
        let row = AgentRow {
            name: name.to_owned(),
            version: 0,
            spec: Some(spec.to_string()),
            sealed,
            restores: None,
            created_ms: 0,
        };
        let now_ms = self.clock.now_ms();
        match changed(AGENT, self.store.put_agent(row, expected, now_ms).await?) {
            // Somebody else was quicker.
            Err(ApiRefusal::Stale { .. }) if expected == Expected::New => {
                return Err(ApiRefusal::Conflict(format!("there is an agent {name} already")));
            }
            kept => kept?,
        };
        self.live().await;
        self.agent(name).await
    }

    /// Shows a version of the store.
    async fn view(&self, row: &AgentRow) -> Result<AgentView, ApiRefusal> {
        let vault = self.keyring.open(self.store.as_ref()).await?;
        let secrets = agent_secrets(vault.as_deref(), row)?;
        let agent = row.spec.as_deref().map(serde_json::from_str).transpose();
        let damaged = |_error| ApiRefusal::Locked(format!("agent {} cannot be read", row.name));
        Ok(AgentView {
            name: row.name.clone(),
            version: row.version,
            source: EntrySource::Store,
            created_at: Some(time(row.created_ms)),
            restores: row.restores,
            removed: row.spec.is_none(),
            secrets: secrets.into_iter().map(|(place, _)| place).collect(),
            agent: agent.map_err(damaged)?,
        })
    }
}

/// Refuses to remove an agent of the store that something names. The built-in agent takes the place of
/// one of its name.
fn refuse_used(config: &Config, stored: &[Number], name: &str) -> Result<(), ApiRefusal> {
    if config.is_built_in(name) {
        return Ok(());
    }
    let uses = |number: &&Number| number.agent.as_deref() == Some(name);
    let numbers: Vec<_> = config.numbers.iter().chain(stored).filter(uses).collect();
    let ids: Vec<_> = numbers.iter().map(|number| number.phone_number_id.0.as_str()).collect();
    let key = |key: &str| format!("{key} of {}", name_of(config.origins.find(key)));
    let refused = match (&ids[..], config.default_agent == name) {
        ([], false) => return Ok(()),
        ([], true) => {
            format!("it is the {}: name another there first", key("default_agent"))
        }
        (ids, false) => format!("it answers {}: give them another first", ids.join(", ")),
        (ids, true) => format!(
            "it answers {} and is the {}: give them another first",
            ids.join(", "),
            key("default_agent")
        ),
    };
    Err(ApiRefusal::Conflict(refused))
}

/// Shows an agent of the configuration file, without its secrets.
fn of_file(agent: &Agent) -> Result<AgentView, ApiRefusal> {
    let mut spec = serde_json::to_value(agent).expect("an agent is JSON");
    if let Value::Object(keys) = &mut spec {
        keys.retain(|_, value| !value.is_null());
    }
    let shown = serde_json::from_value(spec);
    let odd = |error| ApiRefusal::Locked(format!("agent {} cannot be shown: {error}", agent.name));
    Ok(AgentView {
        name: agent.name.clone(),
        version: 0,
        source: EntrySource::File,
        created_at: None,
        restores: None,
        removed: false,
        secrets: Vec::new(),
        agent: Some(shown.map_err(odd)?),
    })
}
