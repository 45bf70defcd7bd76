//! The books, as they are read and changed by operators: sums, prices, accounts.
//!
//! Sums are made on a thread of their own: a year of turns takes a second, in which no turn should wait
//! for its history.

use super::db::{DbResult, DbRow, Lock, params};
use async_trait::async_trait;

use super::json::{from_json, to_json};
use super::{SqlStore, credits};
use crate::store::{
    AccountChange, AccountRow, Books, Changed, PriceRow, StoreError, UsageKey, UsageRow,
    UsageSearch,
};
use crate::turn::Personal;
use crate::usage::{CreditScope, PriceBook, Quantities};

/// What every sum has behind its keys; the row's places count from 5.
const SUMS: &str = "
    u.currency, count(*) FILTER (WHERE u.kind = 'turn'), CAST(sum(u.heard_ms) AS BIGINT),
    CAST(sum(u.prompt_tokens) AS BIGINT), CAST(sum(u.cached_tokens) AS BIGINT),
    CAST(sum(u.completion_tokens) AS BIGINT), CAST(sum(u.spoken_chars) AS BIGINT),
    CAST(sum(u.spoken_ms) AS BIGINT), CAST(sum(u.messages) AS BIGINT),
    CAST(sum(u.tool_calls) AS BIGINT), CAST(sum(u.credits) AS BIGINT),
    CAST(sum(coalesce(u.cost, 0)) AS BIGINT), count(*) FILTER (WHERE u.certainty = 'estimated'),
    count(*) FILTER (WHERE u.certainty = 'unknown'),
    coalesce(json_group_array(DISTINCT u.unpriced) FILTER (WHERE u.unpriced IS NOT NULL), '[]')";

/// The pieces of time, as SQLite and as PostgreSQL read a list of objects.
const DAYS: [&str; 2] = [
    "(SELECT value ->> 'name' AS name, value ->> 'from_ms' AS from_ms,
             value ->> 'until_ms' AS until_ms FROM json_each(?1)) d",
    "json_to_recordset(CAST(?1 AS JSON)) AS d (name TEXT, from_ms BIGINT, until_ms BIGINT)",
];

/// They are looked up one by one in the index of times.
const OF_DAYS: &str = "
    CROSS JOIN usage u LEFT JOIN contacts c ON c.id = u.contact_id
    WHERE u.at_ms >= d.from_ms AND u.at_ms < d.until_ms
      AND (u.number = ?2 OR ?2 IS NULL) AND (u.agent = ?3 OR ?3 IS NULL)
      AND (c.user_id = ?4 OR c.phone = ?4 OR ?4 IS NULL)";

/// Returns the statement for sums by these keys. Who has neither an id nor a number any more is `?`.
fn statement(by: &[UsageKey], is_postgres: bool) -> String {
    let of = |key, column: &'static str| if by.contains(&key) { column } else { "NULL" };
    let day = of(UsageKey::Day, "d.name");
    let number = of(UsageKey::Number, "u.number");
    let agent = of(UsageKey::Agent, "u.agent");
    let contact = of(
        UsageKey::Contact,
        "CASE WHEN u.contact_id IS NOT NULL THEN coalesce(c.user_id, c.phone, '?') END",
    );
    let person = of(UsageKey::Contact, "u.contact_id");
    let order: Vec<&str> = by
        .iter()
        .map(|key| match key {
            UsageKey::Day => "1",
            UsageKey::Number => "2",
            UsageKey::Agent => "3",
            UsageKey::Contact => "4 NULLS FIRST, 5 NULLS FIRST",
        })
        .chain(["6 NULLS FIRST"])
        .collect();
    let days = DAYS[usize::from(is_postgres)];
    format!(
        "SELECT {day}, {number}, {agent}, {contact}, {person}, {SUMS} FROM {days} {OF_DAYS}
         GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY {} LIMIT ?5 OFFSET ?6",
        order.join(", ")
    )
}

#[async_trait]
impl Books for SqlStore {
    async fn usage(&self, search: UsageSearch) -> Result<Vec<UsageRow>, StoreError> {
        let whole = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let (limit, offset) = (whole(search.limit), whole(search.offset));
        let days = to_json(&search.days)?;
        let call = self.reports.call(move |db| {
            let mut sums = db.prepare_cached(&statement(&search.by, db.is_shared()))?;
            let values = params![days, search.number, search.agent, search.contact, limit, offset];
            Ok(sums.query_map(values, usage_row)?.collect::<Result<_, _>>()?)
        });
        call.await
    }

    async fn prices(&self) -> Result<Vec<PriceRow>, StoreError> {
        let call = self.reports.call(|db| {
            let mut rows = db.prepare_cached(
                "SELECT version, book, created_ms FROM prices ORDER BY version DESC",
            )?;
            Ok(rows.query_map(params![], price_row)?.collect::<Result<_, _>>()?)
        });
        call.await
    }

    async fn add_prices(&self, book: PriceBook, now_ms: i64) -> Result<u32, StoreError> {
        let book = to_json(&book)?;
        let call = self.writer.alone(Lock::Setup, move |db| {
            let version = db
                .prepare_cached(
                    "INSERT INTO prices (version, book, created_ms)
                     SELECT coalesce(max(version), 0) + 1, ?1, ?2 FROM prices RETURNING version",
                )?
                .query_row(params![book, now_ms], |row| row.get(0))?;
            Ok(version)
        });
        call.await
    }

    async fn accounts(&self) -> Result<Vec<AccountRow>, StoreError> {
        self.reports.call(credits::accounts).await
    }

    async fn change_account(
        &self,
        scope: CreditScope,
        name: &str,
        change: AccountChange,
        version: u32,
        now_ms: i64,
    ) -> Result<Changed, StoreError> {
        let name = name.to_owned();
        let call = self.writer.alone(Lock::Setup, move |db| {
            credits::change(db, (scope, &name), change, version, now_ms)
        });
        call.await
    }

    async fn remove_account(
        &self,
        scope: CreditScope,
        name: &str,
        version: u32,
    ) -> Result<Changed, StoreError> {
        let name = name.to_owned();
        self.writer.alone(Lock::Setup, move |db| credits::remove(db, scope, &name, version)).await
    }
}

fn price_row(row: &DbRow<'_>) -> DbResult<PriceRow> {
    let book: String = row.get(1)?;
    Ok(PriceRow { version: row.get(0)?, book: from_json(&book)?, created_ms: row.get(2)? })
}

fn usage_row(row: &DbRow<'_>) -> DbResult<UsageRow> {
    let count = |place| row.get::<i64>(place).map(|count| count.max(0).unsigned_abs());
    let lists: Vec<String> = from_json(&row.get::<String>(19)?)?;
    let mut unpriced: Vec<String> = Vec::new();
    for list in lists {
        unpriced.extend(from_json::<Vec<String>>(&list)?);
    }
    unpriced.sort();
    unpriced.dedup();
    Ok(UsageRow {
        day: row.get(0)?,
        number: row.get(1)?,
        agent: row.get(2)?,
        contact: row.get::<Option<String>>(3)?.map(Personal),
        currency: row.get(5)?,
        turns: count(6)?,
        used: Quantities {
            heard_ms: count(7)?,
            prompt_tokens: count(8)?,
            cached_tokens: count(9)?,
            completion_tokens: count(10)?,
            spoken_chars: count(11)?,
            spoken_ms: count(12)?,
            messages: count(13)?,
            tool_calls: count(14)?,
        },
        credits: count(15)?,
        cost_micros: count(16)?,
        estimated: count(17)?,
        unknown: count(18)?,
        unpriced,
    })
}
