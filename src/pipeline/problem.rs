//! What is wrong with a message, and the sentence that says so.

use super::error::Cause;
use crate::audio::DecodeError;
use crate::provider::ProviderError;
use crate::registry::{Phrase, Phrases};
use crate::turn::{Outcome, Reason};

/// Names what is wrong with a message. The fault is not ours: the person is told, and the turn is
/// done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// A message type that agents do not understand yet.
    Type(String),
    /// Nobody speaks.
    NoSpeech,
    /// A file without a byte or a sample.
    EmptyAudio,
    /// Longer or larger than the limits.
    TooLong,
    /// A format that is not decoded.
    Format(String),
    /// The file is damaged.
    Corrupt,
    /// The provider has deleted the file.
    MediaGone,
}

impl Problem {
    /// Finds the problem of the message that `cause` means; `None` if something else failed.
    pub(super) fn from_cause(cause: &Cause) -> Option<Self> {
        Some(match cause {
            Cause::Unheard(problem) => problem.clone(),
            Cause::Provider(ProviderError::MediaGone) => Self::MediaGone,
            Cause::Provider(ProviderError::TooLarge { .. })
            | Cause::Decode(DecodeError::TooLarge { .. } | DecodeError::TooLong { .. }) => {
                Self::TooLong
            }
            Cause::Decode(DecodeError::Empty) => Self::EmptyAudio,
            Cause::Decode(DecodeError::Unsupported { what }) => Self::Format(what.clone()),
            Cause::Decode(error @ DecodeError::TooCostly { .. }) => Self::Format(error.to_string()),
            Cause::Decode(DecodeError::Corrupt { .. }) => Self::Corrupt,
            _ => return None,
        })
    }

    /// Returns the sentence that names the problem.
    pub(super) fn phrase<'a>(&self, phrases: &'a Phrases) -> &'a Phrase {
        match self {
            Self::Type(_) | Self::Format(_) => &phrases.unsupported,
            Self::NoSpeech | Self::EmptyAudio => &phrases.no_speech,
            Self::TooLong => &phrases.too_long,
            Self::Corrupt => &phrases.unreadable,
            Self::MediaGone => &phrases.media_gone,
        }
    }

    /// Returns how the turn ends.
    pub(super) fn outcome(&self) -> Outcome {
        match self {
            Self::NoSpeech | Self::EmptyAudio => Outcome::Question,
            _ => Outcome::Text,
        }
    }

    /// Returns what the record says.
    pub(super) fn reason(&self) -> Reason {
        match self {
            Self::Type(raw_type) => Reason::UnsupportedType(raw_type.clone()),
            Self::NoSpeech => Reason::NoSpeech,
            Self::EmptyAudio => Reason::EmptyAudio,
            Self::TooLong => Reason::TooLong,
            Self::Format(what) => Reason::UnsupportedFormat(what.clone()),
            Self::Corrupt => Reason::CorruptAudio,
            Self::MediaGone => Reason::MediaGone,
        }
    }
}
