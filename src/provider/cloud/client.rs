//! One number's client: sends, reads answers, and renews a token that is refused.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use reqwest::RequestBuilder;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::time::timeout;
use url::Url;

use super::access::CloudAccess;
use super::errors;
use super::hosts::TokenHosts;
use super::message::message_body;
use super::token::Token;
use crate::audio::OggOpus;
use crate::provider::{Messenger, Outgoing, OutgoingFile, ProviderError};
use crate::registry::Number;
use crate::remote::{SILENCE, failure};
use crate::turn::{MediaId, MediaRef, MessageId, Retry};

/// Longest JSON answer read; Graph's own have a few hundred bytes.
const ANSWER_LIMIT: usize = 1 << 20;
/// Wait before the next try once a new token was found.
pub(super) const RENEWED: Duration = Duration::from_secs(1);

/// Describes how one number is served.
#[derive(Clone, Debug)]
pub struct CloudSettings {
    /// Where the number is reached, and by whose rules.
    pub access: CloudAccess,
    /// Shows who calls.
    pub access_token: SecretString,
    /// Where a new token is looked for when this one is refused.
    pub access_token_file: Option<PathBuf>,
    /// Older tokens that are still valid, newest first.
    pub former_tokens: Vec<SecretString>,
    /// Hosts beside the API's that media may be fetched from with the token: `host` or
    /// `host:port`.
    pub media_hosts: Vec<String>,
    /// Most bytes read of one media file.
    pub audio_bytes_limit: u64,
}

impl CloudSettings {
    /// Takes what a number says of itself; at most `audio_bytes_limit` of one media file are read.
    pub fn from_number(number: &Number, audio_bytes_limit: u64) -> Self {
        Self {
            access: CloudAccess::from_number(number),
            access_token_file: number.access_token_file.clone(),
            former_tokens: number.former.access_tokens.clone(),
            access_token: number.access_token.clone().unwrap_or_default(),
            media_hosts: number.media_hosts(),
            audio_bytes_limit,
        }
    }
}

/// Speaks for one number at the Cloud API.
#[derive(Clone, Debug)]
pub struct CloudClient {
    pub(super) settings: CloudSettings,
    pub(super) hosts: TokenHosts,
    pub(super) token: Arc<Token>,
    pub(super) client: reqwest::Client,
}

/// Holds the token that a request was sent with; kept in its response's extensions.
#[derive(Clone)]
struct SentWith(SecretString);

impl CloudClient {
    /// Makes the messenger of one number; `client` is
    /// [`http_client`](crate::remote::http_client)'s.
    #[must_use]
    pub fn new(settings: CloudSettings, client: reqwest::Client) -> Self {
        // 360dialog's key goes to 360dialog alone, which hands Meta's files out.
        let media_hosts = match &settings.access {
            CloudAccess::Meta { .. } => settings.media_hosts.as_slice(),
            CloudAccess::D360 { .. } => &[],
        };
        let hosts = TokenHosts::new(settings.access.api_url(), media_hosts);
        let token = Token::new(settings.access_token.clone(), settings.access_token_file.clone())
            .or_former(settings.former_tokens.clone());
        Self { settings, hosts, token: Arc::new(token), client }
    }

    /// Returns the address of one of the number's edges.
    pub(super) fn edge(&self, edge: &str) -> Result<Url, ProviderError> {
        let url = self.settings.access.edge(edge);
        url.ok_or_else(|| ProviderError::Unexpected("api_url cannot have a path".to_owned()))
    }

    /// Sends a request with the token.
    pub(super) async fn respond(
        &self,
        request: RequestBuilder,
    ) -> Result<reqwest::Response, ProviderError> {
        let token = self.token.current();
        let mut response = self.respond_as(request, &token).await?;
        response.extensions_mut().insert(SentWith(token));
        Ok(response)
    }

    /// Sends a request with a token that may be another than the number's.
    pub(super) async fn respond_as(
        &self,
        request: RequestBuilder,
        token: &SecretString,
    ) -> Result<reqwest::Response, ProviderError> {
        let request = self.settings.access.authorise(request, token.expose_secret());
        answered(request.send()).await
    }

    /// Sends a request and reads its JSON answer.
    pub(super) async fn call(&self, request: RequestBuilder) -> Result<Value, ProviderError> {
        let response = self.respond(request).await?;
        if response.status().is_success() {
            return read_json(response).await;
        }
        Err(self.refused(response).await)
    }

    /// Judges a refusal. Where the set-up is at fault another token is looked for in its file: if
    /// there is one, the same call is worth a try at once.
    pub(super) async fn refused(&self, response: reqwest::Response) -> ProviderError {
        let sent_with = response.extensions().get::<SentWith>().cloned();
        let SentWith(token) = sent_with.unwrap_or_else(|| SentWith(self.token.current()));
        let mut error = self.refused_as(response, &token).await;
        if error.fix().is_some()
            && self.token.renewed(&token).await
            && let ProviderError::Refused { retry, .. } = &mut error
        {
            *retry = Retry::After(RENEWED);
        }
        error
    }

    /// Judges a refusal of a request that carried `token`.
    pub(super) async fn refused_as(
        &self,
        response: reqwest::Response,
        token: &SecretString,
    ) -> ProviderError {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        // The status says enough if the body cannot be read.
        let body = failure::body(response).await;
        let access = &self.settings.access;
        errors::refusal(access, status, &headers, &body, token.expose_secret())
    }
}

#[async_trait]
impl Messenger for CloudClient {
    async fn read_and_typing(&self, message: &MessageId) -> Result<(), ProviderError> {
        let body = json!({
            "messaging_product": "whatsapp",
            "status": "read",
            "message_id": message,
            "typing_indicator": { "type": "text" },
        });
        self.call(self.client.post(self.edge("messages")?).json(&body)).await?;
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

    async fn upload_file(&self, file: OutgoingFile) -> Result<MediaId, ProviderError> {
        self.upload_any(file).await
    }

    async fn send(&self, message: Outgoing) -> Result<MessageId, ProviderError> {
        let body = message_body(&message)?;
        let answer = self.call(self.client.post(self.edge("messages")?).json(&body)).await?;
        id_of(&answer["messages"][0]["id"])
            .map(MessageId)
            .ok_or_else(|| ProviderError::Unexpected("sent without a message id".to_owned()))
    }
}

/// Waits for a part of an answer. Time in which nobody waits for it does not count: a machine that is
/// busy with other notes is no silence of the provider's.
pub(super) async fn answered<T>(
    part: impl Future<Output = reqwest::Result<T>>,
) -> Result<T, ProviderError> {
    match timeout(SILENCE, part).await {
        Ok(part) => part.map_err(ProviderError::network),
        Err(_late) => Err(ProviderError::silent()),
    }
}

/// Reads the JSON of an answer, but no more than [`ANSWER_LIMIT`].
pub(super) async fn read_json(mut response: reqwest::Response) -> Result<Value, ProviderError> {
    let mut body = Vec::new();
    while let Some(bytes) = answered(response.chunk()).await? {
        if body.len() + bytes.len() > ANSWER_LIMIT {
            return Err(ProviderError::Unexpected("answer is longer than 1 MiB".to_owned()));
        }
        body.extend_from_slice(&bytes);
    }
    serde_json::from_slice(&body)
        .map_err(|_| ProviderError::Unexpected("answer is not JSON".to_owned()))
}

/// Reads an id of an answer, which may be a string or a number.
pub(super) fn id_of(value: &Value) -> Option<String> {
    match value {
        Value::String(id) if !id.is_empty() => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}
