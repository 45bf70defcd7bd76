//! The checks that types cannot make, and each agent's own engines.

use std::collections::HashSet;

use secrecy::ExposeSecret as _;
use serde::de::DeserializeOwned;
use toml::Table;
use url::Url;

use super::{Agent, Config, ConfigError, Llm, Override, ProviderKind, Stt, Tts};
use crate::registry::Secret;

/// The engines of one agent: the sections with the agent's own keys laid over them.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each is the section of that name")]
pub struct Engines {
    pub stt: Stt,
    pub llm: Llm,
    pub tts: Tts,
}

/// What a section's engine may be, and what is only named yet.
struct Known {
    key: &'static str,
    built: &'static [&'static str],
    planned: &'static [&'static str],
}

const STT: Known = Known { key: "stt", built: &["whisper", "scripted"], planned: &[] };
const LLM: Known = Known { key: "llm", built: &["faq", "openai", "scripted"], planned: &[] };
const TTS: Known = Known { key: "tts", built: &["espeak", "openai", "scripted"], planned: &[] };
/// What a turn waits for an answer or a voice, whatever its engine would.
const LONGEST_MS: u64 = 120_000;

/// Turns that may run side by side: each holds a note and an answer in memory.
const MOST_TURNS: usize = 10_000;

impl Config {
    /// The engines of one of [`Config::agents`].
    ///
    /// # Errors
    /// An override with an unknown key, or an engine that is not built.
    pub fn engines(&self, index: usize) -> Result<Engines, ConfigError> {
        let agent = &self.agents[index];
        let at = |section| format!("agents[{index}].{section}");
        let engines = Engines {
            stt: self.laid_over(&self.stt, agent.stt.as_ref(), &at("stt"))?,
            llm: self.laid_over(&self.llm, agent.llm.as_ref(), &at("llm"))?,
            tts: self.laid_over(&self.tts, agent.tts.as_ref(), &at("tts"))?,
        };
        for (known, engine, own) in [
            (&STT, &engines.stt.engine, agent.stt.is_some()),
            (&LLM, &engines.llm.engine, agent.llm.is_some()),
            (&TTS, &engines.tts.engine, agent.tts.is_some()),
        ] {
            let key = if own { at(known.key) } else { format!("{}.engine", known.key) };
            self.check_engine(known, engine, &key)?;
        }
        self.check_llm(&engines.llm, agent.llm.is_some().then(|| at("llm")).as_deref())?;
        let own = agent.tts.is_some().then(|| at("tts"));
        check_tts(&engines.tts).map_err(|(key, problem)| match own {
            Some(own) => self.error(&own, format!("{key}: {problem}")),
            None => self.error(&format!("tts.{key}"), problem),
        })?;
        Ok(engines)
    }

    fn laid_over<S: Section>(
        &self,
        section: &S,
        own: Option<&Override>,
        key: &str,
    ) -> Result<S, ConfigError> {
        let mut laid = section.clone();
        match own {
            None => {}
            Some(Override::Engine(engine)) => engine.clone_into(laid.engine()),
            Some(Override::Keys(keys)) => {
                laid.lay(keys).map_err(|problem| self.error(key, problem))?;
            }
        }
        Ok(laid)
    }

    fn check_engine(&self, known: &Known, engine: &str, key: &str) -> Result<(), ConfigError> {
        if known.built.contains(&engine) {
            return Ok(());
        }
        let built = known.built.join("\" or \"");
        Err(self.error(
            key,
            if known.planned.contains(&engine) {
                format!("\"{engine}\" is not built yet; use \"{built}\"")
            } else {
                format!("\"{engine}\" is no engine; use \"{built}\"")
            },
        ))
    }

    /// Checks what a language model needs; `own` is the agent's key where it overrides the section.
    fn check_llm(&self, llm: &Llm, own: Option<&str>) -> Result<(), ConfigError> {
        if llm.engine != "openai" {
            return Ok(());
        }
        let wrong = |name: &str, problem: &str| match own {
            Some(own) => self.error(own, format!("{name}: {problem}")),
            None => self.error(&format!("llm.{name}"), problem),
        };
        match llm.url.as_ref().map(Url::scheme) {
            None => return Err(wrong("url", "is missing; engine \"openai\" needs llm.url")),
            Some("http" | "https") => {}
            Some(_) => return Err(wrong("url", "must begin with http:// or https://")),
        }
        if llm.model.as_ref().is_none_or(|model| model.trim().is_empty()) {
            return Err(wrong("model", "is missing; engine \"openai\" needs llm.model"));
        }
        let key = llm.api_key.as_ref().map_or("", |key| key.expose_secret());
        if !key.chars().all(|c| c.is_ascii_graphic()) {
            return Err(wrong("api_key", "has a character that no key has, such as a space"));
        }
        // The range of OpenAI's API; NaN is in none.
        if !llm.temperature.is_none_or(|temperature| (0.0..=2.0).contains(&temperature)) {
            return Err(wrong("temperature", "must be 0 to 2"));
        }
        for (name, value) in [
            ("max_tokens", u64::from(llm.max_tokens)),
            ("connect_timeout_ms", llm.connect_timeout_ms),
            ("first_token_timeout_ms", llm.first_token_timeout_ms),
            ("stall_timeout_ms", llm.stall_timeout_ms),
            ("timeout_ms", llm.timeout_ms),
        ] {
            if value == 0 {
                return Err(wrong(name, "must be at least 1"));
            }
            if name.ends_with("_ms") && value > LONGEST_MS {
                return Err(wrong(name, "must be at most 120000, the longest that a turn waits"));
            }
        }
        Ok(())
    }

    /// An error about `key`, with the file or variable that set it.
    pub fn error(&self, key: &str, problem: impl Into<String>) -> ConfigError {
        ConfigError::new(self.origins.of(key), key, problem)
    }
}

/// Checks a voice's settings; an error is the key's name and what is wrong with it.
fn check_tts(tts: &Tts) -> Result<(), (&'static str, &'static str)> {
    if !(0.5..=2.0).contains(&tts.speed) {
        return Err(("speed", "must be from 0.5 to 2"));
    }
    if tts.engine != "openai" {
        return Ok(());
    }
    match &tts.url {
        None => return Err(("url", "is missing; set the server's address, e.g. with /v1")),
        Some(url) if !matches!(url.scheme(), "http" | "https") => {
            return Err(("url", "must begin with http:// or https://"));
        }
        Some(_) => {}
    }
    if tts.model.as_ref().is_none_or(String::is_empty) {
        return Err(("model", "is missing; set a model of the server"));
    }
    if !(8_000..=192_000).contains(&tts.sample_rate) {
        return Err(("sample_rate", "must be from 8000 to 192000"));
    }
    if !(1..=16).contains(&tts.parallel) {
        return Err(("parallel", "must be from 1 to 16"));
    }
    let times = [
        ("connect_timeout_ms", tts.connect_timeout_ms),
        ("first_audio_timeout_ms", tts.first_audio_timeout_ms),
        ("timeout_ms", tts.timeout_ms),
    ];
    match times.into_iter().find(|(_, ms)| !(1..=LONGEST_MS).contains(ms)) {
        Some((key, _)) => Err((key, "must be from 1 to 120000")),
        None => Ok(()),
    }
}

/// A section an agent may override.
trait Section: Clone {
    fn engine(&mut self) -> &mut String;
    fn lay(&mut self, keys: &Table) -> Result<(), String>;
}

/// Writes `keys` over the named fields; any other key is an error.
macro_rules! section {
    ($type:ty: $($key:literal => $field:ident $($some:ident)?),+ $(,)?) => {
        impl Section for $type {
            fn engine(&mut self) -> &mut String {
                &mut self.engine
            }

            fn lay(&mut self, keys: &Table) -> Result<(), String> {
                for (key, value) in keys {
                    match key.as_str() {
                        $($key => self.$field = $($some)?(read(key, value)?),)+
                        _ => return Err(format!("unknown key `{key}`")),
                    }
                }
                Ok(())
            }
        }
    };
}

section!(Stt: "engine" => engine, "model" => model, "models_dir" => models_dir Some,
    "threads" => threads Some, "states" => states, "language" => language Some, "gpu" => gpu,
    "cut_audio_ctx" => cut_audio_ctx, "text" => text, "uncertain" => uncertain Some);
section!(Llm: "engine" => engine, "url" => url Some, "model" => model Some,
    "api_key" => api_key Some, "temperature" => temperature Some, "max_tokens" => max_tokens,
    "history_tokens" => history_tokens, "connect_timeout_ms" => connect_timeout_ms,
    "first_token_timeout_ms" => first_token_timeout_ms, "stall_timeout_ms" => stall_timeout_ms,
    "timeout_ms" => timeout_ms, "retries" => retries, "text" => text Some,
    "first_token_ms" => first_token_ms, "tokens_per_s" => tokens_per_s);
section!(Tts: "engine" => engine, "voice" => voice Some, "url" => url Some, "model" => model Some,
    "api_key" => api_key Some, "speed" => speed, "format" => format,
    "sample_rate" => sample_rate, "parallel" => parallel,
    "connect_timeout_ms" => connect_timeout_ms,
    "first_audio_timeout_ms" => first_audio_timeout_ms, "timeout_ms" => timeout_ms,
    "retries" => retries, "first_audio_ms" => first_audio_ms, "rtf" => rtf);

fn read<T: DeserializeOwned>(key: &str, value: &toml::Value) -> Result<T, String> {
    value.clone().try_into().map_err(|error| format!("{key}: {}", error.message()))
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
        ("stt.states", config.stt.states as u64),
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
        let empty = |secret: &Option<Secret>| {
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
