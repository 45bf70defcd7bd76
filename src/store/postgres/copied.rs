//! A database that is copied, or copied into.

use super::connect::Connector;
use super::schema;
use super::session::{LOCKS, PgSession};
use crate::store::sql::DbError;
use crate::store::{Access, StoreError};

/// A copy takes as long as it takes, and is told of a lock at once.
const SETTINGS: &str = "SET idle_in_transaction_session_timeout = 0; SET statement_timeout = 0";
/// The lock of copies into a database, among hark's: none of [`Lock`](crate::store::sql::Lock)'s.
const COPIES: i32 = 100;

/// Connects to a store that is to be copied.
///
/// # Errors
/// `Open` if there is none, or it is of another version.
pub(in crate::store) fn copied(address: &str) -> Result<PgSession, StoreError> {
    let connector = Connector::new(address, true)?;
    let (session, name) = (connector.connect()?, connector.name());
    let failed = |cause: &str| StoreError::Open { path: name.to_owned(), cause: cause.to_owned() };
    session.run(SETTINGS).map_err(|error| failed(&error.to_string()))?;
    if !schema::is_there(&session, name)? {
        return Err(failed("it has no store"));
    }
    // It writes nothing, and says so where there is something to bring up to date.
    schema::bring_up_to_date(&session, Access::Inspect, name)?;
    Ok(session)
}

/// Connects to a database that a store is to be copied into, and keeps other copies away from it as
/// long as the connection lives; nothing in it is changed.
///
/// # Errors
/// `Open`.
pub(in crate::store) fn copied_into(address: &str) -> Result<PgSession, StoreError> {
    let connector = Connector::new(address, false)?;
    let session = connector.connect()?;
    let failed = |error: DbError| StoreError::Open {
        path: connector.name().to_owned(),
        cause: format!("another copy into it runs ({error})"),
    };
    // A copy that was killed a moment ago is waited for, as long as for any lock.
    let alone = format!("{SETTINGS}; SELECT pg_advisory_lock({LOCKS}, {COPIES})");
    session.run(&alone).map_err(failed)?;
    Ok(session)
}

/// Makes the tables, or brings them up to date.
///
/// # Errors
/// `Open`: they are somebody else's or of a newer version, or the role may not make tables.
pub(in crate::store) fn bring_up_to_date(
    session: &PgSession,
    name: &str,
) -> Result<(), StoreError> {
    schema::bring_up_to_date(session, Access::Serve, name)
}
