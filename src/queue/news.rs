//! Tells a running turn what came for it: more of its person, or a status of what it sent.
//!
//! A word too much costs one look at the store, and a word that is missed a short wait: who listens
//! looks by itself, too, since other nodes take webhooks as well.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

/// Longest time between two looks of who listens.
const LOOK: Duration = Duration::from_millis(250);

/// Reaches one turn. Clones reach the same.
#[derive(Clone, Debug, Default)]
pub struct News(Arc<Notify>);

impl News {
    /// Says that something may have come.
    pub(super) fn tell(&self) {
        self.0.notify_one();
    }

    /// Waits until something may have come, but no longer than `most`.
    pub async fn wait(&self, most: Duration) {
        let look = most.min(LOOK);
        // A wait that ends by itself is as good as news.
        let _told = tokio::time::timeout(look, self.0.notified()).await;
    }
}
