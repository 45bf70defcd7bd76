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
    /// What the server wrote, where it refused the question.
    pub(super) server: Option<Box<ServerError>>,
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
        Self { error, again: Again::Never, server: None }
    }

    pub(super) fn passing(error: AgentError) -> Self {
        Self { error, again: Again::Soon, server: None }
    }

    /// Describes a connection that failed before a word was said.
    pub(super) fn network(error: reqwest::Error) -> Self {
        Self::passing(AgentError::Unreachable(error_chain(error)))
    }

    /// Describes an answer that is a web page, which has a title.
    pub(super) fn page(status: u16, title: &str, redactor: Redactor<'_>) -> Self {
        let title = redactor.clean(title);
        Self::last(AgentError::WebPage { status, title })
    }

    /// Judges an answer whose status is not a success.
    pub(super) fn refused(refusal: &ErrorResponse, redactor: Redactor<'_>) -> Self {
        let status = refusal.status;
        if refusal.moved {
            let message = "moved".to_owned();
            return Self::last(AgentError::Refused { status, message, fix: MOVED });
        }
        if refusal.page && matches!(status, 404 | 405) {
            return Self::page(status, &refusal.error.message, redactor);
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
        let refused = |fix| AgentError::Refused { status, message: message.clone(), fix };
        let again = wait.map_or(Again::Soon, Again::After);
        let (error_of, again) = match status {
            _ if error.lacks_credit(status) => (refused(CREDIT), Again::Never),
            _ if is_filtered(error) => (AgentError::Filtered(message), Again::Never),
            // At 429 "too many tokens" are those of a minute.
            _ if status != 429 && exceeds_context(error) => {
                (AgentError::TooLong { status, message }, Again::Never)
            }
            401 | 403 => (refused(KEY), Again::Never),
            404 | 405 => (refused(PLACE), Again::Never),
            // Gemini says 400 to a wrong key.
            400 if says(error, &["api key not valid", "api_key_invalid", "invalid api key"]) => {
                (refused(KEY), Again::Never)
            }
            429 | 503 if status == 429 || wait.is_some() => {
                let after = wait.unwrap_or(BUSY_WAIT);
                (AgentError::Busy { status, message, after }, again)
            }
            408 | 409 | 425 | 500.. => (AgentError::Failing { status, message }, again),
            _ => (refused(REQUEST), Again::Never),
        };
        Self { error: error_of, again, server: Some(Box::new(error.clone())) }
    }
}

/// Returns whether the code or the words of an error hold one of these, which are in lower case.
fn says(error: &ServerError, words: &[&str]) -> bool {
    let ServerError { code, message, .. } = error;
    let said = format!("{code} {message}").to_lowercase();
    words.iter().any(|some| said.contains(some))
}

/// Returns whether a filter refused what was asked; no key of ours changes that.
fn is_filtered(error: &ServerError) -> bool {
    const WORDS: [&str; 12] = [
        "content_filter",
        "content filter",
        "content management policy",
        "content_policy",
        "content policy",
        "responsibleaipolicyviolation",
        "data_inspection_failed",
        "moderation",
        "flagged",
        "prohibited_content",
        "safety system",
        "blocked by safety",
    ];
    says(error, &WORDS)
}

/// Returns whether what was asked is longer than the model's context.
fn exceeds_context(error: &ServerError) -> bool {
    const WORDS: [&str; 16] = [
        "context_length",
        "context length",
        "context size",
        "context_size",
        "context window",
        "context limit",
        "maximum context",
        "n_ctx",
        "max_model_len",
        "maximum model length",
        "maximum prompt length",
        "maximum number of tokens",
        "input length and `max_tokens` exceed",
        "prompt is too long",
        "input is too long",
        "too many tokens",
    ];
    says(error, &WORDS)
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
        let page = " <html><title>Not here</title>";
        check(404, page, Again::Never, "a web page: Not here (HTTP 404); is llm.url right?");
        check(405, " <html>", Again::Never, "a web page (HTTP 405); is llm.url right?");
        check(400, r#"{"detail":"too long"}"#, Again::Never, "too long; check llm.model");
        check(422, r#"{"error":"bad key"}"#, Again::Never, "bad key");
        check(429, json, Again::Soon, "busy (HTTP 429): no such thing");
        let tokens = r#"{"message":"Too many tokens, please wait before trying again."}"#;
        check(429, tokens, Again::Soon, "busy (HTTP 429): Too many tokens");
        let quota = r#"{"error":{"message":"m","code":"insufficient_quota"}}"#;
        check(429, quota, Again::Never, "no credit");
        for status in [408, 409, 425, 500, 502, 503, 529] {
            check(status, "<html>", Again::Soon, "could not be reached: HTTP");
        }
        let moved = refused(307, &[("location", "https://other.example")], "");
        assert!(moved.error.to_string().contains("redirects"));
    }

    #[test]
    fn what_is_too_long_or_filtered_is_told_as_that() {
        for words in [
            r#"{"error":{"message":"m","code":"context_length_exceeded"}}"#,
            r#"{"error":{"message":"the request exceeds the available context size","code":400}}"#,
            r#"{"error":{"message":"This model's maximum context length is 2048 tokens."}}"#,
            r#"[{"error":{"message":"The input token count (9) exceeds the maximum number of tokens allowed (8)."}}]"#,
            r#"{"object":"error","message":"prompt is longer than the maximum model length of 8"}"#,
            r#"{"error":"prompt is too long"}"#,
        ] {
            check(400, words, Again::Never, "context is too small (HTTP 400): ");
        }
        for words in [
            r#"{"error":{"message":"The response was filtered","code":"content_filter"}}"#,
            r#"{"error":{"message":"m","innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#,
            r#"{"error":{"message":"m","metadata":{"reasons":["x"]},"type":"moderation"}}"#,
        ] {
            check(400, words, Again::Never, "content filter stepped in: ");
            check(403, words, Again::Never, "content filter stepped in: ");
        }
        let gemini = r#"[{"error":{"code":400,"message":"API key not valid."}}]"#;
        check(400, gemini, Again::Never, "API key not valid.; check llm.api_key");
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
