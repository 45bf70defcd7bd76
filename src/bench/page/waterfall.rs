//! Draws when each stage of one turn was at work.

use maud::{Markup, html};

use super::plot::{self, Scale, is_drawable, per_cent};
use crate::bench::{BenchReport, BenchTurn};
use crate::turn::{Stage, TurnReport};

/// Height of a lane in pixels.
const HEIGHT: u32 = 20;

/// Parts of a drawing's width that are told apart: it keeps a lane of thousands of intervals small.
const RESOLUTION: f64 = 400.0;

/// From and until, milliseconds.
type Interval = (f64, f64);

/// Holds one row.
struct StageRow {
    name: &'static str,
    at_work: Vec<Interval>,
}

/// Draws the median and the worst of the answered turns whose record was at hand.
pub(super) fn waterfalls(report: &BenchReport) -> Markup {
    let recorded = |turn: &&BenchTurn| turn.error.is_none() && took(turn).is_some();
    let mut turns: Vec<&BenchTurn> = report.turns.iter().filter(recorded).collect();
    turns.sort_by(|a, b| took(a).partial_cmp(&took(b)).unwrap_or(std::cmp::Ordering::Equal));
    let Some(worst) = turns.last().filter(|_| turns.len() > 1) else {
        return html! { @for turn in &turns { (section("The turn", report, turn)) } };
    };
    let median = turns[(turns.len() - 1) / 2];
    html! {
        (section("The median turn", report, median))
        (section("The worst turn", report, worst))
    }
}

fn section(title: &str, report: &BenchReport, turn: &BenchTurn) -> Markup {
    html! { section.whole-turn { h2 { (title) } (waterfall(report, turn)) } }
}

/// Returns how long the turn took, for its place among the others.
fn took(turn: &BenchTurn) -> Option<f64> {
    let total = turn.report.as_ref()?.total_ms;
    Some(turn.answer_ms.unwrap_or(total)).filter(|ms| is_drawable(*ms))
}

fn waterfall(report: &BenchReport, turn: &BenchTurn) -> Markup {
    let lanes = lanes(turn);
    let ends = lanes.iter().flat_map(|lane| &lane.at_work).map(|(_, until)| *until);
    let scale = Scale::from_zero(ends);
    let workload = report.steps.get(turn.step).map(|step| step.workload.describe());
    html! {
        p.about {
            b { (super::shortened(&turn.fixture)) }
            @if let Some(workload) = workload { ", " (workload) }
            @if let Some(ms) = turn.answer_ms { ", answered after " b { (plot::time(ms)) } }
        }
        table.waterfall {
            caption { "For how long each stage was at work, and when." }
            thead { tr {
                th scope="col" { "stage" }
                th scope="col" { "ms" }
                th scope="col" { "when, ms after the webhook" }
            } }
            tbody {
                @for lane in &lanes { (row(lane, scale)) }
            }
            tfoot { tr aria-hidden="true" {
                td {} td {}
                td { svg width="100%" height="20" { (plot::marks_below(scale, 5, 0)) } }
            } }
        }
        p.legend {
            span.key.engine {} "engines "
            span.key.provider {} "provider "
            span.key.own {} "hark itself: " b { "overhead" } " is where nobody else was at work"
        }
    }
}

fn row(lane: &StageRow, scale: Scale) -> Markup {
    let sum: f64 = merged(&lane.at_work, 0.0).iter().map(|(from, until)| until - from).sum();
    let count = lane.at_work.len();
    let shown: Vec<Interval> = lane
        .at_work
        .iter()
        .map(|(from, until)| (scale.place(*from), scale.place(*until)))
        .collect();
    let bars = merged(&shown, 100.0 / RESOLUTION).into_iter();
    let bars: Vec<String> = bars
        .map(|(from, until)| format!("M{from:.2} 0V1H{:.2}V0Z", until.max(from + 0.01)))
        .collect();
    let times = if count == 1 { "once".to_owned() } else { format!("{count} times") };
    html! {
        tr {
            th scope="row" { (lane.name) }
            td.number { (plot::bare(sum)) }
            td {
                svg width="100%" height=(HEIGHT) role="img" {
                    title { (lane.name) " was at work " (times) ", " (plot::time(sum)) }
                    @for tick in scale.ticks(5) {
                        @let x = per_cent(scale.place(tick));
                        line.grid x1=(x) x2=(x) y1="0" y2="100%" {}
                    }
                    @let height = HEIGHT - 8;
                    svg y="4" width="100%" height=(height) viewBox="0 0 100 1" preserveAspectRatio="none" {
                        path.bar.(super::whose(lane.name)) d=(bars.concat()) {}
                    }
                }
            }
        }
    }
}

/// Returns the rows in the order of the path, with time from the webhook on.
fn lanes(turn: &BenchTurn) -> Vec<StageRow> {
    let queued = turn.queue_ms.filter(|ms| is_drawable(*ms) && *ms >= 0.0).unwrap_or(0.0);
    let mut lanes = vec![StageRow { name: "queue", at_work: vec![(0.0, queued)] }];
    let Some(report) = &turn.report else { return lanes };
    for (stage, _) in report.stage_times() {
        let at_work = intervals(report, queued, |name| name == stage);
        lanes.push(StageRow { name: stage.name(), at_work });
    }
    let total = if is_drawable(report.total_ms) { report.total_ms } else { 0.0 };
    let external = merged(&intervals(report, queued, Stage::is_external), 0.0);
    let at_work = between(&external, (queued, queued + total));
    lanes.push(StageRow { name: "overhead", at_work });
    lanes.retain(|lane| !lane.at_work.is_empty());
    lanes
}

fn intervals(report: &TurnReport, queued: f64, wanted: impl Fn(Stage) -> bool) -> Vec<Interval> {
    let wanted = report.stages.iter().filter(|record| wanted(record.name));
    let drawable = wanted.filter(|record| {
        is_drawable(record.start_ms)
            && is_drawable(record.end_ms)
            && record.start_ms <= record.end_ms
    });
    drawable.map(|record| (queued + record.start_ms, queued + record.end_ms)).collect()
}

/// Joins intervals that overlap or have at most `gap` between them.
fn merged(intervals: &[Interval], gap: f64) -> Vec<Interval> {
    let mut sorted = intervals.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut merged: Vec<Interval> = Vec::new();
    for (from, until) in sorted {
        match merged.last_mut() {
            Some(last) if from <= last.1 + gap => last.1 = last.1.max(until),
            _ => merged.push((from, until)),
        }
    }
    merged
}

/// Returns what the merged intervals leave of a whole.
fn between(intervals: &[Interval], (mut from, until): Interval) -> Vec<Interval> {
    let mut rest = Vec::new();
    for (start, end) in intervals {
        if *start > from && from < until {
            rest.push((from, start.min(until)));
        }
        from = from.max(*end);
    }
    if from < until {
        rest.push((from, until));
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_engines_leave_of_a_turn_is_overhead() {
        let engines = merged(&[(5.0, 9.0), (1.0, 2.0), (8.0, 12.0), (12.5, 13.0)], 0.5);
        assert_eq!(engines, [(1.0, 2.0), (5.0, 13.0)]);
        assert_eq!(between(&engines, (0.0, 20.0)), [(0.0, 1.0), (2.0, 5.0), (13.0, 20.0)]);
        assert_eq!(between(&engines, (1.5, 10.0)), [(2.0, 5.0)]);
        assert_eq!(between(&[], (0.0, 3.0)), [(0.0, 3.0)]);
        assert_eq!(between(&[(0.0, 9.0)], (0.0, 3.0)), []);
    }
}
