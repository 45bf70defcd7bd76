//! Answers what waits: how fast, what a turn costs, how much memory it takes, and whether each lane is
//! in order.

use std::time::{Duration, Instant};

use anyhow::ensure;
use clap::Args;
use hark::clock::Clock;
use hark::store::{Access, Disposition, Queue as _, SqlStore};
use hark::turn::{About, Body, ContactRef, Inbound, Personal};

use super::graph::TakingGraph;
use super::service::{Backing, NUMBER, Node};
use super::{StoreKind, stores};

/// Messages that are stored at a time.
const BATCH: usize = 500;
/// Time between two looks at memory.
const LOOK: Duration = Duration::from_millis(500);

#[derive(Args)]
pub(crate) struct Settings {
    /// One store; both unless given.
    #[arg(long, value_enum)]
    store: Option<StoreKind>,
    /// Messages that wait.
    #[arg(long, default_value_t = 100_000)]
    messages: usize,
    /// People whom they are of.
    #[arg(long, default_value_t = 10_000)]
    lanes: usize,
}

pub(crate) async fn run(settings: &Settings) -> anyhow::Result<()> {
    for kind in stores(settings.store) {
        let waiting = Waiting { messages: settings.messages, lanes: settings.lanes };
        let drained = drain(kind, waiting, 1).await?;
        println!("{kind:?}, one node: {drained}");
        drained.check(waiting)?;
    }
    Ok(())
}

/// What waits: as many messages of each person.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting {
    pub(crate) messages: usize,
    pub(crate) lanes: usize,
}

/// How it was answered, from when a tenth was.
pub(crate) struct Drained {
    answered: usize,
    took: Duration,
    /// Of the node, or of all nodes together, MiB.
    memory_mib: Vec<f64>,
    /// People who were answered, and those not each message once and in order.
    lanes: (usize, usize),
    /// Milliseconds of processor time of a turn: of the nodes, and of their servers.
    cpu_ms: (f64, f64),
    /// Bytes of a turn: in the store, and in its server's log.
    bytes: (f64, f64),
}

/// Lets so many nodes answer what waits in a new store.
pub(crate) async fn drain(
    kind: StoreKind,
    waiting: Waiting,
    nodes: usize,
) -> anyhow::Result<Drained> {
    let (backing, graph) = (Backing::new(kind)?, TakingGraph::start().await?);
    let Waiting { messages, lanes } = waiting;
    #[expect(clippy::cast_precision_loss, reason = "a count for people")]
    let of_each = |after: f64, before: f64| (after - before) / messages as f64;
    let (empty_cpu, (empty, empty_log)) = (backing.cpu_ms().await?, backing.bytes()?);
    let began = Instant::now();
    fill(&backing, waiting).await?;
    let (server_cpu, (size, log)) = (backing.cpu_ms().await?, backing.bytes()?);
    println!(
        "{messages} messages of {lanes} people stored in {:.1} s; of each {:.2} ms of the servers' processor \
         time, {:.0} bytes of the store, {:.0} of its server's log",
        began.elapsed().as_secs_f64(),
        of_each(server_cpu, empty_cpu),
        of_each(size, empty),
        of_each(log, empty_log),
    );
    let mut running = Vec::new();
    for node in 0..nodes {
        running.push(Node::start(&backing, &graph.url, &format!("node-{node}")).await?);
    }
    graph.taken(messages / 10).await;
    let (began, first) = (Instant::now(), graph.count());
    let mut memory_mib = Vec::new();
    while tokio::time::timeout(LOOK, graph.taken(messages)).await.is_err() {
        memory_mib.push(running.iter().map(Node::memory_mib).sum());
    }
    let took = began.elapsed();
    // What ends the last turns.
    tokio::time::sleep(LOOK).await;
    let (size_now, log_now) = backing.bytes()?;
    Ok(Drained {
        answered: messages - first,
        took,
        memory_mib,
        lanes: graph.lanes(messages / lanes),
        cpu_ms: (
            of_each(running.iter().map(Node::cpu_ms).sum(), 0.0),
            of_each(backing.cpu_ms().await?, server_cpu),
        ),
        bytes: (of_each(size_now, size), of_each(log_now, log)),
    })
}

impl Drained {
    /// Returns the answers of a second.
    #[expect(clippy::cast_precision_loss, reason = "a count for people")]
    pub(crate) fn rate(&self) -> f64 {
        self.answered as f64 / self.took.as_secs_f64()
    }

    /// Returns how much memory was held in the middle, and the most that it differed, in parts of it.
    fn memory(&self) -> Option<(f64, f64)> {
        let mut sorted = self.memory_mib.clone();
        sorted.sort_by(f64::total_cmp);
        let (least, most) = (sorted.first()?, sorted.last()?);
        let middle = f64::midpoint(*least, *most);
        Some((middle, (most - middle) / middle))
    }

    /// Checks that everybody was answered once and in order.
    pub(crate) fn check(&self, waiting: Waiting) -> anyhow::Result<()> {
        let (answered, wrong) = self.lanes;
        ensure!(answered == waiting.lanes && wrong == 0, "{wrong} lanes of {answered} are wrong");
        Ok(())
    }
}

impl std::fmt::Display for Drained {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (answered, wrong) = self.lanes;
        write!(
            f,
            "{} answers in {:.1} s: {:.0} a second; {answered} lanes, {wrong} of them not in order\n  of \
             each: {:.2} ms of hark's processor time, {:.2} ms of its servers'; {:.0} bytes of the store, \
             {:.0} of its server's log",
            self.answered,
            self.took.as_secs_f64(),
            self.rate(),
            self.cpu_ms.0,
            self.cpu_ms.1,
            self.bytes.0,
            self.bytes.1,
        )?;
        if let Some((middle, differs)) = self.memory() {
            let (first, last) = (self.memory_mib.first(), self.memory_mib.last());
            write!(
                f,
                "\n  memory after the first tenth: {middle:.1} MiB +- {:.1} %, {:.1} at first, {:.1} at last",
                differs * 100.0,
                first.copied().unwrap_or_default(),
                last.copied().unwrap_or_default(),
            )?;
        }
        Ok(())
    }
}

/// Stores what waits: a message of everybody, then the next of everybody.
async fn fill(backing: &Backing, waiting: Waiting) -> anyhow::Result<()> {
    let store = SqlStore::open(backing.address(), Access::Serve)?;
    let now_ms = Clock::System.now_ms();
    let all: Vec<usize> = (0..waiting.messages).collect();
    for batch in all.chunks(BATCH) {
        let messages = batch.iter().map(|n| message(n % waiting.lanes, n / waiting.lanes));
        store.accept(messages.collect(), now_ms).await?;
    }
    Ok(())
}

fn message(person: usize, place: usize) -> (Inbound, Disposition) {
    let phone = Some(Personal::from(format!("1555{person:07}").as_str()));
    let message = Inbound {
        number: NUMBER.into(),
        id: format!("wamid.scale.{person}.{place}").as_str().into(),
        from: Some(ContactRef { user_id: None, phone, profile_name: None }),
        raw_type: "text".to_owned(),
        body: Body::Text { text: "When do you open?".into() },
        about: About::default(),
        sent_at_ms: 0,
    };
    (message, Disposition::Queue)
}
