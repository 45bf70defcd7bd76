//! Ends a turn early and says why.

use std::fmt;
use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

/// Says why a turn must end before its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelReason {
    /// The process is stopping: the turn is taken up again at the next start.
    Stopping,
    /// Its lease has passed on: another node answers.
    LeaseLost,
    /// A person has taken the conversation over.
    TakenOver,
}

impl fmt::Display for CancelReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stopping => "the process is stopping",
            Self::LeaseLost => "another node has taken the turn over",
            Self::TakenOver => "a person has taken the conversation over",
        })
    }
}

/// Cancels one turn. Clones cancel the same turn.
#[derive(Clone, Debug, Default)]
pub struct Cancel {
    token: CancellationToken,
    reason: Arc<OnceLock<CancelReason>>,
}

impl Cancel {
    /// Makes the cancel of a turn that also ends when the process stops.
    pub fn under(stopping: &CancellationToken) -> Self {
        Self { token: stopping.child_token(), reason: Arc::default() }
    }

    /// Cancels the turn. The first reason counts.
    pub fn cancel(&self, reason: CancelReason) {
        self.reason.get_or_init(|| reason);
        self.token.cancel();
    }

    /// Returns the token that engines watch.
    pub fn token(&self) -> &CancellationToken {
        &self.token
    }

    /// Returns why the turn was cancelled; `None` while it may go on.
    pub fn reason(&self) -> Option<CancelReason> {
        let reason = || self.reason.get().copied().unwrap_or(CancelReason::Stopping);
        self.token.is_cancelled().then(reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reason_stands() {
        let stopping = CancellationToken::new();
        let (lost, stopped) = (Cancel::under(&stopping), Cancel::under(&stopping));
        assert_eq!((lost.reason(), stopped.reason()), (None, None));
        lost.clone().cancel(CancelReason::LeaseLost);
        lost.cancel(CancelReason::Stopping);
        assert_eq!((lost.reason(), stopped.reason()), (Some(CancelReason::LeaseLost), None));
        stopping.cancel();
        assert!(stopped.token().is_cancelled());
        assert_eq!(stopped.reason(), Some(CancelReason::Stopping));
        assert_eq!(lost.reason(), Some(CancelReason::LeaseLost));
    }
}
