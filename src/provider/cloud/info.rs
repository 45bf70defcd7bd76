//! What the provider knows of a number and of an app: for who looks at a set-up before it serves.
//!
//! Nobody gets a message, and nothing is changed but a subscription or a webhook that is asked for.
//! Invariant: as everywhere here, no token is part of an address or of an error.

use std::time::UNIX_EPOCH;

use reqwest::header::HeaderMap;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use url::Url;

use super::client::{CloudClient, read_json};
use crate::provider::ProviderError;
use crate::remote::waits::server_date;
use crate::turn::Personal;

/// Holds an answer, and what time it was at the provider.
#[derive(Debug)]
pub struct Answered<T> {
    /// The answer's `Date`, Unix milliseconds; `None` if there was no answer or none in it.
    pub server_ms: Option<i64>,
    /// What was asked for.
    pub result: Result<T, ProviderError>,
}

/// Holds what the provider knows of a number; everything may be missing.
#[derive(Clone, Debug, Default)]
pub struct NumberInfo {
    /// The phone number as people see it.
    pub display_number: Option<Personal>,
    /// `GREEN`, `YELLOW`, `RED` or `UNKNOWN`: what people think of its messages.
    pub quality: Option<String>,
    /// Where a reseller sends its webhooks; Meta's are set for an app and not for a number.
    pub webhook: Option<Url>,
}

impl CloudClient {
    /// Asks what the provider knows of the number.
    pub async fn number_info(&self) -> Answered<NumberInfo> {
        let token = self.token.current();
        let answered = self.look_at(self.settings.access.number(), &token).await;
        let result = answered.result.map(|answer| NumberInfo {
            display_number: answer["display_phone_number"].as_str().map(Into::into),
            quality: answer["quality_rating"].as_str().map(str::to_owned),
            webhook: answer["url"].as_str().and_then(|url| Url::parse(url).ok()),
        });
        Answered { server_ms: answered.server_ms, result }
    }

    /// Asks whether `app_secret` is the app's, with the app's own access token,
    /// `app_id|app_secret`. Source: Meta docs, access tokens, "app access tokens".
    pub async fn app_info(&self, app_id: &str, app_secret: &SecretString) -> Answered<()> {
        let token = format!("{app_id}|{}", app_secret.expose_secret()).into();
        let answered = self.look_at(self.settings.access.app(app_id), &token).await;
        Answered { server_ms: answered.server_ms, result: answered.result.map(|_| ()) }
    }

    /// Lets the token's app get the webhooks of an account. Doing it again changes nothing.
    /// Source: Meta docs, `POST /{WABA}/subscribed_apps`.
    ///
    /// # Errors
    /// What the provider says.
    pub async fn subscribe(&self, business_id: &str) -> Result<(), ProviderError> {
        let url = self.settings.access.subscriptions(business_id);
        let odd = || ProviderError::Unexpected("business_id cannot be a path".to_owned());
        self.call(self.client.post(url.ok_or_else(odd)?)).await.map(drop)
    }

    /// Has 360dialog send the number's webhooks to `webhook`, with the header `shows` and its value.
    /// It takes the place of what was registered before, headers too.
    ///
    /// # Errors
    /// What 360dialog says; `NotBuilt` at Meta, whose webhooks belong to an app.
    pub async fn register_webhook(
        &self,
        webhook: &Url,
        shows: Option<(&str, &SecretString)>,
    ) -> Result<(), ProviderError> {
        let Some(url) = self.settings.access.webhook() else {
            return Err(ProviderError::NotBuilt { kind: "a webhook registration" });
        };
        let mut body = json!({ "url": webhook.as_str() });
        if let Some((name, secret)) = shows {
            body["headers"] = json!({ name: secret.expose_secret() });
        }
        self.call(self.client.post(url).json(&body)).await?;
        Ok(())
    }

    async fn look_at(&self, url: Option<Url>, token: &SecretString) -> Answered<Value> {
        let Some(url) = url else {
            let odd = ProviderError::Unexpected("api_url or the id cannot be a path".to_owned());
            return Answered { server_ms: None, result: Err(odd) };
        };
        let answer = self.respond_as(self.client.get(url), token).await;
        let server_ms = answer.as_ref().ok().and_then(|response| date_ms(response.headers()));
        let result = match answer {
            Ok(response) if response.status().is_success() => read_json(response).await,
            Ok(response) => Err(self.refused_as(response, token).await),
            Err(error) => Err(error),
        };
        Answered { server_ms, result }
    }
}

fn date_ms(headers: &HeaderMap) -> Option<i64> {
    let since = server_date(headers)?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok()
}
