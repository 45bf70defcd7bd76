//! Owned threads for work that would hold the async runtime up: decoding, inference, encoding.
//!
//! Bounded work in, a oneshot out. Invariants: beyond the bound work is refused at once, work whose
//! caller has gone is not started, and a panic costs one answer and not a thread. Work that is done
//! for somebody waits behind everybody who has used the threads less lately: who hands over a lot,
//! in short slices, holds nobody up.
//!
//! The audio path, large webhooks and a speech server's files run on these. Three kinds of work do
//! not: the store's writer answers a group of calls after one commit, and its callers wait for a
//! place rather than be refused; whisper's threads choose what is next (`stt/whisper/turnstile`);
//! what waits for a file or a child process is on tokio's blocking pool.

mod ledger;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

pub use ledger::Ledger;

use crate::turn::Talker;

/// A second of work is forgotten after so many: ten minutes of sound, some seconds of work, are
/// remembered for two minutes.
const MEMORY: u32 = 16;

type BoxedWork = Box<dyn FnOnce() + Send>;

/// Runs work on a fixed set of owned threads. Clones share them.
///
/// The last clone that is dropped ends them and waits for what runs.
#[derive(Clone)]
pub struct Threads {
    owned: Arc<Owned>,
}

struct Owned {
    line: Arc<WorkLine>,
    threads: Vec<JoinHandle<()>>,
}

/// Is where work waits and threads look for it.
struct WorkLine {
    inside: Mutex<LineState>,
    /// Work came, or none will.
    changed: Condvar,
    /// Pieces of work that may wait.
    most: usize,
}

struct LineState {
    waiting: Vec<WaitingWork>,
    tickets: u64,
    /// The work that was done lately, for whom.
    done: Ledger,
    closed: bool,
}

struct WaitingWork {
    talker: Option<Talker>,
    ticket: u64,
    work: BoxedWork,
}

/// Describes why work gave no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// The queue is full: try again later.
    #[error("the threads are busy")]
    Busy,
    /// The work panicked, or no thread is left: the same work would fail again.
    #[error("the work panicked")]
    Died,
}

impl Threads {
    /// Starts `count` threads, at least one, called `name-0` and so on. `queue` pieces of work may
    /// wait.
    ///
    /// # Errors
    /// What the system says if it starts no thread.
    pub fn start(name: &str, count: usize, queue: usize) -> io::Result<Self> {
        let done = Ledger::forgetting_in(MEMORY);
        let inside = LineState { waiting: Vec::new(), tickets: 0, done, closed: false };
        let inside = Mutex::new(inside);
        let line = Arc::new(WorkLine { inside, changed: Condvar::new(), most: queue });
        let mut owned = Owned { line, threads: Vec::new() };
        for index in 0..count.max(1) {
            let line = Arc::clone(&owned.line);
            let thread = Builder::new().name(format!("{name}-{index}"));
            owned.threads.push(thread.spawn(move || line.work_off())?);
        }
        Ok(Self { owned: Arc::new(owned) })
    }

    /// Returns how many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.owned.threads.len()
    }

    /// Runs `work` on one of the threads.
    ///
    /// # Errors
    /// If it was not run to its end.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, RunError> {
        self.run_for(None, work).await
    }

    /// Does the same for `talker`, behind everybody who has used the threads less lately.
    ///
    /// # Errors
    /// If it was not run to its end.
    pub async fn run_for<T: Send + 'static>(
        &self,
        talker: Option<Talker>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, RunError> {
        let (answer, answered) = oneshot::channel();
        let work: BoxedWork = Box::new(move || {
            if answer.is_closed() {
                tracing::debug!("nobody waits for this work: skipped");
                return;
            }
            // The caller may leave while we work; then nobody needs the result.
            let _left = answer.send(work());
        });
        self.owned.line.enter(talker, work)?;
        answered.await.map_err(|_panicked| RunError::Died)
    }

    /// Has `work` done for `talker` in the same order; nobody is told of its end.
    ///
    /// # Errors
    /// `Busy` if the queue is full.
    pub fn begin_for(
        &self,
        talker: Option<Talker>,
        work: impl FnOnce() + Send + 'static,
    ) -> Result<(), RunError> {
        self.owned.line.enter(talker, Box::new(work))
    }
}

impl std::fmt::Debug for Threads {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Threads").field("count", &self.owned.threads.len()).finish_non_exhaustive()
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        self.line.inside().closed = true;
        self.line.changed.notify_all();
        let this = std::thread::current().id();
        for thread in self.threads.drain(..).filter(|thread| thread.thread().id() != this) {
            if thread.join().is_err() {
                tracing::error!("an owned thread had panicked");
            }
        }
    }
}

impl WorkLine {
    fn inside(&self) -> MutexGuard<'_, LineState> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, talker: Option<Talker>, work: BoxedWork) -> Result<(), RunError> {
        let mut inside = self.inside();
        if inside.waiting.len() >= self.most {
            return Err(RunError::Busy);
        }
        inside.tickets += 1;
        let ticket = inside.tickets;
        inside.waiting.push(WaitingWork { talker, ticket, work });
        drop(inside);
        self.changed.notify_one();
        Ok(())
    }

    /// Does what waits until the line is closed and empty.
    fn work_off(&self) {
        while let Some(WaitingWork { talker, work, .. }) = self.next() {
            let started = Instant::now();
            if catch_unwind(AssertUnwindSafe(work)).is_err() {
                let thread = std::thread::current();
                tracing::error!(thread.name = thread.name(), "a piece of work panicked");
            }
            if let Some(talker) = talker {
                self.inside().done.add(talker, started.elapsed(), Instant::now());
            }
        }
    }

    /// Waits for work; `None` once there will be none.
    fn next(&self) -> Option<WaitingWork> {
        let mut inside = self.inside();
        loop {
            if let Some(first) = inside.first(Instant::now()) {
                return Some(inside.waiting.remove(first));
            }
            if inside.closed {
                return None;
            }
            inside = self.changed.wait(inside).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl LineState {
    /// Returns which work is next: that of who has used least, or what has waited longest.
    fn first(&self, now: Instant) -> Option<usize> {
        let used =
            |one: &WaitingWork| one.talker.map_or(Duration::ZERO, |it| self.done.of(it, now));
        let all = self.waiting.iter().enumerate();
        let first = all.min_by_key(|(_, one)| (used(one), one.ticket));
        first.map(|(at, _)| at)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc;

    use futures_util::poll;

    use super::*;

    /// Keeps the only thread of `threads` at work until the returned sender is dropped.
    async fn occupied(threads: &Threads) -> mpsc::Sender<()> {
        let (release, released) = mpsc::channel::<()>();
        let (begun, has_begun) = oneshot::channel();
        let threads = threads.clone();
        tokio::spawn(async move {
            let work = move || {
                begun.send(()).unwrap();
                released.recv().unwrap_err();
            };
            threads.run(work).await.unwrap();
        });
        has_begun.await.unwrap();
        release
    }

    #[tokio::test]
    async fn a_panic_costs_one_answer_and_not_a_thread() {
        let threads = Threads::start("test", 1, 1).unwrap();
        let panicked = threads.run(|| panic!("on purpose")).await;
        assert_eq!(panicked, Err::<(), _>(RunError::Died));
        assert_eq!(threads.run(|| 7).await, Ok(7));
    }

    #[tokio::test]
    async fn a_full_queue_refuses_and_work_for_nobody_is_skipped() {
        let threads = Threads::start("test", 1, 1).unwrap();
        let release = occupied(&threads).await;
        let begun = Arc::new(AtomicBool::new(false));
        let begin = Arc::clone(&begun);
        let mut waiting = Box::pin(threads.run(move || begin.store(true, Ordering::Relaxed)));
        assert!(poll!(&mut waiting).is_pending());
        assert_eq!(threads.run(|| ()).await, Err(RunError::Busy));
        drop((waiting, release));
        // Refused until the thread has come to the work that waits.
        while threads.run(|| ()).await.is_err() {
            tokio::task::yield_now().await;
        }
        assert!(!begun.load(Ordering::Relaxed));
    }

    #[tokio::test]
    async fn who_has_used_the_threads_least_is_next() {
        let threads = Threads::start("test", 1, 64).unwrap();
        let (hoarder, other) = (Talker::of_contact(1), Talker::of_contact(2));
        let long = || std::thread::park_timeout(Duration::from_millis(30));
        threads.run_for(Some(hoarder), long).await.unwrap();
        let release = occupied(&threads).await;
        let order = Arc::new(Mutex::new(Vec::new()));
        let work = |talker, name| {
            let order = Arc::clone(&order);
            Box::pin(threads.run_for(Some(talker), move || order.lock().unwrap().push(name)))
        };
        let mut all =
            vec![work(hoarder, "hoarder"), work(hoarder, "hoarder"), work(other, "other")];
        for one in &mut all {
            assert!(poll!(one).is_pending());
        }
        drop(release);
        futures_util::future::join_all(all).await;
        assert_eq!(*order.lock().unwrap(), ["other", "hoarder", "hoarder"]);
    }

    #[tokio::test]
    async fn the_last_clone_waits_until_the_threads_have_ended() {
        let threads = Threads::start("test", 2, 1).unwrap();
        let (state, (begun, has_begun)) = (Arc::new(()), oneshot::channel());
        let held = Arc::clone(&state);
        let mut work = Box::pin(threads.run(move || {
            begun.send(()).unwrap();
            std::thread::yield_now();
            drop(held);
        }));
        // Sends it.
        let _ = poll!(&mut work);
        has_begun.await.unwrap();
        drop(threads.clone());
        drop(work);
        drop(threads);
        assert_eq!(Arc::strong_count(&state), 1);
    }
}
