//! The providers' side of each number: is the token good, the id right, the app secret the app's?
//!
//! One call a number that changes nothing, and one for each app; never more than two a second.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::{sleep, timeout};

use super::TIME_LIMIT;
use crate::clock::Clock;
use crate::config::Config;
use crate::engine::{Check, Level};
use crate::provider::ProviderError;
use crate::provider::cloud::{Answered, CloudClient, CloudSettings, NumberInfo};
use crate::registry::{Number, NumberStatus, ProviderKind};
use crate::turn::Personal;

/// Between two calls: two a second.
const PAUSE: Duration = Duration::from_millis(500);

/// An app at one address: its id and secret.
type App<'a> = (String, &'a str, &'a SecretString);

/// Also returns what the providers' clocks showed less ours, milliseconds.
pub(super) async fn check(config: &Config, client: &reqwest::Client) -> (Check, Vec<i64>) {
    let (mut check, mut offsets) = (Check::new("numbers"), Vec::new());
    let mut apps: Vec<App<'_>> = Vec::new();
    let mut asked_before = false;
    for (index, number) in config.numbers.iter().enumerate() {
        if number.status == NumberStatus::Paused {
            check.skipped(format!("numbers[{index}] is paused: not asked"));
            continue;
        }
        let provider = CloudClient::new(CloudSettings::of(number, 0), client.clone());
        if asked_before {
            sleep(PAUSE).await;
        }
        asked_before = true;
        let about = in_time(provider.number_info(), &mut offsets).await;
        let answered = !matches!(about, Err(ProviderError::Network(_)));
        told(&mut check, index, number, about);
        let Some(app) = app_of(number).filter(|_| answered) else { continue };
        let same = |known: &App<'_>| {
            (&known.0, known.1, known.2.expose_secret()) == (&app.0, app.1, app.2.expose_secret())
        };
        if !apps.iter().any(same) {
            sleep(PAUSE).await;
            let about = in_time(provider.app_info(app.1, app.2), &mut offsets).await;
            told_of_app(&mut check, index, about);
            apps.push(app);
        }
    }
    if config.numbers.is_empty() {
        check.skipped("no number to ask about");
    }
    (check, offsets)
}

fn app_of(number: &Number) -> Option<App<'_>> {
    let (id, secret) = (number.app_id.as_deref()?, number.app_secret.as_ref()?);
    Some((number.api_url().to_string(), id, secret))
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

fn told(
    check: &mut Check,
    index: usize,
    number: &Number,
    about: Result<NumberInfo, ProviderError>,
) {
    let info = match about {
        Ok(info) => info,
        Err(error) => {
            let Trouble { level, key, message, fix } = Trouble::of(&error, number);
            return check.found(level, format!("numbers[{index}].{key}"), message, fix);
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

fn told_of_app(check: &mut Check, index: usize, about: Result<(), ProviderError>) {
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

/// What a refused call means to the operator.
struct Trouble {
    level: Level,
    key: &'static str,
    message: String,
    fix: String,
}

impl Trouble {
    /// The codes are those of `provider/cloud/errors.rs`.
    fn of(error: &ProviderError, number: &Number) -> Self {
        let host = number.api_url();
        let (code, status, title) = match error {
            ProviderError::Refused { code, http_status, title, .. } => (*code, *http_status, title),
            ProviderError::Network(why) => {
                let fix = match number.provider {
                    ProviderKind::Simulator => "start `hark simulate`, or correct api_url",
                    _ if why.contains("certificate") => {
                        "apt-get install ca-certificates, and look at the clock; a proxy that \
                         opens TLS must not stand in between"
                    }
                    _ => "check api_url, and that this machine may open connections to it",
                };
                let message = format!("{host} could not be reached: {why}");
                return Self::error("api_url", message, fix);
            }
            other => {
                return Self::error(
                    "api_url",
                    format!("{host} does not answer as the Graph API does: {other}"),
                    "correct api_url: Meta's is https://graph.facebook.com",
                );
            }
        };
        match (code, status) {
            (190, _) | (0, 401) => Self::error(
                "access_token",
                format!("the provider refuses the token: {title}"),
                "make a system-user token with whatsapp_business_messaging, write it to \
                 access_token or its file, and restart hark serve",
            ),
            (33 | 100, _) => Self::error(
                "phone_number_id",
                format!("the token sees no number of this id: {title}"),
                "copy the \"Phone number ID\" from the app's WhatsApp > API Setup (it is neither \
                 the phone number nor the account's id), and assign the account to the \
                 token's system user",
            ),
            (3 | 10 | 200..=299 | 131_005, _) => Self::error(
                "access_token",
                format!("the token lacks a permission: {title}"),
                "give its system user the WhatsApp account, and the token \
                 whatsapp_business_messaging and whatsapp_business_management",
            ),
            (2500, _) => Self::error(
                "api_version",
                format!("the provider does not know this version: {title}"),
                "leave api_version out, or write one that Meta lists, such as v25.0",
            ),
            (368 | 131_031 | 130_497, _) => Self::error(
                "phone_number_id",
                format!("the account is restricted: {title}"),
                "look at WhatsApp Manager > Account quality",
            ),
            (4 | 80007 | 130_429, _) | (0, 429) => Self::warning(
                format!("the provider's rate limit is reached: {title}"),
                "wait some minutes and run hark doctor again",
            ),
            (1 | 2 | 131_000 | 131_016 | 133_004 | 131_057 | 2_494_100, _) | (_, 500..) => {
                Self::warning(
                    format!("the provider has trouble of its own: {error}"),
                    "run hark doctor again in some minutes; see https://metastatus.com",
                )
            }
            (0, _) => Self::error(
                "api_url",
                format!("{host} does not answer as the Graph API does: HTTP {status}"),
                "correct api_url: Meta's is https://graph.facebook.com",
            ),
            _ => Self::error(
                "phone_number_id",
                error.to_string(),
                "look the code up in Meta's list of WhatsApp error codes",
            ),
        }
    }

    fn error(key: &'static str, message: String, fix: &str) -> Self {
        Self { level: Level::Error, key, message, fix: fix.to_owned() }
    }

    fn warning(message: String, fix: &str) -> Self {
        Self { level: Level::Warning, key: "phone_number_id", message, fix: fix.to_owned() }
    }
}

fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}
