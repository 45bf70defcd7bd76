//! What bounds one exchange with the server, and what must not be quoted of it.

use std::time::Duration;

use super::refusal::Failure;
use super::settings::Settings;
use crate::agent::{AgentError, Usage};
use crate::remote::patience::{Late, Patience};
use crate::remote::words::Redactor;

/// Holds what bounds one exchange with the server, and what must not be quoted of it.
pub(super) struct ServerCall<'a> {
    pub(super) settings: &'a Settings,
    pub(super) redactor: Redactor<'a>,
    pub(super) patience: &'a mut Patience,
    /// What answers cost that were of no use.
    pub(super) wasted: Vec<Usage>,
}

impl ServerCall<'_> {
    /// Allows the usual time for the next word.
    pub(super) fn expect_word(&mut self) {
        self.patience.expect_within(Duration::from_millis(self.settings.stall_timeout_ms));
    }

    /// Describes that no word came in time.
    pub(super) fn too_slow(&self, late: Late) -> Failure {
        let too_slow = |waited_ms| AgentError::TooSlow { waited_ms };
        match late {
            Late::Quiet => Failure::passing(too_slow(self.settings.first_token_timeout_ms)),
            Late::Total => Failure::last(too_slow(self.settings.timeout_ms)),
        }
    }
}
