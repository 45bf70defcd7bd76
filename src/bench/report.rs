//! What a bench measured: the JSON of `hark bench --json`.

use serde::{Deserialize, Serialize};

use super::spread::{Spread, Summary};
use crate::turn::{Stage, TurnReport};

/// The version of the JSON.
pub const SCHEMA: u32 = 1;

/// Holds all that one bench measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BenchReport {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The processor.
    pub machine: String,
    /// Processors that the bench could use.
    pub cores: usize,
    /// The commit of hark with its day.
    pub commit: String,
    /// How it was built: profile and cargo features.
    pub build: String,
    /// The engines: what hears, answers and speaks.
    pub models: Vec<String>,
    /// What was typed, without secrets.
    pub command: String,
    /// When it began, RFC 3339, UTC.
    pub began: String,
    /// The machine as it was before and after.
    pub machine_state: MachineState,
    /// One for each number of contacts or rate, in the order of the run.
    pub steps: Vec<BenchStep>,
    /// Every turn but those of the warm-up.
    pub turns: Vec<BenchTurn>,
    /// Over all turns.
    pub summary: Summary,
    /// Words heard wrongly, where it is known what was said and what was heard.
    pub words: Option<WordCount>,
    /// What went wrong: fixtures that cannot be used, a server that went down, an interruption.
    pub problems: Vec<String>,
}

/// Says whether the machine was fit for measuring.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MachineState {
    /// Processes that ran or waited to run before the bench, mean of a minute.
    pub load: Option<f64>,
    /// Time that the host gave to others during the bench, per cent.
    pub steal_percent: Option<f64>,
    /// Frequency of the slowest core before and after, MHz.
    pub mhz: Option<[f64; 2]>,
    /// Sentences that say why the figures may be worse than the machine's best; none if it was quiet.
    pub warnings: Vec<String>,
}

/// Says how voice notes were sent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Workload {
    /// Closed loop: so many contacts, each of whom waits for the answer before the next note.
    Concurrency(usize),
    /// Open loop: so many notes a second, whether or not the earlier ones are answered.
    Rate(f64),
}

impl Workload {
    /// Returns how many contacts send notes; `None` if everyone is somebody else.
    #[must_use]
    pub fn people(self) -> Option<usize> {
        match self {
            Self::Concurrency(people) => Some(people),
            Self::Rate(_) => None,
        }
    }
}

/// Holds one step of a bench.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BenchStep {
    /// How notes were sent: `concurrency` or `rate`.
    #[serde(flatten)]
    pub workload: Workload,
    /// Turns that were measured, errors included.
    pub turns: usize,
    /// Of those, the ones without a voice note.
    pub errors: usize,
    /// From the first note's sending to the last answer.
    pub seconds: f64,
    /// Voice notes that were answered, a second.
    pub notes_per_s: f64,
    /// Processor time a note, where the service's process could be looked at.
    pub cpu: Option<Cpu>,
    /// Time of the ears for a second of sound that came in; of the voice for one that went out.
    pub stt_rtf: Option<f64>,
    /// See `stt_rtf`.
    pub tts_rtf: Option<f64>,
    /// Mean wait of the contact who waited longest, over the median of all answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slowest_contact: Option<f64>,
    /// Memory of the service's process, where it could be looked at.
    pub memory: Option<MemoryUse>,
    /// Over the turns of this step.
    pub summary: Summary,
}

/// Splits processor time, in milliseconds a note.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cpu {
    /// Ours: all but the engines'.
    pub own_ms: f64,
    /// That of whisper's and the voice's threads and processes.
    pub engines_ms: f64,
    /// That of the bench itself, which plays people and WhatsApp on the same machine.
    #[serde(default)]
    pub bench_ms: f64,
}

/// Says what memory a process held, in MiB.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemoryUse {
    /// When the step began.
    pub start_mib: f64,
    /// The most that it ever held.
    pub peak_mib: f64,
    /// When the step ended.
    pub end_mib: f64,
    /// Seconds since the step began, and what was held then.
    pub curve: Vec<(f64, f64)>,
}

/// Counts words.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WordCount {
    /// Words to change, insert or leave out.
    pub errors: usize,
    /// Words that were said.
    pub words: usize,
    /// Errors a word.
    pub wer: f64,
}

impl WordCount {
    /// Counts the words of several texts together; `None` without any.
    #[must_use]
    pub fn sum(all: impl IntoIterator<Item = Self>) -> Option<Self> {
        let sum = all.into_iter().reduce(|sum, one| Self {
            errors: sum.errors.saturating_add(one.errors),
            words: sum.words.saturating_add(one.words),
            wer: 0.0,
        })?;
        #[expect(clippy::cast_precision_loss, reason = "no texts have 2^52 words")]
        let wer = sum.errors as f64 / sum.words.max(1) as f64;
        Some(Self { wer, ..sum })
    }
}

/// Holds one turn: the object of `hark ask`, if the service's record was at hand, and what was seen
/// from outside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BenchTurn {
    /// What the service wrote down.
    #[serde(flatten)]
    pub report: Option<TurnReport>,
    /// The voice note that was sent.
    pub fixture: String,
    /// Why it does not count as answered; `None` if a voice note came back.
    pub error: Option<String>,
    /// Its place in [`BenchReport::steps`].
    pub step: usize,
    /// When the note was due, milliseconds since the step began.
    pub due_ms: f64,
    /// From then until the provider had taken the whole answer, as the person waits for it.
    pub answer_ms: Option<f64>,
    /// From then until the webhook was answered.
    pub webhook_ms: Option<f64>,
    /// From the webhook to the lease.
    pub queue_ms: Option<f64>,
    /// Length of the note that was sent.
    pub audio_in_ms: Option<f64>,
    /// Words of it that were heard wrongly, if it is known what was said.
    pub words: Option<WordCount>,
}

impl BenchTurn {
    /// Returns from the last sample that the voice gave to the complete note.
    #[must_use]
    pub fn note_ms(&self) -> Option<f64> {
        let stages = &self.report.as_ref()?.stages;
        let end = |stage| {
            let of_stage = stages.iter().filter(|record| record.name == stage);
            of_stage.map(|record| record.end_ms).reduce(f64::max)
        };
        Some((end(Stage::Encode)? - end(Stage::Tts)?).max(0.0))
    }

    /// Returns every time of the turn by name: how long each stage was at work (intervals that
    /// overlap count once), `total` and `overhead`, `queue`, `note` (see [`Self::note_ms`]), `answer`
    /// and `webhook`.
    #[must_use]
    pub fn times(&self) -> Vec<(&'static str, f64)> {
        let mut times = Vec::new();
        if let Some(report) = &self.report {
            times.extend(report.stage_times().into_iter().map(|(stage, ms)| (stage.name(), ms)));
            times.extend([("total", report.total_ms), ("overhead", report.overhead_ms)]);
        }
        let seen = [
            ("queue", self.queue_ms),
            ("note", self.note_ms()),
            ("answer", self.answer_ms),
            ("webhook", self.webhook_ms),
        ];
        times.extend(seen.into_iter().filter_map(|(name, ms)| Some((name, ms?))));
        times
    }
}

impl BenchReport {
    /// Summarises the turns that were answered: all, or those of one step.
    #[must_use]
    pub fn summarise(turns: &[BenchTurn], step: Option<usize>) -> Summary {
        let answered = turns.iter().filter(|turn| turn.error.is_none());
        let of_step = answered.filter(|turn| step.is_none_or(|step| turn.step == step));
        Spread::by_name(of_step.flat_map(BenchTurn::times))
    }
}
