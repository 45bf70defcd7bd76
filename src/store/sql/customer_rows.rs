//! Rows of the `customers` table: found by a person's ids, added, replaced.
//!
//! Under `customers`, the port. Invariant: whatever a server told of a person goes before anything else
//! of theirs is added, so that no two rows have the same id.

use super::db::{Db, DbResult, DbRow, OptionalRow as _, params};

use super::json::{from_json, from_word, to_json};
use crate::store::{CustomerEntry, CustomerRow, CustomerSource};
use crate::turn::{Customer, LanguageCode, Personal, other_form};

pub(super) const ROWS: &str =
    "SELECT id, user_id, phone, name, language, fields, source, version, created_ms,
        updated_ms, expires_ms, known FROM customers";

/// A row, and whether it says that somebody is known.
pub(super) struct FoundRow {
    pub(super) row: CustomerRow,
    pub(super) known: bool,
}

/// Names a person.
pub(super) struct PersonIds {
    pub(super) user_id: Option<Personal>,
    pub(super) phone: Option<Personal>,
    /// The other way to write the phone number, if there is one.
    other_phone: Option<String>,
}

impl PersonIds {
    fn new(user_id: Option<Personal>, phone: Option<Personal>) -> Self {
        let other_phone = phone.as_ref().and_then(|phone| other_form(phone.reveal()));
        Self { user_id, phone, other_phone }
    }
}

/// Returns the ids of a contact.
pub(super) fn ids_of(db: &Db<'_>, contact_id: i64) -> DbResult<Option<PersonIds>> {
    db.prepare_cached("SELECT user_id, phone FROM contacts WHERE id = ?1")?
        .query_row([contact_id], |row| Ok(PersonIds::new(personal(row, 0)?, personal(row, 1)?)))
        .optional()
}

/// Returns all rows of a person, those that go before others first: what was written or imported, then
/// that of the id, then that of the number as it is written.
pub(super) fn of_person(db: &Db<'_>, ids: &PersonIds) -> DbResult<Vec<FoundRow>> {
    let PersonIds { user_id, phone, other_phone } = ids;
    let (user_id, phone) =
        (user_id.as_ref().map(Personal::reveal), phone.as_ref().map(Personal::reveal));
    let mut rows = db.prepare_cached(&format!(
        "{ROWS} WHERE user_id = ?1 OR phone = ?2 OR phone = ?3
         ORDER BY source = 'lookup', user_id IS DISTINCT FROM ?1, phone IS DISTINCT FROM ?2"
    ))?;
    rows.query_map(params![user_id, phone, other_phone], found_row)?.collect()
}

/// Deletes what a server told of a person, but for one row.
pub(super) fn drop_lookups(db: &Db<'_>, entry: &CustomerEntry, but: Option<i64>) -> DbResult<()> {
    let (user_id, phone) = entry.ids();
    db.prepare_cached(
        "DELETE FROM customers WHERE source = 'lookup' AND (user_id = ?1 OR phone = ?2)
             AND id IS DISTINCT FROM ?3",
    )?
    .execute(params![user_id, phone, but])
    .map(drop)
}

/// Returns who, other than `but`, has one of the ids and was written or imported.
pub(super) fn holder(
    db: &Db<'_>,
    entry: &CustomerEntry,
    but: Option<i64>,
) -> DbResult<Option<i64>> {
    let (user_id, phone) = entry.ids();
    db.prepare_cached(
        "SELECT id FROM customers WHERE source <> 'lookup' AND (user_id = ?1 OR phone = ?2)
             AND id IS DISTINCT FROM ?3 LIMIT 1",
    )?
    .query_row(params![user_id, phone, but], |row| row.get(0))
    .optional()
}

/// Adds a row: who told it, whether anybody is known, and until when it holds.
pub(super) fn insert(
    db: &Db<'_>,
    entry: &CustomerEntry,
    (source, known, expires_ms): (CustomerSource, bool, Option<i64>),
    now_ms: i64,
) -> DbResult<i64> {
    let ((user_id, phone), Customer { name, language, fields }) = (entry.ids(), &entry.customer);
    db.prepare_cached(
        "INSERT INTO customers (user_id, phone, known, name, language, fields, source, version,
             created_ms, updated_ms, expires_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, ?8, ?8, ?9) RETURNING id",
    )?
    .query_row(
        params![
            user_id,
            phone,
            known,
            name.as_ref().map(Personal::reveal),
            language.as_ref().map(LanguageCode::as_str),
            to_json(fields)?,
            source.name(),
            now_ms,
            expires_ms
        ],
        |row| row.get(0),
    )
}

/// Writes a row anew, with the next version.
pub(super) fn replace(db: &Db<'_>, row: &CustomerRow, now_ms: i64) -> DbResult<()> {
    let (entry, Customer { name, language, fields }) = (&row.entry, &row.entry.customer);
    let (user_id, phone) = entry.ids();
    drop_lookups(db, &row.entry, Some(row.id))?;
    db.prepare_cached(
        "UPDATE customers SET user_id = ?2, phone = ?3, known = 1, name = ?4, language = ?5,
             fields = ?6, source = ?7, version = version + 1, updated_ms = ?8, expires_ms = NULL
         WHERE id = ?1",
    )?
    .execute(params![
        row.id,
        user_id,
        phone,
        name.as_ref().map(Personal::reveal),
        language.as_ref().map(LanguageCode::as_str),
        to_json(fields)?,
        row.source.name(),
        now_ms
    ])
    .map(drop)
}

pub(super) fn one(db: &Db<'_>, id: i64) -> DbResult<Option<CustomerRow>> {
    let mut row = db.prepare_cached(&format!("{ROWS} WHERE id = ?1 AND known = 1"))?;
    Ok(row.query_row([id], found_row).optional()?.map(|found| found.row))
}

pub(super) fn found_row(row: &DbRow<'_>) -> DbResult<FoundRow> {
    let language: Option<String> = row.get(4)?;
    let (fields, source): (String, String) = (row.get(5)?, row.get(6)?);
    let customer = Customer {
        name: personal(row, 3)?,
        language: language.map(LanguageCode::from),
        fields: from_json(&fields)?,
    };
    let row_of = CustomerRow {
        id: row.get(0)?,
        entry: CustomerEntry { user_id: personal(row, 1)?, phone: personal(row, 2)?, customer },
        source: from_word(&source)?,
        version: row.get(7)?,
        created_ms: row.get(8)?,
        updated_ms: row.get(9)?,
        expires_ms: row.get(10)?,
    };
    Ok(FoundRow { row: row_of, known: row.get(11)? })
}

fn personal(row: &DbRow<'_>, column: usize) -> DbResult<Option<Personal>> {
    Ok(row.get::<Option<String>>(column)?.map(Personal))
}
