//! `hark usage`: what was used and what it cost, what things cost, and what may still be spent.
//!
//! Looks at the store beside a running service; what it changes counts from the next turn on.

mod credits;
mod prices;
mod sums;

use std::process::ExitCode;

use clap::builder::NonEmptyStringValueParser;
use jiff::tz::TimeZone;

use super::office::{open, said};
use super::{Context, print};
use crate::http::api::{BooksApi as _, UsageFormat, UsageQuery, UsageView};

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<UsageCommand>,
    /// Since when: a day, such as 2026-11-01, or a time; default: 30 days, today included.
    #[arg(long, value_name = "DAY")]
    from: Option<String>,
    /// Until when: a day, which is included, or a time; default: today.
    #[arg(long, value_name = "DAY")]
    to: Option<String>,
    /// What the sums are made by: some of day, number, agent and contact, with commas between.
    #[arg(long, value_name = "KEYS", default_value = "day")]
    by: String,
    /// Where days begin, such as Europe/Madrid; default: this machine's time zone.
    #[arg(long, value_name = "ZONE", value_parser = NonEmptyStringValueParser::new())]
    zone: Option<String>,
    /// Only this number.
    #[arg(long, value_name = "ID")]
    number: Option<String>,
    /// Only this agent.
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// Only this contact: user id or phone number in digits.
    #[arg(long, value_name = "C")]
    contact: Option<String>,
    /// Print a table for spreadsheets: CSV as RFC 4180 has it.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// Print JSON lines.
    #[arg(long)]
    json: bool,
}

#[derive(clap::Subcommand)]
enum UsageCommand {
    /// Show what things cost, or set it from now on.
    Prices(prices::Arguments),
    /// Show, set, add and remove credits of numbers and agents.
    Credits(credits::Arguments),
}

pub(super) async fn run(context: Context, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let office = open(&context)?;
    match arguments.command {
        Some(UsageCommand::Prices(arguments)) => return prices::run(&office, arguments).await,
        Some(UsageCommand::Credits(arguments)) => return credits::run(&office, arguments).await,
        None => {}
    }
    let Arguments { from, to, by, zone, number, agent, contact, csv, json, .. } = arguments;
    let here = || TimeZone::system().iana_name().map(str::to_owned);
    let query = UsageQuery {
        from,
        to,
        by: Some(by),
        zone: zone.or_else(here),
        number,
        agent,
        contact,
        format: UsageFormat::Json,
        limit: None,
        cursor: None,
    };
    let sums = office.whole_usage(query.clone()).await.map_err(said)?;
    if csv {
        print::bytes(UsageView::table(&sums).as_bytes())?;
    } else if json {
        sums.iter().try_for_each(print::json)?;
    } else if sums.is_empty() {
        eprintln!("nothing was used in that time");
    } else {
        let all = UsageQuery { by: Some(String::new()), ..query };
        let totals = office.whole_usage(all).await.map_err(said)?;
        print::line(&sums::words(&sums, &totals))?;
        for remark in sums::remarks(&totals) {
            eprintln!("{remark}");
        }
    }
    Ok(ExitCode::SUCCESS)
}
