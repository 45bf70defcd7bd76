//! Draws what more load did: throughput, waiting and memory.

use maud::{Markup, html};

use super::plot::{self, Scale, is_drawable, per_cent};
use crate::bench::{BenchReport, BenchStep, Spread, Workload, knee};

/// Height of a drawing in pixels.
const HEIGHT: u32 = 190;

/// Points of all memory curves that are drawn.
const POINTS: usize = 400;

/// Holds one line of a drawing: a value for each step.
struct StepLine {
    /// Names its colour, and how it is dashed.
    class: &'static str,
    name: &'static str,
    values: Vec<Option<f64>>,
}

impl StepLine {
    fn of(
        class: &'static str,
        name: &'static str,
        steps: &[BenchStep],
        value: impl Fn(&BenchStep) -> Option<f64>,
    ) -> Self {
        let values = steps.iter().map(|step| value(step).filter(|value| is_drawable(*value)));
        Self { class, name, values: values.collect() }
    }
}

/// Draws throughput and answer times by step, if there are several.
pub(super) fn load(report: &BenchReport) -> Markup {
    let steps = &report.steps;
    if steps.len() < 2 {
        return html! {};
    }
    let knee = knee(steps);
    let answer =
        |of: fn(&Spread) -> f64| move |step: &BenchStep| step.summary.get("answer").map(of);
    let notes = StepLine::of("p50", "notes a second", steps, |step| Some(step.notes_per_s));
    let p50 = StepLine::of("p50", "median", steps, answer(|spread| spread.p50));
    let p99 = StepLine::of("p99", "99th percentile", steps, answer(|spread| spread.p99));
    html! {
        section {
            h2 { "Under load" }
            p.about { (knee_words(steps, knee)) }
            div.plots {
                (by_step(steps, knee, "Voice notes answered a second", &[notes]))
                (by_step(steps, knee, "Milliseconds until the answer", &[p50, p99]))
            }
        }
    }
}

/// Says where the knee is.
fn knee_words(steps: &[BenchStep], knee: Option<usize>) -> String {
    match knee {
        Some(place) => format!(
            "The knee is at {}: the most answers a second for the median time of one. Beyond it, more \
             load mostly means longer waiting.",
            steps[place].workload.describe()
        ),
        None if steps.len() < 3 => "Three steps or more would show the knee.".to_owned(),
        None => "The knee was not reached: no step before the last is the best.".to_owned(),
    }
}

fn by_step(steps: &[BenchStep], knee: Option<usize>, title: &str, lines: &[StepLine]) -> Markup {
    let values: Vec<f64> =
        lines.iter().flat_map(|line| line.values.iter().flatten()).copied().collect();
    let around = Scale::around(&values);
    let scale = if around.is_log() { around } else { Scale::from_zero(values) };
    #[expect(clippy::cast_precision_loss, reason = "numbers of steps")]
    let place = |step: usize| 100.0 * (step as f64 + 0.5) / steps.len() as f64;
    html! {
        figure {
            figcaption { b { (title) } @if scale.is_log() { " (log)" } }
            svg.plot.beside width="100%" height=(HEIGHT + 22) role="img" {
                title { (title) ", by " (unit(steps)) "; the table of steps has the figures" }
                svg.whole width="100%" height=(HEIGHT) {
                    (plot::marks_beside(scale, 5))
                    @if let Some(knee) = knee {
                        @let x = per_cent(place(knee));
                        line.knee x1=(x) x2=(x) y1="0" y2="100%" {}
                        text.knee x=(x) y="-5" text-anchor="middle" { "knee" }
                    }
                    @for line in lines {
                        @let points: Vec<(f64, f64)> = (0..).zip(&line.values)
                            .filter_map(|(step, value)| Some((place(step), scale.place((*value)?))))
                            .collect();
                        (plot::polyline(line.class, &points))
                        @for (x, y) in &points {
                            @let y = per_cent(100.0 - y);
                            circle.(line.class) cx=(per_cent(*x)) cy=(y) r="3.5" {}
                        }
                    }
                    line.base x1="0" x2="100%" y1="100%" y2="100%" {}
                }
                @for (step, label) in labels(steps) {
                    text x=(per_cent(place(step))) y=(HEIGHT + 17) text-anchor="middle" { (label) }
                }
            }
            p.legend {
                (unit(steps))
                @for line in lines.iter().filter(|_| lines.len() > 1) {
                    " " span.key.(line.class) {} (line.name)
                }
            }
        }
    }
}

fn unit(steps: &[BenchStep]) -> &'static str {
    let rate = |step: &BenchStep| matches!(step.workload, Workload::Rate(_));
    match steps.iter().filter(|step| rate(step)).count() {
        0 => "contacts at a time",
        count if count == steps.len() => "notes sent a second",
        _ => "contacts at a time, or notes sent a second",
    }
}

/// Returns a label for each step or, if they are many, every so many.
fn labels(steps: &[BenchStep]) -> impl Iterator<Item = (usize, String)> {
    let labels = steps.iter().map(|step| match step.workload {
        Workload::Concurrency(contacts) => contacts.to_string(),
        Workload::Rate(rate) if is_drawable(rate) => format!("{rate}"),
        Workload::Rate(_) => String::new(),
    });
    labels.enumerate().step_by(steps.len().div_ceil(9))
}

/// Draws the memory of the service over all steps, one after the other.
pub(super) fn memory(report: &BenchReport) -> Markup {
    let mut began = 0.0;
    let mut starts = Vec::new();
    let mut curve: Vec<(f64, f64)> = Vec::new();
    for step in &report.steps {
        starts.push(began);
        let drawable =
            |(at, mib): &&(f64, f64)| is_drawable(*at) && *at >= 0.0 && is_drawable(*mib);
        let points = step.memory.iter().flat_map(|memory| &memory.curve).filter(drawable);
        curve.extend(points.map(|(at, mib)| (began + at, *mib)));
        began += if is_drawable(step.seconds) { step.seconds.max(0.0) } else { 0.0 };
    }
    let Some((first, last)) = curve.first().zip(curve.last()) else { return html! {} };
    let across = Scale::from_zero(curve.iter().map(|(at, _)| *at));
    let up = Scale::from_zero(curve.iter().map(|(_, mib)| *mib));
    let points: Vec<(f64, f64)> =
        peaks(&curve).into_iter().map(|(at, mib)| (across.place(at), up.place(mib))).collect();
    let peak = curve.iter().map(|(_, mib)| *mib).fold(0.0, f64::max);
    html! {
        section {
            h2 { "Memory" }
            p.about {
                "MiB of the service's process: " b { (plot::bare(first.1)) } " at first, "
                b { (plot::bare(last.1)) } " at last, " b { (plot::bare(peak)) } " at most."
            }
            figure {
                svg.plot.beside width="100%" height=(HEIGHT + 22) role="img" {
                    title { "Memory in MiB by seconds since the bench began" }
                    (plot::marks_below(across, 5, HEIGHT))
                    svg.whole width="100%" height=(HEIGHT) {
                        (plot::marks_beside(up, 5))
                        @for start in &starts[1..] {
                            @let x = per_cent(across.place(*start));
                            line.step x1=(x) x2=(x) y1="0" y2="100%" {}
                        }
                        (plot::polyline("p50", &points))
                        line.base x1="0" x2="100%" y1="100%" y2="100%" {}
                    }
                }
                p.legend {
                    "seconds since the first note"
                    @if starts.len() > 1 { "; a dotted line is the start of a step" }
                }
            }
        }
    }
}

/// Thins a curve: of neighbours, the one with the most memory stays.
fn peaks(curve: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let most = |some: &[(f64, f64)]| some.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1));
    curve.chunks(curve.len().div_ceil(POINTS).max(1)).filter_map(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::sample;

    #[test]
    fn a_long_curve_is_thinned_and_keeps_its_peak() {
        let mut curve: Vec<(f64, f64)> = (0..10_000).map(|at| (f64::from(at), 100.0)).collect();
        curve[7777].1 = 300.0;
        let thin = peaks(&curve);
        assert!(thin.len() <= POINTS && thin.contains(&(7777.0, 300.0)));
        assert_eq!(peaks(&[]), []);
    }

    #[test]
    fn many_steps_have_few_labels() {
        let steps: Vec<BenchStep> =
            (1..=64).map(|contacts| sample::step(contacts, 1.0, 1.0)).collect();
        let labels: Vec<String> = labels(&steps).map(|(_, label)| label).collect();
        assert_eq!(labels, ["1", "9", "17", "25", "33", "41", "49", "57"]);
    }

    #[test]
    fn a_knee_that_was_not_reached_is_said() {
        let steps = [1.0, 2.0, 4.0].map(|rate| sample::step(1, rate, 100.0));
        assert!(knee_words(&steps, knee(&steps)).starts_with("The knee was not reached"));
        assert!(knee_words(&steps[..2], None).starts_with("Three steps or more"));
        assert!(knee_words(&steps, Some(1)).starts_with("The knee is at 1 contact:"));
    }
}
