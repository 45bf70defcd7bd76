//! The port of the books: what was spent, at which prices, and whose credits are left.
//!
//! What a turn spent is written by [`Record::finish`](super::Record::finish), in the transaction that
//! closes it; here it is summed. Invariant: a version of the prices never changes, nor what was priced by it.

use async_trait::async_trait;

use super::{Changed, StoreError};
use crate::turn::Personal;
use crate::usage::{CreditScope, PriceBook, Quantities};

/// Says whether a turn may cost what its agent's answer costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Credit {
    /// It may: the credits are reserved, or nobody counts any.
    #[default]
    Granted,
    /// It may not: the credits of this account are spent or reserved.
    Refused(CreditScope),
}

/// Says that credits are running out; it is said once, until there are enough again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreditWarning {
    /// Whose they are.
    pub scope: CreditScope,
    /// The number's id, or the agent's name.
    pub name: String,
    /// What is left.
    pub balance: i64,
    /// What was to be left.
    pub warn_below: i64,
}

/// Names what a sum is made by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsageKey {
    /// The day.
    Day,
    /// The business number.
    Number,
    /// The agent.
    Agent,
    /// The person.
    Contact,
}

/// Names a stretch of time, such as a day where somebody lives.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct UsageDay {
    /// What it is called.
    pub name: String,
    /// When it begins, Unix milliseconds.
    pub from_ms: i64,
    /// When it is over.
    pub until_ms: i64,
}

/// Says what is summed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsageSearch {
    /// When, in pieces that do not overlap.
    pub days: Vec<UsageDay>,
    /// By what, in this order.
    pub by: Vec<UsageKey>,
    /// Of this number alone.
    pub number: Option<String>,
    /// Of this agent alone.
    pub agent: Option<String>,
    /// Of this contact alone, by user id or phone.
    pub contact: Option<String>,
    /// So many sums.
    pub limit: usize,
    /// Behind so many.
    pub offset: usize,
}

/// Holds one sum. What it is not made by is `None`; sums of several currencies are apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsageRow {
    /// The day's name.
    pub day: Option<String>,
    /// The number.
    pub number: Option<String>,
    /// The agent.
    pub agent: Option<String>,
    /// User id or phone number of the contact; `None` of those who are forgotten, too.
    pub contact: Option<Personal>,
    /// The turns that have ended.
    pub turns: u64,
    /// What they used, and notes on conversations with them.
    pub used: Quantities,
    /// Credits that were spent.
    pub credits: u64,
    /// What `cost` is in; `None` where there were no prices.
    pub currency: Option<String>,
    /// What it cost, in millionths of the currency's unit.
    pub cost_micros: u64,
    /// How many of its rows have an estimated cost.
    pub estimated: u64,
    /// How many have a cost of which something is unknown.
    pub unknown: u64,
    /// What had no price.
    pub unpriced: Vec<String>,
}

/// Holds a version of the prices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceRow {
    /// Which version; the highest is in use.
    pub version: u32,
    /// The prices.
    pub book: PriceBook,
    /// Since when, Unix milliseconds.
    pub created_ms: i64,
}

/// Holds an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRow {
    /// Whose it is.
    pub scope: CreditScope,
    /// The number's id, or the agent's name.
    pub name: String,
    /// Credits that are not spent, reserved ones included. Below 0 where they were taken away while
    /// turns ran.
    pub balance: i64,
    /// Credits that running turns may spend.
    pub reserved: i64,
    /// Credits that were spent since there is an account.
    pub spent: i64,
    /// The balance below which somebody is warned.
    pub warn_below: Option<i64>,
    /// When it fell below that, Unix milliseconds.
    pub warned_ms: Option<i64>,
    /// Grows by one with each change by an operator.
    pub version: u32,
    /// When it was made.
    pub created_ms: i64,
    /// When it was changed last by an operator.
    pub changed_ms: i64,
}

/// Says what becomes of a balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BalanceChange {
    /// It stays.
    Keep,
    /// It becomes this.
    Set(i64),
    /// This is added, or taken if it is below 0.
    Add(i64),
}

/// Says what becomes of a warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WarningChange {
    /// It stays.
    Keep,
    /// Somebody is told below this balance, or nobody.
    Set(Option<i64>),
}

/// Says what becomes of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountChange {
    /// Of its balance.
    pub balance: BalanceChange,
    /// Of its warning.
    pub warning: WarningChange,
}

/// Sums what was spent, and keeps prices and credits.
#[async_trait]
pub trait Books: Send + Sync {
    /// Returns sums in the order of what they are made by.
    async fn usage(&self, search: UsageSearch) -> Result<Vec<UsageRow>, StoreError>;

    /// Returns all versions of the prices, newest first.
    async fn prices(&self) -> Result<Vec<PriceRow>, StoreError>;

    /// Adds a version of the prices, by which every later turn is priced; returns which.
    async fn add_prices(&self, book: PriceBook, now_ms: i64) -> Result<u32, StoreError>;

    /// Returns all accounts, by scope and name.
    async fn accounts(&self) -> Result<Vec<AccountRow>, StoreError>;

    /// Changes an account of this version, or makes one; of one that is not there the version is 0.
    async fn change_account(
        &self,
        scope: CreditScope,
        name: &str,
        change: AccountChange,
        version: u32,
        now_ms: i64,
    ) -> Result<Changed, StoreError>;

    /// Removes an account: its number or agent has no limit any more.
    async fn remove_account(
        &self,
        scope: CreditScope,
        name: &str,
        version: u32,
    ) -> Result<Changed, StoreError>;
}
