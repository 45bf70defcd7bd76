//! The door of money: where the credits of a number or an agent are spent, nothing is asked of anybody.
//!
//! First of the doors. What was heard is kept, so that a person who takes over knows it; the agent, its
//! tools and its knowledge are not asked, and the person is told.

use std::ops::ControlFlow;

use super::doors::{Say, Visit};
use crate::store::Credit;
use crate::turn::{Reason, TicketReason};

/// Says our sentence where the record has refused to reserve what an answer costs.
pub(super) fn door(visit: &mut Visit<'_>) -> ControlFlow<Say> {
    let Credit::Refused(scope) = visit.around.credit else { return ControlFlow::Continue(()) };
    crate::telemetry::credits_refused(scope.name());
    tracing::warn!(
        credits.scope = scope.name(),
        agent = visit.agent.name,
        "a turn is not answered, since the credits are spent; `hark usage credits add` adds some"
    );
    let text = visit.agent.phrases.no_credits.in_language(&visit.heard.language);
    let (ticket, instead) = (Some(TicketReason::Credits), Some(Reason::CreditsSpent));
    ControlFlow::Break(Say { ticket, instead, ..Say::sentence(text) })
}
