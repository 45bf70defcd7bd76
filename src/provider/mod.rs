//! The messenger: what WhatsApp is to the rest of hark.

pub mod cloud;
pub mod door;
mod file_type;
pub mod payload;
mod split_text;
mod told;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;

use crate::audio::OggOpus;
use crate::remote::SILENCE;
use crate::remote::words::error_chain;
use crate::turn::{ContactRef, Content, MediaId, MediaRef, MessageId, Retry};

pub use file_type::mime_type_of;
pub use split_text::split_text;

/// Longest text WhatsApp takes in one message, in characters. Source: Meta docs, text messages.
pub const TEXT_LIMIT: usize = 4096;

/// Describes one outbound message.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Who gets it: `recipient` if there is only a user id, else `to`.
    pub to: ContactRef,
    /// What is sent; a text has at most [`TEXT_LIMIT`] characters.
    pub content: Content,
    /// The message it answers.
    pub reply_to: Option<MessageId>,
    /// Echoed in statuses as `biz_opaque_callback_data`.
    pub callback_data: String,
}

/// Holds a file of the operator's that is sent to people.
#[derive(Clone, Debug)]
pub struct OutgoingFile {
    /// Its name.
    pub name: String,
    /// Its type, of [`mime_type_of`].
    pub mime_type: &'static str,
    /// What it holds.
    pub bytes: Bytes,
}

/// Connects one business number to WhatsApp.
#[async_trait]
pub trait Messenger: Send + Sync {
    /// Marks a message as read and shows "typing" for up to 25 s.
    async fn read_and_typing(&self, message: &MessageId) -> Result<(), ProviderError>;

    /// Starts to download a media file; bytes come as they arrive.
    /// More than the configured limit ends the stream with [`ProviderError::TooLarge`].
    async fn download(
        &self,
        media: &MediaRef,
    ) -> Result<BoxStream<'static, Result<Bytes, ProviderError>>, ProviderError>;

    /// Uploads a voice note.
    async fn upload(&self, note: OggOpus) -> Result<MediaId, ProviderError>;

    /// Uploads any other file.
    async fn upload_file(&self, file: OutgoingFile) -> Result<MediaId, ProviderError>;

    /// Sends one message and returns its id.
    async fn send(&self, message: Outgoing) -> Result<MessageId, ProviderError>;
}

/// Says why a provider call failed. Never holds a token, an address or a text.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages show what each field is")]
pub enum ProviderError {
    /// No connection to the provider: it has not seen the call, so try again.
    #[error("provider could not be reached: {0}")]
    Unreachable(String),
    /// The provider broke off: try again; it may have done what it was asked.
    #[error("provider broke off: {0}")]
    Network(String),
    /// The provider refused the call; `retry` says what the code means.
    #[error("provider refused with code {code} (HTTP {http_status}): {title}")]
    Refused {
        /// The provider's error code, 0 if it gave none.
        code: i64,
        http_status: u16,
        title: String,
        retry: Retry,
        /// What the operator has to do, where the set-up is at fault: no message goes through.
        fix: Option<&'static str>,
    },
    /// The media file is gone: ask the person to send it again.
    #[error("media is gone")]
    MediaGone,
    /// The media file is larger than allowed: say so.
    #[error("media is larger than {limit} bytes")]
    TooLarge { limit: u64 },
    /// The address is not on the configured API host or an allow-listed media host: fix
    /// `media_hosts`.
    #[error("media host {host} is not in media_hosts")]
    HostNotAllowed { host: String },
    /// This access to WhatsApp has no such call: set it up by hand.
    #[error("{kind} is not possible here")]
    NotBuilt { kind: &'static str },
    /// The answer was not what the provider documents: try again.
    #[error("provider answered something unexpected: {0}")]
    Unexpected(String),
}

impl ProviderError {
    /// Describes a failure below HTTP.
    fn network(error: reqwest::Error) -> Self {
        let never_connected = error.is_connect();
        let why = error_chain(error);
        if never_connected { Self::Unreachable(why) } else { Self::Network(why) }
    }

    /// Says that nothing came for as long as is waited.
    fn silent() -> Self {
        Self::Network(format!("it was silent for {} s", SILENCE.as_secs()))
    }

    /// Returns whether the provider may have done what it was asked: it broke off, made no sense, or
    /// failed without an error of its own. An error with a code is a refusal, whatever its status,
    /// and so is a 503, with which a server says that it does not even try.
    #[must_use]
    pub fn may_be_done(&self) -> bool {
        match self {
            Self::Network(_) | Self::Unexpected(_) => true,
            Self::Refused { code, http_status, .. } => {
                *code == 0 && *http_status >= 500 && *http_status != 503
            }
            _ => false,
        }
    }

    /// Returns what the operator has to mend, where the set-up is at fault and not the message:
    /// every call of the number fails until then.
    #[must_use]
    pub fn fix(&self) -> Option<&'static str> {
        if let Self::Refused { fix, .. } = self { *fix } else { None }
    }

    /// Returns when the same call may be tried again.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Unreachable(_) | Self::Network(_) | Self::Unexpected(_) => {
                Retry::After(std::time::Duration::from_secs(2))
            }
            Self::Refused { retry, .. } => *retry,
            Self::MediaGone
            | Self::TooLarge { .. }
            | Self::HostNotAllowed { .. }
            | Self::NotBuilt { .. } => Retry::Never,
        }
    }
}
