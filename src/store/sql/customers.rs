//! Customers on the `customers` table.

use std::sync::Arc;

use super::db::{Db, DbResult, Lock, params};
use async_trait::async_trait;

use super::SqlStore;
use super::customer_rows::{
    FoundRow, PersonIds, ROWS, drop_lookups, found_row, holder, ids_of, insert, of_person, one,
    replace,
};
use crate::store::{
    CustomerChange, CustomerEntry, CustomerPatch, CustomerRow, CustomerSource, Customers, Imported,
    OnFile, StoreError,
};
use crate::turn::{Customer, Personal};

/// Rows of a file that are joined in one transaction: some milliseconds.
const BATCH: usize = 200;
/// Rows that are looked through for words at a time, so that nobody else waits long to read.
const LOOKED_THROUGH: usize = 1_000;
/// Lookups out of date that are deleted with each new one.
const SWEPT: usize = 50;

#[async_trait]
impl Customers for SqlStore {
    async fn on_file(&self, contact_id: i64, now_ms: i64) -> Result<OnFile, StoreError> {
        let call = self.reader.call(move |db| {
            let holds = |row: &FoundRow| row.row.expires_ms.is_none_or(|until| now_ms < until);
            Ok(match of_contact(db, contact_id, holds)? {
                Some(FoundRow { known: true, row }) => OnFile::Known(row.entry.customer),
                Some(FoundRow { known: false, .. }) => OnFile::Unknown,
                None => OnFile::Nothing,
            })
        });
        call.await
    }

    async fn keep_lookup(
        &self,
        contact_id: i64,
        told: Option<Customer>,
        now_ms: i64,
        expires_ms: i64,
    ) -> Result<(), StoreError> {
        let call = self.writer.alone(Lock::Customers, move |db| {
            let Some(PersonIds { user_id, phone, .. }) = ids_of(db, contact_id)? else {
                return Ok(());
            };
            db.prepare_cached(
                "DELETE FROM customers WHERE id IN
                     (SELECT id FROM customers WHERE expires_ms <= ?1 LIMIT ?2)",
            )?
            .execute(params![now_ms, i64::try_from(SWEPT).unwrap_or(i64::MAX)])?;
            let known = told.is_some();
            let customer = told.clone().unwrap_or_default();
            let entry = CustomerEntry { user_id, phone, customer };
            drop_lookups(db, &entry, None)?;
            if holder(db, &entry, None)?.is_none() {
                let told = (CustomerSource::Lookup, known, Some(expires_ms));
                insert(db, &entry, told, now_ms)?;
            }
            Ok(())
        });
        call.await
    }

    async fn customers(
        &self,
        before: Option<i64>,
        limit: usize,
        words: Option<String>,
    ) -> Result<Vec<CustomerRow>, StoreError> {
        let sought = words.map(|words| Sought::new(&words));
        let size = if sought.is_some() { LOOKED_THROUGH.max(limit) } else { limit };
        let (mut found, mut before) = (Vec::new(), before);
        loop {
            let call = self.reader.call(move |db| {
                let mut rows = db.prepare_cached(&format!(
                    "{ROWS} WHERE known = 1 AND (id < ?1 OR ?1 IS NULL) ORDER BY id DESC LIMIT ?2"
                ))?;
                let most = i64::try_from(size).unwrap_or(i64::MAX);
                let rows = rows.query_map(params![before, most], found_row)?;
                Ok(rows.collect::<DbResult<Vec<_>>>()?)
            });
            let rows = call.await?;
            let goes_on = rows.len() == size;
            before = rows.last().map(|found| found.row.id);
            let fits = |row: &CustomerRow| sought.as_ref().is_none_or(|sought| sought.is_in(row));
            found.extend(rows.into_iter().map(|found| found.row).filter(fits));
            if found.len() >= limit || !goes_on {
                found.truncate(limit);
                return Ok(found);
            }
        }
    }

    async fn customer(&self, id: i64) -> Result<Option<CustomerRow>, StoreError> {
        self.reader.call(move |db| Ok(one(db, id)?)).await
    }

    async fn customer_of(&self, contact_id: i64) -> Result<Option<CustomerRow>, StoreError> {
        let call = self.reader.call(move |db| Ok(of_contact(db, contact_id, |found| found.known)?));
        Ok(call.await?.map(|found| found.row))
    }

    async fn add_customer(
        &self,
        entry: CustomerEntry,
        now_ms: i64,
    ) -> Result<CustomerChange, StoreError> {
        let call = self.writer.alone(Lock::Customers, move |db| {
            if let Some(taken) = holder(db, &entry, None)? {
                return Ok(CustomerChange::Taken(taken));
            }
            drop_lookups(db, &entry, None)?;
            let id = insert(db, &entry, (CustomerSource::Api, true, None), now_ms)?;
            Ok(CustomerChange::Now(id, 1))
        });
        call.await
    }

    async fn put_customer(
        &self,
        id: i64,
        version: u32,
        entry: CustomerEntry,
        now_ms: i64,
    ) -> Result<CustomerChange, StoreError> {
        let call = self.writer.alone(Lock::Customers, move |db| {
            let Some(before) = one(db, id)? else { return Ok(CustomerChange::Absent) };
            if before.version != version {
                return Ok(CustomerChange::Stale(before.version));
            }
            if let Some(taken) = holder(db, &entry, Some(id))? {
                return Ok(CustomerChange::Taken(taken));
            }
            let own = CustomerRow { source: CustomerSource::Api, ..before };
            replace(db, &CustomerRow { entry: entry.clone(), ..own }, now_ms)?;
            Ok(CustomerChange::Now(id, version + 1))
        });
        call.await
    }

    async fn remove_customer(&self, id: i64) -> Result<bool, StoreError> {
        self.erase(move |db| {
            Ok(db.prepare_cached("DELETE FROM customers WHERE id = ?1")?.execute([id])? > 0)
        })
        .await
    }

    async fn import(
        &self,
        rows: Vec<CustomerPatch>,
        now_ms: i64,
    ) -> Result<Vec<Imported>, StoreError> {
        let (rows, mut became) = (Arc::new(rows), Vec::new());
        while became.len() < rows.len() {
            let (rows, from) = (Arc::clone(&rows), became.len());
            let part = self.writer.alone(Lock::Customers, move |db| {
                let part = rows.iter().skip(from).take(BATCH);
                part.map(|row| join(db, row, now_ms)).collect::<Result<Vec<_>, _>>()
            });
            became.extend(part.await?);
        }
        Ok(became)
    }
}

fn of_contact(
    db: &Db<'_>,
    contact_id: i64,
    holds: impl Fn(&FoundRow) -> bool,
) -> DbResult<Option<FoundRow>> {
    let Some(ids) = ids_of(db, contact_id)? else { return Ok(None) };
    Ok(of_person(db, &ids)?.into_iter().find(holds))
}

/// Returns what an event says of a contact: `{"known": true, "name", "language", "fields"}` or
/// `{"known": false}`.
pub(super) fn user_info(db: &Db<'_>, contact_id: i64) -> DbResult<serde_json::Value> {
    let found = of_contact(db, contact_id, |found| found.known)?;
    let Some(FoundRow { row, .. }) = found else {
        return Ok(serde_json::json!({ "known": false }));
    };
    let Customer { name, language, fields } = row.entry.customer;
    Ok(serde_json::json!({ "known": true, "name": name, "language": language, "fields": fields }))
}

/// Deletes what is known of a contact.
pub(super) fn forget(db: &Db<'_>, contact_id: i64) -> DbResult<()> {
    let Some(ids) = ids_of(db, contact_id)? else { return Ok(()) };
    for FoundRow { row, .. } in of_person(db, &ids)? {
        db.prepare_cached("DELETE FROM customers WHERE id = ?1")?.execute([row.id])?;
    }
    Ok(())
}

/// Joins a row of a file to what is known.
fn join(db: &Db<'_>, patch: &CustomerPatch, now_ms: i64) -> Result<Imported, StoreError> {
    let (user_id, phone) = (patch.user_id.clone(), patch.phone.clone());
    let told = CustomerEntry { user_id, phone, customer: patch.joined(&Customer::default()) };
    let Some(id) = holder(db, &told, None)? else {
        drop_lookups(db, &told, None)?;
        insert(db, &told, (CustomerSource::Import, true, None), now_ms)?;
        return Ok(Imported::Added);
    };
    if holder(db, &told, Some(id))?.is_some() {
        return Ok(Imported::OfTwo);
    }
    let Some(before) = one(db, id)? else { return Ok(Imported::Unchanged) };
    let entry = CustomerEntry {
        user_id: told.user_id.or_else(|| before.entry.user_id.clone()),
        phone: told.phone.or_else(|| before.entry.phone.clone()),
        customer: patch.joined(&before.entry.customer),
    };
    if entry == before.entry {
        return Ok(Imported::Unchanged);
    }
    replace(db, &CustomerRow { entry, source: CustomerSource::Import, ..before }, now_ms)?;
    Ok(Imported::Updated)
}

/// What a customer is searched by.
struct Sought {
    words: String,
    /// The digits, if it may be a phone number.
    digits: Option<String>,
}

impl Sought {
    fn new(words: &str) -> Self {
        let digits: String = words.chars().filter(char::is_ascii_digit).collect();
        let is_number = words.chars().all(|c| c.is_ascii_digit() || " +-()./".contains(c));
        let digits = digits.trim_start_matches("00").to_owned();
        let digits = Some(digits).filter(|digits| is_number && !digits.is_empty());
        Self { words: words.to_lowercase(), digits }
    }

    fn is_in(&self, row: &CustomerRow) -> bool {
        let CustomerEntry { user_id, phone, customer: Customer { name, fields, .. } } = &row.entry;
        let is_of_number = |phone: &Personal| {
            self.digits.as_ref().is_some_and(|digits| phone.reveal().contains(digits.as_str()))
        };
        let mut all = name.iter().chain(user_id).chain(fields.iter().map(|(_, value)| value));
        phone.as_ref().is_some_and(is_of_number)
            || all.any(|text| text.reveal().to_lowercase().contains(&self.words))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::store::Access;

    #[tokio::test]
    async fn an_event_says_who_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqlStore::open(folder.path().join("hark.db"), Access::Serve).unwrap();
        let mut customer = Customer { name: Some("Ann".into()), ..Customer::default() };
        customer.fields.set("plan", "gold");
        let entry = CustomerEntry { user_id: None, phone: Some("49301234567".into()), customer };
        store.add_customer(entry, 1).await.unwrap();
        let told = store.writer.call(|db| {
            let add = "INSERT INTO contacts (id, phone, created_ms) VALUES (?1, ?2, 1)";
            let mut add = db.prepare_cached(add)?;
            add.execute(params![1, "49301234567"])?;
            add.execute(params![2, "49307654321"])?;
            Ok([user_info(db, 1)?, user_info(db, 2)?, user_info(db, 3)?])
        });
        let ann = json!({ "known": true, "name": "Ann", "language": null,
            "fields": { "plan": "gold" } });
        let nobody = json!({ "known": false });
        assert_eq!(told.await.unwrap(), [ann, nobody.clone(), nobody]);
    }
}
