//! What the provider's answers about a number mean to who set it up: for the doctor, and before a
//! number is added.
//!
//! Invariant: no secret and no phone number is in the words.

use super::NumberInfo;
use crate::engine::Level;
use crate::provider::ProviderError;
use crate::registry::{Number, ProviderKind};
use crate::turn::Personal;

/// Describes what is to be mended of a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// How bad it is.
    pub level: Level,
    /// The number's key to look at; empty for the number as a whole.
    pub key: &'static str,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub fix: &'static str,
}

/// Says what the answer about a number means; nothing is wrong if the list is empty.
pub fn about_number(number: &Number, about: &Result<NumberInfo, ProviderError>) -> Vec<Trouble> {
    let info = match about {
        Ok(info) => info,
        Err(error) => {
            let (level, key, message, fix) = explain(error, number);
            return vec![Trouble { level, key, message, fix }];
        }
    };
    let mut troubles = Vec::new();
    let mut warn = |key, message: &str, fix| {
        troubles.push(Trouble { level: Level::Warning, key, message: message.to_owned(), fix });
    };
    let shown = info.display_number.as_ref().map(|number| digits(Personal::reveal(number)));
    let configured = number.display_number.as_deref().map(digits);
    if let (Some(shown), Some(configured)) = (shown, configured)
        && shown != configured
    {
        warn(
            "display_number",
            "is not the number that the provider has for this phone_number_id",
            "correct display_number, or phone_number_id if it is another number's",
        );
    }
    if info.quality.as_deref() == Some("RED") {
        warn(
            "",
            "people block or report its messages: quality rating RED",
            "look at WhatsApp Manager > Insights; a number that stays RED is limited",
        );
    }
    troubles
}

/// Says what the answer about an app means: whether the secret is its own.
///
/// # Errors
/// In words, where that is not known.
pub fn about_app(about: &Result<(), ProviderError>) -> Result<Option<Trouble>, String> {
    match about {
        Ok(()) => Ok(None),
        // 1 with HTTP 500 would be trouble of the provider's own.
        Err(ProviderError::Refused {
            code: 1 | 100 | 101 | 190,
            http_status: 400..=403,
            title,
            ..
        }) => Ok(Some(Trouble {
            level: Level::Error,
            key: "app_secret",
            message: format!(
                "is not the secret of app_id, so every webhook will be refused: {title}"
            ),
            fix: "copy app_id and app_secret from App settings > Basic of the app",
        })),
        Err(error) => Err(error.to_string()),
    }
}

type Explained = (Level, &'static str, String, &'static str);

const NOT_GRAPH: &str = "does not answer as the Graph API does";
const META_URL: &str = "correct api_url: Meta's is https://graph.facebook.com";

/// Explains a failed call; `provider/cloud/errors.rs` says where the codes are from.
fn explain(error: &ProviderError, number: &Number) -> Explained {
    const NUMBER: &str = "phone_number_id";
    let ProviderError::Refused { code, http_status: status, title, .. } = error else {
        return explain_no_answer(error, number);
    };
    match (code, status) {
        (190, _) | (0, 401) => (
            Level::Error,
            "access_token",
            format!("the provider refuses the token: {title}"),
            "make a system-user token with whatsapp_business_messaging, write it to access_token \
             or its file, and reload hark serve: kill -HUP, or a restart where systemd hands it over",
        ),
        (33 | 100, _) => (
            Level::Error,
            NUMBER,
            format!("the token sees no number of this id: {title}"),
            "copy the \"Phone number ID\" from the app's WhatsApp > API Setup (it is neither the \
             phone number nor the account's id), and assign the account to the token's system user",
        ),
        (3 | 10 | 200..=299 | 131_005, _) => (
            Level::Error,
            "access_token",
            format!("the token lacks a permission: {title}"),
            "give its system user the WhatsApp account, and the token whatsapp_business_messaging \
             and whatsapp_business_management",
        ),
        (2500, _) => (
            Level::Error,
            "api_version",
            format!("the provider does not know this version: {title}"),
            "leave api_version out, or write one that Meta lists, such as v25.0",
        ),
        (368 | 131_031 | 130_497, _) => (
            Level::Error,
            NUMBER,
            format!("the account is restricted: {title}"),
            "look at WhatsApp Manager > Account quality",
        ),
        (4 | 80007 | 130_429, _) | (0, 429) => (
            Level::Warning,
            NUMBER,
            format!("the provider's rate limit is reached: {title}"),
            "wait some minutes and run hark doctor again",
        ),
        (1 | 2 | 131_000 | 131_016 | 133_004 | 131_057 | 2_494_100, _) | (_, 500..) => (
            Level::Warning,
            NUMBER,
            format!("the provider has trouble of its own: {error}"),
            "run hark doctor again in some minutes; see https://metastatus.com",
        ),
        (0, _) => {
            let message = format!("{} {NOT_GRAPH}: HTTP {status}", number.api_url());
            (Level::Error, "api_url", message, META_URL)
        }
        _ => (
            Level::Error,
            NUMBER,
            error.to_string(),
            "look the code up in Meta's list of WhatsApp error codes",
        ),
    }
}

/// Explains a call that the Graph API did not answer.
fn explain_no_answer(error: &ProviderError, number: &Number) -> Explained {
    let host = number.api_url();
    let (message, fix) = match error {
        ProviderError::Network(why) | ProviderError::Unreachable(why) => (
            format!("{host} could not be reached: {why}"),
            if number.provider == ProviderKind::Simulator {
                "start `hark simulate`, or correct api_url"
            } else if why.contains("certificate") {
                "apt-get install ca-certificates, and look at the clock; a proxy that opens TLS \
                 must not be in between"
            } else {
                "check api_url, and that this machine may open connections to it"
            },
        ),
        other => (format!("{host} {NOT_GRAPH}: {other}"), META_URL),
    };
    (Level::Error, "api_url", message, fix)
}

/// Keeps the digits of a phone number, however it is written.
fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}
