//! The port of the desk: conversations, what people are wanted for, and who they are.

use async_trait::async_trait;

use super::{Changed, StoreError};
use crate::turn::{
    LanguageCode, MessageId, Personal, PhoneNumberId, TicketEnd, TicketReason, WorkingHours,
};

/// Says, when a turn begins, what the desk has to do with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, read from a row")]
pub struct DeskState {
    /// A person has the conversation: the agent is silent.
    pub with_person: bool,
    /// There are operators at all.
    pub staffed: bool,
    /// One of them is there now.
    pub attended: bool,
    /// A ticket is open, whoever has it.
    pub ticket: bool,
}

/// Holds a conversation as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationRow {
    /// Its row.
    pub id: i64,
    /// The business number.
    pub number: PhoneNumberId,
    /// The contact's row.
    pub contact_id: i64,
    /// The contact's id outside.
    pub contact_key: String,
    /// User id or phone number of the contact.
    pub contact: Personal,
    /// The name of their profile.
    pub name: Option<Personal>,
    /// When it began, Unix milliseconds.
    pub opened_ms: i64,
    /// When the last message came or went.
    pub last_ms: i64,
    /// When it was over; `None` while it is not.
    pub closed_ms: Option<i64>,
    /// Its open ticket.
    pub ticket: Option<String>,
    /// How many messages came.
    pub messages: u32,
}

/// Says which conversations are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConversationSearch {
    /// That one.
    pub id: Option<i64>,
    /// Those of this number.
    pub number: Option<String>,
    /// Those of this contact, by user id or phone.
    pub contact: Option<String>,
    /// Those that are open, or those that are not.
    pub open: Option<bool>,
    /// Those in which this was written, heard or answered, whatever the case of its letters.
    pub words: Option<String>,
    /// Those older than this one.
    pub before: Option<i64>,
    /// At most so many, the newest.
    pub limit: usize,
}

/// Says who wrote something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    /// The person.
    Contact,
    /// The agent.
    Agent,
    /// An operator.
    Operator,
}

impl Author {
    /// Returns the word of the API and of events.
    pub fn name(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Agent => "agent",
            Self::Operator => "operator",
        }
    }
}

/// Holds what was said at one time in a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaidRow {
    /// Who said it.
    pub author: Author,
    /// The turn it belongs to, if it has one.
    pub turn: Option<String>,
    /// The kind of the message, e.g. `audio` or `voice`.
    pub kind: String,
    /// The words, as far as they are known.
    pub text: Option<Personal>,
    /// Who answered: the agent's name, or the operator's.
    pub by: Option<String>,
    /// When, Unix milliseconds.
    pub at_ms: i64,
    /// The provider's id.
    pub message: Option<String>,
    /// What is known of a message of ours: `planned`, `sent`, `failed`, or the last status.
    pub state: Option<String>,
}

/// Holds a ticket as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketRow {
    /// Its id.
    pub id: String,
    /// The conversation it is about.
    pub conversation: i64,
    /// The business number.
    pub number: PhoneNumberId,
    /// The contact's row.
    pub contact_id: i64,
    /// The contact's id outside.
    pub contact_key: String,
    /// User id or phone number of the contact.
    pub contact: Personal,
    /// The name of their profile.
    pub name: Option<Personal>,
    /// Why it was opened.
    pub reason: TicketReason,
    /// What it is about.
    pub summary: Option<Personal>,
    /// Who is wanted for it.
    pub skill: Option<String>,
    /// The language of the person.
    pub language: Option<LanguageCode>,
    /// The turn that opened it.
    pub turn: Option<String>,
    /// Who has it: an operator's id, or a name that another help desk gave.
    pub operator: Option<String>,
    /// When it was opened, Unix milliseconds.
    pub opened_ms: i64,
    /// When an operator got it.
    pub assigned_ms: Option<i64>,
    /// When the person or the operator last wrote, or it changed.
    pub last_ms: i64,
    /// When it was closed; `None` while it is open.
    pub closed_ms: Option<i64>,
    /// Why it was closed.
    pub closed_by: Option<TicketEnd>,
    /// Counts its changes, from 1.
    pub version: u32,
}

/// Says which tickets are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TicketSearch {
    /// That one.
    pub id: Option<String>,
    /// Those that are open, or those that are not.
    pub open: Option<bool>,
    /// Those of this operator.
    pub operator: Option<String>,
    /// Those of this conversation.
    pub conversation: Option<i64>,
    /// Those older than this one.
    pub before: Option<String>,
    /// At most so many, the newest.
    pub limit: usize,
}

/// Asks for a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTicket {
    /// Its id.
    pub id: String,
    /// Why.
    pub reason: TicketReason,
    /// What it is about.
    pub summary: Option<Personal>,
    /// Who is wanted for it.
    pub skill: Option<String>,
    /// Who has it at once, whoever is there.
    pub operator: Option<String>,
}

/// Holds an operator as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorRow {
    /// Their id.
    pub id: String,
    /// Their name.
    pub name: String,
    /// What they are asked about: names of agents, or words of your own; empty: everything.
    pub skills: Vec<String>,
    /// What they speak; empty: every language.
    pub languages: Vec<LanguageCode>,
    /// Whether they take tickets.
    pub available: bool,
    /// When they work; `None`: always.
    pub hours: Option<WorkingHours>,
    /// Counts their changes, from 1.
    pub version: u32,
    /// When they were added, Unix milliseconds.
    pub created_ms: i64,
    /// How many tickets they have.
    pub tickets: u32,
}

impl OperatorRow {
    /// Returns whether they take tickets now.
    pub fn is_there(&self, now_ms: i64) -> bool {
        self.available && self.hours.as_ref().is_none_or(|hours| hours.hold_at(now_ms))
    }
}

/// Holds what an operator says to a contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorMessage {
    /// What names it, once and for all: the same is taken once.
    pub id: MessageId,
    /// Who says it.
    pub operator: String,
    /// Words to be written.
    pub text: Option<Personal>,
    /// A voice note, Ogg/Opus.
    pub note: Option<Vec<u8>>,
}

/// Says what became of a change of the desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeskChange<T> {
    /// It is done.
    Done(T),
    /// There is no such thing.
    Absent,
    /// It has this version by now.
    Stale(u32),
    /// It is closed.
    Closed,
}

impl<T> DeskChange<T> {
    /// Says the same of another thing, where nothing was done.
    pub(super) fn without<U>(self) -> DeskChange<U> {
        match self {
            Self::Done(_) | Self::Absent => DeskChange::Absent,
            Self::Stale(now) => DeskChange::Stale(now),
            Self::Closed => DeskChange::Closed,
        }
    }
}

/// Keeps conversations, tickets and operators.
#[async_trait]
pub trait Desk: Send + Sync {
    /// Returns conversations, the one that was last written in first.
    async fn conversations(
        &self,
        search: ConversationSearch,
    ) -> Result<Vec<ConversationRow>, StoreError>;

    /// Returns what was said in a conversation, oldest first: without the last `behind` of it the last
    /// `limit`.
    async fn said(
        &self,
        conversation: i64,
        behind: usize,
        limit: usize,
    ) -> Result<Vec<SaidRow>, StoreError>;

    /// Tells what was said in a conversation, as an event; returns whether there is one.
    async fn tell_conversation(
        &self,
        conversation: i64,
        ticket: Option<String>,
        now_ms: i64,
    ) -> Result<bool, StoreError>;

    /// Closes conversations without an open ticket in which nobody has written since `before_ms`.
    async fn close_conversations(&self, before_ms: i64, now_ms: i64) -> Result<usize, StoreError>;

    /// Returns tickets, newest first.
    async fn tickets(&self, search: TicketSearch) -> Result<Vec<TicketRow>, StoreError>;

    /// Opens a ticket on a conversation that is open, and assigns it. If its contact has an open one,
    /// that one is returned, with the new one's operator if it names one.
    async fn open_ticket(
        &self,
        conversation: i64,
        new: NewTicket,
        now_ms: i64,
    ) -> Result<DeskChange<TicketRow>, StoreError>;

    /// Gives a ticket to an operator, or to whoever is free.
    async fn assign(
        &self,
        ticket: &str,
        expected: Option<u32>,
        operator: Option<String>,
        now_ms: i64,
    ) -> Result<DeskChange<TicketRow>, StoreError>;

    /// Closes a ticket: the agent answers again.
    async fn close_ticket(
        &self,
        ticket: &str,
        expected: Option<u32>,
        end: TicketEnd,
        now_ms: i64,
    ) -> Result<DeskChange<TicketRow>, StoreError>;

    /// Assigns tickets that nobody has, as far as somebody is there; returns how many.
    async fn assign_waiting(&self, now_ms: i64) -> Result<usize, StoreError>;

    /// Closes tickets in which nobody has written since `before_ms`; returns how many.
    async fn close_idle(&self, before_ms: i64, now_ms: i64) -> Result<usize, StoreError>;

    /// Puts the words of notes into their lanes that were sent after `since_ms` and until `until_ms` and
    /// not played since, once each: if the person has not written since, nobody has taken over, and the
    /// window of 24 hours is open. Returns how many.
    async fn follow_up(
        &self,
        since_ms: i64,
        until_ms: i64,
        now_ms: i64,
    ) -> Result<usize, StoreError>;

    /// Puts what an operator says into the contact's lane, behind what is there. Returns the turn
    /// that will send it; `Closed` if the conversation is over.
    async fn say(
        &self,
        conversation: i64,
        message: OperatorMessage,
        now_ms: i64,
    ) -> Result<DeskChange<String>, StoreError>;

    /// Returns all operators, oldest first.
    async fn operators(&self) -> Result<Vec<OperatorRow>, StoreError>;

    /// Adds an operator, or changes the one of this id if it still has the row's version.
    async fn put_operator(
        &self,
        operator: OperatorRow,
        now_ms: i64,
    ) -> Result<Changed<OperatorRow>, StoreError>;

    /// Removes an operator; their tickets go to others.
    async fn remove_operator(&self, id: &str, now_ms: i64) -> Result<bool, StoreError>;
}
