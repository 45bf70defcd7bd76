//! The threads that decode and encode: CPU work never runs on the async runtime.

use std::sync::{Arc, Mutex, mpsc};

use tokio::sync::oneshot;

use super::error::Cause;

type Work = Box<dyn FnOnce() + Send>;

/// Pieces of work that may wait: each is at most some milliseconds, so a full queue is seconds of
/// delay, and refusing beats adding to it.
const QUEUE: usize = 1024;

/// A fixed set of owned threads with one bounded queue. Clones share them.
#[derive(Clone)]
pub struct Workers {
    queue: mpsc::SyncSender<Work>,
}

impl Workers {
    /// Starts `threads` threads; they end when the last clone is gone.
    ///
    /// # Errors
    /// What the system says if it starts no thread.
    pub fn start(threads: usize) -> std::io::Result<Self> {
        let (queue, work) = mpsc::sync_channel::<Work>(QUEUE);
        let work = Arc::new(Mutex::new(work));
        for index in 0..threads.max(1) {
            let work = Arc::clone(&work);
            std::thread::Builder::new().name(format!("audio-{index}")).spawn(move || {
                loop {
                    let next = work.lock().expect("work runs outside the lock").recv();
                    let Ok(next) = next else { return };
                    // One hostile file must not cost a thread: its caller sees the answer lost.
                    if std::panic::catch_unwind(std::panic::AssertUnwindSafe(next)).is_err() {
                        tracing::error!("a piece of audio work panicked");
                    }
                }
            })?;
        }
        Ok(Self { queue })
    }

    /// Runs `work` on one of the threads. Work whose caller has gone is skipped.
    ///
    /// # Errors
    /// `Busy` if the queue is full or the work panicked.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Cause> {
        let (answer, answered) = oneshot::channel();
        let work: Work = Box::new(move || {
            if !answer.is_closed() {
                // The caller may leave while we work; then nobody needs the result.
                let _left = answer.send(work());
            }
        });
        self.queue.try_send(work).map_err(|_full| Cause::Busy)?;
        answered.await.map_err(|_panicked| Cause::Busy)
    }
}
