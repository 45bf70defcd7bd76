//! The tables, made and brought up to date, and the check that they are hark's.

use super::connect::SETTINGS;
use super::session::PgSession;
use crate::store::copy::is_unfinished;
use crate::store::sql::{Db, DbError, DbResult, Lock, Mode};
use crate::store::{Access, StoreError, UNFINISHED};

/// Who starts beside a migration waits for its end; one that stands still is not waited for for ever.
const PATIENT: &str = "SET lock_timeout = 0; SET idle_in_transaction_session_timeout = '1min'";

/// Applied in order; `hark_schema` counts them. One that has shipped never changes.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_all.sql"),
    include_str!("migrations/0002_nodes.sql"),
    include_str!("migrations/0003_out.sql"),
];

/// Brings the schema up to date, one process at a time.
///
/// # Errors
/// `Open`: the tables are somebody else's or of a newer version, or the role may not make tables. Nothing
/// is changed then.
pub(super) fn bring_up_to_date(
    session: &PgSession,
    access: Access,
    name: &str,
) -> Result<(), StoreError> {
    let failed = |error: &dyn std::fmt::Display| unopened(name, error);
    let alone = Mode::Alone(Lock::Schema);
    session.run(PATIENT).map_err(|error| failed(&error))?;
    session.begin(alone).map_err(|error| failed(&error))?;
    let brought = migrate(session, access, name);
    let ended = session.end(alone, brought.is_ok()).map_err(|error| failed(&error));
    brought.and(ended)?;
    session.run(SETTINGS).map_err(|error| failed(&error))
}

fn migrate(session: &PgSession, access: Access, name: &str) -> Result<(), StoreError> {
    let failed = |error: DbError| unopened(name, &error);
    let done = applied(session).map_err(failed)?;
    match done {
        None => {
            if let Some(table) = table_of_others(session).map_err(failed)? {
                let cause = format!(
                    "it has tables that are not hark's, such as {table}: give hark a database or a schema \
                     of its own"
                );
                return Err(unopened(name, &cause));
            }
            session.run("CREATE TABLE hark_schema (version BIGINT NOT NULL)").map_err(failed)?;
            session.run("INSERT INTO hark_schema VALUES (0)").map_err(failed)?;
        }
        Some(done) if done > MIGRATIONS.len() => return Err(unopened(name, &NEWER)),
        Some(done) if done < MIGRATIONS.len() && access == Access::Inspect => {
            // A service of an older version may run on it.
            return Err(unopened(
                name,
                &"its tables are of an older version: start hark on it first",
            ));
        }
        Some(_) => {}
    }
    for (index, migration) in MIGRATIONS.iter().enumerate().skip(done.unwrap_or(0)) {
        session.run(migration).map_err(failed)?;
        session.run(&format!("UPDATE hark_schema SET version = {}", index + 1)).map_err(failed)?;
    }
    Ok(())
}

const NEWER: &str = "it is of a newer version of hark";

/// Refuses half a store.
///
/// # Errors
/// `Open`: a copy into it has not ended.
pub(super) fn refuse_unfinished(session: &PgSession, name: &str) -> Result<(), StoreError> {
    match is_unfinished(&Db::postgres(session)) {
        Ok(false) => Ok(()),
        Ok(true) => Err(unopened(name, &UNFINISHED)),
        Err(error) => Err(unopened(name, &error)),
    }
}

/// Returns whether hark has tables there that this version can read.
///
/// # Errors
/// `Open`: they are of a newer version.
pub(super) fn is_there(session: &PgSession, name: &str) -> Result<bool, StoreError> {
    match applied(session).map_err(|error| unopened(name, &error))? {
        None => Ok(false),
        Some(done) if done > MIGRATIONS.len() => Err(unopened(name, &NEWER)),
        Some(done) => Ok(done > 0),
    }
}

/// Counts the migrations that a database has had; `None` if it never was hark's.
fn applied(session: &PgSession) -> DbResult<Option<usize>> {
    let db = Db::postgres(session);
    let there = "SELECT to_regclass('hark_schema') IS NOT NULL";
    if !db.prepare_cached(there)?.query_row::<bool>([0_i64; 0], |row| row.get(0))? {
        return Ok(None);
    }
    let version = "SELECT version FROM hark_schema";
    db.prepare_cached(version)?.query_row([0_i64; 0], |row| row.get(0)).map(Some)
}

fn table_of_others(session: &PgSession) -> DbResult<Option<String>> {
    let tables = "SELECT CAST(min(table_name) AS TEXT) FROM information_schema.tables
                  WHERE table_schema = current_schema()";
    Db::postgres(session).prepare_cached(tables)?.query_row([0_i64; 0], |row| row.get(0))
}

fn unopened(name: &str, cause: &dyn std::fmt::Display) -> StoreError {
    StoreError::Open { path: name.to_owned(), cause: cause.to_string() }
}
