//! The door of an agent's hours: outside of them a person is wanted, and the agent is not asked.

use std::ops::ControlFlow;

use super::doors::{Say, Visit};
use crate::turn::{Reason, TicketReason};

/// Says that nobody is there, if the message came outside the agent's hours. Where there is no sentence
/// for it, the agent answers beside the ticket.
pub(super) fn door(visit: &mut Visit<'_>) -> ControlFlow<Say> {
    let open = visit.agent.hours.as_ref().is_none_or(|hours| hours.hold_at(visit.around.asked_ms));
    if open {
        return ControlFlow::Continue(());
    }
    let text = visit.agent.phrases.nobody_there.in_language(&visit.heard.language);
    if text.is_empty() {
        visit.ticket = Some(TicketReason::OutsideHours);
        return ControlFlow::Continue(());
    }
    let (ticket, instead) = (Some(TicketReason::OutsideHours), Some(Reason::OutsideHours));
    ControlFlow::Break(Say { ticket, instead, ..Say::sentence(text) })
}
