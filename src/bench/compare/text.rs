//! Writes a comparison as a table for a terminal.

use std::fmt;

use super::{ComparedTime, ComparedWords, Comparison, Judgement};
use crate::bench::BenchReport;

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "against the run of {}: ", self.old)?;
        if self.unlike.is_empty() {
            writeln!(f, "same machine, build and models")?;
        } else {
            writeln!(f, "not like with like, {}", self.unlike.join(", "))?;
        }
        for warning in &self.warnings {
            writeln!(f, "warning: {warning}")?;
        }
        writeln!(
            f,
            "{:<10}{:>11}{:>11}{:>12}{:>24}  verdict",
            "ms", "old p50", "new p50", "difference", "interval"
        )?;
        for time in &self.times {
            writeln!(f, "{time}")?;
        }
        if let Some(words) = &self.words {
            writeln!(f, "{words}")?;
        }
        let ([before, after], turns) = (self.errors, self.turns);
        let verdict = if after > before { "more" } else { "not more" };
        writeln!(
            f,
            "errors: {before}, now {after}, of {turns} turns that both runs have: {verdict}"
        )?;
        write!(
            f,
            "The intervals hold with 99 % all together: blocks of paired turns, bootstrapped.\n\
             Slower: the whole interval is above 0.1 ms and 1 % of the old median."
        )
    }
}

impl fmt::Display for ComparedTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let figures = [self.old_p50, self.new_p50, self.difference];
        row(f, &self.name, figures, self.interval)?;
        match self.verdict {
            Judgement::Worse => f.write_str("slower"),
            Judgement::Better => f.write_str("faster"),
            Judgement::Same => f.write_str("same"),
            Judgement::TooFew => write!(f, "{} turns are too few", self.pairs),
        }
    }
}

impl fmt::Display for ComparedWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [old, new, low, high] =
            [self.old.wer, self.new.wer, self.interval.0, self.interval.1].map(|rate| 100.0 * rate);
        row(f, "WER %", [old, new, new - old], (low, high))?;
        f.write_str(match self.verdict {
            Judgement::Worse => "worse",
            Judgement::Better => "better",
            Judgement::Same => "same",
            Judgement::TooFew => "too few turns",
        })
    }
}

fn row(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    [old, new, difference]: [f64; 3],
    (low, high): (f64, f64),
) -> fmt::Result {
    let interval = format!("{low:+.2} .. {high:+.2}");
    write!(f, "{name:<10}{old:>11.2}{new:>11.2}{difference:>+12.2}{interval:>24}  ")
}

/// Says what is not the same in two runs besides the code.
pub(super) fn unlike(old: &BenchReport, new: &BenchReport) -> Vec<String> {
    let machine = |run: &BenchReport| format!("{}, {} cores", run.machine, run.cores);
    let models = |run: &BenchReport| run.models.join(", ");
    let named = [
        ("machine", machine(old), machine(new)),
        ("build", old.build.clone(), new.build.clone()),
        ("models", models(old), models(new)),
    ];
    let unlike = named.into_iter().filter(|(_, old, new)| old != new);
    unlike.map(|(what, old, new)| format!("{what}: {new}, was {old}")).collect()
}

/// Says of each run why its machine was not fit for measuring.
pub(super) fn warnings(old: &BenchReport, new: &BenchReport) -> Vec<String> {
    let of = |name: &'static str, run: &BenchReport| {
        let warnings = run.machine_state.warnings.clone().into_iter();
        warnings.map(move |warning| format!("{name} run: {warning}"))
    };
    of("older", old).chain(of("newer", new)).collect()
}

/// Says what was sent, for who looks for the difference.
pub(super) fn sent(run: &BenchReport) -> String {
    let mut fixtures: Vec<&str> = run.turns.iter().map(|turn| turn.fixture.as_str()).collect();
    fixtures.sort_unstable();
    fixtures.dedup();
    let mut workloads: Vec<String> =
        run.steps.iter().map(|step| step.workload.describe()).collect();
    workloads.dedup();
    format!("{} of {}", workloads.join(", "), few(&fixtures))
}

/// Names the first of many.
fn few(names: &[&str]) -> String {
    match names {
        [] => "nothing".to_owned(),
        [some @ .., _] if some.len() >= 5 => {
            format!("{} and {} more", names[..5].join(", "), names.len() - 5)
        }
        all => all.join(", "),
    }
}
