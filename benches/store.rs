//! Measures what a lease costs beside what waits, and a whole turn of the queue: accepted, leased, done.

use std::hint::black_box;
use std::path::Path;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use hark::store::sqlite::{Access, SqliteStore};
use hark::store::{Disposition, Lessee, Queue as _};
use hark::turn::{About, Body, ContactRef, Inbound, NodeId, Personal};
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
fn waiting(runtime: &Runtime, folder: &Path, messages: usize, each: usize) -> SqliteStore {
    let store = SqliteStore::open(&folder.join("hark.db"), Access::Serve).expect("it opens");
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

criterion_group!(benches, lease, turn);
criterion_main!(benches);
