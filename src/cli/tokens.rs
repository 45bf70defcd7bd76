//! `hark token`: who may use the API.

use std::process::ExitCode;

use super::office::{list, open, said};
use super::{Context, print};
use crate::http::api::{TokenInput, TokenView, TokensApi as _};
use crate::store::TokenRole;

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: TokenCommand,
    /// Print JSON lines.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(clap::Subcommand)]
enum TokenCommand {
    /// Make a token, and show it this once.
    Create {
        /// What it allows.
        #[arg(long)]
        role: RoleArgument,
        /// Who has it.
        #[arg(long, value_name = "N")]
        name: String,
    },
    /// List tokens.
    List,
    /// Let a token allow nothing any more.
    Revoke {
        /// Its id, as the list has it.
        id: String,
    },
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum RoleArgument {
    /// Everything.
    Admin,
    /// To look at turns and people, and to forget a person.
    Operator,
}

pub(super) async fn run(context: Context, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let office = open(&context)?;
    match arguments.command {
        TokenCommand::Create { role, name } => {
            let role = match role {
                RoleArgument::Admin => TokenRole::Admin,
                RoleArgument::Operator => TokenRole::Operator,
            };
            let made = office.make_token(TokenInput { name, role }).await.map_err(said)?;
            if arguments.json {
                print::json(&made)?;
            } else {
                eprintln!("keep it now: it is not shown again");
                print::line(made.token.as_deref().unwrap_or_default())?;
            }
        }
        TokenCommand::List => list(&office.tokens().await.map_err(said)?, arguments.json, words)?,
        TokenCommand::Revoke { id } => {
            office.revoke_token(&id).await.map_err(said)?;
            eprintln!("revoked: {id}");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn words(token: &TokenView) -> String {
    let TokenView { id, name, role, created_at, last_used_at, revoked_at, .. } = token;
    let used = last_used_at.as_ref().map_or("never used".to_owned(), |at| format!("used {at}"));
    let state = revoked_at.as_ref().map_or(used, |at| format!("revoked {at}"));
    format!("{id}  {:<8}  {name}  made {created_at}, {state}", role.name())
}
