//! One connection to PostgreSQL: statements prepared once, transactions, locks.

use std::cell::RefCell;
use std::collections::HashMap;

use ::postgres::types::ToSql;
use ::postgres::{Client, Row, Statement};

use super::dialect;
use crate::store::sql::{DbResult, DbValue, Hold, Lock, Mode};

/// Locks of hark among all advisory locks of a database: "hark" in ASCII.
pub(super) const LOCKS: i32 = 0x6861_726b;

/// A connection.
pub(in crate::store) struct PgSession {
    client: RefCell<Client>,
    /// By the statement as it was written.
    prepared: RefCell<HashMap<String, Statement>>,
}

/// A statement that the server has prepared.
pub(in crate::store) type PgStatement = Statement;

impl PgSession {
    pub(super) fn new(client: Client) -> Self {
        Self { client: RefCell::new(client), prepared: RefCell::default() }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.client.borrow().is_closed()
    }

    pub(super) fn with<T>(
        &self,
        call: impl FnOnce(&mut Client) -> Result<T, ::postgres::Error>,
    ) -> DbResult<T> {
        Ok(call(&mut self.client.borrow_mut())?)
    }

    pub(in crate::store) fn prepare(&self, sql: &str) -> DbResult<Statement> {
        if let Some(prepared) = self.prepared.borrow().get(sql) {
            return Ok(prepared.clone());
        }
        let prepared = self.client.borrow_mut().prepare(&dialect::translate(sql))?;
        self.prepared.borrow_mut().insert(sql.to_owned(), prepared.clone());
        Ok(prepared)
    }

    pub(in crate::store) fn execute(
        &self,
        statement: &Statement,
        values: &[DbValue<'_>],
    ) -> DbResult<usize> {
        let changed = self.client.borrow_mut().execute(statement, &parameters(values))?;
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    pub(in crate::store) fn query(
        &self,
        statement: &Statement,
        values: &[DbValue<'_>],
    ) -> DbResult<Vec<Row>> {
        Ok(self.client.borrow_mut().query(statement, &parameters(values))?)
    }

    /// Runs statements without parameters.
    pub(in crate::store) fn run(&self, sql: &str) -> DbResult<()> {
        Ok(self.client.borrow_mut().batch_execute(sql)?)
    }

    /// Begins what surrounds a call. Each statement sees what was committed before it, so that after
    /// waiting for a lock nothing is out of date.
    pub(super) fn begin(&self, mode: Mode) -> DbResult<()> {
        match mode {
            Mode::Read => Ok(()),
            Mode::Write => self.run("BEGIN"),
            Mode::Hasty => self.run("SET synchronous_commit = off"),
            Mode::Alone(lock) => {
                self.run(&format!("BEGIN; SELECT pg_advisory_xact_lock({LOCKS}, {})", lock as i32))
            }
        }
    }

    /// Ends it.
    pub(super) fn end(&self, mode: Mode, commits: bool) -> DbResult<()> {
        match mode {
            Mode::Read => Ok(()),
            Mode::Hasty => self.run("RESET synchronous_commit"),
            _ => self.run(if commits { "COMMIT" } else { "ROLLBACK" }),
        }
    }

    pub(in crate::store) fn lock(&self, lock: Lock) -> DbResult<()> {
        let wait =
            self.prepare("SELECT pg_advisory_xact_lock(CAST(?1 AS INTEGER), CAST(?2 AS INTEGER))")?;
        let values = [DbValue::Int(LOCKS.into()), DbValue::Int(lock as i64)];
        self.query(&wait, &values).map(drop)
    }

    pub(in crate::store) fn hold(&self, whom: Hold<'_>) -> DbResult<()> {
        let (contact, of) = match whom {
            Hold::Contact(id) => ("?1", DbValue::Int(id)),
            Hold::Message(row) => {
                ("(SELECT contact_id FROM messages WHERE id = ?1)", DbValue::Int(row))
            }
            Hold::Turn(id) => ("(SELECT contact_id FROM turns WHERE id = ?1)", DbValue::Text(id)),
            Hold::Conversation(id) => {
                ("(SELECT contact_id FROM conversations WHERE id = ?1)", DbValue::Int(id))
            }
            Hold::Ticket(id) => {
                ("(SELECT contact_id FROM tickets WHERE id = ?1)", DbValue::Text(id))
            }
        };
        // As an update of the row does; a reference to the contact waits for neither.
        let hold = format!("SELECT 1 FROM contacts WHERE id = {contact} FOR NO KEY UPDATE");
        self.query(&self.prepare(&hold)?, &[of]).map(drop)
    }

    pub(in crate::store) fn at_once<T>(&self, read: impl FnOnce() -> DbResult<T>) -> DbResult<T> {
        self.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
        let read = read();
        self.run("COMMIT")?;
        read
    }
}

fn parameters<'a>(values: &'a [DbValue<'a>]) -> Vec<&'a (dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}
