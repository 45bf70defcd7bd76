//! The service's database, for what no port says or does.

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
        let database = self.database();
        let mut statement = database.prepare(sql).unwrap();
        let columns = statement.column_count();
        let row =
            |row: &rusqlite::Row<'_>| (0..columns).map(|i| Ok(words(row.get_ref(i)?))).collect();
        let rows = statement.query_map([], row).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }

    /// Runs a statement that returns one number.
    #[track_caller]
    pub(crate) fn sql_number(&self, sql: &str) -> usize {
        self.sql(sql)[0][0].parse().unwrap()
    }

    /// Another connection to the service's SQLite file, for what no port says or does: the SQL of
    /// PRIVACY.md, a table that is broken on purpose, columns that only the service reads.
    pub(crate) fn database(&self) -> Connection {
        let database = Connection::open(self.world.database_path()).unwrap();
        database.busy_timeout(Duration::from_secs(5)).unwrap();
        database
    }
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
