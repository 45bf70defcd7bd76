//! Times the stages: the only place with a stage's span, deadline, metric and error tag.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::stream::{BoxStream, Stream, StreamExt as _};
use tracing::Instrument as _;

use super::error::{Cause, TurnError};
use crate::agent::tools::ToolDone;
use crate::telemetry;
use crate::turn::{
    EnginesUsed, Outcome, PassageSource, Personal, Reason, ReplyText, Spent, Stage, StageRecord,
    ToolUse, TurnReport,
};

/// Intervals of one stage closer than this are one: a token stream is one interval, not hundreds.
/// Shorter than any work of ours that lies between two of them.
const JOIN_MS: f64 = 0.05;

/// Keeps the times of one turn, and what it spent. Clones share both.
#[derive(Clone)]
pub struct Trace {
    started: Instant,
    records: Arc<Mutex<Vec<StageRecord>>>,
    spent: Arc<Mutex<Spent>>,
    engines: Arc<Mutex<EnginesUsed>>,
    sources: Arc<Mutex<Vec<PassageSource>>>,
    tools: Arc<Mutex<Vec<ToolUse>>>,
    /// How long nothing was done but to wait for more of the same person.
    burst: Arc<Mutex<Option<Duration>>>,
    /// How often each stage is waited for now.
    waits: Arc<Mutex<BTreeMap<Stage, usize>>>,
}

/// Tells that a stage is waited for, until it is dropped.
pub(super) struct StageWait {
    name: Stage,
    waits: Arc<Mutex<BTreeMap<Stage, usize>>>,
}

impl Drop for StageWait {
    fn drop(&mut self) {
        let mut waits = self.waits.lock().expect("no holder panics");
        if let Some(count) = waits.get_mut(&self.name) {
            *count -= 1;
        }
    }
}

impl Trace {
    /// Starts the turn's clock.
    pub fn start() -> Self {
        let (records, spent, engines, sources, tools, burst, waits) = <_>::default();
        Self { started: Instant::now(), records, spent, engines, sources, tools, burst, waits }
    }

    /// Returns the milliseconds since the start.
    pub fn elapsed_ms(&self) -> f64 {
        self.at(Instant::now())
    }

    /// Returns all intervals so far, by start.
    pub fn records(&self) -> Vec<StageRecord> {
        let mut records = self.records.lock().expect("no holder panics").clone();
        records.sort_by(|a, b| a.start_ms.total_cmp(&b.start_ms));
        records
    }

    /// Returns the milliseconds spent in one stage so far.
    pub fn sum_ms(&self, name: Stage) -> f64 {
        let records = self.records.lock().expect("no holder panics");
        let of_stage = records.iter().filter(|record| record.name == name);
        // The sum of nothing is -0.0, which would be printed.
        0.0 + of_stage.map(|record| record.end_ms - record.start_ms).sum::<f64>()
    }

    /// Logs each stage for who looks closely: when it first worked, and how long in all.
    pub(super) fn log_stages(&self) {
        if !tracing::enabled!(tracing::Level::DEBUG) {
            return;
        }
        let mut seen = Vec::new();
        for StageRecord { name, start_ms, .. } in self.records() {
            if !seen.contains(&name) {
                seen.push(name);
                let took_ms = self.sum_ms(name);
                tracing::debug!(stage.name = name.name(), start_ms, took_ms, "a step");
            }
        }
    }

    /// Adds to what the turn spent.
    pub(super) fn spend(&self, add: impl FnOnce(&mut Spent)) {
        add(&mut self.spent.lock().expect("no holder panics"));
    }

    /// Returns what the turn spent so far.
    pub(super) fn spent(&self) -> Spent {
        let mut spent = self.spent.lock().expect("no holder panics").clone();
        spent.by.add(&self.engines.lock().expect("no holder panics"));
        spent
    }

    /// Notes a wait for more of the same person, in which nothing else was done.
    pub(super) fn waited(&self, time: Duration) {
        *self.burst.lock().expect("no holder panics").get_or_insert_default() += time;
    }

    /// Notes where what was found is from.
    pub(super) fn cite(&self, found: impl Iterator<Item = PassageSource>) {
        let mut sources = self.sources.lock().expect("no holder panics");
        for source in found {
            if !sources.contains(&source) {
                sources.push(source);
            }
        }
    }

    /// Notes which engines worked.
    pub(super) fn worked(&self, note: impl FnOnce(&mut EnginesUsed)) {
        note(&mut self.engines.lock().expect("no holder panics"));
    }

    /// Reports the turn as it ends here, without what was heard and without a note. Once something was
    /// sent, the answer to the last send ended it: nobody waits for what is noted afterwards.
    pub(super) fn report(
        &self,
        reply: impl Into<ReplyText>,
        outcome: Outcome,
        reason: Option<Reason>,
    ) -> TurnReport {
        let stages = self.records();
        let sends = stages.iter().filter(|record| record.name == Stage::Send);
        let answered = sends.map(|record| record.end_ms).reduce(f64::max);
        let total_ms = answered.unwrap_or_else(|| self.elapsed_ms());
        // Before the others are locked, which are until the report is whole.
        let spent = self.spent();
        let burst = *self.burst.lock().expect("no holder panics");
        let burst_ms = burst.map(|burst| burst.as_secs_f64() * 1000.0);
        TurnReport {
            transcript: None,
            reply: reply.into(),
            disclosure: None,
            audio: None,
            sources: self.sources.lock().expect("no holder panics").clone(),
            engines: self.engines.lock().expect("no holder panics").clone(),
            tools: self.tools.lock().expect("no holder panics").clone(),
            overhead_ms: TurnReport::overhead(total_ms - burst_ms.unwrap_or_default(), &stages),
            burst_ms,
            stages,
            total_ms,
            spent,
            ticket: None,
            outcome,
            reason,
        }
    }

    /// Notes that a stage is waited for.
    pub(super) fn waits(&self, name: Stage) -> StageWait {
        *self.waits.lock().expect("no holder panics").entry(name).or_default() += 1;
        StageWait { name, waits: Arc::clone(&self.waits) }
    }

    /// Returns which stage the turn waits for: the first on its path, which the others wait for too.
    pub(super) fn waits_for(&self) -> Option<Stage> {
        let waits = self.waits.lock().expect("no holder panics");
        waits.iter().find(|(_, count)| **count > 0).map(|(name, _)| *name)
    }

    /// Times a piece of CPU work; called on the thread that does it.
    pub(super) fn measure<T>(&self, name: Stage, work: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let result = work();
        self.note(name, started);
        result
    }

    fn at(&self, instant: Instant) -> f64 {
        instant.duration_since(self.started).as_secs_f64() * 1000.0
    }

    /// Records an interval that began at `started` and ends now.
    fn note(&self, name: Stage, started: Instant) {
        self.noted(name, started, Instant::now());
    }

    /// Notes a call of a tool. The model was not at work meanwhile.
    pub(super) fn tool_called(&self, done: ToolDone) {
        let (started, ended) = (done.started.into_std(), done.ended.into_std());
        let (start_ms, end_ms) = (self.at(started), self.at(ended));
        telemetry::tool_called(&done.label, done.outcome, ended - started);
        if done.outcome.may_have_reached() {
            self.spend(|spent| spent.tool_calls += 1);
        }
        let mut records = self.records.lock().expect("no holder panics");
        *records = records.drain(..).flat_map(|one| without(one, start_ms, end_ms)).collect();
        records.push(StageRecord { name: Stage::Tools, start_ms, end_ms });
        self.tools.lock().expect("no holder panics").push(ToolUse {
            name: done.name,
            arguments: Personal(shortened(done.arguments.reveal())),
            result: Personal(shortened(done.result.reveal())),
            outcome: done.outcome,
            start_ms,
            ms: end_ms - start_ms,
        });
    }

    /// Records an interval.
    pub(super) fn noted(&self, name: Stage, started: Instant, ended: Instant) {
        tracing::trace!(stage.name = name.name(), "worked");
        let (start_ms, end_ms) = (self.at(started), self.at(ended));
        let mut records = self.records.lock().expect("no holder panics");
        match records.iter_mut().rev().find(|record| record.name == name) {
            Some(last) if start_ms - last.end_ms < JOIN_MS && start_ms >= last.start_ms => {
                last.end_ms = last.end_ms.max(end_ms);
            }
            _ => records.push(StageRecord { name, start_ms, end_ms }),
        }
    }
}

/// Most characters of a tool's arguments, and of its result, that a turn's record keeps.
const TOOL_CHARS: usize = 1_000;

fn shortened(text: &str) -> String {
    match text.char_indices().nth(TOOL_CHARS) {
        Some((end, _)) => format!("{} [...]", &text[..end]),
        None => text.to_owned(),
    }
}

/// Takes the time of a tool out of an interval of the model.
fn without(record: StageRecord, start_ms: f64, end_ms: f64) -> Vec<StageRecord> {
    if record.name != Stage::Llm || record.end_ms <= start_ms || end_ms <= record.start_ms {
        return vec![record];
    }
    let before = StageRecord { end_ms: start_ms.max(record.start_ms), ..record.clone() };
    let after = StageRecord { start_ms: end_ms.min(record.end_ms), ..record };
    let is_some = |record: &StageRecord| record.end_ms > record.start_ms;
    [before, after].into_iter().filter(is_some).collect()
}

/// Limits how long a stage may take, or a stream may be silent. Decoding and encoding have no
/// budget: the limits on what comes in bound them.
fn budget(stage: Stage) -> Duration {
    Duration::from_secs(match stage {
        // A slow machine transcribes 30 s of speech in that time.
        Stage::Stt => 90,
        // Engines of these have their own, configured times; this is for one that keeps none.
        Stage::Llm | Stage::Tts => 120,
        _ => 30,
    })
}

/// Runs one stage.
pub(super) async fn stage<T, E: Into<Cause>>(
    trace: &Trace,
    name: Stage,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, TurnError> {
    let (started, _waits) = (Instant::now(), trace.waits(name));
    let span = tracing::debug_span!("stage", stage.name = name.name());
    let result = tokio::time::timeout(budget(name), work.instrument(span)).await;
    trace.note(name, started);
    match result {
        Ok(result) => result.map_err(|error| error.into().at(name)),
        Err(_elapsed) => Err(Cause::Deadline.at(name)),
    }
}

/// Wraps a stage that gives its result piece by piece. Only the time its next piece is waited
/// for counts; time in which nobody asks for one does not.
pub(super) fn stage_stream<'a, T: Send + 'a, E: Into<Cause> + Send + 'a>(
    trace: &Trace,
    name: Stage,
    stream: impl Stream<Item = Result<T, E>> + Send + 'a,
) -> BoxStream<'a, Result<T, TurnError>> {
    let trace = trace.clone();
    let state = (Some(stream.boxed()), trace);
    futures_util::stream::unfold(state, move |(stream, trace)| async move {
        let mut stream = stream?;
        let (started, _waits) = (Instant::now(), trace.waits(name));
        let span = tracing::debug_span!("stage", stage.name = name.name());
        let next = tokio::time::timeout(budget(name), stream.next().instrument(span)).await;
        trace.note(name, started);
        let (item, stream) = match next {
            Ok(None) => return None,
            Ok(Some(Ok(item))) => (Ok(item), Some(stream)),
            Ok(Some(Err(error))) => (Err(error.into().at(name)), None),
            Err(_elapsed) => (Err(Cause::Deadline.at(name)), None),
        };
        Some((item, (stream, trace)))
    })
    .boxed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::AgentError;

    #[tokio::test]
    async fn time_in_which_the_consumer_is_away_does_not_count() {
        let trace = Trace::start();
        let pieces = futures_util::stream::iter([Ok::<_, AgentError>(1), Ok(2)]);
        let mut pieces = stage_stream(&trace, Stage::Llm, pieces);
        assert_eq!(pieces.next().await.unwrap().unwrap(), 1);
        tokio::time::sleep(Duration::from_millis(30)).await;
        assert_eq!(pieces.next().await.unwrap().unwrap(), 2);
        assert!(pieces.next().await.is_none());
        let records = trace.records();
        assert_eq!(records.len(), 2, "{records:?}");
        assert!(records.iter().all(|record| record.end_ms - record.start_ms < 20.0));
    }

    #[tokio::test]
    async fn the_first_stage_on_the_path_is_what_a_turn_waits_for() {
        let trace = Trace::start();
        let slow = futures_util::stream::pending::<Result<u8, AgentError>>();
        let mut slow = stage_stream(&trace, Stage::Llm, slow);
        assert!(futures_util::poll!(slow.next()).is_pending());
        let decode = trace.waits(Stage::Decode);
        assert_eq!(trace.waits_for(), Some(Stage::Decode));
        drop(decode);
        assert_eq!(trace.waits_for(), Some(Stage::Llm));
        drop(slow);
        assert_eq!(trace.waits_for(), None);
    }

    #[test]
    fn a_tools_time_is_not_the_models() {
        let record = |name, start_ms, end_ms| StageRecord { name, start_ms, end_ms };
        let llm = |start_ms, end_ms| record(Stage::Llm, start_ms, end_ms);
        assert_eq!(without(llm(0.0, 9.0), 2.0, 4.0), [llm(0.0, 2.0), llm(4.0, 9.0)]);
        assert_eq!(without(llm(3.0, 9.0), 2.0, 4.0), [llm(4.0, 9.0)]);
        assert_eq!(without(llm(3.0, 3.5), 2.0, 4.0), []);
        assert_eq!(without(llm(5.0, 9.0), 2.0, 4.0), [llm(5.0, 9.0)]);
        let tts = record(Stage::Tts, 0.0, 9.0);
        assert_eq!(without(tts.clone(), 2.0, 4.0), [tts]);
    }

    #[tokio::test]
    async fn an_error_names_its_stage() {
        let trace = Trace::start();
        let failing = async { Err::<(), _>(AgentError::Cancelled) };
        let error = stage(&trace, Stage::Llm, failing).await.unwrap_err();
        assert_eq!(error.stage, Stage::Llm);
        assert_eq!(trace.records().len(), 1);
    }
}
