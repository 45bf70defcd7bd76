//! Calls on the store: handed to threads that own connections, and answered once they are durable.
//!
//! A call may run more than once: where others write to the same database, what met somebody else's
//! writing is undone and runs again. So it is an `Fn`, and changes nothing but rows.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{mpsc, oneshot};

use super::db::{Db, Lock};
use crate::store::StoreError;

/// Says what surrounds a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Mode {
    /// A transaction, committed before anyone is answered.
    Write,
    /// The same, while nobody else has this lock.
    Alone(Lock),
    /// One statement, committed by itself, which may be lost with the machine's power.
    Hasty,
    /// Nothing: reads see the last commit.
    Read,
}

/// Says how a call went that has run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Ran {
    /// It is to be committed.
    Done,
    /// It is to be undone.
    Failed,
    /// It is to be undone, and may go well the next time.
    Conflict,
}

/// A call with its caller.
pub(in crate::store) trait Work: Send {
    /// Runs it, and keeps what it returned.
    fn run(&mut self, db: &Db<'_>) -> Ran;
    /// Returns why it failed, if it did.
    fn error(&self) -> Option<&StoreError>;
    /// Answers the caller; `lost` says why nothing of it was committed.
    fn finish(self: Box<Self>, lost: Option<&str>);
}

/// What threads are handed.
pub(in crate::store) struct StoreCall {
    pub(in crate::store) mode: Mode,
    pub(in crate::store) work: Box<dyn Work>,
}

struct StoreJob<T, F> {
    run: F,
    result: Option<Result<T, StoreError>>,
    answer: oneshot::Sender<Result<T, StoreError>>,
    answered: Arc<AtomicU64>,
}

impl<T: Send, F: Fn(&Db<'_>) -> Result<T, StoreError> + Send> Work for StoreJob<T, F> {
    fn run(&mut self, db: &Db<'_>) -> Ran {
        let result = (self.run)(db);
        let ran = match &result {
            Ok(_) => Ran::Done,
            Err(error) if crate::store::postgres::is_conflict(error) => Ran::Conflict,
            Err(_) => Ran::Failed,
        };
        self.result = Some(result);
        ran
    }

    fn error(&self) -> Option<&StoreError> {
        self.result.as_ref().and_then(|result| result.as_ref().err())
    }

    fn finish(self: Box<Self>, lost: Option<&str>) {
        let result = match (self.result, lost) {
            (Some(result), None) => result,
            (_, error) => Err(StoreError::Commit(error.unwrap_or("not begun").to_owned())),
        };
        self.answered.fetch_add(1, Ordering::Relaxed);
        // A caller that gave up needs no answer; its write is kept.
        let _gone = self.answer.send(result);
    }
}

/// Hands calls to threads. Dropping every clone ends them.
#[derive(Clone)]
pub(in crate::store) struct Worker {
    queue: mpsc::Sender<StoreCall>,
    mode: Mode,
    /// Calls of this worker that have ended, well or not.
    answered: Arc<AtomicU64>,
}

impl Worker {
    pub(in crate::store) fn new(queue: mpsc::Sender<StoreCall>, mode: Mode) -> Self {
        Self { queue, mode, answered: Arc::default() }
    }

    /// Counts the calls that have ended, well or not.
    pub(in crate::store) fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// Runs `run` and waits until it is durable.
    pub(in crate::store) async fn call<T: Send + 'static>(
        &self,
        run: impl Fn(&Db<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.hand(self.mode, run).await
    }

    /// Does the same while nobody else has `lock`.
    pub(in crate::store) async fn alone<T: Send + 'static>(
        &self,
        lock: Lock,
        run: impl Fn(&Db<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.hand(Mode::Alone(lock), run).await
    }

    /// Runs one statement whose loss does no harm, without waiting for a shared store's disk.
    pub(in crate::store) async fn hasty<T: Send + 'static>(
        &self,
        run: impl Fn(&Db<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.hand(Mode::Hasty, run).await
    }

    async fn hand<T: Send + 'static>(
        &self,
        mode: Mode,
        run: impl Fn(&Db<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let work =
            Box::new(StoreJob { run, result: None, answer, answered: Arc::clone(&self.answered) });
        self.queue.send(StoreCall { mode, work }).await.map_err(|_closed| StoreError::Closed)?;
        answered.await.map_err(|_closed| StoreError::Closed)?
    }
}
