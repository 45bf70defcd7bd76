//! Makes reports of benches that never ran, for tests.

use super::{
    BenchReport, BenchStep, BenchTurn, Cpu, MachineState, MemoryUse, SCHEMA, Spread, WordCount,
    Workload,
};
use crate::turn::{EnginesUsed, Outcome, Personal, Spent, Stage, StageRecord, TurnReport};

/// Makes a step with so many contacts, notes a second and milliseconds to the median answer.
pub(super) fn step(contacts: usize, notes_per_s: f64, answer_ms: f64) -> BenchStep {
    let answer =
        Spread { p50: answer_ms, p90: answer_ms, p95: answer_ms, p99: answer_ms, max: answer_ms };
    BenchStep {
        workload: Workload::Concurrency(contacts),
        turns: 0,
        errors: 0,
        seconds: 0.0,
        notes_per_s,
        cpu: None,
        stt_rtf: None,
        tts_rtf: None,
        slowest_contact: None,
        memory: None,
        summary: [("answer".to_owned(), answer)].into(),
    }
}

/// Makes a report with nothing in it.
pub(super) fn empty() -> BenchReport {
    BenchReport {
        schema: SCHEMA,
        machine: "Some CPU".to_owned(),
        cores: 2,
        commit: "0123456 2026-11-20".to_owned(),
        build: "release".to_owned(),
        models: vec!["scripted".to_owned()],
        command: "hark bench".to_owned(),
        began: "2026-11-20T10:00:00Z".to_owned(),
        machine_state: MachineState::default(),
        steps: Vec::new(),
        turns: Vec::new(),
        summary: [].into(),
        words: None,
        problems: Vec::new(),
    }
}

/// Makes a report of one step per number of contacts, as two cores may give; `seed` is the run.
pub(super) fn report(contacts: &[usize], turns: usize, seed: u64) -> BenchReport {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut report = empty();
    for (place, contacts) in contacts.iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "few")]
        let [load, count] = [*contacts as f64, turns as f64];
        let (wait, rate) = ((load / 2.0).max(1.0), load.min(2.0) / 1.1);
        let mut made = Vec::new();
        for number in 0..turns {
            made.push(turn(place, number, wait, &mut random));
        }
        let summary = BenchReport::summarise(&made, None);
        let mib = |part: f64| 180.0 + 12.0 * part.sqrt();
        let curve = (0..600_u32).map(|at| f64::from(at) / 600.0);
        report.steps.push(BenchStep {
            turns,
            errors: made.iter().filter(|turn| turn.error.is_some()).count(),
            seconds: count / rate,
            cpu: Some(Cpu { own_ms: 41.3, engines_ms: 1024.8, bench_ms: 3.0 }),
            stt_rtf: Some(0.061),
            tts_rtf: Some(0.043),
            slowest_contact: Some(1.2),
            memory: Some(MemoryUse {
                start_mib: mib(0.0),
                peak_mib: mib(1.0) + 5.0,
                end_mib: mib(1.0),
                curve: curve.map(|part| (part * count / rate, mib(part))).collect(),
            }),
            summary,
            ..step(*contacts, rate, 0.0)
        });
        report.turns.extend(made);
    }
    report.summary = BenchReport::summarise(&report.turns, None);
    report.words = Some(WordCount { errors: 31, words: 1240, wer: 0.025 });
    report
}

/// Makes a turn whose engines took `wait` times as long as on an idle machine.
fn turn(step: usize, number: usize, wait: f64, random: &mut fastrand::Rng) -> BenchTurn {
    // Irwin and Hall: the sum of twelve is nearly normal.
    let normal = |random: &mut fastrand::Rng| (0..12).map(|_| random.f64()).sum::<f64>() - 6.0;
    let mut ms = |mean: f64| mean * (1.0 + 0.08 * normal(random)).max(0.3);
    let mut stages = Vec::new();
    let mut stage = |name, start_ms: f64, ms: f64| {
        stages.push(StageRecord { name, start_ms, end_ms: start_ms + ms });
        start_ms + ms
    };
    let mut at = stage(Stage::Download, 0.4, ms(3.1));
    stage(Stage::Decode, 1.0, ms(9.0));
    stage(Stage::Vad, 2.0, ms(11.0));
    at = stage(Stage::Stt, at + ms(10.0), ms(612.0) * wait);
    at = stage(Stage::Knowledge, at, ms(0.8));
    stage(Stage::Llm, at, ms(300.0));
    at += ms(100.0);
    for _sentence in 0..12 {
        at = stage(Stage::Tts, at, ms(35.0) * wait);
        stage(Stage::Encode, at - 3.0, ms(3.4));
    }
    let start = at + 0.5;
    at = stage(Stage::Upload, start, ms(2.8));
    at = stage(Stage::Send, at, ms(1.9));
    let total_ms = at + 0.6;
    let failed = random.usize(..400) == 0;
    let report = TurnReport {
        transcript: None,
        reply: Personal::from("a reply").into(),
        disclosure: None,
        audio: None,
        engines: EnginesUsed::default(),
        sources: Vec::new(),
        tools: Vec::new(),
        overhead_ms: TurnReport::overhead(total_ms, &stages),
        burst_ms: None,
        stages,
        total_ms,
        spent: Spent::default(),
        ticket: None,
        outcome: Outcome::VoiceNote,
        reason: None,
    };
    let fixture = format!("en_{}.ogg", ["short", "long", "noisy", "question"][number % 4]);
    #[expect(clippy::cast_precision_loss, reason = "few")]
    let due_ms = number as f64 * 1100.0;
    BenchTurn {
        report: (!failed).then_some(report),
        fixture,
        error: failed.then(|| "no answer within 30 s".to_owned()),
        step,
        due_ms,
        answer_ms: (!failed).then_some(total_ms + 3.0),
        webhook_ms: Some(1.1 + random.f64()),
        queue_ms: Some(0.2 + random.f64() * 0.3),
        audio_in_ms: Some(10_000.0),
        words: Some(WordCount { errors: usize::from(number % 4 == 2), words: 10, wer: 0.0 }),
    }
}
