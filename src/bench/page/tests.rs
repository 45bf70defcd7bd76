//! A page whatever was measured: of hostile words, of nothing, of ten thousand turns.

use super::*;
use crate::bench::{BenchStep, MemoryUse, Spread, Workload, sample};
use crate::turn::{Stage, StageRecord};

const BREAKING: &str = "<script>alert(1)</script>\"' onload=x &<!--";

/// Checks what holds for every page.
#[track_caller]
fn check(report: &BenchReport) -> String {
    let page = page(report);
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>"));
    let words = ["<script", "http://", "https://", "url(", "@import", "NaN", "inf%", "=\"inf"];
    let found: Vec<_> = words.into_iter().filter(|word| page.contains(word)).collect();
    assert!(found.is_empty(), "{found:?}");
    assert!(page.len() < 300_000, "{} bytes", page.len());
    page
}

#[test]
fn a_page_has_every_part_in_order() {
    let mut report = sample::report(&[1, 2, 4, 8], 50, 1);
    report.machine_state.warnings = vec!["other programs were busy".to_owned()];
    report.turns[0].error = Some("no answer within 30 s".to_owned());
    let page = check(&report);
    let mut rest = page.as_str();
    for part in [
        "200 voice notes in 4 steps, from 1 contact to 8 contacts.",
        "hark bench</dd>",
        "Some CPU, 2 cores",
        "other programs were busy",
        "<dt>overhead</dt>",
        "Where the time goes",
        "<th scope=\"row\">webhook</th>",
        "<th scope=\"row\">answer</th>",
        "2 contacts (knee)",
        "The knee is at 2 contacts",
        "The median turn",
        "The worst turn",
        "Histogram of stt",
        "Memory in MiB",
        "no answer within 30 s",
    ] {
        let at = rest.find(part).unwrap_or_else(|| panic!("{part} is missing, or too early"));
        rest = &rest[at..];
    }
}

#[test]
fn ten_thousand_turns_make_no_big_page() {
    let mut report = sample::report(&[1, 2, 4, 8], 2500, 1);
    for (number, turn) in report.turns.iter_mut().enumerate() {
        turn.fixture = format!("{number}.ogg");
        if number % 2 == 0 {
            turn.error = Some(format!("error {number}"));
        } else if let Some(report) = &mut turn.report {
            let frames = (0..4000).map(|frame| f64::from(frame) * 7.0);
            let record = |ms| StageRecord { name: Stage::Encode, start_ms: ms, end_ms: ms + 0.1 };
            if number > 9990 {
                report.stages.extend(frames.map(record));
            }
        }
    }
    report.problems = (0..5000).map(|number| format!("{number}: {}", "x".repeat(5000))).collect();
    let page = check(&report);
    assert!(page.contains("and 4970 more") && page.contains("and 4971 other kinds of errors"));
}

#[test]
fn words_from_outside_are_escaped() {
    let mut report = sample::report(&[1, 2, 4], 5, 1);
    let breaking = || BREAKING.to_owned();
    for text in [
        &mut report.machine,
        &mut report.commit,
        &mut report.build,
        &mut report.command,
        &mut report.began,
    ] {
        *text = breaking();
    }
    report.models = vec![breaking()];
    report.problems = vec![breaking()];
    report.machine_state.warnings = vec![breaking()];
    let spread = report.summary["stt"];
    report.summary.insert(breaking(), spread);
    for turn in &mut report.turns {
        turn.fixture = breaking();
    }
    report.turns[0].error = Some(breaking());
    let page = check(&report);
    assert!(!page.contains("alert(1)<") && !page.contains("\"' onload"));
    assert_eq!(page.matches("&lt;script&gt;alert(1)").count(), 13);
}

#[test]
fn reports_without_turns_steps_or_records_make_a_page() {
    check(&sample::empty());
    let mut report = sample::report(&[1, 2, 4], 5, 1);
    for turn in &mut report.turns {
        turn.error = Some("no answer".to_owned());
        turn.step = 99;
        turn.report = None;
        turn.answer_ms = None;
    }
    report.summary.clear();
    check(&report);
    report.steps.clear();
    check(&report);
    let one = sample::report(&[1], 1, 1);
    assert!(check(&one).contains("The turn"));
}

#[test]
fn odd_numbers_make_a_page() {
    for odd in
        [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, -1e300, 0.0, -0.0, f64::MIN_POSITIVE]
    {
        let mut report = sample::report(&[1, 2, 4], 12, 1);
        for (number, turn) in report.turns.iter_mut().enumerate() {
            (turn.due_ms, turn.answer_ms, turn.queue_ms) = (odd, Some(odd), Some(odd));
            let Some(report) = turn.report.as_mut().filter(|_| number % 3 > 0) else { continue };
            (report.total_ms, report.overhead_ms) = (odd, odd);
            for (place, record) in report.stages.iter_mut().enumerate() {
                let side = if (place + number) % 2 == 0 {
                    &mut record.start_ms
                } else {
                    &mut record.end_ms
                };
                *side = odd;
            }
        }
        let spread = Spread { p50: odd, p90: odd, p95: odd, p99: odd, max: odd };
        report.summary.values_mut().for_each(|value| *value = spread);
        let memory = MemoryUse {
            start_mib: odd,
            peak_mib: odd,
            end_mib: odd,
            curve: vec![(odd, 1.0), (1.0, odd), (1.0, 1.0)],
        };
        for step in &mut report.steps {
            let summary = step.summary.keys().map(|name| (name.clone(), spread)).collect();
            let odd_step = BenchStep {
                workload: Workload::Rate(odd),
                seconds: odd,
                notes_per_s: odd,
                stt_rtf: Some(odd),
                memory: Some(memory.clone()),
                summary,
                ..step.clone()
            };
            *step = odd_step;
        }
        report.steps[0].turns = usize::MAX;
        report.steps[0].errors = usize::MAX;
        let page = page(&report);
        for drawn in ["NaN%", "inf%", "MNaN", "NaN,", ",NaN", ",inf", "HNaN"] {
            assert!(!page.contains(drawn), "{drawn} for {odd}");
        }
    }
}
