//! Signals: the first one to stop finishes what runs, the second or the grace period aborts it;
//! SIGHUP asks for the configuration to be read again.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

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
