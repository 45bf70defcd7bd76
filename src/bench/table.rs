//! Writes a bench as a table for a terminal.

use super::{BenchReport, BenchStep, Spread, Summary, Workload, knee};

/// Times of a turn in the order in which they are read.
pub(super) const ORDER: [&str; 16] = [
    "webhook",
    "queue",
    "download",
    "decode",
    "vad",
    "stt",
    "knowledge",
    "llm",
    "tools",
    "tts",
    "encode",
    "upload",
    "send",
    "note",
    "overhead",
    "total",
];

/// Writes what was measured: a table of times for each step, and what else there is to know.
#[must_use]
pub fn table(report: &BenchReport) -> String {
    let mut lines = vec![format!(
        "{}, {} cores; hark {}, {}",
        report.machine, report.cores, report.commit, report.build
    )];
    lines.push(format!("engines: {}", report.models.join(", ")));
    lines.extend(report.machine_state.warnings.iter().map(|warning| format!("warning: {warning}")));
    for step in &report.steps {
        lines.push(String::new());
        lines.extend(step_lines(step));
    }
    if report.steps.len() > 2 {
        lines.push(String::new());
        lines.push(match knee(&report.steps) {
            Some(knee) => format!("the knee is at {}", report.steps[knee].workload.describe()),
            None => "the knee was not reached".to_owned(),
        });
    }
    if let Some(words) = &report.words {
        let (errors, of) = (words.errors, words.words);
        lines.push(String::new());
        lines.push(format!("word error rate {:.2} % ({errors} of {of})", 100.0 * words.wer));
    }
    lines.extend(report.problems.iter().map(|problem| format!("problem: {problem}")));
    lines.join("\n")
}

fn step_lines(step: &BenchStep) -> Vec<String> {
    let mut lines = vec![format!(
        "{}: {} turns, {} errors, {:.1} s, {:.2} notes a second",
        step.workload.describe(),
        step.turns,
        step.errors,
        step.seconds,
        step.notes_per_s
    )];
    lines.push(format!(
        "{:10}{:>10}{:>10}{:>10}{:>10}{:>10}",
        "ms", "p50", "p90", "p95", "p99", "max"
    ));
    lines.extend(rows(&step.summary).map(|(name, spread)| {
        let Spread { p50, p90, p95, p99, max } = spread;
        format!("{name:10}{p50:10.2}{p90:10.2}{p95:10.2}{p99:10.2}{max:10.2}")
    }));
    if let Some(cpu) = &step.cpu {
        let (own, engines) = (cpu.own_ms, cpu.engines_ms);
        lines.push(format!(
            "processor: {own:.1} ms a note of our own, {engines:.1} ms of the engines; \
             {:.1} ms of the bench",
            cpu.bench_ms
        ));
    }
    let rtf = |name, factor: Option<f64>| factor.map(|factor| format!("{name} {factor:.3}"));
    let factors: Vec<String> =
        [rtf("stt", step.stt_rtf), rtf("tts", step.tts_rtf)].into_iter().flatten().collect();
    if !factors.is_empty() {
        lines.push(format!("real-time factor: {}", factors.join(", ")));
    }
    if let Some(memory) = &step.memory {
        lines.push(format!(
            "memory: {:.1} MiB at the start, {:.1} at the end, {:.1} at most",
            memory.start_mib, memory.end_mib, memory.peak_mib
        ));
    }
    if let Some(slowest) = step.slowest_contact {
        lines.push(format!("the contact who waited longest: {slowest:.2} x the median"));
    }
    lines
}

/// Returns the rows of a summary in the order in which they are read; `answer` comes last, and after
/// it what this hark does not know.
pub(super) fn rows(summary: &Summary) -> impl Iterator<Item = (&str, &Spread)> {
    let known = ORDER.iter().filter_map(|name| Some((*name, summary.get(*name)?)));
    let others = summary.iter().map(|(name, spread)| (name.as_str(), spread));
    known.chain(others.filter(|(name, _)| !ORDER.contains(name)))
}

impl Workload {
    /// Says it in words.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Concurrency(1) => "1 contact".to_owned(),
            Self::Concurrency(contacts) => format!("{contacts} contacts"),
            Self::Rate(rate) => format!("{rate} notes a second"),
        }
    }
}
