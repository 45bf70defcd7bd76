//! The providers' side of each number: is the token good, the id right, the app secret the app's?
//!
//! One call a number that changes nothing, and one for each app; never more than two a second.

use std::time::Duration;

use secrecy::ExposeSecret as _;
use tokio::time::{sleep, timeout};

use super::{TIME_LIMIT, d360};
use crate::clock::Clock;
use crate::config::Config;
use crate::engine::{Check, Level};
use crate::provider::ProviderError;
use crate::provider::cloud::{Answered, CloudClient, CloudSettings, NumberInfo};
use crate::registry::{Number, NumberStatus, ProviderKind};
use crate::turn::Personal;

/// Between two calls: two a second.
const PAUSE: Duration = Duration::from_millis(500);

/// Asks the provider about each number and its app. Also returns what the providers' clocks showed less ours, milliseconds.
pub(super) async fn check(
    config: &Config,
    client: &reqwest::Client,
    fix: bool,
) -> (Check, Vec<i64>) {
    let (mut check, mut offsets) = (Check::new("numbers"), Vec::new());
    // Each app once, by its address, id and secret.
    let mut apps = Vec::new();
    let mut asked_before = false;
    for (index, number) in config.numbers.iter().enumerate() {
        if number.status == NumberStatus::Paused {
            check.skipped(format!("numbers[{index}] is paused: not asked"));
            continue;
        }
        if number.access_token.is_none() || number.phone_number_id.0.is_empty() {
            check.skipped(format!("numbers[{index}] has no id or no access token: not asked"));
            continue;
        }
        let provider = CloudClient::new(CloudSettings::from_number(number, 0), client.clone());
        if asked_before {
            sleep(PAUSE).await;
        }
        asked_before = true;
        let about = in_time(provider.number_info(), &mut offsets).await;
        if number.provider == ProviderKind::D360 {
            let webhook = config.server.callback_url_360dialog();
            d360::report(&mut check, index, number, about, webhook, fix.then_some(&provider)).await;
            continue;
        }
        let answered =
            !matches!(about, Err(ProviderError::Network(_) | ProviderError::Unreachable(_)));
        report_number(&mut check, index, number, about);
        let (Some(id), Some(secret)) = (&number.app_id, &number.app_secret) else {
            check.skipped(format!(
                "numbers[{index}].app_secret: not checked, since numbers[{index}].app_id is not \
                 set. With it the doctor asks Meta whether the two belong together; a wrong \
                 secret has every webhook refused (401)"
            ));
            continue;
        };
        let app = (number.api_url().to_string(), id.as_str(), secret.expose_secret());
        if answered && !apps.contains(&app) {
            apps.push(app);
            sleep(PAUSE).await;
            let about = in_time(provider.app_info(id, secret), &mut offsets).await;
            report_app(&mut check, index, about);
        }
    }
    if config.numbers.is_empty() {
        check.skipped("no number to ask about");
    }
    (check, offsets)
}

/// Asks within the time limit and notes how the clocks differ.
async fn in_time<T>(
    call: impl Future<Output = Answered<T>>,
    offsets: &mut Vec<i64>,
) -> Result<T, ProviderError> {
    let before_ms = Clock::System.now_ms();
    let Ok(answered) = timeout(TIME_LIMIT, call).await else {
        let late = format!("no answer within {} s", TIME_LIMIT.as_secs());
        return Err(ProviderError::Network(late));
    };
    if let Some(server_ms) = answered.server_ms {
        let ours_ms = i64::midpoint(before_ms, Clock::System.now_ms());
        offsets.push(server_ms - ours_ms);
    }
    answered.result
}

fn report_number(
    check: &mut Check,
    index: usize,
    number: &Number,
    about: Result<NumberInfo, ProviderError>,
) {
    let info = match about {
        Ok(info) => info,
        Err(error) => {
            let (level, key, message, fix) = explain(&error, number);
            let key = format!("numbers[{index}].{key}");
            return check.found(level, key, message, fix.to_owned());
        }
    };
    let shown = info.display_number.as_ref().map(|number| digits(Personal::reveal(number)));
    let configured = number.display_number.as_deref().map(digits);
    if let (Some(shown), Some(configured)) = (shown, configured)
        && shown != configured
    {
        check.warning(
            format!("numbers[{index}].display_number"),
            "is not the number that the provider has for this phone_number_id",
            "correct display_number, or phone_number_id if it is another number's",
        );
    }
    if info.quality.as_deref() == Some("RED") {
        check.warning(
            format!("numbers[{index}]"),
            "people block or report its messages: quality rating RED",
            "look at WhatsApp Manager > Insights; a number that stays RED is limited",
        );
    }
    let quality = info.quality.as_deref().unwrap_or("unknown");
    check.well(format!("numbers[{index}] is known to {}, quality {quality}", number.api_url()));
}

fn report_app(check: &mut Check, index: usize, about: Result<(), ProviderError>) {
    match about {
        Ok(()) => check.well(format!("numbers[{index}].app_secret is the app's")),
        // 1 with HTTP 500 would be trouble of the provider's own.
        Err(ProviderError::Refused {
            code: 1 | 100 | 101 | 190,
            http_status: 400..=403,
            title,
            ..
        }) => check.error(
            format!("numbers[{index}].app_secret"),
            format!("is not the secret of app_id, so every webhook will be refused: {title}"),
            "copy app_id and app_secret from App settings > Basic of the app",
        ),
        Err(error) => check.skipped(format!("numbers[{index}].app_secret: not known: {error}")),
    }
}

/// Says what a failed call means to the operator: how bad it is, the key to look at, what is wrong
/// and how to mend it.
type Trouble = (Level, &'static str, String, &'static str);

const NOT_GRAPH: &str = "does not answer as the Graph API does";
const META_URL: &str = "correct api_url: Meta's is https://graph.facebook.com";

/// Explains a failed call; `provider/cloud/errors.rs` says where the codes are from.
fn explain(error: &ProviderError, number: &Number) -> Trouble {
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
fn explain_no_answer(error: &ProviderError, number: &Number) -> Trouble {
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
