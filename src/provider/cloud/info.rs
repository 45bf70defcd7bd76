//! What Meta knows of a number and of an app: for who looks at a set-up before it serves.
//!
//! Reads only: nothing is changed, and nobody gets a message. Invariant: as everywhere here, no
//! token is part of an address or of an error.

use std::time::UNIX_EPOCH;

use reqwest::header::{DATE, HeaderMap};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use url::Url;

use super::{MetaCloud, json_of, network};
use crate::provider::ProviderError;
use crate::turn::Personal;

/// An answer, and what time it was at the provider.
#[derive(Debug)]
pub struct Answered<T> {
    /// The answer's `Date`, Unix milliseconds; `None` if there was no answer or none in it.
    pub server_ms: Option<i64>,
    /// What was asked for.
    pub result: Result<T, ProviderError>,
}

/// What Meta knows of a number; everything may be missing.
#[derive(Clone, Debug, Default)]
pub struct NumberInfo {
    /// The phone number as people see it.
    pub display_number: Option<Personal>,
    /// `GREEN`, `YELLOW`, `RED` or `UNKNOWN`: what people think of its messages.
    pub quality: Option<String>,
}

impl MetaCloud {
    /// Asks what Meta knows of the number, by `GET /{number}`.
    pub async fn number_info(&self) -> Answered<NumberInfo> {
        const FIELDS: &str = "display_phone_number,verified_name,quality_rating";
        let number = &self.settings.phone_number_id.0;
        let token = self.token.current();
        let answered = self.look_at(number, FIELDS, token.expose_secret()).await;
        let result = answered.result.map(|answer| {
            let text = |key: &str| answer[key].as_str().map(str::to_owned);
            NumberInfo {
                display_number: answer["display_phone_number"].as_str().map(Into::into),
                quality: text("quality_rating"),
            }
        });
        Answered { server_ms: answered.server_ms, result }
    }

    /// Asks whether `app_secret` is the app's, by `GET /{app}` with the app's own access token,
    /// `app_id|app_secret`. Source: Meta docs, access tokens, "app access tokens".
    pub async fn app_info(&self, app_id: &str, app_secret: &SecretString) -> Answered<()> {
        let token = format!("{app_id}|{}", app_secret.expose_secret());
        let answered = self.look_at(app_id, "id", &token).await;
        Answered { server_ms: answered.server_ms, result: answered.result.map(|_| ()) }
    }

    async fn look_at(&self, id: &str, fields: &str, token: &str) -> Answered<Value> {
        let Some(mut url) = self.endpoint(&[id]) else {
            let odd = ProviderError::Unexpected("api_url or the id cannot be a path".to_owned());
            return Answered { server_ms: None, result: Err(odd) };
        };
        url.query_pairs_mut().append_pair("fields", fields);
        self.get(url, token).await
    }

    async fn get(&self, url: Url, token: &str) -> Answered<Value> {
        match self.client.get(url).bearer_auth(token).send().await {
            Err(error) => Answered { server_ms: None, result: Err(network(error)) },
            Ok(response) => Answered {
                server_ms: date_ms(response.headers()),
                result: json_of(response, token).await,
            },
        }
    }
}

fn date_ms(headers: &HeaderMap) -> Option<i64> {
    let date = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()?;
    i64::try_from(date.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()
}
