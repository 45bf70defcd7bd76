//! `hark contacts`: whom the business knows, from a terminal.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use super::office::{list, open, said};
use super::{Context, print};
use crate::app::Office;
use crate::http::api::{CustomerQuery, CustomerView, CustomersApi as _, ImportView};
use crate::knowledge::MAX_BYTES;
use crate::remote::words::plain;
use crate::turn::phone_digits;

/// Customers that are asked of the store at a time.
const PAGE: u32 = 500;

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: ContactsCommand,
    /// Print JSON lines.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(clap::Subcommand)]
enum ContactsCommand {
    /// Join a CSV file of customers to what is known. Exits 1 if a row could not be taken.
    Import {
        /// The first row names the columns: phone or `user_id`, then name, language and any others; `-`
        /// is stdin.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// List customers, newest first.
    List {
        /// Those with these words, or digits of a phone number, in what is known of them.
        #[arg(long, value_name = "WORDS")]
        q: Option<String>,
        /// At most so many [default: all].
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
    },
    /// Show what is known of a customer.
    Show {
        /// Phone number, user id, or the id that the list has.
        #[arg(value_name = "WHO")]
        who: String,
    },
}

pub(super) async fn run(context: Context, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let (office, json) = (open(&context)?, arguments.json);
    match arguments.command {
        ContactsCommand::Import { file } => {
            let name = file.display();
            let contents = read(&file)?;
            let imported = office.import_customers(contents).await;
            let imported = imported.map_err(said).with_context(|| name.to_string())?;
            return told(&imported, json);
        }
        ContactsCommand::List { q, limit } => {
            let all = find(&office, q, limit.unwrap_or(usize::MAX)).await?;
            if all.is_empty() {
                eprintln!("there are none: hark contacts import FILE");
            }
            list(&all, json, line)?;
        }
        ContactsCommand::Show { who } => list(&[show(&office, &who).await?], json, whole)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads a file up to the largest that is imported, or stdin for `-`.
fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    let mut contents = Vec::new();
    let most = MAX_BYTES as u64 + 1;
    if file == Path::new("-") {
        std::io::stdin().take(most).read_to_end(&mut contents).context("reading stdin")?;
    } else {
        let opened = std::fs::File::open(file).with_context(|| file.display().to_string())?;
        opened.take(most).read_to_end(&mut contents).with_context(|| file.display().to_string())?;
    }
    if contents.len() > MAX_BYTES {
        bail!("{}: larger than {} MiB: cut it in two", file.display(), MAX_BYTES >> 20);
    }
    Ok(contents)
}

/// Prints what became of a file.
fn told(imported: &ImportView, json: bool) -> anyhow::Result<ExitCode> {
    for problem in &imported.problems {
        eprintln!("line {}: {}", problem.line, plain(&problem.problem));
    }
    if imported.more_problems > 0 {
        eprintln!("and {} more problems", imported.more_problems);
    }
    if json {
        print::json(imported)?;
    } else {
        let ImportView { imported, updated, unchanged, left_out, .. } = imported;
        print::line(&format!(
            "imported {imported}, updated {updated}, unchanged {unchanged}, left out {left_out}"
        ))?;
    }
    Ok(if imported.left_out > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Finds customers by words.
async fn find(
    office: &Office,
    q: Option<String>,
    most: usize,
) -> anyhow::Result<Vec<CustomerView>> {
    let (mut all, mut cursor) = (Vec::new(), None);
    while all.len() < most {
        let query = CustomerQuery { q: q.clone(), limit: Some(PAGE), cursor };
        let part = office.customers(query).await.map_err(said)?;
        all.extend(part.items);
        let Some(next) = part.next else { break };
        cursor = Some(next);
    }
    all.truncate(most);
    Ok(all)
}

/// Finds one customer by a phone number or an id.
async fn show(office: &Office, who: &str) -> anyhow::Result<CustomerView> {
    let phone = phone_digits(who).ok();
    for found in find(office, Some(who.to_owned()), usize::MAX).await? {
        let is = |id: &Option<String>, other: Option<&str>| id.is_some() && id.as_deref() == other;
        if is(&found.phone, phone.as_deref()) || is(&found.user_id, Some(who)) {
            return Ok(found);
        }
    }
    match office.customer(who).await {
        Ok(found) => Ok(found),
        Err(_unknown) => bail!("nothing is known of {who}: hark contacts list --q NAME"),
    }
}

fn line(customer: &CustomerView) -> String {
    let CustomerView { id, user_id, phone, name, language, source, .. } = customer;
    let who = phone.as_ref().map(|phone| format!("+{phone}")).or(user_id.clone());
    let language = language.as_ref().map(|language| format!("  {language}")).unwrap_or_default();
    let name = name.as_deref().unwrap_or("-");
    plain(&format!("{id}  {}  {name}{language}  ({})", who.unwrap_or_default(), source.name()))
}

fn whole(customer: &CustomerView) -> String {
    let mut lines = vec![line(customer)];
    lines.extend(customer.user_id.as_ref().map(|id| format!("  user id   {}", plain(id))));
    for (name, value) in customer.fields.iter() {
        lines.push(format!("  {}: {}", plain(name), plain(value.reveal())));
    }
    let until = customer.expires_at.as_ref().map(|at| format!(", holds until {at}"));
    lines.push(format!("  changed {}{}", customer.updated_at, until.unwrap_or_default()));
    lines.join("\n")
}
