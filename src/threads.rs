//! Owned threads for work that would hold the async runtime up: decoding, inference, encoding.
//!
//! One bounded queue in, a oneshot out. Invariants: a full queue refuses at once, work whose caller
//! has gone is not started, and a panic costs one answer and not a thread.
//!
//! The audio path, large webhooks, a speech server's files and whisper's states run on these. Two
//! kinds of work do not: the store's writer answers a group of calls after one commit, and its
//! callers wait for a place rather than be refused; what waits for a file or a child process is on
//! tokio's blocking pool.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use tokio::sync::oneshot;

type BoxedWork<S> = Box<dyn FnOnce(&mut S) + Send>;

/// Runs work on a fixed set of owned threads; each may own a state `S`. Clones share them.
///
/// The last clone that is dropped ends them and waits for what runs.
pub struct Threads<S = ()> {
    shared: Arc<Shared<S>>,
}

struct Shared<S> {
    /// `None` once the threads are to end.
    queue: Option<SyncSender<BoxedWork<S>>>,
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
        Self::start_with(name, vec![(); count.max(1)], queue, |()| {})
    }

    /// Runs `work` on one of the threads.
    ///
    /// # Errors
    /// If it was not run to its end.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, RunError> {
        self.run_with(|()| work()).await
    }
}

impl<S: Send + 'static> Threads<S> {
    /// Starts a thread for each state; each runs `prepare` before its first piece of work. A state
    /// has to bear a panic in the middle of its use.
    ///
    /// # Errors
    /// What the system says if it starts no thread.
    pub fn start_with(
        name: &str,
        states: Vec<S>,
        queue: usize,
        prepare: impl Fn(&mut S) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let (queue, work) = sync_channel(queue);
        let (work, prepare) = (Arc::new(Mutex::new(work)), Arc::new(prepare));
        let mut shared = Shared { queue: Some(queue), threads: Vec::new() };
        for (index, mut state) in states.into_iter().enumerate() {
            let (work, prepare) = (Arc::clone(&work), Arc::clone(&prepare));
            let thread = Builder::new().name(format!("{name}-{index}")).spawn(move || {
                prepare(&mut state);
                drop(prepare);
                work_off(&work, &mut state);
            })?;
            shared.threads.push(thread);
        }
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Runs `work` on one of the threads, with its state.
    ///
    /// # Errors
    /// If it was not run to its end.
    pub async fn run_with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut S) -> T + Send + 'static,
    ) -> Result<T, RunError> {
        let (answer, answered) = oneshot::channel();
        let work: BoxedWork<S> = Box::new(move |state| {
            if answer.is_closed() {
                tracing::debug!("nobody waits for this work: skipped");
                return;
            }
            // The caller may leave while we work; then nobody needs the result.
            let _left = answer.send(work(state));
        });
        let queue = self.shared.queue.as_ref().expect("taken only when the last clone is dropped");
        queue.try_send(work).map_err(|_full| RunError::Busy)?;
        answered.await.map_err(|_panicked| RunError::Died)
    }
}

impl<S> Clone for Threads<S> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<S> std::fmt::Debug for Threads<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Threads").field("count", &self.shared.threads.len()).finish_non_exhaustive()
    }
}

impl<S> Drop for Shared<S> {
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
fn work_off<S>(queue: &Mutex<Receiver<BoxedWork<S>>>, state: &mut S) {
    loop {
        // Held while waiting: the next thread waits for the lock instead of for the queue.
        let work = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(work) = work else { return };
        if catch_unwind(AssertUnwindSafe(|| work(state))).is_err() {
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
    async fn each_thread_has_its_own_state_and_prepares_it() {
        let threads = Threads::start_with("test", vec![1, 2], 4, |state| *state *= 10).unwrap();
        let work = || {
            threads.run_with(|state| {
                *state += 1;
                *state
            })
        };
        let mut states = Vec::new();
        for _ in 0..4 {
            states.push(work().await.unwrap());
        }
        states.sort_unstable();
        assert!(states.iter().all(|state| (11..=24).contains(state)), "{states:?}");
        states.dedup();
        assert_eq!(states.len(), 4);
    }

    #[test]
    fn the_last_clone_waits_until_the_threads_have_ended() {
        let state = Arc::new(());
        let states = vec![Arc::clone(&state), Arc::clone(&state)];
        let threads = Threads::start_with("test", states, 1, |_| {}).unwrap();
        drop(threads.clone());
        assert_eq!(Arc::strong_count(&state), 3);
        drop(threads);
        assert_eq!(Arc::strong_count(&state), 1);
    }
}
