//! Holds the threads that run whisper: each takes the utterance that is next, and a state for it.
//!
//! No state is ever used by two threads, and no future waits for one. An utterance whose caller is
//! gone is not started, and one that runs is aborted at whisper's next step. There is a thread for
//! each utterance that may be heard at a time: those of the back row run at a low priority, which
//! a thread cannot leave again.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;
use whisper_rs::WhisperState;

use super::idle;
use super::language::LanguageChoice;
use super::run::Runner;
use super::turnstile::{Permit, Rank, Room, Ticket, Turnstile};
use crate::stt::{SttError, Utterance};
use crate::turn::Transcript;

type Job = Box<dyn FnOnce(&mut WhisperState, usize) + Send>;

/// Between two looks at what waits: time alone takes an utterance from one row to the other, and
/// each row may have looked while it was in the other one.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Counts the states that have run once, or says why one could not.
#[derive(Clone, Default)]
struct Warmth {
    warm: usize,
    failed: Option<String>,
}

/// Owns the threads of one model.
pub(super) struct Workers {
    house: Arc<WaitingRoom>,
    threads: Vec<JoinHandle<()>>,
    states: usize,
    /// Aborts what still warms up, at most one pass of the encoder. A thread inside whisper.cpp
    /// while the process ends may crash it.
    stop: CancellationToken,
    warmth: watch::Receiver<Warmth>,
}

/// Is where utterances wait and threads look for them.
struct WaitingRoom {
    inside: Mutex<Inside>,
    changed: Condvar,
    runner: Arc<Runner>,
}

struct Inside {
    turnstile: Turnstile<Job>,
    /// Warm ones that nobody uses; the one used last is on top, and in the caches.
    states: Vec<WhisperState>,
    closed: bool,
}

impl Workers {
    /// Starts the threads; each state of `room` runs one silent utterance before its first job.
    pub(super) fn start(states: Vec<WhisperState>, runner: Runner, room: Room) -> io::Result<Self> {
        let (warm, warmth) = watch::channel(Warmth::default());
        let inside = Inside { turnstile: Turnstile::new(room), states: Vec::new(), closed: false };
        let house = WaitingRoom {
            inside: Mutex::new(inside),
            changed: Condvar::new(),
            runner: Arc::new(runner),
        };
        let (house, stop) = (Arc::new(house), CancellationToken::new());
        let mut workers = Self { house, threads: Vec::new(), states: states.len(), stop, warmth };
        for (index, state) in states.into_iter().enumerate() {
            let (house, warm, stop) =
                (Arc::clone(&workers.house), warm.clone(), workers.stop.clone());
            workers.spawn(format!("stt-{index}"), move || {
                house.warm_up(state, &warm, &stop);
                house.work(Rank::Front);
            })?;
        }
        for index in 0..room.for_back(room.states) {
            let house = Arc::clone(&workers.house);
            workers.spawn(format!("stt-back-{index}"), move || {
                give_way();
                house.work(Rank::Back);
            })?;
        }
        Ok(workers)
    }

    fn spawn(&mut self, name: String, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
        self.threads.push(Builder::new().name(name).spawn(run)?);
        Ok(())
    }

    /// Transcribes when its turn comes.
    pub(super) async fn transcribe(
        &self,
        utterance: Utterance,
        language: LanguageChoice,
        cancel: &CancellationToken,
    ) -> Result<Transcript, SttError> {
        // Ends with this future too: a caller that has gone needs no text.
        let gone = cancel.child_token();
        let _gone = gone.clone().drop_guard();
        let (answer, answered) = oneshot::channel();
        let runner = Arc::clone(&self.house.runner);
        let sound = Duration::from_secs_f64(utterance.speech.duration_ms() / 1000.0);
        let talker = utterance.talker;
        let job: Job = Box::new(move |state, threads| {
            if answer.is_closed() {
                return;
            }
            let heard = runner.transcribe(state, &utterance, &language, threads, &gone);
            // The caller may have left while we worked; then nobody needs the result.
            let _left = answer.send(heard);
        });
        let enter = |inside: &mut Inside, now| inside.turnstile.enter(talker, sound, job, now);
        let ticket = self.house.change(enter).ok_or(SttError::Busy)?;
        let _seat = Seat { house: &self.house, ticket };
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(SttError::Cancelled),
            heard = answered => heard.unwrap_or_else(|_panicked| {
                Err(SttError::Engine("the work panicked".into()))
            }),
        }
    }

    /// Waits until every state has run once.
    pub(super) async fn warm(&self) -> Result<(), SttError> {
        let mut warmth = self.warmth.clone();
        let done = warmth.wait_for(|now| now.failed.is_some() || now.warm == self.states).await;
        match done.map(|now| now.failed.clone()) {
            Ok(None) => Ok(()),
            Ok(Some(problem)) => Err(SttError::Engine(problem)),
            Err(_) => Err(SttError::Engine("a thread ended while it warmed up".into())),
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.stop.cancel();
        self.house.change(|inside, _| inside.closed = true);
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the transcriber had panicked");
            }
        }
    }
}

/// Is a seat in the house, left when its caller is gone.
struct Seat<'a> {
    house: &'a WaitingRoom,
    ticket: Ticket,
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.house.change(|inside, now| inside.turnstile.leave(self.ticket, now));
    }
}

impl WaitingRoom {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is inside and lets every thread look again.
    fn change<T>(&self, change: impl FnOnce(&mut Inside, Instant) -> T) -> T {
        let changed = change(&mut self.inside(), Instant::now());
        self.changed.notify_all();
        changed
    }

    /// Runs a silent utterance on a new state, which is then free.
    fn warm_up(
        &self,
        mut state: WhisperState,
        warm: &watch::Sender<Warmth>,
        stop: &CancellationToken,
    ) {
        let warmed = self.runner.warm_up(&mut state, 1, stop);
        self.change(|inside, _| inside.states.push(state));
        warm.send_modify(|now| match warmed {
            Ok(()) => now.warm += 1,
            Err(error) => now.failed = Some(format!("the silent first run failed: {error}")),
        });
    }

    /// Hears what waits in `row` until the house is closed.
    fn work(&self, row: Rank) {
        while let Some((mut state, job, permit)) = self.next(row) {
            if catch_unwind(AssertUnwindSafe(|| job(&mut state, permit.threads))).is_err() {
                tracing::error!("a transcription panicked");
            }
            self.change(|inside, _| {
                inside.states.push(state);
                inside.turnstile.done(&permit);
            });
        }
    }

    /// Waits for work; `None` once there will be none.
    fn next(&self, row: Rank) -> Option<(WhisperState, Job, Permit)> {
        let mut inside = self.inside();
        while !inside.closed {
            // Before the first state is warm there is none to hear with.
            if let Some(state) = inside.states.pop() {
                if let Some((job, permit)) = inside.turnstile.next(row, Instant::now(), idle::cores)
                {
                    return Some((state, job, permit));
                }
                inside.states.push(state);
            }
            inside = if inside.turnstile.is_empty() {
                self.changed.wait(inside).unwrap_or_else(PoisonError::into_inner)
            } else {
                let looked = self.changed.wait_timeout(inside, LOOK_AGAIN);
                looked.unwrap_or_else(PoisonError::into_inner).0
            };
        }
        None
    }
}

/// The priority of the back row, as `nice` has it: a tenth of a busy core, so that long notes are
/// heard, slowly, beside programs that are always busy, and nobody else notices.
#[cfg(target_os = "linux")]
const LOW: i32 = 10;

/// Lowers the priority of this thread, and of those it will start.
fn give_way() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, LOW) {
        tracing::warn!(error = %error, "long notes are heard at the same priority as others");
    }
}
