//! What shows that a service lives: its runtime runs this, and its store answers.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::clock::Clock;
use crate::store::{Queue as _, SqlStore};

/// Feels whether a service lives.
pub struct ServicePulse {
    pub(super) store: Arc<SqlStore>,
    pub(super) clock: Clock,
}

impl ServicePulse {
    /// Returns whether the store answers within a time. An error is an answer: a full disk or a database
    /// that is away is waited for, and no new process would do better. So is that of any other write, where
    /// many wait before this one.
    pub async fn beats(&self, within: Duration) -> bool {
        let before = self.store.answered();
        let asked = timeout(within, self.store.probe(self.clock.now_ms())).await;
        asked.is_ok() || self.store.answered() != before
    }
}
