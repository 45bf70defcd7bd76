//! Measures what a lease costs beside what waits, a whole turn of the queue: accepted, leased, done; and
//! what is written of a turn, with and without prices and credits, and with and without events.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use hark::store::{Access, SqlStore};
use hark::store::{
    AccountChange, BalanceChange, Books as _, Disposition, Draft, Lessee, Queue as _, Record as _,
    WarningChange,
};
use hark::turn::{
    About, Body, ContactRef, Content, EnginesUsed, Inbound, NodeId, Outcome, Personal, Role, Spent,
    TurnReport,
};
use hark::usage::CreditScope;
use rusqlite::Connection;
use tokio::runtime::Runtime;

/// Messages that are accepted at a time.
const BATCH: usize = 1000;

fn message(person: usize, count: usize) -> (Inbound, Disposition) {
    let phone = Some(Personal::from(format!("1555{person:07}").as_str()));
    let message = Inbound {
        number: "100000000000001".into(),
        id: format!("wamid.{person}.{count}").as_str().into(),
        from: Some(ContactRef { user_id: None, phone, profile_name: None }),
        raw_type: "text".to_owned(),
        body: Body::Text { text: "hi".into() },
        about: About::default(),
        sent_at_ms: 0,
    };
    (message, Disposition::Queue)
}

/// Opens a store in which so many messages wait, of people who each sent `each`.
fn waiting(runtime: &Runtime, folder: &Path, messages: usize, each: usize) -> SqlStore {
    let store = SqlStore::open(folder.join("hark.db"), Access::Serve).expect("it opens");
    let all: Vec<_> = (0..messages).map(|n| message(n / each, n % each)).collect();
    for batch in all.chunks(BATCH) {
        runtime.block_on(store.accept(batch.to_vec(), 1)).expect("it is stored");
    }
    store
}

fn lessee() -> Lessee {
    Lessee { node: NodeId("bench".to_owned()), until_ms: 60_000 }
}

/// A lease, and giving it back: two commits.
fn lease(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("threads start");
    let mut group = criterion.benchmark_group("store/lease_and_release");
    for (messages, each) in [(1, 1), (10_000, 1), (100_000, 1), (10_000, 10_000)] {
        let folder = tempfile::tempdir().expect("there is room");
        let store = waiting(&runtime, folder.path(), messages, each);
        let name = format!("{messages} waiting, {each} of each");
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.to_async(&runtime).iter(async || {
                let leases = store.lease(&lessee(), 1, 2).await.expect("the store answers");
                store.release(&leases[0].key(), 1, false).await.expect("the store answers")
            });
        });
    }
    group.finish();
}

/// A message that comes, is leased and is done, beside what waits for later.
fn turn(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("threads start");
    let mut group = criterion.benchmark_group("store/turn");
    for waiting_of_one in [1, 10_000] {
        let folder = tempfile::tempdir().expect("there is room");
        let store = waiting(&runtime, folder.path(), waiting_of_one, waiting_of_one);
        let mut count = waiting_of_one;
        group.bench_function(BenchmarkId::from_parameter(waiting_of_one), |bencher| {
            bencher.iter(|| {
                count += 1;
                runtime.block_on(async {
                    store.accept(vec![message(0, count)], 1).await.expect("it is stored");
                    let leases = store.lease(&lessee(), 1, 2).await.expect("the store answers");
                    black_box(store.ack(&leases[0].key()).await.expect("the store answers"))
                })
            });
        });
    }
    group.finish();
}

/// What is written of a turn that is answered at once: two commits, whatever is counted beside it.
fn record(criterion: &mut Criterion) {
    const PRICES: &str = r#"{"currency":"USD","llm":{"*":{"input":"0.15","output":"0.60"}},
        "tts":{"*":{"million_chars":"15"}},"message":"0.0041"}"#;
    let runtime = Runtime::new().expect("threads start");
    let mut group = criterion.benchmark_group("store/begin_and_finish");
    for counted in [false, true] {
        let folder = tempfile::tempdir().expect("there is room");
        let store = waiting(&runtime, folder.path(), 0, 1);
        if counted {
            runtime.block_on(async {
                let prices = serde_json::from_str(PRICES).expect("it is a book");
                store.add_prices(prices, 1).await.expect("it is kept");
                let accounts =
                    [(CreditScope::Number, "100000000000001"), (CreditScope::Agent, "bench")];
                let balance = BalanceChange::Set(1 << 40);
                let warning = WarningChange::Set(Some(9));
                let change = AccountChange { balance, warning };
                for (scope, name) in accounts {
                    let made = store.change_account(scope, name, change, 0, 1).await;
                    made.expect("it is kept");
                }
            });
        }
        let name = if counted { "prices and credits" } else { "neither" };
        let mut count = 0;
        let draft = answer();
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.iter_custom(|turns| {
                let mut took = Duration::ZERO;
                for _ in 0..turns {
                    count += 1;
                    took += runtime.block_on(async {
                        store.accept(vec![message(0, count)], 1).await.expect("it is stored");
                        let leases = store.lease(&lessee(), 1, 2).await.expect("it answers");
                        let started = Instant::now();
                        let begun = store.begin(&leases[0], "bench".into(), 0.0, 2).await;
                        black_box(begun.expect("it is recorded"));
                        let finished = store.finish(&leases[0], &draft, 2).await;
                        black_box(finished.expect("it is recorded"));
                        let took = started.elapsed();
                        store.ack(&leases[0].key()).await.expect("it answers");
                        took
                    });
                }
                took
            });
        });
    }
    group.finish();
}

/// All that the store does for a turn with one text, with its events and with none: a trigger drops
/// them.
fn events(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("threads start");
    let mut group = criterion.benchmark_group("store/whole_turn");
    for told in [true, false] {
        let folder = tempfile::tempdir().expect("there is room");
        let store = waiting(&runtime, folder.path(), 0, 1);
        if !told {
            let file = Connection::open(folder.path().join("hark.db")).expect("it opens");
            let drop_all = "CREATE TRIGGER dropped BEFORE INSERT ON events
                            BEGIN SELECT RAISE(IGNORE); END";
            file.execute_batch(drop_all).expect("it is made");
        }
        let name = if told { "with events" } else { "without" };
        let (mut count, draft) = (0, answer());
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.to_async(&runtime).iter(|| {
                count += 1;
                whole_turn(&store, &draft, count)
            });
        });
    }
    group.finish();
}

async fn whole_turn(store: &SqlStore, draft: &Draft, count: usize) {
    store.accept(vec![message(0, count)], 1).await.expect("it is stored");
    let lease = store.lease(&lessee(), 1, 2).await.expect("it answers").remove(0);
    store.begin(&lease, "bench".into(), 0.0, 2).await.expect("it is recorded");
    store.draft(&lease, draft).await.expect("it is recorded");
    let part = (Role::Answer, Content::Text("yes".into()));
    let part = store.plan(&lease, vec![part].into(), 2).await.expect("it is recorded")[0].index;
    let id = format!("out.{count}").as_str().into();
    store.settle(&lease.turn, part, Ok(id), 2).await.expect("it is recorded");
    store.finish(&lease, draft, 2).await.expect("it is recorded");
    store.ack(&lease.key()).await.expect("it answers");
}

/// The end of a turn that a model answered.
fn answer() -> Draft {
    let mut spent =
        Spent { prompt_tokens: 900, completion_tokens: 90, answers: 1, ..Spent::default() };
    spent.by.answered_by("openai/m");
    let report = TurnReport {
        transcript: None,
        reply: Personal::from("yes").into(),
        disclosure: None,
        audio: None,
        engines: EnginesUsed::default(),
        sources: Vec::new(),
        tools: Vec::new(),
        stages: Vec::new(),
        total_ms: 2.0,
        overhead_ms: 1.0,
        burst_ms: None,
        spent,
        ticket: None,
        outcome: Outcome::Text,
        reason: None,
    };
    Draft { heard: Some("hi".into()), language: None, report }
}

criterion_group!(benches, lease, turn, record, events);
criterion_main!(benches);
