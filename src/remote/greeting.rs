//! The first word to a model server: opens the connection, and tells at the start what will fail.

use std::time::Duration;

use reqwest::{Client, RequestBuilder, Url};
use tokio::time::timeout;

use super::words::error_chain;

/// Longest wait for a server at the start.
const GREETING_TIME: Duration = Duration::from_secs(5);

/// Says how a server took it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Greeted {
    /// It answers.
    Here,
    /// It refuses the key, with this HTTP status.
    KeyRefused(u16),
    /// It is not there yet, and why.
    Away(String),
}

/// Asks the server which models it has; `endpoint` is what hark calls, two steps below its base.
pub async fn greet(client: &Client, endpoint: &Url, key: &str) -> Greeted {
    let mut address = endpoint.clone();
    if let Ok(mut path) = address.path_segments_mut() {
        path.pop().pop().push("models");
    }
    match timeout(GREETING_TIME, with_key(client.get(address), key).send()).await {
        // Not every server lists its models; whether it takes our key it does say.
        Ok(Ok(answer)) if matches!(answer.status().as_u16(), 401 | 403) => {
            Greeted::KeyRefused(answer.status().as_u16())
        }
        Ok(Ok(_)) => Greeted::Here,
        Ok(Err(error)) => Greeted::Away(error_chain(error)),
        Err(_) => Greeted::Away("it does not answer".to_owned()),
    }
}

/// Adds a key as a bearer token, unless it is empty.
pub fn with_key(request: RequestBuilder, key: &str) -> RequestBuilder {
    if key.is_empty() { request } else { request.bearer_auth(key) }
}
