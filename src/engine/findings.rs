//! What a look at a part of hark finds: a line for what is well, a finding with its fix for what is
//! not. Printing them is the doctor's.
//!
//! Invariant: no secret and no phone number is in a line; a number is named by its place in the
//! configuration, or by the provider's id where it is the store's.

use std::time::Duration;

use serde::Serialize;

use super::Wrong;
use crate::turn::LanguageCode;

/// Limits the wait for a model server's first word or sound: it may have to load its model.
pub const TRIAL_LIMIT: Duration = Duration::from_secs(30);

/// Names how bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Something will not work.
    Error,
    /// It works, and not as the operator would want.
    Warning,
}

/// Describes something to mend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// The key of the configuration it is about, or the thing that has none.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub fix: String,
}

/// Holds one line of what a check has seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckLine {
    /// What was looked at and is well.
    Well(String),
    /// What was not looked at, and why.
    Skipped(String),
    /// What is to be mended.
    Found(Finding),
}

/// Describes an agent that uses the engine which is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineUser {
    /// Its name.
    pub agent: String,
    /// Its place, such as `agents[0]` of the configuration or `store: agents/desk`.
    pub place: String,
    /// Where the engine's keys are: the role's section, or the agent's own table.
    pub section: String,
    /// The words that its configuration lists for it to be heard.
    pub vocabulary: Vec<String>,
    /// The languages it is sure to meet; at least one.
    pub languages: Vec<LanguageCode>,
    /// Whether it answers real people.
    pub people: bool,
}

/// Says why a model server gave no word and no sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrialError {
    /// The HTTP status, if it answered with one that is not a success.
    pub status: Option<u16>,
    /// What happened, in words.
    pub why: String,
}

/// Holds what one check has seen, in order.
pub struct Check {
    /// Its name, as printed.
    pub name: &'static str,
    /// What it has seen.
    pub lines: Vec<CheckLine>,
}

impl Check {
    /// Starts a check that has seen nothing.
    pub fn new(name: &'static str) -> Self {
        Self { name, lines: Vec::new() }
    }

    /// Notes what was looked at and is well.
    pub fn well(&mut self, what: impl Into<String>) {
        self.lines.push(CheckLine::Well(what.into()));
    }

    /// Notes what was not looked at, and why.
    pub fn skipped(&mut self, why: impl Into<String>) {
        self.lines.push(CheckLine::Skipped(why.into()));
    }

    /// Adds something that will not work.
    pub fn error(
        &mut self,
        key: impl Into<String>,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.found(Level::Error, key.into(), message.into(), fix.into());
    }

    /// Adds something that works, and not as the operator would want.
    pub fn warning(
        &mut self,
        key: impl Into<String>,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.found(Level::Warning, key.into(), message.into(), fix.into());
    }

    /// Adds a finding.
    pub fn found(&mut self, level: Level, key: String, message: String, fix: String) {
        self.lines.push(CheckLine::Found(Finding { level, key, message, fix }));
    }

    /// Adds a key of `section` of which no engine can be made.
    pub fn wrong(&mut self, section: &str, Wrong { key, problem }: Wrong) {
        let key = format!("{section}.{key}");
        self.error(&key, problem, format!("correct {key}"));
    }

    /// Adds what a model server refused; its status decides which key of `section` is named.
    pub fn refused(&mut self, section: &str, what: &str, TrialError { status, why }: &TrialError) {
        let (level, key, fix) = match status {
            Some(401 | 403) => (
                Level::Error,
                "api_key",
                format!("set {section}.api_key, or its file, to a key that the server accepts"),
            ),
            Some(402 | 429) => (
                Level::Warning,
                "api_key",
                "look at the limits and the credit of the key's account".to_owned(),
            ),
            Some(400 | 404 | 422) => (
                Level::Error,
                "model",
                format!(
                    "set {section}.model to a model that the server has, and {section}.url to the \
                     full path, which often ends in /v1"
                ),
            ),
            Some(500..) => (
                Level::Warning,
                "url",
                "look at the server's log, and run hark doctor again".to_owned(),
            ),
            Some(_) | None => {
                (Level::Error, "url", format!("start the server, or correct {section}.url"))
            }
        };
        self.found(level, format!("{section}.{key}"), format!("{what}: {why}"), fix);
    }

    /// Returns whether something is to be mended.
    pub fn has_findings(&self) -> bool {
        self.findings().next().is_some()
    }

    /// Returns what is to be mended.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.lines.iter().filter_map(|line| match line {
            CheckLine::Found(finding) => Some(finding),
            CheckLine::Well(_) | CheckLine::Skipped(_) => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_refusal_names_its_key() {
        for (status, level, key) in [
            (Some(401), Level::Error, "llm.api_key"),
            (Some(404), Level::Error, "llm.model"),
            (Some(429), Level::Warning, "llm.api_key"),
            (Some(503), Level::Warning, "llm.url"),
            (Some(302), Level::Error, "llm.url"),
            (None, Level::Error, "llm.url"),
        ] {
            let mut check = Check::new("llm");
            check.refused(
                "llm",
                "agent a",
                &TrialError { status, why: "no (HTTP 200)".to_owned() },
            );
            let found = check.findings().next().expect("there is one");
            assert_eq!((found.level, found.key.as_str()), (level, key), "{status:?}");
        }
    }
}
