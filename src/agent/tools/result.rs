//! What a model is told of a call that did not work, and how much of one that did.

use crate::turn::ToolOutcome;

/// Most bytes of an answer that a model is given: some 16,000 tokens. More is refused, not cut: half
/// of a list would be taken for the whole.
pub(super) const MOST_BYTES: usize = 64 << 10;

/// Says why a call has no result, in words for the model and the turn's record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ToolFailure {
    /// What came of it.
    pub(crate) outcome: ToolOutcome,
    /// In a sentence, without anything secret.
    pub(crate) message: String,
}

impl ToolFailure {
    pub(super) fn new(outcome: ToolOutcome, message: impl Into<String>) -> Self {
        Self { outcome, message: message.into() }
    }

    pub(super) fn timed_out(timeout_ms: u64) -> Self {
        let message = format!("the tool did not answer within {timeout_ms} ms");
        Self::new(ToolOutcome::TimedOut, message)
    }

    pub(super) fn unreachable(why: &str) -> Self {
        Self::new(
            ToolOutcome::Unreachable,
            format!("the tool's server could not be reached: {why}"),
        )
    }

    pub(super) fn too_large() -> Self {
        let message = "the tool answered with more than 64 KiB, which is too much: ask for less";
        Self::new(ToolOutcome::TooLarge, message)
    }

    pub(super) fn unreadable(what: &str) -> Self {
        Self::new(ToolOutcome::Unreadable, format!("the tool answered {what}"))
    }
}
