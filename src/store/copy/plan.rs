//! How each table is copied: which columns, read by which statement and written by which.

use super::CopyError;
use super::catalog::{self, CatalogTable, ColumnKind};
use super::cells::{CellValue, RowSum, key_words};
use super::ends::CopyEnd;
use super::mark::MARK;
use crate::store::postgres::{kept_json, kept_words};
use crate::store::sql::{Db, DbResult, ToDb, params};

/// Tables that each database has for itself: the state of a copy, the version of the schema, and the
/// processes that serve.
const OWN: [&str; 3] = [MARK, "hark_schema", "nodes"];
/// On PostgreSQL, the id of the latest event; SQLite counts by itself.
pub(super) const NUMBERED: &str = "events_numbered";

/// Rows that are read, written and committed together; fewer where they hold bytes, such as notes.
const PAGE: usize = 512;
const PAGE_OF_BYTES: usize = 64;
/// Rows of one statement that writes.
const ROWS: usize = 64;

/// Says how a table is copied.
pub(super) struct TablePlan {
    pub(super) name: String,
    /// What both have, by name.
    columns: Vec<PlanColumn>,
    /// The primary key where the rows come from.
    key: Vec<String>,
    page: usize,
}

struct PlanColumn {
    name: String,
    /// What is read for it.
    read: String,
    /// What it holds where it goes.
    kind: ColumnKind,
}

/// A row that was read.
pub(super) struct CopyRow {
    key: Vec<CellValue>,
    values: Vec<CellValue>,
}

/// Names a value that could not be kept as it was.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct RewrittenValue {
    /// Its table.
    pub table: String,
    /// The row's primary key.
    pub key: String,
    /// Its column.
    pub column: String,
}

/// Makes the plans, each table behind those that it refers to.
///
/// # Errors
/// A table or a column is not on both sides.
pub(super) fn plans(from: &CopyEnd, to: &CopyEnd) -> Result<Vec<TablePlan>, CopyError> {
    let (here, there) = (catalog::tables(&from.db())?, catalog::tables(&to.db())?);
    let shared = |table: &&CatalogTable| !OWN.contains(&table.name.as_str());
    let has = |tables: &[CatalogTable], name: &str| tables.iter().any(|table| table.name == name);
    let lacking = |tables: &[CatalogTable], others: &[CatalogTable]| {
        let mut own = tables.iter().filter(shared).map(|table| table.name.clone());
        own.find(|name| name != NUMBERED && !has(others, name))
    };
    if let Some(table) = lacking(&here, &there).or_else(|| lacking(&there, &here)) {
        return Err(CopyError::Table { table, cause: "only one of the two stores has it".into() });
    }
    let both = there.iter().filter(shared).filter(|table| has(&here, &table.name));
    both.map(|target| {
        let source = here.iter().find(|table| table.name == target.name).expect("both have it");
        plan(source, target, from, to)
    })
    .collect()
}

fn plan(
    source: &CatalogTable,
    target: &CatalogTable,
    from: &CopyEnd,
    to: &CopyEnd,
) -> Result<TablePlan, CopyError> {
    let broken = |cause: String| CopyError::Table { table: target.name.clone(), cause };
    for (table, other) in [(source, target), (target, source)] {
        let mut lacking =
            table.columns.iter().filter(|column| other.column(&column.name).is_none());
        if let Some(column) = lacking.find(|column| !column.is_numbered) {
            return Err(broken(format!("only one of the two stores has {}", column.name)));
        }
    }
    if source.key.is_empty() {
        return Err(broken("it has no primary key".to_owned()));
    }
    let both = target.columns.iter().filter(|column| source.column(&column.name).is_some());
    let column = |column: &catalog::CatalogColumn| {
        let read = read_of(&target.name, &column.name, from, to)?;
        Ok(PlanColumn { name: column.name.clone(), read, kind: column.kind })
    };
    let mut columns: Vec<PlanColumn> = both.map(column).collect::<DbResult<_>>()?;
    columns.sort_by(|one, other| one.name.cmp(&other.name));
    let has_bytes = columns.iter().any(|column| column.kind == ColumnKind::Bytes);
    let page = if has_bytes { PAGE_OF_BYTES } else { PAGE };
    Ok(TablePlan { name: target.name.clone(), columns, key: source.key.clone(), page })
}

/// Returns what is read for a column: itself, but for what is true of one store alone.
fn read_of(table: &str, column: &str, from: &CopyEnd, to: &CopyEnd) -> DbResult<String> {
    Ok(match (table, column) {
        // Whoever answered it does so no more: its time is over, and it is taken up at the next start.
        ("messages", "lease_until_ms") => {
            "CASE WHEN state = 'leased' THEN 0 ELSE lease_until_ms END".to_owned()
        }
        ("events", "id") if from.is_server() && !to.is_server() => {
            format!("coalesce(id, written + {})", unnumbered_by(&from.db())?)
        }
        _ => quoted(column),
    })
}

/// Returns what is added to `written` for the place of an event that has none yet, so that it comes
/// behind all that have one, in the order in which they were written.
fn unnumbered_by(db: &Db<'_>) -> DbResult<i64> {
    let by = "SELECT (SELECT last FROM events_numbered) + 1 - coalesce(min(written), 0)
              FROM events WHERE id IS NULL";
    db.prepare_cached(by)?.query_row(params![], |row| row.get(0))
}

impl TablePlan {
    /// Counts the rows where they come from.
    pub(super) fn count(&self, db: &Db<'_>) -> DbResult<u64> {
        let count = format!("SELECT count(*) FROM {}", quoted(&self.name));
        db.prepare_cached(&count)?.query_row(params![], |row| row.get(0))
    }

    /// Reads the next rows behind a key, and not behind `upto`, in the key's order; as they are kept
    /// where they go.
    pub(super) fn read(
        &self,
        from: &CopyEnd,
        (after, upto): (Option<&[CellValue]>, Option<&[CellValue]>),
        kept: &mut KeptRows,
    ) -> Result<Vec<CopyRow>, CopyError> {
        let key = list(&self.key);
        let (mut bounds, mut values) = (Vec::new(), Vec::<&dyn ToDb>::new());
        for (bound, than) in [(after, ">"), (upto, "<=")] {
            let Some(bound) = bound else { continue };
            let places = places(values.len(), bound.len());
            bounds.push(format!("({key}) {than} {places}"));
            values.extend(bound.iter().map(|value| value as &dyn ToDb));
        }
        let bounds = if bounds.is_empty() {
            String::new()
        } else {
            format!("WHERE {}", bounds.join(" AND "))
        };
        let columns = self.columns.iter().map(|column| column.read.clone());
        let columns = columns.chain(self.key.iter().map(|key| quoted(key))).collect::<Vec<_>>();
        let sql = format!(
            "SELECT {} FROM {} {bounds} ORDER BY {key} LIMIT {}",
            columns.join(", "),
            quoted(&self.name),
            self.page
        );
        let unread = |error: &dyn std::fmt::Display| CopyError::Table {
            table: self.name.clone(),
            cause: error.to_string(),
        };
        let db = from.db();
        let mut page = db.prepare_cached(&sql).map_err(|error| unread(&error))?;
        let rows = page.query_map(&values[..], |row| {
            let mut values: Vec<CellValue> =
                (0..columns.len()).map(|place| row.get(place)).collect::<DbResult<_>>()?;
            let key = values.split_off(self.columns.len());
            Ok(CopyRow { key, values })
        });
        let rows = rows.and_then(Iterator::collect::<DbResult<Vec<CopyRow>>>);
        let mut rows = rows.map_err(|error| unread(&error))?;
        for row in &mut rows {
            self.keep(row, kept);
            kept.sum.add(&row.values);
        }
        Ok(rows)
    }

    /// Makes of values what PostgreSQL keeps of them, if they go there.
    fn keep(&self, row: &mut CopyRow, kept: &mut KeptRows) {
        if !kept.on_server {
            return;
        }
        for (value, column) in row.values.iter_mut().zip(&self.columns) {
            let CellValue::Text(words) = value else { continue };
            let keeps = match column.kind {
                ColumnKind::Json => kept_json(words),
                _ => kept_words(words),
            };
            if let std::borrow::Cow::Owned(other) = keeps {
                *words = other;
                kept.rewritten.push(RewrittenValue {
                    table: self.name.clone(),
                    key: key_words(&row.key),
                    column: column.name.clone(),
                });
            }
        }
    }

    /// Writes rows.
    ///
    /// # Errors
    /// That of the database; nothing says of which row.
    pub(super) fn write(&self, db: &Db<'_>, rows: &[CopyRow]) -> DbResult<()> {
        let columns: Vec<String> = self.columns.iter().map(|column| column.name.clone()).collect();
        let into = format!("INSERT INTO {} ({}) VALUES ", quoted(&self.name), list(&columns));
        let sql = |rows: usize| {
            let row = |row| places(row * columns.len(), columns.len());
            into.clone() + &(0..rows).map(row).collect::<Vec<_>>().join(", ")
        };
        let (many, one) = (sql(ROWS), sql(1));
        let mut chunks = rows.chunks_exact(ROWS);
        for chunk in &mut chunks {
            let values = chunk.iter().flat_map(|row| &row.values);
            let values: Vec<&dyn ToDb> = values.map(|value| value as &dyn ToDb).collect();
            db.prepare_cached(&many)?.execute(&values[..])?;
        }
        for row in chunks.remainder() {
            let values: Vec<&dyn ToDb> =
                row.values.iter().map(|value| value as &dyn ToDb).collect();
            db.prepare_cached(&one)?.execute(&values[..])?;
        }
        Ok(())
    }

    /// Finds out which row cannot be kept, writing one after the other; leaves none.
    pub(super) fn culprit(&self, to: &CopyEnd, rows: &[CopyRow]) -> Option<CopyError> {
        to.undone(|db| {
            rows.iter().find_map(|row| {
                let error = self.write(db, std::slice::from_ref(row)).err()?;
                let (table, key) = (self.name.clone(), key_words(&row.key));
                Some(CopyError::Row { table, key, cause: error.to_string() })
            })
        })
    }

    /// Sums up what is there.
    pub(super) fn sum(&self, to: &CopyEnd) -> Result<RowSum, CopyError> {
        let there = Self {
            name: self.name.clone(),
            columns: self
                .columns
                .iter()
                .map(|column| PlanColumn {
                    name: column.name.clone(),
                    read: quoted(&column.name),
                    kind: column.kind,
                })
                .collect(),
            key: to.key_of(&self.name)?,
            page: self.page,
        };
        let mut kept = KeptRows::default();
        let mut after: Option<Vec<CellValue>> = None;
        loop {
            let page = there.read(to, (after.as_deref(), None), &mut kept)?;
            match page.last() {
                Some(last) => after = Some(last.key.clone()),
                None => return Ok(kept.sum),
            }
        }
    }
}

/// Holds what was read so far.
#[derive(Default)]
pub(super) struct KeptRows {
    pub(super) sum: RowSum,
    /// It goes to PostgreSQL.
    pub(super) on_server: bool,
    pub(super) rewritten: Vec<RewrittenValue>,
}

impl CopyRow {
    pub(super) fn key(&self) -> &[CellValue] {
        &self.key
    }
}

/// Writes a name so that it is no word of SQL.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

fn list(names: &[String]) -> String {
    names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")
}

/// Writes `(?4, ?5)`: two places behind three.
fn places(before: usize, count: usize) -> String {
    let places = (before + 1..=before + count).map(|place| format!("?{place}"));
    format!("({})", places.collect::<Vec<_>>().join(", "))
}
