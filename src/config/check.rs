//! The checks that types cannot make; those of engines are beside their code.

use std::collections::HashSet;

use secrecy::{ExposeSecret as _, SecretString};

use super::{Config, ConfigError};
use crate::registry::{Agent, ProviderKind};

/// Turns that may run side by side: each holds a note and an answer in memory.
const MOST_TURNS: usize = 10_000;

impl Config {
    /// Makes an error about `key`, with the file or variable that set it.
    pub fn error(&self, key: &str, problem: impl Into<String>) -> ConfigError {
        ConfigError::new(self.origins.find(key), key, problem)
    }
}

/// Checks what is wrong however hark is used.
pub(super) fn check(config: &Config) -> Result<(), ConfigError> {
    check_agents(config)?;
    check_numbers(config)?;
    check_store(config)?;
    if config.queue.burst_ms != 0 {
        return Err(config.error("queue.burst_ms", "merging bursts is not built yet; use 0"));
    }
    if !(1..=MOST_TURNS).contains(&config.queue.turns) {
        return Err(config.error("queue.turns", format!("must be from 1 to {MOST_TURNS}")));
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

fn check_store(config: &Config) -> Result<(), ConfigError> {
    let problem = match config.store.url.split_once("://") {
        None | Some(("sqlite", _)) => return Ok(()),
        Some(("postgres" | "postgresql", _)) => {
            "PostgreSQL is not built yet; use a path".to_owned()
        }
        Some((scheme, _)) => format!("unknown store \"{scheme}\"; use a path or sqlite://path"),
    };
    Err(config.error("store.url", problem))
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
    is_agent(config, &config.default_agent, "default_agent")
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
            let primary = code.primary();
            let letters = primary.chars().all(|c| c.is_ascii_lowercase());
            if !letters || !(2..=3).contains(&primary.len()) {
                let problem = format!("\"{code}\" is no language; write a code such as \"en\"");
                return Err(config.error(&key(name), problem));
            }
        }
    }
    Ok(())
}

/// Checks that there is an agent of the name that `key` holds.
fn is_agent(config: &Config, name: &str, key: &str) -> Result<(), ConfigError> {
    let names: Vec<&str> = config.agents.iter().map(|agent| agent.name.as_str()).collect();
    if names.contains(&name) {
        return Ok(());
    }
    let problem = format!("there is no agent \"{name}\"; agents are: {}", names.join(", "));
    Err(config.error(key, problem))
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
        if let Some(name) = &number.agent {
            is_agent(config, name, &key("agent"))?;
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
