//! What the checks say: a line for what is well, a finding with its fix for what is not.
//!
//! Invariant: no secret and no phone number is in a line; a number is named by its place in the
//! configuration.

use serde::Serialize;

use crate::cli::print;
use crate::config::{ConfigError, THE_FILE};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Level {
    /// Something will not work.
    Error,
    /// It works, and not as the operator would want.
    Warning,
}

/// Something to mend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) level: Level,
    /// The key of the configuration it is about, or the thing that has none.
    pub(super) key: String,
    pub(super) message: String,
    /// What to do about it.
    pub(super) fix: String,
}

impl Finding {
    /// What a configuration that does not load says.
    pub(super) fn unreadable(error: &ConfigError) -> Self {
        let (key, fix) = if error.key == THE_FILE {
            let there = std::path::Path::new(&error.origin).exists();
            let fix = if there { "correct" } else { "make the file, or correct --config:" };
            (error.origin.clone(), format!("{fix} {}", error.origin))
        } else {
            (error.key.clone(), format!("correct {} in {}", error.key, error.origin))
        };
        let message = format!("the configuration cannot be used: {}", error.problem);
        Self { level: Level::Error, key, message, fix }
    }
}

enum Line {
    Well(String),
    Skipped(String),
    Found(Finding),
}

/// What one check has seen, in order.
pub(super) struct Check {
    name: &'static str,
    lines: Vec<Line>,
}

impl Check {
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, lines: Vec::new() }
    }

    /// Says what was looked at and is well.
    pub(super) fn well(&mut self, what: impl Into<String>) {
        self.lines.push(Line::Well(what.into()));
    }

    /// Says what was not looked at, and why.
    pub(super) fn skipped(&mut self, why: impl Into<String>) {
        self.lines.push(Line::Skipped(why.into()));
    }

    pub(super) fn error(
        &mut self,
        key: impl Into<String>,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.found(Level::Error, key, message, fix);
    }

    pub(super) fn warning(
        &mut self,
        key: impl Into<String>,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.found(Level::Warning, key, message, fix);
    }

    pub(super) fn found(
        &mut self,
        level: Level,
        key: impl Into<String>,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) {
        let (key, message, fix) = (key.into(), message.into(), fix.into());
        self.lines.push(Line::Found(Finding { level, key, message, fix }));
    }

    /// What the configuration refused when an engine was made of it.
    pub(super) fn refused(&mut self, key: &str, error: &anyhow::Error) {
        match error.downcast_ref::<ConfigError>() {
            Some(error) => {
                let fix = format!("correct {} in {}", error.key, error.origin);
                self.error(&error.key, &error.problem, fix);
            }
            None => self.error(key, format!("{error:#}"), format!("correct {key}")),
        }
    }

    pub(super) fn has_findings(&self) -> bool {
        self.findings().next().is_some()
    }

    pub(super) fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.lines.iter().filter_map(|line| match line {
            Line::Found(finding) => Some(finding),
            Line::Well(_) | Line::Skipped(_) => None,
        })
    }
}

#[derive(Serialize)]
struct Findings<'a> {
    findings: Vec<&'a Finding>,
}

/// Prints all findings as one JSON object; returns how many there are.
pub(super) fn json<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> anyhow::Result<usize> {
    let findings = Findings { findings: findings.into_iter().collect() };
    print::json(&findings)?;
    Ok(findings.findings.len())
}

/// Prints the findings of all checks; returns how many there are.
pub(super) fn print(checks: &[Check], as_json: bool) -> anyhow::Result<usize> {
    if as_json {
        return json(checks.iter().flat_map(Check::findings));
    }
    let (mut errors, mut warnings) = (0, 0);
    for check in checks {
        for line in &check.lines {
            match line {
                Line::Well(what) => say("ok", check.name, what)?,
                Line::Skipped(why) => say("skipped", check.name, why)?,
                Line::Found(finding) => {
                    found(check.name, finding)?;
                    match finding.level {
                        Level::Error => errors += 1,
                        Level::Warning => warnings += 1,
                    }
                }
            }
        }
    }
    print::line(&match (errors, warnings) {
        (0, 0) => "nothing to mend".to_owned(),
        (errors, warnings) => format!("errors: {errors}, warnings: {warnings}"),
    })?;
    Ok(errors + warnings)
}

/// Prints one finding in words.
pub(super) fn found(check: &str, finding: &Finding) -> anyhow::Result<()> {
    let level = match finding.level {
        Level::Error => "error",
        Level::Warning => "warning",
    };
    say(level, check, &format!("{}: {}", finding.key, finding.message))?;
    print::line(&format!("         fix: {}", finding.fix))
}

fn say(how: &str, check: &str, what: &str) -> anyhow::Result<()> {
    print::line(&format!("{how:<8} {check:<13} {what}"))
}
