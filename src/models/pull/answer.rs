//! What a server's answer means, before a byte of it is written.

use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderName};
use reqwest::{Response, StatusCode};
use url::Url;

use super::part::PartFile;
use super::{LONGEST_WAIT, PullError};
use crate::remote::waits::retry_after;

/// The largest model that is taken from an address: five times the largest official one.
const LARGEST: u64 = 16 << 30;

/// Says what the body of an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// What is missing.
    TheRest,
    /// The whole file.
    FromTheStart,
    /// Not what was asked for: ask for the whole file.
    AnotherRange,
}

impl Answer {
    /// Reads status and headers of the answer to a request for what begins at byte `from`.
    pub(super) fn read(
        response: &Response,
        url: &Url,
        part: &PartFile,
        from: u64,
    ) -> Result<Self, PullError> {
        let status = response.status();
        let answer = match status {
            StatusCode::OK => Self::FromTheStart,
            StatusCode::PARTIAL_CONTENT if from > 0 => {
                let range = header(response, &CONTENT_RANGE).unwrap_or_default();
                if fits(range, part) { Self::TheRest } else { return Ok(Self::AnotherRange) }
            }
            StatusCode::RANGE_NOT_SATISFIABLE if from > 0 => {
                return Ok(Self::AnotherRange);
            }
            _ => return Err(refused(response, url)),
        };
        no_web_page(response, url)?;
        Ok(answer)
    }

    /// Looks at the beginning of the body and its announced length.
    pub(super) fn judge(
        self,
        beginning: &[u8],
        announced: Option<u64>,
        url: &Url,
        part: &PartFile,
    ) -> Result<(), PullError> {
        let whole = self == Self::FromTheStart;
        // No model begins so; where the rest of one is sent, anything may come.
        if whole && beginning.trim_ascii_start().first() == Some(&b'<') {
            return Err(PullError::WebPage { url: url.to_string() });
        }
        let expected = if whole { part.bytes() } else { part.missing() };
        match announced {
            Some(announced) if announced != expected => {
                Err(PullError::Length { url: url.to_string(), announced, expected })
            }
            _ => Ok(()),
        }
    }
}

/// Reads the size of the whole file from the answer to a request for its first byte.
pub(super) fn size(response: &Response, url: &Url) -> Result<u64, PullError> {
    let size = match response.status() {
        StatusCode::OK => announced(response),
        StatusCode::PARTIAL_CONTENT => header(response, &CONTENT_RANGE)
            .and_then(|range| range.rsplit_once('/')?.1.parse().ok()),
        _ => return Err(refused(response, url)),
    };
    no_web_page(response, url)?;
    let possible = |bytes: &u64| (1..=LARGEST).contains(bytes);
    size.filter(possible).ok_or_else(|| PullError::NoSize { url: url.to_string() })
}

fn no_web_page(response: &Response, url: &Url) -> Result<(), PullError> {
    let kind = header(response, &CONTENT_TYPE).unwrap_or_default().to_ascii_lowercase();
    if kind.starts_with("text/html") || kind.starts_with("application/xhtml") {
        return Err(PullError::WebPage { url: url.to_string() });
    }
    Ok(())
}

/// Returns the length of the body, as its header has it.
pub(super) fn announced(response: &Response) -> Option<u64> {
    header(response, &CONTENT_LENGTH)?.parse().ok()
}

/// Returns the host of an address.
pub(super) fn host(url: &Url) -> String {
    url.host_str().unwrap_or("the mirror").to_owned()
}

/// Returns whether `Content-Range: bytes <first>-<last>/<all>` is what is missing.
fn fits(range: &str, part: &PartFile) -> bool {
    let bytes = part.bytes();
    let read = || {
        let (range, all) = range.strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let all = if all == "*" { bytes } else { all.parse().ok()? };
        Some((first.parse::<u64>().ok()?, last.parse::<u64>().ok()?, all))
    };
    read() == Some((part.done(), bytes - 1, bytes))
}

fn refused(response: &Response, url: &Url) -> PullError {
    let status = response.status();
    if status.is_server_error()
        || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)
    {
        let wait = retry_after(response.headers(), LONGEST_WAIT).unwrap_or_default();
        return PullError::Busy { host: host(url), status: status.as_u16(), wait };
    }
    let hint = match status {
        StatusCode::NOT_FOUND | StatusCode::GONE => {
            ", there is no such file: is the address right, and does a mirror keep Hugging Face's paths?"
        }
        StatusCode::UNAUTHORIZED
        | StatusCode::FORBIDDEN
        | StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
            ", it wants a login: hark sends none; use another server"
        }
        _ => ", which is not a file: use another server",
    };
    PullError::Refused { url: url.to_string(), status: status.as_u16(), hint }
}

fn header<'a>(response: &'a Response, name: &HeaderName) -> Option<&'a str> {
    response.headers().get(name)?.to_str().ok()
}
