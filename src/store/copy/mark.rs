//! What a copy leaves in its target until it has ended: from which store it comes, and how far each
//! table is. A service that finds it does not start.

use super::catalog;
use super::cells::{CellValue, RowSum};
use crate::store::sql::{Db, DbResult, OptionalRow as _, params};

/// The table; it goes when the copy has ended.
pub(super) const MARK: &str = "hark_copy";

/// The row that says from which store it comes.
const SOURCE: &str = "";

/// How far a table is.
pub(super) struct TableMark {
    /// The key of the last row.
    pub(super) place: Vec<CellValue>,
    /// All rows up to it.
    pub(super) sum: RowSum,
}

/// Returns whether a copy into a database has not ended.
pub(in crate::store) fn is_unfinished(db: &Db<'_>) -> DbResult<bool> {
    Ok(catalog::names(db)?.iter().any(|name| name == MARK))
}

/// Marks a database as the target of a copy from the store of this name.
pub(super) fn begin(db: &Db<'_>, source: &str) -> DbResult<()> {
    db.run(&format!(
        "DROP TABLE IF EXISTS {MARK};
         CREATE TABLE {MARK} (part TEXT PRIMARY KEY, place TEXT NOT NULL, rows BIGINT NOT NULL,
             sum TEXT NOT NULL)"
    ))?;
    put(db, SOURCE, (source, 0, ""))
}

/// Returns the name of the store that is copied into it, if one is.
pub(super) fn source(db: &Db<'_>) -> DbResult<Option<String>> {
    if !is_unfinished(db)? {
        return Ok(None);
    }
    let source = format!("SELECT place FROM {MARK} WHERE part = '{SOURCE}'");
    db.prepare_cached(&source)?.query_row(params![], |row| row.get(0)).optional()
}

/// Returns how far a table is.
pub(super) fn read(db: &Db<'_>, table: &str) -> DbResult<Option<TableMark>> {
    let mark = format!("SELECT place, rows, sum FROM {MARK} WHERE part = ?1");
    let read = db.prepare_cached(&mark)?.query_row([table], |row| {
        let (place, sum): (String, String) = (row.get(0)?, row.get(2)?);
        Ok((serde_json::from_str(&place)?, RowSum::read(row.get(1)?, &sum)))
    });
    let read: Option<(Vec<CellValue>, Option<RowSum>)> = read.optional()?;
    Ok(read.and_then(|(place, sum)| Some(TableMark { place, sum: sum? })))
}

/// Notes how far a table is.
pub(super) fn note(db: &Db<'_>, table: &str, place: &[CellValue], sum: &RowSum) -> DbResult<()> {
    let rows = i64::try_from(sum.rows).unwrap_or(i64::MAX);
    put(db, table, (&serde_json::to_string(place)?, rows, &sum.hex()))
}

fn put(db: &Db<'_>, part: &str, (place, rows, sum): (&str, i64, &str)) -> DbResult<()> {
    let put = format!(
        "INSERT INTO {MARK} (part, place, rows, sum) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (part) DO UPDATE SET place = excluded.place, rows = excluded.rows,
             sum = excluded.sum"
    );
    db.prepare_cached(&put)?.execute(params![part, place, rows, sum]).map(drop)
}

/// Takes the mark away.
pub(super) fn end(db: &Db<'_>) -> DbResult<()> {
    db.run(&format!("DROP TABLE {MARK}"))
}
