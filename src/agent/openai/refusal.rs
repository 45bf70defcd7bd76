//! What went wrong: the error that says what to do, and whether to ask once more in this turn.
//!
//! Invariant: a server's own words pass a [`Redactor`], since they may repeat the key and what was
//! asked.

use std::time::Duration;

use crate::agent::AgentError;
use crate::remote::failure::{ErrorResponse, ServerError};
use crate::remote::words::{Redactor, error_chain};

/// Sets how long a busy server that names no time is left alone after the tries of a turn.
const BUSY_WAIT: Duration = Duration::from_secs(10);

const KEY: &str = "check llm.api_key";
const CREDIT: &str = "the account of llm.api_key has no credit left";
const PLACE: &str = "check llm.url and llm.model";
const MOVED: &str = "it redirects to another place: set llm.url to that";
const REQUEST: &str = "check llm.model and the other keys of [llm]";

/// Holds a try that failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: AgentError,
    pub(super) again: Again,
}

/// Says whether to ask once more in the same turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    Never,
    /// After a short pause.
    Soon,
    /// After as long as the server asks for.
    After(Duration),
}

impl Failure {
    pub(super) fn last(error: AgentError) -> Self {
        Self { error, again: Again::Never }
    }

    pub(super) fn passing(error: AgentError) -> Self {
        Self { error, again: Again::Soon }
    }

    /// Describes a connection that failed before a word was said.
    pub(super) fn network(error: reqwest::Error) -> Self {
        Self::passing(AgentError::Unreachable(error_chain(error)))
    }

    /// Describes an answer that is a web page.
    pub(super) fn page(status: u16) -> Self {
        Self::last(AgentError::WebPage { status })
    }

    /// Judges an answer whose status is not a success.
    pub(super) fn refused(refusal: &ErrorResponse, redactor: Redactor<'_>) -> Self {
        let status = refusal.status;
        if refusal.moved {
            let message = "moved".to_owned();
            return Self::last(AgentError::Refused { status, message, fix: MOVED });
        }
        if refusal.page && matches!(status, 404 | 405) {
            return Self::page(status);
        }
        Self::from_error(status, &refusal.error, refusal.retry_after, redactor)
    }

    /// Judges an error that came inside an answer, before its first word.
    pub(super) fn reported(error: &ServerError, redactor: Redactor<'_>) -> Self {
        Self::from_error(error.status.unwrap_or(500), error, None, redactor)
    }

    fn from_error(
        status: u16,
        error: &ServerError,
        wait: Option<Duration>,
        redactor: Redactor<'_>,
    ) -> Self {
        let message = redactor.clean(&error.message);
        let refused =
            |fix| Self::last(AgentError::Refused { status, message: message.clone(), fix });
        if error.lacks_credit(status) {
            return refused(CREDIT);
        }
        let again = wait.map_or(Again::Soon, Again::After);
        match status {
            401 | 403 => refused(KEY),
            404 | 405 => refused(PLACE),
            429 | 503 if status == 429 || wait.is_some() => {
                let after = wait.unwrap_or(BUSY_WAIT);
                Self { error: AgentError::Busy { status, message, after }, again }
            }
            408 | 409 | 425 | 500.. => {
                Self { error: AgentError::Failing { status, message }, again }
            }
            _ => refused(REQUEST),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::turn::Retry;

    fn refused(status: u16, headers: &[(&'static str, &str)], body: &str) -> Failure {
        let headers =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let refusal = ErrorResponse::new(status, &headers.collect(), body.as_bytes());
        Failure::refused(&refusal, Redactor::default())
    }

    #[track_caller]
    fn check(status: u16, body: &str, again: Again, words: &str) {
        let failure = refused(status, &[], body);
        let text = failure.error.to_string();
        assert!(failure.again == again && text.contains(words), "{:?} {text}", failure.again);
    }

    #[test]
    fn each_status_has_its_action() {
        let json = r#"{"error":{"message":"no such thing","type":"x","code":null}}"#;
        check(401, json, Again::Never, "refused (HTTP 401): no such thing; check llm.api_key");
        check(403, "", Again::Never, "no message; check llm.api_key");
        check(402, json, Again::Never, "no credit");
        check(404, json, Again::Never, "check llm.url and llm.model");
        check(404, " <html>", Again::Never, "a web page (HTTP 404): is llm.url right?");
        check(400, r#"{"detail":"too long"}"#, Again::Never, "too long; check llm.model");
        check(422, r#"{"error":"bad key"}"#, Again::Never, "bad key");
        check(429, json, Again::Soon, "busy (HTTP 429): no such thing");
        let quota = r#"{"error":{"message":"m","code":"insufficient_quota"}}"#;
        check(429, quota, Again::Never, "no credit");
        for status in [408, 409, 425, 500, 502, 503, 529] {
            check(status, "<html>", Again::Soon, "could not be reached: HTTP");
        }
        let moved = refused(307, &[("location", "https://other.example")], "");
        assert!(moved.error.to_string().contains("redirects"));
    }

    #[track_caller]
    fn check_wait(status: u16, headers: &[(&'static str, &str)], again: Again, after_s: u64) {
        let failure = refused(status, headers, "");
        assert_eq!(failure.again, again);
        assert_eq!(failure.error.retry(), Retry::After(Duration::from_secs(after_s)));
    }

    #[test]
    fn a_server_says_how_long_to_wait() {
        let after = |seconds| Again::After(Duration::from_secs(seconds));
        let date = ("date", "Wed, 21 Oct 2026 07:28:00 GMT");
        let until = ("retry-after", "Wed, 21 Oct 2026 07:28:17 GMT");
        check_wait(429, &[("retry-after", "17")], after(17), 17);
        check_wait(503, &[("retry-after", " 2.0")], after(2), 2);
        check_wait(429, &[until, date], after(17), 17);
        check_wait(429, &[("retry-after", date.1), ("date", until.1)], after(0), 0);
        check_wait(429, &[until], Again::Soon, 10);
        check_wait(429, &[("retry-after", "-1")], Again::Soon, 10);
        check_wait(429, &[], Again::Soon, 10);
        check_wait(503, &[], Again::Soon, 5);
        check_wait(500, &[("retry-after", "3")], after(3), 5);
        let long = refused(429, &[("retry-after", "99999999")], "");
        assert_eq!((long.again, long.error.retry()), (after(3600), Retry::Never));
    }
}
