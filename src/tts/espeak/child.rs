//! Runs the engine's processes: one waits per voice, so that a sentence does not pay for a start.
//!
//! Sits below the synthesizer. A child reads all of its stdin, speaks it as a WAV file and exits;
//! its voice is fixed when it starts. Invariants: at most [`MAX_VOICES`] children wait, a child
//! that is dropped is killed, and text reaches the engine on stdin only, never as an argument.

use std::collections::HashMap;
use std::io;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tracing::debug;

use super::Settings;

/// Voices beyond this many start cold; a waiting child takes about 3 MB.
const MAX_VOICES: usize = 8;

/// Starts children and keeps one waiting per voice in use.
#[derive(Debug)]
pub(super) struct Children {
    settings: Settings,
    waiting: Mutex<HashMap<String, Child>>,
}

impl Children {
    /// Makes the set without a waiting child.
    pub(super) fn new(settings: Settings) -> Arc<Self> {
        Arc::new(Self { settings, waiting: Mutex::default() })
    }

    /// Takes the waiting child of `voice`; `None` if there is none or it has died.
    pub(super) fn take(&self, voice: &str) -> Option<Child> {
        let mut child = self.lock().remove(voice)?;
        matches!(child.try_wait(), Ok(None)).then_some(child)
    }

    /// Starts a child, on a blocking thread: a fork takes up to a millisecond.
    pub(super) async fn start(self: &Arc<Self>, voice: &str) -> io::Result<Child> {
        let (children, voice) = (Arc::clone(self), voice.to_owned());
        let started = tokio::task::spawn_blocking(move || children.spawn(&voice));
        started.await.map_err(io::Error::other)?
    }

    /// Starts the next child of `voice` in the background, unless one waits. A failure is logged,
    /// and the next sentence meets it again.
    pub(super) fn refill(self: &Arc<Self>, voice: &str) -> JoinHandle<()> {
        let (children, voice) = (Arc::clone(self), voice.to_owned());
        tokio::task::spawn_blocking(move || children.add(voice))
    }

    fn add(&self, voice: String) {
        {
            let waiting = self.lock();
            if waiting.contains_key(&voice) || waiting.len() >= MAX_VOICES {
                return;
            }
        }
        match self.spawn(&voice) {
            // A race leaves one child per voice: the one that is replaced is dropped, so killed.
            Ok(child) => drop(self.lock().insert(voice, child)),
            Err(error) => debug!(%error, "a waiting child could not be started"),
        }
    }

    fn spawn(&self, voice: &str) -> io::Result<Child> {
        let mut command = Command::new(&self.settings.program);
        // -b 1: UTF-8. -z: no pause at the end, ours is the same for every sentence.
        command.args(["-b", "1", "-z", "--stdin", "--stdout", "-v", voice]);
        if let Some(words_per_minute) = self.settings.words_per_minute() {
            command.args(["-s", &words_per_minute.to_string()]);
        }
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Child>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the process id of the child that waits for `voice`.
    #[cfg(test)]
    pub(super) fn waiting_id(&self, voice: &str) -> Option<u32> {
        self.lock().get(voice).and_then(Child::id)
    }
}
