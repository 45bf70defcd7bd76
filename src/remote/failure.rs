//! A server's refusal over HTTP: its status, the wait it asks for, and what its body says.
//!
//! Read here once for all servers; what a status means is the caller's. Invariant: the words are
//! the server's own and may repeat anything, so they pass [`Redactor`](super::words::Redactor)
//! before they get into an error.

use std::time::Duration;

use reqwest::Response;
use reqwest::header::{HeaderMap, LOCATION};
use tokio::time::timeout;

pub use super::server_error::ServerError;
use super::waits::{LONGEST_WAIT, retry_after};

/// Most bytes read of a refusal's body.
const BODY_BYTES: usize = 64 << 10;
/// Longest wait for the body of a refusal: without it the status has to do.
const BODY_TIME: Duration = Duration::from_secs(2);

/// Holds an answer whose status is not a success.
#[derive(Clone, Debug)]
pub struct ErrorResponse {
    /// HTTP status.
    pub status: u16,
    /// How long the server asks to be left alone, at most an hour.
    pub retry_after: Option<Duration>,
    /// Whether it sends us to another place, which was not followed.
    pub moved: bool,
    /// Whether the body is a web page.
    pub page: bool,
    /// What the body says.
    pub error: ServerError,
}

impl ErrorResponse {
    /// Reads the rest of an answer.
    pub async fn read(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self::new(status, &headers, &body(response).await)
    }

    /// Joins the parts of an answer.
    #[must_use]
    pub fn new(status: u16, headers: &HeaderMap, body: &[u8]) -> Self {
        Self {
            status,
            retry_after: retry_after(headers, LONGEST_WAIT),
            moved: headers.contains_key(LOCATION) && (300..400).contains(&status),
            page: is_page(body),
            error: ServerError::from_body(body),
        }
    }
}

/// Names what a model server's refusal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// Another key, or credit.
    Key,
    /// Another time: it is busy or has a problem of its own.
    Time,
    /// Another request.
    Request,
}

impl ErrorResponse {
    /// Returns what the refusal asks for.
    #[must_use]
    pub fn asks(&self) -> Asks {
        match self.status {
            401 | 403 => Asks::Key,
            status if self.error.lacks_credit(status) => Asks::Key,
            408 | 409 | 425 | 429 | 500.. => Asks::Time,
            _ => Asks::Request,
        }
    }
}

/// Reads the beginning of a refusal's body; what does not come in time or breaks off is left out.
pub async fn body(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    let read = async {
        while body.len() < BODY_BYTES
            && let Ok(Some(bytes)) = response.chunk().await
        {
            body.extend_from_slice(&bytes);
        }
    };
    let _late = timeout(BODY_TIME, read).await;
    body.truncate(BODY_BYTES);
    body
}

/// Returns whether a body is a web page.
#[must_use]
pub fn is_page(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"<")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_with_its_headers() {
        let headers = |pairs: &[(&'static str, &str)]| {
            let pairs =
                pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
            pairs.collect::<HeaderMap>()
        };
        let busy = ErrorResponse::new(503, &headers(&[("retry-after", "2")]), b"<html>");
        assert_eq!((busy.status, busy.retry_after), (503, Some(Duration::from_secs(2))));
        assert!(busy.page && !busy.moved);
        let elsewhere = headers(&[("location", "https://other.example")]);
        assert!(ErrorResponse::new(307, &elsewhere, b"").moved);
        assert!(!ErrorResponse::new(201, &elsewhere, b"").moved);
    }
}
