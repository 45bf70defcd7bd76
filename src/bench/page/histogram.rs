//! Draws how the times of each stage are spread.

use maud::{Markup, html};

use super::plot::{self, Scale, is_drawable, per_cent};
use crate::bench::table::ORDER;
use crate::bench::{BenchReport, BenchTurn, Spread};

/// Height of a drawing in pixels.
const HEIGHT: u32 = 72;

/// Draws one histogram for each time of the answered turns.
pub(super) fn histograms(report: &BenchReport) -> Markup {
    let answered = report.turns.iter().filter(|turn| turn.error.is_none());
    let times: Vec<(&str, f64)> = answered.flat_map(BenchTurn::times).collect();
    let of = |wanted: &str| -> Vec<f64> {
        let wanted = times.iter().filter(|(name, ms)| *name == wanted && is_drawable(*ms));
        wanted.map(|(_, ms)| *ms).collect()
    };
    let names = ORDER.into_iter().chain(["answer"]);
    let all: Vec<(&str, Vec<f64>)> =
        names.map(|name| (name, of(name))).filter(|(_, values)| !values.is_empty()).collect();
    html! {
        @if !all.is_empty() {
            section {
                h2 { "How times are spread" }
                p.about {
                    "Turns by milliseconds; lines mark the median and, dashed, the 99th percentile. \
                     Some scales are logarithmic."
                }
                div.small-plots { @for (name, values) in &all { (histogram(name, values)) } }
            }
        }
    }
}

fn histogram(name: &str, values: &[f64]) -> Markup {
    let scale = Scale::around(values);
    let counts = counts(scale, values);
    let most = counts.iter().copied().max().unwrap_or(1).max(1);
    #[expect(clippy::cast_precision_loss, reason = "places and counts of turns")]
    let bars: Vec<String> = counts
        .iter()
        .enumerate()
        .filter(|(_, count)| **count > 0)
        .map(|(place, count)| {
            let height = 100.0 * *count as f64 / most as f64;
            format!("M{place} 100v-{height:.1}h1v{height:.1}z")
        })
        .collect();
    let spread = Spread::of(values.to_vec());
    html! {
        figure {
            figcaption {
                b { (name) }
                @if let Some(Spread { p50, p99, .. }) = spread {
                    " " (plot::time(p50)) ", p99 " (plot::time(p99))
                }
                @if scale.is_log() { " (log)" }
            }
            svg.plot width="100%" height=(HEIGHT + 22) role="img" {
                title { "Histogram of " (name) ": " (values.len()) " turns" }
                (plot::marks_below(scale, 5, HEIGHT))
                @let area = format!("0 0 {} 100", counts.len());
                svg width="100%" height=(HEIGHT) viewBox=(area) preserveAspectRatio="none" {
                    path.bar.(super::whose(name)) d=(bars.concat()) {}
                }
                line.base x1="0" x2="100%" y1=(HEIGHT) y2=(HEIGHT) {}
                @if let Some(spread) = spread {
                    @for (class, value) in [("p50", spread.p50), ("p99", spread.p99)] {
                        @let x = per_cent(scale.place(value));
                        line.(class) x1=(x) x2=(x) y1="0" y2=(HEIGHT) {}
                    }
                }
            }
        }
    }
}

/// Counts the values in bins of one width on the drawing: the more values, the more bins.
fn counts(scale: Scale, values: &[f64]) -> Vec<usize> {
    let mut counts = vec![0; (2 * values.len().isqrt()).clamp(8, 40)];
    for value in values {
        #[expect(clippy::cast_precision_loss, reason = "at most 40")]
        let place = scale.place(*value) / 100.0 * counts.len() as f64;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a place is 0 to 100 %"
        )]
        let bin = (place as usize).min(counts.len() - 1);
        counts[bin] += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_in_a_bin() {
        for values in [vec![1.0], vec![0.0, 0.0], vec![0.0, 1.0, 5000.0], vec![2.0; 1000]] {
            let counts = counts(Scale::around(&values), &values);
            assert_eq!(counts.iter().sum::<usize>(), values.len(), "{values:?}");
        }
    }
}
