//! The threads that run whisper: each owns one state and takes jobs from one bounded queue.
//!
//! No state is ever used by two threads, and no future waits for one: jobs go in by `try_send`
//! and answers come back by a oneshot. A job whose caller is gone is not started, and one that
//! runs is aborted at whisper's next step.

use std::ffi::c_void;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;
use whisper_rs::WhisperState;

use super::heard;
use super::language::LanguageTokens;
use super::params::{LanguageId, Recipes};
use crate::audio::Speech;
use crate::stt::SttError;
use crate::turn::Transcript;

/// What is known of the language of an utterance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Spoken {
    Known(LanguageId),
    /// To be looked at again once it is transcribed; one of `among` unless it is empty.
    Likely {
        likely: LanguageId,
        among: Vec<LanguageId>,
    },
    Unknown,
}

/// One utterance to transcribe, and who waits for it.
pub(super) struct Job {
    pub(super) speech: Speech,
    pub(super) offset_ms: f64,
    pub(super) spoken: Spoken,
    pub(super) cancel: CancellationToken,
    pub(super) reply: oneshot::Sender<Result<Transcript, SttError>>,
}

/// How many workers have run once, or why one could not.
#[derive(Clone, Default)]
pub(super) struct Warmth {
    pub(super) warm: usize,
    pub(super) failed: Option<String>,
}

/// The workers of one model.
pub(super) struct Pool {
    queue: Option<SyncSender<Job>>,
    workers: Vec<JoinHandle<()>>,
    shared: Arc<Shared>,
    warmth: watch::Receiver<Warmth>,
}

struct Shared {
    recipes: Recipes,
    /// Only multilingual models have any.
    tokens: Option<LanguageTokens>,
    queue: Mutex<Receiver<Job>>,
    stop: AtomicBool,
    skipped: AtomicU64,
    warmth: watch::Sender<Warmth>,
}

impl Pool {
    /// Starts one thread for each state; each runs one silent utterance before its first job.
    pub(super) fn start(
        states: Vec<WhisperState>,
        recipes: Recipes,
        tokens: Option<LanguageTokens>,
    ) -> io::Result<Self> {
        // One job waits for each that runs, plus the pieces of one long note (eight of 30 s).
        // More waiting than that is seconds of delay, which the caller should know of: Busy.
        let (queue, jobs) = sync_channel(2 * states.len() + 8);
        let (warm, warmth) = watch::channel(Warmth::default());
        let shared = Arc::new(Shared {
            recipes,
            tokens,
            queue: Mutex::new(jobs),
            stop: AtomicBool::new(false),
            skipped: AtomicU64::new(0),
            warmth: warm,
        });
        let mut pool = Self { queue: Some(queue), workers: Vec::new(), shared, warmth };
        for (index, state) in states.into_iter().enumerate() {
            let shared = Arc::clone(&pool.shared);
            let thread = Builder::new().name(format!("stt-{index}"));
            pool.workers.push(thread.spawn(move || shared.work(state))?);
        }
        Ok(pool)
    }

    /// Queues a job without waiting.
    pub(super) fn submit(&self, job: Job) -> Result<(), SttError> {
        let queue = self.queue.as_ref().expect("taken only when the pool is dropped");
        // The receiver lives as long as the pool, so that dead workers must be looked for.
        if self.workers.iter().all(JoinHandle::is_finished) {
            return Err(SttError::Engine("every worker has ended".into()));
        }
        queue.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => SttError::Busy,
            TrySendError::Disconnected(_) => SttError::Engine("the queue is closed".into()),
        })
    }

    /// Waits until every worker has run once.
    pub(super) async fn warm(&self) -> Result<(), SttError> {
        let mut warmth = self.warmth.clone();
        let workers = self.workers.len();
        let done = warmth.wait_for(|now| now.failed.is_some() || now.warm == workers).await;
        match done.map(|now| now.failed.clone()) {
            Ok(None) => Ok(()),
            Ok(Some(problem)) => Err(SttError::Engine(problem)),
            Err(_) => Err(SttError::Engine("a worker ended while it warmed up".into())),
        }
    }

    /// Jobs that were not started because nobody waited for them any more.
    pub(super) fn skipped(&self) -> u64 {
        self.shared.skipped.load(Ordering::Relaxed)
    }
}

impl Drop for Pool {
    /// Aborts what runs and waits for it, at most one pass of the encoder: a thread inside
    /// whisper.cpp while the process ends may crash it.
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.queue = None;
        for worker in self.workers.drain(..) {
            if worker.join().is_err() {
                tracing::error!("a transcription worker had panicked");
            }
        }
    }
}

impl Shared {
    fn work(&self, mut state: WhisperState) {
        let warmed = self.warm_up(&mut state);
        self.warmth.send_modify(|now| match warmed {
            Ok(()) => now.warm += 1,
            Err(error) => now.failed = Some(format!("the silent first run failed: {error}")),
        });
        loop {
            // Held while waiting: the next worker waits for the lock instead of for the queue.
            let job = self.queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(job) = job else { return };
            self.run(&mut state, job);
        }
    }

    fn run(&self, state: &mut WhisperState, job: Job) {
        let caller = Caller { cancel: &job.cancel, reply: &job.reply, stop: &self.stop };
        if caller.is_gone() {
            let skipped = self.skipped.fetch_add(1, Ordering::Relaxed) + 1;
            tracing::debug!(
                stt.skipped = skipped,
                "nobody waits for an utterance: not transcribed"
            );
            return;
        }
        let heard = self.transcribe(state, &job, &caller);
        // Without a receiver the caller is gone, and nobody needs the text.
        let _gone = job.reply.send(heard);
    }

    fn transcribe(
        &self,
        state: &mut WhisperState,
        job: &Job,
        caller: &Caller<'_>,
    ) -> Result<Transcript, SttError> {
        let samples = job.speech.samples();
        let done = match &job.spoken {
            Spoken::Known(language) => self.full(state, Some(*language), samples, caller),
            Spoken::Likely { likely, among } => {
                self.full_in_likely(state, *likely, among, samples, caller)
            }
            Spoken::Unknown => self.full(state, None, samples, caller),
        };
        if caller.is_gone() {
            return Err(SttError::Cancelled);
        }
        done.map_err(|error| SttError::Engine(error.to_string()))?;
        Ok(heard::read(state, &self.recipes, job.offset_ms, job.speech.duration_ms()))
    }

    fn warm_up(&self, state: &mut WhisperState) -> Result<(), whisper_rs::WhisperError> {
        let (reply, _answer) = oneshot::channel();
        let cancel = CancellationToken::new();
        let caller = Caller { cancel: &cancel, reply: &reply, stop: &self.stop };
        let english = Some(0);
        self.full(state, english, Speech::silence(SHORTEST).samples(), &caller)
    }

    /// Runs whisper in the likely language, and once more if it clearly was another.
    fn full_in_likely(
        &self,
        state: &mut WhisperState,
        likely: LanguageId,
        among: &[LanguageId],
        samples: &[f32],
        caller: &Caller<'_>,
    ) -> Result<(), whisper_rs::WhisperError> {
        self.full(state, Some(likely), samples, caller)?;
        let Some(tokens) = self.tokens.filter(|_| !caller.is_gone()) else { return Ok(()) };
        match tokens.mistaken(state, likely, among, self.recipes.threads())? {
            Some(other) => self.full(state, Some(other), samples, caller),
            None => Ok(()),
        }
    }

    /// Runs whisper on `samples`, padded with silence to a second.
    fn full(
        &self,
        state: &mut WhisperState,
        language: Option<LanguageId>,
        samples: &[f32],
        caller: &Caller<'_>,
    ) -> Result<(), whisper_rs::WhisperError> {
        let mut padded = Vec::new();
        let samples = if samples.len() < SHORTEST {
            padded.extend_from_slice(samples);
            padded.resize(SHORTEST, 0.0);
            &padded
        } else {
            samples
        };
        if self.recipes.detection_needs_priming(language) {
            self.prime(state, samples.len())?;
        }
        let mut params = self.recipes.recipe(language, samples.len());
        #[expect(unsafe_code, reason = "whisper-rs has no sound way to set an abort callback")]
        // SAFETY: `caller` outlives the call of `full` below, which is the only one to use these
        // parameters; `caller_is_gone` reads it as what it is, and it is `Sync`.
        unsafe {
            params.set_abort_callback(Some(caller_is_gone));
            params.set_abort_callback_user_data(
                std::ptr::from_ref(caller).cast_mut().cast::<c_void>(),
            );
        }
        state.full(params, samples)
    }

    /// Sets the audio context of `state` without running the encoder.
    ///
    /// Detection uses the context that the state's last run left (`whisper_full_with_state` sets
    /// it after detection): another note's length, or all 30 s on a fresh state.
    fn prime(
        &self,
        state: &mut WhisperState,
        samples: usize,
    ) -> Result<(), whisper_rs::WhisperError> {
        let mut params = self.recipes.recipe(Some(0), samples);
        #[expect(unsafe_code, reason = "whisper-rs has only a raw callback here")]
        // SAFETY: `stop_here` uses none of its arguments.
        unsafe {
            params.set_start_encoder_callback(Some(stop_here));
        }
        state.full(params, &[0.0; SHORTEST / 4])
    }
}

/// Samples that whisper gets at least: it ignores less than 100 ms, and hears words better that
/// are followed by silence.
const SHORTEST: usize = 16_000;

/// Who waits for a job; `Sync`, since ggml may ask from a thread of its own.
struct Caller<'a> {
    cancel: &'a CancellationToken,
    reply: &'a oneshot::Sender<Result<Transcript, SttError>>,
    stop: &'a AtomicBool,
}

impl Caller<'_> {
    fn is_gone(&self) -> bool {
        self.reply.is_closed() || self.cancel.is_cancelled() || self.stop.load(Ordering::Relaxed)
    }
}

/// Tells whisper between two of its steps whether to abort.
extern "C" fn caller_is_gone(caller: *mut c_void) -> bool {
    #[expect(unsafe_code, reason = "C passes user data as an untyped pointer")]
    // SAFETY: set together with this function in `Shared::full`, from a reference that is valid
    // until whisper returns.
    let caller = unsafe { &*caller.cast_const().cast::<Caller<'_>>() };
    caller.is_gone()
}

/// Tells whisper not to run the encoder.
extern "C" fn stop_here(
    _: *mut whisper_rs::WhisperSysContext,
    _: *mut whisper_rs::WhisperSysState,
    _: *mut c_void,
) -> bool {
    false
}
