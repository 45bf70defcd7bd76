//! The checks that types cannot make; those of engines are beside their code.

use std::collections::HashSet;

use reqwest::header::HeaderName;
use secrecy::ExposeSecret;
use url::Url;

use super::problems::MISSING;
use super::{Config, ConfigError, ConfigErrors};
use crate::engine::Wrong;
use crate::registry::{Agent, Number, ProviderKind, check_tools};
use crate::remote::redis::RedisServer;
use crate::remote::words::speaks;
use crate::turn::WorkingHours;

/// Sentences that may be kept, and their size.
const MOST_KEPT: u64 = 1_000_000;

/// Credits that an answer may cost.
const MOST_CREDITS: u32 = 1_000_000;

/// Turns that may run side by side: each holds a note and an answer in memory.
const MOST_TURNS: usize = 10_000;
/// Longest wait for more of the same person, which is waited at most.
const MOST_BURST_MS: u64 = 4_000;
/// Hours, minutes or days that a time of the desk may have.
const MOST_TIME: u32 = 100_000;

impl Config {
    /// Makes an error about `key`, with the file or variable that set it, or the store.
    pub fn error(&self, key: &str, problem: impl Into<String>) -> ConfigError {
        if let Some(entry) = self.entry_of_store(key) {
            let store = format!("store {}", self.store.address());
            return ConfigError::new(store, entry, problem);
        }
        ConfigError::new(self.origins.find(key), key, problem)
    }

    /// Returns what is wrong with the key that names the agent of a number, if there is no such agent.
    pub fn unknown_agent(&self, number: usize) -> Option<ConfigError> {
        let (name, key) = match &self.numbers[number].agent {
            Some(name) => (name, format!("numbers[{number}].agent")),
            None => (&self.default_agent, "default_agent".to_owned()),
        };
        let mut problems = ConfigErrors::default();
        is_agent(self, name, &key, &mut problems);
        problems.settle_agents(&[]);
        problems.into_iter().next()
    }
}

/// Finds what is wrong however hark is used.
pub(super) fn check(config: &Config, problems: &mut ConfigErrors) {
    check_agents(config, problems);
    check_numbers(config, problems);
    check_webhook(config, problems);
    check_store(config, problems);
    check_blobs(config, problems);
    check_servers(config, problems);
    let mut wrong = |key: &str, problem: String| problems.add(config.error(key, problem));
    if config.queue.burst_ms > MOST_BURST_MS {
        wrong("queue.burst_ms", format!("must be from 0 to {MOST_BURST_MS}"));
    }
    for (key, value) in
        [("cache.megabytes", config.cache.megabytes), ("cache.entries", config.cache.entries)]
    {
        if value > MOST_KEPT {
            wrong(key, format!("must be from 0 to {MOST_KEPT}"));
        }
    }
    for (key, value) in [
        ("desk.conversation_hours", config.desk.conversation_hours),
        ("desk.idle_minutes", config.desk.idle_minutes),
        ("events.retention_days", config.events.retention_days),
        ("privacy.audit_days", config.privacy.audit_days),
    ] {
        if !(1..=MOST_TIME).contains(&value) {
            wrong(key, format!("must be from 1 to {MOST_TIME}"));
        }
    }
    for (key, value) in [
        ("privacy.words_days", config.privacy.words_days),
        ("privacy.contacts_days", config.privacy.contacts_days),
    ] {
        if value > MOST_TIME {
            wrong(key, format!("must be from 0 to {MOST_TIME}"));
        }
    }
    check_redis(config, &mut wrong);
    // A note must be followed within the day.
    if config.followup.minutes >= 24 * 60 {
        wrong("followup.minutes", "must be less than the 1440 of WhatsApp's 24 hours".to_owned());
    }
    if config.credits.per_turn > MOST_CREDITS {
        wrong("credits.per_turn", format!("must be from 0 to {MOST_CREDITS}"));
    }
    if !(1..=MOST_TURNS).contains(&config.queue.turns) {
        wrong("queue.turns", format!("must be from 1 to {MOST_TURNS}"));
    }
    for (key, value) in [
        ("limits.audio_bytes", config.limits.audio_bytes),
        ("limits.audio_seconds", config.limits.audio_seconds.into()),
        ("limits.turn_seconds", config.limits.turn_seconds),
    ] {
        if value == 0 {
            wrong(key, "must be at least 1".to_owned());
        }
    }
}

/// Checks what is said of Redis.
fn check_redis(config: &Config, wrong: &mut dyn FnMut(&str, String)) {
    let redis = &config.redis;
    if redis.events_kept == 0 {
        wrong("redis.events_kept", "must be at least 1".to_owned());
    }
    for (key, name) in [("redis.events", &redis.events), ("redis.commands", &redis.commands)] {
        if name.trim().is_empty() {
            wrong(key, "is empty: name a stream".to_owned());
        }
    }
    if redis.events == redis.commands {
        wrong("redis.commands", "is the stream of events: name another".to_owned());
    }
    let url = redis.url.as_ref();
    if let Some(Err(problem)) = url.map(|url| RedisServer::new(url, redis.password.as_ref())) {
        wrong("redis.url", problem);
    }
}

/// Checks what Meta's webhook form is given.
fn check_webhook(config: &Config, problems: &mut ConfigErrors) {
    let token = config.webhook.verify_token.as_ref().map(ExposeSecret::expose_secret);
    let problem = match token {
        None => None,
        Some(token) if token.trim().is_empty() => {
            Some("is empty: write the word that you type into Meta's webhook form, or leave it out")
        }
        Some(token) => odd_secret(token),
    };
    if let Some(problem) = problem {
        problems.add(config.error("webhook.verify_token", problem));
    }
    if let Some(problem) = config.server.public_url.as_ref().and_then(odd_address) {
        problems.add(config.error("server.public_url", problem));
    }
}

/// Says what is wrong with a secret that is not blank.
pub(super) fn odd_secret(secret: &str) -> Option<&'static str> {
    if secret.trim() != secret {
        Some("begins or ends with a space or a line break: take it off")
    } else if secret.chars().any(speaks) {
        Some("has a line break or another character that is not seen: copy it anew")
    } else {
        None
    }
}

/// Says what is wrong with an address that is to be called over HTTP.
fn odd_address(url: &Url) -> Option<String> {
    let problem = |scheme| format!("begins with {scheme}://, which is not spoken; write https://");
    (!matches!(url.scheme(), "http" | "https")).then(|| problem(url.scheme()))
}

fn check_store(config: &Config, problems: &mut ConfigErrors) {
    if !(1..=MOST_CONNECTIONS).contains(&config.store.connections) {
        let problem = format!("must be from 1 to {MOST_CONNECTIONS}");
        problems.add(config.error("store.connections", problem));
    }
    if let Some(problem) = config.store.odd() {
        problems.add(config.error("store.url", problem));
    }
}

/// Connections that one process may have to a database server.
const MOST_CONNECTIONS: u32 = 500;
/// Most days that sound may be kept: a hundred years.
const MOST_DAYS: u32 = 36_500;

fn check_blobs(config: &Config, problems: &mut ConfigErrors) {
    let blobs = &config.blobs;
    let mut wrong = |key: &str, problem: String| problems.add(config.error(key, problem));
    if blobs.retention_days > MOST_DAYS {
        wrong("blobs.retention_days", format!("must be from 0 to {MOST_DAYS}"));
    }
    if let Some(problem) = blobs.endpoint.as_ref().and_then(odd_address) {
        wrong("blobs.endpoint", problem);
    }
    match blobs.place(config.store.address().beside()) {
        Err(problem) => wrong("blobs.url", problem),
        // Where nothing is kept nothing is asked of a cloud, unless there is something to delete.
        Ok(place) => {
            if let Err(missing) = place.check(blobs) {
                wrong(&missing.key, missing.problem);
            }
        }
    }
}

fn check_servers(config: &Config, problems: &mut ConfigErrors) {
    for (section, wrong) in
        [("embeddings", config.embeddings.check()), ("customers", config.customers.check())]
    {
        for Wrong { key, problem } in wrong {
            problems.add(config.error(&format!("{section}.{key}"), problem));
        }
    }
}

fn check_agents(config: &Config, problems: &mut ConfigErrors) {
    let mut names = HashSet::new();
    for (index, agent) in config.agents.iter().enumerate() {
        if !agent.name.is_empty() && !names.insert(&agent.name) {
            let problem = format!("a second agent \"{}\"", agent.name);
            problems.add(config.error(&format!("agents[{index}].name"), problem));
        }
        check_agent(config, index, problems);
    }
    is_agent(config, &config.default_agent, "default_agent", problems);
}

/// Checks one agent by itself.
pub(super) fn check_agent(config: &Config, index: usize, problems: &mut ConfigErrors) {
    let agent = &config.agents[index];
    let mut wrong = |name: &str, problem: String| {
        problems.add(config.error(&format!("agents[{index}].{name}"), problem));
    };
    if agent.name.is_empty() {
        wrong("name", MISSING.to_owned());
    }
    check_languages(agent, &mut wrong);
    check_vocabulary(agent, &mut wrong);
    check_files(agent, &mut wrong);
    for Wrong { key, problem } in check_tools(&agent.tools, &agent.mcp) {
        wrong(&key, problem);
    }
    if let Some(timezone) = &agent.timezone
        && jiff::tz::TimeZone::get(timezone).is_err()
    {
        let example = "for instance: Europe/Madrid";
        wrong("timezone", format!("there is no time zone \"{timezone}\"; {example}"));
    }
    if let Some((key, problem)) = agent.hours.as_ref().and_then(WorkingHours::problem) {
        wrong(&format!("hours.{key}"), problem);
    }
    if let Err(errors) = config.engines(index) {
        problems.extend(errors);
    }
}

/// Checks that an answer can name each file.
fn check_files(agent: &Agent, wrong: &mut dyn FnMut(&str, String)) {
    if !agent.files.is_empty() && !agent.rich {
        wrong("files", "needs rich = true: plain answers name no file".to_owned());
    }
    let mut names = HashSet::new();
    for name in agent.file_names() {
        if !names.insert(name.to_lowercase()) {
            wrong("files", format!("has two files \"{name}\": an answer names one by its name"));
        }
    }
}

fn check_languages(agent: &Agent, wrong: &mut dyn FnMut(&str, String)) {
    if let Some(languages) = &agent.languages {
        if agent.language.is_some() {
            wrong("languages", "language is set too; leave one of the two out".to_owned());
        }
        if languages.is_empty() {
            wrong("languages", "names none; leave it out to follow any".to_owned());
        }
    }
    for (name, codes) in [
        ("language", agent.language.iter().collect::<Vec<_>>()),
        ("languages", agent.languages.iter().flatten().collect()),
    ] {
        for code in codes.into_iter().filter(|code| !code.is_code()) {
            wrong(name, format!("\"{code}\" is no language; write a code such as \"en\""));
        }
    }
}

fn check_vocabulary(agent: &Agent, wrong: &mut dyn FnMut(&str, String)) {
    for (place, word) in agent.vocabulary.iter().enumerate() {
        let key = format!("vocabulary[{place}]");
        if word.trim().is_empty() {
            wrong(&key, "is empty: write a word, or take it off the list".to_owned());
        } else if word.trim().chars().any(char::is_control) {
            wrong(&key, "has a line break or another control character: take it out".to_owned());
        }
    }
}

/// Checks that there is an agent of the name that `key` holds.
fn is_agent(config: &Config, name: &str, key: &str, problems: &mut ConfigErrors) {
    let names: Vec<&str> = config.agents.iter().map(|agent| agent.name.as_str()).collect();
    if !names.contains(&name) {
        let problem = format!("there is no agent \"{name}\"; agents are: {}", names.join(", "));
        problems.add_unknown_agent(config.error(key, problem), name);
    }
}

fn check_numbers(config: &Config, problems: &mut ConfigErrors) {
    let mut ids = HashSet::new();
    for (index, number) in config.numbers.iter().enumerate() {
        if !number.phone_number_id.0.is_empty() && !ids.insert(&number.phone_number_id) {
            let key = format!("numbers[{index}].phone_number_id");
            problems.add(config.error(&key, "is configured twice"));
        }
        check_number(config, index, problems);
    }
}

/// Checks one number by itself.
pub(super) fn check_number(config: &Config, index: usize, problems: &mut ConfigErrors) {
    let number = &config.numbers[index];
    let key = |name| format!("numbers[{index}].{name}");
    if let Some(name) = &number.agent {
        is_agent(config, name, &key("agent"), problems);
    }
    let mut wrong =
        |name, problem: &str| problems.add(config.error(&key(name), problem.to_owned()));
    if number.phone_number_id.0.is_empty() {
        wrong("phone_number_id", MISSING);
    }
    if let Some(problem) = number.pace_problem() {
        wrong("messages_per_second", &problem);
    }
    if number.template.as_ref().is_some_and(|template| template.name.trim().is_empty()) {
        wrong("template.name", MISSING);
    }
    let mut secrets = vec![("access_token", &number.access_token)];
    if number.provider == ProviderKind::D360 {
        check_360dialog(number, &mut wrong);
    } else {
        secrets.insert(0, ("app_secret", &number.app_secret));
    }
    for (name, secret) in secrets {
        let secret = secret.as_ref().map(ExposeSecret::expose_secret).unwrap_or_default();
        if secret.trim().is_empty() {
            wrong(name, &format!("{MISSING}; set {name} or {name}_file"));
        } else if let Some(problem) = odd_secret(secret) {
            wrong(name, problem);
        }
    }
    if let Some(problem) = number.api_url.as_ref().and_then(odd_address) {
        wrong("api_url", &problem);
    }
}

/// Checks how webhooks of a number at 360dialog prove that they are 360dialog's.
fn check_360dialog(number: &Number, wrong: &mut dyn FnMut(&'static str, &str)) {
    let secrets = [
        ("webhook_secret", &number.webhook_secret),
        ("signature_secret", &number.signature_secret),
    ];
    if secrets.iter().all(|(_, secret)| secret.is_none()) {
        wrong(
            "webhook_secret",
            "is missing, and so is signature_secret: without one of them anybody could write in \
             people's names. Set webhook_secret to a long random word, which 360dialog shows in a \
             header, or signature_secret to the secret of the Partner Hub",
        );
    }
    for (name, secret) in secrets {
        let Some(secret) = secret.as_ref().map(ExposeSecret::expose_secret) else { continue };
        if secret.trim().is_empty() {
            wrong(name, "is empty: write the secret, or leave it out");
        } else if let Some(problem) = odd_secret(secret) {
            wrong(name, problem);
        }
    }
    if HeaderName::from_bytes(number.webhook_header().as_bytes()).is_err() {
        wrong("webhook_header", "is no name of an HTTP header; for instance: Authorization");
    }
}
