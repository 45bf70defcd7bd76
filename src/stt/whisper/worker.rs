//! Holds the threads that run whisper: each owns one state and takes utterances from one bounded queue.
//!
//! No state is ever used by two threads, and no future waits for one. An utterance whose caller is
//! gone is not started, and one that runs is aborted at whisper's next step.

use std::io;
use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};
use whisper_rs::WhisperState;

use super::language::LanguageChoice;
use super::run::Runner;
use crate::stt::{SttError, Utterance};
use crate::threads::{RunError, Threads};
use crate::turn::Transcript;

/// Counts the threads that have run once, or says why one could not.
#[derive(Clone, Default)]
struct Warmth {
    warm: usize,
    failed: Option<String>,
}

/// Owns the threads of one model.
pub(super) struct Workers {
    /// Before `threads`: what still warms up is aborted before its thread is waited for, at most
    /// one pass of the encoder. A thread inside whisper.cpp while the process ends may crash it.
    _stop: DropGuard,
    threads: Threads<WhisperState>,
    count: usize,
    /// Threads that one utterance takes.
    threads_each: usize,
    runner: Arc<Runner>,
    warmth: watch::Receiver<Warmth>,
}

impl Workers {
    /// Starts one thread for each state; each runs one silent utterance before its first job.
    pub(super) fn start(
        states: Vec<WhisperState>,
        runner: Runner,
        threads_each: usize,
    ) -> io::Result<Self> {
        let (warm, warmth) = watch::channel(Warmth::default());
        let (count, stop) = (states.len(), CancellationToken::new());
        let runner = Arc::new(runner);
        let (warming, stopped) = (Arc::clone(&runner), stop.clone());
        let prepare = move |state: &mut WhisperState| {
            let warmed = warming.warm_up(state, threads_each, &stopped);
            warm.send_modify(|now| match warmed {
                Ok(()) => now.warm += 1,
                Err(error) => now.failed = Some(format!("the silent first run failed: {error}")),
            });
        };
        // One utterance waits for each that runs, plus the pieces of one long note (eight of 30 s).
        // More waiting than that is seconds of delay, which the caller should know of: Busy.
        let threads = Threads::start_with("stt", states, 2 * count + 8, prepare)?;
        Ok(Self { _stop: stop.drop_guard(), threads, count, threads_each, runner, warmth })
    }

    /// Transcribes on the next thread that is free.
    pub(super) async fn transcribe(
        &self,
        utterance: Utterance,
        language: LanguageChoice,
        cancel: &CancellationToken,
    ) -> Result<Transcript, SttError> {
        // Ends with this future too: a caller that has gone needs no text.
        let gone = cancel.child_token();
        let _gone = gone.clone().drop_guard();
        let (runner, threads) = (Arc::clone(&self.runner), self.threads_each);
        let heard = self
            .threads
            .run_with(move |state| runner.transcribe(state, &utterance, &language, threads, &gone));
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(SttError::Cancelled),
            heard = heard => match heard {
                Ok(heard) => heard,
                Err(RunError::Busy) => Err(SttError::Busy),
                Err(error @ RunError::Died) => Err(SttError::Engine(error.to_string())),
            },
        }
    }

    /// Waits until every thread has run once.
    pub(super) async fn warm(&self) -> Result<(), SttError> {
        let mut warmth = self.warmth.clone();
        let done = warmth.wait_for(|now| now.failed.is_some() || now.warm == self.count).await;
        match done.map(|now| now.failed.clone()) {
            Ok(None) => Ok(()),
            Ok(Some(problem)) => Err(SttError::Engine(problem)),
            Err(_) => Err(SttError::Engine("a thread ended while it warmed up".into())),
        }
    }
}
