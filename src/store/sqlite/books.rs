//! The books, as they are read and changed by operators: sums, prices, accounts.
//!
//! Sums are made on a thread of their own: a year of turns takes a second, in which no turn should wait
//! for its history.

use async_trait::async_trait;
use rusqlite::{Row, params};

use super::json::{from_json, to_json};
use super::{SqliteStore, credits};
use crate::store::{
    AccountChange, AccountRow, Books, Changed, PriceRow, StoreError, UsageKey, UsageRow,
    UsageSearch,
};
use crate::turn::Personal;
use crate::usage::{CreditScope, PriceBook, Quantities};

/// What every sum has behind its keys; the row's places count from 5.
const SUMS: &str = "
    u.currency, sum(u.kind = 'turn'), sum(u.heard_ms), sum(u.prompt_tokens), sum(u.cached_tokens),
    sum(u.completion_tokens), sum(u.spoken_chars), sum(u.spoken_ms), sum(u.messages),
    sum(u.tool_calls), sum(u.credits), sum(coalesce(u.cost, 0)), sum(u.certainty = 'estimated'),
    sum(u.certainty = 'unknown'),
    json_group_array(DISTINCT u.unpriced) FILTER (WHERE u.unpriced IS NOT NULL)";

/// Pieces of time are looked up one by one in the index of times.
const FROM: &str = "
    FROM json_each(?1) d
    CROSS JOIN usage u ON u.at_ms >= d.value ->> '$.from_ms' AND u.at_ms < d.value ->> '$.until_ms'
    LEFT JOIN contacts c ON c.id = u.contact_id
    WHERE (?2 IS NULL OR u.number = ?2) AND (?3 IS NULL OR u.agent = ?3)
      AND (?4 IS NULL OR c.user_id = ?4 OR c.phone = ?4)";

/// Returns the statement for sums by these keys. Who has neither an id nor a number any more is `?`.
fn statement(by: &[UsageKey]) -> String {
    let of = |key, column: &'static str| if by.contains(&key) { column } else { "NULL" };
    let day = of(UsageKey::Day, "d.value ->> '$.name'");
    let number = of(UsageKey::Number, "u.number");
    let agent = of(UsageKey::Agent, "u.agent");
    let contact =
        of(UsageKey::Contact, "iif(u.contact_id IS NULL, NULL, coalesce(c.user_id, c.phone, '?'))");
    let person = of(UsageKey::Contact, "u.contact_id");
    let order: Vec<&str> = by
        .iter()
        .map(|key| match key {
            UsageKey::Day => "1",
            UsageKey::Number => "2",
            UsageKey::Agent => "3",
            UsageKey::Contact => "4, 5",
        })
        .chain(["6"])
        .collect();
    format!(
        "SELECT {day}, {number}, {agent}, {contact}, {person}, {SUMS} {FROM}
         GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY {} LIMIT ?5 OFFSET ?6",
        order.join(", ")
    )
}

#[async_trait]
impl Books for SqliteStore {
    async fn usage(&self, search: UsageSearch) -> Result<Vec<UsageRow>, StoreError> {
        let whole = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let (limit, offset) = (whole(search.limit), whole(search.offset));
        let days = to_json(&search.days)?;
        let call = self.reports.call(move |db| {
            let mut sums = db.prepare_cached(&statement(&search.by))?;
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
            Ok(rows.query_map([], price_row)?.collect::<Result<_, _>>()?)
        });
        call.await
    }

    async fn add_prices(&self, book: PriceBook, now_ms: i64) -> Result<u32, StoreError> {
        let book = to_json(&book)?;
        let call = self.writer.call(move |db| {
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
        let call = self
            .writer
            .call(move |db| credits::change(db, (scope, &name), change, version, now_ms));
        call.await
    }

    async fn remove_account(
        &self,
        scope: CreditScope,
        name: &str,
        version: u32,
    ) -> Result<Changed, StoreError> {
        let name = name.to_owned();
        self.writer.call(move |db| credits::remove(db, scope, &name, version)).await
    }
}

fn price_row(row: &Row<'_>) -> rusqlite::Result<PriceRow> {
    let book: String = row.get(1)?;
    Ok(PriceRow { version: row.get(0)?, book: from_json(&book)?, created_ms: row.get(2)? })
}

fn usage_row(row: &Row<'_>) -> rusqlite::Result<UsageRow> {
    let count = |place| row.get::<_, i64>(place).map(|count| count.max(0).unsigned_abs());
    let lists: Vec<String> = from_json(&row.get::<_, String>(19)?)?;
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
        contact: row.get::<_, Option<String>>(3)?.map(Personal),
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
