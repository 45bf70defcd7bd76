//! The checks that types cannot make; those of engines are beside their code.

use std::collections::HashSet;

use secrecy::{ExposeSecret as _, SecretString};

use super::{Agent, Config, ConfigError, ProviderKind};
use crate::turn::primary_language;

impl Config {
    /// The agent that answers `number_agent`, else the default one.
    pub fn agent(&self, name: Option<&str>) -> Option<&Agent> {
        let name = name.unwrap_or(&self.default_agent);
        self.agents.iter().find(|agent| agent.name == name)
    }

    /// Checks the engine of a section that has one and names another for later.
    fn check_engine(
        &self,
        key: &str,
        engine: &str,
        built: &str,
        planned: &str,
    ) -> Result<(), ConfigError> {
        if engine == built {
            return Ok(());
        }
        let what = if engine == planned { "is not built yet" } else { "is no engine" };
        Err(self.error(key, format!("\"{engine}\" {what}; use \"{built}\"")))
    }

    /// An error about `key`, with the file or variable that set it.
    pub fn error(&self, key: &str, problem: impl Into<String>) -> ConfigError {
        ConfigError::new(self.origins.of(key), key, problem)
    }
}

/// Checks what is wrong however hark is used.
pub(super) fn check(config: &Config) -> Result<(), ConfigError> {
    check_agents(config)?;
    check_numbers(config)?;
    config.check_engine("store.engine", &config.store.engine, "sqlite", "postgres")?;
    config.check_engine("queue.engine", &config.queue.engine, "embedded", "redis")?;
    if config.queue.burst_ms != 0 {
        return Err(config.error("queue.burst_ms", "merging bursts is not built yet; use 0"));
    }
    for (key, value) in [
        ("limits.audio_bytes", config.limits.audio_bytes),
        ("limits.audio_seconds", config.limits.audio_seconds.into()),
        ("limits.turn_seconds", config.limits.turn_seconds),
    ] {
        if value == 0 {
            return Err(config.error(key, "must be at least 1"));
        }
    }
    Ok(())
}

fn check_agents(config: &Config) -> Result<(), ConfigError> {
    let mut names = HashSet::new();
    for (index, agent) in config.agents.iter().enumerate() {
        if !names.insert(&agent.name) {
            let key = format!("agents[{index}].name");
            return Err(config.error(&key, format!("a second agent \"{}\"", agent.name)));
        }
        check_languages(config, index, agent)?;
        if let Some(timezone) = &agent.timezone
            && jiff::tz::TimeZone::get(timezone).is_err()
        {
            let problem =
                format!("there is no time zone \"{timezone}\"; for instance: Europe/Madrid");
            return Err(config.error(&format!("agents[{index}].timezone"), problem));
        }
        config.engines(index)?;
    }
    if config.agent(None).is_none() {
        let problem = no_agent(config, &config.default_agent);
        return Err(config.error("default_agent", problem));
    }
    Ok(())
}

fn check_languages(config: &Config, index: usize, agent: &Agent) -> Result<(), ConfigError> {
    let key = |name: &str| format!("agents[{index}].{name}");
    if let Some(languages) = &agent.languages {
        if agent.language.is_some() {
            let problem = "language is set too; leave one of the two out";
            return Err(config.error(&key("languages"), problem));
        }
        if languages.is_empty() {
            return Err(config.error(&key("languages"), "names none; leave it out to follow any"));
        }
    }
    for (name, codes) in [
        ("language", agent.language.iter().collect::<Vec<_>>()),
        ("languages", agent.languages.iter().flatten().collect()),
    ] {
        for code in codes {
            let primary = primary_language(code);
            let letters = primary.chars().all(|c| c.is_ascii_lowercase());
            if !letters || !(2..=3).contains(&primary.len()) {
                let problem = format!("\"{code}\" is no language; write a code such as \"en\"");
                return Err(config.error(&key(name), problem));
            }
        }
    }
    Ok(())
}

fn no_agent(config: &Config, name: &str) -> String {
    let names: Vec<&str> = config.agents.iter().map(|agent| agent.name.as_str()).collect();
    format!("there is no agent \"{name}\"; agents are: {}", names.join(", "))
}

fn check_numbers(config: &Config) -> Result<(), ConfigError> {
    let mut ids = HashSet::new();
    for (index, number) in config.numbers.iter().enumerate() {
        let key = |name| format!("numbers[{index}].{name}");
        if number.phone_number_id.0.is_empty() {
            return Err(config.error(&key("phone_number_id"), "is empty"));
        }
        if !ids.insert(&number.phone_number_id) {
            return Err(config.error(&key("phone_number_id"), "is configured twice"));
        }
        if number.provider == ProviderKind::D360 {
            let problem = "\"360dialog\" is not built yet; use \"meta\"";
            return Err(config.error(&key("provider"), problem));
        }
        if let Some(name) = &number.agent
            && config.agent(Some(name)).is_none()
        {
            return Err(config.error(&key("agent"), no_agent(config, name)));
        }
        let missing = |name: &str| format!("is missing; set {name} or {name}_file");
        let empty = |secret: &Option<SecretString>| {
            secret.as_ref().is_none_or(|secret| secret.expose_secret().is_empty())
        };
        if empty(&number.app_secret) {
            return Err(config.error(&key("app_secret"), missing("app_secret")));
        }
        if empty(&number.access_token) {
            return Err(config.error(&key("access_token"), missing("access_token")));
        }
    }
    Ok(())
}
