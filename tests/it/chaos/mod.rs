//! Chaos: the real program against the shipped simulator with its faults, killed at random and right
//! after each stage of a turn, and started again. Where several processes share their servers, those
//! and what is between are struck, too. At the end come the books.
//!
//! `make test` runs short ones, `make chaos` as long ones as one likes. How many processes there are, and
//! on which store, is an [`Arrangement`]. What a run leaves goes with it, unless it fails: then it says
//! where that is, and the next run takes it away.

#![expect(clippy::print_stdout, reason = "the books are what it is for")]

mod books;
mod harm;
mod link;
mod people;
mod place;
mod strikes;
mod traces;

use std::collections::{BTreeMap, HashMap};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::time::{Duration, Instant};

use fastrand::Rng;
use hark::clock::Clock;
use hark::remote::http_client;
use hark::simulator::{Door, FaultKind, FaultPlan, Simulator, SimulatorSettings, WebhookTarget};
use hark::turn::TurnId;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::books::{ChaosBooks, SentRecord};
use self::harm::{Blow, Harm, HarmKind, Servers, Standing};
use self::people::{Crowd, PersonAsked};
use self::traces::Traces;
use crate::harness::database::sqlite_rows;
use crate::harness::{APP_SECRET, NUMBER, TOKEN, postgres};
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Arrangement {
    /// One, on a file of its own.
    OneOnSqlite,
    /// Three, on one PostgreSQL and one Redis.
    ThreeOnPostgres,
}

impl Arrangement {
    fn nodes(self) -> usize {
        if self == Self::OneOnSqlite { 1 } else { 3 }
    }
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
    /// After so many kills something else is struck.
    kills_a_blow: u64,
}

impl ChaosPlan {
    /// Takes from the environment what `make chaos` sets.
    fn read(arrangement: Arrangement) -> Self {
        let faults = FaultPlan::read(FAULTS).expect("the example can be read");
        // A message of which no status comes is what the window is about.
        let mut faults = faults.with(FaultKind::StatusLost, 0.6);
        if arrangement == Arrangement::ThreeOnPostgres {
            // A thousand messages are six thousand statements there, all over a proxy of the test's.
            faults = faults.with(FaultKind::Batch, 0.003);
        }
        let long = number("HARK_CHAOS_KILLS");
        Self {
            seed: number("HARK_CHAOS_SEED").unwrap_or(1),
            kills: long.unwrap_or(if arrangement == Arrangement::OneOnSqlite { 8 } else { 6 }),
            people: match (long, arrangement) {
                (Some(_), Arrangement::OneOnSqlite) => 20,
                (Some(_), Arrangement::ThreeOnPostgres) => 12,
                (None, _) => 8,
            },
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
            kills_a_blow: if long.is_some() { 8 } else { 1 },
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_on_one_node_with_sqlite_costs_no_message_and_answers_each_once() {
    Chaos::begin(Arrangement::OneOnSqlite).await.run().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_on_three_nodes_with_postgresql_and_redis_costs_no_message_and_answers_each_once() {
    Chaos::begin(Arrangement::ThreeOnPostgres).await.run().await;
}

/// Everything around the program.
struct Chaos {
    plan: ChaosPlan,
    simulator: Simulator,
    forts: Vec<Fort>,
    /// What the forts share, if they share anything.
    servers: Option<Servers>,
    random: Rng,
    clock: Clock,
    /// Everything that was sent: the simulator forgets what is old.
    sent: SentRecord,
    /// Everything that was done.
    harm: Vec<Harm>,
    /// Blows that last.
    standing: Vec<Standing>,
    /// Where webhooks go.
    target: usize,
}

impl Chaos {
    async fn begin(arrangement: Arrangement) -> Self {
        let plan = ChaosPlan::read(arrangement);
        place::clear();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let graph = format!("http://{}", listener.local_addr().unwrap());
        let nodes = arrangement.nodes();
        let servers = match arrangement {
            Arrangement::OneOnSqlite => None,
            Arrangement::ThreeOnPostgres => Some(Servers::start(nodes).await),
        };
        let mut forts: Vec<Fort> =
            (0..nodes).map(|node| fort(node, &graph, servers.as_ref())).collect();
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
        println!(
            "{arrangement:?}: seed {}, {} kills, {} people",
            plan.seed, plan.kills, plan.people
        );
        let random = Rng::with_seed(plan.seed);
        let (sent, harm, standing) = (SentRecord::default(), Vec::new(), Vec::new());
        Self { plan, simulator, forts, servers, random, clock, sent, harm, standing, target: 0 }
    }

    async fn run(mut self) {
        let (crowd, stop) = (Crowd::default(), CancellationToken::new());
        let writing =
            crowd.write(&self.simulator, self.plan.people, self.plan.pace, self.plan.seed, &stop);
        let mut blows = Blow::ALL.into_iter().cycle();
        for nth in 0..self.plan.kills {
            self.lift(false);
            if nth % self.plan.kills_a_blow == 0 && self.can_be_struck() {
                self.strike(blows.next().expect("it is a circle")).await;
            }
            self.kill(nth, &crowd).await;
            self.sent.note(self.simulator.sent());
        }
        self.lift_all().await;
        stop.cancel();
        writing.join_all().await;
        let asked = crowd.asked();
        let drained = self.drain(&asked).await;
        self.settle_up(&asked, drained);
    }

    /// Prints the books, and checks them.
    fn settle_up(&self, asked: &[PersonAsked], drained: bool) {
        let logs = self.logs();
        let asked = &self.by_turn(asked);
        let books = ChaosBooks::of(asked, self.sent.all(), &self.harm, &Traces::read(&logs));
        println!("{books}");
        println!("{}", told(&self.harm, &books));
        println!("faults: {}", self.faults());
        assert!(asked.len() > self.plan.people, "nobody was there");
        assert!(logs.iter().all(|log| !log.contains("panicked")), "it panicked");
        assert!(drained, "not answered in {:?}: {:?}", self.plan.drained, books.lost);
        assert_eq!((&books.lost, &books.out_of_order), (&vec![], &vec![]));
        assert_eq!(books.unexplained, Vec::<String>::new());
    }

    fn logs(&self) -> Vec<String> {
        self.forts.iter().map(Fort::log).collect()
    }

    /// Kills one of the processes that nothing stands against, and starts it again; meanwhile webhooks
    /// go to another, if there is one.
    async fn kill(&mut self, nth: u64, crowd: &Crowd) {
        let free = self.free();
        let place = free[self.random.usize(..free.len())];
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
        let what = HarmKind::Kill { after };
        self.harm.push(Harm { what, node: Some(place), from_ms: at_ms, until_ms: at_ms });
        self.send_webhooks_beside(place);
        self.forts[place].start().await;
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
            let traces = Traces::read(&self.logs());
            let asked = self.by_turn(asked);
            let answered = ChaosBooks::of(&asked, sent, &[], &traces).lost.is_empty();
            if answered && seen.1.elapsed() > self.plan.quiet {
                return true;
            }
            if began.elapsed() > self.plan.drained {
                return false;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// Names the turn of each message: of several that came in one breath that of the first.
    fn by_turn(&self, asked: &[PersonAsked]) -> Vec<PersonAsked> {
        let turns = "SELECT provider_id, turn FROM messages WHERE turn IS NOT NULL";
        let rows = match &self.servers {
            Some(servers) => postgres::rows(&servers.postgres.url(harm::DATABASE), turns),
            None => sqlite_rows(&self.forts[0].path("hark.db"), turns),
        };
        let turns: HashMap<String, String> =
            rows.into_iter().map(|mut row| (row.swap_remove(0), row.swap_remove(0))).collect();
        let of_turn = |asked: &PersonAsked| {
            let turn = turns.get(&asked.id).map(|turn| TurnId(turn.clone()));
            PersonAsked { turn: turn.unwrap_or(asked.turn.clone()), ..asked.clone() }
        };
        asked.iter().map(of_turn).collect()
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

impl Drop for Chaos {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let kept: Vec<_> = self.forts.iter_mut().map(Fort::keep).collect();
            if let Some(servers) = &self.servers {
                servers.postgres.save(harm::DATABASE, &kept[0]);
            }
            println!("what it left, until the next run: {kept:?}");
        }
    }
}

/// Prepares one of the processes.
fn fort(node: usize, graph: &str, servers: Option<&Servers>) -> Fort {
    let folder = place::folder(node);
    let Some(servers) = servers else {
        let (sections, store) = (ENGINES, "hark.db");
        return Fort::build(&FortSettings { graph, sections, store, log: LOG }, folder);
    };
    let sections = format!(
        "{ENGINES}[queue]\nnode = \"node-{node}\"\n[redis]\nurl = \"{}\"\n\
         [blobs]\nurl = \"{}\"\n",
        servers.redis.url(),
        servers.sounds().display()
    );
    let store = servers.url(node);
    Fort::build(&FortSettings { graph, sections: &sections, store: &store, log: LOG }, folder)
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
        if new.contains(&ends) {
            return true;
        }
        // The rest of a line comes later.
        new.drain(..new.rfind('\n').map_or(0, |end| end + 1));
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    false
}

/// Says what was done, and after which of it something was sent twice.
fn told(harm: &[Harm], books: &ChaosBooks) -> String {
    let moment = |harm: &Harm| match harm.what {
        HarmKind::Kill { after } => (0, after.unwrap_or("any time")),
        HarmKind::Blow(blow) => (1, blow.name()),
    };
    let mut by_moment: BTreeMap<(u8, &str), (usize, usize)> = BTreeMap::new();
    for harm in harm {
        by_moment.entry(moment(harm)).or_default().0 += 1;
    }
    for harm in &books.after_harm {
        by_moment.entry(moment(harm)).or_default().1 += 1;
    }
    let of = |kind| {
        let moments = by_moment.iter().filter(move |((of, _), _)| *of == kind);
        let moments = moments.map(|((_, moment), (done, twice))| {
            let twice = if *twice > 0 { format!(" ({twice} sent twice)") } else { String::new() };
            format!("{moment} {done}{twice}")
        });
        moments.collect::<Vec<_>>().join(", ")
    };
    let blows = of(1);
    let blows = if blows.is_empty() { blows } else { format!("\nbeside that: {blows}") };
    format!("killed after: {}{blows}", of(0))
}
