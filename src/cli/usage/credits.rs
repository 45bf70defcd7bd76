//! `hark usage credits`: whose answers are counted, and how many may still be given.

use std::process::ExitCode;

use crate::app::Office;
use crate::cli::office::{list, said};
use crate::http::api::{AccountView, ApiRefusal, BooksApi as _, CreditInput};
use crate::remote::words::plain;
use crate::usage::CreditScope;

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: CreditsCommand,
    /// Print JSON lines.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(clap::Subcommand)]
enum CreditsCommand {
    /// List the accounts; a number or an agent without one has no limit.
    List,
    /// Say how many credits are left from now on, and below how many you are told.
    Set {
        #[command(flatten)]
        whose: Whose,
        /// So many are left; a new account needs it.
        #[arg(long, value_name = "N")]
        balance: Option<i64>,
        /// You are told once when fewer are left.
        #[arg(long, value_name = "N", conflicts_with = "no_warning")]
        warn_below: Option<i64>,
        /// You are not told.
        #[arg(long)]
        no_warning: bool,
    },
    /// Add credits, or take some away.
    Add {
        #[command(flatten)]
        whose: Whose,
        /// How many; below 0 they are taken away.
        #[arg(allow_negative_numbers = true, value_name = "N")]
        credits: i64,
    },
    /// Remove an account: its number or agent answers without limit.
    Remove {
        #[command(flatten)]
        whose: Whose,
    },
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct Whose {
    /// Of this number: the provider's id of it.
    #[arg(long, value_name = "ID")]
    number: Option<String>,
    /// Of this agent.
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
}

impl Whose {
    fn named(&self) -> (CreditScope, &str) {
        match (&self.number, &self.agent) {
            (Some(number), _) => (CreditScope::Number, number),
            (None, agent) => (CreditScope::Agent, agent.as_deref().unwrap_or_default()),
        }
    }
}

pub(super) async fn run(office: &Office, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let json = arguments.json;
    match arguments.command {
        CreditsCommand::List => {
            let accounts = office.accounts().await.map_err(said)?;
            if accounts.is_empty() {
                eprintln!("nobody has an account: every number and agent answers without limit");
            }
            list(&accounts, json, words)?;
        }
        CreditsCommand::Set { whose, balance, warn_below, no_warning } => {
            let warn_below = if no_warning { Some(None) } else { warn_below.map(Some) };
            let input = CreditInput { balance, add: None, warn_below };
            change(office, &whose, input, json).await?;
        }
        CreditsCommand::Add { whose, credits } => {
            let input = CreditInput { add: Some(credits), ..CreditInput::default() };
            change(office, &whose, input, json).await?;
        }
        CreditsCommand::Remove { whose } => {
            let (scope, name) = whose.named();
            let account = office.account(scope, name).await.map_err(said)?;
            office.remove_account(scope, name, account.version).await.map_err(said)?;
            eprintln!("removed: {} {name} answers without limit", scope.name());
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Changes an account as it is now, or makes one.
async fn change(
    office: &Office,
    whose: &Whose,
    input: CreditInput,
    json: bool,
) -> anyhow::Result<()> {
    let (scope, name) = whose.named();
    let version = match office.account(scope, name).await {
        Ok(account) => account.version,
        Err(ApiRefusal::NotFound(_)) => 0,
        Err(error) => return Err(said(error)),
    };
    let account = office.put_account(scope, name, version, input).await.map_err(said)?;
    list(&[account], json, words)
}

fn words(account: &AccountView) -> String {
    let AccountView { scope, name, balance, reserved, spent, warn_below, warned_at, .. } = account;
    let warning = match (warn_below, warned_at) {
        (Some(below), Some(at)) => format!(", told below {below} at {at}"),
        (Some(below), None) => format!(", tells below {below}"),
        (None, _) => String::new(),
    };
    let reserved =
        if *reserved == 0 { String::new() } else { format!(", {reserved} of them reserved") };
    format!(
        "{:<6}  {}  {balance} left{reserved}, {spent} spent{warning}",
        scope.name(),
        plain(name)
    )
}
