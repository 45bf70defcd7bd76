//! Writes the figures: those that matter most, every time's percentiles, and the steps.

use maud::{Markup, html};

use super::plot::{bare, time};
use crate::bench::table::rows;
use crate::bench::{BenchReport, BenchStep, Cpu, Spread, knee};

/// Writes the figures that are looked for first.
pub(super) fn key(report: &BenchReport) -> Markup {
    let spread = |name: &str| report.summary.get(name);
    let fastest = report.steps.iter().rev().max_by(|a, b| a.notes_per_s.total_cmp(&b.notes_per_s));
    let errors: usize = report.steps.iter().fold(0, |sum, step| sum.saturating_add(step.errors));
    let turns: usize = report.steps.iter().fold(0, |sum, step| sum.saturating_add(step.turns));
    html! {
        section aria-label="Key figures" {
            dl.key-figures {
                @if let Some(overhead) = spread("overhead") {
                    (figure("overhead", &time(overhead.p50), &p99(overhead)))
                }
                @if let Some(answer) = spread("answer") {
                    (figure("answer", &time(answer.p50), &format!("p95 {}", time(answer.p95))))
                }
                @if let Some(note) = spread("note") {
                    (figure("note complete after the last sample", &time(note.p50), &p99(note)))
                }
                @if let Some(step) = fastest {
                    (figure("notes a second", &bare(step.notes_per_s), &step.workload.describe()))
                }
                @if let Some(cpu) = mean_cpu(&report.steps) {
                    @let engines = format!("and {} of the engines", time(cpu.engines_ms));
                    (figure("processor time a note", &time(cpu.own_ms), &engines))
                }
                @if let Some(words) = &report.words {
                    (figure(
                        "word error rate",
                        &format!("{} %", bare(100.0 * words.wer)),
                        &format!("{} of {} words", words.errors, words.words),
                    ))
                }
                (figure("errors", &errors.to_string(), &format!("of {turns} turns")))
            }
            @if report.steps.len() > 1 {
                p.about { "Times are of the turns of all steps together." }
            }
        }
    }
}

fn p99(spread: &Spread) -> String {
    format!("p99 {}", time(spread.p99))
}

fn figure(name: &str, value: &str, more: &str) -> Markup {
    html! { div { dt { (name) } dd { b { (value) } " " span { (more) } } } }
}

/// Returns the processor time a note over all steps that know it.
fn mean_cpu(steps: &[BenchStep]) -> Option<Cpu> {
    let mut notes = 0.0;
    let mut sum = Cpu { own_ms: 0.0, engines_ms: 0.0, bench_ms: 0.0 };
    for step in steps {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52 turns")]
        let answered = step.turns.saturating_sub(step.errors) as f64;
        if let Some(cpu) = step.cpu {
            notes += answered;
            sum.own_ms += answered * cpu.own_ms;
            sum.engines_ms += answered * cpu.engines_ms;
        }
    }
    let (own_ms, engines_ms) = (sum.own_ms / notes, sum.engines_ms / notes);
    let mean = Cpu { own_ms, engines_ms, ..sum };
    (notes > 0.0).then_some(mean)
}

/// Writes the percentiles of every time, in the order of the path.
pub(super) fn percentiles(report: &BenchReport) -> Markup {
    html! {
        @if !report.summary.is_empty() {
            section {
                h2 { "Where the time goes" }
                table {
                    caption {
                        "Milliseconds of the turns that were answered. "
                        b { "overhead" } " is when, of " b { "total" }
                        ", no engine and no provider was at work; "
                        b { "note" } " is from the voice's last sample to the complete voice note; "
                        b { "answer" } " is what the person waits."
                    }
                    thead { tr {
                        th scope="col" { "time" }
                        @for name in ["p50", "p90", "p95", "p99", "max"] {
                            th.number scope="col" { (name) }
                        }
                    } }
                    tbody {
                        @for (name, spread) in rows(&report.summary) {
                            @let Spread { p50, p90, p95, p99, max } = *spread;
                            tr {
                                th scope="row" { (super::shortened(name)) }
                                @for ms in [p50, p90, p95, p99, max] { td.number { (bare(ms)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A column of the table of steps: its head, and what a step has in it.
type Column = (&'static str, fn(&BenchStep) -> Option<String>);

const COLUMNS: [Column; 14] = [
    ("turns", |step| Some(step.turns.to_string())),
    ("errors", |step| Some(step.errors.to_string())),
    ("seconds", |step| Some(bare(step.seconds))),
    ("notes a second", |step| Some(bare(step.notes_per_s))),
    ("answer p50", |step| Some(bare(step.summary.get("answer")?.p50))),
    ("answer p99", |step| Some(bare(step.summary.get("answer")?.p99))),
    ("overhead p50", |step| Some(bare(step.summary.get("overhead")?.p50))),
    ("overhead p99", |step| Some(bare(step.summary.get("overhead")?.p99))),
    ("own CPU", |step| Some(bare(step.cpu?.own_ms))),
    ("engines' CPU", |step| Some(bare(step.cpu?.engines_ms))),
    ("RTF stt", |step| Some(format!("{:.3}", step.stt_rtf?.min(1e6)))),
    ("RTF tts", |step| Some(format!("{:.3}", step.tts_rtf?.min(1e6)))),
    ("slowest contact", |step| Some(format!("{} ×", bare(step.slowest_contact?)))),
    ("peak MiB", |step| Some(bare(step.memory.as_ref()?.peak_mib))),
];

/// Writes a row for each step, without the columns of which no step knows anything.
pub(super) fn steps(report: &BenchReport) -> Markup {
    let knee = knee(&report.steps);
    let known = |column: &&Column| report.steps.iter().any(|step| column.1(step).is_some());
    let columns: Vec<&Column> = COLUMNS.iter().filter(known).collect();
    html! {
        @if !report.steps.is_empty() {
            section {
                h2 { "Steps" }
                div.wide role="region" aria-label="Steps" tabindex="0" {
                    table {
                        thead { tr {
                            th scope="col" { "load" }
                            @for (name, _) in &columns { th.number scope="col" { (name) } }
                        } }
                        tbody {
                            @for (place, step) in report.steps.iter().enumerate() {
                                tr.knee[knee == Some(place)] {
                                    th scope="row" {
                                        (step.workload.describe())
                                        @if knee == Some(place) { " (knee)" }
                                    }
                                    @for (_, value) in &columns {
                                        td.number { (value(step).as_deref().unwrap_or("–")) }
                                    }
                                }
                            }
                        }
                    }
                }
                p.about {
                    "Times are milliseconds; CPU is that of a note. RTF is the time of an engine for \
                     a second of sound. The slowest contact's mean wait is in medians of all answers."
                }
            }
        }
    }
}
