//! Shows a bench as one page of HTML: `hark bench --report`.
//!
//! It loads nothing and runs nothing: style and drawings are part of it, and its policy forbids the
//! rest. Its size does not grow with the turns. Words from outside (fixtures, errors, what was typed)
//! are escaped by `maud`.

mod figures;
mod histogram;
mod load;
mod plot;
#[cfg(test)]
mod tests;
mod waterfall;

use std::collections::HashMap;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::BenchReport;

/// Forbids scripts and everything from elsewhere.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// Problems, warnings and kinds of errors that are listed; then only their number is said.
const LISTED: usize = 30;

/// Characters of a text from outside that are shown.
const SHOWN: usize = 400;

/// Writes the page.
#[must_use]
pub fn page(report: &BenchReport) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { "hark bench, " (shortened(&report.began)) }
                style { (PreEscaped(include_str!("style.css"))) }
            }
            body {
                header {
                    h1 { "hark bench" }
                    p { (what_was_run(report)) }
                    (about(report))
                    (remarks("The machine was not quiet", &report.machine_state.warnings))
                    (remarks("Problems", &report.problems))
                }
                main {
                    (figures::key(report))
                    (figures::percentiles(report))
                    (figures::steps(report))
                    (load::load(report))
                    (waterfall::waterfalls(report))
                    (histogram::histograms(report))
                    (load::memory(report))
                    (errors(report))
                }
            }
        }
    };
    page.into_string()
}

/// Says the bench in a sentence.
fn what_was_run(report: &BenchReport) -> String {
    let turns = match report.turns.len() {
        0 => "No voice note was sent".to_owned(),
        1 => "One voice note".to_owned(),
        turns => format!("{turns} voice notes"),
    };
    match report.steps.as_slice() {
        [] => format!("{turns}."),
        [step] => format!("{turns}, {}.", step.workload.describe()),
        [first, .., last] => format!(
            "{turns} in {} steps, from {} to {}.",
            report.steps.len(),
            first.workload.describe(),
            last.workload.describe()
        ),
    }
}

fn remarks(title: &str, remarks: &[String]) -> Markup {
    html! {
        @if !remarks.is_empty() {
            aside.remarks {
                b { (title) }
                ul { @for remark in remarks.iter().take(LISTED) { li { (shortened(remark)) } } }
                @if remarks.len() > LISTED { p { "and " (remarks.len() - LISTED) " more" } }
            }
        }
    }
}

/// Says what one has to know to measure it again.
fn about(report: &BenchReport) -> Markup {
    let state = &report.machine_state;
    let facts = [
        ("command", Some(report.command.clone())),
        ("when", Some(report.began.clone())),
        ("machine", Some(format!("{}, {} cores", report.machine, report.cores))),
        ("load before", state.load.map(|load| format!("{} processes", plot::bare(load)))),
        ("time stolen", state.steal_percent.map(|steal| format!("{} %", plot::bare(steal)))),
        (
            "slowest core",
            state.mhz.map(|[before, after]| {
                format!("{} MHz before, {} MHz after", plot::bare(before), plot::bare(after))
            }),
        ),
        ("hark", Some(report.commit.clone())),
        ("build", Some(report.build.clone())),
        ("engines", Some(report.models.join(", "))),
    ];
    html! {
        dl.facts {
            @for (name, fact) in facts {
                @if let Some(fact) = fact { div { dt { (name) } dd { (shortened(&fact)) } } }
            }
        }
    }
}

/// Counts the errors by what they say.
fn errors(report: &BenchReport) -> Markup {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for error in report.turns.iter().filter_map(|turn| turn.error.as_deref()) {
        *counts.entry(error).or_default() += 1;
    }
    let mut kinds: Vec<(&str, usize)> = counts.into_iter().collect();
    kinds.sort_by_key(|(error, count)| (std::cmp::Reverse(*count), *error));
    html! {
        @if !kinds.is_empty() {
            section {
                h2 { "Errors" }
                table.loose {
                    caption { "Turns that no voice note answered, by what was wrong." }
                    thead { tr { th scope="col" { "error" } th.number scope="col" { "turns" } } }
                    tbody {
                        @for (error, count) in kinds.iter().take(LISTED) {
                            tr { th scope="row" { (shortened(error)) } td.number { (count) } }
                        }
                    }
                }
                @if kinds.len() > LISTED {
                    p.about { "and " (kinds.len() - LISTED) " other kinds of errors" }
                }
            }
        }
    }
}

/// Names the colour of a time: whose it is.
fn whose(name: &str) -> &'static str {
    match name {
        "stt" | "llm" | "tts" => "engine",
        "download" | "tools" | "upload" | "send" => "provider",
        "total" | "answer" => "all",
        _ => "own",
    }
}

/// Cuts a text from outside that is too long for a page.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
