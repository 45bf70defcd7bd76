//! Results on stdout: JSON lines, or words for people.

use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;

use crate::audio::OggOpus;
use crate::remote::words::plain;
use crate::turn::{ToolUse, TurnReport};

/// Prints one line. A reader that left early, as `head` does, is not a failure.
pub(super) fn line(text: &str) -> anyhow::Result<()> {
    is_read(text).map(|_read| ())
}

/// Prints one line; returns whether its reader is still there.
pub(super) fn is_read(text: &str) -> anyhow::Result<bool> {
    to_stdout(format!("{text}\n").as_bytes())
}

/// Prints these bytes as [`line`] does.
pub(super) fn bytes(bytes: &[u8]) -> anyhow::Result<()> {
    to_stdout(bytes).map(|_read| ())
}

fn to_stdout(bytes: &[u8]) -> anyhow::Result<bool> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        result => result.context("writing to stdout").map(|()| true),
    }
}

/// Prints one JSON object on one line.
pub(super) fn json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    line(&serde_json::to_string(value)?)
}

/// Writes a note to a file, or to stdout for `-`.
pub(super) fn write_note(path: &Path, note: &OggOpus) -> anyhow::Result<()> {
    if path == Path::new("-") {
        return bytes(&note.0);
    }
    std::fs::write(path, &note.0).with_context(|| format!("writing {}", path.display()))
}

/// Says a turn in a few lines.
pub(super) fn turn(title: &str, heard: Option<&str>, report: &TurnReport) -> anyhow::Result<()> {
    line(&turn_words(title, heard, report))
}

/// Writes a turn in a few lines, without the last line's end.
pub(super) fn turn_words(title: &str, heard: Option<&str>, report: &TurnReport) -> String {
    let mut lines = vec![title.to_owned()];
    lines.extend(heard.map(|heard| format!("  heard     {}", plain(heard))));
    lines.push(format!("  answered  {}", plain(report.reply.text.reveal())));
    if !report.sources.is_empty() {
        let sources: Vec<String> = report.sources.iter().map(ToString::to_string).collect();
        lines.push(format!("  from      {}", plain(&sources.join("; "))));
    }
    for extra in &report.reply.extras {
        let shown = serde_json::to_string(extra).unwrap_or_else(|_odd| extra.kind().to_owned());
        lines.push(format!("  gave      {}", plain(&shown)));
    }
    if let Some(reason) = &report.reply.open_ticket {
        lines.push(format!("  ticket    {}", plain(reason.reveal())));
    }
    for ToolUse { name, arguments, result, outcome, ms, .. } in &report.tools {
        lines.push(format!(
            "  tool      {} {} -> {}, {ms:.1} ms: {}",
            plain(name),
            plain(arguments.reveal()),
            outcome.name(),
            plain(result.reveal())
        ));
    }
    if let Some(note) = &report.audio {
        let path = note.path.as_deref().map(|path| format!("  {path}")).unwrap_or_default();
        lines.push(format!(
            "  note      {} bytes, {:.2} s, {} kbit/s{path}",
            note.bytes,
            note.duration_ms / 1000.0,
            note.bitrate / 1000
        ));
    }
    let waited = report.burst_ms.map(|ms| format!(", waited for more {ms:.1} ms"));
    lines.push(format!(
        "  stages    {}  total {:.1} ms, overhead {:.1} ms{}",
        stages(report),
        report.total_ms,
        report.overhead_ms,
        waited.unwrap_or_default()
    ));
    let reason =
        report.reason.as_ref().map(|r| format!(" ({})", plain(&r.to_string()))).unwrap_or_default();
    lines.push(format!("  outcome   {}{reason}", report.outcome.name()));
    lines.join("\n")
}

/// Says how long each stage was at work.
fn stages(report: &TurnReport) -> String {
    let times = report.stage_times().into_iter();
    times.map(|(stage, ms)| format!("{} {ms:.1}", stage.name())).collect::<Vec<_>>().join(", ")
}
