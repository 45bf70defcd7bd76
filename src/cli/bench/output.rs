//! Where the figures go: the table, the JSON, the page, and the verdict.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;

use super::super::print;
use super::arguments::Output;
use crate::bench::{BenchReport, table};

/// Reads the earlier bench before anything is measured: a wrong file is known at once.
pub(super) fn old(output: &Output) -> anyhow::Result<Option<String>> {
    let read = |path: &Path| {
        std::fs::read_to_string(path).with_context(|| format!("{} (--compare)", path.display()))
    };
    output.compare.as_deref().map(read).transpose()
}

/// Prints and writes what was measured. A failure is 1: a turn without a voice note, or a problem.
pub(super) fn give(
    report: &BenchReport,
    output: &Output,
    _old: Option<String>,
) -> anyhow::Result<ExitCode> {
    print::line(&table(report))?;
    if let Some(path) = &output.json {
        write(path, &serde_json::to_string(report)?)?;
    }
    let failed =
        !report.problems.is_empty() || report.turns.iter().any(|turn| turn.error.is_some());
    Ok(ExitCode::from(u8::from(failed)))
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}
