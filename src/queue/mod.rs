//! From an accepted message to one turn at a time: the inbox in front, the lanes behind it.
//!
//! Knows no stage and no engine: it runs a [`JobHandler`]. What is accepted is on disk; what is
//! leased is finished or given back.

mod cancel;
pub mod inbox;
pub mod lanes;
mod retry;
mod wake;

pub use cancel::{Cancel, CancelReason};
pub use retry::back_off;
pub use wake::Wake;

use std::time::Duration;

use async_trait::async_trait;

use crate::store::Lease;

/// What became of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handled {
    /// It is answered; never lease it again.
    Done,
    /// Lease it again after this long.
    RetryAfter(Duration),
    /// The same, and this lease was no attempt.
    Postpone(Duration),
}

/// Answers leased messages.
#[async_trait]
pub trait JobHandler: Send + Sync {
    /// Handles one turn. Runs again with a higher `attempt` if the process dies in it.
    async fn handle(&self, lease: Lease, cancel: Cancel) -> Handled;
}
