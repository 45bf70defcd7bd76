//! The books: sums of what was spent, prices and credits, as the API shows them.

use async_trait::async_trait;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, Zoned};

use super::record::{odd_cursor, uncursor};
use super::{Office, changed, time};
use crate::http::api::{
    AccountView, ApiRefusal, BooksApi, CreditInput, FieldProblem, ListPart, PriceVersionView,
    PriceView, UsageQuery, UsageView, limit,
};
use crate::store::{
    AccountChange, AccountRow, BalanceChange, Books as _, PriceRow, UsageDay, UsageKey, UsageRow,
    UsageSearch, WarningChange,
};
use crate::usage::{Certainty, CreditScope, PriceBook, amount};

/// Days that are summed where nobody says how many, today included.
const USUAL_DAYS: i32 = 30;
/// Most days that sums may be made by: three years.
const MOST_DAYS: usize = 1_100;
/// Most rows of a table.
const MOST_ROWS: usize = 100_000;
/// Most credits that are set or added at a time.
const MOST_CREDITS: i64 = 1_000_000_000;
/// Most versions of the prices: beyond it somebody's program goes round in circles.
const MOST_VERSIONS: usize = 10_000;

#[async_trait]
impl BooksApi for Office {
    async fn usage(&self, query: UsageQuery) -> Result<ListPart<UsageView>, ApiRefusal> {
        let limit = limit(query.limit)?;
        let offset: Option<String> = query.cursor.as_deref().map(uncursor).transpose()?;
        let offset = offset.map_or(Ok(0), |offset| offset.parse().map_err(|_| odd_cursor()))?;
        // One more tells whether the list goes on.
        let search = UsageSearch { limit: limit + 1, offset, ..self.search(query)? };
        let mut sums = self.store.usage(search).await?;
        let goes_on = sums.len() > limit;
        sums.truncate(limit);
        let next = goes_on.then(|| BASE64_URL_SAFE_NO_PAD.encode((offset + limit).to_string()));
        Ok(ListPart { items: sums.into_iter().map(view).collect(), next })
    }

    async fn whole_usage(&self, query: UsageQuery) -> Result<Vec<UsageView>, ApiRefusal> {
        let search = UsageSearch { limit: MOST_ROWS + 1, ..self.search(query)? };
        let sums = self.store.usage(search).await?;
        if sums.len() > MOST_ROWS {
            let problem =
                format!("there are more than {MOST_ROWS} rows: ask for less time, or by less");
            return Err(ApiRefusal::Malformed(problem));
        }
        Ok(sums.into_iter().map(view).collect())
    }

    async fn price_versions(&self) -> Result<Vec<PriceVersionView>, ApiRefusal> {
        let rows = self.store.prices().await?.into_iter().enumerate();
        let view = |(place, row): (usize, PriceRow)| PriceVersionView {
            version: row.version,
            in_use: place == 0,
            currency: row.book.currency.code().to_owned(),
            note: row.book.note,
            created_at: time(row.created_ms),
        };
        Ok(rows.map(view).collect())
    }

    async fn price_version(&self, version: Option<u32>) -> Result<PriceView, ApiRefusal> {
        let rows = self.store.prices().await?.into_iter().enumerate();
        let mut wanted = rows.filter(|(_, row)| version.is_none_or(|wanted| wanted == row.version));
        let (place, row) = wanted.next().ok_or_else(|| {
            ApiRefusal::NotFound(match version {
                Some(_) => "such version of the prices".to_owned(),
                None => "version of the prices yet: add one with POST /api/v1/prices".to_owned(),
            })
        })?;
        Ok(price_view(row, place == 0))
    }

    async fn add_price_version(&self, book: PriceBook) -> Result<PriceView, ApiRefusal> {
        let wrong = book.check();
        if !wrong.is_empty() {
            let field = |(key, problem)| FieldProblem { key, problem };
            return Err(ApiRefusal::Invalid(wrong.into_iter().map(field).collect()));
        }
        if self.store.prices().await?.len() >= MOST_VERSIONS {
            let problem = format!("there are {MOST_VERSIONS} versions of the prices already");
            return Err(ApiRefusal::Conflict(problem));
        }
        let created_ms = self.clock.now_ms();
        let version = self.store.add_prices(book.clone(), created_ms).await?;
        Ok(price_view(PriceRow { version, book, created_ms }, true))
    }

    async fn accounts(&self) -> Result<Vec<AccountView>, ApiRefusal> {
        Ok(self.store.accounts().await?.into_iter().map(account_view).collect())
    }

    async fn account(&self, scope: CreditScope, name: &str) -> Result<AccountView, ApiRefusal> {
        let all = self.accounts().await?;
        let found = all.into_iter().find(|account| account.scope == scope && account.name == name);
        found.ok_or_else(|| ApiRefusal::NotFound(account_of(scope)))
    }

    async fn put_account(
        &self,
        scope: CreditScope,
        name: &str,
        version: u32,
        input: CreditInput,
    ) -> Result<AccountView, ApiRefusal> {
        let change = change_of(input)?;
        if version == 0 {
            self.refuse_nobody(scope, name).await?;
        }
        let now_ms = self.clock.now_ms();
        let done = self.store.change_account(scope, name, change, version, now_ms).await?;
        changed(&account_of(scope), done)?;
        self.account(scope, name).await
    }

    async fn remove_account(
        &self,
        scope: CreditScope,
        name: &str,
        version: u32,
    ) -> Result<(), ApiRefusal> {
        let removed = self.store.remove_account(scope, name, version).await?;
        changed(&account_of(scope), removed).map(|_version| ())
    }
}

impl Office {
    /// Refuses an account of a number or an agent that does not exist: it would limit nothing.
    async fn refuse_nobody(&self, scope: CreditScope, name: &str) -> Result<(), ApiRefusal> {
        let (config, stored) = (self.config().await, self.stored().await?);
        let joined = config.with_stored(stored.numbers, stored.agents);
        let names: Vec<String> = match scope {
            CreditScope::Number => {
                joined.numbers.iter().map(|number| number.phone_number_id.0.clone()).collect()
            }
            CreditScope::Agent => joined.agents.iter().map(|agent| agent.name.clone()).collect(),
        };
        if names.iter().any(|known| known == name) {
            return Ok(());
        }
        let (scope, names) = (scope.name(), names.join(", "));
        Err(ApiRefusal::NotFound(format!("such {scope}; {scope}s are: {names}")))
    }

    /// Reads what is asked for.
    fn search(&self, query: UsageQuery) -> Result<UsageSearch, ApiRefusal> {
        let by = keys(query.by.as_deref().unwrap_or("day"))?;
        let zone = query.zone.as_deref().unwrap_or("UTC");
        let zone = TimeZone::get(zone).map_err(|_unknown| {
            ApiRefusal::Malformed("zone must be a time zone such as America/Sao_Paulo".to_owned())
        })?;
        let now = Timestamp::from_millisecond(self.clock.now_ms()).unwrap_or_default();
        let today = now.to_zoned(zone.clone()).date();
        let until = query.to.as_deref().map_or(Ok(Bound::Day(today)), |to| bound("to", to))?;
        let until = until.end(&zone).ok_or_else(|| out_of_time("to"))?;
        let from = if let Some(from) = query.from.as_deref() {
            bound("from", from)?
        } else {
            let last = until.timestamp().checked_sub(1.millisecond());
            let last = last.map_err(|_early| out_of_time("to"))?.to_zoned(zone.clone()).date();
            Bound::Day(last.saturating_sub((USUAL_DAYS - 1).days()))
        };
        let from = from.start(&zone).ok_or_else(|| out_of_time("from"))?;
        if from >= until {
            return Err(ApiRefusal::Malformed("to must be after from".to_owned()));
        }
        let days = if by.contains(&UsageKey::Day) {
            days(&from, &until)?
        } else {
            vec![piece(String::new(), &from, &until)]
        };
        let UsageQuery { number, agent, contact, .. } = query;
        Ok(UsageSearch { days, by, number, agent, contact, limit: 0, offset: 0 })
    }
}

/// Says where a stretch of time begins or ends.
enum Bound {
    Day(Date),
    Instant(Timestamp),
}

impl Bound {
    fn start(self, zone: &TimeZone) -> Option<Zoned> {
        match self {
            Self::Day(date) => date.to_zoned(zone.clone()).ok(),
            Self::Instant(instant) => Some(instant.to_zoned(zone.clone())),
        }
    }

    /// Returns the end: of a day, the beginning of the next.
    fn end(self, zone: &TimeZone) -> Option<Zoned> {
        match self {
            Self::Day(date) => Self::Day(date.tomorrow().ok()?).start(zone),
            instant @ Self::Instant(_) => instant.start(zone),
        }
    }
}

fn bound(key: &str, text: &str) -> Result<Bound, ApiRefusal> {
    // A time has a day in it, so that it is tried first.
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(Bound::Instant(instant));
    }
    let is_day = text.len() == "2026-11-01".len();
    let day = is_day.then(|| text.parse::<Date>().ok()).flatten();
    day.map(Bound::Day).ok_or_else(|| {
        let problem = format!(
            "{key} must be a day such as 2026-11-01, or a time such as 2026-11-27T10:00:00Z"
        );
        ApiRefusal::Malformed(problem)
    })
}

fn out_of_time(key: &str) -> ApiRefusal {
    ApiRefusal::Malformed(format!("{key} is out of time"))
}

/// Cuts a stretch of time into days of its zone, each with its date.
fn days(from: &Zoned, until: &Zoned) -> Result<Vec<UsageDay>, ApiRefusal> {
    let (mut days, mut begins) = (Vec::new(), from.clone());
    while &begins < until {
        if days.len() == MOST_DAYS {
            let problem = format!("from and to are more than {MOST_DAYS} days apart: ask for less");
            return Err(ApiRefusal::Malformed(problem));
        }
        let next =
            Bound::Day(begins.date()).end(from.time_zone()).ok_or_else(|| out_of_time("to"))?;
        let ends = if &next < until { next } else { until.clone() };
        days.push(piece(begins.date().to_string(), &begins, &ends));
        begins = ends;
    }
    Ok(days)
}

fn piece(name: String, from: &Zoned, until: &Zoned) -> UsageDay {
    let ms = |at: &Zoned| at.timestamp().as_millisecond();
    UsageDay { name, from_ms: ms(from), until_ms: ms(until) }
}

/// Reads what sums are made by.
fn keys(text: &str) -> Result<Vec<UsageKey>, ApiRefusal> {
    let mut keys = Vec::new();
    for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        let key = match word {
            "day" => UsageKey::Day,
            "number" => UsageKey::Number,
            "agent" => UsageKey::Agent,
            "contact" => UsageKey::Contact,
            _ => {
                let problem = "by must name some of day, number, agent and contact";
                return Err(ApiRefusal::Malformed(problem.to_owned()));
            }
        };
        if keys.contains(&key) {
            return Err(ApiRefusal::Malformed(format!("by names {word} twice")));
        }
        keys.push(key);
    }
    Ok(keys)
}

/// Checks what is to become of an account.
fn change_of(input: CreditInput) -> Result<AccountChange, ApiRefusal> {
    let balance = match (input.balance, input.add) {
        (Some(_), Some(_)) => {
            return Err(ApiRefusal::invalid("add", "balance is set too: leave one of them out"));
        }
        (Some(balance), None) if !(0..=MOST_CREDITS).contains(&balance) => {
            return Err(ApiRefusal::invalid(
                "balance",
                format!("must be from 0 to {MOST_CREDITS}"),
            ));
        }
        (None, Some(add)) if !(-MOST_CREDITS..=MOST_CREDITS).contains(&add) => {
            let problem = format!("must be from -{MOST_CREDITS} to {MOST_CREDITS}");
            return Err(ApiRefusal::invalid("add", problem));
        }
        (Some(balance), None) => BalanceChange::Set(balance),
        (None, Some(add)) => BalanceChange::Add(add),
        (None, None) if input.warn_below.is_none() => {
            let problem = "changes nothing: write balance, add or warn_below";
            return Err(ApiRefusal::invalid("", problem));
        }
        (None, None) => BalanceChange::Keep,
    };
    if let Some(Some(below)) = input.warn_below
        && !(0..=MOST_CREDITS).contains(&below)
    {
        return Err(ApiRefusal::invalid("warn_below", format!("must be from 0 to {MOST_CREDITS}")));
    }
    let warning = input.warn_below.map_or(WarningChange::Keep, WarningChange::Set);
    Ok(AccountChange { balance, warning })
}

fn account_of(scope: CreditScope) -> String {
    match scope {
        CreditScope::Number => "account of this number: it answers without limit".to_owned(),
        CreditScope::Agent => "account of this agent: it answers without limit".to_owned(),
    }
}

fn price_view(row: PriceRow, in_use: bool) -> PriceView {
    let PriceRow { version, book, created_ms } = row;
    PriceView { version, in_use, created_at: time(created_ms), prices: book }
}

fn account_view(row: AccountRow) -> AccountView {
    AccountView {
        scope: row.scope,
        name: row.name,
        balance: row.balance,
        reserved: row.reserved,
        available: row.balance - row.reserved,
        spent: row.spent,
        warn_below: row.warn_below,
        warned_at: row.warned_ms.map(time),
        version: row.version,
        created_at: time(row.created_ms),
        changed_at: time(row.changed_ms),
    }
}

fn view(row: UsageRow) -> UsageView {
    let certainty = match (row.unknown, row.estimated) {
        (0, 0) => Certainty::Exact,
        (0, _) => Certainty::Estimated,
        _ => Certainty::Unknown,
    };
    let cost = row.currency.is_some().then(|| amount(row.cost_micros));
    #[expect(clippy::cast_precision_loss, reason = "centuries are below 2^52 ms")]
    let seconds = |ms: u64| ms as f64 / 1000.0;
    UsageView {
        day: row.day,
        number: row.number,
        agent: row.agent,
        contact: row.contact.map(|contact| contact.0),
        turns: row.turns,
        heard_s: seconds(row.used.heard_ms),
        prompt_tokens: row.used.prompt_tokens,
        cached_tokens: row.used.cached_tokens,
        completion_tokens: row.used.completion_tokens,
        spoken_chars: row.used.spoken_chars,
        spoken_s: seconds(row.used.spoken_ms),
        messages: row.used.messages,
        tool_calls: row.used.tool_calls,
        credits: row.credits,
        currency: row.currency,
        cost,
        certainty,
        estimated: row.estimated,
        unknown: row.unknown,
        unpriced: row.unpriced,
    }
}
