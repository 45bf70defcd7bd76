//! Credits on the `credits` and `reservations` tables.
//!
//! Turns run side by side and their writes one after the other: what a turn may spend is reserved in
//! the transaction that begins it, and spent or given back in the one that ends it. Invariant: what
//! is spent and what is reserved is never more than there was.

use super::db::{Db, DbResult, DbRow, OptionalRow as _, params};

use crate::store::rules::is_charged;
use crate::store::{
    AccountChange, AccountRow, BalanceChange, Changed, Credit, CreditWarning, Draft, StoreError,
    WarningChange,
};
use crate::turn::TurnId;
use crate::usage::CreditScope;

/// Whether a turn has reserved its credits, or has spent them before it was opened again.
const PAID: &str = "
    SELECT EXISTS (SELECT 1 FROM reservations WHERE turn = ?1)
        OR EXISTS (SELECT 1 FROM usage WHERE turn = ?1 AND credits > 0)";

/// The accounts of a turn, always in one order.
const ACCOUNTS: &str = "
    SELECT balance FROM credits WHERE scope = 'number' AND name = ?1 OR scope = 'agent' AND name = ?2
    ORDER BY scope, name";

/// What may be spent of the accounts of a turn.
const FREE: &str = "
    SELECT (SELECT balance - reserved FROM credits WHERE scope = 'number' AND name = ?1),
           (SELECT balance - reserved FROM credits WHERE scope = 'agent' AND name = ?2)";

/// Spends of the accounts that had reserved it.
const SPEND: &str = "
    UPDATE credits SET balance = balance - ?3, spent = spent + ?3
    WHERE scope = ?1 AND name = ?2";

const WARN: &str = "
    UPDATE credits SET warned_ms = ?3
    WHERE scope = ?1 AND name = ?2 AND balance < warn_below AND warned_ms IS NULL
    RETURNING balance, warn_below";

/// Reserves what a turn may cost, once in all its attempts. `amount` of 0 costs nothing.
pub(super) fn reserve(
    db: &Db<'_>,
    turn: &TurnId,
    (number, agent): (&str, &str),
    amount: u32,
    now_ms: i64,
) -> Result<Credit, StoreError> {
    if amount == 0 {
        return Ok(Credit::Granted);
    }
    db.keep_rows(ACCOUNTS, &[&number, &agent])?;
    let (of_number, of_agent): (Option<i64>, Option<i64>) = db
        .prepare_cached(FREE)?
        .query_row([number, agent], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if of_number.is_none() && of_agent.is_none() {
        return Ok(Credit::Granted);
    }
    if db.prepare_cached(PAID)?.query_row([&turn.0], |row| row.get(0))? {
        return Ok(Credit::Granted);
    }
    for (scope, free) in [(CreditScope::Number, of_number), (CreditScope::Agent, of_agent)] {
        if free.is_some_and(|free| free < i64::from(amount)) {
            return Ok(Credit::Refused(scope));
        }
    }
    db.prepare_cached(
        "INSERT INTO reservations (turn, number, agent, amount, made_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        turn.0,
        of_number.map(|_| number),
        of_agent.map(|_| agent),
        amount,
        now_ms
    ])?;
    Ok(Credit::Granted)
}

/// Spends what a turn has reserved, or gives it back where the turn did not answer. Returns what was
/// spent, and whose credits are running out now.
pub(super) fn settle(
    db: &Db<'_>,
    turn: &TurnId,
    ended: &Draft,
    now_ms: i64,
) -> Result<(i64, Vec<CreditWarning>), StoreError> {
    let reserved: Option<(Option<String>, Option<String>, i64)> = db
        .prepare_cached("DELETE FROM reservations WHERE turn = ?1 RETURNING number, agent, amount")?
        .query_row([&turn.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((number, agent, amount)) = reserved.filter(|_| is_charged(ended)) else {
        return Ok((0, Vec::new()));
    };
    let accounts = [(CreditScope::Number, number), (CreditScope::Agent, agent)];
    let (mut spent, mut warnings) = (0, Vec::new());
    for (scope, name) in accounts {
        let Some(name) = name else { continue };
        db.prepare_cached(SPEND)?.execute(params![scope.name(), name, amount])?;
        spent = amount;
        warnings.extend(credit_warning(db, scope, name, now_ms)?);
    }
    Ok((spent, warnings))
}

/// Notes that an account has fallen below its warning, once, in the transaction in which it does: what
/// else is to be true with it, such as an event, is written here. `None` if it has not, or is known to.
fn credit_warning(
    db: &Db<'_>,
    scope: CreditScope,
    name: String,
    now_ms: i64,
) -> Result<Option<CreditWarning>, StoreError> {
    let low: Option<(i64, i64)> = db
        .prepare_cached(WARN)?
        .query_row(params![scope.name(), name, now_ms], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(low.map(|(balance, warn_below)| CreditWarning { scope, name, balance, warn_below }))
}

/// Returns all accounts.
pub(super) fn accounts(db: &Db<'_>) -> Result<Vec<AccountRow>, StoreError> {
    let mut rows = db.prepare_cached(
        "SELECT scope, name, balance, reserved, spent, warn_below, warned_ms, version, created_ms,
             changed_ms
         FROM credits ORDER BY scope DESC, name",
    )?;
    Ok(rows.query_map(params![], account)?.collect::<Result<_, _>>()?)
}

fn account(row: &DbRow<'_>) -> DbResult<AccountRow> {
    let scope: String = row.get(0)?;
    let scope = if scope == "number" { CreditScope::Number } else { CreditScope::Agent };
    Ok(AccountRow {
        scope,
        name: row.get(1)?,
        balance: row.get(2)?,
        reserved: row.get(3)?,
        spent: row.get(4)?,
        warn_below: row.get(5)?,
        warned_ms: row.get(6)?,
        version: row.get(7)?,
        created_ms: row.get(8)?,
        changed_ms: row.get(9)?,
    })
}

/// Changes an account or makes one.
pub(super) fn change(
    db: &Db<'_>,
    (scope, name): (CreditScope, &str),
    change: AccountChange,
    version: u32,
    now_ms: i64,
) -> Result<Changed, StoreError> {
    let there = version_of(db, scope, name)?;
    if there.unwrap_or(0) != version {
        return Ok(there.map_or(Changed::Absent, Changed::Stale));
    }
    if there.is_none() {
        db.prepare_cached(
            "INSERT INTO credits (scope, name, balance, reserved, spent, version, created_ms, changed_ms)
             VALUES (?1, ?2, 0, 0, 0, 0, ?3, ?3)",
        )?
        .execute(params![scope.name(), name, now_ms])?;
    }
    let (keeps, by) = match change.balance {
        BalanceChange::Keep => (true, 0),
        BalanceChange::Add(by) => (true, by),
        BalanceChange::Set(to) => (false, to),
    };
    let (warns, below) = match change.warning {
        WarningChange::Keep => (false, None),
        WarningChange::Set(below) => (true, below),
    };
    db.prepare_cached(
        "UPDATE credits SET balance = CASE WHEN ?3 THEN balance ELSE 0 END + ?4,
             warn_below = CASE WHEN ?5 THEN ?6 ELSE warn_below END, version = version + 1, changed_ms = ?7
         WHERE scope = ?1 AND name = ?2",
    )?
    .execute(params![scope.name(), name, keeps, by, warns, below, now_ms])?;
    // With enough again, the next time is told again.
    db.prepare_cached(
        "UPDATE credits SET warned_ms = NULL
         WHERE scope = ?1 AND name = ?2 AND (warn_below IS NULL OR balance >= warn_below)",
    )?
    .execute([scope.name(), name])?;
    Ok(Changed::Now(version + 1))
}

/// Removes an account.
pub(super) fn remove(
    db: &Db<'_>,
    scope: CreditScope,
    name: &str,
    version: u32,
) -> Result<Changed, StoreError> {
    match version_of(db, scope, name)? {
        None => Ok(Changed::Absent),
        Some(there) if there != version => Ok(Changed::Stale(there)),
        Some(_) => {
            db.prepare_cached("DELETE FROM credits WHERE scope = ?1 AND name = ?2")?
                .execute([scope.name(), name])?;
            Ok(Changed::Now(version))
        }
    }
}

fn version_of(db: &Db<'_>, scope: CreditScope, name: &str) -> Result<Option<u32>, StoreError> {
    let version = db
        .prepare_cached("SELECT version FROM credits WHERE scope = ?1 AND name = ?2")?
        .query_row([scope.name(), name], |row| row.get(0))
        .optional()?;
    Ok(version)
}
