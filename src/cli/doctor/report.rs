//! Prints what the checks have seen, in words or as JSON.

use serde::Serialize;

use crate::cli::print;
use crate::config::{ConfigError, THE_FILE};
use crate::engine::{Check, CheckLine, Finding, Level};

/// Says why a configuration does not load.
pub(super) fn unreadable(error: &ConfigError) -> Finding {
    let (key, fix) = if error.key == THE_FILE {
        let there = std::path::Path::new(&error.origin).exists();
        let fix = if there { "correct" } else { "make the file, or correct --config:" };
        (error.origin.clone(), format!("{fix} {}", error.origin))
    } else {
        let how = if error.is_missing() { "set" } else { "correct" };
        (error.key.clone(), format!("{how} {} in {}", error.key, error.origin))
    };
    let message = format!("the configuration cannot be used: {}", error.problem);
    Finding { level: Level::Error, key, message, fix }
}

#[derive(Serialize)]
struct Findings<'a> {
    findings: Vec<&'a Finding>,
}

/// Prints all findings as one JSON object; returns how many there are.
fn json<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> anyhow::Result<usize> {
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
                CheckLine::Well(what) => say("ok", check.name, what)?,
                CheckLine::Skipped(why) => say("skipped", check.name, why)?,
                CheckLine::Found(finding) => {
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
        (0, 0) => "no problems found".to_owned(),
        (errors, warnings) => format!("errors: {errors}, warnings: {warnings}"),
    })?;
    Ok(errors + warnings)
}

/// Prints one finding in words.
fn found(check: &str, finding: &Finding) -> anyhow::Result<()> {
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
