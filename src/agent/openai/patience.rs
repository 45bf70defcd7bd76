//! How long a server is waited for: for its next word, and in all.
//!
//! Invariant: only time spent waiting counts. A listener who is slow, because the voice is, takes
//! nothing from the server's time.

use std::time::Duration;

use tokio::time::{Instant, timeout};

/// Which time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Late {
    /// That for the next word.
    Quiet,
    /// That for everything.
    Total,
}

/// What is left of both times.
#[derive(Debug)]
pub(super) struct Patience {
    total: Duration,
    quiet: Duration,
}

impl Patience {
    pub(super) fn new(total: Duration) -> Self {
        Self { total, quiet: total }
    }

    /// From now on, the next word may take this long.
    pub(super) fn expect_within(&mut self, quiet: Duration) {
        self.quiet = quiet;
    }

    /// Whether a pause of this length leaves time.
    pub(super) fn outlasts(&self, pause: Duration) -> bool {
        pause < self.total
    }

    /// Pauses.
    pub(super) async fn pause(&mut self, pause: Duration) {
        tokio::time::sleep(pause).await;
        self.total = self.total.saturating_sub(pause);
    }

    /// Waits for `work`, at most as long as both times allow.
    pub(super) async fn wait<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Late> {
        let started = Instant::now();
        let done = timeout(self.total.min(self.quiet), work).await;
        let waited = started.elapsed();
        self.total = self.total.saturating_sub(waited);
        self.quiet = self.quiet.saturating_sub(waited);
        done.map_err(|_elapsed| if self.total.is_zero() { Late::Total } else { Late::Quiet })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> tokio::time::Sleep {
        tokio::time::sleep(Duration::from_secs(seconds))
    }

    #[tokio::test(start_paused = true)]
    async fn only_time_that_is_waited_counts() {
        let mut patience = Patience::new(Duration::from_secs(10));
        patience.expect_within(Duration::from_secs(4));
        seconds(100).await;
        assert_eq!(patience.wait(seconds(3)).await, Ok(()));
        assert_eq!(patience.wait(seconds(2)).await, Err(Late::Quiet));
        patience.expect_within(Duration::from_secs(100));
        assert!(patience.outlasts(Duration::from_secs(5)));
        patience.pause(Duration::from_secs(4)).await;
        assert!(!patience.outlasts(Duration::from_secs(2)));
        assert_eq!(patience.wait(seconds(3)).await, Err(Late::Total));
        assert_eq!(patience.wait(seconds(1)).await, Err(Late::Total));
    }
}
