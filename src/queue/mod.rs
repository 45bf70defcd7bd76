//! From an accepted message to one turn at a time: first the inbox, then the lanes.
//!
//! Knows no stage and no engine: it runs a [`JobHandler`]. What is accepted is on disk; what is
//! leased is finished or given back.

mod cancel;
mod clock_watch;
pub mod front;
pub mod inbox;
pub mod lanes;
mod news;
mod places;
mod retry;
mod running;
mod wake;

pub use cancel::{Cancel, CancelReason};
pub use news::News;
pub use retry::back_off;
pub use running::RunningTurns;
pub use wake::Wake;

use std::time::Duration;

use async_trait::async_trait;

use crate::store::Lease;

/// Says what became of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handled {
    /// It is answered; never lease it again.
    Done,
    /// Lease it again after this long, and longer with each attempt: see [`back_off`].
    RetryAfter(Duration),
    /// Lease it again after exactly this long; this lease was an attempt.
    RetryIn(Duration),
    /// Lease it again after exactly this long; this lease was not an attempt.
    Postpone(Duration),
}

/// Answers leased messages.
#[async_trait]
pub trait JobHandler: Send + Sync {
    /// Handles one turn. Runs again with a higher `attempt` if the process dies in it.
    async fn handle(&self, lease: Lease, cancel: Cancel, news: News) -> Handled;
}
