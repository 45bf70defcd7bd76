//! Operators, on the `operators` table.

use super::db::{Db, DbResult, DbRow, OptionalRow as _, params};

use super::json::{from_json, to_json};
use crate::store::{Changed, OperatorRow, StoreError};

const OPERATORS: &str = "
    SELECT o.id, o.name, o.skills, o.languages, o.available, o.hours, o.version, o.created_ms,
           (SELECT count(*) FROM tickets k WHERE k.operator = o.id AND k.closed_ms IS NULL)
    FROM operators o";

/// Returns all operators, oldest first.
pub(super) fn all(db: &Db<'_>) -> Result<Vec<OperatorRow>, StoreError> {
    let mut operators = db.prepare_cached(&format!("{OPERATORS} ORDER BY o.created_ms, o.id"))?;
    Ok(operators.query_map(params![], operator_row)?.collect::<Result<_, _>>()?)
}

fn one(db: &Db<'_>, id: &str) -> Result<Option<OperatorRow>, StoreError> {
    let mut operator = db.prepare_cached(&format!("{OPERATORS} WHERE o.id = ?1"))?;
    Ok(operator.query_row([id], operator_row).optional()?)
}

/// Returns the name of an operator; that of one who is not ours is the id.
pub(super) fn name(db: &Db<'_>, id: &str) -> Result<String, StoreError> {
    let name = db
        .prepare_cached("SELECT name FROM operators WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?;
    Ok(name.unwrap_or_else(|| id.to_owned()))
}

/// Adds an operator, or changes the one of this id if it has the row's version.
pub(super) fn put(
    db: &Db<'_>,
    operator: &OperatorRow,
    now_ms: i64,
) -> Result<Changed<OperatorRow>, StoreError> {
    let OperatorRow { id, name, skills, languages, available, hours, version, .. } = operator;
    let hours = hours.as_ref().map(to_json).transpose()?;
    let now = one(db, id)?;
    match now {
        None if *version == 0 => {}
        None => return Ok(Changed::Absent),
        Some(now) if now.version != *version => return Ok(Changed::Stale(now.version)),
        Some(_) => {}
    }
    db.prepare_cached(
        "INSERT INTO operators (id, name, skills, languages, available, hours, version, created_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7)
         ON CONFLICT (id) DO UPDATE SET name = ?2, skills = ?3, languages = ?4, available = ?5,
             hours = ?6, version = operators.version + 1",
    )?
    .execute(params![
        id,
        name,
        to_json(skills)?,
        to_json(languages)?,
        available,
        hours,
        now_ms
    ])?;
    Ok(one(db, id)?.map_or(Changed::Absent, Changed::Now))
}

/// Removes an operator, who has no ticket any more.
pub(super) fn remove(db: &Db<'_>, id: &str) -> Result<bool, StoreError> {
    db.prepare_cached(
        "UPDATE tickets SET operator = NULL, assigned_ms = NULL, version = version + 1
         WHERE operator = ?1 AND closed_ms IS NULL",
    )?
    .execute([id])?;
    Ok(db.prepare_cached("DELETE FROM operators WHERE id = ?1")?.execute([id])? > 0)
}

fn operator_row(row: &DbRow<'_>) -> DbResult<OperatorRow> {
    let hours: Option<String> = row.get(5)?;
    Ok(OperatorRow {
        id: row.get(0)?,
        name: row.get(1)?,
        skills: from_json(&row.get::<String>(2)?)?,
        languages: from_json(&row.get::<String>(3)?)?,
        available: row.get(4)?,
        hours: hours.map(|hours| from_json(&hours)).transpose()?,
        version: row.get(6)?,
        created_ms: row.get(7)?,
        tickets: row.get(8)?,
    })
}
