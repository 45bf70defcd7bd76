//! What can go wrong between hark and Chatwoot, by what has to be done about it.

use std::fmt;
use std::time::Duration;

use reqwest::Response;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;

use crate::remote::failure::is_page;
use crate::remote::waits::{LONGEST_WAIT, retry_after};
use crate::remote::words::{error_chain, outside};

/// Most characters of a server's words that are repeated.
const WORDS: usize = 300;

/// Names a side of the bridge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shore {
    /// The service.
    Hark,
    /// The help desk.
    Chatwoot,
}

impl fmt::Display for Shore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hark => "hark",
            Self::Chatwoot => "Chatwoot",
        })
    }
}

/// Says why the bridge could not do something.
#[derive(Debug, thiserror::Error)]
pub enum BridgeError {
    /// It is away or busy: try again.
    #[error("{shore} does not do it now: {why}")]
    Away {
        /// Which side.
        shore: Shore,
        /// Why.
        why: String,
        /// How long it asks to be left alone.
        after: Option<Duration>,
    },
    /// A token, an address or a number is wrong: mend it; meanwhile try again.
    #[error("{shore} {why}: {fix}")]
    Setup {
        /// Which side.
        shore: Shore,
        /// What is wrong.
        why: String,
        /// What to do.
        fix: &'static str,
    },
    /// It refuses this request, and would again: tell somebody.
    #[error("{shore} refuses it ({status}): {why}")]
    Refused {
        /// Which side.
        shore: Shore,
        /// The status of the answer.
        status: u16,
        /// In the other side's words.
        why: String,
    },
    /// The state file cannot be used: mend it; meanwhile try again.
    #[error("the state file (--state) cannot be used: {0}")]
    State(String),
}

impl From<rusqlite::Error> for BridgeError {
    fn from(error: rusqlite::Error) -> Self {
        Self::State(error.to_string())
    }
}

impl BridgeError {
    /// Makes the error of a request that got no answer.
    pub(super) fn unanswered(shore: Shore, error: reqwest::Error) -> Self {
        Self::Away { shore, why: error_chain(error), after: None }
    }

    /// Makes the error of an answer that cannot be read.
    pub(super) fn odd(shore: Shore, what: &str) -> Self {
        Self::Setup {
            shore,
            why: format!("answers with {what}"),
            fix: match shore {
                Shore::Hark => "is --hark the address of a hark service?",
                Shore::Chatwoot => "is --chatwoot the address of Chatwoot itself?",
            },
        }
    }

    /// Returns the status and the words of a refusal.
    pub(super) fn refusal(&self) -> Option<(u16, &str)> {
        match self {
            Self::Refused { status, why, .. } => Some((*status, why)),
            _ => None,
        }
    }
}

/// Returns an answer that is a success and no web page.
pub(super) async fn judge(shore: Shore, response: Response) -> Result<Response, BridgeError> {
    let status = response.status();
    if status.is_success() {
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if kind.is_some_and(|kind| kind.trim_start().starts_with("text/html")) {
            return Err(BridgeError::odd(shore, "a web page"));
        }
        return Ok(response);
    }
    let after = retry_after(response.headers(), LONGEST_WAIT);
    let body = crate::remote::failure::body(response).await;
    let status = status.as_u16();
    // hark says so of a command that it is doing.
    let passes = status == 409 && after.is_some();
    if passes || matches!(status, 408 | 425 | 429 | 500..) {
        return Err(BridgeError::Away { shore, why: format!("it answers {status}"), after });
    }
    if (300..400).contains(&status) {
        return Err(BridgeError::odd(shore, "a redirect to another place"));
    }
    if is_page(&body) && status != 413 {
        return Err(BridgeError::odd(shore, &format!("a web page ({status})")));
    }
    let why = words(shore, &body);
    if matches!(status, 401 | 403) {
        let fix = match shore {
            Shore::Hark => {
                "set HARK_TOKEN to a token that is valid; `hark token create --role operator \
                 --name chatwoot` makes one"
            }
            Shore::Chatwoot => {
                "set CHATWOOT_TOKEN to the access token of a user who is an agent of the account \
                 (--account) and of the inbox (--inbox)"
            }
        };
        return Err(BridgeError::Setup { shore, why: format!("does not let us in, {why}"), fix });
    }
    Err(BridgeError::Refused { shore, status, why })
}

/// Reads what a body says is wrong.
fn words(shore: Shore, body: &[u8]) -> String {
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    match shore {
        // Problems of hark repeat no secret and none of a person's words.
        Shore::Hark => {
            let detail = json["detail"].as_str().unwrap_or("no reason is given");
            detail.chars().take(WORDS).collect()
        }
        Shore::Chatwoot => {
            let said =
                ["error", "message", "description"].iter().find_map(|key| json[key].as_str());
            outside(said.unwrap_or("no reason is given"))
        }
    }
}
