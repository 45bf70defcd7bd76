//! `hark numbers`: the numbers of the store, from a terminal.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use secrecy::SecretString;

use super::office::{list, open, said, secret};
use super::{Context, print};
use crate::app::Office;
use crate::http::api::{NumberInput, NumberView, NumbersApi as _};
use crate::registry::{NumberStatus, ProviderKind};

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: NumbersCommand,
    /// Print JSON lines.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(clap::Subcommand)]
enum NumbersCommand {
    /// Add a number, once the provider knows it.
    Add(Box<AddArguments>),
    /// List the numbers, those of the configuration file too.
    List,
    /// Keep messages without an answer.
    Pause {
        /// The provider's id of the number.
        phone_number_id: String,
    },
    /// Answer again.
    Resume {
        /// The provider's id of the number.
        phone_number_id: String,
    },
    /// Remove a number and its secrets.
    Remove {
        /// The provider's id of the number.
        phone_number_id: String,
    },
}

#[derive(clap::Args)]
struct AddArguments {
    /// The provider's id of the number.
    phone_number_id: String,
    /// File with the access token; `-` is stdin.
    #[arg(long, value_name = "FILE")]
    access_token_file: PathBuf,
    /// File with the app secret; of Meta.
    #[arg(long, value_name = "FILE")]
    app_secret_file: Option<PathBuf>,
    /// File with the secret that 360dialog shows with its webhooks.
    #[arg(long, value_name = "FILE")]
    webhook_secret_file: Option<PathBuf>,
    /// File with the secret that 360dialog signs its webhooks with.
    #[arg(long, value_name = "FILE")]
    signature_secret_file: Option<PathBuf>,
    /// The header that shows the webhook secret [default: Authorization].
    #[arg(long, value_name = "NAME")]
    webhook_header: Option<String>,
    /// Where it is reached: meta, 360dialog or simulator.
    #[arg(long, default_value = "meta", value_parser = provider)]
    provider: ProviderKind,
    /// Who answers [default: the default agent].
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// What you call it.
    #[arg(long, value_name = "NAME")]
    display_name: Option<String>,
    /// The number as people dial it.
    #[arg(long, value_name = "NUMBER")]
    display_number: Option<String>,
    /// The app, with which the secret is checked.
    #[arg(long, value_name = "ID")]
    app_id: Option<String>,
    /// The WhatsApp Business account.
    #[arg(long, value_name = "ID")]
    business_id: Option<String>,
    /// The API's address, if it is not the provider's own.
    #[arg(long, value_name = "URL")]
    api_url: Option<String>,
    /// How many messages WhatsApp takes from it a second [default: 80].
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=1000))]
    messages_per_second: Option<u32>,
    /// Let the app get the account's webhooks, too, which needs --business-id; at 360dialog have the
    /// number's webhooks sent here.
    #[arg(long)]
    subscribe: bool,
}

/// Reads a provider's name as the configuration has it.
fn provider(name: &str) -> Result<ProviderKind, String> {
    serde_json::from_value(name.into()).map_err(|_| "use meta, 360dialog or simulator".to_owned())
}

pub(super) async fn run(context: Context, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let (office, json) = (open(&context)?, arguments.json);
    match arguments.command {
        NumbersCommand::Add(added) => {
            let number = office.add_number(input(*added)?).await.map_err(said)?;
            if json {
                print::json(&number)?;
            } else {
                print::line(&words(&number))?;
                let url = number.webhook_url.as_deref();
                print::line(&format!(
                    "webhook URL   {}\nverify token  {}",
                    url.unwrap_or("set server.public_url, the address under which hark is reached"),
                    number.verify_token.as_deref().unwrap_or_default()
                ))?;
            }
        }
        NumbersCommand::List => list(&office.numbers().await.map_err(said)?, json, words)?,
        NumbersCommand::Pause { phone_number_id } => {
            let number = set_status(&office, &phone_number_id, NumberStatus::Paused).await?;
            list(&[number], json, words)?;
        }
        NumbersCommand::Resume { phone_number_id } => {
            let number = set_status(&office, &phone_number_id, NumberStatus::Active).await?;
            list(&[number], json, words)?;
        }
        NumbersCommand::Remove { phone_number_id } => {
            let number = office.number(&phone_number_id).await.map_err(said)?;
            office.remove_number(&phone_number_id, number.version).await.map_err(said)?;
            eprintln!("removed: {phone_number_id}");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn optional(file: Option<&Path>) -> anyhow::Result<Option<SecretString>> {
    file.map(secret).transpose()
}

fn input(added: AddArguments) -> anyhow::Result<NumberInput> {
    Ok(NumberInput {
        phone_number_id: Some(added.phone_number_id),
        display_number: added.display_number,
        display_name: added.display_name,
        provider: added.provider,
        access_token: Some(secret(&added.access_token_file)?),
        app_secret: optional(added.app_secret_file.as_deref())?,
        webhook_secret: optional(added.webhook_secret_file.as_deref())?,
        signature_secret: optional(added.signature_secret_file.as_deref())?,
        webhook_header: added.webhook_header,
        app_id: added.app_id,
        business_id: added.business_id,
        api_url: added.api_url,
        api_version: None,
        media_hosts: None,
        agent: added.agent,
        status: NumberStatus::Active,
        messages_per_second: added.messages_per_second,
        template: None,
        subscribe: added.subscribe,
    })
}

/// Changes whether a number is answered, and nothing else of it.
async fn set_status(office: &Office, id: &str, status: NumberStatus) -> anyhow::Result<NumberView> {
    let number = office.number(id).await.map_err(said)?;
    let version = number.version;
    let input = NumberInput {
        phone_number_id: None,
        display_number: number.display_number,
        display_name: number.display_name,
        provider: number.provider,
        access_token: None,
        app_secret: None,
        webhook_secret: None,
        signature_secret: None,
        webhook_header: number.webhook_header,
        app_id: number.app_id,
        business_id: number.business_id,
        api_url: number.api_url,
        api_version: number.api_version,
        media_hosts: number.media_hosts,
        agent: number.agent,
        status,
        messages_per_second: number.messages_per_second,
        template: number.template,
        subscribe: false,
    };
    office.put_number(id, version, input).await.map_err(said)
}

fn words(number: &NumberView) -> String {
    let word = |value: serde_json::Result<serde_json::Value>| {
        value.ok().and_then(|value| Some(value.as_str()?.to_owned())).unwrap_or_default()
    };
    let (provider, status, source) = (
        word(serde_json::to_value(number.provider)),
        word(serde_json::to_value(number.status)),
        word(serde_json::to_value(number.source)),
    );
    let name = number.display_name.as_deref().unwrap_or("-");
    let agent = number.agent.as_deref().unwrap_or("the default agent");
    let id = &number.phone_number_id;
    format!("{id}  {status:<6}  {provider}  {name}  answered by {agent}  ({source})")
}
