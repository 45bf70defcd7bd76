//! The turns that run on this node, and what reaches them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use super::{Cancel, CancelReason, News};
use crate::store::{Lane, LeaseKey, LeaseTime};
use crate::turn::{ContactRef, PhoneNumberId, TurnId};

/// Holds a turn that runs, until its end is recorded.
#[derive(Clone)]
pub(super) struct Running {
    pub(super) key: LeaseKey,
    pub(super) turn: TurnId,
    pub(super) lane: Lane,
    pub(super) contact: ContactRef,
    pub(super) cancel: Cancel,
    pub(super) news: News,
    pub(super) time: LeaseTime,
}

/// Reaches the turns that run on this node, by the count of those before: one that is given back and
/// leased again has the same key for a moment. Clones reach the same ones.
#[derive(Clone, Default)]
pub struct RunningTurns(Arc<Mutex<HashMap<u64, Running>>>);

impl RunningTurns {
    pub(super) fn held(&self) -> MutexGuard<'_, HashMap<u64, Running>> {
        self.0.lock().expect("no holder panics")
    }

    /// Counts them.
    pub fn count(&self) -> usize {
        self.held().len()
    }

    /// Cancels what runs in a lane: a person takes over. What is planned is sent all the same.
    pub fn take_over(&self, lane: &Lane) {
        for running in self.held().values().filter(|running| running.lane == *lane) {
            running.cancel.cancel(CancelReason::TakenOver);
        }
    }

    /// Tells the turns of a person that they have sent more.
    pub(super) fn more_came(&self, number: &PhoneNumberId, from: &ContactRef) {
        let same = |one: &ContactRef| {
            one.user_id.is_some() && one.user_id == from.user_id
                || one.phone.is_some() && one.phone == from.phone
        };
        let held = self.held();
        for running in held.values().filter(|r| r.lane.number == *number && same(&r.contact)) {
            running.news.tell();
        }
    }

    /// Tells a turn that a status of what it sent has come.
    pub(super) fn status_came(&self, turn: &TurnId) {
        for running in self.held().values().filter(|running| running.turn == *turn) {
            running.news.tell();
        }
    }
}
