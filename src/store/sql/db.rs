//! A connection to either database, as the statements see it.
//!
//! Statements are written once, in what both understand: `?1` for parameters, `->` and `->>` with the
//! name of a member, `CASE`, `IS DISTINCT FROM`, `RETURNING`. What only one of them knows has a
//! method here, with its name, or is renamed by `postgres::dialect`.

use std::cell::Cell;

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};

use super::value::{DbValue, FromDb, Params};
use crate::store::StoreError;
use crate::store::postgres::{PgSession, PgStatement};

pub(super) use super::value::{ToDb, params};

/// What a statement returns.
pub(in crate::store) type DbResult<T> = Result<T, DbError>;

/// Says why a statement failed.
#[derive(Debug, thiserror::Error)]
pub(in crate::store) enum DbError {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error("{}", crate::store::postgres::said(.0))]
    Postgres(#[from] postgres::Error),
    #[error("there is no such row")]
    NoRow,
    #[error("column {0} holds something else than is read from it")]
    Column(usize),
    #[error("a value cannot be read or written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl From<DbError> for StoreError {
    fn from(error: DbError) -> Self {
        Self::Backend(Box::new(error))
    }
}

/// Whose turns run one at a time: what is done for one of them waits for what is done for the same.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) enum Hold<'a> {
    Contact(i64),
    /// Who sent this message: `messages.id`.
    Message(i64),
    Turn(&'a str),
    Conversation(i64),
    Ticket(&'a str),
}

/// What is done by one at a time, whoever's contact it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Lock {
    /// Numbers, agents, secrets, tokens, sources, webhooks, prices, accounts: what operators set up.
    Setup,
    /// Customers.
    Customers,
    /// Who gets a ticket.
    Desk,
    /// The numbering of events.
    Events,
    /// The migrations.
    Schema,
}

/// Holds a connection while a call runs on it.
pub(in crate::store) struct Db<'c> {
    engine: Engine<'c>,
    /// The call wrote events.
    told_events: Cell<bool>,
    /// It let messages wait.
    told_lanes: Cell<bool>,
}

#[derive(Clone, Copy)]
enum Engine<'c> {
    Sqlite(&'c rusqlite::Connection),
    Postgres(&'c PgSession),
}

impl<'c> Db<'c> {
    pub(in crate::store) fn sqlite(connection: &'c rusqlite::Connection) -> Self {
        Self::on(Engine::Sqlite(connection))
    }

    pub(in crate::store) fn postgres(session: &'c PgSession) -> Self {
        Self::on(Engine::Postgres(session))
    }

    fn on(engine: Engine<'c>) -> Self {
        Self { engine, told_events: Cell::new(false), told_lanes: Cell::new(false) }
    }

    /// Notes that messages wait, which other processes may answer.
    pub(in crate::store) fn tell_lanes(&self) {
        self.told_lanes.set(true);
    }

    /// Returns whether messages wait.
    pub(in crate::store) fn told_lanes(&self) -> bool {
        self.told_lanes.get()
    }

    /// Notes that events were written.
    pub(in crate::store) fn tell_events(&self) {
        self.told_events.set(true);
    }

    /// Returns whether events were written.
    pub(in crate::store) fn told_events(&self) -> bool {
        self.told_events.get()
    }

    /// Returns what ends a `SELECT` that holds the rows which it finds, as they are then, until the
    /// transaction ends; one writer at a time needs none.
    pub(in crate::store) fn holding(&self) -> &'static str {
        if self.is_shared() { " FOR NO KEY UPDATE" } else { "" }
    }

    /// Returns whether other processes write to the same database.
    pub(in crate::store) fn is_shared(&self) -> bool {
        matches!(self.engine, Engine::Postgres(_))
    }

    /// Prepares a statement, or finds it prepared.
    pub(in crate::store) fn prepare_cached(&self, sql: &str) -> DbResult<DbStatement<'c>> {
        Ok(match self.engine {
            Engine::Sqlite(connection) => DbStatement::Sqlite(connection.prepare_cached(sql)?),
            Engine::Postgres(session) => DbStatement::Postgres(session, session.prepare(sql)?),
        })
    }

    /// Runs statements without parameters and results, one after the other.
    pub(in crate::store) fn run(&self, sql: &str) -> DbResult<()> {
        match self.engine {
            Engine::Sqlite(connection) => Ok(connection.execute_batch(sql)?),
            Engine::Postgres(session) => session.run(sql),
        }
    }

    /// Waits until nobody else does something for a person, and keeps others waiting until the end of
    /// the transaction. SQLite has one writer at a time.
    pub(in crate::store) fn hold(&self, whom: Hold<'_>) -> DbResult<()> {
        match self.engine {
            Engine::Sqlite(_) => Ok(()),
            Engine::Postgres(session) => session.hold(whom),
        }
    }

    /// Keeps rows from others until the end of the transaction.
    pub(in crate::store) fn keep_rows(&self, sql: &str, params: &[&dyn ToDb]) -> DbResult<()> {
        match self.engine {
            Engine::Sqlite(_) => Ok(()),
            Engine::Postgres(session) => {
                let rows = session.prepare(&format!("{sql} FOR UPDATE"))?;
                params.bind(|values| session.query(&rows, values)).map(drop)
            }
        }
    }

    /// Waits for a lock, and keeps it until the end of the transaction.
    pub(in crate::store) fn lock(&self, lock: Lock) -> DbResult<()> {
        match self.engine {
            Engine::Sqlite(_) => Ok(()),
            Engine::Postgres(session) => session.lock(lock),
        }
    }

    /// Reads several statements' rows as of one moment.
    pub(in crate::store) fn at_once<T>(&self, read: impl FnOnce() -> DbResult<T>) -> DbResult<T> {
        match self.engine {
            Engine::Sqlite(connection) => {
                connection.execute_batch("BEGIN")?;
                let read = read();
                connection.execute_batch("COMMIT")?;
                read
            }
            Engine::Postgres(session) => session.at_once(read),
        }
    }

    /// Overwrites the bytes of what is deleted meanwhile; PostgreSQL does so at its next vacuum.
    pub(in crate::store) fn overwriting<T>(
        &self,
        delete: impl FnOnce() -> DbResult<T>,
    ) -> DbResult<T> {
        let Engine::Sqlite(connection) = self.engine else { return delete() };
        connection.pragma_update(None, "secure_delete", "ON")?;
        let deleted = delete();
        connection.pragma_update(None, "secure_delete", "OFF")?;
        deleted
    }

    /// Writes SQLite's file of commits into the database.
    pub(in crate::store) fn write_back(&self) -> DbResult<()> {
        match self.engine {
            Engine::Sqlite(connection) => Ok(crate::store::sqlite::write_back(connection)?),
            Engine::Postgres(_) => Ok(()),
        }
    }
}

/// A statement that is ready to run.
pub(in crate::store) enum DbStatement<'c> {
    Sqlite(rusqlite::CachedStatement<'c>),
    Postgres(&'c PgSession, PgStatement),
}

impl DbStatement<'_> {
    /// Runs it; returns how many rows it changed.
    pub(in crate::store) fn execute(&mut self, params: impl Params) -> DbResult<usize> {
        params.bind(|values| match self {
            Self::Sqlite(statement) => Ok(statement.execute(rusqlite::params_from_iter(values))?),
            Self::Postgres(session, statement) => session.execute(statement, values),
        })
    }

    /// Reads the first row.
    ///
    /// # Errors
    /// `NoRow` if there is none.
    pub(in crate::store) fn query_row<T>(
        &mut self,
        params: impl Params,
        read: impl FnOnce(&DbRow<'_>) -> DbResult<T>,
    ) -> DbResult<T> {
        params.bind(|values| match self {
            Self::Sqlite(statement) => {
                let mut rows = statement.query(rusqlite::params_from_iter(values))?;
                rows.next()?.map_or(Err(DbError::NoRow), |row| read(&DbRow::Sqlite(row)))
            }
            Self::Postgres(session, statement) => {
                let rows = session.query(statement, values)?;
                rows.first().map_or(Err(DbError::NoRow), |row| read(&DbRow::Postgres(row)))
            }
        })
    }

    /// Reads every row.
    pub(in crate::store) fn query_map<T>(
        &mut self,
        params: impl Params,
        mut read: impl FnMut(&DbRow<'_>) -> DbResult<T>,
    ) -> DbResult<std::vec::IntoIter<DbResult<T>>> {
        params.bind(|values| {
            let mut all = Vec::new();
            match self {
                Self::Sqlite(statement) => {
                    let mut rows = statement.query(rusqlite::params_from_iter(values))?;
                    while let Some(row) = rows.next()? {
                        all.push(read(&DbRow::Sqlite(row)));
                    }
                }
                Self::Postgres(session, statement) => {
                    let rows = session.query(statement, values)?;
                    all.extend(rows.iter().map(|row| read(&DbRow::Postgres(row))));
                }
            }
            Ok(all.into_iter())
        })
    }

    /// Returns whether there is a row.
    pub(in crate::store) fn exists(&mut self, params: impl Params) -> DbResult<bool> {
        self.query_row(params, |_| Ok(())).optional().map(|row| row.is_some())
    }
}

/// A row of a result.
pub(in crate::store) enum DbRow<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(&'r postgres::Row),
}

impl DbRow<'_> {
    /// Reads a column by its place, from 0.
    pub(in crate::store) fn get<T: FromDb>(&self, column: usize) -> DbResult<T> {
        let value = match self {
            Self::Sqlite(row) => match row.get_ref(column)? {
                ValueRef::Null => DbValue::Null,
                ValueRef::Integer(value) => DbValue::Int(value),
                ValueRef::Real(value) => DbValue::Real(value),
                ValueRef::Text(words) => {
                    DbValue::Text(str::from_utf8(words).map_err(|_| DbError::Column(column))?)
                }
                ValueRef::Blob(bytes) => DbValue::Bytes(bytes),
            },
            Self::Postgres(row) => row.try_get(column)?,
        };
        T::from_db(value).ok_or(DbError::Column(column))
    }
}

/// Makes of a row that is not there a `None`.
pub(in crate::store) trait OptionalRow<T> {
    fn optional(self) -> DbResult<Option<T>>;
}

impl<T> OptionalRow<T> for DbResult<T> {
    fn optional(self) -> DbResult<Option<T>> {
        match self {
            Ok(row) => Ok(Some(row)),
            Err(DbError::NoRow) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl ToSql for DbValue<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Self::Null => ValueRef::Null,
            Self::Int(value) => ValueRef::Integer(value),
            Self::Real(value) => ValueRef::Real(value),
            Self::Text(words) => ValueRef::Text(words.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}
