//! Which tables a database has, as it says itself: their columns, keys and what they refer to.
//!
//! Nothing here is written down by hand, so that a table or a column of a later migration is copied, too.

use crate::store::sql::{Db, DbResult, params};

/// Statements that ask one kind of database.
struct Questions {
    /// Names of tables, in their order.
    tables: &'static str,
    /// Of a table: name, type, and 1 if the database gives the column values by itself.
    columns: &'static str,
    /// The columns of its primary key, in the key's order.
    key: &'static str,
    /// The tables that it refers to.
    references: &'static str,
}

const SQLITE: Questions = Questions {
    tables: "SELECT name FROM sqlite_master
             WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_' ORDER BY name",
    // A table without a whole number as its key has the order of its rows in a column that is not listed.
    columns: "SELECT name, type, 0 FROM pragma_table_info(?1)
              UNION ALL
              SELECT 'rowid', 'INTEGER', 1 FROM pragma_table_list
              WHERE schema = 'main' AND name = ?1 AND wr = 0 AND NOT EXISTS (
                  SELECT 1 FROM pragma_table_info(?1) WHERE pk = 1 AND type = 'INTEGER'
                      AND (SELECT max(pk) FROM pragma_table_info(?1)) = 1)",
    key: "SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk",
    references: "SELECT DISTINCT \"table\" FROM pragma_foreign_key_list(?1)",
};

const POSTGRES: Questions = Questions {
    tables: "SELECT CAST(c.relname AS TEXT) FROM pg_class c
             JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = current_schema() AND c.relkind = 'r' ORDER BY c.relname",
    columns: "SELECT CAST(a.attname AS TEXT), CAST(format_type(a.atttypid, NULL) AS TEXT),
                     CASE WHEN a.attidentity <> '' THEN 1 ELSE 0 END
              FROM pg_attribute a
              JOIN pg_class c ON c.oid = a.attrelid
              JOIN pg_namespace n ON n.oid = c.relnamespace
              WHERE n.nspname = current_schema() AND c.relname = ?1 AND a.attnum > 0
                  AND NOT a.attisdropped ORDER BY a.attnum",
    key: "SELECT CAST(a.attname AS TEXT) FROM pg_index i
          JOIN pg_class c ON c.oid = i.indrelid
          JOIN pg_namespace n ON n.oid = c.relnamespace
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY(i.indkey)
          WHERE n.nspname = current_schema() AND c.relname = ?1 AND i.indisprimary
          ORDER BY array_position(CAST(i.indkey AS SMALLINT[]), a.attnum)",
    references: "SELECT DISTINCT CAST(f.relname AS TEXT) FROM pg_constraint k
                 JOIN pg_class c ON c.oid = k.conrelid
                 JOIN pg_class f ON f.oid = k.confrelid
                 JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE n.nspname = current_schema() AND c.relname = ?1 AND k.contype = 'f'",
};

/// Describes a table.
pub(super) struct CatalogTable {
    pub(super) name: String,
    pub(super) columns: Vec<CatalogColumn>,
    /// Its primary key; a table without one has none.
    pub(super) key: Vec<String>,
    refers_to: Vec<String>,
}

/// Describes a column.
pub(super) struct CatalogColumn {
    pub(super) name: String,
    pub(super) kind: ColumnKind,
    /// The database gives it values by itself: a number of its own, or the place of the row.
    pub(super) is_numbered: bool,
}

/// Says what a column holds, as far as a copy has to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ColumnKind {
    Words,
    Json,
    Bytes,
    Other,
}

impl CatalogTable {
    pub(super) fn column(&self, name: &str) -> Option<&CatalogColumn> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// Names the tables.
pub(in crate::store) fn names(db: &Db<'_>) -> DbResult<Vec<String>> {
    words(db, questions(db).tables, None)
}

/// Describes the tables, each behind those that it refers to.
pub(super) fn tables(db: &Db<'_>) -> DbResult<Vec<CatalogTable>> {
    let mut waiting: Vec<CatalogTable> =
        names(db)?.into_iter().map(|name| table(db, name)).collect::<DbResult<_>>()?;
    let mut sorted: Vec<CatalogTable> = Vec::new();
    while !waiting.is_empty() {
        let waits = |table: &CatalogTable| {
            let there = |name: &String| waiting.iter().any(|other| other.name == *name);
            table.refers_to.iter().any(|name| *name != table.name && there(name))
        };
        // Tables that refer to one another are taken as they come; the row that cannot be kept says so.
        let next = waiting.iter().position(|table| !waits(table)).unwrap_or(0);
        sorted.push(waiting.remove(next));
    }
    Ok(sorted)
}

fn table(db: &Db<'_>, name: String) -> DbResult<CatalogTable> {
    let questions = questions(db);
    let mut columns = db.prepare_cached(questions.columns)?;
    let columns = columns.query_map([&name], |row| {
        let kind: String = row.get(1)?;
        let kind = match kind.to_ascii_lowercase().as_str() {
            "text" => ColumnKind::Words,
            "json" => ColumnKind::Json,
            "blob" | "bytea" => ColumnKind::Bytes,
            _ => ColumnKind::Other,
        };
        Ok(CatalogColumn { name: row.get(0)?, kind, is_numbered: row.get(2)? })
    })?;
    Ok(CatalogTable {
        columns: columns.collect::<DbResult<_>>()?,
        key: words(db, questions.key, Some(&name))?,
        refers_to: words(db, questions.references, Some(&name))?,
        name,
    })
}

fn questions(db: &Db<'_>) -> &'static Questions {
    if db.is_shared() { &POSTGRES } else { &SQLITE }
}

fn words(db: &Db<'_>, sql: &str, table: Option<&String>) -> DbResult<Vec<String>> {
    let mut question = db.prepare_cached(sql)?;
    let rows = match table {
        Some(name) => question.query_map([name], |row| row.get(0))?,
        None => question.query_map(params![], |row| row.get(0))?,
    };
    rows.collect()
}
