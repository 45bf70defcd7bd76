//! What may be wrong with a message, and what the person is told then.

use crate::audio::DecodeError;
use crate::registry::{Phrase, Phrases};
use crate::turn::Outcome;

/// What is wrong with a message. Not an error of ours: the person is told, and the turn is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Problem {
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
    /// The provider has the file no more.
    MediaGone,
}

impl Problem {
    /// Tells what a decoder's refusal means for the person.
    pub(super) fn of(error: DecodeError) -> Self {
        match error {
            DecodeError::Empty => Self::EmptyAudio,
            DecodeError::TooLarge { .. } | DecodeError::TooLong { .. } => Self::TooLong,
            DecodeError::Unsupported { what } => Self::Format(what),
            DecodeError::Corrupt { .. } => Self::Corrupt,
        }
    }

    /// The sentence that names the problem.
    pub(super) fn phrase<'a>(&self, phrases: &'a Phrases) -> &'a Phrase {
        match self {
            Self::Type(_) | Self::Format(_) => &phrases.unsupported,
            Self::NoSpeech | Self::EmptyAudio => &phrases.no_speech,
            Self::TooLong => &phrases.too_long,
            Self::Corrupt => &phrases.unreadable,
            Self::MediaGone => &phrases.media_gone,
        }
    }

    /// How the turn ends.
    pub(super) fn outcome(&self) -> Outcome {
        match self {
            Self::NoSpeech | Self::EmptyAudio => Outcome::Question,
            _ => Outcome::Text,
        }
    }

    /// What the record says.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Type(raw_type) => format!("unsupported_type: {raw_type}"),
            Self::NoSpeech => "no_speech".into(),
            Self::EmptyAudio => "empty_audio".into(),
            Self::TooLong => "too_long".into(),
            Self::Format(what) => format!("unsupported_format: {what}"),
            Self::Corrupt => "corrupt_audio".into(),
            Self::MediaGone => "media_gone".into(),
        }
    }
}
