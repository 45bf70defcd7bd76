//! Runs a bench: the people, the simulated Graph, and step after step.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::super::{Context, playground};
use super::arguments::{LoadPlan, Output, Own, Profile, Sent};
use super::output;
use super::progress::StepProgress;
use super::service::BenchedService;
use crate::bench::{
    Assignment, BenchReport, Crowd, MachineState, Process, Recording, SCHEMA, Summary, TurnRecords,
    WordCount, machine, measure,
};
use crate::clock::Clock;
use crate::lifecycle::Shutdown;
use crate::simulator::Simulator;
use crate::store::{Access, SqlStore};
use crate::telemetry;

/// The configuration of [`Profile::Paced`]: thirty words are ten seconds of the scripted voice.
const PACED: &str = include_str!("paced.toml");

/// What is measured.
pub(super) struct Subject {
    pub(super) crowd: Crowd,
    pub(super) process: Option<Process>,
    pub(super) record: Option<TurnRecords>,
    pub(super) engines: Vec<String>,
    pub(super) build: String,
    pub(super) commit: String,
}

/// Measures a service of its own.
pub(super) async fn own(
    context: Context,
    mut sent: Sent,
    plan: LoadPlan,
    own: Own,
    output: Output,
) -> anyhow::Result<ExitCode> {
    let old = output::old(&output)?;
    let shutdown = Shutdown::on_signals()?;
    let folder = playground::private_folder(&std::env::temp_dir(), "hark-bench")?;
    let run = std::process::id();
    let mut config = context.file.clone();
    if own.profile == Some(Profile::Paced) {
        sent.ten_seconds = sent.fixtures.is_none();
        let paced = folder.join("paced.toml");
        std::fs::write(&paced, PACED).with_context(|| paced.display().to_string())?;
        config = Some(paced);
    }
    let (recordings, problems) = sent.recordings()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let graph: Url = format!("http://{}", listener.local_addr()?).parse()?;
    let store = Leftovers(folder.join(format!("bench-{run}.db")));
    let starting = BenchedService::start(
        config.as_deref(),
        own.profile.is_some(),
        &graph,
        &store.0,
        own.agent.as_deref(),
        &sent,
    );
    let Some(service) = shutdown.stop.run_until_cancelled(starting).await else {
        bail!("interrupted before the service was warm");
    };
    let service = service?;
    let whatsapp = playground::simulator(service.ready.webhook.clone());
    let simulating = CancellationToken::new();
    tokio::spawn(whatsapp.clone().serve(listener, simulating.clone()));
    let archive = Arc::new(SqlStore::open(&store.0, Access::Inspect)?);
    let mut subject = Subject {
        crowd: crowd(whatsapp, recordings, &plan, &shutdown),
        process: Some(Process::of(service.id)),
        record: Some(TurnRecords { archive, number: playground::NUMBER.into() }),
        engines: service.ready.engines.clone(),
        build: build(),
        commit: telemetry::COMMIT.to_owned(),
    };
    let mut report = steps(&mut subject, &plan, &shutdown, problems).await?;
    drop(subject);
    if shutdown.stop.is_cancelled() {
        // Nobody waits for the turns that still run.
        drop(service);
    } else if let Err(error) = service.stop().await {
        report.problems.push(format!("{error:#}"));
    }
    simulating.cancel();
    output::give(&report, &output, old)
}

/// The store of a bench, which goes with it.
struct Leftovers(PathBuf);

impl Drop for Leftovers {
    fn drop(&mut self) {
        playground::remove_store(&self.0);
    }
}

pub(super) fn crowd(
    whatsapp: Simulator,
    recordings: Vec<Recording>,
    plan: &LoadPlan,
    shutdown: &Shutdown,
) -> Crowd {
    let patience = Duration::from_secs(plan.patience);
    Crowd::new(whatsapp, recordings, patience, shutdown.stop.clone())
}

/// Runs the warm-up and every step.
pub(super) async fn steps(
    subject: &mut Subject,
    plan: &LoadPlan,
    shutdown: &Shutdown,
    problems: Vec<String>,
) -> anyhow::Result<BenchReport> {
    let began = Timestamp::from_millisecond(Clock::System.now_ms())?.to_string();
    let watch = machine::Watch::start();
    if let Some(busy) = watch.busy() {
        eprintln!("{busy}");
    }
    let mut report = BenchReport {
        schema: SCHEMA,
        machine: machine::processor(),
        cores: machine::cores(),
        commit: subject.commit.clone(),
        build: subject.build.clone(),
        models: subject.engines.clone(),
        command: command(),
        began,
        machine_state: MachineState::default(),
        steps: Vec::new(),
        turns: Vec::new(),
        summary: Summary::default(),
        words: None,
        problems,
    };
    let workloads = plan.workloads();
    for (step, workload) in workloads.into_iter().enumerate() {
        let assignment = |turns, step| Assignment { workload, turns, step };
        let warm_up =
            plan.warm_up.unwrap_or_else(|| workload.people().map_or(10, |n| 10.max(2 * n)));
        let mut progress = StepProgress::start(&workload.describe(), warm_up + plan.turns);
        let mut coming = subject.crowd.begin(assignment(warm_up, 100 + step));
        while let Some(seen) = coming.recv().await {
            progress.answered();
            if seen.unreachable {
                break;
            }
        }
        if plan.beside > 0 {
            subject.crowd.flood(plan.beside).await.map_err(anyhow::Error::msg)?;
        }
        let (process, record) = (subject.process.as_mut(), subject.record.as_ref());
        let measuring = assignment(plan.turns, step);
        let answered = |_: &_| progress.answered();
        let measured = measure(&subject.crowd, measuring, process, record, answered).await?;
        progress.end();
        report.steps.push(measured.step);
        report.turns.extend(measured.turns);
        report.problems.extend(measured.problem.clone());
        if shutdown.stop.is_cancelled() {
            report.problems.push("interrupted: this is what there is".to_owned());
        }
        if shutdown.stop.is_cancelled() || measured.problem.is_some() {
            break;
        }
    }
    report.machine_state = watch.end();
    report.problems.extend(report.machine_state.throttled());
    report.summary = BenchReport::summarise(&report.turns, None);
    report.words = WordCount::sum(report.turns.iter().filter_map(|turn| turn.words));
    Ok(report)
}

/// Returns how this program was built.
fn build() -> String {
    let optimised = if cfg!(debug_assertions) { "debug build" } else { "optimised build" };
    format!("{optimised}, {}", telemetry::features().join(" "))
}

/// Returns what was typed, without the secrets.
fn command() -> String {
    let mut words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    let mut typed = vec!["hark".to_owned()];
    while let Some(word) = words.next() {
        let secret = word == "--app-secret";
        if word.starts_with("--app-secret=") {
            typed.push("--app-secret=...".to_owned());
            continue;
        }
        typed.push(word);
        if secret && words.next().is_some() {
            typed.push("...".to_owned());
        }
    }
    typed.join(" ")
}
