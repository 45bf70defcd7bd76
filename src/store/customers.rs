//! The port of customers: whom the business knows, by phone number or by WhatsApp's id for a person.
//!
//! What a method returned `Ok` for is on disk. Invariants: no two customers have the same phone number
//! or the same id; what a server told takes the place of nothing that was imported or written.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::StoreError;
use crate::turn::{Customer, Personal};

/// Says who told what is known of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CustomerSource {
    /// A file that was imported.
    Import,
    /// A request to the API.
    Api,
    /// The server of `[customers] url`, for a time.
    Lookup,
}

impl CustomerSource {
    /// Returns its word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Api => "api",
            Self::Lookup => "lookup",
        }
    }
}

/// Holds a customer as it is to be kept; at least one of the two ids is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomerEntry {
    /// WhatsApp's id for the person.
    pub user_id: Option<Personal>,
    /// Phone number in digits.
    pub phone: Option<Personal>,
    /// What is known.
    pub customer: Customer,
}

impl CustomerEntry {
    /// Returns both ids as they are written.
    pub(super) fn ids(&self) -> (Option<&str>, Option<&str>) {
        (self.user_id.as_ref().map(Personal::reveal), self.phone.as_ref().map(Personal::reveal))
    }
}

/// Holds a customer as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerRow {
    /// The customer's row; never used again.
    pub id: i64,
    /// Who it is, and what is known.
    pub entry: CustomerEntry,
    /// Who told it last.
    pub source: CustomerSource,
    /// Grows by one with each change.
    pub version: u32,
    /// When it was added, Unix milliseconds.
    pub created_ms: i64,
    /// When it was changed last.
    pub updated_ms: i64,
    /// Until when it holds, if it was looked up.
    pub expires_ms: Option<i64>,
}

/// Says what is on file of a contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnFile {
    /// This.
    Known(Customer),
    /// That a server was asked not long ago and does not know them.
    Unknown,
    /// Nothing.
    Nothing,
}

/// Says what became of a customer that was added or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CustomerChange {
    /// It is kept: its row and its version.
    Now(i64, u32),
    /// Nothing is changed: this customer has the phone number or the id already.
    Taken(i64),
    /// Nothing is changed: it has this version by now.
    Stale(u32),
    /// There is no such customer.
    Absent,
}

/// Holds one row of a file. The file speaks for its columns: a value that is empty is removed, what it
/// has no column for stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomerPatch {
    /// The row's line in its file, from 1.
    pub line: u64,
    /// WhatsApp's id for the person.
    pub user_id: Option<Personal>,
    /// Phone number in digits.
    pub phone: Option<Personal>,
    /// The name; `None` if there is no column for it.
    pub name: Option<Personal>,
    /// The code of the language; `None` if there is no column for it.
    pub language: Option<String>,
    /// All other columns, in order.
    pub fields: Vec<(String, Personal)>,
}

impl CustomerPatch {
    /// Returns what is known once the row is joined to what was known.
    pub fn joined(&self, before: &Customer) -> Customer {
        let mut after = before.clone();
        if let Some(name) = &self.name {
            after.name = Some(name.clone()).filter(|name| !name.reveal().is_empty());
        }
        if let Some(language) = &self.language {
            after.language = Some(language.as_str().into()).filter(|_| !language.is_empty());
        }
        for (name, value) in &self.fields {
            match value.reveal() {
                "" => after.fields.remove(name),
                value => after.fields.set(name, value),
            }
        }
        after
    }
}

/// Says what became of a row of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Imported {
    /// A customer was added.
    Added,
    /// One that was there is changed.
    Updated,
    /// One that was there says the same.
    Unchanged,
    /// Nothing is changed: the phone number is of one customer and the id of another.
    OfTwo,
}

/// Keeps customers.
#[async_trait]
pub trait Customers: Send + Sync {
    /// Returns what is on file of a contact: by its id, else by its phone number; what was written or
    /// imported goes before what a server told.
    async fn on_file(&self, contact_id: i64, now_ms: i64) -> Result<OnFile, StoreError>;

    /// Keeps what a server told of a contact, `None` if it does not know them, until `expires_ms`. Of
    /// who was forgotten meanwhile nothing is kept, and what is out of date goes.
    async fn keep_lookup(
        &self,
        contact_id: i64,
        told: Option<Customer>,
        now_ms: i64,
        expires_ms: i64,
    ) -> Result<(), StoreError>;

    /// Returns up to `limit` customers, newest first, that are older than the row `before` and have
    /// these words in what is known of them.
    async fn customers(
        &self,
        before: Option<i64>,
        limit: usize,
        words: Option<String>,
    ) -> Result<Vec<CustomerRow>, StoreError>;

    /// Returns one customer.
    async fn customer(&self, id: i64) -> Result<Option<CustomerRow>, StoreError>;

    /// Returns the customer that a contact is.
    async fn customer_of(&self, contact_id: i64) -> Result<Option<CustomerRow>, StoreError>;

    /// Adds a customer, in the place of what a server told of them.
    async fn add_customer(
        &self,
        entry: CustomerEntry,
        now_ms: i64,
    ) -> Result<CustomerChange, StoreError>;

    /// Puts an entry in the place of one of this version.
    async fn put_customer(
        &self,
        id: i64,
        version: u32,
        entry: CustomerEntry,
        now_ms: i64,
    ) -> Result<CustomerChange, StoreError>;

    /// Deletes a customer, and clears the bytes of it; returns whether there was one.
    async fn remove_customer(&self, id: i64) -> Result<bool, StoreError>;

    /// Joins the rows of a file to what is known, a few in a transaction, and says in their order what
    /// became of each. What was joined before an error stays, and is `Unchanged` the next time.
    async fn import(
        &self,
        rows: Vec<CustomerPatch>,
        now_ms: i64,
    ) -> Result<Vec<Imported>, StoreError>;
}
