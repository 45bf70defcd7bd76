//! `hark contacts`: whom the business knows, from a terminal.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use futures_util::TryStreamExt as _;

use super::office::{list, open, said};
use super::{Context, print};
use crate::app::Office;
use crate::http::api::{
    ApiRefusal, CustomerQuery, CustomerView, CustomersApi as _, ImportView, RecordApi as _,
};
use crate::knowledge::MAX_BYTES;
use crate::remote::words::plain;
use crate::turn::{SoundSide, phone_digits};

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
    /// Print all that is known of a person who wrote, as JSON: messages, turns, conversations, tickets,
    /// events.
    Export {
        /// Phone number, user id, or the id that the API shows.
        #[arg(value_name = "WHO")]
        who: String,
        /// Write the sound that is kept of them into this folder, too.
        #[arg(long, value_name = "FOLDER")]
        sound: Option<PathBuf>,
    },
    /// Delete all that is known of a person, sound and events included. It cannot be undone.
    Forget {
        /// Phone number, user id, or the id that the API shows.
        #[arg(value_name = "WHO")]
        who: String,
        /// Do it.
        #[arg(long)]
        yes: bool,
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
        ContactsCommand::Export { who, sound } => export(&office, &who, sound.as_deref()).await?,
        ContactsCommand::Forget { who, yes } => return forget(&office, &who, yes, json).await,
        ContactsCommand::Show { who } => list(&[show(&office, &who).await?], json, whole)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints all that is known of a person.
async fn export(office: &Office, who: &str, sound: Option<&Path>) -> anyhow::Result<()> {
    let contacts = office.contacts_of(who).await.map_err(said)?;
    if contacts.is_empty() {
        bail!("nobody of this number or id has written: hark contacts show WHO has a customer");
    }
    for contact in contacts {
        let export = office.export(&contact).await.map_err(said)?;
        if let Some(folder) = sound {
            for turn in &export.turns {
                write_sound(office, &turn.id, folder).await?;
            }
        }
        print::json(&export)?;
    }
    Ok(())
}

/// Writes the sound of a turn, if there is any, into a folder.
async fn write_sound(office: &Office, turn: &str, folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    for side in [SoundSide::In, SoundSide::Out] {
        let file = match office.find_audio(turn, side).await {
            Err(ApiRefusal::NotFound(_)) => continue,
            found => found.map_err(said)?,
        };
        let sound = office.read_audio(&file, 0..file.bytes).await.map_err(said)?;
        let sound: Vec<_> = sound.try_collect().await.context("reading the sound")?;
        // The name of its key ends as its file did.
        let ending = Path::new(&file.key).extension().unwrap_or_default().to_string_lossy();
        let path = folder.join(format!("{turn}-{}.{ending}", side.name()));
        std::fs::write(&path, sound.concat()).with_context(|| path.display().to_string())?;
        eprintln!("{}", path.display());
    }
    Ok(())
}

/// Deletes all that is known of a person.
async fn forget(office: &Office, who: &str, yes: bool, json: bool) -> anyhow::Result<ExitCode> {
    let contacts = office.contacts_of(who).await.map_err(said)?;
    let customer = show(office, who).await.ok();
    if contacts.is_empty() && customer.is_none() {
        bail!("nothing is known of {}", plain(who));
    }
    let customers = usize::from(customer.is_some());
    if !yes {
        eprintln!(
            "this deletes {} and {customers} of your customers for good: say --yes. `hark contacts \
             export` prints it before",
            of_contacts(contacts.len())
        );
        return Ok(ExitCode::FAILURE);
    }
    for contact in &contacts {
        office.forget(contact).await.map_err(said)?;
    }
    // What the business knew went with a contact; of somebody who never wrote it is here yet.
    if let Ok(customer) = show(office, who).await {
        office.remove_customer(&customer.id).await.map_err(said)?;
    }
    if json {
        print::json(&serde_json::json!({ "contacts": contacts.len(), "customers": customers }))?;
    } else {
        print::line(&format!(
            "forgot {} and {customers} of your customers",
            of_contacts(contacts.len())
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn of_contacts(count: usize) -> String {
    format!("{count} {} who wrote", if count == 1 { "contact" } else { "contacts" })
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
