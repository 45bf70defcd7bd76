//! What the system grants the process and asks of it.
//!
//! Signals: the first one to stop finishes what runs, the second or the grace period aborts it;
//! SIGHUP asks for the configuration to be read again. Files: as many as it may have; one that may not
//! grow is an error, as a full disk is, and not the end. The supervisor is told how it goes.

mod supervisor;

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

pub use self::supervisor::{Supervisor, SupervisorError};

/// Limits how long turns may finish after the first signal. Platforms that send SIGTERM kill after
/// 30 s by default; an aborted turn is taken up again at the next start.
const GRACE: Duration = Duration::from_secs(25);

/// Follows SIGHUP, which would end the process otherwise.
///
/// # Errors
/// If the system refuses the signal handler.
pub fn hangups() -> std::io::Result<Signal> {
    signal(SignalKind::hangup())
}

/// Has a write beyond the limit of a file's size fail, instead of SIGXFSZ end the process.
///
/// # Errors
/// If the system refuses the signal handler.
#[cfg(target_os = "linux")]
pub fn outlive_file_sizes() -> std::io::Result<()> {
    let sizes = SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
    // The handler stays when this end of it is gone.
    signal(sizes).map(drop)
}

/// Leaves the signal as the system has it.
#[cfg(not(target_os = "linux"))]
pub fn outlive_file_sizes() -> std::io::Result<()> {
    Ok(())
}

/// Raises the number of files that the process may open to the most it may set, and returns it.
#[cfg(target_os = "linux")]
pub fn raise_file_limit() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let before = getrlimit(Resource::Nofile);
    let most = Rlimit { current: before.maximum, maximum: before.maximum };
    let granted = match setrlimit(Resource::Nofile, most) {
        Ok(()) => before.maximum,
        Err(error) => {
            tracing::warn!(error = %error, "the limit of open files could not be raised");
            before.current
        }
    };
    granted.unwrap_or(u64::MAX)
}

/// Returns the number of files that a process may open on most systems.
#[cfg(not(target_os = "linux"))]
pub fn raise_file_limit() -> u64 {
    256
}

/// Holds the two steps of stopping.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    /// Take nothing new, finish what runs.
    pub stop: CancellationToken,
    /// Leave what runs.
    pub abort: CancellationToken,
}

impl Shutdown {
    /// Follows SIGINT and SIGTERM.
    ///
    /// # Errors
    /// If the system refuses signal handlers.
    pub fn on_signals() -> std::io::Result<Self> {
        let shutdown = Self::default();
        let (mut interrupt, mut terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let tokens = shutdown.clone();
        tokio::spawn(async move {
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
            tracing::info!("stopping: running turns are finished; a second signal aborts them");
            tokens.stop.cancel();
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                () = tokio::time::sleep(GRACE) => {}
            }
            tokens.abort.cancel();
        });
        Ok(shutdown)
    }
}
