//! Reads an answer out of bytes that are at hand: the way in for fuzzing, which has no server.

use std::time::Duration;

use axum::http;
use futures_util::stream;
use reqwest::{Body, Response};

use super::reading::Reading;
use super::server_call::ServerCall;
use super::settings::Settings;
use crate::agent::{AgentError, Delta};
use crate::remote::patience::Patience;
use crate::remote::words::Redactor;

/// Reads the body of an answer that arrives in `pieces`; returns what was said and what went wrong.
pub async fn read_answer(pieces: Vec<Vec<u8>>) -> (Vec<Delta>, Option<AgentError>) {
    let settings = &unhurried();
    let body = stream::iter(pieces.into_iter().map(Ok::<_, std::io::Error>));
    let mut reading =
        Reading::new(Response::from(http::Response::new(Body::wrap_stream(body))), None, None);
    let mut patience = Patience::new(Duration::from_millis(settings.timeout_ms));
    let redactor = Redactor::default();
    let (patience, wasted) = (&mut patience, Vec::new());
    let mut call = ServerCall { settings, redactor, patience, wasted };
    if let Err(failure) = reading.begin(&mut call).await {
        return (Vec::new(), Some(failure.error));
    }
    let mut said = Vec::new();
    loop {
        match reading.next(&mut call).await {
            Some(Ok(delta)) => said.push(delta),
            Some(Err(error)) => return (said, Some(error)),
            None => return (said, None),
        }
    }
}

/// Returns settings that only bound the waits.
fn unhurried() -> Settings {
    let timeout_ms = 60_000;
    Settings {
        url: None,
        model: None,
        api_key: None,
        temperature: None,
        max_tokens: 0,
        extra: toml::Table::new(),
        images: false,
        history_tokens: 0,
        connect_timeout_ms: timeout_ms,
        first_token_timeout_ms: timeout_ms,
        stall_timeout_ms: timeout_ms,
        timeout_ms,
        retries: 0,
        max_rounds: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::Usage;

    #[tokio::test]
    async fn blanks_before_an_answer_are_none_of_it_however_they_arrive() {
        // Found by fuzzing: alone in a piece they were passed over, else the first line was theirs.
        let answer =
            r#"data: {"choices": [{"delta": {"content": "Hi"}, "finish_reason": "stop"}]}"#;
        let cost = Usage { completion_tokens: 1, estimated: true, ..Usage::default() };
        let cost = Delta::Usage(cost);
        let whole = format!(" \r\n {answer}\n\n").into_bytes();
        for cut in 0..whole.len() {
            let (first, rest) = whole.split_at(cut);
            let (said, error) = read_answer(vec![first.to_vec(), rest.to_vec()]).await;
            assert_eq!(
                (said, error.is_some()),
                (vec![Delta::Text("Hi".to_owned()), cost.clone()], false),
                "{cut}"
            );
        }
    }
}
