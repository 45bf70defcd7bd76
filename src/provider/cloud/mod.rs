//! Meta's Cloud API over HTTP: the [`Messenger`] of a real number, and of the simulator's.
//!
//! Invariant: an error never holds the token, an address or a text.

mod errors;
mod hosts;
mod info;
mod media;
mod token;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use reqwest::RequestBuilder;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use url::Url;

use crate::audio::OggOpus;
use crate::provider::{Messenger, Outgoing, ProviderError};
use crate::turn::{Content, MediaId, MediaRef, MessageId, Personal, PhoneNumberId, Retry};

use token::Token;

pub use errors::retry_of;
pub use info::{Answered, NumberInfo};

/// Longest JSON answer read; Graph's own have a few hundred bytes.
const ANSWER_LIMIT: usize = 1 << 20;

/// How one number reaches the Cloud API.
#[derive(Clone, Debug)]
pub struct MetaSettings {
    /// `https://graph.facebook.com`, a proxy or a fake; may have a path.
    pub api_url: Url,
    /// `v25.0`; left out of the addresses if empty.
    pub api_version: String,
    /// The number.
    pub phone_number_id: PhoneNumberId,
    /// Sent as bearer token.
    pub access_token: SecretString,
    /// Where a new token is looked for when this one is refused.
    pub access_token_file: Option<PathBuf>,
    /// Hosts beside the API's that media may be fetched from with the token: `host` or
    /// `host:port`.
    pub media_hosts: Vec<String>,
    /// Most bytes read of one media file.
    pub audio_bytes_limit: u64,
}

/// One number at Meta's Cloud API.
#[derive(Clone, Debug)]
pub struct MetaCloud {
    settings: MetaSettings,
    hosts: hosts::TokenHosts,
    token: Arc<Token>,
    client: reqwest::Client,
}

/// The token that a request was sent with; stands in its response's extensions.
#[derive(Clone)]
struct SentWith(SecretString);

/// Wait before the next try once a new token was found.
const RENEWED: Duration = Duration::from_secs(1);

impl MetaCloud {
    /// Makes the messenger of one number; `client` is [`http_client`](crate::provider::http_client)'s.
    #[must_use]
    pub fn new(settings: MetaSettings, client: reqwest::Client) -> Self {
        let hosts = hosts::TokenHosts::new(&settings.api_url, &settings.media_hosts);
        let token = Token::new(settings.access_token.clone(), settings.access_token_file.clone());
        Self { settings, hosts, token: Arc::new(token), client }
    }

    /// The address of an object; `None` if a part cannot be a path segment.
    fn endpoint(&self, path: &[&str]) -> Option<Url> {
        let version = self.settings.api_version.trim_matches('/');
        let mut url = self.settings.api_url.clone();
        url.set_query(None);
        let mut segments = url.path_segments_mut().ok()?;
        segments.pop_if_empty();
        for part in [version].iter().filter(|version| !version.is_empty()).chain(path) {
            if matches!(*part, "" | "." | "..") {
                return None;
            }
            segments.push(part);
        }
        drop(segments);
        Some(url)
    }

    /// The address of one of the number's edges.
    fn number_endpoint(&self, edge: &str) -> Result<Url, ProviderError> {
        self.endpoint(&[&self.settings.phone_number_id.0, edge])
            .ok_or_else(|| ProviderError::Unexpected("api_url cannot have a path".to_owned()))
    }

    /// Sends a request with the token.
    async fn respond(&self, request: RequestBuilder) -> Result<reqwest::Response, ProviderError> {
        let token = self.token.current();
        let sent = request.bearer_auth(token.expose_secret()).send().await;
        let mut response = sent.map_err(network)?;
        response.extensions_mut().insert(SentWith(token));
        Ok(response)
    }

    /// Sends a request and reads its JSON answer.
    async fn call(&self, request: RequestBuilder) -> Result<Value, ProviderError> {
        let response = self.respond(request).await?;
        if response.status().is_success() {
            return json_of(response, self.token.current().expose_secret()).await;
        }
        Err(self.refused(response).await)
    }

    /// What a refusal means. A refused token is looked for anew in its file: if there is another,
    /// the same call is worth a try at once.
    async fn refused(&self, response: reqwest::Response) -> ProviderError {
        let sent_with = response.extensions().get::<SentWith>().cloned();
        let SentWith(token) = sent_with.unwrap_or_else(|| SentWith(self.token.current()));
        let error = refused(response, token.expose_secret()).await;
        match error {
            ProviderError::Refused { code, http_status, title, .. }
                if errors::is_token(code, http_status) && self.token.renewed(&token).await =>
            {
                ProviderError::Refused { code, http_status, title, retry: Retry::After(RENEWED) }
            }
            error => error,
        }
    }
}

/// Reads the JSON of an answer to a request that carried `token`.
async fn json_of(response: reqwest::Response, token: &str) -> Result<Value, ProviderError> {
    if !response.status().is_success() {
        return Err(refused(response, token).await);
    }
    let body = read_answer(response).await?;
    serde_json::from_slice(&body)
        .map_err(|_| ProviderError::Unexpected("answer is not JSON".to_owned()))
}

async fn refused(response: reqwest::Response, token: &str) -> ProviderError {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    // The status says enough if the body cannot be read.
    let body = read_answer(response).await.unwrap_or_default();
    errors::refusal(status, &headers, &body, token)
}

#[async_trait]
impl Messenger for MetaCloud {
    async fn read_and_typing(&self, message: &MessageId) -> Result<(), ProviderError> {
        let body = json!({
            "messaging_product": "whatsapp",
            "status": "read",
            "message_id": message,
            "typing_indicator": { "type": "text" },
        });
        self.call(self.client.post(self.number_endpoint("messages")?).json(&body)).await?;
        Ok(())
    }

    async fn download(
        &self,
        media: &MediaRef,
    ) -> Result<BoxStream<'static, Result<Bytes, ProviderError>>, ProviderError> {
        self.start_download(media).await
    }

    async fn upload(&self, note: OggOpus) -> Result<MediaId, ProviderError> {
        self.upload_note(note).await
    }

    async fn send(&self, message: Outgoing) -> Result<MessageId, ProviderError> {
        let body = message_body(&message)?;
        let answer =
            self.call(self.client.post(self.number_endpoint("messages")?).json(&body)).await?;
        id_of(&answer["messages"][0]["id"])
            .map(MessageId)
            .ok_or_else(|| ProviderError::Unexpected("sent without a message id".to_owned()))
    }
}

/// The JSON of `POST /{number}/messages`.
fn message_body(message: &Outgoing) -> Result<Value, ProviderError> {
    let mut body = json!({
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "biz_opaque_callback_data": message.callback_data,
    });
    let (key, value) = match (&message.to.phone, &message.to.user_id) {
        (Some(phone), _) => ("to", phone),
        (None, Some(user_id)) => ("recipient", user_id),
        (None, None) => return Err(nobody()),
    };
    body[key] = Personal::reveal(value).into();
    if let Some(reply_to) = &message.reply_to {
        body["context"] = json!({ "message_id": reply_to });
    }
    match &message.content {
        Content::Text(text) => {
            body["type"] = "text".into();
            body["text"] = json!({ "body": text });
        }
        Content::Voice(media) => {
            body["type"] = "audio".into();
            body["audio"] = json!({ "id": media, "voice": true });
        }
        // The one place that knows what cannot be sent yet.
        other => return Err(ProviderError::NotBuilt { kind: other.kind() }),
    }
    Ok(body)
}

/// What Graph would answer to a message without a recipient, without asking it.
fn nobody() -> ProviderError {
    let title = "contact has neither phone number nor user id".to_owned();
    ProviderError::Refused { code: 100, http_status: 400, title, retry: Retry::Never }
}

/// Reads an answer, but no more than [`ANSWER_LIMIT`].
async fn read_answer(mut response: reqwest::Response) -> Result<Vec<u8>, ProviderError> {
    let mut body = Vec::new();
    while let Some(bytes) = response.chunk().await.map_err(network)? {
        if body.len() + bytes.len() > ANSWER_LIMIT {
            return Err(ProviderError::Unexpected("answer is longer than 1 MiB".to_owned()));
        }
        body.extend_from_slice(&bytes);
    }
    Ok(body)
}

/// An id of an answer, which may be a string or a number.
fn id_of(value: &Value) -> Option<String> {
    match value {
        Value::String(id) if !id.is_empty() => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}

/// Keeps what went wrong and leaves the address out.
fn network(error: reqwest::Error) -> ProviderError {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    ProviderError::Network(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(api_url: &str, version: &str, expected: &str) {
        let settings = MetaSettings {
            api_url: Url::parse(api_url).unwrap(),
            api_version: version.to_owned(),
            phone_number_id: "900".into(),
            access_token: SecretString::default(),
            access_token_file: None,
            media_hosts: Vec::new(),
            audio_bytes_limit: 0,
        };
        let client = MetaCloud::new(settings, crate::provider::http_client());
        assert_eq!(client.number_endpoint("media").unwrap().as_str(), expected);
    }

    #[test]
    fn addresses_keep_the_path_of_the_api() {
        check("https://graph.example", "v25.0", "https://graph.example/v25.0/900/media");
        let proxy = "https://proxy.example/meta/v25.0/900/media";
        check("https://proxy.example/meta/?x=1", "v25.0", proxy);
        check("https://proxy.example/v24.0", "", "https://proxy.example/v24.0/900/media");
    }
}
