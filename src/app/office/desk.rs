//! Tickets and operators, as the API asks of them.
//!
//! The store decides; here what is asked is checked, and turns that run are told.

use async_trait::async_trait;

use super::conversations::{conversation_id, unknown_conversation};
use super::record::{page, uncursor};
use super::{Office, new_id, time};
use crate::http::api::{
    ApiRefusal, AssignInput, Caller, FieldProblem, ListPart, OperatorInput, OperatorView,
    TicketInput, TicketQuery, TicketView, TicketsApi, limit,
};
use crate::store::{Desk as _, DeskChange, Lane, NewTicket, OperatorRow, TicketRow, TicketSearch};
use crate::turn::{LanguageCode, Personal, TicketEnd, TicketReason, WorkingHours};

const TICKET: &str = "ticket of this id";
const OPERATOR: &str = "operator of this id";
/// Longest name, skill or code.
const NAME_CHARS: usize = 100;
/// Most skills or languages of an operator.
const MOST_WORDS: usize = 100;
/// Longest summary.
const SUMMARY_CHARS: usize = 2_000;

#[async_trait]
impl TicketsApi for Office {
    async fn tickets(&self, query: TicketQuery) -> Result<ListPart<TicketView>, ApiRefusal> {
        let limit = limit(query.limit)?;
        let search = TicketSearch {
            id: None,
            open: query.state.as_deref().map(is_open).transpose()?,
            operator: query.operator,
            conversation: query.conversation.as_deref().map(conversation_id).transpose()?,
            before: query.cursor.as_deref().map(uncursor).transpose()?,
            limit: limit + 1,
        };
        let rows = self.store.tickets(search).await?;
        Ok(page(rows, limit, |row| row.id.clone(), ticket_view))
    }

    async fn ticket(&self, id: &str) -> Result<TicketView, ApiRefusal> {
        let search = TicketSearch { id: Some(id.to_owned()), limit: 1, ..TicketSearch::default() };
        let found = self.store.tickets(search).await?.pop();
        found.map(ticket_view).ok_or_else(|| ApiRefusal::NotFound(TICKET.to_owned()))
    }

    async fn open_ticket(&self, _: &Caller, input: TicketInput) -> Result<TicketView, ApiRefusal> {
        let TicketInput { conversation, summary, skill, operator } = input;
        if summary.as_ref().is_some_and(|summary| summary.chars().count() > SUMMARY_CHARS) {
            let problem = format!("must have at most {SUMMARY_CHARS} characters");
            return Err(ApiRefusal::invalid("summary", problem));
        }
        for (key, name) in [("skill", &skill), ("operator", &operator)] {
            name.as_deref().map_or(Ok(()), |name| check_name(key, name))?;
        }
        let id = conversation_id(&conversation)?;
        let summary = summary.map(Personal);
        self.take_over(id, TicketReason::Operator, summary, skill, operator).await.map(ticket_view)
    }

    async fn assign_ticket(
        &self,
        id: &str,
        version: Option<u32>,
        AssignInput { operator }: AssignInput,
    ) -> Result<TicketView, ApiRefusal> {
        operator.as_deref().map_or(Ok(()), |name| check_name("operator", name))?;
        let now_ms = self.clock.now_ms();
        let ticket = changed_ticket(self.store.assign(id, version, operator, now_ms).await?)?;
        self.stop_turns(&ticket);
        Ok(ticket_view(ticket))
    }

    async fn close_ticket(&self, id: &str, version: Option<u32>) -> Result<TicketView, ApiRefusal> {
        self.end_ticket(id, version, TicketEnd::Operator).await.map(ticket_view)
    }

    async fn operators(&self) -> Result<Vec<OperatorView>, ApiRefusal> {
        let now_ms = self.clock.now_ms();
        let rows = self.store.operators().await?;
        Ok(rows.into_iter().map(|row| operator_view(row, now_ms)).collect())
    }

    async fn operator(&self, id: &str) -> Result<OperatorView, ApiRefusal> {
        let all = TicketsApi::operators(self).await?;
        let found = all.into_iter().find(|operator| operator.id == id);
        found.ok_or_else(|| ApiRefusal::NotFound(OPERATOR.to_owned()))
    }

    async fn put_operator(
        &self,
        id: Option<(&str, u32)>,
        input: OperatorInput,
    ) -> Result<OperatorView, ApiRefusal> {
        check_operator(&input)?;
        let OperatorInput { name, skills, languages, available, hours } = input;
        let now_ms = self.clock.now_ms();
        let (id, version) = match id {
            Some((id, version)) => (id.to_owned(), version),
            None => (new_id(now_ms), 0),
        };
        let row = OperatorRow {
            id,
            name,
            skills,
            languages: languages.into_iter().map(LanguageCode::from).collect(),
            available,
            hours,
            version,
            created_ms: now_ms,
            tickets: 0,
        };
        let put = self.store.put_operator(row, now_ms).await?;
        Ok(operator_view(super::changed(OPERATOR, put)?, now_ms))
    }

    async fn remove_operator(&self, id: &str) -> Result<(), ApiRefusal> {
        if self.store.remove_operator(id, self.clock.now_ms()).await? {
            return Ok(());
        }
        Err(ApiRefusal::NotFound(OPERATOR.to_owned()))
    }
}

impl Office {
    /// Opens a ticket on a conversation, and ends what its agent is about to say.
    pub(super) async fn take_over(
        &self,
        conversation: i64,
        reason: TicketReason,
        summary: Option<Personal>,
        skill: Option<String>,
        operator: Option<String>,
    ) -> Result<TicketRow, ApiRefusal> {
        let now_ms = self.clock.now_ms();
        let new = NewTicket { id: new_id(now_ms), reason, summary, skill, operator };
        let opened = self.store.open_ticket(conversation, new, now_ms).await?;
        let ticket = match opened {
            DeskChange::Done(ticket) => ticket,
            DeskChange::Closed => return Err(over()),
            _ => return Err(unknown_conversation()),
        };
        self.stop_turns(&ticket);
        Ok(ticket)
    }

    /// Closes a ticket.
    pub(super) async fn end_ticket(
        &self,
        id: &str,
        version: Option<u32>,
        end: TicketEnd,
    ) -> Result<TicketRow, ApiRefusal> {
        let now_ms = self.clock.now_ms();
        changed_ticket(self.store.close_ticket(id, version, end, now_ms).await?)
    }

    /// Tells what was said in a conversation, as an event.
    pub(super) async fn tell_conversation(
        &self,
        conversation: i64,
        ticket: Option<String>,
    ) -> Result<(), ApiRefusal> {
        let told = self.store.tell_conversation(conversation, ticket, self.clock.now_ms()).await?;
        if told { Ok(()) } else { Err(unknown_conversation()) }
    }

    /// Ends what the agent is about to say in a conversation that a person has.
    fn stop_turns(&self, ticket: &TicketRow) {
        if let Some(running) = &self.running {
            let (number, contact_id) = (ticket.number.clone(), ticket.contact_id);
            running.take_over(&Lane { number, contact_id });
        }
    }
}

/// Says that a conversation is over.
pub(super) fn over() -> ApiRefusal {
    ApiRefusal::Conflict(
        "the conversation is over: a new one begins when the person writes again".to_owned(),
    )
}

fn changed_ticket(change: DeskChange<TicketRow>) -> Result<TicketRow, ApiRefusal> {
    match change {
        DeskChange::Done(row) => Ok(row),
        DeskChange::Absent => Err(ApiRefusal::NotFound(TICKET.to_owned())),
        DeskChange::Stale(now) => Err(ApiRefusal::Stale { now }),
        DeskChange::Closed => Err(ApiRefusal::Conflict("the ticket is closed".to_owned())),
    }
}

/// Reads `open` or `closed`.
pub(super) fn is_open(state: &str) -> Result<bool, ApiRefusal> {
    match state {
        "open" => Ok(true),
        "closed" => Ok(false),
        _ => Err(ApiRefusal::Malformed("state must be open or closed".to_owned())),
    }
}

fn check_name(key: &str, name: &str) -> Result<(), ApiRefusal> {
    let fits = (1..=NAME_CHARS).contains(&name.chars().count());
    if fits && !name.trim().is_empty() && !name.chars().any(char::is_control) {
        return Ok(());
    }
    let problem = format!("must have 1 to {NAME_CHARS} characters that are seen");
    Err(ApiRefusal::invalid(key, problem))
}

fn check_operator(input: &OperatorInput) -> Result<(), ApiRefusal> {
    check_name("name", &input.name)?;
    for (key, words) in [("skills", &input.skills), ("languages", &input.languages)] {
        if words.len() > MOST_WORDS {
            return Err(ApiRefusal::invalid(key, format!("has more than {MOST_WORDS} entries")));
        }
        words.iter().try_for_each(|word| check_name(key, word))?;
    }
    match input.hours.as_ref().and_then(WorkingHours::problem) {
        Some((key, problem)) => {
            Err(ApiRefusal::Invalid(vec![FieldProblem { key: format!("hours.{key}"), problem }]))
        }
        None => Ok(()),
    }
}

pub(super) fn ticket_view(row: TicketRow) -> TicketView {
    TicketView {
        id: row.id,
        state: state(row.closed_ms),
        conversation: row.conversation.to_string(),
        number: row.number.0,
        contact_id: row.contact_key,
        contact: row.contact.0,
        name: row.name.map(|name| name.0),
        reason: row.reason,
        summary: row.summary.map(|summary| summary.0),
        skill: row.skill,
        language: row.language.map(|language| language.to_string()),
        turn: row.turn,
        operator: row.operator,
        opened_at: time(row.opened_ms),
        assigned_at: row.assigned_ms.map(time),
        last_at: time(row.last_ms),
        closed_at: row.closed_ms.map(time),
        closed_by: row.closed_by,
        version: row.version,
    }
}

/// Says whether something is open.
pub(super) fn state(closed_ms: Option<i64>) -> String {
    if closed_ms.is_some() { "closed" } else { "open" }.to_owned()
}

fn operator_view(row: OperatorRow, now_ms: i64) -> OperatorView {
    OperatorView {
        present: row.is_there(now_ms),
        id: row.id,
        name: row.name,
        skills: row.skills,
        languages: row.languages.iter().map(ToString::to_string).collect(),
        available: row.available,
        hours: row.hours,
        tickets: row.tickets,
        created_at: time(row.created_ms),
        version: row.version,
    }
}
