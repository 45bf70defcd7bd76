//! Media: look-up, streamed download, upload of a voice note.
//!
//! Invariants: the token goes only where [`TokenHosts`](super::hosts::TokenHosts) allows, and at
//! most `audio_bytes_limit` bytes of a file are read.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use reqwest::StatusCode;
use reqwest::multipart::{Form, Part};
use sha2::{Digest, Sha256};
use url::Url;

use super::client::{CloudClient, RENEWED, answered, id_of};
use crate::audio::OggOpus;
use crate::provider::{OutgoingFile, ProviderError};
use crate::turn::{MediaId, MediaRef, Retry};

/// Name of the uploaded file: Meta classifies by the ending, and takes only `.ogg` for voice.
const FILE_NAME: &str = "voice-note.ogg";
/// Type of the uploaded file; `audio/opus` would be refused after the send.
const FILE_TYPE: &str = "audio/ogg; codecs=opus";

type Chunks = BoxStream<'static, Result<Bytes, ProviderError>>;

impl CloudClient {
    pub(super) async fn start_download(&self, media: &MediaRef) -> Result<Chunks, ProviderError> {
        if let Some(url) = media.url.as_deref().and_then(|url| self.media_file(url).ok()) {
            match self.fetch(url).await? {
                Fetched::Open(response) => return self.stream(response, media),
                Fetched::Expired { .. } => {
                    tracing::debug!("address of the webhook has expired, looking it up");
                }
            }
        }
        let address = self.look_up(&media.id).await?;
        match self.fetch(self.media_file(&address)?).await? {
            Fetched::Open(response) => self.stream(response, media),
            Fetched::Expired { gone: true, error } => Err(gone(&error)),
            Fetched::Expired { gone: false, error } => Err(hidden(error)),
        }
    }

    /// Asks for the file's present address, which lives 5 minutes.
    async fn look_up(&self, id: &MediaId) -> Result<String, ProviderError> {
        let url = self.settings.access.media_look_up(id).ok_or(ProviderError::MediaGone)?;
        let answer = self.call(self.client.get(url)).await.map_err(|error| match error {
            ProviderError::Refused { http_status: 404, fix: None, .. } => gone(&error),
            _ => hidden(error),
        })?;
        let address = answer["url"].as_str().map(str::to_owned);
        address.ok_or_else(|| ProviderError::Unexpected("media look-up without a url".to_owned()))
    }

    /// Checks an address that the provider names for a file, which may be anything.
    fn media_file(&self, named: &str) -> Result<Url, ProviderError> {
        self.hosts.check(&self.settings.access.media_file(named))
    }

    async fn fetch(&self, url: Url) -> Result<Fetched, ProviderError> {
        let response = self.respond(self.client.get(url)).await?;
        let status = response.status();
        if status.is_success() {
            return Ok(Fetched::Open(response));
        }
        let gone = matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE);
        let denied = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
        // A redirect that was not followed leads to another host.
        let moved = status.is_redirection();
        let error = self.refused(response).await;
        let gone = gone && error.fix().is_none();
        if gone || denied || moved || status == StatusCode::NOT_FOUND {
            Ok(Fetched::Expired { gone, error })
        } else {
            Err(hidden(error))
        }
    }

    /// Passes the bytes on as they arrive.
    fn stream(
        &self,
        response: reqwest::Response,
        media: &MediaRef,
    ) -> Result<Chunks, ProviderError> {
        let limit = self.settings.audio_bytes_limit;
        if response.content_length().is_some_and(|length| length > limit) {
            return Err(ProviderError::TooLarge { limit });
        }
        let sha256 = media.sha256.as_deref().and_then(decode_sha256);
        let state = Download { response, limit, read: 0, hash: Sha256::new(), sha256 };
        Ok(Box::pin(stream::try_unfold(state, Download::next)))
    }

    pub(super) async fn upload_note(&self, note: OggOpus) -> Result<MediaId, ProviderError> {
        let name = FILE_NAME.to_owned();
        self.upload_any(OutgoingFile { name, mime_type: FILE_TYPE, bytes: note.0 }).await
    }

    pub(super) async fn upload_any(&self, file: OutgoingFile) -> Result<MediaId, ProviderError> {
        let OutgoingFile { name, mime_type, bytes } = file;
        let length = bytes.len() as u64;
        let file = Part::stream_with_length(bytes, length)
            .file_name(name)
            .mime_str(mime_type)
            .expect("the types are valid constants");
        let essence = mime_type.split(';').next().unwrap_or(mime_type);
        // All lengths are known, so the request has a Content-Length: nothing says that Meta
        // takes chunked uploads.
        let form = Form::new()
            .text("messaging_product", "whatsapp")
            .text("type", essence)
            .part("file", file);
        let url = self.edge("media")?;
        let answer = self.call(self.client.post(url).multipart(form)).await?;
        id_of(&answer["id"])
            .map(MediaId)
            .ok_or_else(|| ProviderError::Unexpected("upload without an id".to_owned()))
    }
}

/// Logs what the provider says of a file that is gone: the person is only asked to send it again.
fn gone(error: &ProviderError) -> ProviderError {
    tracing::warn!(error = %error, "a media file is gone");
    ProviderError::MediaGone
}

/// Makes "does not exist, or a permission is missing" final, since no more is told. Media of
/// webhooks are kept for a week, so that it is the permission; yet to wait for one could keep the
/// person's later messages waiting for a file that is gone.
fn hidden(mut error: ProviderError) -> ProviderError {
    if let ProviderError::Refused { code: 33 | 100, fix: Some(_), retry, .. } = &mut error
        && *retry != Retry::After(RENEWED)
    {
        *retry = Retry::Never;
    }
    error
}

/// Says how a request for a file's bytes went.
enum Fetched {
    /// The bytes follow.
    Open(reqwest::Response),
    /// The address no longer works; another look-up may help.
    Expired { gone: bool, error: ProviderError },
}

struct Download {
    response: reqwest::Response,
    limit: u64,
    read: u64,
    hash: Sha256,
    sha256: Option<[u8; 32]>,
}

impl Download {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, ProviderError> {
        let Some(bytes) = answered(self.response.chunk()).await? else {
            self.compare_hash();
            return Ok(None);
        };
        self.read += bytes.len() as u64;
        if self.read > self.limit {
            return Err(ProviderError::TooLarge { limit: self.limit });
        }
        self.hash.update(&bytes);
        Ok(Some((bytes, self)))
    }

    /// Warns of a wrong hash, no more: its encoding and meaning are not documented well enough to
    /// refuse a file that may decode.
    fn compare_hash(self) {
        if self.sha256.is_some_and(|expected| self.hash.finalize()[..] != expected) {
            tracing::warn!(
                media.bytes = self.read,
                "media differs from the SHA-256 of its webhook"
            );
        }
    }
}

/// Reads a SHA-256 in hex, as look-ups give it, or Base64, as webhooks do.
fn decode_sha256(text: &str) -> Option<[u8; 32]> {
    let bytes = hex::decode(text).or_else(|_| BASE64_STANDARD.decode(text)).ok()?;
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio::sync::oneshot;

    use super::*;
    use crate::remote::{SILENCE, http_client};

    #[test]
    fn hash_is_read_as_hex_and_as_base64() {
        let hash: [u8; 32] = Sha256::digest(b"note").into();
        assert_eq!(decode_sha256(&hex::encode(hash)), Some(hash));
        assert_eq!(decode_sha256(&BASE64_STANDARD.encode(hash)), Some(hash));
        assert_eq!(decode_sha256("<HASH>"), None);
        assert_eq!(decode_sha256(""), None);
    }

    /// Begins to download a file from a server that sends half of it at once, and the rest when
    /// `rest` says so, or never.
    async fn half_downloaded(rest: oneshot::Receiver<()>) -> Download {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/file", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            assert!(stream.read(&mut request).await.unwrap() > 0);
            let head = "HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n";
            stream.write_all(format!("{head}half").as_bytes()).await.unwrap();
            match rest.await {
                Ok(()) => stream.write_all(b"half").await.unwrap(),
                Err(_never) => std::future::pending().await,
            }
        });
        let response = http_client().get(url).send().await.unwrap();
        let download = Download { response, limit: 8, read: 0, hash: Sha256::new(), sha256: None };
        let (half, download) = download.next().await.unwrap().unwrap();
        assert_eq!(half, "half");
        download
    }

    /// As where every worker is busy with the notes of others.
    #[tokio::test]
    async fn time_in_which_nobody_reads_is_no_silence_of_the_provider() {
        let (send, rest) = oneshot::channel();
        let download = half_downloaded(rest).await;
        tokio::time::pause();
        tokio::time::advance(10 * SILENCE).await;
        tokio::time::resume();
        send.send(()).unwrap();
        let (half, download) = download.next().await.unwrap().unwrap();
        assert_eq!(half, "half");
        assert!(download.next().await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_provider_that_falls_silent_is_not_waited_for() {
        let (_never, rest) = oneshot::channel();
        let download = half_downloaded(rest).await;
        tokio::time::pause();
        let error = download.next().await.err().unwrap();
        assert_eq!(error.to_string(), "provider broke off: it was silent for 20 s");
        assert_eq!(error.retry(), Retry::After(std::time::Duration::from_secs(2)));
    }
}
