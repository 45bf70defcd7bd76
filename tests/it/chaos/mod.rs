//! Chaos: the real program against the shipped simulator with its faults, killed at random and right
//! after each stage of a turn, and started again. At the end come the books.
//!
//! `make test` runs a short one, `make chaos` as long a one as one likes. How many processes there
//! are, and on which store, is an [`Arrangement`]; the rest of the run knows neither.

#![expect(clippy::print_stdout, reason = "the books are what it is for")]

mod books;
mod people;

use std::collections::BTreeMap;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::time::{Duration, Instant};

use fastrand::Rng;
use hark::clock::Clock;
use hark::remote::http_client;
use hark::simulator::{Door, FaultKind, FaultPlan, Simulator, SimulatorSettings, WebhookTarget};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::books::{ChaosBooks, Kill, SentRecord};
use self::people::{Crowd, PersonAsked};
use crate::harness::{APP_SECRET, NUMBER, TOKEN};
use crate::siege::fort::{Fort, FortSettings};
use crate::siege::number;

/// Engines with a pace, so that each stage lasts.
const ENGINES: &str = "[stt]\nengine = \"scripted\"\ntext = \"when do you open\"\n\
    [llm]\nengine = \"scripted\"\nfirst_token_ms = 60\ntokens_per_s = 200\n\
    [tts]\nengine = \"scripted\"\nfirst_audio_ms = 40\nrtf = 0.1\n";
/// Each stage says when it has worked.
const LOG: &str = "info,hark::pipeline::stage=trace";
/// Stages after which the program is killed, one after the other.
const STAGES: [&str; 10] =
    [WEBHOOK, "download", "decode", "vad", "stt", "llm", "tts", "encode", "upload", "send"];
/// Not of a turn: a message was answered 200.
const WEBHOOK: &str = "webhook";
/// The faults, unless others are named.
const FAULTS: &str = include_str!("../../../docs/faults.toml");
/// A stage that nobody comes to in this time is not waited for.
const STAGE_PATIENCE: Duration = Duration::from_secs(4);

/// How many processes serve the number, on which store.
struct Arrangement {
    nodes: usize,
    /// `[store] url`; a relative path is that of one process.
    store: &'static str,
}

impl Arrangement {
    const ONE_NODE_ON_SQLITE: Self = Self { nodes: 1, store: "hark.db" };
}

/// How long it lasts, and what goes wrong.
struct ChaosPlan {
    seed: u64,
    kills: u64,
    people: usize,
    /// Each says something about once in this time.
    pace: Duration,
    faults: FaultPlan,
    /// How long nothing may come before it is believed that nothing will.
    quiet: Duration,
    /// By then everybody is answered.
    drained: Duration,
}

impl ChaosPlan {
    /// Takes from the environment what `make chaos` sets.
    fn read() -> Self {
        let faults = FaultPlan::read(FAULTS).expect("the example can be read");
        // A message of which no status comes is what the window is about.
        let faults = faults.with(FaultKind::StatusLost, 0.6);
        let long = number("HARK_CHAOS_KILLS");
        Self {
            seed: number("HARK_CHAOS_SEED").unwrap_or(1),
            kills: long.unwrap_or(8),
            people: if long.is_some() { 20 } else { 8 },
            // Faults hold a lane back longer than kills do.
            pace: Duration::from_millis(if long.is_some() { 2_500 } else { 900 }),
            // A token that is refused is waited for five minutes.
            faults: if long.is_some_and(|kills| kills >= 500) {
                faults
            } else {
                faults.with(FaultKind::TokenRefused, 0.0)
            },
            quiet: Duration::from_secs(if long.is_some() { 20 } else { 9 }),
            drained: Duration::from_mins(if long.is_some() { 20 } else { 4 }),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_on_one_node_with_sqlite_costs_no_message_and_answers_each_once() {
    Chaos::begin(ChaosPlan::read(), Arrangement::ONE_NODE_ON_SQLITE).await.run().await;
}

/// Everything around the program.
struct Chaos {
    plan: ChaosPlan,
    simulator: Simulator,
    forts: Vec<Fort>,
    random: Rng,
    clock: Clock,
    /// Everything that was sent: the simulator forgets what is old.
    sent: SentRecord,
}

impl Chaos {
    async fn begin(plan: ChaosPlan, arrangement: Arrangement) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let graph = format!("http://{}", listener.local_addr().unwrap());
        let settings =
            FortSettings { graph: &graph, engines: ENGINES, store: arrangement.store, log: LOG };
        let mut forts: Vec<Fort> = (0..arrangement.nodes).map(|_| Fort::build(&settings)).collect();
        let clock = Clock::System;
        let settings = SimulatorSettings {
            webhook: forts[0].url("/webhook").parse().unwrap(),
            app_secret: APP_SECRET.into(),
            door: Door::Meta,
            phone_number_id: NUMBER.into(),
            access_token: Some(TOKEN.into()),
            public_url: None,
            clock: clock.clone(),
            id_seed: "chaos".to_owned(),
        };
        let simulator =
            Simulator::with_faults(settings, http_client(), plan.faults.clone(), plan.seed);
        tokio::spawn(simulator.clone().serve(listener, CancellationToken::new()));
        for fort in &mut forts {
            fort.start().await;
        }
        let random = Rng::with_seed(plan.seed);
        Self { plan, simulator, forts, random, clock, sent: SentRecord::default() }
    }

    async fn run(mut self) {
        println!("seed {}, {} kills, {} people", self.plan.seed, self.plan.kills, self.plan.people);
        let (crowd, stop) = (Crowd::default(), CancellationToken::new());
        let writing =
            crowd.write(&self.simulator, self.plan.people, self.plan.pace, self.plan.seed, &stop);
        let mut kills = Vec::new();
        for nth in 0..self.plan.kills {
            kills.push(self.kill(nth, &crowd).await);
            self.sent.note(self.simulator.sent());
        }
        stop.cancel();
        writing.join_all().await;
        let asked = crowd.asked();
        let drained = self.drain(&asked).await;

        let logs: Vec<String> = self.forts.iter().map(Fort::log).collect();
        let books =
            ChaosBooks::of(&asked, self.sent.all(), &kills, &books::assumed(&logs.concat()));
        println!("{books}");
        println!("{}", told(&kills, &books));
        println!("faults: {}", self.faults());
        std::fs::write(concat!(env!("CARGO_TARGET_TMPDIR"), "/chaos.log"), logs.concat()).unwrap();
        assert!(asked.len() > self.plan.people, "nobody was there");
        assert!(logs.iter().all(|log| !log.contains("panicked")), "it panicked");
        assert!(drained, "not answered in {:?}: {:?}", self.plan.drained, books.lost);
        assert_eq!((&books.lost, &books.out_of_order), (&vec![], &vec![]));
        assert_eq!(books.unexplained, Vec::<String>::new());
    }

    /// Kills one of the processes and starts it again; meanwhile webhooks go to the next one.
    async fn kill(&mut self, nth: u64, crowd: &Crowd) -> Kill {
        let place = self.random.usize(..self.forts.len());
        let next = (place + 1) % self.forts.len();
        let mut after = None;
        if nth.is_multiple_of(2) {
            tokio::time::sleep(Duration::from_millis(self.random.u64(50..1_500))).await;
        } else {
            let stage = STAGES[usize::try_from(nth / 2).unwrap() % STAGES.len()];
            let came = match stage {
                WEBHOOK => crowd.is_answered(STAGE_PATIENCE).await,
                stage => worked(&self.forts[place], stage).await,
            };
            after = came.then_some(stage);
        }
        self.forts[place].kill().await;
        let at_ms = self.clock.now_ms();
        let url = self.forts[next].url("/webhook").parse().unwrap();
        self.simulator.send_webhooks_to(WebhookTarget { url, headers: Vec::new() });
        self.forts[place].start().await;
        Kill { at_ms, after }
    }

    /// Waits until everybody is answered, and for what may come in spite of it; `false` if somebody was
    /// not answered in good time.
    async fn drain(&mut self, asked: &[PersonAsked]) -> bool {
        let began = Instant::now();
        let mut seen = (0, Instant::now());
        loop {
            self.simulator.settled().await;
            self.sent.note(self.simulator.sent());
            let sent = self.sent.all();
            if seen.0 != sent.len() {
                seen = (sent.len(), Instant::now());
            }
            let logs: String = self.forts.iter().map(Fort::log).collect();
            let answered = ChaosBooks::of(asked, sent, &[], &books::assumed(&logs)).lost.is_empty();
            if answered && seen.1.elapsed() > self.plan.quiet {
                return true;
            }
            if began.elapsed() > self.plan.drained {
                return false;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// What the simulator did.
    fn faults(&self) -> String {
        let report = self.simulator.faults();
        let kinds = report["faults"].as_object().unwrap();
        let done = kinds.iter().map(|(kind, about)| (kind, about["done"].as_u64().unwrap()));
        let done = done.filter(|(_, done)| *done > 0);
        done.map(|(kind, done)| format!("{kind} {done}")).collect::<Vec<_>>().join(", ")
    }
}

/// Waits until a stage of some turn has worked, as the log says; `false` if none did in good time.
async fn worked(fort: &Fort, stage: &str) -> bool {
    let mut log = std::fs::File::open(fort.log_path()).unwrap();
    log.seek(SeekFrom::End(0)).unwrap();
    let (mut new, ends) = (String::new(), format!("worked stage.name={stage}"));
    let began = Instant::now();
    while began.elapsed() < STAGE_PATIENCE {
        let mut bytes = Vec::new();
        log.read_to_end(&mut bytes).unwrap();
        new.push_str(&String::from_utf8_lossy(&bytes));
        if new.lines().any(|line| line.contains(&ends)) {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    false
}

/// Says when it was killed, and after which kills something was sent twice.
fn told(kills: &[Kill], books: &ChaosBooks) -> String {
    let mut by_moment: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for kill in kills {
        by_moment.entry(kill.after.unwrap_or("any time")).or_default().0 += 1;
    }
    for kill in &books.after_kills {
        by_moment.entry(kill.after.unwrap_or("any time")).or_default().1 += 1;
    }
    let moments = by_moment.iter().map(|(moment, (kills, twice))| {
        format!(
            "{moment} {kills}{}",
            if *twice > 0 { format!(" ({twice} sent twice)") } else { String::new() }
        )
    });
    format!("killed after: {}", moments.collect::<Vec<_>>().join(", "))
}
