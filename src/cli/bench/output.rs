//! Where the figures go: the table, the JSON, the page, and the verdict.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;

use super::super::print;
use super::arguments::Output;
use crate::bench::{BenchReport, Comparison, page, table};

/// Reads the earlier bench before anything is measured: a wrong file is known at once.
pub(super) fn old(output: &Output) -> anyhow::Result<Option<BenchReport>> {
    let read = |path: &Path| {
        let named = || format!("{} (--compare)", path.display());
        let text = std::fs::read_to_string(path).with_context(named)?;
        BenchReport::from_json(&text).with_context(named)
    };
    output.compare.as_deref().map(read).transpose()
}

/// Prints and writes what was measured. A failure is 1: a turn without a voice note, a problem, or what
/// is worse than it was.
pub(super) fn give(
    report: &BenchReport,
    output: &Output,
    old: Option<BenchReport>,
) -> anyhow::Result<ExitCode> {
    print::line(&table(report))?;
    if let Some(path) = &output.json {
        write(path, &serde_json::to_string(report)?)?;
    }
    if let Some(path) = &output.report {
        write(path, &page(report))?;
    }
    let no_note = report.turns.iter().any(|turn| turn.error.is_some());
    let mut failed = no_note || !report.problems.is_empty();
    if let Some(old) = old {
        let compared = Comparison::of(&old, report)?;
        print::line(&format!("\n{compared}"))?;
        failed |= compared.is_worse();
    }
    Ok(ExitCode::from(u8::from(failed)))
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}
