//! Runs leased turns: one lane's in order and one at a time, different lanes side by side.
//!
//! The store decides what may be leased, so the order holds across restarts. This loop only
//! wakes up: when something arrived, when a turn ended, when a waiting message is due, and while
//! turns run often enough to keep their leases.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::clock_watch::ClockWatch;
use super::places::{Allowed, TurnPlaces};
use super::retry::LONGEST;
use super::running::{Running, RunningTurns};
use super::{Cancel, CancelReason, Handled, JobHandler, News, Wake, back_off};
use crate::clock::{Clock, as_ms};
use crate::store::{Lapsed, Lease, LeaseKey, Lessee, Queue, StoreError, Tenure};
use crate::telemetry;
use crate::turn::NodeId;

/// How often a node says that it lives, and looks by itself.
#[derive(Clone, Copy, Debug)]
pub struct LeasePace {
    /// How long a lease holds unless it is renewed, and so how long another node waits before it takes
    /// over from one that died.
    lease: Duration,
    /// Time between two renewals of a lease: three may fail before it expires.
    heartbeat: Duration,
    /// Longest time between two looks at the queue and the clock.
    look: Duration,
    /// Wait for a lane that somebody held for a moment.
    held: Option<Duration>,
}

impl LeasePace {
    /// Returns that of a process that has its store for itself.
    pub const fn alone() -> Self {
        let (lease, heartbeat) = (Duration::from_mins(1), Duration::from_secs(15));
        // What a command lets be tried again is begun soon.
        Self { lease, heartbeat, look: Duration::from_secs(2), held: None }
    }

    /// Returns that of processes that share one: a dead one's turns go on elsewhere within 5 s.
    pub const fn shared() -> Self {
        let (lease, heartbeat) = (Duration::from_millis(3_600), Duration::from_millis(900));
        let held = Some(Duration::from_millis(10));
        Self { lease, heartbeat, look: Duration::from_secs(1), held }
    }
}

/// Wait for the status of a part that may have been sent before a crash.
const STATUS_GRACE_MS: i64 = 5_000;

/// How long a turn that is cut off may take to be given back.
const GIVE_BACK: Duration = Duration::from_millis(800);

/// Wait after the store failed, before it is asked again.
const STORE_RETRY: Duration = Duration::from_millis(500);

/// Leases what is due and runs it.
pub struct Lanes {
    queue: Arc<dyn Queue>,
    handler: Arc<dyn JobHandler>,
    clock: Clock,
    wake: Wake,
    node: NodeId,
    pace: LeasePace,
    running: TaskTracker,
    places: TurnPlaces,
    held: RunningTurns,
    started: AtomicU64,
}

impl Lanes {
    /// Builds the loop of `node`, which runs up to `turns` side by side, and beyond them a few of a
    /// number that has few; the inbox wakes it.
    pub fn new(
        queue: Arc<dyn Queue>,
        handler: Arc<dyn JobHandler>,
        clock: Clock,
        wake: Wake,
        turns: usize,
        (node, pace): (NodeId, LeasePace),
    ) -> Self {
        let (running, places) = (TaskTracker::new(), TurnPlaces(turns));
        let (held, started) = (RunningTurns::default(), AtomicU64::new(0));
        Self { queue, handler, clock, wake, node, pace, running, places, held, started }
    }

    /// Returns what reaches the turns that run.
    pub fn running(&self) -> RunningTurns {
        self.held.clone()
    }

    /// Puts back what an earlier process had leased, then runs until `stop`; turns that run then
    /// are finished. `abort` cancels them too: they are leased again at the next start.
    pub async fn run(&self, stop: CancellationToken, abort: CancellationToken) {
        let predecessors = || Lapsed::Predecessor(self.node.clone());
        while !stop.is_cancelled() && !self.reclaim(predecessors(), self.clock.now_ms()).await {
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(STORE_RETRY) => {}
            }
        }
        self.cut_waits().await;
        let mut watch = ClockWatch::new(self.clock.now_ms());
        let mut beat = Instant::now();
        while !stop.is_cancelled() {
            if beat.elapsed() >= self.pace.heartbeat {
                self.heartbeat().await;
                beat = Instant::now();
            }
            if watch.was_set(self.clock.now_ms()) {
                self.cut_waits().await;
            }
            let mut wait = self.lease_all(&abort).await.min(self.pace.look);
            if !self.running.is_empty() || self.pace.held.is_some() {
                wait = wait.min(self.pace.heartbeat.saturating_sub(beat.elapsed()));
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.wake.woken() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
        self.running.close();
        while tokio::time::timeout(self.pace.heartbeat, self.running.wait()).await.is_err() {
            self.heartbeat().await;
        }
    }

    /// Puts back leases that have lapsed by `now_ms`; returns whether the store did it.
    async fn reclaim(&self, lapsed: Lapsed, now_ms: i64) -> bool {
        match self.queue.reclaim(lapsed, now_ms, now_ms + STATUS_GRACE_MS).await {
            Ok(0) => {}
            Ok(messages) => tracing::info!(messages, "unfinished messages are taken up again"),
            Err(error) => {
                error.log("unfinished messages could not be read");
                return false;
            }
        }
        true
    }

    /// Makes messages due that would wait longer than any back-off: the clock was set back since they
    /// began to. One whose provider asked for more is only tried early.
    async fn cut_waits(&self) {
        let now_ms = self.clock.now_ms();
        match self.queue.cut_waits(now_ms + as_ms(LONGEST), now_ms).await {
            Ok(0) => {}
            Ok(messages) => {
                telemetry::waits_cut(messages as u64);
                tracing::warn!(
                    messages,
                    "messages waited for a time that is far away: they are due"
                );
            }
            Err(error) => error.log("waits could not be cut"),
        }
    }

    /// Renews the leases of this node, cancels turns whose lease was lost, and only then takes over
    /// what others let expire. Runs between two leases, never beside one, and judges by the time
    /// that it renewed at: a clock that jumps cannot make the node reclaim from itself.
    async fn heartbeat(&self) {
        let now_ms = self.clock.now_ms();
        let held = self.held.held().clone();
        let lessee = self.lessee(now_ms);
        let running: Vec<Running> = held.into_values().collect();
        let keys: Vec<LeaseKey> = running.iter().map(|running| running.key.clone()).collect();
        if !keys.is_empty() {
            let tenures = match self.queue.renew(&lessee, &keys).await {
                Ok(tenures) => tenures,
                Err(error) => {
                    error.log("leases could not be renewed");
                    return;
                }
            };
            for (running, tenure) in running.iter().zip(tenures) {
                match tenure {
                    Tenure::Held => running.time.renew(lessee.until_ms),
                    Tenure::Lost => running.cancel.cancel(CancelReason::LeaseLost),
                }
            }
        }
        self.reclaim(Lapsed::Expired, now_ms).await;
    }

    /// Names this node, with leases as of `now_ms`.
    fn lessee(&self, now_ms: i64) -> Lessee {
        Lessee { node: self.node.clone(), until_ms: now_ms + as_ms(self.pace.lease) }
    }

    /// Leases and starts everything that is due; returns how long nothing else can be.
    async fn lease_all(&self, abort: &CancellationToken) -> Duration {
        let result = async {
            loop {
                let Allowed { limit, without } = self.allowed();
                let now_ms = self.clock.now_ms();
                let lessee = self.lessee(now_ms);
                let leases = self.queue.lease_without(&without, &lessee, limit, now_ms).await?;
                if leases.is_empty() {
                    let due_ms = self.queue.next_due_ms().await?;
                    return Ok::<_, StoreError>((due_ms, now_ms));
                }
                for lease in leases {
                    self.start(lease, abort);
                }
            }
        };
        match result.await {
            // Counted from the time the lease knew: what became due since is leased at once.
            Ok((Some(due_ms), leased_ms)) if due_ms > leased_ms => {
                let wait_ms = due_ms - self.clock.now_ms();
                Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0))
            }
            // What was due waits for a place, and ends of turns wake us; or somebody held its lane while
            // we looked.
            Ok((Some(_), _)) if self.allowed().limit > 0 => {
                self.pace.held.unwrap_or(self.pace.look)
            }
            Ok(_) => self.pace.look,
            Err(error) => {
                error.log("messages could not be leased");
                STORE_RETRY
            }
        }
    }

    /// Returns what may be leased beside what runs.
    fn allowed(&self) -> Allowed {
        let held = self.held.held();
        self.places.allow(held.values().map(|running| &running.lane.number))
    }

    /// Starts a turn, and records its end when it has one.
    fn start(&self, lease: Lease, abort: &CancellationToken) {
        let (queue, handler) = (Arc::clone(&self.queue), Arc::clone(&self.handler));
        let (clock, wake, held) = (self.clock.clone(), self.wake.clone(), self.held.clone());
        let (key, cancel, abort) = (lease.key(), Cancel::under(abort), abort.clone());
        let attempt = lease.attempt;
        let count = self.started.fetch_add(1, Ordering::Relaxed);
        let news = News::default();
        let running = Running {
            key: key.clone(),
            turn: lease.turn.clone(),
            lane: lease.lane.clone(),
            contact: lease.contact.clone(),
            cancel: cancel.clone(),
            news: news.clone(),
            time: lease.time.clone(),
        };
        held.held().insert(count, running);
        let turn = tokio::spawn(async move { handler.handle(lease, cancel, news).await });
        self.running.spawn(async move {
            // A turn that panicked is tried again like one whose process died.
            let handled = turn.await.unwrap_or_else(|error| {
                // The message of a panic may quote what it choked on.
                tracing::error!(panicked = error.is_panic(), "a turn panicked");
                Handled::RetryAfter(Duration::from_secs(1))
            });
            tokio::select! {
                // First, so that what a cancelled turn gives back counts no attempt.
                biased;
                () = leave(queue.as_ref(), &clock, &key, handled, attempt) => {}
                () = async { abort.cancelled().await; tokio::time::sleep(GIVE_BACK).await } => {}
            }
            held.held().remove(&count);
            wake.wake();
        });
    }
}

/// Records what became of a lease, however long the store is away: messages that stayed leased would
/// hold their lane until the lease expires.
async fn leave(queue: &dyn Queue, clock: &Clock, lease: &LeaseKey, handled: Handled, attempt: u32) {
    let release = async |wait: Duration, was_attempt| {
        let wait_ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX / 2);
        queue.release(lease, clock.now_ms() + wait_ms, was_attempt).await
    };
    loop {
        let result = match handled {
            Handled::Done => queue.ack(lease).await,
            Handled::RetryAfter(wait) => release(clock.spread(back_off(wait, attempt)), true).await,
            Handled::RetryIn(wait) => release(clock.spread(wait), true).await,
            Handled::Postpone(wait) => release(wait, false).await,
        };
        match result {
            Ok(Tenure::Held) => return,
            Ok(Tenure::Lost) => {
                tracing::warn!("a turn ended whose lease had passed on to another node");
                return;
            }
            Err(error) => error.log("a turn's end could not be noted"),
        }
        tokio::time::sleep(STORE_RETRY).await;
    }
}
