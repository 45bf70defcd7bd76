//! Customers: looked at, added, changed, deleted, and imported of files.

use async_trait::async_trait;

use super::record::{odd_cursor, page, uncursor};
use super::{Office, time};
use crate::customers::{CustomerTable, LineProblem};
use crate::http::api::{
    ApiRefusal, CustomerInput, CustomerQuery, CustomerView, CustomersApi, ImportView,
    LineProblemView, ListPart, limit,
};
use crate::store::{CustomerChange, CustomerEntry, CustomerRow, Customers as _, Imported};
use crate::turn::{Customer, LanguageCode, Personal, phone_digits};

const CUSTOMER: &str = "customer of this id";
/// Most problems of a file that are told one by one.
const TOLD: usize = 1_000;
/// Longest id of a person, and longest words that are searched for, in characters.
const ID_CHARS: usize = 200;
/// Longest phone number as it is written.
const PHONE_CHARS: usize = 60;

#[async_trait]
impl CustomersApi for Office {
    async fn customers(&self, query: CustomerQuery) -> Result<ListPart<CustomerView>, ApiRefusal> {
        let limit = limit(query.limit)?;
        let before = query.cursor.as_deref().map(uncursor).transpose()?;
        let before = before.map(|row| row.parse().map_err(|_| odd_cursor())).transpose()?;
        if query.q.as_ref().is_some_and(|words| words.chars().count() > ID_CHARS) {
            let problem = format!("q must have at most {ID_CHARS} characters");
            return Err(ApiRefusal::Malformed(problem));
        }
        let words = query.q.map(|words| words.trim().to_owned()).filter(|words| !words.is_empty());
        let rows = self.store.customers(before, limit + 1, words).await?;
        Ok(page(rows, limit, |row| row.id.to_string(), customer_view))
    }

    async fn customer(&self, id: &str) -> Result<CustomerView, ApiRefusal> {
        let found = self.store.customer(row_of(id)?).await?;
        found.map(customer_view).ok_or_else(unknown)
    }

    async fn add_customer(&self, input: CustomerInput) -> Result<CustomerView, ApiRefusal> {
        let added = self.store.add_customer(entry(input)?, self.clock.now_ms()).await?;
        self.changed_customer(added).await
    }

    async fn put_customer(
        &self,
        id: &str,
        version: u32,
        input: CustomerInput,
    ) -> Result<CustomerView, ApiRefusal> {
        let (row, now_ms) = (row_of(id)?, self.clock.now_ms());
        let put = self.store.put_customer(row, version, entry(input)?, now_ms).await?;
        self.changed_customer(put).await
    }

    async fn remove_customer(&self, id: &str) -> Result<(), ApiRefusal> {
        let gone = self.store.remove_customer(row_of(id)?).await?;
        if gone { Ok(()) } else { Err(unknown()) }
    }

    async fn import_customers(&self, contents: Vec<u8>) -> Result<ImportView, ApiRefusal> {
        let read = tokio::task::spawn_blocking(move || CustomerTable::read(&contents));
        let read = read.await.map_err(|_panicked| {
            ApiRefusal::invalid("", "the file is built so that reading it fails: save it anew")
        })?;
        let CustomerTable { rows, mut left_out, mut problems } =
            read.map_err(|problem| ApiRefusal::invalid("", problem))?;
        let lines: Vec<u64> = rows.iter().map(|row| row.line).collect();
        let became = self.store.import(rows, self.clock.now_ms()).await?;
        let count = |what: Imported| became.iter().filter(|became| **became == what).count();
        for (line, became) in lines.into_iter().zip(&became) {
            if *became == Imported::OfTwo {
                left_out += 1;
                let problem = "has the phone number of one customer and the user id of another: \
                               correct the line, or delete one of the two";
                problems.push(LineProblem { line, problem: problem.to_owned() });
            }
        }
        problems.sort_by_key(|problem| problem.line);
        let more_problems = problems.len().saturating_sub(TOLD);
        problems.truncate(TOLD);
        let told = |LineProblem { line, problem }| LineProblemView { line, problem };
        Ok(ImportView {
            imported: count(Imported::Added),
            updated: count(Imported::Updated),
            unchanged: count(Imported::Unchanged),
            left_out,
            problems: problems.into_iter().map(told).collect(),
            more_problems,
        })
    }
}

impl Office {
    /// Returns what was changed, or why it was not.
    async fn changed_customer(&self, change: CustomerChange) -> Result<CustomerView, ApiRefusal> {
        match change {
            CustomerChange::Now(id, _) => self.customer(&id.to_string()).await,
            CustomerChange::Stale(now) => Err(ApiRefusal::Stale { now }),
            CustomerChange::Absent => Err(unknown()),
            CustomerChange::Taken(id) => Err(ApiRefusal::Conflict(format!(
                "customer {id} has this phone number or user id: change that one"
            ))),
        }
    }
}

fn unknown() -> ApiRefusal {
    ApiRefusal::NotFound(CUSTOMER.to_owned())
}

fn row_of(id: &str) -> Result<i64, ApiRefusal> {
    id.parse().map_err(|_odd| unknown())
}

/// Reads what is to be kept.
fn entry(input: CustomerInput) -> Result<CustomerEntry, ApiRefusal> {
    let CustomerInput { user_id, phone, name, language, fields } = input;
    let filled = |text: Option<String>| {
        text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    };
    let user_id = filled(user_id);
    if user_id.as_ref().is_some_and(|id| {
        id.chars().count() > ID_CHARS || id.chars().any(|c| c.is_control() || c.is_whitespace())
    }) {
        let problem = format!("must be one word of at most {ID_CHARS} characters");
        return Err(ApiRefusal::invalid("user_id", problem));
    }
    let digits = |phone: String| match phone.chars().count() {
        0..=PHONE_CHARS => phone_digits(&phone),
        _ => Err("is too long for a phone number"),
    };
    let phone = filled(phone).map(digits).transpose();
    let phone = phone.map_err(|problem| ApiRefusal::invalid("phone", problem))?;
    if user_id.is_none() && phone.is_none() {
        return Err(ApiRefusal::invalid(
            "phone",
            "is missing, and so is user_id: write one of them",
        ));
    }
    let language = filled(language)
        .map(|written| {
            let problem = "is no language: write a code such as de";
            LanguageCode::told(&written).ok_or_else(|| ApiRefusal::invalid("language", problem))
        })
        .transpose()?;
    let customer = Customer { name: filled(name).map(Personal), language, fields };
    if let Some((key, problem)) = customer.too_long() {
        return Err(ApiRefusal::invalid(key, problem));
    }
    Ok(CustomerEntry { user_id: user_id.map(Personal), phone: phone.map(Personal), customer })
}

pub(super) fn customer_view(row: CustomerRow) -> CustomerView {
    let CustomerEntry { user_id, phone, customer: Customer { name, language, fields } } = row.entry;
    CustomerView {
        id: row.id.to_string(),
        user_id: user_id.map(|id| id.0),
        phone: phone.map(|phone| phone.0),
        name: name.map(|name| name.0),
        language: language.map(|language| language.to_string()),
        fields,
        source: row.source,
        version: row.version,
        created_at: time(row.created_ms),
        updated_at: time(row.updated_ms),
        expires_at: row.expires_ms.map(time),
    }
}
