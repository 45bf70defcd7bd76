//! People, looked at and forgotten, on the `contacts` table and all that hangs on it.

use super::db::{Db, DbResult, DbRow, Hold, OptionalRow as _, params};
use async_trait::async_trait;

use super::json::from_word;
use super::{SqlStore, customers};
use crate::store::{ContactRow, MessageRow, People, StoreError};
use crate::turn::{LanguageCode, Personal};

const CONTACTS: &str = "SELECT id, user_id, phone, profile_name, language, reply_mode, created_ms,
        asked_language FROM contacts";

/// Lets go of a contact's sound, deletes what hangs on the contact, and the contact, in the order of
/// the references.
const FORGET: [&str; 12] = [
    "UPDATE sounds SET kept_until_ms = 0
         WHERE turn IN (SELECT id FROM turns WHERE contact_id = ?1)",
    "DELETE FROM statuses WHERE turn IN (SELECT id FROM turns WHERE contact_id = ?1)
         OR provider_id IN (SELECT provider_id FROM parts JOIN turns ON turns.id = parts.turn
                            WHERE turns.contact_id = ?1)",
    "DELETE FROM parts WHERE turn IN (SELECT id FROM turns WHERE contact_id = ?1)",
    "DELETE FROM recordings WHERE (number, message) IN
         (SELECT number, provider_id FROM messages WHERE contact_id = ?1)",
    "INSERT INTO erased_events SELECT id FROM events WHERE contact_id = ?1 AND id IS NOT NULL",
    "DELETE FROM events WHERE contact_id = ?1",
    "DELETE FROM tickets WHERE contact_id = ?1",
    "DELETE FROM turns WHERE contact_id = ?1",
    "DELETE FROM messages WHERE contact_id = ?1",
    "DELETE FROM conversations WHERE contact_id = ?1",
    "DELETE FROM summaries WHERE contact_id = ?1",
    "DELETE FROM contacts WHERE id = ?1",
];

#[async_trait]
impl People for SqlStore {
    async fn contacts(
        &self,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<ContactRow>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let call = self.reader.call(move |db| {
            let mut contacts = db.prepare_cached(&format!(
                "{CONTACTS} WHERE id < ?1 OR ?1 IS NULL ORDER BY id DESC LIMIT ?2"
            ))?;
            Ok(contacts
                .query_map(params![before, limit], contact_row)?
                .collect::<Result<_, _>>()?)
        });
        call.await
    }

    async fn contact(&self, id: i64) -> Result<Option<ContactRow>, StoreError> {
        let call = self.reader.call(move |db| {
            let mut contact = db.prepare_cached(&format!("{CONTACTS} WHERE id = ?1"))?;
            Ok(contact.query_row([id], contact_row).optional()?)
        });
        call.await
    }

    async fn contacts_like(&self, who: String) -> Result<Vec<ContactRow>, StoreError> {
        let digits: String = who.chars().filter(char::is_ascii_digit).collect();
        let call = self.reader.call(move |db| {
            let mut contacts =
                db.prepare_cached(&format!("{CONTACTS} WHERE user_id = ?1 OR phone = ?2"))?;
            Ok(contacts.query_map([&who, &digits], contact_row)?.collect::<Result<_, _>>()?)
        });
        call.await
    }

    async fn messages_of(&self, id: i64) -> Result<Vec<MessageRow>, StoreError> {
        let call = self.reader.call(move |db| {
            let mut messages = db.prepare_cached(
                "SELECT number, provider_id, raw_type, body, sent_ms, received_ms FROM messages
                 WHERE contact_id = ?1 ORDER BY id",
            )?;
            let row = |row: &DbRow<'_>| {
                Ok(MessageRow {
                    number: row.get(0)?,
                    id: row.get(1)?,
                    kind: row.get(2)?,
                    body: row.get(3)?,
                    sent_ms: row.get(4)?,
                    received_ms: row.get(5)?,
                })
            };
            Ok(messages.query_map([id], row)?.collect::<Result<_, _>>()?)
        });
        call.await
    }

    async fn forget(&self, id: i64) -> Result<bool, StoreError> {
        self.erase(move |db| {
            db.hold(Hold::Contact(id))?;
            customers::forget(db, id)?;
            let mut deleted = 0;
            for sql in FORGET {
                deleted = db.prepare_cached(sql)?.execute([id])?;
            }
            Ok(deleted > 0)
        })
        .await
    }
}

impl SqlStore {
    /// Does what deletes, and clears the bytes of what is gone; it returns whether something is.
    pub(super) async fn erase(
        &self,
        work: impl Fn(&Db<'_>) -> DbResult<bool> + Send + 'static,
    ) -> Result<bool, StoreError> {
        let call = self.writer.call(move |db| {
            // A group's other writes may be overwritten, too.
            Ok(db.overwriting(|| work(db))?)
        });
        let gone = call.await?;
        if gone {
            // The file of commits still has the pages as they were.
            self.reader.call(|db| Ok(db.write_back()?)).await?;
        }
        Ok(gone)
    }
}

fn contact_row(row: &DbRow<'_>) -> DbResult<ContactRow> {
    let mode: Option<String> = row.get(5)?;
    Ok(ContactRow {
        id: row.get(0)?,
        user_id: row.get::<Option<String>>(1)?.map(Personal),
        phone: row.get::<Option<String>>(2)?.map(Personal),
        name: row.get::<Option<String>>(3)?.map(Personal),
        language: row.get::<Option<String>>(4)?.map(LanguageCode::from),
        asked_language: row.get::<Option<String>>(7)?.map(LanguageCode::from),
        reply_mode: mode.map(|mode| from_word(&mode)).transpose()?,
        created_ms: row.get(6)?,
    })
}
