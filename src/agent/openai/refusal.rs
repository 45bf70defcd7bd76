//! What went wrong: the error that says what to do, and whether to ask once more in this turn.
//!
//! Invariant: a server's own words pass [`Words::clean`], since they may repeat the key and what
//! was asked.

use std::time::Duration;

use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{DATE, HeaderMap, LOCATION, RETRY_AFTER};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::chunk::ServerError;
use crate::agent::AgentError;

/// Longest quotation of a server, in characters.
const QUOTE_LIMIT: usize = 200;
/// How long a busy server that names no time is left alone once the tries of a turn are used up.
const BUSY_WAIT: Duration = Duration::from_secs(10);
/// Longest wait taken over from a header.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

const KEY: &str = "check llm.api_key";
const CREDIT: &str = "the account of llm.api_key has no credit left";
const PLACE: &str = "check llm.url and llm.model";
const MOVED: &str = "it redirects to another place: set llm.url to that";
const REQUEST: &str = "check llm.model and the other keys of [llm]";

/// A try that failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: AgentError,
    pub(super) again: Again,
}

/// Whether to ask once more in the same turn.
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

    /// The connection failed before a word was said.
    pub(super) fn network(error: reqwest::Error) -> Self {
        Self::passing(AgentError::Unreachable(network(error)))
    }

    /// An answer that is a web page.
    pub(super) fn page(status: u16) -> Self {
        let what = format!("a web page (HTTP {status}): is llm.url right?");
        Self::last(AgentError::Unexpected(what))
    }

    /// Reads an answer whose status is no success.
    pub(super) fn refused(
        status: u16,
        headers: &HeaderMap,
        body: &[u8],
        words: &Words<'_>,
    ) -> Self {
        let page = body.trim_ascii_start().starts_with(b"<");
        let error = if page {
            ServerError { message: "a web page".to_owned(), ..ServerError::default() }
        } else {
            error_of(body)
        };
        if headers.contains_key(LOCATION) && (300..400).contains(&status) {
            let message = "moved".to_owned();
            return Self::last(AgentError::Refused { status, message, fix: MOVED });
        }
        if page && matches!(status, 404 | 405) {
            return Self::page(status);
        }
        Self::of(status, &error, asked_wait(headers), words)
    }

    /// Reads an error that came inside an answer, before its first word.
    pub(super) fn reported(error: &ServerError, words: &Words<'_>) -> Self {
        Self::of(error.status.unwrap_or(500), error, None, words)
    }

    fn of(status: u16, error: &ServerError, wait: Option<Duration>, words: &Words<'_>) -> Self {
        let message = words.clean(&error.message);
        let refused =
            |fix| Self::last(AgentError::Refused { status, message: message.clone(), fix });
        // OpenAI says 429 to an account without credit; no wait helps.
        if status == 402 || error.code.contains("insufficient_quota") {
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
                Self { error: AgentError::Unreachable(format!("HTTP {status}: {message}")), again }
            }
            _ => refused(REQUEST),
        }
    }
}

/// The error of a body: JSON with or without `error`, or bare words.
pub(super) fn error_of(body: &[u8]) -> ServerError {
    match serde_json::from_slice::<Value>(body) {
        Ok(body) if body["error"].is_object() => ServerError::read(&body["error"]),
        Ok(body) => ServerError::read(&body),
        Err(_not_json) => {
            let message = String::from_utf8_lossy(body).into_owned();
            ServerError { message, ..ServerError::default() }
        }
    }
}

/// Reads `Retry-After`: seconds, or a date by the server's own clock.
fn asked_wait(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name)?.to_str().ok().map(str::trim);
    let asked = text(RETRY_AFTER)?;
    let wait = match asked.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok()?,
        Err(_no_number) => {
            let moment = |date| DateTimeParser::new().parse_timestamp(date).ok();
            let wait = moment(asked)?.duration_since(moment(text(DATE)?)?);
            Duration::try_from(wait).unwrap_or_default()
        }
    };
    Some(wait.min(LONGEST_WAIT))
}

/// What must not be repeated of what a server says.
pub(super) struct Words<'a> {
    pub(super) key: Option<&'a SecretString>,
    /// What the person said or wrote.
    pub(super) asked: &'a str,
}

impl Words<'_> {
    /// Shortens a server's words and takes keys, addresses, long numbers and the question out.
    pub(super) fn clean(&self, message: &str) -> String {
        // No more than this is looked at, whatever a server sends.
        let mut message: String = message.chars().take(QUOTE_LIMIT * 8).collect();
        let key = self.key.map_or("", |key| key.expose_secret());
        for secret in [key, self.asked.trim()] {
            if !secret.is_empty() {
                message = message.replace(secret, "[removed]");
            }
        }
        let words: Vec<&str> = message.split_whitespace().collect();
        let asked = plain(&self.asked.split_whitespace().collect::<Vec<_>>());
        let mut repeats = vec![false; words.len()];
        for (at, three) in words.windows(3).enumerate() {
            if asked.contains(&plain(three)) {
                repeats[at..at + 3].fill(true);
            }
        }
        let clean = words.iter().zip(repeats).map(|(word, repeats)| {
            let digits = word.chars().filter(char::is_ascii_digit).count();
            let secret = digits >= 7
                || word.len() >= 40
                || ["://", "sk-", "gsk_"].iter().any(|mark| word.contains(mark));
            if secret || repeats { "[removed]" } else { word }
        });
        let clean = clean.collect::<Vec<_>>().join(" ");
        if clean.is_empty() {
            "no message".to_owned()
        } else {
            clean.chars().take(QUOTE_LIMIT).collect()
        }
    }
}

/// Words in lower case without signs, each with a space on both sides.
fn plain(words: &[&str]) -> String {
    let letters = |word: &&str| -> String {
        word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    format!(" {} ", words.iter().map(letters).collect::<Vec<_>>().join(" "))
}

/// What went wrong with a connection, without its address.
pub(super) fn network(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::turn::Retry;

    const NOTHING: Words<'_> = Words { key: None, asked: "" };

    fn refused(status: u16, headers: &[(&'static str, &str)], body: &str) -> Failure {
        let headers =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        Failure::refused(status, &headers.collect(), body.as_bytes(), &NOTHING)
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

    #[test]
    fn a_quotation_has_no_key_no_number_and_nothing_of_the_question() {
        let key = SecretString::from("k3y");
        let words = Words { key: Some(&key), asked: "My order, 4711, is still missing!" };
        let said = "Incorrect API key k3y for +4915550001 at https://a.example: sk-abc";
        let clean = "Incorrect API key [removed] for [removed] at [removed] [removed]";
        assert_eq!(words.clean(said), clean);
        assert_eq!(
            words.clean("bad input 'order 4711 IS still' in messages[1]"),
            "bad input [removed] [removed] [removed] [removed] in messages[1]"
        );
        let quoted = words.clean("filtered: My order, 4711, is still missing!");
        assert_eq!(quoted, "filtered: [removed]");
        assert_eq!(words.clean(&"word ".repeat(1000)).chars().count(), QUOTE_LIMIT);
        assert_eq!(words.clean(" "), "no message");
    }
}
