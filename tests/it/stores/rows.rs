//! A database by SQL, and rows for whatever tables it has.
//!
//! Which tables and columns there are the database says, so that those of a later migration are filled,
//! compared and missed by themselves; only what a column may not hold is written down here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use crate::harness::postgres;

/// Rows of each table.
const ROWS: usize = 3;
/// Tables to which others refer, and those that triggers look at, in an order in which they can be filled.
const FIRST: [&str; 7] =
    ["contacts", "conversations", "turns", "messages", "event_webhooks", "events", "credits"];
/// Triggers fill it.
const BY_TRIGGERS: &str = "lanes";
/// The schema's version.
const SCHEMA: &str = "hark_schema";

/// A report as the record has it.
pub(super) const REPORT: &str = r#"{"transcript":null,"reply":{"text":"yes"},"audio":null,"stages":[],"total_ms":2.0,"overhead_ms":1.0,"outcome":"text","reason":null}"#;

/// A database.
pub(super) enum Database {
    File(PathBuf),
    /// Its address.
    Server(String),
}

/// The rows of a table: each by the names of its columns.
pub(super) type Rows = Vec<BTreeMap<String, String>>;

impl Database {
    pub(super) fn file(path: &Path) -> Self {
        Self::File(path.to_owned())
    }

    /// Runs a statement; returns its rows in words, as psql prints them.
    #[track_caller]
    pub(super) fn sql(&self, sql: &str) -> Vec<Vec<String>> {
        match self {
            Self::Server(url) => postgres::rows(url, sql),
            Self::File(path) => {
                let database = Connection::open(path).unwrap();
                let mut statement = database.prepare(sql).unwrap();
                let columns = statement.column_count();
                let rows = statement.query_map([], |row| {
                    (0..columns).map(|place| Ok(words(row.get_ref(place)?))).collect()
                });
                rows.unwrap().collect::<Result<_, _>>().unwrap()
            }
        }
    }

    /// Runs statements.
    #[track_caller]
    pub(super) fn run(&self, sql: &str) {
        match self {
            Self::Server(url) => drop(postgres::rows(url, sql)),
            Self::File(path) => Connection::open(path).unwrap().execute_batch(sql).unwrap(),
        }
    }

    #[track_caller]
    pub(super) fn number(&self, sql: &str) -> i64 {
        self.sql(sql)[0][0].parse().unwrap()
    }

    /// Names all tables.
    pub(super) fn tables(&self) -> Vec<String> {
        let tables = match self {
            Self::File(_) => {
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
                 ORDER BY name"
            }
            Self::Server(_) => {
                "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'
                 ORDER BY table_name"
            }
        };
        self.sql(tables).into_iter().map(|mut row| row.remove(0)).collect()
    }

    /// Names the columns of every table, with their types.
    fn columns(&self) -> BTreeMap<String, Vec<(String, String)>> {
        let columns = match self {
            Self::File(_) => {
                "SELECT m.name, c.name, c.type FROM sqlite_master m JOIN pragma_table_info(m.name) c
                 WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'"
            }
            Self::Server(_) => {
                "SELECT table_name, column_name, data_type FROM information_schema.columns
                 WHERE table_schema = 'public' ORDER BY table_name, ordinal_position"
            }
        };
        let mut all: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        for row in self.sql(columns) {
            let [table, column, kind] = &row[..] else { panic!("{row:?}") };
            all.entry(table.clone()).or_default().push((column.clone(), kind.to_lowercase()));
        }
        all
    }

    /// Counts the rows of these tables.
    fn counts(&self, tables: &[String]) -> BTreeMap<String, usize> {
        let count = |table: &String| format!("SELECT '{table}', count(*) FROM {table}");
        let counts: Vec<String> = tables.iter().map(count).collect();
        let pair = |row: Vec<String>| (row[0].clone(), row[1].parse().unwrap());
        self.sql(&counts.join(" UNION ALL ")).into_iter().map(pair).collect()
    }

    /// Puts rows into every table that has none.
    pub(super) fn fill(&self) {
        let (mut tables, columns) = (self.tables(), self.columns());
        tables.sort_by_key(|table| {
            FIRST.iter().position(|first| first == table).unwrap_or(FIRST.len())
        });
        let (mut inserts, counts) = (Vec::new(), self.counts(&tables));
        let own = |table: &&String| [BY_TRIGGERS, SCHEMA].contains(&table.as_str());
        for table in tables.iter().filter(|table| !own(table) && counts[*table] == 0) {
            // One that has one row has it under this number.
            let is_single = ["vault", "probe"].contains(&table.as_str());
            let were_words = columns[table].iter().any(|(name, _)| name == "kind");
            for n in 1..=if is_single { 1 } else { ROWS } {
                let value = |(name, kind): &(String, String)| {
                    let value = match (table.as_str(), name.as_str()) {
                        ("parts", "content") if were_words => format!("'words {n}'"),
                        (table, column) => self.value(table, column, kind, n),
                    };
                    (format!("\"{name}\""), value)
                };
                let (names, values): (Vec<_>, Vec<_>) = columns[table].iter().map(value).unzip();
                let (names, values) = (names.join(", "), values.join(", "));
                inserts.push(format!("INSERT INTO {table} ({names}) VALUES ({values})"));
            }
        }
        self.run(&inserts.join(";\n"));
        let empty: Vec<_> =
            self.counts(&tables).into_iter().filter(|(_, rows)| *rows == 0).collect();
        assert!(empty.is_empty(), "these have no rows: {empty:?}");
    }

    /// Writes a value for a column of the `n`th row.
    fn value(&self, table: &str, column: &str, kind: &str, n: usize) -> String {
        let text = |text: &str| format!("'{text}'");
        let state = |states: [&str; ROWS]| text(states[n - 1]);
        match (table, column) {
            ("messages", "state") => state(["done", "leased", "queued"]),
            ("parts", "state") => state(["sent", "planned", "failed"]),
            ("messages", "lease_owner" | "lease_until_ms") if n != 2 => "NULL".to_owned(),
            ("messages", "lease_until_ms") => "4000000000000".to_owned(),
            ("turns", "report") if n == 1 => text(REPORT),
            ("turns", "outcome") if n == 1 => text("text"),
            ("turns", "report" | "outcome" | "reason" | "finished_ms" | "operator" | "ticket") => {
                "NULL".to_owned()
            }
            ("turns", "spent") => text(r#"{"heard_s":1.5,"prompt_tokens":3}"#),
            ("contacts", "reply_mode") => text("voice"),
            ("contacts" | "customers", "user_id") => text(&format!("US.{n}")),
            ("contacts" | "customers", "phone") => text(&format!("1555000000{n}")),
            ("conversations" | "tickets", "closed_ms") if n == 1 => "NULL".to_owned(),
            ("messages", "body") => text(&format!(r#"{{"kind":"text","text":"words {n}"}}"#)),
            ("messages", "about") => text("{}"),
            ("parts", "content") => text(&format!(r#"{{"text":"words {n}"}}"#)),
            ("parts", "kind") => text("text"),
            ("parts", "role") => text("answer"),
            ("statuses", "status") => text("delivered"),
            ("tokens", "role") => text("admin"),
            ("sounds", "side") => text("in"),
            ("sources", "state") => text("there"),
            ("customers", "source") => text("import"),
            ("credits", "scope") => text("number"),
            // So that triggers have changed an account by them.
            ("reservations", "number") => text(&format!("credits name {n}")),
            ("usage", "kind") => text("turn"),
            ("usage", "certainty") => text("exact"),
            ("events", "type") => text("whatsapp-business-text-message-received"),
            ("operators", "hours") => "NULL".to_owned(),
            (_, "turn") | ("turns", "id") => text(&format!("turn {n}")),
            ("paces", "number") => text(&format!("90{n}")),
            ("messages", "provider_id") | ("turns", "message") => text(&format!("wamid.{n}")),
            ("dead_events", "webhook") => text(&format!("event_webhooks id {n}")),
            ("prices", "book") => text(r#"{"currency":"EUR"}"#),
            (_, "spec" | "data" | "fields") => text(&format!(r#"{{"n":{n}}}"#)),
            (_, "skills" | "languages" | "types" | "unpriced") => text("[]"),
            ("agents", "version") => n.to_string(),
            (_, "number") if kind == "text" => text("900"),
            _ if ["integer", "bigint"].contains(&kind) => n.to_string(),
            _ if ["real", "double precision"].contains(&kind) => format!("{n}.5"),
            // As long as a SHA-256.
            _ if ["blob", "bytea"].contains(&kind) => match self {
                Self::File(_) => format!("x'ff{n:062x}'"),
                Self::Server(_) => format!("'\\xff{n:062x}'"),
            },
            _ if kind == "json" => text(&format!(r#"{{"n":{n}}}"#)),
            _ => text(&format!("{table} {column} {n}")),
        }
    }

    /// Reads every table, in no order.
    pub(super) fn everything(&self) -> BTreeMap<String, Rows> {
        let columns = self.columns();
        let select = |table: &str| {
            let word = |(name, _): &(String, String)| match self {
                Self::File(_) => format!("\"{name}\""),
                Self::Server(_) => format!("coalesce(CAST(\"{name}\" AS TEXT), '')"),
            };
            let words: Vec<String> = columns[table].iter().map(word).collect();
            // All tables in one answer: as many columns as each has, in one.
            let between = if matches!(self, Self::File(_)) { ", " } else { " || E'\\x1f' || " };
            format!("SELECT '{table}'{between}{} FROM {table}", words.join(between))
        };
        let rows: Vec<Vec<String>> = match self {
            Self::File(_) => columns.keys().flat_map(|table| self.sql(&select(table))).collect(),
            Self::Server(_) => {
                let all: Vec<String> = columns.keys().map(|table| select(table)).collect();
                self.sql(&all.join(" UNION ALL "))
            }
        };
        let mut everything: BTreeMap<String, Rows> =
            columns.keys().map(|table| (table.clone(), Rows::new())).collect();
        for mut row in rows {
            let table = row.remove(0);
            let names = columns[&table].iter().map(|(name, _)| name.clone());
            everything.get_mut(&table).unwrap().push(names.zip(row).collect());
        }
        for rows in everything.values_mut() {
            rows.sort();
        }
        everything
    }
}

/// Leaves of rows the columns that others have, too.
pub(super) fn shared(rows: &Rows, others: &Rows) -> Rows {
    let Some(other) = others.first() else { return rows.clone() };
    let keep = |row: &BTreeMap<String, String>| {
        row.iter()
            .filter(|(column, _)| other.contains_key(*column))
            .map(|(column, value)| (column.clone(), value.clone()))
            .collect()
    };
    let mut kept: Rows = rows.iter().map(keep).collect();
    kept.sort();
    kept
}

/// A value as psql prints it.
fn words(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => String::new(),
        ValueRef::Integer(value) => value.to_string(),
        ValueRef::Real(value) => value.to_string(),
        ValueRef::Text(words) => String::from_utf8_lossy(words).into_owned(),
        ValueRef::Blob(bytes) => format!("\\x{}", hex::encode(bytes)),
    }
}
