//! What was spent, written into the `usage` table at the prices of that moment.
//!
//! Called within the transaction that closes a turn, so that a turn has one row if it has ended, and
//! never two. Invariant: a row keeps the version of the prices that it was first priced by.

use std::sync::{Arc, Mutex, PoisonError};

use super::db::{Db, OptionalRow as _, params};

use super::json::{from_json, to_json};
use crate::store::{Draft, StoreError};
use crate::turn::{PhoneNumberId, Spent, TurnId};
use crate::usage::{Certainty, Cost, PriceBook, Quantities};

/// Adds a row, or writes again what a turn used that was opened again and has ended anew.
const KEEP: &str = "
    INSERT INTO usage (turn, kind, number, agent, contact_id, at_ms, heard_ms, prompt_tokens,
        cached_tokens, completion_tokens, spoken_chars, spoken_ms, messages, tool_calls, credits,
        prices, currency, cost, certainty, unpriced)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)
    ON CONFLICT (turn) DO UPDATE SET agent = excluded.agent, contact_id = excluded.contact_id,
        heard_ms = excluded.heard_ms, prompt_tokens = excluded.prompt_tokens,
        cached_tokens = excluded.cached_tokens, completion_tokens = excluded.completion_tokens,
        spoken_chars = excluded.spoken_chars, spoken_ms = excluded.spoken_ms,
        messages = excluded.messages, tool_calls = excluded.tool_calls,
        credits = usage.credits + excluded.credits, prices = excluded.prices, currency = excluded.currency,
        cost = excluded.cost, certainty = excluded.certainty, unpriced = excluded.unpriced";

/// What the record knows of a turn: whose it is, how many of its messages were taken, and how many
/// of those nobody has confirmed; and by which prices it was priced before, if it was.
const TURN: &str = "
    SELECT t.number, t.agent, t.contact_id,
           (SELECT count(*) FROM parts p WHERE p.turn = t.id AND p.state = 'sent'),
           (SELECT count(*) FROM parts p WHERE p.turn = t.id AND p.state = 'sent'
                AND p.provider_id IS NULL),
           u.turn IS NOT NULL, u.prices
    FROM turns t LEFT JOIN usage u ON u.turn = t.id WHERE t.id = ?1";

/// Remembers the last version of the prices that was read: a version never changes.
#[derive(Clone, Default)]
pub(super) struct BookCache(Arc<Mutex<Option<KnownBook>>>);

/// A version and its prices.
type KnownBook = (u32, Arc<PriceBook>);

impl BookCache {
    /// Returns the prices of a version, by default of the latest; `None` if there are none.
    fn book(&self, db: &Db<'_>, version: Option<u32>) -> Result<Option<KnownBook>, StoreError> {
        let version = match version {
            Some(version) => Some(version),
            None => db
                .prepare_cached("SELECT max(version) FROM prices")?
                .query_row(params![], |row| row.get(0))?,
        };
        let Some(version) = version else { return Ok(None) };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, book)) = known.as_ref().filter(|(known, _)| *known == version) {
            return Ok(Some((*known, Arc::clone(book))));
        }
        let json: Option<String> = db
            .prepare_cached("SELECT book FROM prices WHERE version = ?1")?
            .query_row([version], |row| row.get(0))
            .optional()?;
        let Some(json) = json else { return Ok(None) };
        let book = Arc::new(from_json(&json)?);
        *known = Some((version, Arc::clone(&book)));
        Ok(Some((version, book)))
    }
}

/// Whose row it is.
struct Owner {
    turn: String,
    kind: &'static str,
    number: String,
    agent: String,
    contact_id: Option<i64>,
}

/// Writes down what a turn used that has ended; `credits` were spent on it now.
pub(super) fn turn(
    db: &Db<'_>,
    books: &BookCache,
    turn: &TurnId,
    ended: &Draft,
    credits: i64,
    now_ms: i64,
) -> Result<(), StoreError> {
    let (owner, messages, unsure, again, prices) =
        db.prepare_cached(TURN)?.query_row([&turn.0], |row| {
            let (turn, kind) = (turn.0.clone(), "turn");
            let (number, agent, contact_id) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let owner = Owner { turn, kind, number, agent, contact_id };
            let (messages, unsure): (i64, i64) = (row.get(3)?, row.get(4)?);
            Ok((owner, messages, unsure, row.get(5)?, row.get::<Option<u32>>(6)?))
        })?;
    let spent = &ended.report.spent;
    let used = Quantities::of(spent, messages.unsigned_abs());
    // One that was priced by nothing stays so: the prices of later are not its own.
    let book = if again && prices.is_none() { None } else { books.book(db, prices)? };
    let priced = book.map(|(version, book)| (version, book.cost(&used, spent, unsure > 0)));
    keep(db, &owner, &used, priced, credits, now_ms)
}

/// Writes down what notes on a conversation cost; its person may be forgotten by now.
pub(super) fn notes(
    db: &Db<'_>,
    books: &BookCache,
    (number, agent, contact_id): (&PhoneNumberId, &str, Option<i64>),
    spent: &Spent,
    now_ms: i64,
) -> Result<(), StoreError> {
    let turn = format!("{:032x}", fastrand::u128(..));
    let owner = Owner {
        turn,
        kind: "notes",
        number: number.0.clone(),
        agent: agent.to_owned(),
        contact_id,
    };
    let used = Quantities::of(spent, 0);
    let book = books.book(db, None)?;
    let priced = book.map(|(version, book)| (version, book.cost(&used, spent, false)));
    keep(db, &owner, &used, priced, 0, now_ms)
}

fn keep(
    db: &Db<'_>,
    owner: &Owner,
    used: &Quantities,
    priced: Option<(u32, Cost)>,
    credits: i64,
    now_ms: i64,
) -> Result<(), StoreError> {
    let (prices, cost) = priced.unzip();
    let unpriced = cost.as_ref().map(|cost| &cost.unpriced).filter(|list| !list.is_empty());
    let unpriced = unpriced.map(to_json).transpose()?;
    let certainty = cost.as_ref().map_or(Certainty::Unknown, |cost| cost.certainty);
    db.prepare_cached(KEEP)?.execute(params![
        owner.turn,
        owner.kind,
        owner.number,
        owner.agent,
        owner.contact_id,
        now_ms,
        whole(used.heard_ms),
        whole(used.prompt_tokens),
        whole(used.cached_tokens),
        whole(used.completion_tokens),
        whole(used.spoken_chars),
        whole(used.spoken_ms),
        whole(used.messages),
        whole(used.tool_calls),
        credits,
        prices,
        cost.as_ref().map(|cost| cost.currency.code()),
        cost.as_ref().map(|cost| whole(cost.micros)),
        certainty.name(),
        unpriced
    ])?;
    Ok(())
}

/// Returns a count as SQL has it.
fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
