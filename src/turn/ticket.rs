//! Why a person is wanted, and why no longer.

use super::words::words;

words! {
    /// Says why a ticket was opened.
    pub enum TicketReason {
        /// The agent wanted it.
        Agent = "agent",
        /// The person asked for a person.
        AskedForPerson = "asked_for_person",
        /// The person was not understood twice in a row.
        Doubts = "two_doubts",
        /// There are no credits left.
        Credits = "credits_spent",
        /// It came outside the agent's hours.
        OutsideHours = "outside_hours",
        /// The agent failed.
        AgentFailed = "agent_failed",
        /// An operator took over.
        Operator = "operator",
        /// Somebody answered from the phone.
        Phone = "phone",
        /// Another system said so.
        Command = "command",
    }
}

words! {
    /// Says why a ticket was closed.
    pub enum TicketEnd {
        /// An operator closed it.
        Operator = "operator",
        /// Nobody wrote for a while.
        Idle = "idle",
        /// Another system said so.
        Command = "command",
        /// Two contacts turned out to be one, and the other has a ticket.
        Merged = "merged",
    }
}
