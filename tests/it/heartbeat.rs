//! A node keeps the leases of turns that run, and ends those whose lease it lost.
//!
//! Tokio's time is paused and runs ahead whenever all wait; the messages' clock is moved by hand.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hark::clock::Clock;
use hark::queue::lanes::{Lanes, LeasePace};
use hark::queue::{Cancel, CancelReason, Handled, JobHandler, News, Wake};
use hark::store::{Access, SqlStore};
use hark::store::{Archive as _, Lapsed, Lease, Lessee, Queue, Tenure};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use crate::conformance::text;

/// A handler whose turns last until they are allowed to end or are cancelled.
struct Waits {
    may_end: Semaphore,
    began: mpsc::Sender<u32>,
    ended: mpsc::Sender<Option<CancelReason>>,
}

#[async_trait]
impl JobHandler for Waits {
    async fn handle(&self, lease: Lease, cancel: Cancel, _news: News) -> Handled {
        self.began.send(lease.attempt).await.unwrap();
        tokio::select! {
            _ = self.may_end.acquire() => {}
            () = cancel.token().cancelled() => {}
        }
        self.ended.send(cancel.reason()).await.unwrap();
        Handled::Done
    }
}

/// Lanes that have begun the turn of one message.
struct World {
    store: Arc<SqlStore>,
    clock: Clock,
    handler: Arc<Waits>,
    began: mpsc::Receiver<u32>,
    ended: mpsc::Receiver<Option<CancelReason>>,
    stop: CancellationToken,
    lanes: tokio::task::JoinHandle<()>,
    _folder: tempfile::TempDir,
}

impl World {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hark.db");
        let store = Arc::new(SqlStore::open(&path, Access::Serve).unwrap());
        let clock = Clock::manual(1_000);
        store.accept(vec![text("1")], 1_000).await.unwrap();
        let ((began, begins), (ended, ends)) = (mpsc::channel(9), mpsc::channel(9));
        let handler = Arc::new(Waits { may_end: Semaphore::new(0), began, ended });
        let (queue, jobs) = (Arc::clone(&store) as _, Arc::clone(&handler) as _);
        let lanes = Lanes::new(
            queue,
            jobs,
            clock.clone(),
            Wake::default(),
            2,
            ("a".into(), LeasePace::alone()),
        );
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let lanes = tokio::spawn(async move { lanes.run(stopped, CancellationToken::new()).await });
        let mut world = Self {
            store,
            clock,
            handler,
            began: begins,
            ended: ends,
            stop,
            lanes,
            _folder: folder,
        };
        assert_eq!(world.began.recv().await, Some(1));
        world
    }

    /// Lets a minute of tokio's time pass, and with it some heartbeats. Each second waits for the
    /// store's threads, which do not know of that time, to do what they were asked before.
    async fn pass(&self) {
        let nobody = Lessee { node: "nobody".into(), until_ms: 0 };
        for _ in 0..60 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert!(self.store.renew(&nobody, &[]).await.unwrap().is_empty());
            self.store.messages(0).await.unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_running_turn_keeps_its_lease_however_the_clock_jumps() {
    let mut world = World::start().await;
    for _ in 0..3 {
        world.clock.advance(24 * 60 * 60 * 1000);
        world.pass().await;
    }
    let expired = world.store.reclaim(Lapsed::Expired, world.clock.now_ms(), 0).await.unwrap();
    assert_eq!(expired, 0, "it was renewed");
    // Also while the process waits for its last turns.
    world.stop.cancel();
    world.clock.advance(24 * 60 * 60 * 1000);
    world.pass().await;
    let expired = world.store.reclaim(Lapsed::Expired, world.clock.now_ms(), 0).await.unwrap();
    assert_eq!(expired, 0, "it was renewed");
    world.handler.may_end.add_permits(1);
    assert_eq!(world.ended.recv().await, Some(None));
    world.lanes.await.unwrap();
    assert_eq!(world.store.messages(0).await.unwrap().done, 1);
    assert!(world.began.try_recv().is_err(), "it ran once");
}

#[tokio::test(start_paused = true)]
async fn a_turn_whose_lease_another_node_has_is_cancelled_and_changes_nothing() {
    let mut world = World::start().await;
    world.clock.advance(60_000);
    let now_ms = world.clock.now_ms();
    let other = Lessee { node: "b".into(), until_ms: now_ms + 600_000 };
    // Together, so that no heartbeat comes between.
    let (reclaimed, leases) = tokio::join!(
        world.store.reclaim(Lapsed::Expired, now_ms, now_ms),
        world.store.lease(&other, 1, now_ms)
    );
    assert_eq!(reclaimed.unwrap(), 1);
    let lease = leases.unwrap().remove(0);
    assert_eq!(world.ended.recv().await, Some(Some(CancelReason::LeaseLost)));
    world.pass().await;
    assert_eq!(world.store.messages(now_ms).await.unwrap().leased, 1);
    assert_eq!(world.store.ack(&lease.key()).await.unwrap(), Tenure::Held);
    world.stop.cancel();
    world.lanes.await.unwrap();
    assert!(world.began.try_recv().is_err(), "it did not run here again");
}

#[tokio::test(start_paused = true)]
async fn a_message_of_a_node_that_died_is_taken_over() {
    let mut world = World::start().await;
    world.handler.may_end.add_permits(1);
    assert_eq!(world.ended.recv().await, Some(None));
    let dead = Lessee { node: "b".into(), until_ms: world.clock.now_ms() + 60_000 };
    let (accepted, leases) = tokio::join!(
        world.store.accept(vec![text("2")], 1_000),
        world.store.lease(&dead, 1, 1_000)
    );
    assert_eq!((accepted.unwrap().len(), leases.unwrap().len()), (1, 1));
    world.pass().await;
    assert!(world.began.try_recv().is_err(), "its node may live");
    world.clock.advance(60_000);
    assert_eq!(world.began.recv().await, Some(2));
    world.handler.may_end.add_permits(1);
    world.stop.cancel();
    world.lanes.await.unwrap();
}
