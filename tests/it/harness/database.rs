//! The service's database, for what no port says or does.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::{TestApp, postgres};

impl TestApp {
    /// Runs a statement on the service's database, whichever that is, for what no port says or does;
    /// returns its rows in words.
    #[track_caller]
    pub(crate) fn sql(&self, sql: &str) -> Vec<Vec<String>> {
        if let Some(url) = self.world.server() {
            return postgres::rows(url, sql);
        }
        sqlite_rows(&self.world.database_path(), sql)
    }

    /// Runs a statement that returns one number.
    #[track_caller]
    pub(crate) fn sql_number(&self, sql: &str) -> usize {
        self.sql(sql)[0][0].parse().unwrap()
    }

    /// Another connection to the service's SQLite file, for what no port says or does: the SQL of
    /// PRIVACY.md, a table that is broken on purpose, columns that only the service reads.
    pub(crate) fn database(&self) -> Connection {
        open(&self.world.database_path())
    }
}

fn open(file: &Path) -> Connection {
    let database = Connection::open(file).unwrap();
    database.busy_timeout(Duration::from_secs(5)).unwrap();
    database
}

/// Runs a statement on an SQLite file; returns its rows in words.
#[track_caller]
pub(crate) fn sqlite_rows(file: &Path, sql: &str) -> Vec<Vec<String>> {
    let database = open(file);
    let mut statement = database.prepare(sql).unwrap();
    let columns = statement.column_count();
    let row = |row: &rusqlite::Row<'_>| (0..columns).map(|i| Ok(words(row.get_ref(i)?))).collect();
    let rows = statement.query_map([], row).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// A value as PostgreSQL prints it.
fn words(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => String::new(),
        ValueRef::Integer(value) => value.to_string(),
        ValueRef::Real(value) => value.to_string(),
        ValueRef::Text(words) | ValueRef::Blob(words) => {
            String::from_utf8_lossy(words).into_owned()
        }
    }
}
