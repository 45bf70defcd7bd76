//! What was sent and is not in the store yet.
//!
//! The store may be away when the provider has just taken a part: a full disk, a held lock. Its
//! result is kept here until it is noted, also when the lease ends before: the next attempt of the
//! turn looks here before it sends anything.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::turn::{MessageId, TurnId};

/// Names what became of a send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SendResult {
    /// The provider took it.
    Sent(MessageId),
    /// The provider refused it, for this reason.
    Refused(String),
    /// It may have been taken; this error left it open. `assumed` says that it counts as sent.
    /// It was sent so often.
    InDoubt { error: String, sends: u32, assumed: bool },
}

/// Holds the results of parts until they are noted. At most one a running turn.
#[derive(Debug, Default)]
pub struct Unnoted(Mutex<HashMap<(TurnId, u32), SendResult>>);

impl Unnoted {
    /// Remembers a result.
    pub(super) fn keep(&self, turn: &TurnId, part: u32, result: SendResult) {
        self.0.lock().expect("no holder panics").insert((turn.clone(), part), result);
    }

    /// Forgets a result that is noted.
    pub(super) fn forget(&self, turn: &TurnId, part: u32) {
        self.0.lock().expect("no holder panics").remove(&(turn.clone(), part));
    }

    /// Returns what an earlier attempt could not note.
    pub(super) fn of(&self, turn: &TurnId, part: u32) -> Option<SendResult> {
        self.0.lock().expect("no holder panics").get(&(turn.clone(), part)).cloned()
    }
}
