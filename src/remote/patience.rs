//! How long a server is waited for: for its next sign of life, and in all.
//!
//! Invariant: only time spent waiting counts. A listener who is slow, because the voice is, or a
//! slow disk takes nothing from the server's time.

use std::time::Duration;

use tokio::time::{Instant, timeout};

/// Names the time that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Late {
    /// That for the next sign of life.
    Quiet,
    /// That for everything.
    Total,
}

/// Holds what is left of both times.
#[derive(Debug)]
pub struct Patience {
    total: Duration,
    quiet: Duration,
}

impl Patience {
    /// Waits for at most `total`, however it is spent.
    #[must_use]
    pub fn new(total: Duration) -> Self {
        Self { total, quiet: total }
    }

    /// Allows this long for the next sign of life, beginning at the next wait.
    pub fn expect_within(&mut self, quiet: Duration) {
        self.quiet = quiet;
    }

    /// Returns whether a pause of this length leaves time.
    #[must_use]
    pub fn outlasts(&self, pause: Duration) -> bool {
        pause < self.total
    }

    /// Sleeps, which counts as waiting.
    pub async fn pause(&mut self, pause: Duration) {
        tokio::time::sleep(pause).await;
        self.total = self.total.saturating_sub(pause);
    }

    /// Waits for `work`, at most as long as both times allow.
    ///
    /// # Errors
    /// The time that is over.
    pub async fn wait<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Late> {
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
