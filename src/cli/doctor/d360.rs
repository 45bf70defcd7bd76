//! A number at 360dialog: is the key good, and do its webhooks come here? `--fix` registers them.

use secrecy::SecretString;
use tokio::time::timeout;
use url::Url;

use super::TIME_LIMIT;
use crate::engine::Check;
use crate::provider::ProviderError;
use crate::provider::cloud::{CloudClient, NumberInfo};
use crate::registry::Number;

/// Reports what 360dialog said of the number, and registers `webhook` if `mend` is to do so.
pub(super) async fn report(
    check: &mut Check,
    place: &str,
    number: &Number,
    about: Result<NumberInfo, ProviderError>,
    webhook: Option<Url>,
    mend: Option<&CloudClient>,
) {
    let registered = match about {
        Ok(info) => info.webhook,
        Err(error) => return refused(check, place, number, &error),
    };
    check.well(format!("{place} has a key that {} takes", number.api_url()));
    let Some(webhook) = webhook else {
        return check.skipped(format!(
            "{place}: its webhook is not looked at, since server.public_url is not set"
        ));
    };
    if let Some(provider) = mend {
        let header = number.webhook_header();
        let shows = number.webhook_secret.as_ref().map(|secret| (header.as_str(), secret));
        return register(check, place, provider, &webhook, shows).await;
    }
    if registered.as_ref() == Some(&webhook) {
        check.well(format!("{place} has its webhooks sent to {webhook}"));
    } else {
        check.error(
            place,
            format!("360dialog does not send its webhooks to {webhook}"),
            "run hark doctor --fix, or write this address into 360dialog's Hub; a number whose \
             webhook_secret changed needs it too",
        );
    }
}

async fn register(
    check: &mut Check,
    place: &str,
    provider: &CloudClient,
    webhook: &Url,
    shows: Option<(&str, &SecretString)>,
) {
    let key = place;
    let fix = "write the address into 360dialog's Hub (WhatsApp Channel > Channel Webhook)";
    match timeout(TIME_LIMIT, provider.register_webhook(webhook, shows)).await {
        Ok(Ok(())) => check.well(format!("{key} now has its webhooks sent to {webhook}")),
        Ok(Err(error)) => {
            check.error(key, format!("its webhook was not registered: {error}"), fix);
        }
        Err(_late) => {
            let late = format!("360dialog did not answer within {} s", TIME_LIMIT.as_secs());
            check.error(key, late, fix);
        }
    }
}

fn refused(check: &mut Check, place: &str, number: &Number, error: &ProviderError) {
    let host = number.api_url();
    let key = |name: &str| format!("{place}.{name}");
    match error {
        ProviderError::Refused { http_status: 401, title, .. } => check.error(
            key("access_token"),
            format!("360dialog refuses the key: {title}"),
            "make a new API key in 360dialog's Hub and write it to access_token or its file; then \
             run hark doctor --fix, since a new key forgets the webhook",
        ),
        ProviderError::Refused { http_status: 404 | 405, .. } => check.skipped(format!(
            "{place}: {host} does not show its webhook setting; the key is not checked"
        )),
        ProviderError::Refused { http_status: 429 | 500.., .. } => check.warning(
            key("access_token"),
            format!("360dialog cannot say whether the key is good: {error}"),
            "run hark doctor again in some minutes; see https://status.360dialog.com",
        ),
        ProviderError::Refused { fix, .. } => check.error(
            key("access_token"),
            error.to_string(),
            fix.unwrap_or("look at the number in 360dialog's Hub"),
        ),
        _ => check.error(
            key("api_url"),
            format!("{host} could not be asked: {error}"),
            "check api_url (360dialog's is https://waba-v2.360dialog.io), and that this machine \
             may open connections to it",
        ),
    }
}
