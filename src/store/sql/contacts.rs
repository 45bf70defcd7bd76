//! Who a message is from: finds, creates and merges contacts, as `rules` decides.

use super::db::{Db, DbResult, OptionalRow as _, params};

use super::conversations;
use crate::store::StoreError;
use crate::store::rules::{ByPhone, Identity, identify};
use crate::turn::{ContactRef, Personal};

/// A contact by its key, and whether the row says already what a message says. It is held: messages of one
/// person stay in order, and nobody else takes the number meanwhile.
const BY_USER_ID: &str = "
    SELECT id, coalesce(?2, phone) IS NOT DISTINCT FROM phone
        AND coalesce(?3, profile_name) IS NOT DISTINCT FROM profile_name
    FROM contacts WHERE user_id = ?1";
/// The same by its number, and whether it has a key.
const BY_PHONE: &str = "
    SELECT id, user_id IS NOT NULL, coalesce(?2, user_id) IS NOT DISTINCT FROM user_id
        AND coalesce(?3, profile_name) IS NOT DISTINCT FROM profile_name
    FROM contacts WHERE phone = ?1";

/// Returns the row of `contact`, made or merged as needed.
pub(super) fn resolve(db: &Db<'_>, contact: &ContactRef, now_ms: i64) -> Result<i64, StoreError> {
    let user_id = contact.user_id.as_ref().map(Personal::reveal);
    let phone = contact.phone.as_ref().map(Personal::reveal);
    let profile_name = contact.profile_name.as_ref().map(Personal::reveal);
    let mut says_so = false;
    let by_user_id = match user_id {
        Some(user_id) => db
            .prepare_cached(&format!("{BY_USER_ID}{}", db.holding()))?
            .query_row(params![user_id, phone, profile_name], |row| {
                says_so = row.get(1)?;
                row.get(0)
            })
            .optional()?,
        None => None,
    };
    let by_phone = match phone {
        Some(phone) => db
            .prepare_cached(&format!("{BY_PHONE}{}", db.holding()))?
            .query_row(params![phone, user_id, profile_name], |row| {
                says_so |= row.get::<bool>(2)?;
                Ok(ByPhone { row: row.get(0)?, has_user_id: row.get(1)? })
            })
            .optional()?,
        None => None,
    };
    let row = match identify(user_id.is_some(), by_user_id, by_phone) {
        // Most messages are of somebody known: no row is written.
        Identity::Known(known) if says_so => return Ok(known),
        Identity::Known(known) => known,
        Identity::New => insert(db, now_ms)?,
        Identity::Merge { known, alias } => {
            merge(db, known, alias, now_ms)?;
            known
        }
        Identity::MoveNumber { from, to } => {
            drop_number(db, from)?;
            to.map_or_else(|| insert(db, now_ms), Ok)?
        }
    };
    db.prepare_cached(
        "UPDATE contacts SET user_id = coalesce(?2, user_id), phone = coalesce(?3, phone),
             profile_name = coalesce(?4, profile_name) WHERE id = ?1",
    )?
    .execute(params![row, user_id, phone, profile_name])?;
    Ok(row)
}

fn insert(db: &Db<'_>, now_ms: i64) -> DbResult<i64> {
    db.prepare_cached("INSERT INTO contacts (created_ms) VALUES (?1) RETURNING id")?
        .query_row([now_ms], |row| row.get(0))
}

fn drop_number(db: &Db<'_>, contact: i64) -> DbResult<usize> {
    db.prepare_cached("UPDATE contacts SET phone = NULL WHERE id = ?1")?.execute([contact])
}

/// Moves all that `alias` has to `known`, its lane's messages included.
fn merge(db: &Db<'_>, known: i64, alias: i64, now_ms: i64) -> DbResult<()> {
    // Its number is about to be the other's, and no two have the same.
    drop_number(db, alias)?;
    for table in ["messages", "turns", "usage"] {
        db.prepare_cached(&format!("UPDATE {table} SET contact_id = ?1 WHERE contact_id = ?2"))?
            .execute([known, alias])?;
    }
    conversations::merge(db, known, alias, now_ms)?;
    // Of two on one number those of the older id stay: the other's are of a few turns.
    db.prepare_cached(
        "UPDATE summaries SET contact_id = ?1 WHERE contact_id = ?2
             AND number NOT IN (SELECT number FROM summaries WHERE contact_id = ?1)",
    )?
    .execute([known, alias])?;
    db.prepare_cached("DELETE FROM summaries WHERE contact_id = ?1")?.execute([alias])?;
    db.prepare_cached(
        "UPDATE contacts SET (language, asked_language, reply_mode) = (
             SELECT coalesce(contacts.language, a.language),
                    coalesce(contacts.asked_language, a.asked_language),
                    coalesce(contacts.reply_mode, a.reply_mode)
             FROM contacts a WHERE a.id = ?2) WHERE id = ?1",
    )?
    .execute([known, alias])?;
    db.prepare_cached("DELETE FROM contacts WHERE id = ?1")?.execute([alias])?;
    Ok(())
}
