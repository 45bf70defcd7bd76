//! Wakes the lanes when something may wait for them.
//!
//! Shared by the lanes and whoever fills the queue. A backend that serves several nodes calls
//! [`Wake::wake`] when another node's message arrives.

use std::sync::Arc;

use tokio::sync::Notify;

/// Wakes the lanes of this process. Clones wake the same lanes.
#[derive(Clone, Debug, Default)]
pub struct Wake(Arc<Notify>);

impl Wake {
    /// Wakes the lanes, or keeps them from falling asleep next time.
    pub fn wake(&self) {
        self.0.notify_one();
    }

    /// Waits until somebody wakes the lanes.
    pub(super) async fn woken(&self) {
        self.0.notified().await;
    }
}
