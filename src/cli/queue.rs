//! `hark queue`: what waits and what gave up, whether a service runs or not.

use std::process::ExitCode;

use super::office::{list, open, said};
use super::{Context, print};
use crate::app::Office;
use crate::http::api::{QueueApi as _, QueueQuery, QueuedView};
use crate::store::BacklogState;

/// Most messages that are asked for at once.
const PAGE: u32 = 500;

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: QueueCommand,
    /// Print JSON lines.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(clap::Subcommand)]
enum QueueCommand {
    /// List messages that wait, are being answered, or gave up, oldest first.
    List {
        /// Those alone that wait, run, or are dead: their turn gave up.
        #[arg(long)]
        state: Option<StateArgument>,
        /// At most so many.
        #[arg(long, default_value_t = 100, value_name = "COUNT")]
        limit: usize,
    },
    /// Show one message.
    Show {
        /// Its id, as the list has it.
        id: String,
    },
    /// Try a message at once; one that gave up is answered anew. So with all that is answered with it.
    Replay {
        /// Its id, as the list has it.
        #[arg(required_unless_present = "all_dead")]
        id: Option<String>,
        /// Answer all that gave up.
        #[arg(long, conflicts_with = "id")]
        all_dead: bool,
    },
    /// Take a message out of the queue: it is kept, and not answered. So with all that is answered with it.
    Drop {
        /// Its id, as the list has it.
        #[arg(required_unless_present = "all_dead")]
        id: Option<String>,
        /// Take out all that gave up.
        #[arg(long, conflicts_with = "id")]
        all_dead: bool,
    },
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum StateArgument {
    Waiting,
    Running,
    Dead,
}

impl From<StateArgument> for BacklogState {
    fn from(state: StateArgument) -> Self {
        match state {
            StateArgument::Waiting => Self::Waiting,
            StateArgument::Running => Self::Running,
            StateArgument::Dead => Self::Dead,
        }
    }
}

pub(super) async fn run(context: Context, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let (office, json) = (open(&context)?, arguments.json);
    match arguments.command {
        QueueCommand::List { state, limit } => {
            let messages = messages(&office, state.map(Into::into), limit).await?;
            list(&messages, json, words)?;
        }
        QueueCommand::Show { id } => {
            let message = office.queued(&id).await.map_err(said)?;
            if json { print::json(&message)? } else { print::line(&details(&message))? }
        }
        QueueCommand::Replay { id, .. } => {
            for id in named(&office, id).await? {
                let message = office.replay(&id).await.map_err(said)?;
                if json { print::json(&message)? } else { eprintln!("it is tried now: {id}") }
            }
        }
        QueueCommand::Drop { id, .. } => {
            for id in named(&office, id).await? {
                office.drop_queued(&id).await.map_err(said)?;
                eprintln!("out of the queue: {id}");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the message that is named, or all that gave up.
async fn named(office: &Office, id: Option<String>) -> anyhow::Result<Vec<String>> {
    if let Some(id) = id {
        return Ok(vec![id]);
    }
    let dead = messages(office, Some(BacklogState::Dead), usize::MAX).await?;
    Ok(dead.into_iter().map(|message| message.id).collect())
}

/// Returns up to `limit` messages.
async fn messages(
    office: &Office,
    state: Option<BacklogState>,
    limit: usize,
) -> anyhow::Result<Vec<QueuedView>> {
    let (mut messages, mut cursor) = (Vec::new(), None);
    while messages.len() < limit {
        let query = QueueQuery { state, limit: Some(PAGE), cursor };
        let page = office.queue(query).await.map_err(said)?;
        messages.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    messages.truncate(limit);
    Ok(messages)
}

fn words(message: &QueuedView) -> String {
    let QueuedView { id, phone_number_id, contact, kind, state, attempts, .. } = message;
    let about = match (&message.gave_up_at, &message.node, &message.due_at) {
        (Some(at), ..) => {
            format!("gave up {at}: {}", message.reason.as_deref().unwrap_or("without a reason"))
        }
        (_, Some(node), _) => format!("on {node}"),
        (_, _, due_at) => format!("due {}", due_at.as_deref().unwrap_or_default()),
    };
    format!(
        "{id:>8}  {:<7}  {kind:<8}  from {contact} to {phone_number_id}  tried {attempts}  {about}",
        state.name()
    )
}

fn details(message: &QueuedView) -> String {
    let none = || "-".to_owned();
    let rows = [
        ("id", message.id.clone()),
        ("state", message.state.name().to_owned()),
        ("kind", message.kind.clone()),
        ("from", message.contact.clone()),
        ("to", message.phone_number_id.clone()),
        ("received", message.received_at.clone()),
        ("tried", message.attempts.to_string()),
        ("due", message.due_at.clone().unwrap_or_else(none)),
        ("node", message.node.clone().unwrap_or_else(none)),
        ("turn", message.turn.clone().unwrap_or_else(none)),
        ("gave up", message.gave_up_at.clone().unwrap_or_else(none)),
        ("reason", message.reason.clone().unwrap_or_else(none)),
    ];
    rows.map(|(name, value)| format!("{name:<9} {value}")).join("\n")
}
