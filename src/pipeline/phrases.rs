//! What people are told when a message cannot be answered with words of the agent.

use std::collections::BTreeMap;

use crate::audio::DecodeError;
use crate::turn::{Outcome, Reason, primary_language};

/// One sentence in several languages.
#[derive(Clone, Debug, Default)]
pub struct Phrase(pub BTreeMap<String, String>);

impl Phrase {
    /// The sentence in `language`, with or without its region, else in English, else in any.
    pub fn in_language(&self, language: &str) -> &str {
        let texts = &self.0;
        let text = texts.get(language).or_else(|| texts.get(primary_language(language)));
        let text = text.or_else(|| texts.get("en"));
        text.or_else(|| texts.values().next()).map_or("", String::as_str)
    }
}

/// The sentences of `[messages]`.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct Phrases {
    pub fallback: Phrase,
    pub no_speech: Phrase,
    pub too_long: Phrase,
    pub unsupported: Phrase,
    pub unreadable: Phrase,
    pub media_gone: Phrase,
    pub confirm: Phrase,
    pub repeat: Phrase,
    pub broke_off: Phrase,
    pub text_mode: Phrase,
    pub voice_mode: Phrase,
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_has_the_sentence_of_its_language() {
        let texts = [("en", "Sorry"), ("pt", "Desculpe"), ("pt-PT", "Desculpa")];
        let phrase = Phrase(texts.map(|(code, text)| (code.to_owned(), text.to_owned())).into());
        for (code, text) in
            [("pt-BR", "Desculpe"), ("pt-PT", "Desculpa"), ("pt", "Desculpe"), ("la", "Sorry")]
        {
            assert_eq!(phrase.in_language(code), text, "{code}");
        }
    }
}
