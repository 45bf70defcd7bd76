//! Owned threads for work that would hold the async runtime up: decoding, inference, encoding.
//!
//! One bounded queue in, a oneshot out. Invariants: a full queue refuses at once, work whose caller
//! has gone is not started, and a panic costs one answer and not a thread.
//!
//! The audio path, large webhooks and a speech server's files run on these. Three kinds of work do
//! not: the store's writer answers a group of calls after one commit, and its callers wait for a
//! place rather than be refused; whisper's threads choose what is next (`stt/whisper/turnstile`);
//! what waits for a file or a child process is on tokio's blocking pool.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use tokio::sync::oneshot;

type BoxedWork = Box<dyn FnOnce() + Send>;

/// Runs work on a fixed set of owned threads. Clones share them.
///
/// The last clone that is dropped ends them and waits for what runs.
#[derive(Clone)]
pub struct Threads {
    shared: Arc<Shared>,
}

struct Shared {
    /// `None` once the threads are to end.
    queue: Option<SyncSender<BoxedWork>>,
    threads: Vec<JoinHandle<()>>,
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
        let (queue, work) = sync_channel(queue);
        let work = Arc::new(Mutex::new(work));
        let mut shared = Shared { queue: Some(queue), threads: Vec::new() };
        for index in 0..count.max(1) {
            let work = Arc::clone(&work);
            let thread = Builder::new().name(format!("{name}-{index}"));
            shared.threads.push(thread.spawn(move || work_off(&work))?);
        }
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Runs `work` on one of the threads.
    ///
    /// # Errors
    /// If it was not run to its end.
    pub async fn run<T: Send + 'static>(
        &self,
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
        let queue = self.shared.queue.as_ref().expect("taken only when the last clone is dropped");
        queue.try_send(work).map_err(|_full| RunError::Busy)?;
        answered.await.map_err(|_panicked| RunError::Died)
    }
}

impl std::fmt::Debug for Threads {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Threads").field("count", &self.shared.threads.len()).finish_non_exhaustive()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.queue = None;
        let this = std::thread::current().id();
        for thread in self.threads.drain(..).filter(|thread| thread.thread().id() != this) {
            if thread.join().is_err() {
                tracing::error!("an owned thread had panicked");
            }
        }
    }
}

/// Takes work from the queue until it is closed and empty.
fn work_off(queue: &Mutex<Receiver<BoxedWork>>) {
    loop {
        // Held while waiting: the next thread waits for the lock instead of for the queue.
        let work = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(work) = work else { return };
        if catch_unwind(AssertUnwindSafe(work)).is_err() {
            let thread = std::thread::current();
            tracing::error!(thread.name = thread.name(), "a piece of work panicked");
        }
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
