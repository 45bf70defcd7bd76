//! Turns as one table, however many: a CSV file, or a JSON array, as they are read.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::problem::ApiRefusal;
use super::{ApiState, TurnQuery, TurnView};
use crate::usage::csv;

/// Turns that are read at a time.
const PAGE: u32 = 500;

/// Names the form of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallLogFormat {
    /// RFC 4180, with a header.
    Csv,
    /// An array of the same objects as the list has.
    Json,
}

const COLUMNS: [&str; 17] = [
    "id",
    "created_at",
    "number",
    "contact",
    "name",
    "agent",
    "agent_version",
    "attempt",
    "outcome",
    "reason",
    "heard",
    "reply",
    "queue_ms",
    "total_ms",
    "played_ms",
    "messages",
    "status",
];

/// Answers with all turns that are wanted. What breaks off in between cuts the connection: no short
/// table looks like a whole one.
pub(super) async fn table(
    state: Arc<ApiState>,
    query: TurnQuery,
    format: CallLogFormat,
) -> Result<Response, ApiRefusal> {
    if query.limit.is_some() || query.cursor.is_some() {
        let problem = "a table is whole: leave limit and cursor out";
        return Err(ApiRefusal::Malformed(problem.to_owned()));
    }
    let query = TurnQuery { limit: Some(PAGE), ..query };
    let first = state.record.turns(query.clone()).await?;
    let rest = stream::try_unfold((Some(first), true), move |(page, is_first)| {
        let (state, query) = (Arc::clone(&state), query.clone());
        async move {
            let Some(page) = page else { return Ok::<_, std::io::Error>(None) };
            let bytes = piece(format, &page.items, is_first, page.next.is_none());
            let next = match page.next {
                None => None,
                Some(next) => {
                    let query = TurnQuery { cursor: Some(next), ..query };
                    Some(state.record.turns(query).await.map_err(std::io::Error::other)?)
                }
            };
            Ok(Some((Bytes::from(bytes), (next, false))))
        }
    });
    let (kind, name) = match format {
        CallLogFormat::Csv => ("text/csv; charset=utf-8; header=present", "turns.csv"),
        CallLogFormat::Json => ("application/json", "turns.json"),
    };
    let about = [
        (CONTENT_TYPE, kind.to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((about, Body::from_stream(rest)).into_response())
}

/// Writes a part of a table.
fn piece(format: CallLogFormat, turns: &[TurnView], is_first: bool, is_last: bool) -> String {
    if format == CallLogFormat::Csv {
        let header: &[&str] = if is_first { &COLUMNS } else { &[] };
        return csv(header, turns.iter().map(cells));
    }
    let mut text = String::from(if is_first { "[" } else { "" });
    for (place, turn) in turns.iter().enumerate() {
        text.push_str(if is_first && place == 0 { "\n" } else { ",\n" });
        text.push_str(&serde_json::to_string(turn).expect("texts and numbers are JSON"));
    }
    text.push_str(if is_last { "\n]\n" } else { "" });
    text
}

fn cells(turn: &TurnView) -> Vec<String> {
    let number = |value: Option<f64>| value.map(|ms| format!("{ms:.1}")).unwrap_or_default();
    let word = |value: &Option<String>| value.clone().unwrap_or_default();
    let last = turn.deliveries.last().map(|told| told.status.clone());
    vec![
        turn.id.clone(),
        turn.created_at.clone(),
        turn.number.clone(),
        turn.contact.clone(),
        word(&turn.name),
        turn.agent.clone(),
        turn.agent_version.map(|version| version.to_string()).unwrap_or_default(),
        turn.attempt.to_string(),
        word(&turn.outcome),
        word(&turn.reason),
        word(&turn.heard),
        word(&turn.reply),
        number(turn.queue_ms),
        number(turn.total_ms),
        number(turn.played_ms),
        turn.messages.to_string(),
        last.unwrap_or_default(),
    ]
}
