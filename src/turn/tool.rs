//! The calls of tools that a turn made, as its record keeps them.

use serde::{Deserialize, Serialize};

use super::Personal;
use super::words::words;

words! {
    /// Says what came of a call of a tool.
    pub enum ToolOutcome {
        /// It answered.
        Answered = "answered",
        /// It said that it could not do it: an error status, or an MCP result that is an error.
        Failed = "failed",
        /// It did not answer in time.
        TimedOut = "timed_out",
        /// Its server could not be reached.
        Unreachable = "unreachable",
        /// It answered more than a model is given.
        TooLarge = "too_large",
        /// It answered what is no text: a web page, a picture, broken JSON.
        Unreadable = "unreadable",
        /// The model's arguments do not fit, so it was not called.
        WrongArguments = "wrong_arguments",
        /// The model named a tool that does not exist.
        Unknown = "unknown",
    }
}

impl ToolOutcome {
    /// Returns whether the call may have reached the tool's server, which may have done something for it.
    pub fn may_have_reached(self) -> bool {
        !matches!(self, Self::Unreachable | Self::WrongArguments | Self::Unknown)
    }
}

/// Describes one call of a tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolUse {
    /// The tool, as the model knows it.
    pub name: String,
    /// The arguments, as the model wrote them: JSON, shortened.
    pub arguments: Personal,
    /// What the model was told, shortened.
    pub result: Personal,
    /// What came of it.
    pub outcome: ToolOutcome,
    /// When it began, milliseconds from the turn's start.
    pub start_ms: f64,
    /// How long it took, milliseconds.
    pub ms: f64,
}
