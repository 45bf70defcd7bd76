//! Runs that differ and runs that do not, told apart.

use super::*;
use crate::bench::{Workload, sample};

/// Fewer than in use, for speed: the intervals are narrower, and find more where there is nothing.
const SOME: usize = 400;

/// Makes 100 turns of ten stages of 20 to 200 ms with a noise of 5 or, every other stage, 30 per
/// cent; the third is `slower` times as slow.
fn run(slower: f64, random: &mut fastrand::Rng) -> Vec<Vec<f64>> {
    let one = |stage: u32, random: &mut fastrand::Rng| {
        let normal = (0..12).map(|_| random.f64()).sum::<f64>() - 6.0;
        let mean = f64::from(20 * (stage + 1)) * if stage == 2 { slower } else { 1.0 };
        mean * (normal * if stage.is_multiple_of(2) { 0.05 } else { 0.3 }).exp()
    };
    (0..10).map(|stage| (0..100).map(|_| one(stage, random)).collect()).collect()
}

/// Returns the verdict on each stage of an older and a newer run.
fn verdicts(old: &[Vec<f64>], new: &[Vec<f64>]) -> Vec<Judgement> {
    let stages = old.iter().zip(new);
    let verdict = |(old, new): (&Vec<f64>, &Vec<f64>)| {
        let pairs: Vec<(f64, f64)> = old.iter().copied().zip(new.iter().copied()).collect();
        ComparedTime::of("stt", &pairs, OUTSIDE / 10.0, SOME).verdict
    };
    stages.map(verdict).collect()
}

#[test]
fn two_runs_of_one_program_are_called_equal() {
    let mut random = fastrand::Rng::with_seed(1);
    let equal = (0..100).filter(|_| {
        let [old, new] = [(); 2].map(|()| run(1.0, &mut random));
        verdicts(&old, &new).iter().all(|verdict| *verdict == Judgement::Same)
    });
    let equal = equal.count();
    assert!(equal >= 95, "{equal} of 100 pairs of runs");
}

#[test]
fn a_stage_that_is_slower_by_5_per_cent_is_found_in_a_noise_of_5_per_cent() {
    let mut random = fastrand::Rng::with_seed(2);
    let found = (0..50).filter(|_| {
        let [old, new] = [1.0, 1.05].map(|slower| run(slower, &mut random));
        verdicts(&old[2..3], &new[2..3]) == [Judgement::Worse]
    });
    let found = found.count();
    assert!(found >= 40, "{found} of 50");
}

#[test]
fn a_run_equals_itself_and_a_slower_stage_is_named() {
    let old = sample::report(&[1, 2], 60, 7);
    let same = Comparison::of(&old, &old).unwrap();
    assert!(!same.is_worse() && same.times.iter().all(|time| time.verdict == Judgement::Same));
    assert!(same.unlike.is_empty() && same.turns == 120);

    let mut new = old.clone();
    new.machine = "Other CPU".to_owned();
    new.machine_state.warnings = vec!["the machine was busy".to_owned()];
    for turn in &mut new.turns {
        turn.queue_ms = turn.queue_ms.map(|ms| ms + 0.5);
        if let Some(report) = &mut turn.report {
            report.end_at(report.total_ms + 0.05);
        }
    }
    let slower = Comparison::with(&old, &new, SOME).unwrap();
    let worse = slower.times.iter().filter(|time| time.verdict == Judgement::Worse);
    assert_eq!(worse.map(|time| time.name.as_str()).collect::<Vec<_>>(), ["queue"]);
    assert!(slower.is_worse());
    let text = slower.to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        "against the run of 2026-11-20T10:00:00Z (hark 0123456 2026-11-20): not like with like, \
         machine: Other CPU, 2 cores, was Some CPU, 2 cores"
    );
    assert_eq!(lines[1], "warning: newer run: the machine was busy");
    let queue = lines.iter().find(|line| line.starts_with("queue")).unwrap();
    assert!(queue.ends_with("+0.50          +0.50 .. +0.50  slower"), "{text}");
}

#[test]
fn one_more_error_is_worse_and_one_fewer_is_not() {
    let mut old = sample::report(&[1], 40, 3);
    old.turns.iter_mut().for_each(|turn| turn.error = None);
    let mut new = old.clone();
    new.turns[5].error = Some("no answer".to_owned());
    let comparison = Comparison::with(&old, &new, SOME).unwrap();
    assert_eq!(comparison.errors, [0, 1]);
    assert!(comparison.is_worse(), "{comparison}");
    assert!(comparison.to_string().contains("errors: 0, now 1, of 40 turns"), "{comparison}");
    assert!(!Comparison::with(&new, &old, SOME).unwrap().is_worse());
}

#[test]
fn more_words_heard_wrongly_are_worse() {
    let old = sample::report(&[1], 40, 3);
    let mut new = old.clone();
    for words in new.turns.iter_mut().filter_map(|turn| turn.words.as_mut()) {
        words.errors += 1;
    }
    let comparison = Comparison::with(&old, &new, SOME).unwrap();
    let words = comparison.words.as_ref().unwrap();
    assert_eq!(words.verdict, Judgement::Worse);
    assert!(comparison.is_worse());
    assert!(comparison.to_string().contains("+10.00 .. +10.00  worse"), "{comparison}");
    let better = Comparison::with(&new, &old, SOME).unwrap();
    assert!(!better.is_worse() && better.to_string().contains("-10.00  better"), "{better}");
}

#[test]
fn a_few_turns_prove_nothing() {
    let old = sample::report(&[1], 19, 3);
    let mut new = old.clone();
    new.turns.iter_mut().for_each(|turn| turn.queue_ms = Some(500.0));
    let comparison = Comparison::with(&old, &new, SOME).unwrap();
    assert!(!comparison.is_worse(), "{comparison}");
    assert!(comparison.to_string().contains("19 turns are too few"), "{comparison}");
}

#[test]
fn turns_are_paired_by_workload_fixture_and_occurrence() {
    let old = sample::report(&[1, 2], 40, 3);
    let mut new = sample::report(&[2, 4], 30, 4);
    let comparison = Comparison::with(&old, &new, SOME).unwrap();
    assert_eq!(comparison.turns, 30, "those of two contacts");

    new.turns.iter_mut().for_each(|turn| turn.fixture = format!("other_{}", turn.fixture));
    let nothing = Comparison::of(&old, &new).unwrap_err().to_string();
    assert_eq!(
        nothing,
        "the runs have no voice note in common that was sent the same way: 1 contact, 2 contacts of \
         en_long.ogg, en_noisy.ogg, en_question.ogg, en_short.ogg; 2 contacts, 4 contacts of \
         other_en_long.ogg, other_en_noisy.ogg, other_en_question.ogg, other_en_short.ogg"
    );
    new.steps.iter_mut().for_each(|step| step.workload = Workload::Rate(2.0));
    assert!(Comparison::of(&old, &new).unwrap_err().to_string().contains("2 notes a second of"));
    assert!(
        Comparison::of(&sample::empty(), &new).unwrap_err().to_string().contains("of nothing;")
    );
}

#[test]
fn turns_without_a_step_and_times_that_are_no_numbers_are_left_out() {
    let old = sample::report(&[1], 40, 3);
    let mut new = old.clone();
    new.turns[0].step = usize::MAX;
    new.turns[1].queue_ms = Some(f64::NAN);
    new.turns[2].queue_ms = Some(f64::INFINITY);
    new.turns[3].due_ms = f64::NAN;
    let comparison = Comparison::with(&old, &new, SOME).unwrap();
    let queue = comparison.times.iter().find(|time| time.name == "queue").unwrap();
    assert_eq!(queue.pairs, 37);
}

#[test]
fn what_is_not_the_json_of_a_bench_is_named() {
    let report = sample::report(&[1], 3, 1);
    let json = serde_json::to_string(&report).unwrap();
    let read = BenchReport::from_json(&json).unwrap();
    assert_eq!((read.steps.len(), read.turns.len(), read.words), (1, 3, report.words));
    let other = json.replace("\"schema\":1", "\"schema\":2");
    for (text, expected) in [
        ("", "no JSON: EOF while parsing a value at line 1 column 0"),
        ("<html>", "no JSON: expected value at line 1 column 1"),
        ("[1]", "not the JSON of a bench: it has no `schema`"),
        (&other, "schema 2: this hark reads 1"),
        (r#"{"schema":"one"}"#, "schema \"one\": this hark reads 1"),
        (
            r#"{"schema":1,"machine":3}"#,
            "not the JSON of a bench: machine: invalid type: integer `3`, expected a string",
        ),
        (&json[..json.len() / 2], "no JSON: EOF while parsing"),
    ] {
        let error = BenchReport::from_json(text).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}
