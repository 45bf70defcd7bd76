//! Who a message is from: finds, creates and merges contacts.
//!
//! A user id is the key, a phone number its alias. A contact first seen by phone and later by
//! user id is one person: the two rows become one, and the lane's messages move with them.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::turn::{ContactRef, Personal, ReplyMode};

/// Returns the row of `contact`, made or merged as needed.
pub(super) fn resolve(db: &Connection, contact: &ContactRef, now_ms: i64) -> rusqlite::Result<i64> {
    let user_id = contact.user_id.as_ref().map(Personal::reveal);
    let phone = contact.phone.as_ref().map(Personal::reveal);
    let by_user_id = find(db, "SELECT id FROM contacts WHERE user_id = ?1", user_id)?;
    let by_phone = find(db, "SELECT id FROM contacts WHERE phone = ?1", phone)?;
    let row = match (by_user_id, by_phone) {
        (Some(known), Some(alias)) if known != alias => {
            take_phone(db, known, alias)?;
            known
        }
        (Some(known), _) => known,
        (None, Some(alias)) => {
            let other_id = user_id.is_some() && has_user_id(db, alias)?;
            if other_id {
                // The number has a new owner, or its owner a new id: the old contact keeps its
                // history without the number.
                db.prepare_cached("UPDATE contacts SET phone = NULL WHERE id = ?1")?
                    .execute([alias])?;
                insert(db, now_ms)?
            } else {
                alias
            }
        }
        (None, None) => insert(db, now_ms)?,
    };
    db.prepare_cached(
        "UPDATE contacts SET user_id = coalesce(?2, user_id), phone = coalesce(?3, phone),
             profile_name = coalesce(?4, profile_name) WHERE id = ?1",
    )?
    .execute(params![
        row,
        user_id,
        phone,
        contact.profile_name.as_ref().map(Personal::reveal)
    ])?;
    Ok(row)
}

fn find(db: &Connection, sql: &str, key: Option<&str>) -> rusqlite::Result<Option<i64>> {
    match key {
        Some(key) => db.prepare_cached(sql)?.query_row([key], |row| row.get(0)).optional(),
        None => Ok(None),
    }
}

fn has_user_id(db: &Connection, contact: i64) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT user_id IS NOT NULL FROM contacts WHERE id = ?1")?
        .query_row([contact], |row| row.get(0))
}

fn insert(db: &Connection, now_ms: i64) -> rusqlite::Result<i64> {
    db.prepare_cached("INSERT INTO contacts (created_ms) VALUES (?1)")?.execute([now_ms])?;
    Ok(db.last_insert_rowid())
}

/// Gives the phone number of `alias` to `known`. A contact that was only that phone number is
/// the same person and is merged; one with a user id of its own only loses the number.
fn take_phone(db: &Connection, known: i64, alias: i64) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE contacts SET phone = NULL WHERE id = ?1")?.execute([alias])?;
    if has_user_id(db, alias)? {
        return Ok(());
    }
    for table in ["messages", "turns"] {
        db.prepare_cached(&format!("UPDATE {table} SET contact_id = ?1 WHERE contact_id = ?2"))?
            .execute([known, alias])?;
    }
    db.prepare_cached(
        "UPDATE contacts SET (language, reply_mode) = (
             SELECT coalesce(contacts.language, a.language),
                    coalesce(contacts.reply_mode, a.reply_mode)
             FROM contacts a WHERE a.id = ?2) WHERE id = ?1",
    )?
    .execute([known, alias])?;
    db.prepare_cached("DELETE FROM contacts WHERE id = ?1")?.execute([alias])?;
    Ok(())
}

/// Remembers how the person behind the message `row` wants to be answered.
pub(super) fn set_reply_mode(db: &Connection, row: i64, mode: ReplyMode) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE contacts SET reply_mode = ?2
         WHERE id = (SELECT contact_id FROM messages WHERE id = ?1)",
    )?
    .execute(params![row, mode.name()])?;
    Ok(())
}
