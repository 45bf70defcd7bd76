//! Measures one step: what the people saw, what the service wrote down, and what its process used.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::load::{Assignment, Crowd, SeenNote};
use super::process::{CpuTime, Process};
use super::spread::Spread;
use super::{BenchReport, BenchStep, BenchTurn, Cpu, MemoryUse, Recording, WordCount};
use crate::store::{Archive, StoreError, TurnRow, TurnSearch};
use crate::stt::wer::word_errors;
use crate::turn::{PhoneNumberId, Stage, TurnId};

/// Between two looks at the process.
const LOOK: Duration = Duration::from_millis(250);
/// Points of a memory curve.
const POINTS: usize = 400;
/// A turn's record is closed a moment after its answer was taken.
const CLOSED: Duration = Duration::from_secs(5);

/// Reads what the service wrote down of its turns.
pub struct TurnRecords {
    /// Its store.
    pub archive: Arc<dyn Archive>,
    /// The number that was written to.
    pub number: PhoneNumberId,
}

/// Holds one step with its turns.
#[derive(Debug)]
pub struct Measured {
    /// The step.
    pub step: BenchStep,
    /// Its turns, in the order of their answers.
    pub turns: Vec<BenchTurn>,
    /// Why it ended early, if it did.
    pub problem: Option<String>,
}

/// Lets the crowd send what is assigned and measures it; `progress` is told of each answer.
///
/// # Errors
/// If the record cannot be read.
pub async fn measure(
    crowd: &Crowd,
    assignment: Assignment,
    mut process: Option<&mut Process>,
    record: Option<&TurnRecords>,
    progress: impl FnMut(&SeenNote),
) -> Result<Measured, StoreError> {
    let mut bench = Process::of(std::process::id());
    let before = (process.as_deref_mut().and_then(Process::cpu), bench.cpu());
    let watched = watch(crowd, assignment, process.as_deref_mut(), progress).await;
    let WatchedStep { seen, curve, cpu, lasted } = watched;
    let memory = process.as_deref_mut().and_then(|process| memory_use(process, curve));
    let after = (process.and_then(Process::cpu).or(cpu), bench.cpu());
    let rows = match record {
        Some(record) => record.rows(&seen).await?,
        None => HashMap::new(),
    };
    let lost = seen.iter().find(|seen| seen.unreachable).and_then(|seen| seen.error.clone());
    let problem =
        lost.map(|error| format!("the service went away after {} notes: {error}", seen.len() - 1));
    let slowest_contact = slowest(&seen);
    let joined = seen.into_iter().map(|seen| {
        let recording = crowd.recording(seen.recording);
        let row = record.and_then(|record| rows.get(&record.turn(&seen)));
        turn(seen, assignment.step, recording, row)
    });
    let turns: Vec<BenchTurn> = joined.collect();
    let errors = turns.iter().filter(|turn| turn.error.is_some()).count();
    #[expect(clippy::cast_precision_loss, reason = "turns are few")]
    let (seconds, notes) = (lasted.as_secs_f64(), (turns.len() - errors) as f64);
    let cpu = spent(before.0.zip(after.0), before.1.zip(after.1), notes);
    let rtf = |stage, sound: fn(&BenchTurn) -> Option<f64>| real_time_factor(&turns, stage, sound);
    let step = BenchStep {
        workload: assignment.workload,
        turns: turns.len(),
        errors,
        seconds,
        notes_per_s: if seconds > 0.0 { notes / seconds } else { 0.0 },
        cpu,
        stt_rtf: rtf(Stage::Stt, |turn| turn.audio_in_ms),
        tts_rtf: rtf(Stage::Tts, |turn| Some(turn.report.as_ref()?.audio.as_ref()?.duration_ms)),
        slowest_contact,
        memory,
        summary: BenchReport::summarise(&turns, None),
    };
    Ok(Measured { step, turns, problem })
}

/// Holds what was seen while the crowd sent.
struct WatchedStep {
    seen: Vec<SeenNote>,
    /// Seconds since the beginning, and the memory held then.
    curve: Vec<(f64, f64)>,
    /// The process's time at the last look.
    cpu: Option<CpuTime>,
    /// Until the last answer.
    lasted: Duration,
}

/// Lets the crowd send, and looks at the process now and then.
async fn watch(
    crowd: &Crowd,
    assignment: Assignment,
    mut process: Option<&mut Process>,
    mut progress: impl FnMut(&SeenNote),
) -> WatchedStep {
    let began = Instant::now();
    let (seen, curve, cpu, lasted) = <_>::default();
    let mut watched = WatchedStep { seen, curve, cpu, lasted };
    let mut coming = crowd.begin(assignment);
    let mut look = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            one = coming.recv() => {
                let Some(one) = one else { break };
                watched.lasted = began.elapsed();
                progress(&one);
                let unreachable = one.unreachable;
                watched.seen.push(one);
                if unreachable {
                    break;
                }
            }
            _ = look.tick() => {
                if let Some(process) = process.as_deref_mut() {
                    watched.cpu = process.cpu().or(watched.cpu);
                    let held = process.memory_mib().map(|(held, _)| held);
                    watched.curve.extend(held.map(|held| (began.elapsed().as_secs_f64(), held)));
                }
            }
        }
    }
    watched
}

impl TurnRecords {
    fn turn(&self, seen: &SeenNote) -> TurnId {
        TurnId::from_message(&self.number, &seen.message)
    }

    /// Returns the rows of what was answered, as far as they are closed by then.
    async fn rows(&self, seen: &[SeenNote]) -> Result<HashMap<TurnId, TurnRow>, StoreError> {
        let began = Instant::now();
        loop {
            // Those of others, such as the warm-up's last, are few.
            let search = TurnSearch { limit: 2 * seen.len() + 1000, ..TurnSearch::default() };
            let rows = self.archive.find(search).await?.into_iter();
            let closed = rows.filter(|row| row.report.is_some());
            let rows: HashMap<_, _> = closed.map(|row| (row.turn.clone(), row)).collect();
            let mut answered = seen.iter().filter(|seen| seen.answer_ms.is_some());
            let all = answered.all(|seen| rows.contains_key(&self.turn(seen)));
            if all || began.elapsed() > CLOSED {
                return Ok(rows);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Joins what was seen of a turn with what the service wrote down.
fn turn(seen: SeenNote, step: usize, recording: &Recording, row: Option<&TurnRow>) -> BenchTurn {
    let report = row.and_then(|row| row.report.clone());
    let heard = report.as_ref().and_then(|report| report.transcript.as_ref());
    let words = recording.words.as_ref().zip(heard).map(|(said, heard)| {
        let counted = word_errors(said, heard.text.reveal());
        WordCount { errors: counted.errors, words: counted.words, wer: counted.rate() }
    });
    let reason = report.as_ref().and_then(|report| report.reason.as_ref());
    let error = seen.error.map(|error| match reason {
        Some(reason) => format!("{error}: {reason}"),
        None => error,
    });
    BenchTurn {
        report,
        fixture: recording.name.clone(),
        error,
        step,
        due_ms: seen.due_ms,
        answer_ms: seen.answer_ms,
        webhook_ms: seen.webhook_ms,
        queue_ms: row.and_then(|row| row.queue_ms),
        audio_in_ms: Some(recording.audio_ms),
        words,
    }
}

/// Returns how much longer than the median answer the contact waited who waited longest, on average
/// over his notes; `None` if everybody sent one.
fn slowest(seen: &[SeenNote]) -> Option<f64> {
    let mut by_contact: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for one in seen {
        by_contact.entry(&one.contact).or_default().extend(one.answer_ms);
    }
    if by_contact.len() < 2 || by_contact.len() == seen.len() {
        return None;
    }
    let median = Spread::of(seen.iter().filter_map(|one| one.answer_ms).collect())?.p50;
    #[expect(clippy::cast_precision_loss, reason = "turns are few")]
    let means = by_contact.values().map(|waits| waits.iter().sum::<f64>() / waits.len() as f64);
    Some(means.filter(|mean| mean.is_finite()).reduce(f64::max)? / median)
}

/// Shares the time between two looks at the service, and at the bench, out to the notes.
fn spent(
    service: Option<(CpuTime, CpuTime)>,
    bench: Option<(CpuTime, CpuTime)>,
    notes: f64,
) -> Option<Cpu> {
    let (before, now) = service?;
    let a_note = |before: f64, now: f64| (now - before) / notes.max(1.0);
    let bench = bench.map(|(before, now)| a_note(before.own_ms, now.own_ms));
    Some(Cpu {
        own_ms: a_note(before.own_ms, now.own_ms),
        engines_ms: a_note(before.engines_ms, now.engines_ms),
        bench_ms: bench.unwrap_or_default(),
    })
}

/// Describes the memory of a step by a curve that is not too long.
fn memory_use(process: &Process, curve: Vec<(f64, f64)>) -> Option<MemoryUse> {
    let (start_mib, (end_mib, peak_mib)) = (curve.first()?.1, process.memory_mib()?);
    let every = curve.len().div_ceil(POINTS);
    let curve = curve.into_iter().step_by(every).collect();
    Some(MemoryUse { start_mib, peak_mib, end_mib, curve })
}

/// Returns the time of a stage for a second of sound, over all turns that have both.
fn real_time_factor(
    turns: &[BenchTurn],
    stage: Stage,
    sound: fn(&BenchTurn) -> Option<f64>,
) -> Option<f64> {
    let times = turns.iter().filter_map(|turn| {
        let stages = turn.report.as_ref()?.stage_times();
        let time = stages.into_iter().find(|(name, _)| *name == stage)?.1;
        Some((time, sound(turn)?))
    });
    let (time, sound) = times.fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    (sound > 0.0).then(|| time / sound)
}
