//! The providers' side of each number: is the token good, the id right, the app secret the app's?
//!
//! One call a number that changes nothing, and one for each app; never more than two a second.

use std::time::Duration;

use secrecy::ExposeSecret as _;
use tokio::time::{sleep, timeout};

use super::{TIME_LIMIT, d360};
use crate::clock::Clock;
use crate::config::Config;
use crate::engine::Check;
use crate::provider::ProviderError;
use crate::provider::cloud::checkup::{self, Trouble};
use crate::provider::cloud::{Answered, CloudClient, CloudSettings, NumberInfo};
use crate::registry::{Number, NumberStatus, ProviderKind};

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
        let place = &config.number_place(index);
        if number.status == NumberStatus::Paused {
            check.skipped(format!("{place} is paused: not asked"));
            continue;
        }
        if number.access_token.is_none() || number.phone_number_id.0.is_empty() {
            check.skipped(format!("{place} has no id or no access token: not asked"));
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
            d360::report(&mut check, place, number, about, webhook, fix.then_some(&provider)).await;
            continue;
        }
        let answered =
            !matches!(about, Err(ProviderError::Network(_) | ProviderError::Unreachable(_)));
        report_number(&mut check, place, number, &about);
        let (Some(id), Some(secret)) = (&number.app_id, &number.app_secret) else {
            check.skipped(format!(
                "{place}.app_secret: not checked, since {place}.app_id is not \
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
            report_app(&mut check, place, &about);
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
    place: &str,
    number: &Number,
    about: &Result<NumberInfo, ProviderError>,
) {
    for trouble in checkup::about_number(number, about) {
        report(check, place, trouble);
    }
    if let Ok(info) = about {
        let quality = info.quality.as_deref().unwrap_or("unknown");
        check.well(format!("{place} is known to {}, quality {quality}", number.api_url()));
    }
}

fn report_app(check: &mut Check, place: &str, about: &Result<(), ProviderError>) {
    match checkup::about_app(about) {
        Ok(None) => check.well(format!("{place}.app_secret is the app's")),
        Ok(Some(trouble)) => report(check, place, trouble),
        Err(why) => check.skipped(format!("{place}.app_secret: not known: {why}")),
    }
}

fn report(check: &mut Check, place: &str, Trouble { level, key, message, fix }: Trouble) {
    let key = match key {
        "" => place.to_owned(),
        key => format!("{place}.{key}"),
    };
    check.found(level, key, message, fix.to_owned());
}
