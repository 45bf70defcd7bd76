//! What a message passes before the agent, in order. A door lets it through or breaks its way with
//! an answer.
//!
//! Between hearing and the agent. Pure: no door calls out. A new policy is one more row.

use std::ops::ControlFlow;

use super::answer::Around;
use super::hear::Heard;
use super::{AgentSetup, credits, gate, hours, person, takeover, wishes};
use crate::agent::Question;
use crate::registry::ReplyPolicy;
use crate::turn::{LanguageCode, Reason, ReplyMode, TicketReason};

/// The doors, first to last.
const DOORS: &[fn(&mut Visit<'_>) -> ControlFlow<Say>] =
    &[credits::door, hours::door, gate::door, person::door, wishes::language_door, wishes::door];

/// Follows one message on its way to the agent.
pub(super) struct Visit<'a> {
    pub(super) agent: &'a AgentSetup,
    pub(super) heard: &'a Heard,
    pub(super) around: &'a Around,
    /// What the agent is asked; a door may change it.
    pub(super) question: Question,
    /// How the person wants to be answered from now on, if they said so.
    pub(super) wish: Option<ReplyMode>,
    /// The language that they want to be answered in from now on, if they said so.
    pub(super) asked_language: Option<LanguageCode>,
    /// Whether they ask for a person.
    pub(super) wants_person: bool,
    /// Why a ticket is opened, if the agent answers all the same.
    pub(super) ticket: Option<TicketReason>,
}

/// Holds what a door says to the person.
pub(super) struct Say {
    pub(super) text: String,
    /// Why it is a question back, if it is one.
    pub(super) asks_back: Option<Reason>,
    /// Why a ticket is opened with it, if one is.
    pub(super) ticket: Option<TicketReason>,
    /// Why it is said in the place of an answer, if it is.
    pub(super) instead: Option<Reason>,
}

impl Say {
    /// Says a sentence.
    pub(super) fn sentence(text: impl Into<String>) -> Self {
        Self { text: text.into(), asks_back: None, ticket: None, instead: None }
    }
}

impl<'a> Visit<'a> {
    pub(super) fn new(agent: &'a AgentSetup, heard: &'a Heard, around: &'a Around) -> Self {
        let question = Question {
            heard: heard.text.clone(),
            spoken: heard.spoken(),
            about: around.about.clone(),
            language: heard.language.clone(),
            history: around.history.exchanges.clone(),
            notes: around.history.notes.clone(),
            contact_name: around.name().cloned(),
            customer: around.customer.clone(),
            asked_ms: around.asked_ms,
            aloud: true,
            passages: Vec::new(),
            pictures: around.pictures.clone(),
            internal: false,
        };
        let (wish, asked_language) = (None, None);
        let (wants_person, ticket) = (false, None);
        let mut visit =
            Self { agent, heard, around, question, wish, asked_language, wants_person, ticket };
        visit.question.aloud = visit.is_aloud(around.reply_mode);
        visit
    }

    /// Leads the message through every door; returns what the first that answers says.
    pub(super) fn pass(&mut self) -> Option<Say> {
        DOORS.iter().try_for_each(|door| door(self)).break_value()
    }

    /// Says that a person takes over from here, where there are people who can.
    pub(super) fn hand_over(&self, reason: TicketReason) -> Option<Say> {
        let desk = self.around.desk;
        let text = takeover::promise(desk, &self.agent.phrases, &self.heard.language)?;
        Some(Say { ticket: Some(reason), ..Say::sentence(text) })
    }

    /// Returns whether the reply is spoken: the agent's policy, unless the person wants to read.
    pub(super) fn is_aloud(&self, mode: Option<ReplyMode>) -> bool {
        let policy = match self.agent.reply {
            ReplyPolicy::Voice => true,
            ReplyPolicy::Reciprocal => self.heard.transcript.is_some(),
            ReplyPolicy::Text => false,
        };
        policy && mode != Some(ReplyMode::Text)
    }
}
