//! Runs leased messages: one lane's in order and one at a time, different lanes side by side.
//!
//! The store decides what may be leased, so the order holds across restarts. This loop only
//! wakes up: when something arrived, when a turn ended, or when a waiting message is due.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Handled, JobHandler};
use crate::clock::Clock;
use crate::store::{Job, Store, StoreError};

/// How long the status of a part that may have been sent before a crash is waited for.
const STATUS_GRACE_MS: i64 = 5_000;

/// Wait after the store failed, before it is asked again.
const STORE_RETRY: Duration = Duration::from_millis(500);

/// The loop that leases and runs.
pub struct Lanes {
    store: Arc<dyn Store>,
    handler: Arc<dyn JobHandler>,
    clock: Clock,
    wake: Arc<Notify>,
    running: TaskTracker,
    places: Arc<Semaphore>,
}

impl Lanes {
    /// Builds the loop; `wake` is notified by the inbox. At most `turns` run side by side.
    pub fn new(
        store: Arc<dyn Store>,
        handler: Arc<dyn JobHandler>,
        clock: Clock,
        wake: Arc<Notify>,
        turns: usize,
    ) -> Self {
        let places = Arc::new(Semaphore::new(turns));
        Self { store, handler, clock, wake, running: TaskTracker::new(), places }
    }

    /// Puts back what an earlier process had leased, then runs until `stop`; turns that run then
    /// are finished. `abort` cancels them too: they are leased again at the next start.
    pub async fn run(&self, stop: CancellationToken, abort: CancellationToken) {
        self.recover(&stop).await;
        while !stop.is_cancelled() {
            let wait = self.lease_all(&abort).await;
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.wake.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
        self.running.close();
        self.running.wait().await;
    }

    async fn recover(&self, stop: &CancellationToken) {
        loop {
            let now_ms = self.clock.now_ms();
            match self.store.recover(now_ms, now_ms + STATUS_GRACE_MS).await {
                Ok(0) => return,
                Ok(messages) => {
                    tracing::info!(messages, "unfinished messages are taken up again");
                    return;
                }
                Err(error) => {
                    tracing::error!(error = %error, "unfinished messages could not be read");
                }
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(STORE_RETRY) => {}
            }
        }
    }

    /// Leases and starts everything that is due; returns how long nothing else can be.
    async fn lease_all(&self, abort: &CancellationToken) -> Duration {
        let result = async {
            loop {
                let free = self.places.available_permits();
                let now_ms = self.clock.now_ms();
                let jobs = self.store.lease(free, now_ms).await?;
                if jobs.is_empty() {
                    let due_ms = self.store.next_due_ms().await?;
                    return Ok::<_, StoreError>((due_ms, now_ms));
                }
                for job in jobs {
                    self.start(job, abort);
                }
            }
        };
        match result.await {
            // Counted from the time the lease knew: what became due since is leased at once.
            Ok((Some(due_ms), leased_ms)) if due_ms > leased_ms => {
                let wait_ms = due_ms - self.clock.now_ms();
                Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0))
            }
            // What was due waits for a place, and ends of turns wake us.
            Ok(_) => Duration::from_mins(1),
            Err(error) => {
                tracing::error!(error = %error, "messages could not be leased");
                STORE_RETRY
            }
        }
    }

    fn start(&self, job: Job, abort: &CancellationToken) {
        let place = Arc::clone(&self.places)
            .try_acquire_owned()
            .expect("only this loop takes places, and it leased no more than were free");
        let (store, handler) = (Arc::clone(&self.store), Arc::clone(&self.handler));
        let (clock, wake) = (self.clock.clone(), Arc::clone(&self.wake));
        let (row, cancel, abort) = (job.row, abort.child_token(), abort.clone());
        let turn = tokio::spawn(async move { handler.handle(job, cancel).await });
        self.running.spawn(async move {
            // A turn that panicked is tried again like one whose process died.
            let handled = turn.await.unwrap_or_else(|error| {
                // The message of a panic may quote what it choked on.
                tracing::error!(panicked = error.is_panic(), "a turn panicked");
                Handled::RetryAfter(Duration::from_secs(1))
            });
            tokio::select! {
                () = leave(store.as_ref(), &clock, row, handled) => {}
                () = abort.cancelled() => {}
            }
            drop(place);
            wake.notify_one();
        });
    }
}

/// Writes down what became of a message, however long the store is away: a message that stayed
/// leased would hold its lane until the next start.
async fn leave(store: &dyn Store, clock: &Clock, row: i64, handled: Handled) {
    let release = async |wait: Duration, was_attempt| {
        let wait_ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX / 2);
        store.release(row, clock.now_ms() + wait_ms, was_attempt).await
    };
    loop {
        let result = match handled {
            Handled::Done => store.ack(row).await,
            Handled::RetryAfter(wait) => release(wait, true).await,
            Handled::Postpone(wait) => release(wait, false).await,
        };
        match result {
            Ok(()) => return,
            Err(error) => tracing::error!(error = %error, "a turn's end could not be noted"),
        }
        tokio::time::sleep(STORE_RETRY).await;
    }
}
